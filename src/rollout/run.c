/* The job of a rollout: plan the waves, prepare what places share, go from wave to wave.
 *
 * Everything that a later run needs is in the job's arguments and in the rollout's rows, so each
 * step reads it again. */
#include <string.h>

#include "core/clock.h"
#include "core/fault.h"
#include "core/process.h"
#include "core/stop.h"
#include "core/strbuf.h"
#include "rollout/rollout_parts.h"

enum { GATE_TIMEOUT_MS = 600000 };
/* Places and creates that another session holds are asked for again this often, and given up when
 * nothing changed for so long. */
enum { HELD_PAUSE_MS = 200, HELD_MOST_MS = 60000 };

static const char *id_text(JobContext *context)
{
    return pg_int_text(context->arena, context->job_id);
}

/* --- plan ------------------------------------------------------------------------------------- */

/* One rollout of a blueprint at a time: two would move the same places to and fro. */
static bool check_alone(JobContext *context, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    const char *blueprint = json_get_text(context->args, "blueprint", "");
    if (!store_query(context->store, ROLLOUT_OPEN, PG_PARAMS(blueprint, id_text(context)), &rows,
                     err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return true;
    }
    const char *open = pg_rows_text(rows, 0, 0);
    ERR_SET(err, ERR_ROLLOUT, NULL, "rollout %s of blueprint \"%s\" is not at its end", open,
            blueprint);
    err_hint(err, "tenantry migrate resume %s, or tenantry migrate abort %s", open, open);
    return false;
}

static bool add_places(JobContext *context, const int64_t *limits, size_t count, Err *err)
{
    Arena *arena = context->arena;
    const Candidates candidates = candidates_of(arena, context->args);
    return store_query(context->store, ROLLOUT_PLACES_ADD,
                       PG_PARAMS(id_text(context), candidates.blueprint, candidates.target,
                                 candidates.is_down, candidates.slugs, candidates.is_retry,
                                 waves_array(arena, limits, count)),
                       NULL, err);
}

static bool step_plan(JobContext *context, Err *err)
{
    const Json *args = context->args;
    const char *blueprint = json_get_text(args, "blueprint", "");
    const int64_t *limits = NULL;
    size_t count = 0;
    CandidateRange range = {0};
    return store_query(context->store, BLUEPRINT_LOCK, PG_NO_PARAMS, NULL, err) &&
           check_alone(context, err) &&
           candidates_count(context->arena, context->store, args, &range, err) &&
           rollout_check_way_back(context->arena, context->store, args, &range, err) &&
           waves_limits(context->arena, json_get_text(args, "waves", "100%"), range.count, &limits,
                        &count, err) &&
           store_query(context->store, ROLLOUT_ADD,
                       PG_PARAMS(id_text(context), blueprint,
                                 pg_int_text(context->arena, json_get_int(args, "version", 0)),
                                 pg_int_text(context->arena, (int64_t)count)),
                       NULL, err) &&
           add_places(context, limits, count, err) &&
           job_audit(context, context->operation, args, err);
}

/* --- what all places share -------------------------------------------------------------------- */

static bool load_plan(JobContext *context, RolloutPlan *ret_plan, Err *err)
{
    Arena *arena = context->arena;
    const Json *args = context->args;
    Blueprint *blueprint = NULL;
    *ret_plan = (RolloutPlan){
        .job_id = context->job_id,
        .target = json_get_int(args, "version", 0),
        .lock_timeout = arena_printf(arena, "%lldms",
                                     (long long)json_get_int(args, "lock-wait", 2000)),
        .statement_timeout = arena_printf(arena, "%lldms",
                                          (long long)json_get_int(args, "statement-timeout", 0)),
        .retries = json_get_int(args, "retries", 3),
        .is_down = json_get_bool(args, "down", false)};
    if (!registry_get(arena, context->store, json_get_text(args, "blueprint", ""), &blueprint,
                      err) ||
        !registry_find_extensions(arena, context->store, blueprint, &ret_plan->extensions, err)) {
        return false;
    }
    ret_plan->blueprint = blueprint;
    return true;
}

static bool step_ground(JobContext *context, Err *err)
{
    RolloutPlan plan;
    return load_plan(context, &plan, err) &&
           place_ensure_extensions(context->arena, context->store, plan.blueprint, &plan.extensions,
                                   err);
}

/* --- waves ------------------------------------------------------------------------------------ */

typedef struct Counts {
    int64_t total;
    int64_t pending;
    int64_t failed;
    int64_t done;
} Counts;

/* Of one wave; 0: of all. */
static bool read_counts(JobContext *context, int64_t wave, Counts *ret_counts, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(
            context->store, ROLLOUT_COUNTS,
            PG_PARAMS(id_text(context), wave == 0 ? NULL : pg_int_text(context->arena, wave)),
            &rows, err)) {
        return false;
    }
    *ret_counts = (Counts){.total = pg_rows_int(rows, 0, 0),
                           .pending = pg_rows_int(rows, 0, 1),
                           .failed = pg_rows_int(rows, 0, 2),
                           .done = pg_rows_int(rows, 0, 3)};
    return true;
}

