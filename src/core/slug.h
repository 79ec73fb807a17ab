/* The form of a tenant's slug: the name that people, host names and paths use for it. */
#ifndef TENANTRY_CORE_SLUG_H
#define TENANTRY_CORE_SLUG_H

#include <stdbool.h>

#include "core/err.h"

/* 2 to 63 bytes (LIMIT_SLUG_...); lower-case ASCII letters, digits and hyphens; starts with a
 * letter, ends with a letter or digit, no two hyphens in a row; no word of slug_reserved.def and
 * nothing that begins with "pg-". ERR_INPUT_INVALID says which rule is broken and what the rule is.
 * slug may be any NUL-terminated bytes of any length. Whether the slug is taken is not asked here.
 * Any thread; does not block. */
bool slug_check(const char *slug, Err *err);

#endif
