/* Running a blueprint's SQL, and whatever code of tenants it sets off, without lending it the
 * control role.
 *
 * SET LOCAL ROLE alone would: the session's user stays the control role, and any function, trigger,
 * check or default can RESET ROLE. PostgreSQL refuses that (role and session_authorization, however
 * they are set) inside a SECURITY DEFINER function. So the role gets such a function for the
 * transaction, in a schema where it can make no other when its code runs, and it runs every
 * statement (src/store/migrations/0005_guard.sql, 0008_guard_call.sql and 0014_guard_quick.sql;
 * what does not depend on the role is in functions that stay, so that a session plans them once).
 *
 * Deferred triggers run as whoever is current when they fire, at COMMIT that is the control role:
 * so they all fire in there, by SET CONSTRAINTS, which fires whatever waits when it begins. One of
 * them may defer again and queue more, so it is called until nothing was queued. No catalogue tells
 * what waits, but who queues a trigger writes a row, with a command number of its own, and nothing
 * takes a number back: when two rows that the control role writes before and after a call have
 * numbers that follow each other, nothing was written between them. (The locks of the transaction
 * do not tell. A cursor belongs to the subtransaction that opened it, but fails in the one that
 * fetches from it, and then the locks of all that its query wrote go and the triggers stay.)
 *
 * Making and dropping that function costs as much as a small migration. A place's owner therefore
 * has one that stays (in the schema tenancy_kept), which it can neither name nor replace,
 * and run_guarded looks whose rights it has before it runs anything.
 *
 * What sets off no code, or none but in a security-restricted operation (inert.h), leaves nothing
 * behind and nothing that waits, so it is run in the guard that stays and nothing else is: that is
 * half of what run_as costs.
 *
 * Code in there can prepare statements, also under the names of ours (pg_query_fixed): nothing that
 * was prepared is run before run_as has taken those away. Where that code fails, which takes no
 * PREPARE back, nothing prepared is run until all of it was deallocated (pg_rollback). */
#include "blueprint/place.h"
#include "pg/sql.h"

static void enter(PgBatch *batch, const char *role, const char *is_kept, const char *search_path)
{
    pg_batch_open_group_fixed(batch, "SELECT tenantry.run_as($1, $2, $3, $4)",
                              PG_PARAMS(role, is_kept, search_path));
}

void place_enter_role(PgBatch *batch, const char *role, const char *search_path)
{
    enter(batch, role, "false", search_path);
}

void place_enter_owner(PgBatch *batch, const Place *place, const char *search_path)
{
    enter(batch, place->owner_role, "true", search_path);
}

void place_enter_seed(PgBatch *batch, const char *role, const char *search_path)
{
    place_enter_role(batch, role, search_path);
    pg_batch_add(batch, "SET CONSTRAINTS ALL DEFERRED", PG_NO_PARAMS);
}

void place_leave_role(PgBatch *batch)
{
    pg_batch_close_group(batch);
    pg_batch_add_session_reset(batch);
}

void place_enter_inert(Arena *arena, PgBatch *batch, const Place *place, const char *search_path)
{
    pg_batch_open_group(
        batch, SQL(arena, "SELECT tenancy_kept.{}($1, $2)", sql_name(arena, place->owner_role)),
        PG_PARAMS(search_path));
}

void place_leave_inert(PgBatch *batch)
{
    pg_batch_close_group(batch);
}

size_t place_leave_role_asking(PgBatch *batch, const char *setting)
{
    pg_batch_close_group(batch);
    const size_t answer = pg_batch_add_fixed(
        batch, "SELECT pg_catalog.current_setting($1::pg_catalog.text, true)", PG_PARAMS(setting));
    pg_batch_add_session_reset(batch);
    return answer;
}
