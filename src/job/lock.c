#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "job/run.h"

bool run_is_open_state(const char *state)
{
    return strcmp(state, "running") == 0 || strcmp(state, "failed") == 0;
}

/* Another session that has the lock and may run jobs; a tenant's is none. */
static bool find_runner(Run *run, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(run->context.store, JOB_LOCK_HOLDER, PG_PARAMS(run->token), &rows, err)) {
        return false;
    }
    run->runner_pid = pg_rows_int(rows, 0, 0);
    return true;
}

static bool try_token(Run *run, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(run->context.store, JOB_LOCK, PG_PARAMS(run->token), &rows, err)) {
        return false;
    }
    run->has_lock = pg_rows_bool(rows, 0, 0);
    return true;
}

/* Runs a statement that gives the job's token, and notes it. */
static bool read_token(Run *run, StatementId id, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(run->context.store, id, PG_PARAMS(run_int_text(run, run->context.job_id)),
                     &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return ERR_SET(err, ERR_JOB_MISSING, NULL, "job %" PRId64 " is gone", run->context.job_id);
    }
    run->token = arena_strdup(run->context.arena, pg_rows_text(rows, 0, 0));
    return true;
}

/* While the job's row is ours, so that the token of a lock that is had is the job's, whoever else
 * finds a stranger on it. */
static bool lock_with_row(Run *run, Err *err)
{
    if (!read_token(run, JOB_TOKEN, err) || !try_token(run, err)) {
        return false;
    }
    if (run->has_lock) {
        return true;
    }
    return find_runner(run, err) &&
           (run->runner_pid != 0 || (read_token(run, JOB_NEXT_TOKEN, err) && try_token(run, err)));
}

bool run_lock(Run *run, Err *err)
{
    Err own;
    PgConn *conn = run->context.store->conn;
    run->has_lock = false;
    if (!find_runner(run, err)) {
        return false;
    }
    if (run->runner_pid != 0 ||
        (pg_begin(conn, &own) && lock_with_row(run, &own) && pg_commit(conn, true, &own))) {
        return true;
    }
    pg_rollback(conn);
    run->has_lock = false;
    if (own.code == ERR_PG_LOCKED) {
        return true; /* somebody is in the middle of a step */
    }
    *err = own;
    return false;
}

bool run_fail_busy(const Run *run, Err *err)
{
    const int64_t id = run->context.job_id;
    char who[48] = "";
    if (run->runner_pid != 0) {
        snprintf(who, sizeof who, "; its server process is %" PRId64, run->runner_pid);
    }
    ERR_SET(err, ERR_JOB_BUSY, NULL, "job %" PRId64 " is being run by another process", id);
    if (run->kind->undo != NULL) {
        err_hint(err, "wait for it, or ask it to stop: tenantry job cancel %" PRId64 "%s", id, who);
    } else {
        err_hint(err, "wait for it; how far it is: tenantry job show %" PRId64 "%s", id, who);
    }
    return false;
}

static bool need_lock(Run *run, Err *err)
{
    return run_lock(run, err) && (run->has_lock || run_fail_busy(run, err));
}

void run_unlock(Run *run)
{
    Store *store = run->context.store;
    Err ignored;
    if (run->has_lock && pg_is_alive(store->conn)) {
        store_query(store, JOB_UNLOCK, PG_PARAMS(run->token), NULL, &ignored);
    }
    run->has_lock = false;
}

void run_add_unlock(const Run *run, PgBatch *batch)
{
    store_batch(batch, JOB_UNLOCK, PG_PARAMS(run->token));
}

bool run_fail_ended(const Run *run, const char *state, Err *err)
{
    const bool is_done = strcmp(state, "done") == 0;
    return ERR_SET(err, ERR_JOB_STATE,
                   is_done ? "nothing of it is left to do, and what is done is not taken back"
                           : "it has ended: give the command that began it again",
                   "job %" PRId64 " is %s, a running or failed one was expected",
                   run->context.job_id, state);
}

bool run_take_state(Run *run, const PgRows *rows, Err *err)
{
    if (pg_rows_count(rows) == 0) {
        return ERR_SET(err, ERR_JOB_MISSING, NULL, "job %" PRId64 " is gone", run->context.job_id);
    }
    const char *state = pg_rows_text(rows, 0, 0);
    run->is_open = run_is_open_state(state);
    run->steps_done = pg_rows_int(rows, 0, 1);
    run->is_cancelled = pg_rows_bool(rows, 0, 2);
    return run->is_open || strcmp(state, "done") == 0 ||
           ERR_SET(err, ERR_CANCELLED, "give the command again if that was not meant",
                   "job %" PRId64 " was %s by another process", run->context.job_id, state);
}

bool run_read_state(Run *run, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    return store_query(run->context.store, JOB_STATE,
                       PG_PARAMS(run_int_text(run, run->context.job_id)), &rows, err) &&
           run_take_state(run, rows, err);
}

/* Where the job is after a lost connection. A COMMIT whose answer was lost may have been applied;
 * the steps before the last one are not waited for, so a crash of the server may also have taken
 * the job back whole. Then a run that makes it can begin again. */
static bool find_job(Run *run, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    JobContext *context = &run->context;
    if (!store_query(context->store, JOB_FIND_TOKEN, PG_PARAMS(run->token), &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 1) {
        context->job_id = pg_rows_int(rows, 0, 0);
        run->token = arena_strdup(context->arena, pg_rows_text(rows, 0, 1));
        return need_lock(run, err) && run_read_state(run, err);
    }
    if (!run->is_maker) {
        return ERR_SET(err, ERR_JOB_MISSING, NULL, "job %" PRId64 " is gone", context->job_id);
    }
    context->job_id = 0;
    context->tenant_id = run->first_tenant_id;
    run->steps_done = 0;
    run->is_cancelled = false;
    return true;
}

bool run_recover(Run *run, Err *err)
{
    PgConn *conn = run->context.store->conn;
    const bool has_job = run->steps_done > 0;
    if (pg_is_alive(conn)) {
        pg_rollback(conn);
    }
    if (pg_is_alive(conn) && has_job) {
        return true;
    }
    run_unlock(run); /* what the first step locked was rolled back */
    run->context.job_id = has_job ? run->context.job_id : 0;
    return (pg_is_alive(conn) || store_reconnect(run->context.store, err)) && find_job(run, err);
}
