/* Scripts that are the same everywhere: whatever is in a place, they change no right of it, and run
 * no code of its own. */
#ifndef TENANTRY_BLUEPRINT_INERT_H
#define TENANTRY_BLUEPRINT_INERT_H

#include <stdbool.h>

#include "core/arena.h"

/* Whether each statement is one of a few kinds: a column of a built-in type is added, with a
 * constant as default if any; a default or NOT NULL is dropped; an index of plain columns is made
 * or dropped; something is commented on. No other statement, expression or type is known to be
 * harmless, so the answer is no whenever there is one, and for what cannot be parsed. Event
 * triggers, which superusers make, run code all the same. Any thread. */
bool script_is_inert(Arena *arena, const char *script);

#endif
