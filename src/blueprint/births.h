/* The migrations as they are run in a place that is new. Internal to the module.
 *
 * A new place runs all of them in one transaction, and PostgreSQL lets no value that ALTER TYPE
 * ... ADD VALUE added be used before its transaction has ended. So an enum that the migrations make
 * and extend is made with all of its values at once; places that exist are moved by the migrations
 * as they are. */
#ifndef TENANTRY_BLUEPRINT_BIRTHS_H
#define TENANTRY_BLUEPRINT_BIRTHS_H

#include "blueprint/blueprint.h"

/* The blueprint itself when nothing of the kind is in it. In the arena. ERR_BLUEPRINT_INVALID. */
bool births_prepare(Arena *arena, const Blueprint *blueprint, const Blueprint **ret_born, Err *err);

#endif
