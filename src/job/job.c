#include "job/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/fault.h"
#include "core/log.h"
#include "store/audit.h"

enum { FIRST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 5000 };

/* One run of a job by this process. */
typedef struct Run {
    JobContext context;
    const JobKind *kind;
    const char *token; /* of a job that this run makes */
    int64_t steps_total;
    int64_t steps_done;
    bool is_cancelled;
} Run;

static int64_t count_steps(const JobKind *kind)
{
    int64_t count = 0;
    while (kind->steps[count].name != NULL) {
        count++;
    }
    return count;
}

static const char *int_text(const Run *run, int64_t value)
{
    return pg_int_text(run->context.arena, value);
}

#define FAULT_STEP(run, step, when)                                                                \
    FAULT(arena_printf((run)->context.arena, "%s.%s.%s", (run)->kind->operation, (step)->name,     \
                       (when)))

/* --- retry
 * ------------------------------------------------------------------------------------------------------
 */

static void pause_before_retry(Run *run, int64_t attempt, const Err *err)
{
    int64_t pause_ms = FIRST_PAUSE_MS << (attempt < 6 ? attempt : 6);
    pause_ms = pause_ms > LONGEST_PAUSE_MS ? LONGEST_PAUSE_MS : pause_ms;
    /* Jitter from the clock's low digits: two processes that collided must not collide again in
     * step. */
    pause_ms += clock_monotonic_us() % (pause_ms / 2 + 1);
    log_info("job.retry", "%s: %s; trying again in %" PRId64 " ms", run->kind->operation,
             err->message, pause_ms);
    if (run->context.progress.note != NULL) {
        char note[ERR_MESSAGE_SIZE + 64];
        snprintf(note, sizeof note, "%s; trying again in %" PRId64 " ms", err->message, pause_ms);
        run->context.progress.note(run->context.progress.context, note);
    }
    clock_sleep_ms(pause_ms);
}

/* Takes the job's lock; whoever holds it runs the job. */
static bool lock_job(Store *store, int64_t job_id, bool *ret_is_locked, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, JOB_LOCK, PG_PARAMS(pg_int_text(arena, job_id)), &rows, err)) {
        return false;
    }
    *ret_is_locked = pg_rows_bool(rows, 0, 0);
    return true;
}

static void unlock_job(Store *store, int64_t job_id)
{
    scoped_arena Arena *arena = arena_new();
    Err ignored;
    if (job_id != 0 && pg_is_alive(store->conn)) {
        store_query(store, JOB_UNLOCK, PG_PARAMS(pg_int_text(arena, job_id)), NULL, &ignored);
    }
}

static bool fail_busy(int64_t job_id, Err *err)
{
    ERR_SET(err, ERR_JOB_BUSY, NULL, "job %" PRId64 " is being run by another process", job_id);
    err_hint(err, "wait for it, or ask it to stop: tenantry job cancel %" PRId64, job_id);
    return false;
}

/* A new connection when the old one is gone; the lock went with it. */
static bool recover_connection(Run *run, Err *err)
{
    Store *store = run->context.store;
    if (pg_is_alive(store->conn)) {
        pg_rollback(store->conn);
    }
    if (pg_is_alive(store->conn)) {
        return true;
    }
    if (!store_reconnect(store, err)) {
        return false;
    }
    bool is_locked = true;
    if (run->context.job_id != 0 && !lock_job(store, run->context.job_id, &is_locked, err)) {
        return false;
    }
    return is_locked || fail_busy(run->context.job_id, err);
}

/* --- one step
 * ---------------------------------------------------------------------------------------------------
 */

static bool note_step_done(Run *run, const JobStep *step, int64_t number, int64_t attempt,
                           int64_t started_us, Err *err)
{
    return store_query(run->context.store, JOB_STEP_DONE,
                       PG_PARAMS(int_text(run, run->context.job_id), int_text(run, number + 1),
                                 step->name, int_text(run, attempt + 1), int_text(run, started_us)),
                       NULL, err);
}

/* Makes the job's row and takes its lock, in the transaction of the first step. */
static bool add_job(Run *run, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    JobContext *context = &run->context;
    bool is_locked = false;
    if (!store_query(context->store, JOB_ADD,
                     PG_PARAMS(run->token, run->kind->operation, context->subject,
                               json_to_text(context->arena, context->args),
                               int_text(run, run->steps_total), context->actor),
                     &rows, err)) {
        return false;
    }
    context->job_id = pg_rows_int(rows, 0, 0);
    return lock_job(context->store, context->job_id, &is_locked, err) &&
           (is_locked || fail_busy(context->job_id, err)) &&
           (context->tenant_id == NULL || job_set_tenant(context, context->tenant_id, err));
}

