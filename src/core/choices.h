/* Sets of words as the tables write them: "row|schema". Any thread; does not block. */
#ifndef TENANTRY_CORE_CHOICES_H
#define TENANTRY_CORE_CHOICES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"

/* Whether value is exactly one of the words. */
bool choices_has(const char *choices, const char *value);

/* The words, in order, in the arena; NULL gives none. */
const char *const *choices_split(Arena *arena, const char *choices, size_t *ret_count);

#endif
