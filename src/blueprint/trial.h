/* Trying a blueprint before it is recorded: a place in each of its tiers, a tenant in it, its seed
 * and its demo, as a create would make them, what the caller checks of it, and all of it undone
 * again.
 *
 * Before that the migrations run once for the rules of the lint that look at whole tables: dynamic
 * SQL hides tables and keys from its parse trees, but not from the catalogue. Afterwards the keys
 * of backfills that are new are looked at.
 *
 * The trial goes under a name of its own, so that what is recorded under the blueprint's name, and
 * the shared place that its tenants use, are neither changed nor locked. */
#ifndef TENANTRY_BLUEPRINT_TRIAL_H
#define TENANTRY_BLUEPRINT_TRIAL_H

#include "blueprint/blueprint.h"
#include "store/store.h"
#include "store/tenants.h"

/* Asked of each tenant that is tried, when all of it is there. */
typedef bool (*TrialCheck)(Arena *arena, Store *store, const char *tenant_id, Err *err);

/* Within the caller's transaction, which is afterwards as it was before; on an error the caller
 * rolls back. What PostgreSQL refuses is ERR_BLUEPRINT_INVALID: "FILE:LINE: message" with its
 * SQLSTATE, and the tier in the hint; what the lint refuses has its rule in the message; what the
 * check refuses names the blueprint instead of the trial. Blocks. */
bool blueprint_try(Arena *arena, Store *store, const Blueprint *blueprint, TrialCheck check,
                   Err *err);

/* Makes a place of this tier as a create would, with a name of its own and no rows of tenants,
 * within the caller's transaction, which is rolled back afterwards. */
bool blueprint_try_place(Arena *arena, Store *store, const Blueprint *blueprint, Tier tier,
                         const Place **ret_place, Err *err);

/* Turns what PostgreSQL said about the blueprint's SQL into ERR_BLUEPRINT_INVALID and tells in the
 * hint when it was ("its shared tables were migrated"). Errors that trying again can help,
 * those of the server's resources, and those that PostgreSQL did not give stay as they are. Returns
 * false. */
bool blueprint_blame(const Blueprint *blueprint, const char *when, Err *err);

#endif
