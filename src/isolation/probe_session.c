#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/clock.h"
#include "isolation/probe_parts.h"

/* Settings of the transaction: names are looked up in the catalogue, whatever the role's settings
 * say; nothing waits long; and the role decides who it is. */
static const char set_up[] =
    "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),"
    " pg_catalog.set_config('role', 'none', true),"
    " pg_catalog.set_config('lock_timeout', $1, true),"
    " pg_catalog.set_config('statement_timeout', $2, true),"
    " pg_catalog.set_config('row_security', 'on', true),"
    " pg_catalog.set_config('app.current_tenant_id', '', true),"
    " pg_catalog.set_config('jit', 'off', true),"
    " pg_catalog.set_config('max_parallel_workers_per_gather', '0', true),"
    " pg_catalog.set_config('tenantry_probe.attempts', $3, true) IS NULL";

/* Begins a transaction of the session's role, in which it tries something. */
static void add_begin(Arena *arena, PgBatch *batch, const char *attempts)
{
    pg_batch_add(batch, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", PG_NO_PARAMS);
    pg_batch_add(batch, set_up,
                 PG_PARAMS(pg_int_text(arena, PROBE_LOCK_TIMEOUT_MS),
                           pg_int_text(arena, PROBE_STATEMENT_TIMEOUT_MS), attempts));
}

/* Runs what was added since add_begin, and rolls back. */
static bool run_and_roll_back(PgConn *conn, PgBatch *batch, Err *err)
{
    pg_batch_add(batch, "ROLLBACK", PG_NO_PARAMS);
    if (!pg_batch_run(conn, batch, err)) {
        pg_rollback(conn);
        return false;
    }
    return true;
}

bool probe_knock(Arena *arena, const ProbeSession *session, ProbeTargets *targets, Err *err)
{
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    scoped_json Json *schemas = json_array();
    const char *last = "";
    for (size_t i = 0; i < targets->count; i++) {
        if (strcmp(targets->list[i].schema, last) != 0) {
            last = targets->list[i].schema;
            json_array_append_new(schemas, json_string(last));
        }
    }
    add_begin(arena, batch, "[]");
    const size_t answer = pg_batch_add(batch,
                                       "SELECT NOT coalesce(bool_or(has_schema_privilege("
                                       "to_regnamespace(quote_ident(n)), 'USAGE')), false)"
                                       " FROM json_array_elements_text($1) n",
                                       PG_PARAMS(json_to_text(arena, schemas)));
    if (!run_and_roll_back(session->conn, batch, err)) {
        return false;
    }
    targets->is_shut = pg_rows_bool(pg_batch_rows(batch, answer), 0, 0);
    return true;
}

static const char *attempts_to_json(Arena *arena, const ProbeAttempt *attempts, size_t count)
{
    scoped_json Json *list = json_array();
    for (size_t i = 0; i < count; i++) {
        Json *entry = json_object();
        Json *setup = json_array();
        for (const char *const *sql = attempts[i].setup; *sql != NULL; sql++) {
            json_array_append_new(setup, json_string(*sql));
        }
        json_put(entry, "setup", setup);
        json_put_text(entry, "sql", attempts[i].sql);
        if (attempts[i].call != NULL) {
            json_put_text(entry, "call", attempts[i].call);
        }
        if (attempts[i].may != NULL) {
            json_put_text(entry, "may", attempts[i].may);
        }
        if (attempts[i].relation != 0) {
            json_put_int(entry, "relation", attempts[i].relation);
        }
        json_array_append_new(list, entry);
    }
    return json_to_text(arena, list);
}

/* One line for each attempt: how far it came, SQLSTATE, rows. A time-out ends them early. */
static bool read_answers(const char *text, ProbeAttempt *attempts, size_t count, size_t *ret_read,
                         Err *err)
{
    size_t read = 0;
    for (const char *line = text; read < count && *line != '\0'; read++) {
        char phase[16] = "";
        char *end = NULL;
        int length = 0;
        if (sscanf(line, "%15s %5s%n", phase, attempts[read].sqlstate, &length) != 2) {
            break;
        }
        attempts[read].phase = phase[0];
        if (strcmp(phase, "setup") == 0) {
            attempts[read].phase = 'u';
        }
        attempts[read].rows = strtoll(line + length, &end, 10);
        line = end + strspn(end, "\n");
    }
    *ret_read = read;
    return read > 0 || ERR_SET(err, ERR_INTERNAL, NULL, "no answer came to %zu attempts", count);
}

/* All in one round trip. */
static bool run_some(Arena *arena, PgConn *conn, ProbeAttempt *attempts, size_t count,
                     size_t *ret_done, Err *err)
{
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    add_begin(arena, batch, attempts_to_json(arena, attempts, count));
    pg_batch_add(batch, probe_sql("probe_driver.sql"), PG_NO_PARAMS);
    const size_t answers = pg_batch_add(batch, "SELECT current_setting('tenantry_probe.answers')",
                                        PG_NO_PARAMS);
    return run_and_roll_back(conn, batch, err) &&
           read_answers(pg_rows_text(pg_batch_rows(batch, answers), 0, 0), attempts, count,
                        ret_done, err);
}

static bool run_all(Arena *arena, const ProbeSession *session, const ProbeAttempts *attempts,
                    int64_t pause_ms, Err *err)
{
    const size_t step = pause_ms > 0 ? 1 : PROBE_ATTEMPTS_PER_TRANSACTION;
    for (size_t done = 0, now = 0; done < attempts->count; done += now) {
        const size_t left = attempts->count - done;
        if (pause_ms > 0 && done > 0) {
            clock_sleep_ms(pause_ms);
        }
        if (!run_some(arena, session->conn, &attempts->list[done], left < step ? left : step, &now,
                      err)) {
            return false;
        }
    }
    return true;
}

static bool is_busy(const ProbeAttempt *attempt)
{
    return strcmp(attempt->sqlstate, "55P03") == 0 && probe_judge(attempt) == PROBE_UNKNOWN;
}

/* A lock of others is mostly gone soon (autovacuum's, when it gives pages back): what met one is
 * tried once more, at the end. */
bool probe_run_attempts(Arena *arena, const ProbeSession *session, ProbeAttempts *attempts,
                        int64_t pause_ms, Err *err)
{
    ProbeAttempts again = {.list = ARENA_ARRAY(arena, ProbeAttempt, attempts->count)};
    if (!run_all(arena, session, attempts, pause_ms, err)) {
        return false;
    }
    for (size_t i = 0; i < attempts->count; i++) {
        if (is_busy(&attempts->list[i])) {
            again.list[again.count++] = attempts->list[i];
        }
    }
    if (!run_all(arena, session, &again, pause_ms, err)) {
        return false;
    }
    for (size_t i = 0, next = 0; i < attempts->count; i++) {
        if (is_busy(&attempts->list[i])) {
            attempts->list[i] = again.list[next++];
        }
    }
    return true;
}

/* A process that stops here must not keep the neighbour waiting: the server ends the session. */
bool probe_hold_row(Arena *arena, PgConn *conn, const char *const *statements, size_t count,
                    ProbeHold *ret_hold, Err *err)
{
    scoped_json Json *list = json_array();
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, json_string(statements[i]));
    }
    add_begin(arena, batch, json_to_text(arena, list));
    pg_batch_add(batch, "SELECT set_config('idle_in_transaction_session_timeout', $1, true)",
                 PG_PARAMS(pg_int_text(arena, PROBE_STATEMENT_TIMEOUT_MS)));
    pg_batch_add(batch, probe_sql("probe_hold.sql"), PG_NO_PARAMS);
    const size_t answers = pg_batch_add(batch, "SELECT current_setting('tenantry_probe.answers')",
                                        PG_NO_PARAMS);
    if (!pg_batch_run(conn, batch, err)) {
        pg_rollback(conn);
        return false;
    }
    const char *digits = pg_rows_text(pg_batch_rows(batch, answers), 0, 0);
    const char *last = strlen(digits) == count ? &digits[count - 1] : "0";
    *ret_hold = *last == '1' ? HOLD_MADE : *last == '2' ? HOLD_BUSY : HOLD_REFUSED;
    return true;
}

