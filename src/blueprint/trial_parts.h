/* Parts of trying a blueprint. Internal to the module. */
#ifndef TENANTRY_BLUEPRINT_TRIAL_PARTS_H
#define TENANTRY_BLUEPRINT_TRIAL_PARTS_H

#include "blueprint/blueprint.h"
#include "blueprint/registry.h"
#include "store/store.h"
#include "store/tenants.h"

/* Makes a place of the schema tier from the migrations alone, without rows of the registry and
 * without partitions, under a random name. The caller takes it back. */
bool trial_make_structure(Arena *arena, Store *store, const Blueprint *blueprint,
                          const Extensions *extensions, Place *ret_place, Err *err);

/* Holds the key of each backfill that was not recorded yet against what its batches need, NOT NULL
 * and first in an index: ERR_BLUEPRINT_INVALID with the file. For a blueprint whose places can be
 * made; within the caller's transaction, which is afterwards as it was before. */
bool trial_backfills(Arena *arena, Store *store, const Blueprint *blueprint, Err *err);

/* Holds what the migrations make against those rules of the lint that look at whole tables, also
 * where a DO block or a function made them: ERR_BLUEPRINT_INVALID with file and line of the
 * statement. Migrations that fail are no error here. Within the caller's transaction, which is
 * afterwards as it was before, but for extensions that were installed. */
bool trial_lint(Arena *arena, Store *store, const Blueprint *blueprint, Err *err);

#endif
