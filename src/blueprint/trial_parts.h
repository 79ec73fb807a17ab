/* Parts of trying a blueprint. Internal to the module. */
#ifndef TENANTRY_BLUEPRINT_TRIAL_PARTS_H
#define TENANTRY_BLUEPRINT_TRIAL_PARTS_H

#include "blueprint/blueprint.h"
#include "store/store.h"

/* Holds what the migrations make against those rules of the lint that look at whole tables, also
 * where a DO block or a function made them: ERR_BLUEPRINT_INVALID with file and line of the
 * statement. Migrations that fail are no error here. Within the caller's transaction, which is
 * afterwards as it was before, but for extensions that were installed. */
bool trial_lint(Arena *arena, Store *store, const Blueprint *blueprint, Err *err);

#endif
