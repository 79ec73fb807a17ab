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
    const char *token; /* the job's number may be given to another one when a crash takes it back */
    const char *first_tenant_id; /* what a job that this run makes is started with */
    int64_t steps_total;
    int64_t steps_done;
    int64_t restarts;
    bool is_maker;     /* this run makes the job */
    bool has_lock;     /* without it, the job is not ours to touch */
    bool is_cancelled; /* somebody wants it to stop */
    bool is_open;      /* running or failed, as last read */
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

static bool is_open(const char *state)
{
    return strcmp(state, "running") == 0 || strcmp(state, "failed") == 0;
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

static bool fail_busy(int64_t job_id, Err *err)
{
    ERR_SET(err, ERR_JOB_BUSY, NULL, "job %" PRId64 " is being run by another process", job_id);
    err_hint(err, "wait for it, or ask it to stop: tenantry job cancel %" PRId64, job_id);
    return false;
}

static bool need_lock(Run *run, Err *err)
{
    return lock_job(run->context.store, run->context.job_id, &run->has_lock, err) &&
           (run->has_lock || fail_busy(run->context.job_id, err));
}

static void unlock_job(Run *run)
{
    Store *store = run->context.store;
    Err ignored;
    if (run->has_lock && pg_is_alive(store->conn)) {
        store_query(store, JOB_UNLOCK, PG_PARAMS(int_text(run, run->context.job_id)), NULL,
                    &ignored);
    }
    run->has_lock = false;
}

static bool fail_ended(const Run *run, const char *state, Err *err)
{
    return ERR_SET(err, ERR_JOB_STATE, NULL,
                   "job %" PRId64 " is %s, a running or failed one was expected",
                   run->context.job_id, state);
}

/* Reads how far the job is, and locks its row when in a transaction. */
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
    const char *state = pg_rows_text(rows, 0, 0);
    run->is_open = is_open(state);
    run->steps_done = pg_rows_int(rows, 0, 1);
    run->is_cancelled = pg_rows_bool(rows, 0, 2);
    return run->is_open || strcmp(state, "done") == 0 ||
           ERR_SET(err, ERR_CANCELLED, NULL, "job %" PRId64 " was %s by another process",
                   run->context.job_id, state);
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
        return need_lock(run, err) && read_state(run, err);
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

/* Ends what a failed step left, with a new connection when the old one is gone; afterwards the run
 * knows again how far the job is. */
static bool recover(Run *run, Err *err)
{
    PgConn *conn = run->context.store->conn;
    const bool has_job = run->steps_done > 0;
    if (pg_is_alive(conn)) {
        pg_rollback(conn);
    }
    if (pg_is_alive(conn) && has_job) {
        return true;
    }
    unlock_job(run); /* what the first step locked was rolled back */
    run->context.job_id = has_job ? run->context.job_id : 0;
    return (pg_is_alive(conn) || store_reconnect(run->context.store, err)) && find_job(run, err);
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
    if (!store_query(context->store, JOB_ADD,
                     PG_PARAMS(run->token, run->kind->operation, context->subject,
                               json_to_text(context->arena, context->args),
                               int_text(run, run->steps_total), context->actor),
                     &rows, err)) {
        return false;
    }
    context->job_id = pg_rows_int(rows, 0, 0);
    run->is_open = true;
    return need_lock(run, err) &&
           (context->tenant_id == NULL || job_set_tenant(context, context->tenant_id, err));
}

/* The steps between need not wait for the disk: the last one's commit makes them durable too, and
 * until then a crash of the server loses them whole. What a free step does outside of PostgreSQL is
 * not lost with them, so what comes before it is made durable. */
static bool must_be_durable(const Run *run, int64_t number)
{
    return number + 1 == run->steps_total || run->kind->steps[number + 1].mode == JOB_STEP_FREE;
}

static bool step_in_transaction(Run *run, int64_t number, int64_t attempt, Err *err)
{
    const JobStep *step = &run->kind->steps[number];
    PgConn *conn = run->context.store->conn;
    const bool is_new = run->context.job_id == 0;
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
    if (!pg_commit(conn, must_be_durable(run, number), err)) {
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

/* Once more from the first step, when a crash of the server took the job back; a server that
 * crashes each time is given up. */
static bool may_restart(Run *run)
{
    return run->restarts++ < run->context.store->options.target.retries;
}

static bool try_step(Run *run, int64_t number, int64_t attempt, Err *err)
{
    return run->kind->steps[number].mode == JOB_STEP_TRANSACTION
               ? step_in_transaction(run, number, attempt, err)
               : step_free(run, number, attempt, err);
}

/* Runs one step; afterwards run->steps_done tells where to go on. */
static bool run_step(Run *run, int64_t number, Err *err)
{
    run->context.step_title = run->kind->steps[number].title;
    if (run->context.progress.step != NULL) {
        run->context.progress.step(run->context.progress.context, run->context.step_title, number,
                                   run->steps_total);
    }
    for (int64_t attempt = 0;; attempt++) {
        if (try_step(run, number, attempt, err)) {
            return true;
        }
        const bool is_retryable = err_kind(err->code)->is_retryable;
        const bool may_retry = is_retryable && attempt < run->context.store->options.target.retries;
        Err broken;
        if (may_retry) {
            pause_before_retry(run, attempt, err);
        }
        if (!recover(run, &broken)) {
            *err = is_retryable ? broken : *err;
            return false;
        }
        if (run->steps_done > number) {
            return true; /* only the answer to the COMMIT was lost */
        }
        if (!may_retry) {
            return false;
        }
        if (run->steps_done < number) {
            return may_restart(run);
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

static bool undo_once(Run *run, const char *state, const Err *why, Err *err)
{
    PgConn *conn = run->context.store->conn;
    if (!pg_begin(conn, err) || !read_state(run, err)) {
        return false;
    }
    if (!run->is_open) {
        return fail_ended(run, "done", err);
    }
    if (!run->kind->undo(&run->context, err) || !end_job(run, state, why, err)) {
        return false;
    }
    FAULT("job.undo.before_commit");
    if (!pg_commit(conn, true, err)) {
        return false;
    }
    FAULT("job.undo.after_commit");
    return true;
}

/* Undoes the job and ends it, in one transaction, with the retries that a step has. */
static bool undo_job(Run *run, const char *state, const Err *why, Err *err)
{
    for (int64_t attempt = 0;; attempt++) {
        if (undo_once(run, state, why, err)) {
            return true;
        }
        const bool may_retry = err_kind(err->code)->is_retryable &&
                               attempt < run->context.store->options.target.retries;
        Err broken;
        if (may_retry) {
            pause_before_retry(run, attempt, err);
        }
        const bool is_found = recover(run, &broken);
        /* The COMMIT whose answer was lost was applied, or a crash took the job back whole. */
        if ((!is_found && broken.code == ERR_CANCELLED) || run->context.job_id == 0) {
            return true;
        }
        if (!is_found || !may_retry) {
            return false;
        }
    }
}

/* A job that failed for good: undone, or marked so that it can be resumed. What fails here leaves
 * it interrupted. */
static void give_up(Run *run, Err *why)
{
    Err err;
    if (run->context.job_id == 0) {
        return;
    }
    if (!run->has_lock || !pg_is_alive(run->context.store->conn)) {
        if (why->code == ERR_PG_UNAVAILABLE) {
            err_hint(why, "when PostgreSQL is back: tenantry job resume %" PRId64,
                     run->context.job_id);
        }
        return; /* another process may have it by now */
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
               .first_tenant_id = start->tenant_id,
               .is_maker = true,
               .steps_total = count_steps(start->kind)};
    if (!secret_random_uuid(arena, &run.token, err)) {
        return false;
    }
    const bool is_done = run_steps(&run, err);
    unlock_job(&run);
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
    run->token = arena_strdup(arena, pg_rows_text(rows, 0, 9));
    *ret_state = arena_strdup(arena, pg_rows_text(rows, 0, 5));
    return true;
}

/* Looks again under the lock: the job may have ended while we waited for it. */
static bool load_locked(Run *run, const JobKind *const *kinds, size_t kind_count, int64_t job_id,
                        Json **ret_args, Err *err)
{
    const char *state = NULL;
    if (!lock_job(run->context.store, job_id, &run->has_lock, err) ||
        !load_job(run, kinds, kind_count, job_id, ret_args, &state, err)) {
        return false;
    }
    run->is_open = is_open(state);
    return run->is_open || fail_ended(run, state, err);
}

bool job_resume(Store *store, const JobKind *const *kinds, size_t kind_count, int64_t job_id,
                const JobProgress *progress, const char *actor, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    Run run = {.context = {.arena = arena, .store = store, .actor = actor, .progress = *progress}};
    scoped_json Json *args = NULL;
    const bool is_done = load_locked(&run, kinds, kind_count, job_id, &args, err) &&
                         (run.has_lock || fail_busy(job_id, err)) &&
                         store_query(store, JOB_START, PG_PARAMS(pg_int_text(arena, job_id)), NULL,
                                     err) &&
                         run_steps(&run, err);
    unlock_job(&run);
    return is_done;
}

bool job_cancel(Store *store, const JobKind *const *kinds, size_t kind_count, int64_t job_id,
                const char *actor, bool *ret_is_asked, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    Run run = {.context = {.arena = arena, .store = store, .actor = actor}};
    scoped_json Json *args = NULL;
    bool is_done = load_locked(&run, kinds, kind_count, job_id, &args, err);
    if (is_done && run.kind->undo == NULL) {
        ERR_SET(err, ERR_JOB_STATE, NULL,
                "job %" PRId64 " (%s) cannot be undone, only brought to its end", job_id,
                run.kind->operation);
        err_hint(err, "tenantry job resume %" PRId64, job_id);
        is_done = false;
    }
    *ret_is_asked = !run.has_lock;
    if (is_done) {
        is_done = run.has_lock ? undo_job(&run, "cancelled", NULL, err)
                               : store_query(store, JOB_CANCEL_WANTED,
                                             PG_PARAMS(pg_int_text(arena, job_id)), NULL, err);
    }
    unlock_job(&run);
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
