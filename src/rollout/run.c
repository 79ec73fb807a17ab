/* The job of a rollout: plan the waves, prepare what places share, go from wave to wave.
 *
 * Everything that a later run needs is in the job's arguments and in the rollout's rows, so each
 * step reads it again. */
#include <string.h>

#include "blueprint/signature.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/stop.h"
#include "rollout/rollout_parts.h"

/* --- plan ------------------------------------------------------------------------------------- */

/* One at a time: two would move the same places to and fro. */
static bool check_alone(JobContext *context, Err *err)
{
    return rollout_check_alone(context->store, json_get_text(context->args, "blueprint", ""),
                               rollout_id_text(context), err);
}

static bool add_places(JobContext *context, const int64_t *limits, size_t count, Err *err)
{
    Arena *arena = context->arena;
    Candidates candidates;
    return candidates_of(arena, context->store, context->args, &candidates, err) &&
           store_query(context->store, ROLLOUT_PLACES_ADD,
                       PG_PARAMS(rollout_id_text(context), candidates.blueprint, candidates.target,
                                 candidates.is_down, candidates.slugs, candidates.is_retry,
                                 waves_array(arena, limits, count)),
                       NULL, err);
}

/* An entry's detail is scalars. */
static bool audit_plan(JobContext *context, Err *err)
{
    scoped_json Json *detail = json_deep_copy(context->args);
    json_put_text(detail, "tenants",
                  slug_array(context->arena, json_object_get(detail, "tenants")));
    return job_audit(context, context->operation, detail, err);
}

/* That all is done must not be read from a rollout that left places out, or found none. */
static bool tell_left_out(JobContext *context, const char *blueprint, int64_t count, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, ROLLOUT_QUARANTINED, PG_PARAMS(blueprint), &rows, err)) {
        return false;
    }
    if (pg_rows_int(rows, 0, 0) > 0 && !json_get_bool(context->args, "retry", false)) {
        log_warn("rollout.quarantine",
                 "%lld of blueprint \"%s\" stay in quarantine: tenantry migrate retry %s",
                 (long long)pg_rows_int(rows, 0, 0), blueprint, blueprint);
    }
    if (count == 0) {
        log_warn("rollout.none",
                 "no place of blueprint \"%s\" is to be moved to version %lld; what is new in its "
                 "folder counts from \"tenantry blueprint add\" on",
                 blueprint, (long long)json_get_int(context->args, "version", 0));
    }
    return true;
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
           rollout_check_retry(context->arena, context->store, args, err) &&
           waves_limits(context->arena, json_get_text(args, "waves", "100%"), range.count, &limits,
                        &count, err) &&
           store_query(context->store, ROLLOUT_ADD,
                       PG_PARAMS(rollout_id_text(context), blueprint,
                                 pg_int_text(context->arena, json_get_int(args, "version", 0)),
                                 pg_int_text(context->arena, (int64_t)count)),
                       NULL, err) &&
           add_places(context, limits, count, err) && audit_plan(context, err) &&
           tell_left_out(context, blueprint, range.count, err);
}

/* --- what all places share -------------------------------------------------------------------- */

/* What was asked of the scripts when the rollout began holds whenever it is resumed. */
static bool check_signed(JobContext *context, const Blueprint *blueprint, Err *err)
{
    TrustedKeys keys;
    const Json *args = context->args;
    const char *text = json_get_text(args, "trusted-keys", NULL);
    const int64_t upto = json_get_bool(args, "down", false) ? INT64_MAX
                                                            : json_get_int(args, "version", 0);
    return text == NULL || (trusted_keys_parse(context->arena, "the rollout's trusted keys", text,
                                               strlen(text), &keys, err) &&
                            signatures_check(context->arena, blueprint, upto, &keys, err));
}

static bool load_plan(JobContext *context, RolloutPlan *ret_plan, Err *err)
{
    Arena *arena = context->arena;
    const Json *args = context->args;
    Blueprint *blueprint = NULL;
    *ret_plan = (RolloutPlan){
        .job_id = context->job_id,
        .target = json_get_int(args, "version", 0),
        .lock_timeout = arena_printf(arena, "%lldms",
                                     (long long)json_get_int(args, "lock-timeout", 2000)),
        .statement_timeout = arena_printf(arena, "%lldms",
                                          (long long)json_get_int(args, "statement-timeout", 0)),
        .retries = json_get_int(args, "retries", 3),
        .is_down = json_get_bool(args, "down", false),
        .parallel = json_get_int(args, "parallel", 1)};
    ret_plan->stores = ARENA_ARRAY(arena, Store *, (size_t)ret_plan->parallel);
    if (!registry_get(arena, context->store, json_get_text(args, "blueprint", ""), &blueprint,
                      err) ||
        !registry_find_extensions(arena, context->store, blueprint, &ret_plan->extensions, err)) {
        return false;
    }
    ret_plan->blueprint = blueprint;
    return plan_read_steps(arena, ret_plan, err);
}

typedef struct Rollout {
    int64_t waves;
    const char *wanted;
    bool is_undoing;
} Rollout;

static bool read_rollout(JobContext *context, Rollout *ret_rollout, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, ROLLOUT_GET, PG_PARAMS(rollout_id_text(context)), &rows,
                     err)) {
        return false;
    }
    *ret_rollout = (Rollout){.waves = pg_rows_int(rows, 0, 2),
                             .wanted = rollout_wish(pg_rows_text(rows, 0, 3)),
                             .is_undoing = pg_rows_bool(rows, 0, 4)};
    return true;
}