static bool fail_stopped(JobContext *context, const char *why, Err *err)
{
    ERR_SET(err, ERR_ROLLOUT, NULL, "rollout %lld stopped: %s", (long long)context->job_id, why);
    err_hint(err,
             "tenantry migrate status shows where; then tenantry migrate resume %lld, or abort "
             "%lld",
             (long long)context->job_id, (long long)context->job_id);
    return false;
}

static bool leave_rest(JobContext *context, Err *err)
{
    return store_query(context->store, ROLLOUT_LEAVE, PG_PARAMS(id_text(context)), NULL, err);
}

/* Places that were dropped since, so that nobody waits for them. */
static bool leave_gone(JobContext *context, Err *err)
{
    return store_query(context->store, ROLLOUT_MARK_GONE, PG_PARAMS(id_text(context)), NULL, err);
}

/* What is wanted of the rollout happens: it ends here, or stops so that it can be resumed. */
static bool obey(JobContext *context, const char *wanted, Err *err)
{
    if (strcmp(wanted, WANTED_ABORT) == 0) {
        return leave_rest(context, err);
    }
    if (strcmp(wanted, WANTED_STOP) == 0) {
        return fail_stopped(context, "it was interrupted, after the places under way", err);
    }
    return store_query(context->store, ROLLOUT_WANT, PG_PARAMS(id_text(context), NULL), NULL,
                       err) &&
           fail_stopped(context, "somebody paused it", err);
}

/* Moves the places of a wave until none is left, more than `allowance` failed, or somebody wants
 * something else. A place can be held for a while by another session: that of a killed run whose
 * statement has not ended, or a purge. *ret_counts tells of failures that are new: what failed
 * before the rollout was resumed does not count again. */
static bool drain(JobContext *context, const RolloutPlan *plan, int64_t wave, int64_t allowance,
                  Counts *ret_counts, const char **ret_wanted, Err *err)
{
    Counts before = {0};
    int64_t held_ms = 0;
    *ret_wanted = NULL;
    if (!leave_gone(context, err) || !read_counts(context, wave, &before, err)) {
        return false;
    }
    for (*ret_counts = before, ret_counts->failed = 0;;) {
        const int64_t left = plan->is_undo ? ret_counts->done : ret_counts->pending;
        const bool is_spent = allowance >= 0 && ret_counts->failed > allowance;
        if (left == 0 || is_spent || *ret_wanted != NULL) {
            return true;
        }
        if (held_ms > HELD_MOST_MS) {
            return fail_stopped(context, "other sessions hold the places that are left", err);
        }
        if (!crew_run_wave(context, plan, wave, json_get_int(context->args, "parallel", 1),
                           allowance < 0 ? -1 : allowance - ret_counts->failed, ret_wanted, err) ||
            !leave_gone(context, err) || !read_counts(context, wave, ret_counts, err)) {
            return false;
        }
        ret_counts->failed -= before.failed;
        const int64_t left_now = plan->is_undo ? ret_counts->done : ret_counts->pending;
        held_ms = left_now < left ? 0 : held_ms + HELD_PAUSE_MS;
        if (held_ms > 0) {
            clock_sleep_ms(HELD_PAUSE_MS);
        }
    }
}

/* Places that this rollout moved go back to where they came from; those that it had not reached
 * stay there. */
static bool undo(JobContext *context, RolloutPlan plan, Err *err)
{
    Counts counts = {0};
    const char *wanted = NULL;
    plan.is_undo = true;
    if (!drain(context, &plan, 0, -1, &counts, &wanted, err)) {
        return false;
    }
    FAULT("rollout.undone");
    return wanted != NULL ? obey(context, wanted, err) : leave_rest(context, err);
}