/* Reads how far the job is; a COMMIT whose answer was lost may have been applied. */
static bool read_state(Run *run, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(run->context.store, JOB_STATE, PG_PARAMS(int_text(run, run->context.job_id)),
                     &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return ERR_SET(err, ERR_JOB_MISSING, NULL, "job %" PRId64 " is gone", run->context.job_id);
    }
    run->steps_done = pg_rows_int(rows, 0, 1);
    run->is_cancelled = pg_rows_bool(rows, 0, 2);
    return true;
}

static bool step_in_transaction(Run *run, int64_t number, int64_t attempt, Err *err)
{
    const JobStep *step = &run->kind->steps[number];
    PgConn *conn = run->context.store->conn;
    const bool is_new = run->context.job_id == 0;
    const bool is_last = number + 1 == run->steps_total;
    const int64_t started_us = clock_wall_us();
    if (!pg_begin(conn, err) || !(is_new ? add_job(run, err) : read_state(run, err))) {
        return false;
    }
    if (!is_new && (run->steps_done > number || run->is_cancelled)) {
        pg_rollback(conn);
        return true;
    }
    FAULT_STEP(run, step, "begin");
    if (!step->run(&run->context, err) ||
        !note_step_done(run, step, number, attempt, started_us, err)) {
        return false;
    }
    FAULT_STEP(run, step, "before_commit");
    /* The steps between need not wait for the disk: the last one's commit makes them durable too,
     * and until then a crash of the server loses them whole. */
    if (!pg_commit(conn, is_last, err)) {
        return false;
    }
    FAULT_STEP(run, step, "after_commit");
    run->steps_done = number + 1;
    return true;
}

static bool step_free(Run *run, int64_t number, int64_t attempt, Err *err)
{
    const JobStep *step = &run->kind->steps[number];
    const int64_t started_us = clock_wall_us();
    if (!read_state(run, err)) {
        return false;
    }
    if (run->steps_done > number || run->is_cancelled) {
        return true;
    }
    FAULT_STEP(run, step, "begin");
    if (!step->run(&run->context, err) ||
        !note_step_done(run, step, number, attempt, started_us, err)) {
        return false;
    }
    FAULT_STEP(run, step, "after");
    run->steps_done = number + 1;
    return true;
}

/* After a lost connection in the first COMMIT: does the job exist? */
static bool find_own_job(Run *run, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    unlock_job(run->context.store, run->context.job_id); /* of a row that was rolled back */
    if (!store_query(run->context.store, JOB_FIND_TOKEN, PG_PARAMS(run->token), &rows, err)) {
        return false;
    }
    run->context.job_id = 0;
    if (pg_rows_count(rows) == 0) {
        return true;
    }
    bool is_locked = false;
    run->context.job_id = pg_rows_int(rows, 0, 0);
    return lock_job(run->context.store, run->context.job_id, &is_locked, err) &&
           (is_locked || fail_busy(run->context.job_id, err)) && read_state(run, err);
}

static bool run_step(Run *run, int64_t number, Err *err)
{
    const JobStep *step = &run->kind->steps[number];
    run->context.step_title = step->title;
    if (run->context.progress.step != NULL) {
        run->context.progress.step(run->context.progress.context, step->title, number,
                                   run->steps_total);
    }
    for (int64_t attempt = 0;; attempt++) {
        const bool was_new = run->steps_done == 0 && run->token != NULL;
        if (step->mode == JOB_STEP_TRANSACTION ? step_in_transaction(run, number, attempt, err)
                                               : step_free(run, number, attempt, err)) {
            return true;
        }
        const bool may_retry = err_kind(err->code)->is_retryable &&
                               attempt < run->context.store->options.target.retries;
        Err broken;
        if (may_retry) {
            pause_before_retry(run, attempt, err);
        }
        if (!recover_connection(run, &broken)) {
            *err = err_kind(err->code)->is_retryable ? broken : *err;
            return false;
        }
        if (was_new && !find_own_job(run, err)) {
            return false;
        }
        if (!may_retry) {
            return false;
        }
    }
}

/* --- ends
 * -------------------------------------------------------------------------------------------------------
 */

static bool end_job(Run *run, const char *state, const Err *why, Err *err)
{
    scoped_json Json *error = json_object();
    if (why != NULL) {
        json_put_text(error, "code", err_kind(why->code)->wire);
        json_put_text(error, "message", why->message);
        json_put_text(error, "hint", why->hint);
        json_put_text(error, "sqlstate", why->sqlstate);
    }
    return store_query(run->context.store, JOB_END,
                       PG_PARAMS(int_text(run, run->context.job_id), state,
                                 why == NULL ? NULL : json_to_text(run->context.arena, error)),
                       NULL, err);
}