/* One that is to end needs nothing: what is missing may be why somebody ends it. */
static bool step_ground(JobContext *context, Err *err)
{
    Rollout rollout;
    RolloutPlan plan;
    if (!read_rollout(context, &rollout, err)) {
        return false;
    }
    if (rollout.wanted != NULL && strcmp(rollout.wanted, WANTED_ABORT) == 0) {
        return true;
    }
    return load_plan(context, &plan, err) &&
           place_ensure_extensions(context->arena, context->store, plan.blueprint, &plan.extensions,
                                   err);
}

/* --- tenants that are made meanwhile ---------------------------------------------------------- */

/* Waits for creates that began before the rollout and may have read an older version. Those that
 * began later read the newest one; those that were interrupted will. */
static bool wait_for_creates(JobContext *context, const char **ret_wanted, Err *err)
{
    Store *store = context->store;
    const char *blueprint = json_get_text(context->args, "blueprint", "");
    /* A create whose first transaction is not committed cannot be seen yet. */
    bool is_good = pg_begin(store->conn, err) &&
                   store_query(store, TENANTS_SETTLE, PG_NO_PARAMS, NULL, err);
    pg_rollback(store->conn);
    for (int64_t held_ms = 0; is_good && *ret_wanted == NULL; held_ms += HELD_PAUSE_MS) {
        scoped_rows PgRows *rows = NULL;
        if (!store_query(store, ROLLOUT_CREATES, PG_PARAMS(rollout_id_text(context), blueprint),
                         &rows, err)) {
            return false;
        }
        if (pg_rows_int(rows, 0, 0) == 0) {
            return true;
        }
        if (held_ms > HELD_MOST_MS) {
            return rollout_fail_stopped(context,
                                        "a tenant.create that began before it does not end", err);
        }
        clock_sleep_ms(HELD_PAUSE_MS);
        is_good = rollout_read_wish(context, ret_wanted, err);
    }
    return is_good;
}

/* Tenants that were made while the rollout went on, at the version that their create had begun
 * with, are one wave more. */
static bool run_late(JobContext *context, const RolloutPlan *plan, int64_t wave,
                     const char **ret_wanted, Err *err)
{
    const Json *args = context->args;
    if (json_array_size(json_object_get(args, "tenants")) > 0 ||
        json_get_text(args, "where", NULL) != NULL || json_get_bool(args, "retry", false)) {
        return true;
    }
    return wait_for_creates(context, ret_wanted, err) &&
           (*ret_wanted != NULL ||
            (store_query(context->store, ROLLOUT_PLACES_LATE,
                         PG_PARAMS(rollout_id_text(context), json_get_text(args, "blueprint", ""),
                                   pg_int_text(context->arena, plan->target),
                                   plan->is_down ? "t" : "f", pg_int_text(context->arena, wave)),
                         NULL, err) &&
             wave_run(context, plan, wave, ret_wanted, err)));
}

/* Who resumes a rollout that stopped goes on without what had failed. An undo is not for people to
 * accept. When this step is tried again, nobody was told of what failed since. */
static bool note_told(JobContext *context, Err *err)
{
    if (context->was_stopped &&
        strcmp(json_get_text(context->args, "on-failure", "stop"), "undo") != 0 &&
        !store_query(context->store, ROLLOUT_TOLD, PG_PARAMS(rollout_id_text(context)), NULL,
                     err)) {
        return false;
    }
    context->was_stopped = false;
    return true;
}

static bool go_through(JobContext *context, const RolloutPlan *plan, Rollout *rollout, Err *err)
{
    for (int64_t wave = 1; wave <= rollout->waves && rollout->wanted == NULL; wave++) {
        if (!wave_run(context, plan, wave, &rollout->wanted, err)) {
            return false;
        }
    }
    return rollout->wanted != NULL ||
           run_late(context, plan, rollout->waves + 1, &rollout->wanted, err);
}

static bool move_places(JobContext *context, Rollout *rollout, Err *err)
{
    RolloutPlan plan;
    if (!load_plan(context, &plan, err)) {
        return false;
    }
    plan.waves = rollout->waves;
    /* Another one may have begun while this one was stopped with nothing left to do. */
    const bool is_done = check_signed(context, plan.blueprint, err) && check_alone(context, err) &&
                         note_told(context, err) &&
                         (rollout->is_undoing ? rollout_undo(context, plan, &rollout->wanted, err)
                                              : go_through(context, &plan, rollout, err));
    crew_go(&plan);
    return is_done;
}

static bool run_waves(JobContext *context, Err *err)
{
    Rollout rollout;
    if (!read_rollout(context, &rollout, err)) {
        return false;
    }
    if (context->was_stopped && rollout.wanted != NULL &&
        strcmp(rollout.wanted, WANTED_PAUSE) == 0) { /* that was obeyed */
        rollout.wanted = NULL;
        if (!store_query(context->store, ROLLOUT_WANT, PG_PARAMS(rollout_id_text(context), NULL),
                         NULL, err)) {
            return false;
        }
    }
    if (rollout.wanted == NULL && !move_places(context, &rollout, err)) {
        return false;
    }
    return rollout.wanted == NULL || rollout_obey(context, rollout.wanted, err);
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
    RolloutCounts counts = {0};
    if (!rollout_counts(context, 0, &counts, err)) {
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
const JobKind rollout_job = {
    .operation = "migrate.up", .steps = steps, .ended_by = "migrate abort"};
const JobKind rollout_down_job = {
    .operation = "migrate.down", .steps = steps, .ended_by = "migrate abort"};
const JobKind rollout_retry_job = {
    .operation = "migrate.retry", .steps = steps, .ended_by = "migrate abort"};