/* More failed than the wave allows. That the rollout goes back from here is recorded before it
 * does. */
static bool fail_wave(JobContext *context, const RolloutPlan *plan, int64_t wave,
                      const Counts *counts, Err *err)
{
    const char *what = arena_printf(context->arena, "%lld of %lld places failed in wave %lld",
                                    (long long)counts->failed, (long long)counts->total,
                                    (long long)wave);
    if (strcmp(json_get_text(context->args, "on-failure", "stop"), "undo") != 0) {
        return fail_stopped(context, what, err);
    }
    if (!store_query(context->store, ROLLOUT_UNDO, PG_PARAMS(id_text(context)), NULL, err) ||
        !undo(context, *plan, err)) {
        return err_prefix(err, "%s; undoing", what);
    }
    fail_stopped(
        context,
        arena_printf(context->arena, "%s; the places that it had changed are as they were", what),
        err);
    err_hint(err, "tenantry migrate status shows what failed; tenantry migrate retry tries it");
    return false;
}

/* A command of the user's between waves; what it prints is for people. */
static bool pass_gate(JobContext *context, int64_t wave, Err *err)
{
    const char *command = json_get_text(context->args, "gate", NULL);
    if (command == NULL) {
        return true;
    }
    const char *const argv[] = {"/bin/sh", "-c", command, NULL};
    const char *const env[] = {
        arena_printf(context->arena, "TENANTRY_ROLLOUT=%lld", (long long)context->job_id),
        arena_printf(context->arena, "TENANTRY_WAVE=%lld", (long long)wave), NULL};
    ProcessResult result = {0};
    if (!process_run(context->arena,
                     &(ProcessOptions){.argv = argv, .env = env, .timeout_ms = GATE_TIMEOUT_MS},
                     &result, err)) {
        return false;
    }
    if (context->progress.note != NULL && *result.output != '\0') {
        context->progress.note(context->progress.context, result.output);
    }
    return result.exit_status == 0 ||
           fail_stopped(context,
                        arena_printf(context->arena, "the gate after wave %lld ended with %d",
                                     (long long)wave, result.exit_status),
                        err);
}

/* A wave that has places left is entered through the gate, also when the rollout is resumed. */
static bool run_wave(JobContext *context, const RolloutPlan *plan, int64_t wave,
                     const char **ret_wanted, Err *err)
{
    Counts counts = {0};
    int64_t allowance = -1;
    const Json *args = context->args;
    const char *on_failure = json_get_text(args, "on-failure", "stop");
    if (!read_counts(context, wave, &counts, err) ||
        (strcmp(on_failure, "continue") != 0 &&
         !allowance_of(json_get_text(args, "max-failures", "0"), counts.total, &allowance, err))) {
        return false;
    }
    /* Who resumes a rollout that stopped accepts what had failed. An undo is not for people to
     * accept: the run that should have begun it was killed. */
    if (strcmp(on_failure, "undo") == 0) {
        if (counts.failed > allowance) {
            return fail_wave(context, plan, wave, &counts, err);
        }
        allowance -= counts.failed;
    }
    if (counts.pending == 0) {
        return true;
    }
    if ((wave > 1 && !pass_gate(context, wave - 1, err)) ||
        !drain(context, plan, wave, allowance, &counts, ret_wanted, err)) {
        return false;
    }
    FAULT("rollout.wave.moved");
    return allowance < 0 || counts.failed <= allowance ||
           fail_wave(context, plan, wave, &counts, err);
}

/* --- tenants that are made meanwhile ---------------------------------------------------------- */

/* Waits for creates that began before the rollout and may have read an older version. Those that
 * began later read the newest one; those that were interrupted will. */
