/* Durations as people write them: a whole number and ms, s, min or h ("250ms", "5s", "1h"). Any
 * thread; does not block. */
#ifndef TENANTRY_CORE_DURATION_H
#define TENANTRY_CORE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"

/* How to write one, for errors. */
#define DURATION_HINT "write a whole number and ms, s, min or h, such as 250ms, 5s or 1h"

/* False when the text is no duration or does not fit in 64 bits of milliseconds. */
bool duration_to_ms(const char *text, int64_t *ret_ms);

/* The shortest exact form: 60000 gives "1min", 1500 gives "1500ms". In the arena. */
const char *duration_to_text(Arena *arena, int64_t ms);

/* Rounded up, and no finer than anybody needs it for an estimate: 1999ms, 90s, 90min, 3h. */
const char *duration_to_rough_text(Arena *arena, int64_t ms);

#endif