/* Undoes the job and ends it, in one transaction, with the retries that a step has. */
static bool undo_job(Run *run, const char *state, const Err *why, Err *err)
{
    for (int64_t attempt = 0;; attempt++) {
        PgConn *conn = run->context.store->conn;
        if (pg_begin(conn, err) && run->kind->undo(&run->context, err) &&
            end_job(run, state, why, err)) {
            FAULT("job.undo.before_commit");
            if (pg_commit(conn, true, err)) {
                FAULT("job.undo.after_commit");
                return true;
            }
        }
        Err broken;
        if (!recover_connection(run, &broken) || !err_kind(err->code)->is_retryable ||
            attempt >= run->context.store->options.target.retries) {
            return false;
        }
        pause_before_retry(run, attempt, err);
    }
}

/* A job that failed for good: undone, or marked so that it can be resumed. What fails here leaves
 * it interrupted. */
static void give_up(Run *run, Err *why)
{
    Err err;
    if (run->context.job_id == 0 || !pg_is_alive(run->context.store->conn)) {
        if (run->context.job_id != 0) {
            err_hint(why, "when PostgreSQL is back: tenantry job resume %" PRId64,
                     run->context.job_id);
        }
        return;
    }
    if (run->kind->undo != NULL) {
        if (undo_job(run, "undone", why, &err)) {
            return;
        }
    } else {
        end_job(run, "failed", why, &err);
    }
    if (*why->hint == '\0' || err_kind(why->code)->is_retryable) {
        err_hint(why, "resume it when the cause is gone: tenantry job resume %" PRId64,
                 run->context.job_id);
    }
}

static bool run_steps(Run *run, Err *err)
{
    while (run->steps_done < run->steps_total && !run->is_cancelled) {
        if (!run_step(run, run->steps_done, err)) {
            give_up(run, err);
            return false;
        }
    }
    if (run->is_cancelled && run->steps_done < run->steps_total) {
        ERR_SET(err, ERR_CANCELLED, NULL, "job %" PRId64 " was cancelled", run->context.job_id);
        Err undo_err;
        if (run->kind->undo != NULL && !undo_job(run, "cancelled", NULL, &undo_err)) {
            *err = undo_err;
        }
        return false;
    }
    if (run->context.progress.step != NULL) {
        run->context.progress.step(run->context.progress.context, run->context.step_title,
                                   run->steps_total, run->steps_total);
    }
    return true;
}

bool job_run(Store *store, const JobStart *start, int64_t *ret_job_id, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    Run run = {.context = {.arena = arena,
                           .store = store,
                           .operation = start->kind->operation,
                           .subject = start->subject,
                           .actor = start->actor,
                           .tenant_id = start->tenant_id,
                           .args = start->args,
                           .progress = start->progress,
                           .memory = start->memory},
               .kind = start->kind,
               .steps_total = count_steps(start->kind)};
    if (!secret_random_uuid(arena, &run.token, err)) {
        return false;
    }
    const bool is_done = run_steps(&run, err);
    unlock_job(store, run.context.job_id);
    *ret_job_id = run.context.job_id;
    return is_done;
}

/* --- resume and cancel
 * ------------------------------------------------------------------------------------------ */

static const JobKind *find_kind(const JobKind *const *kinds, size_t count, const char *operation)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(kinds[i]->operation, operation) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

