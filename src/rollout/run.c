/* The job of a rollout: plan the waves, prepare what places share, go from wave to wave.
 *
 * Everything that a later run needs is in the job's arguments and in the rollout's rows, so each
 * step reads it again. */
#include <string.h>

#include "core/process.h"
#include "core/strbuf.h"
#include "rollout/rollout_parts.h"

enum { GATE_TIMEOUT_MS = 600000 };

static const char *id_text(JobContext *context)
{
    return pg_int_text(context->arena, context->job_id);
}

/* "{a,b}" as text[], or NULL for all. Slugs need no quoting. */
static const char *slug_array(Arena *arena, const Json *slugs)
{
    size_t i = 0;
    const Json *slug = NULL;
    if (json_array_size(slugs) == 0) {
        return NULL;
    }
    StrBuf list = strbuf_init(arena);
    json_array_foreach(slugs, i, slug)
    {
        strbuf_printf(&list, "%s%s", i == 0 ? "{" : ",", json_string_value(slug));
    }
    strbuf_add_char(&list, '}');
    return list.text;
}

static const char *retry_text(const Json *args)
{
    return json_get_bool(args, "retry", false) ? "t" : "f";
}

/* --- plan ------------------------------------------------------------------------------------- */

/* One rollout of a blueprint at a time: two would move the same places to and fro. */
static bool check_alone(JobContext *context, const char *blueprint, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, BLUEPRINT_LOCK, PG_NO_PARAMS, NULL, err) ||
        !store_query(context->store, ROLLOUT_OPEN, PG_PARAMS(blueprint, id_text(context)), &rows,
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
    const Json *args = context->args;
    StrBuf list = strbuf_init(arena);
    for (size_t i = 0; i < count; i++) {
        strbuf_printf(&list, "%s%lld", i == 0 ? "{" : ",", (long long)limits[i]);
    }
    strbuf_add(&list, count == 0 ? "{}" : "}");
    return store_query(context->store, ROLLOUT_PLACES_ADD,
                       PG_PARAMS(id_text(context), json_get_text(args, "blueprint", ""),
                                 pg_int_text(arena, json_get_int(args, "version", 0)),
                                 json_get_bool(args, "down", false) ? "t" : "f",
                                 slug_array(arena, json_object_get(args, "tenants")),
                                 retry_text(args), list.text),
                       NULL, err);
}

static bool count_places(JobContext *context, int64_t *ret_total, int64_t *ret_oldest,
                         int64_t *ret_newest, Err *err)
{
    const Json *args = context->args;
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, ROLLOUT_PLACES_COUNT,
                     PG_PARAMS(json_get_text(args, "blueprint", ""),
                               pg_int_text(context->arena, json_get_int(args, "version", 0)),
                               json_get_bool(args, "down", false) ? "t" : "f",
                               slug_array(context->arena, json_object_get(args, "tenants")),
                               retry_text(args)),
                     &rows, err)) {
        return false;
    }
    *ret_total = pg_rows_int(rows, 0, 0);
    *ret_oldest = pg_rows_int(rows, 0, 1);
    *ret_newest = pg_rows_int(rows, 0, 2);
    return true;
}

/* Nothing is begun that could not be taken back as it was asked for. */
static bool check_way_back(JobContext *context, int64_t oldest, int64_t newest, Err *err)
{
    Blueprint *blueprint = NULL;
    const Json *args = context->args;
    const bool is_down = json_get_bool(args, "down", false);
    const int64_t target = json_get_int(args, "version", 0);
    if (!is_down && strcmp(json_get_text(args, "on-failure", "stop"), "undo") != 0) {
        return true;
    }
    return registry_get(context->arena, context->store, json_get_text(args, "blueprint", ""),
                        &blueprint, err) &&
           place_check_way_back(blueprint, is_down ? target : oldest, is_down ? newest : target,
                                err);
}

static bool step_plan(JobContext *context, Err *err)
{
    const Json *args = context->args;
    const char *blueprint = json_get_text(args, "blueprint", "");
    const int64_t *limits = NULL;
    size_t count = 0;
    int64_t total = 0;
    int64_t oldest = 0;
    int64_t newest = 0;
    return check_alone(context, blueprint, err) &&
           count_places(context, &total, &oldest, &newest, err) &&
           check_way_back(context, oldest, newest, err) &&
           waves_limits(context->arena, json_get_text(args, "waves", "100%"), total, &limits,
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
        .retries = json_get_int(args, "retries", 3)};
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
                           .failed = pg_rows_int(rows, 0, 2)};
    return true;
}

static bool fail_stopped(JobContext *context, const char *why, Err *err)
{
    ERR_SET(err, ERR_ROLLOUT, NULL, "rollout %lld stopped: %s", (long long)context->job_id, why);
    err_hint(err,
             "tenantry migrate status shows where; then tenantry migrate resume %lld, retry "
             "or abort",
             (long long)context->job_id);
    return false;
}

