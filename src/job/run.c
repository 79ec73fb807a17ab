#include "job/run.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/fault.h"
#include "core/log.h"
#include "core/strbuf.h"

enum { FIRST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 5000 };

int64_t run_count_steps(const JobKind *kind)
{
    int64_t count = 0;
    while (kind->steps[count].name != NULL) {
        count++;
    }
    return count;
}

const char *run_int_text(const Run *run, int64_t value)
{
    return pg_int_text(run->context.arena, value);
}

#define FAULT_STEP(run, step, when)                                                                \
    FAULT(arena_printf((run)->context.arena, "%s.%s.%s", (run)->kind->operation, (step)->name,     \
                       (when)))

void run_pause(Run *run, int64_t attempt, const Err *err)
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

/* --- one step --------------------------------------------------------------------------------- */

/* The steps of a transaction that ran, as arrays for the statement that records them. */
typedef struct StepList {
    StrBuf names;
    StrBuf begins;
} StepList;

static StepList new_step_list(Run *run)
{
    Arena *arena = run->context.arena;
    return (StepList){.names = strbuf_init(arena), .begins = strbuf_init(arena)};
}

/* The step begins now. */
static void list_step(StepList *list, const JobStep *step)
{
    const char *comma = list->names.length == 0 ? "" : ",";
    strbuf_printf(&list->names, "%s%s", comma, step->name);
    strbuf_printf(&list->begins, "%s%" PRId64, comma, clock_wall_us());
}

static void add_record(Run *run, PgBatch *batch, const StepList *list, int64_t number,
                       int64_t attempt)
{
    Arena *arena = run->context.arena;
    store_batch(batch, JOB_STEPS_DONE,
                PG_PARAMS(run_int_text(run, run->context.job_id), run_int_text(run, number + 1),
                          run_int_text(run, attempt + 1),
                          arena_printf(arena, "{%s}", list->names.text),
                          arena_printf(arena, "{%s}", list->begins.text), run->context.tenant_id));
}

/* Begins the transaction of the first step: makes the job's row and takes its lock. */
static bool begin_new(Run *run, Err *err)
{
    JobContext *context = &run->context;
    scoped_batch PgBatch *batch = pg_batch_new(context->arena);
    pg_batch_add(batch, "BEGIN", PG_NO_PARAMS);
    const size_t added = store_batch(batch, JOB_ADD,
                                     PG_PARAMS(run->token, run->kind->operation, context->subject,
                                               json_to_text(context->arena, context->args),
                                               run_int_text(run, run->steps_total), context->actor,
                                               context->tenant_id));
    if (run->kind->expect != NULL) {
        run->kind->expect(context, batch);
    }
    if (!pg_batch_run(context->store->conn, batch, err)) {
        return false;
    }
    store_keep_answers(context->store, batch, added + 1);
    context->job_id = pg_rows_int(pg_batch_rows(batch, added), 0, 0);
    run->has_lock = pg_rows_bool(pg_batch_rows(batch, added), 0, 1);
    run->is_open = true;
    context->is_unseen = true;
    return run->has_lock || run_fail_busy(run, err);
}

/* Begins the transaction of a later step, and reads how far the job is. */
static bool begin_next(Run *run, Err *err)
{
    scoped_batch PgBatch *batch = pg_batch_new(run->context.arena);
    run->context.is_unseen = false;
    pg_batch_add(batch, "BEGIN", PG_NO_PARAMS);
    const size_t read = store_batch(batch, JOB_STATE,
                                    PG_PARAMS(run_int_text(run, run->context.job_id)));
    return pg_batch_run(run->context.store->conn, batch, err) &&
           run_take_state(run, pg_batch_rows(batch, read), err);
}

/* Commits before the last need not wait for the disk, because the last one's makes them durable
 * too, and a crash of the server loses them whole: the job is at an earlier step, or was never
 * there. What a free step does outside of PostgreSQL is not lost with them, so what comes before it
 * is made durable. */
static bool must_be_durable(const Run *run, int64_t number)
{
    return number + 1 == run->steps_total || run->kind->steps[number + 1].mode == JOB_STEP_FREE;
}

static bool joins_last(Run *run, int64_t number, bool *ret_joins, Err *err)
{
    const JobStep *step = &run->kind->steps[number];
    *ret_joins = false;
    if (number == run->steps_total || step->joins == NULL || !run->context.may_join) {
        return true;
    }
    if (!step->joins(&run->context, ret_joins, err)) {
        return false;
    }
    run->is_joint = run->is_joint || *ret_joins;
    return true;
}

static void tell_step(Run *run, int64_t number)
{
    run->context.step_title = run->kind->steps[number].title;
    if (run->context.progress.step != NULL) {
        run->context.progress.step(run->context.progress.context, run->context.step_title, NULL,
                                   number, run->steps_total);
    }
}

/* Runs the step, and those that join it; *ret_end is the number of the first that did not. */
static bool run_joined(Run *run, PgBatch *batch, int64_t number, int64_t attempt, int64_t *ret_end,
                       Err *err)
{
    StepList list = new_step_list(run);
    bool is_joined = true;
    for (*ret_end = number; is_joined; (*ret_end)++) {
        const JobStep *step = &run->kind->steps[*ret_end];
        tell_step(run, *ret_end);
        list_step(&list, step);
        FAULT_STEP(run, step, "begin");
        if (!step->run(&run->context, err) || !joins_last(run, *ret_end + 1, &is_joined, err)) {
            return false;
        }
        FAULT_STEP(run, step, "before_commit");
    }
    add_record(run, batch, &list, number, attempt);
    return true;
}

