/* Scripts that are the same everywhere: whatever is in a place, they change no right of it, and run
 * no code of its own. */
#ifndef TENANTRY_BLUEPRINT_INERT_H
#define TENANTRY_BLUEPRINT_INERT_H

#include <stdbool.h>

#include "core/arena.h"

/* What code of a place a script may set off. */
typedef enum ScriptForce {
    SCRIPT_INERT,    /* none */
    SCRIPT_CONFINED, /* IMMUTABLE functions in other expressions of a table, security-restricted */
    SCRIPT_ACTIVE,   /* any */
} ScriptForce;

/* By the kinds of its statements. Inert: a column of a built-in type is added, with a constant as
 * default if any; a default is dropped; an index is dropped; something is commented on. Confined:
 * also those that make an index of plain columns. PostgreSQL computes the constant parts of what
 * its table has beside it (indexes, statistics, the partition key), as the table's owner and in a
 * security-restricted operation (DefineIndex, index_build): settings are taken back, and PREPARE,
 * LISTEN, temporary tables, cursors WITH HOLD and deferred triggers are refused there. No other
 * statement, expression or type is known to be harmless, so all else is active, and what cannot be
 * parsed. Event triggers, which superusers make, run code all the same. Any thread. */
ScriptForce script_force(Arena *arena, const char *script);

/* Whether a script brings code that a confined one could set off: it makes functions, or runs
 * something that could make them. Any thread. */
bool script_has_code(Arena *arena, const char *script);

#endif
