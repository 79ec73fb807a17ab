/* A key that all tenants share tells which values the others have: a row with such a value waits
 * until the one who was first commits or rolls back. Nothing of that shows in one session. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/array.h"
#include "core/clock.h"
#include "isolation/probe_parts.h"
#include "pg/batch.h"
#include "pg/sql.h"

/* The two sessions of a try. */
typedef struct KeyTry {
    Arena *arena;
    const ProbeSession *session;
    PgConn *holder;
} KeyTry;

/* One row at a time, without pauses: others of the neighbour's may wait for it meanwhile. */
static bool run_beside(const KeyTry *try, const char *hold, ProbeAttempt *attempt,
                       ProbeHold *ret_hold, Err *err)
{
    ProbeAttempts one = {.list = attempt, .count = 1};
    if (!probe_hold_row(try->arena, try->holder, &hold, 1, ret_hold, err)) {
        return false;
    }
    const bool is_good = *ret_hold != HOLD_MADE ||
                         probe_run_attempts(try->arena, try->session, &one, 0, err);
    pg_rollback(try->holder);
    return is_good;
}

/* --- proof ------------------------------------------------------------------------------------ */

/* How long ours waits, try by try: a busy machine may need long until the holder's session looks.
 * Two runs can hold what the other waits for: each adds a share of its own, by its session's
 * number, so that one of them gives up first. It then pauses, so that the other one passes, and
 * has its turn in the next try. */
static const struct {
    int64_t wait_ms;
    int64_t shares;
} patience[] = {{10, 5}, {40, 7}, {160, 11}, {320, 13}, {320, 17}};
enum { PAUSE_SHARE = 4 }; /* of the wait */

static int64_t choose_wait_ms(size_t number, int64_t pid)
{
    const int64_t wait_ms = patience[number].wait_ms;
    return wait_ms + wait_ms * (pid % patience[number].shares) / patience[number].shares;
}

/* What one try showed. */
typedef struct KeyProof {
    bool is_held; /* the neighbour's row was there */
    bool is_seen; /* ours waited for the session that made it */
} KeyProof;

static const char *be_patient(Arena *arena, int64_t wait_ms)
{
    return SQL(arena, "SET LOCAL lock_timeout = {}", sql_int(wait_ms));
}

/* The same attempt with another time-out. */
static ProbeAttempt make_patient(Arena *arena, const ProbeAttempt *attempt, int64_t wait_ms)
{
    size_t count = 0;
    while (attempt->setup[count] != NULL) {
        count++;
    }
    const char **setup = ARENA_ARRAY(arena, const char *, count + 2);
    memcpy(setup, attempt->setup, count * sizeof *setup);
    setup[count] = be_patient(arena, wait_ms);
    ProbeAttempt patient = *attempt;
    patient.setup = setup;
    return patient;
}

/* The holder's session is to look while ours tries. */
static bool post_watch(const KeyTry *try, int64_t pid, int64_t watch_ms, PgBatch *watch,
                       size_t *ret_answer, Err *err)
{
    pg_batch_add(watch,
                 "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),"
                 " pg_catalog.set_config('tenantry_probe.prober', $1, true),"
                 " pg_catalog.set_config('tenantry_probe.watch', $2, true)",
                 PG_PARAMS(pg_int_text(try->arena, pid),
                           arena_printf(try->arena, "%" PRId64 "ms", watch_ms)));
    pg_batch_add(watch, probe_sql("probe_watch.sql"), PG_NO_PARAMS);
    *ret_answer = pg_batch_add(watch, "SELECT current_setting('tenantry_probe.answers')::boolean",
                               PG_NO_PARAMS);
    return pg_batch_post(try->holder, watch, err);
}

/* The holder's row stays until ours is done: it passed beside it, or it did not. */
static bool run_watched(const KeyTry *try, int64_t pid, int64_t wait_ms, ProbeAttempt *attempt,
                        bool *ret_is_seen, Err *err)
{
    Err other;
    size_t answer = 0;
    ProbeAttempts one = {.list = attempt, .count = 1};
    scoped_batch PgBatch *watch = pg_batch_new(try->arena);
    if (!post_watch(try, pid, 2 * wait_ms, watch, &answer, err)) {
        return false;
    }
    const bool is_good = probe_run_attempts(try->arena, try->session, &one, 0, err);
    if (!pg_batch_await(try->holder, watch, is_good ? err : &other) || !is_good) {
        return false;
    }
    *ret_is_seen = pg_rows_bool(pg_batch_rows(watch, answer), 0, 0);
    return true;
}

