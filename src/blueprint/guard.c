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
 * so they all fire in there, where rows were written that have any (SET CONSTRAINTS lasts until the
 * end of the transaction, and a seed may come after the migrations). One of them may defer again
 * and queue more. The second round is read-only, which refuses that with a clear message, but the
 * code can take it back: the proof is made outside. There, every table that the transaction wrote
 * to (nothing releases its lock before the end) and that has deferrable triggers, whoever owns it,
 * is given an ALTER TABLE, which PostgreSQL refuses while a trigger of the table is pending. Its
 * lock does not disturb readers and writers, and it is undone at once, with the membership that it
 * takes. For temporary tables DISCARD TEMP, in the reset of the session, does the same, and for
 * those in the guard's schema its DROP. */
#include "blueprint/place.h"
#include "pg/sql.h"

#define UNDONE "TN001" /* SQLSTATE of our own, which takes back what the proof did */

/* Tables with deferrable triggers (those of foreign and unique keys are triggers too) that this
 * transaction wrote to. */
#define DEFERRING_TABLES                                                                           \
    " FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c"                                       \
    "  ON c.oid OPERATOR(pg_catalog.=) l.relation"                                                 \
    " WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()"                              \
    "  AND l.mode OPERATOR(pg_catalog.=) 'RowExclusiveLock'"                                       \
    "  AND EXISTS (SELECT FROM pg_catalog.pg_trigger g"                                            \
    "   WHERE g.tgrelid OPERATOR(pg_catalog.=) c.oid AND g.tgdeferrable)"

static const char prove_nothing_waits[] =
    "DO $proof$\n"
    "DECLARE\n"
    " written pg_catalog.record;\n"
    "BEGIN\n"
    " FOR written IN SELECT c.oid, c.relowner" DEFERRING_TABLES " LOOP\n"
    "  BEGIN\n"
    "   IF NOT pg_catalog.pg_has_role(written.relowner, 'MEMBER') THEN\n"
    "    EXECUTE pg_catalog.format('GRANT %s TO CURRENT_USER', "
    "written.relowner::pg_catalog.regrole);\n"
    "   END IF;\n"
    "   EXECUTE pg_catalog.format('ALTER TABLE ONLY %s RESET (fillfactor)',\n"
    "    written.oid::pg_catalog.regclass);\n"
    "   RAISE EXCEPTION USING ERRCODE = '" UNDONE "';\n"
    "  EXCEPTION WHEN SQLSTATE '" UNDONE "' THEN\n"
    "   NULL;\n"
    "  END;\n"
    " END LOOP;\n"
    "END $proof$";

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
    " IF EXISTS (SELECT" DEFERRING_TABLES ") THEN\n"
    "  SET CONSTRAINTS ALL IMMEDIATE;\n"
    "  SET LOCAL transaction_read_only = on;\n"
    "  SET CONSTRAINTS ALL IMMEDIATE;\n"
    " END IF;\n"
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
    pg_batch_add_at(batch, "triggers and constraints that were deferred", prove_nothing_waits,
                    PG_NO_PARAMS);
    pg_batch_add(batch, SQL(arena, "DROP SCHEMA {} CASCADE", guard_schema(arena, role)),
                 PG_NO_PARAMS);
    pg_batch_add(batch, SQL(arena, "REVOKE {} FROM CURRENT_USER", sql_name(arena, role)),
                 PG_NO_PARAMS);
}
