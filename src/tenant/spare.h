/* Spares: places of the schema tier that wait for tenants.
 *
 * A spare is all that a tenant has but for its plan: owner role, schema, tables, partitions, seed,
 * rights, and two logins with their passwords that may not log in yet. It has the id that its
 * tenant will have, for which its passwords are sealed and its seed ran, so that a create only has
 * to claim it (a few milliseconds, whatever the blueprint's size).
 *
 * Life: made (one transaction, spare_make) - ready - claimed by a create's first transaction - made
 * the tenant's by its last one. A create that is undone in between drops its spare: the id is the
 * failed tenant's then, and cannot be another's. No transaction leaves half a spare. */
#ifndef TENANTRY_TENANT_SPARE_H
#define TENANTRY_TENANT_SPARE_H

#include "blueprint/blueprint.h"
#include "store/tenants.h"

typedef struct Spare {
    Place place;
    const char *tenant_id;
    const char *key_id;
    const char *app_sealed; /* bytea text */
    const char *readonly_sealed;
} Spare;

/* --- for creates */

/* Claims a ready spare that was made from exactly this definition, with the optional extensions
 * that the server offers now, within the caller's transaction: *ret_tenant_id is the id of the
 * tenant to be, NULL when there is none. Never waits for another create, and no two get the same.
 * One whose schema or a role of which is gone is passed over, and dropped by whoever keeps spares.
 */
bool spare_claim(Arena *arena, Store *store, const Blueprint *blueprint, const char **ret_tenant_id,
                 Err *err);

/* The spare that this tenant claimed, locked for the rest of the transaction; NULL: none. */
bool spare_find_claimed(Arena *arena, Store *store, const char *tenant_id, Spare **ret_spare,
                        Err *err);

/* Adds what makes a claimed spare the tenant's: registry rows, the plan's limits and settings,
 * LOGIN. The active key is held (store_hold_active_key): a spare that a rotation has not reached
 * yet is sealed again here, or its passwords would be lost with the old key. */
bool spare_add_take(Arena *arena, Store *store, PgBatch *batch, const Spare *spare,
                    const BlueprintPlan *plan, Err *err);

/* Drops a spare whose row is locked, within the caller's transaction. */
bool spare_drop(Arena *arena, Store *store, const Spare *spare, Err *err);

/* --- for those who keep them */

/* Makes one spare of the blueprint's newest version unless `target` are ready, in a transaction of
 * its own. Blocks as long as a create without a spare does. */
typedef enum SpareOutcome {
    SPARE_MADE,
    SPARE_ENOUGH, /* there are as many as were wanted */
    SPARE_OTHER,  /* another process is making one right now */
} SpareOutcome;
/* Asked before a new spare is committed; false takes it back. */
typedef bool (*SpareCheck)(Arena *arena, Store *store, const char *tenant_id, Err *err);
bool spare_make(Store *store, const char *blueprint, int64_t target, SpareCheck check,
                SpareOutcome *ret_outcome, Err *err);

/* Which spares are dropped: of one blueprint or all (NULL); those that no create would claim any
 * more, or every one that waits; with a job, none that was made after the job began. */
typedef struct SpareChoice {
    const char *blueprint;
    bool is_all;
    int64_t job_id; /* 0: none */
} SpareChoice;

/* Drops one, in a transaction of its own. *ret_is_dropped is false when there is none left. */
bool spare_drop_one(Store *store, const SpareChoice *choice, bool *ret_is_dropped, Err *err);

/* Drops one that was made more than an hour ago when more than `most` wait, in a transaction of its
 * own. A create never waits for it: it passes by a spare whose row is locked. */
bool spare_drop_surplus(Store *store, const char *blueprint, int64_t most, bool *ret_is_dropped,
                        Err *err);

/* Makes the partitions of one spare that are due, in a transaction of its own, and tells `renewed`
 * that the place has changed. *ret_is_renewed is false when none was due. */
typedef bool (*SpareRenewed)(Arena *arena, Store *store, const char *place_id, Err *err);
bool spare_renew_one(Store *store, SpareRenewed renewed, bool *ret_is_renewed, Err *err);

/* Adds the statements that seal the passwords of spares again under the key, a page (500) of them.
 */
bool spares_add_reseal(Arena *arena, Store *store, PgBatch *batch, const char *key_id, Err *err);

/* How many spares of a blueprint are kept ready: `base`, and as many as tenants were created in the
 * last ten minutes when those are more, but never more than `most`. So the number follows a rush
 * upwards at once, and falls back as the rush leaves the window. A base of 0 turns spares off.
 *
 * With the tenants of the last hour it is how many stay: what is above that, and older than an
 * hour, is dropped. The second number is never below the first, so no drop makes a spare missing.
 */
int64_t spare_target(int64_t base, int64_t most, int64_t created_lately);

#endif