static bool try_watched(const KeyTry *try, const char *hold, int64_t pid, int64_t wait_ms,
                        ProbeAttempt *attempt, KeyProof *ret_proof, Err *err)
{
    const char *const holds[] = {be_patient(try->arena, wait_ms), hold};
    ProbeHold row;
    if (!probe_hold_row(try->arena, try->holder, holds, ARRAY_COUNT(holds), &row, err)) {
        return false;
    }
    *ret_proof = (KeyProof){.is_held = row == HOLD_MADE};
    const bool is_good = !ret_proof->is_held ||
                         run_watched(try, pid, wait_ms, attempt, &ret_proof->is_seen, err);
    pg_rollback(try->holder);
    return is_good;
}

/* Somebody else may have made ours wait: another run of the probes, or a session of the tenant's
 * own with a row like that. Only who was seen waiting for the neighbour's session has waited for
 * the neighbour's row. */
static bool confirm(const KeyTry *try, const char *hold, ProbeAttempt *attempt, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query_row(try->session->conn, "SELECT pg_catalog.pg_backend_pid()", PG_NO_PARAMS, &rows,
                      err)) {
        return false;
    }
    const int64_t pid = pg_rows_int(rows, 0, 0);
    for (size_t i = 0; i < ARRAY_COUNT(patience); i++) {
        KeyProof proof;
        const int64_t wait_ms = choose_wait_ms(i, pid);
        ProbeAttempt again = make_patient(try->arena, attempt, wait_ms);
        if (!try_watched(try, hold, pid, wait_ms, &again, &proof, err)) {
            return false;
        }
        const ProbeVerdict verdict = probe_judge(&again);
        if (proof.is_held &&
            (verdict == PROBE_HELD || (verdict == PROBE_BROKEN && proof.is_seen))) {
            *attempt = again;
            return true;
        }
        clock_sleep_ms(wait_ms / PAUSE_SHARE);
    }
    attempt->phase = 'u'; /* says nothing */
    return true;
}

/* ---------------------------------------------------------------------------------------------- */

/* One table. *ret_is_kept: false where the neighbour may not make such a row, which says nothing.
 */
static bool try_key(const KeyTry *try, const char *hold, ProbeAttempt *attempt, bool *ret_is_kept,
                    Err *err)
{
    ProbeHold row;
    if (!run_beside(try, hold, attempt, &row, err) ||
        (row == HOLD_BUSY && !run_beside(try, hold, attempt, &row, err))) {
        return false;
    }
    *ret_is_kept = row != HOLD_REFUSED;
    if (row == HOLD_BUSY) { /* twice: nothing was tried */
        attempt->phase = 'u';
        snprintf(attempt->sqlstate, sizeof attempt->sqlstate, "%s", "55P03");
    }
    return row != HOLD_MADE || probe_judge(attempt) != PROBE_BROKEN ||
           confirm(try, hold, attempt, err);
}

bool probe_try_keys(Arena *arena, const ProbeSession *session, const ProbeTenant *neighbour,
                    const ProbeTargets *targets, PgConn *holder, ProbeAttempts *ret_attempts,
                    Err *err)
{
    const KeyTry try = {.arena = arena, .session = session, .holder = holder};
    const char **holds = NULL;
    ProbeAttempts attempts;
    size_t kept = 0;
    probe_make_key_attempts(arena, session, neighbour, targets, &holds, &attempts);
    for (size_t i = 0; i < attempts.count; i++) {
        bool is_kept = false;
        ProbeAttempt attempt = attempts.list[i];
        if (!try_key(&try, holds[i], &attempt, &is_kept, err)) {
            return false;
        }
        if (is_kept) {
            attempts.list[kept++] = attempt;
        }
    }
    attempts.count = kept;
    *ret_attempts = attempts;
    return true;
}