/* Loads a job into run, without its lock; ret_state is its state. */
static bool load_job(Run *run, const JobKind *const *kinds, size_t kind_count, int64_t job_id,
                     Json **ret_args, const char **ret_state, Err *err)
{
    Arena *arena = run->context.arena;
    scoped_rows PgRows *rows = NULL;
    if (!store_query(run->context.store, JOB_FIND, PG_PARAMS(pg_int_text(arena, job_id)), &rows,
                     err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return ERR_SET(err, ERR_JOB_MISSING, "\"tenantry job list\" shows those that there are",
                       "there is no job %" PRId64, job_id);
    }
    const char *operation = arena_strdup(arena, pg_rows_text(rows, 0, 1));
    run->kind = find_kind(kinds, kind_count, operation);
    if (run->kind == NULL) {
        return ERR_SET(err, ERR_JOB_STATE, "use the version of Tenantry that started it",
                       "job %" PRId64 " is of the operation \"%s\", which this program lacks",
                       job_id, operation);
    }
    if (!json_parse(pg_rows_text(rows, 0, 4), "the job's arguments", ret_args, err)) {
        return false;
    }
    run->context.job_id = job_id;
    run->context.operation = operation;
    run->context.subject = arena_strdup(arena, pg_rows_text(rows, 0, 2));
    run->context.tenant_id = arena_strdup(arena, pg_rows_text(rows, 0, 3));
    run->context.args = *ret_args;
    run->steps_done = pg_rows_int(rows, 0, 6);
    run->steps_total = count_steps(run->kind);
    run->is_cancelled = pg_rows_bool(rows, 0, 8);
    *ret_state = arena_strdup(arena, pg_rows_text(rows, 0, 5));
    return true;
}

static bool is_open(const char *state)
{
    return strcmp(state, "running") == 0 || strcmp(state, "failed") == 0;
}

/* Looks again under the lock: the job may have ended while we waited for it. */
static bool load_locked(Run *run, const JobKind *const *kinds, size_t kind_count, int64_t job_id,
                        bool *ret_is_locked, Json **ret_args, Err *err)
{
    const char *state = NULL;
    if (!lock_job(run->context.store, job_id, ret_is_locked, err) ||
        !load_job(run, kinds, kind_count, job_id, ret_args, &state, err)) {
        return false;
    }
    return is_open(state) ||
           ERR_SET(err, ERR_JOB_STATE, NULL,
                   "job %" PRId64 " is %s, a running or failed one was expected", job_id, state);
}

bool job_resume(Store *store, const JobKind *const *kinds, size_t kind_count, int64_t job_id,
                const JobProgress *progress, const char *actor, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    Run run = {.context = {.arena = arena, .store = store, .actor = actor, .progress = *progress}};
    scoped_json Json *args = NULL;
    bool is_locked = false;
    bool is_done = load_locked(&run, kinds, kind_count, job_id, &is_locked, &args, err) &&
                   (is_locked || fail_busy(job_id, err)) &&
                   store_query(store, JOB_START, PG_PARAMS(pg_int_text(arena, job_id)), NULL, err);
    if (is_done) {
        is_done = run_steps(&run, err);
    }
    if (is_locked) {
        unlock_job(store, job_id);
    }
    return is_done;
}

bool job_cancel(Store *store, const JobKind *const *kinds, size_t kind_count, int64_t job_id,
                const char *actor, bool *ret_is_asked, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    Run run = {.context = {.arena = arena, .store = store, .actor = actor}};
    scoped_json Json *args = NULL;
    bool is_locked = false;
    bool is_done = load_locked(&run, kinds, kind_count, job_id, &is_locked, &args, err);
    if (is_done && run.kind->undo == NULL) {
        ERR_SET(err, ERR_JOB_STATE, NULL,
                "job %" PRId64 " (%s) cannot be undone, only brought to its end", job_id,
                run.kind->operation);
        err_hint(err, "tenantry job resume %" PRId64, job_id);
        is_done = false;
    }
    if (is_done && is_locked) {
        is_done = undo_job(&run, "cancelled", NULL, err);
    } else if (is_done) {
        is_done = store_query(store, JOB_CANCEL_WANTED, PG_PARAMS(pg_int_text(arena, job_id)), NULL,
                              err);
    }
    if (is_locked) {
        unlock_job(store, job_id);
    }
    *ret_is_asked = !is_locked;
    return is_done;
}

/* --- for steps
 * --------------------------------------------------------------------------------------------------
 */

bool job_set_tenant(JobContext *context, const char *tenant_id, Err *err)
{
    context->tenant_id = arena_strdup(context->arena, tenant_id);
    return store_query(context->store, JOB_SET_TENANT,
                       PG_PARAMS(pg_int_text(context->arena, context->job_id), tenant_id), NULL,
                       err);
}

void job_tell(JobContext *context, int64_t done, int64_t total)
{
    Err ignored;
    store_query(context->store, JOB_PROGRESS,
                PG_PARAMS(pg_int_text(context->arena, context->job_id),
                          pg_int_text(context->arena, done), pg_int_text(context->arena, total)),
                NULL, &ignored);
    if (context->progress.step != NULL) {
        context->progress.step(context->progress.context, context->step_title, done, total);
    }
}

bool job_audit(JobContext *context, const char *action, const Json *detail, Err *err)
{
    const AuditEntry entry = {.chain = context->tenant_id != NULL ? context->tenant_id
                                                                  : AUDIT_INSTALLATION,
                              .actor = context->actor,
                              .action = action,
                              .job_id = context->job_id,
                              .detail = detail};
    return audit_append(context->store, &entry, err);
}