/* What a session of an application leaves, and what a pool runs before it gives the connection on.
 */
static const char *const used_session[] = {
    "BEGIN READ WRITE",
    "DEALLOCATE ALL",
    "SELECT set_config('app.current_tenant_id', 'probe', false)",
    "SELECT set_config('search_path', 'tenantry_probe', false)",
    "PREPARE tenantry_probe AS SELECT 1",
    "DECLARE tenantry_probe CURSOR WITH HOLD FOR SELECT 1",
    "LISTEN tenantry_probe",
    /* Tried: a tenant that holds the number could let this wait for ever. */
    "SELECT pg_try_advisory_lock_shared(pg_backend_pid(), 0)",
    "COMMIT",
};

/* In order: the first that gives a row is what is left. */
static const struct {
    const char *what;
    const char *sql;
} leftovers[] = {
    {"a prepared statement", "SELECT FROM pg_prepared_statements WHERE name = 'tenantry_probe'"},
    {"a cursor", "SELECT FROM pg_cursors WHERE name = 'tenantry_probe'"},
    {"app.current_tenant_id",
     "SELECT WHERE current_setting('app.current_tenant_id', true) = 'probe'"},
    {"search_path", "SELECT WHERE current_setting('search_path') = 'tenantry_probe'"},
    {"a channel", "SELECT FROM pg_listening_channels() WHERE pg_listening_channels ="
                  " 'tenantry_probe'"},
    {"an advisory lock", "SELECT FROM pg_locks WHERE locktype = 'advisory'"
                         " AND pid = pg_backend_pid() LIMIT 1"},
};
enum { LEFTOVERS = ARRAY_COUNT(leftovers) };

static bool leave_things(Arena *arena, PgConn *conn, Err *err)
{
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    for (size_t i = 0; i < ARRAY_COUNT(used_session); i++) {
        pg_batch_add(batch, used_session[i], PG_NO_PARAMS);
    }
    if (!pg_batch_run(conn, batch, err)) {
        pg_rollback(conn);
        return false;
    }
    return true;
}

bool probe_reuse_session(Arena *arena, const ProbeSession *session, const char **ret_left, Err *err)
{
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    *ret_left = NULL;
    for (size_t i = 0; i < LEFTOVERS; i++) {
        pg_batch_add(batch, leftovers[i].sql, PG_NO_PARAMS);
    }
    if (!leave_things(arena, session->conn, err) ||
        !pg_query(session->conn, "DISCARD ALL", PG_NO_PARAMS, NULL, err) ||
        !pg_batch_run(session->conn, batch, err)) {
        return false;
    }
    for (size_t i = 0; i < LEFTOVERS && *ret_left == NULL; i++) {
        if (pg_rows_count(pg_batch_rows(batch, i)) > 0) {
            *ret_left = leftovers[i].what;
        }
    }
    return true;
}
