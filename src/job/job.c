#include "job/job.h"

#include <inttypes.h>
#include <string.h>

#include "job/run.h"
#include "store/audit.h"

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
               .steps_total = run_count_steps(start->kind)};
    if (!secret_random_uuid(arena, &run.token, err)) {
        return false;
    }
    const bool is_done = run_steps(&run, err);
    run_unlock(&run);
    *ret_job_id = run.context.job_id;
    return is_done;
}

/* --- resume and cancel ------------------------------------------------------------------------ */

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
    run->steps_total = run_count_steps(run->kind);
    run->is_cancelled = pg_rows_bool(rows, 0, 8);
    run->token = arena_strdup(arena, pg_rows_text(rows, 0, 9));
    *ret_state = arena_strdup(arena, pg_rows_text(rows, 0, 5));
    return true;
}

/* Looks again under the lock: the job may have ended while we asked for it. */
static bool load_locked(Run *run, const JobKind *const *kinds, size_t kind_count, int64_t job_id,
                        Json **ret_args, Err *err)
{
    const char *state = NULL;
    scoped_json Json *first_args = NULL;
    if (!load_job(run, kinds, kind_count, job_id, &first_args, &state, err) ||
        !run_lock(run, err) || !load_job(run, kinds, kind_count, job_id, ret_args, &state, err)) {
        return false;
    }
    run->is_open = run_is_open_state(state);
    run->context.was_stopped = strcmp(state, "failed") == 0;
    return run->is_open || run_fail_ended(run, state, err);
}

bool job_resume(Store *store, const JobResume *resume, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    Run run = {
        .context = {
            .arena = arena, .store = store, .actor = resume->actor, .progress = resume->progress}};
    scoped_json Json *args = NULL;
    const int64_t job_id = resume->job_id;
    const bool is_done = load_locked(&run, resume->kinds, resume->kind_count, job_id, &args, err) &&
                         (run.has_lock || run_fail_busy(&run, err)) &&
                         (resume->prepare == NULL || resume->prepare(store, job_id, err)) &&
                         store_query(store, JOB_START, PG_PARAMS(pg_int_text(arena, job_id)), NULL,
                                     err) &&
                         run_steps(&run, err);
    run_unlock(&run);
    return is_done;
}

/* The wish and who has it, in one transaction: what stops the job is audited in the name of who
 * runs it. */
static bool ask_once(Run *run, bool *ret_is_asked, Err *err)
{
    JobContext *context = &run->context;
    PgConn *conn = context->store->conn;
    scoped_rows PgRows *rows = NULL;
    scoped_json Json *detail = json_object();
    json_put_text(detail, "operation", context->operation);
    json_put_text(detail, "subject", context->subject);
    if (!pg_begin(conn, err) ||
        !store_query(context->store, JOB_CANCEL_WANTED,
                     PG_PARAMS(pg_int_text(context->arena, context->job_id)), &rows, err)) {
        return false;
    }
    *ret_is_asked = pg_rows_affected(rows) == 1;
    return (!*ret_is_asked || job_audit(context, "job.cancel", detail, err)) &&
           pg_commit(conn, true, err);
}

/* Asks the process that runs it to stop before its next step. The row of a job is locked while a
 * step is under way, and nobody should wait for that without a word. */
static bool ask_to_stop(Run *run, Err *err)
{
    const int64_t id = run->context.job_id;
    Store *store = run->context.store;
    bool is_asked = false;
    for (int64_t attempt = 0; !ask_once(run, &is_asked, err); attempt++) {
        pg_rollback(store->conn);
        if (!err_kind(err->code)->is_retryable || !pg_is_alive(store->conn) ||
            attempt >= store->options.target.retries) {
            return false;
        }
        run_pause(run, attempt, err);
    }
    if (is_asked) {
        return true;
    }
    ERR_SET(err, ERR_JOB_BUSY, NULL, "job %" PRId64 " is in the middle of a step", id);
    err_hint(err,
             "a step that has begun is whole or gone: ask again when it ended, tenantry job "
             "cancel %" PRId64,
             id);
    return false;
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
        if (run.kind->ended_by == NULL) {
            err_hint(err, "tenantry job resume %" PRId64, job_id);
        } else {
            err_hint(err, "tenantry %s %" PRId64 " ends it where it is", run.kind->ended_by,
                     job_id);
        }
        is_done = false;
    }
    *ret_is_asked = !run.has_lock;
    if (is_done) {
        is_done = run.has_lock ? run_undo(&run, "cancelled", NULL, err) : ask_to_stop(&run, err);
    }
    run_unlock(&run);
    return is_done;
}

/* --- for steps -------------------------------------------------------------------------------- */

void job_set_tenant(JobContext *context, const char *tenant_id)
{
    context->tenant_id = arena_strdup(context->arena, tenant_id);
}

void job_tell(JobContext *context, int64_t done, int64_t total)
{
    job_tell_more(context, context->step_title, NULL, done, total);
}

void job_tell_more(JobContext *context, const char *title, const char *detail, int64_t done,
                   int64_t total)
{
    Err ignored;
    store_query(context->store, JOB_PROGRESS,
                PG_PARAMS(pg_int_text(context->arena, context->job_id),
                          pg_int_text(context->arena, done), pg_int_text(context->arena, total)),
                NULL, &ignored);
    if (context->progress.step != NULL) {
        context->progress.step(context->progress.context, title, detail, done, total);
    }
}

static AuditEntry entry_of(const JobContext *context, const char *action, const Json *detail)
{
    return (AuditEntry){.chain = context->tenant_id != NULL ? context->tenant_id
                                                            : AUDIT_INSTALLATION,
                        .actor = context->actor,
                        .action = action,
                        .job_id = context->job_id,
                        .detail = detail};
}

bool job_audit(JobContext *context, const char *action, const Json *detail, Err *err)
{
    const AuditEntry entry = entry_of(context, action, detail);
    return audit_append(context->store, &entry, err);
}

bool job_audit_last(JobContext *context, const char *action, const Json *detail, Err *err)
{
    const AuditEntry entry = entry_of(context, action, detail);
    return audit_append_last(context->store, &entry, err);
}
