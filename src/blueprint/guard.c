/* Running a blueprint's SQL, and whatever code of tenants it sets off, without lending it the
 * control role.
 *
 * SET LOCAL ROLE alone would: the session's user stays the control role, and any function, trigger,
 * check or default can RESET ROLE. PostgreSQL refuses that (role and session_authorization, however
 * they are set) inside a SECURITY DEFINER function. So the role gets such a function for the
 * transaction, in a schema where it can make no other when its code runs, and it runs every
 * statement (src/store/migrations/0005_guard.sql; what does not depend on the role is in functions
 * that stay, so that a session plans them once).
 *
 * Deferred triggers run as whoever is current when they fire, at COMMIT that is the control role:
 * so they all fire in there, where rows were written that have any (SET CONSTRAINTS lasts until the
 * end of the transaction, and a seed may come after the migrations). One of them may defer again
 * and queue more. The second round is read-only, which refuses that with a clear message, but the
 * code can take it back: the proof is made outside. There, every table that the transaction wrote
 * to and that has triggers of constraints, whoever owns it, is given an ALTER TABLE, which
 * PostgreSQL refuses while a trigger of the table is pending. Its lock does not disturb readers and
 * writers, and it is undone at once, with the membership that it takes. For temporary tables
 * DISCARD TEMP, in the reset of the session, does the same.
 *
 * Making and dropping that function costs as much as a small migration. A place's owner therefore
 * has one that stays (tenantry.keep_guard in 0008_rollout.sql), which it can neither name nor
 * replace and which checks whose rights it has before it runs anything.
 *
 * Code in there can prepare statements, also under the names of ours (pg_query_fixed): nothing that
 * was prepared is run before drop_guard or settle_guard has taken those away. */
#include "blueprint/place.h"
#include "pg/sql.h"

void place_enter_role(Arena *arena, PgBatch *batch, const char *role, const char *search_path)
{
    pg_batch_add_fixed(batch, "SELECT tenantry.make_guard($1)", PG_PARAMS(role));
    pg_batch_add(batch, "SELECT set_config('search_path', $1, true)", PG_PARAMS(search_path));
    pg_batch_open_group(batch, SQL(arena, "SELECT tenancy_guards.{}($1::pg_catalog.text[])",
                                   sql_name(arena, role)));
}

void place_leave_role(PgBatch *batch, const char *role)
{
    pg_batch_close_group(batch);
    pg_batch_add_session_reset(batch);
    pg_batch_add_at(batch, "triggers and constraints that were deferred",
                    "SELECT tenantry.drop_guard($1)", PG_PARAMS(role));
}

void place_enter_owner(Arena *arena, PgBatch *batch, const Place *place, const char *search_path,
                       GuardEnd end)
{
    pg_batch_add_fixed(batch, "SELECT tenantry.keep_guard($1)", PG_PARAMS(place->owner_role));
    pg_batch_open_group(batch,
                        SQL(arena, "SELECT tenancy_kept.{}($1::pg_catalog.text[], {}, {}::bool)",
                            sql_name(arena, place->owner_role), sql_literal(search_path),
                            sql_literal(end == GUARD_IS_LAST ? "t" : "f")));
}

void place_leave_owner(PgBatch *batch, const Place *place)
{
    place_leave_owner_asking(batch, place, NULL);
}

size_t place_leave_owner_asking(PgBatch *batch, const Place *place, const char *setting)
{
    pg_batch_close_group(batch);
    size_t answer = 0;
    if (setting != NULL) {
        answer = pg_batch_add(batch, "SELECT pg_catalog.current_setting($1::pg_catalog.text, true)",
                              PG_PARAMS(setting));
    }
    pg_batch_add_session_reset(batch);
    pg_batch_add_at(batch, "triggers and constraints that were deferred",
                    "SELECT tenantry.settle_guard($1)", PG_PARAMS(place->owner_role));
    return answer;
}
