/* Statements that mend findings: which kinds may run at all.
 *
 * A rule makes its statement from the catalogue with quoted names. That it takes something away, or
 * puts an attribute right, and is only one statement, is checked again here by the parser before it
 * runs, so that a mistake in a rule cannot run anything else. Nothing blocks. */
#ifndef TENANTRY_ISOLATION_MEND_H
#define TENANTRY_ISOLATION_MEND_H

#include <stdbool.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/json.h"

/* Checks a statement; ERR_INTERNAL when it is not one of those that mend. *ret_names is a list of
 * every text in it, names of schemas and roles among them; the caller's. */
bool mend_check(Arena *arena, const char *statement, Json **ret_names, Err *err);

#endif