static bool step_in_transaction(Run *run, int64_t number, int64_t attempt, Err *err)
{
    PgConn *conn = run->context.store->conn;
    const bool is_new = run->context.job_id == 0;
    int64_t end = number;
    if (!(is_new ? begin_new(run, err) : begin_next(run, err))) {
        return false;
    }
    if (!is_new && (run->steps_done > number || run->is_cancelled)) {
        pg_rollback(conn);
        return true;
    }
    scoped_batch PgBatch *batch = pg_batch_new(run->context.arena);
    if (!run_joined(run, batch, number, attempt, &end, err)) {
        return false;
    }
    pg_batch_add_commit(batch, must_be_durable(run, end - 1));
    if (end == run->steps_total) {
        run_add_unlock(run, batch);
    }
    if (!pg_batch_run(conn, batch, err)) {
        return false;
    }
    run->has_lock = end < run->steps_total;
    for (int64_t i = number; i < end; i++) {
        FAULT_STEP(run, &run->kind->steps[i], "after_commit");
    }
    run->steps_done = end;
    return true;
}

static bool step_free(Run *run, int64_t number, int64_t attempt, Err *err)
{
    const JobStep *step = &run->kind->steps[number];
    StepList list = new_step_list(run);
    list_step(&list, step);
    if (!run_read_state(run, err)) {
        return false;
    }
    if (run->steps_done > number || run->is_cancelled) {
        return true;
    }
    tell_step(run, number);
    FAULT_STEP(run, step, "begin");
    scoped_batch PgBatch *batch = pg_batch_new(run->context.arena);
    add_record(run, batch, &list, number, attempt);
    if (!step->run(&run->context, err) || !pg_batch_run(run->context.store->conn, batch, err)) {
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
    run->is_joint = false;
    run->context.may_join = !run->is_stepwise && !FAULT_ASKED("TENANTRY_FAULT_STEPWISE");
    const bool is_done = run->kind->steps[number].mode == JOB_STEP_TRANSACTION
                             ? step_in_transaction(run, number, attempt, err)
                             : step_free(run, number, attempt, err);
    store_drop_answers(run->context.store);
    return is_done;
}

/* Runs one step; afterwards run->steps_done tells where to go on. */
static bool run_step(Run *run, int64_t number, Err *err)
{
    for (int64_t attempt = 0;;) {
        const int64_t started_us = clock_monotonic_us();
        const bool is_done = try_step(run, number, attempt, err);
        log_info("job.step", "job %" PRId64 ", %s, step %s: %s after %" PRId64 " us",
                 run->context.job_id, run->kind->operation, run->kind->steps[number].name,
                 is_done ? "done" : "failed", clock_monotonic_us() - started_us);
        if (is_done) {
            return true;
        }
        const bool is_retryable = err_kind(err->code)->is_retryable;
        const bool is_split = run->is_joint && !run->is_stepwise;
        const bool may_retry = is_split || (is_retryable &&
                                            attempt < run->context.store->options.target.retries);
        Err broken;
        run->is_stepwise = run->is_stepwise || is_split;
        run->context.memory = NULL; /* what steps found may have been rolled back */
        if (may_retry && !is_split) {
            run_pause(run, attempt++, err);
        }
        if (!run_recover(run, &broken)) {
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

/* --- ends ------------------------------------------------------------------------------------- */

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
                       PG_PARAMS(run_int_text(run, run->context.job_id), state,
                                 why == NULL ? NULL : json_to_text(run->context.arena, error)),
                       NULL, err);
}

static bool undo_once(Run *run, const char *state, const Err *why, Err *err)
{
    PgConn *conn = run->context.store->conn;
    if (!pg_begin(conn, err) || !run_read_state(run, err)) {
        return false;
    }
    if (!run->is_open) {
        return run_fail_ended(run, "done", err);
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

bool run_undo(Run *run, const char *state, const Err *why, Err *err)
{
    for (int64_t attempt = 0;; attempt++) {
        if (undo_once(run, state, why, err)) {
            return true;
        }
        const bool may_retry = err_kind(err->code)->is_retryable &&
                               attempt < run->context.store->options.target.retries;
        Err broken;
        if (may_retry) {
            run_pause(run, attempt, err);
        }
        const bool is_found = run_recover(run, &broken);
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
        if (run_undo(run, "undone", why, &err)) {
            return;
        }
    } else {
        end_job(run, "failed", why, &err);
    }
    if (*why->hint == '\0' || err_kind(why->code)->is_retryable || why->code == ERR_DISK_FULL) {
        err_hint(why, "resume it when the cause is gone: tenantry job resume %" PRId64,
                 run->context.job_id);
    }
}

bool run_steps(Run *run, Err *err)
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
        if (run->kind->undo != NULL && !run_undo(run, "cancelled", NULL, &undo_err)) {
            *err = undo_err;
        }
        return false;
    }
    if (run->context.progress.step != NULL) {
        run->context.progress.step(run->context.progress.context, run->context.step_title, NULL,
                                   run->steps_total, run->steps_total);
    }
    return true;
}