static bool wait_for_creates(JobContext *context, const char **ret_wanted, Err *err)
{
    Store *store = context->store;
    const char *blueprint = json_get_text(context->args, "blueprint", "");
    /* A create whose first transaction is not committed cannot be seen yet. */
    const bool is_settled = pg_begin(store->conn, err) &&
                            store_query(store, TENANTS_SETTLE, PG_NO_PARAMS, NULL, err);
    pg_rollback(store->conn);
    for (int64_t held_ms = 0; is_settled && *ret_wanted == NULL; held_ms += HELD_PAUSE_MS) {
        scoped_rows PgRows *rows = NULL;
        if (!store_query(store, ROLLOUT_CREATES, PG_PARAMS(id_text(context), blueprint), &rows,
                         err)) {
            return false;
        }
        if (pg_rows_int(rows, 0, 0) == 0) {
            return true;
        }
        if (held_ms > HELD_MOST_MS) {
            return fail_stopped(context, "a tenant.create that began before it does not end", err);
        }
        clock_sleep_ms(HELD_PAUSE_MS);
        *ret_wanted = stop_is_requested() ? WANTED_STOP : NULL;
    }
    return is_settled;
}

/* Tenants that were made while the rollout went on, at the version that their create had begun
 * with, are one wave more. */
static bool run_late(JobContext *context, const RolloutPlan *plan, int64_t wave,
                     const char **ret_wanted, Err *err)
{
    const Json *args = context->args;
    if (json_array_size(json_object_get(args, "tenants")) > 0 ||
        json_get_bool(args, "retry", false)) {
        return true;
    }
    return wait_for_creates(context, ret_wanted, err) &&
           (*ret_wanted != NULL ||
            (store_query(context->store, ROLLOUT_PLACES_LATE,
                         PG_PARAMS(id_text(context), json_get_text(args, "blueprint", ""),
                                   pg_int_text(context->arena, plan->target),
                                   plan->is_down ? "t" : "f", pg_int_text(context->arena, wave)),
                         NULL, err) &&
             run_wave(context, plan, wave, ret_wanted, err)));
}

typedef struct Rollout {
    int64_t waves;
    const char *wanted;
    bool is_undoing;
} Rollout;

static bool read_rollout(JobContext *context, Rollout *ret_rollout, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, ROLLOUT_GET, PG_PARAMS(id_text(context)), &rows, err)) {
        return false;
    }
    *ret_rollout = (Rollout){.waves = pg_rows_int(rows, 0, 2),
                             .wanted = rollout_wish(pg_rows_text(rows, 0, 3)),
                             .is_undoing = pg_rows_bool(rows, 0, 4)};
    return true;
}

static bool run_waves(JobContext *context, Err *err)
{
    RolloutPlan plan;
    Rollout rollout;
    if (!load_plan(context, &plan, err) || !read_rollout(context, &rollout, err)) {
        return false;
    }
    if (rollout.wanted != NULL) {
        return obey(context, rollout.wanted, err);
    }
    /* Another one may have begun while this one was stopped with nothing left to do. */
    if (!check_alone(context, err)) {
        return false;
    }
    if (rollout.is_undoing) {
        return undo(context, plan, err);
    }
    for (int64_t wave = 1; wave <= rollout.waves && rollout.wanted == NULL; wave++) {
        if (!run_wave(context, &plan, wave, &rollout.wanted, err)) {
            return false;
        }
    }
    if (rollout.wanted == NULL &&
        !run_late(context, &plan, rollout.waves + 1, &rollout.wanted, err)) {
        return false;
    }
    return rollout.wanted == NULL || obey(context, rollout.wanted, err);
}

/* While places are moved, Ctrl-C is a wish like any other. */
static bool step_waves(JobContext *context, Err *err)
{
    stop_listen(true);
    const bool is_done = run_waves(context, err);
    stop_listen(false);
    return is_done;
}

static bool step_record(JobContext *context, Err *err)
{
    Counts counts = {0};
    if (!read_counts(context, 0, &counts, err)) {
        return false;
    }
    scoped_json Json *detail = json_object();
    json_put_int(detail, "places", counts.total);
    json_put_int(detail, "done", counts.done);
    json_put_int(detail, "failed", counts.failed);
    return job_audit(context, "migrate.end", detail, err);
}

static const JobStep steps[] = {
    {"plan", "Planning the waves", JOB_STEP_TRANSACTION, step_plan},
    {"ground", "Preparing what places share", JOB_STEP_TRANSACTION, step_ground},
    {"waves", "Moving places", JOB_STEP_FREE, step_waves},
    {"record", "Recording the end", JOB_STEP_TRANSACTION, step_record},
    {0},
};
const JobKind rollout_job = {.operation = "migrate.up", .steps = steps};
const JobKind rollout_down_job = {.operation = "migrate.down", .steps = steps};
const JobKind rollout_retry_job = {.operation = "migrate.retry", .steps = steps};
