/* Running a blueprint's SQL, and whatever code of tenants it sets off, without lending it the
 * control role.
 *
 * SET LOCAL ROLE alone would: the session's user stays the control role, and any function, trigger,
 * check or default can RESET ROLE. PostgreSQL refuses that (role and session_authorization, however
 * they are set) inside a SECURITY DEFINER function. So the role gets such a function for the
 * transaction, in a schema of its own (no shared row is changed), and it runs every statement.
 *
 * The role owns the function and could replace it, so it is called once, right after it was made,
 * with all statements; the call that runs goes on with the text that it began with.
 *
 * Deferred triggers run as whoever is current when they fire, at COMMIT that is the control role:
 * so they all fire in there. One of them may queue more; the second time the transaction is
 * read-only (which it cannot take back), so that nothing can be queued but for temporary tables,
 * and with such a trigger pending DISCARD TEMP, in the reset of the session, fails. */
#include "blueprint/place.h"
#include "pg/sql.h"

static const char make_guard[] =
    "CREATE FUNCTION {}.run(statements pg_catalog.text[]) RETURNS pg_catalog.void"
    " LANGUAGE plpgsql SECURITY DEFINER SET transaction_read_only = off AS $guard$\n"
    "DECLARE\n"
    " pair pg_catalog.text[];\n"
    " place pg_catalog.text;\n"
    " state pg_catalog.text;\n"
    " message pg_catalog.text;\n"
    " detail pg_catalog.text;\n"
    " hint pg_catalog.text;\n"
    "BEGIN\n"
    " FOREACH pair SLICE 1 IN ARRAY statements LOOP\n"
    "  place := pair[1];\n"
    "  EXECUTE pair[2];\n"
    " END LOOP;\n"
    " place := 'triggers and constraints that were deferred';\n"
    " SET CONSTRAINTS ALL IMMEDIATE;\n"
    " SET LOCAL transaction_read_only = on;\n"
    " SET CONSTRAINTS ALL IMMEDIATE;\n"
    "EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN\n"
    " GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,\n"
    "  detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;\n"
    " RAISE EXCEPTION USING ERRCODE = state, DETAIL = detail, HINT = hint,\n"
    "  MESSAGE = CASE WHEN place OPERATOR(pg_catalog.=) '' THEN message\n"
    "   ELSE pg_catalog.concat(place, ': ', message) END;\n"
    "END $guard$";

static SqlArg guard_schema(Arena *arena, const char *role)
{
    return sql_name(arena, arena_printf(arena, "%s_guard", role));
}

void place_enter_role(Arena *arena, PgBatch *batch, const char *role, const char *search_path)
{
    const SqlArg name = sql_name(arena, role);
    const SqlArg schema = guard_schema(arena, role);
    const char *const sql[] = {
        SQL(arena, "GRANT {} TO CURRENT_USER", name),
        SQL(arena, "CREATE SCHEMA {} AUTHORIZATION {}", schema, name),
        SQL(arena, "SET LOCAL ROLE {}", name),
        SQL(arena, make_guard, schema),
    };
    for (size_t i = 0; i < sizeof sql / sizeof *sql; i++) {
        pg_batch_add(batch, sql[i], PG_NO_PARAMS);
    }
    pg_batch_add(batch, "SELECT set_config('search_path', $1, true)", PG_PARAMS(search_path));
    pg_batch_open_group(batch, SQL(arena, "SELECT {}.run($1::pg_catalog.text[])", schema));
}

void place_leave_role(Arena *arena, PgBatch *batch, const char *role)
{
    pg_batch_close_group(batch);
    pg_batch_add(batch, "SET LOCAL ROLE NONE", PG_NO_PARAMS);
    pg_batch_add_session_reset(batch);
    pg_batch_add(batch, SQL(arena, "DROP SCHEMA {} CASCADE", guard_schema(arena, role)),
                 PG_NO_PARAMS);
    pg_batch_add(batch, SQL(arena, "REVOKE {} FROM CURRENT_USER", sql_name(arena, role)),
                 PG_NO_PARAMS);
}