/* Places that this rollout moved go back to where they came from. */
static bool undo(JobContext *context, RolloutPlan plan, Err *err)
{
    const char *wanted = NULL;
    plan.is_undo = true;
    return crew_run_wave(context, &plan, 0, json_get_int(context->args, "parallel", 1), -1, &wanted,
                         err);
}

/* More failed than the wave allows. */
static bool fail_wave(JobContext *context, const RolloutPlan *plan, int64_t wave,
                      const Counts *counts, Err *err)
{
    const char *what = arena_printf(context->arena, "%lld of %lld places failed in wave %lld",
                                    (long long)counts->failed, (long long)counts->total,
                                    (long long)wave);
    if (strcmp(json_get_text(context->args, "on-failure", "stop"), "undo") == 0) {
        if (!undo(context, *plan, err)) {
            return err_prefix(err, "%s; undoing", what);
        }
        what = arena_printf(context->arena, "%s; the places that it had changed are as they were",
                            what);
    }
    return fail_stopped(context, what, err);
}

static bool obey(JobContext *context, const char *wanted, Err *err)
{
    if (strcmp(wanted, "abort") == 0) {
        return store_query(context->store, ROLLOUT_LEAVE, PG_PARAMS(id_text(context)), NULL, err);
    }
    return store_query(context->store, ROLLOUT_WANT, PG_PARAMS(id_text(context), NULL), NULL,
                       err) &&
           fail_stopped(context, "somebody paused it", err);
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

/* Places that were dropped since, so that nobody waits for them. */
static bool leave_gone(JobContext *context, Err *err)
{
    return store_query(context->store, ROLLOUT_MARK_GONE, PG_PARAMS(id_text(context)), NULL, err);
}

static bool run_wave(JobContext *context, const RolloutPlan *plan, int64_t wave,
                     const char **ret_wanted, Err *err)
{
    Counts before = {0};
    Counts after = {0};
    int64_t allowance = -1;
    const Json *args = context->args;
    const bool goes_on = strcmp(json_get_text(args, "on-failure", "stop"), "continue") == 0;
    if (!leave_gone(context, err) || !read_counts(context, wave, &before, err) ||
        (!goes_on &&
         !allowance_of(json_get_text(args, "max-failures", "0"), before.total, &allowance, err))) {
        return false;
    }
    if (before.pending == 0) {
        return true;
    }
    /* What failed before the rollout was resumed does not count again. */
    if (!crew_run_wave(context, plan, wave, json_get_int(args, "parallel", 1), allowance,
                       ret_wanted, err) ||
        !leave_gone(context, err) || !read_counts(context, wave, &after, err)) {
        return false;
    }
    if (allowance >= 0 && after.failed - before.failed > allowance) {
        return fail_wave(context, plan, wave, &after, err);
    }
    return *ret_wanted != NULL || pass_gate(context, wave, err);
}

/* Tenants that were made while the rollout went on, at the version that their create had begun
 * with, are one wave more. */
static bool add_late(JobContext *context, int64_t wave, int64_t *ret_added, Err *err)
{
    const Json *args = context->args;
    scoped_rows PgRows *rows = NULL;
    *ret_added = 0;
    if (json_array_size(json_object_get(args, "tenants")) > 0 ||
        json_get_bool(args, "retry", false)) {
        return true;
    }
    if (!store_query(context->store, ROLLOUT_PLACES_LATE,
                     PG_PARAMS(id_text(context), json_get_text(args, "blueprint", ""),
                               pg_int_text(context->arena, json_get_int(args, "version", 0)),
                               json_get_bool(args, "down", false) ? "t" : "f",
                               pg_int_text(context->arena, wave)),
                     &rows, err)) {
        return false;
    }
    *ret_added = pg_rows_int(rows, 0, 0);
    return true;
}

static bool read_waves(JobContext *context, int64_t *ret_waves, const char **ret_wanted, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, ROLLOUT_GET, PG_PARAMS(id_text(context)), &rows, err)) {
        return false;
    }
    *ret_waves = pg_rows_int(rows, 0, 2);
    *ret_wanted = arena_strdup(context->arena, pg_rows_text(rows, 0, 3));
    return true;
}

static bool step_waves(JobContext *context, Err *err)
{
    RolloutPlan plan;
    int64_t waves = 0;
    int64_t added = 1;
    const char *wanted = NULL;
    if (!load_plan(context, &plan, err) || !read_waves(context, &waves, &wanted, err)) {
        return false;
    }
    for (int64_t wave = 1; wanted == NULL && (wave <= waves || added > 0); wave++) {
        if (wave > waves && !add_late(context, wave, &added, err)) {
            return false;
        }
        if ((wave <= waves || added > 0) && !run_wave(context, &plan, wave, &wanted, err)) {
            return false;
        }
    }
    return wanted == NULL || obey(context, wanted, err);
}

static bool step_record(JobContext *context, Err *err)
{
    Counts counts = {0};
    if (!read_counts(context, 0, &counts, err)) {
        return false;
    }
    scoped_json Json *detail = json_object();
    json_put_int(detail, "places", counts.total);
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
