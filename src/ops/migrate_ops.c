/* Rollouts: places brought to another version of their blueprint. The work is in rollout/. */
#include <string.h>

#include "blueprint/registry.h"
#include "ops/context.h"
#include "ops/signing.h"
#include "rollout/rollout.h"

enum { SHOWN_ROLLOUTS = 20, SHOWN_FAILURES = 100, SHOWN_STEPS = 100, MOST_WHERE_TEXT = 4000 };

/* --- up, down, retry -------------------------------------------------------------------------- */

/* The version to reach: the newest one, or one that the blueprint has. */
static bool put_version(OpContext *context, const Json *args, bool is_down, Json *job_args,
                        Err *err)
{
    Store *store = NULL;
    Blueprint *blueprint = NULL;
    const char *name = json_get_text(args, "blueprint", "");
    if (!op_store(context, &store, err) ||
        !registry_get(context->arena, store, name, &blueprint, err)) {
        return false;
    }
    const int64_t version = json_get_int(args, "to", blueprint->version);
    bool is_known = is_down && version == 0;
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        is_known = is_known || blueprint->migrations[i].version == version;
    }
    json_put_int(job_args, "version", version);
    return is_known || registry_fail_version(blueprint, version, err);
}

static bool put_rollout(OpContext *context, int64_t job_id, const char *what, Json **ret_answer,
                        Err *err)
{
    Store *store = NULL;
    scoped_rows PgRows *rows = NULL;
    const char *id = pg_int_text(context->arena, job_id);
    if (!op_store(context, &store, err) ||
        !store_query(store, ROLLOUT_COUNTS, PG_PARAMS(id, NULL), &rows, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put_int(*ret_answer, "rollout", job_id);
    json_put_text(*ret_answer, "outcome",
                  arena_printf(context->arena, "rollout %lld %s", (long long)job_id, what));
    json_put_int(*ret_answer, "places", pg_rows_int(rows, 0, 0));
    json_put_int(*ret_answer, "done", pg_rows_int(rows, 0, 3));
    json_put_int(*ret_answer, "failed", pg_rows_int(rows, 0, 2));
    json_put(*ret_answer, "would_run", json_array());
    return true;
}

/* A rollout that came to another end than places at its version. */
static bool fail_end(int64_t job_id, ErrCode code, const char *what, const char *hint,
                     Json **ret_answer, Err *err)
{
    scoped_json Json *answer = *ret_answer;
    *ret_answer = NULL;
    return ERR_SET(err, code, hint, "rollout %lld %s; places: %lld, done: %lld, failed: %lld",
                   (long long)job_id, what, (long long)json_get_int(answer, "places", 0),
                   (long long)json_get_int(answer, "done", 0),
                   (long long)json_get_int(answer, "failed", 0));
}

/* What came of one that ran to its end. Who began or resumed it must not take it for done when
 * somebody ended it from elsewhere, or when it is an undo that was killed: places are at their old
 * version. */
static bool put_end(OpContext *context, int64_t job_id, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    scoped_rows PgRows *rows = NULL;
    if (!op_store(context, &store, err) ||
        !store_query(store, ROLLOUT_GET, PG_PARAMS(pg_int_text(context->arena, job_id)), &rows,
                     err) ||
        !put_rollout(context, job_id, "is done", ret_answer, err)) {
        return false;
    }
    const char *wanted = pg_rows_text(rows, 0, 3);
    const bool is_undoing = pg_rows_bool(rows, 0, 4);
    if (wanted != NULL && strcmp(wanted, WANTED_ABORT) == 0) {
        return fail_end(job_id, ERR_CANCELLED, "was aborted",
                        "tenantry migrate status shows the versions; the places that it did not "
                        "reach stay as they are",
                        ret_answer, err);
    }
    if (is_undoing) {
        return fail_end(job_id, ERR_PLACES_FAILED, "was taken back",
                        "tenantry migrate status shows the versions and what had failed",
                        ret_answer, err);
    }
    if (json_get_int(*ret_answer, "failed", 0) > 0) {
        json_put_text(*ret_answer, "outcome",
                      arena_printf(context->arena,
                                   "rollout %lld is done; tenantry migrate retry %s tries again "
                                   "what failed",
                                   (long long)job_id, pg_rows_text(rows, 0, 0)));
    }
    return true;
}

/* The way down begins wherever places are. */
static int64_t signed_upto(const Json *job_args)
{
    return json_get_bool(job_args, "down", false) ? INT64_MAX
                                                  : json_get_int(job_args, "version", 0);
}

static bool put_preview(OpContext *context, const Json *job_args, Json **ret_answer, Err *err)
{
    size_t i = 0;
    const Json *row = NULL;
    int64_t places = 0;
    Json *list = NULL;
    Store *store = NULL;
    if (!op_store(context, &store, err) ||
        !rollout_preview(context->arena, store, job_args, &list, err)) {
        return false;
    }
    json_array_foreach(list, i, row)
    {
        places += json_get_int(row, "places", 0);
    }
    *ret_answer = json_object();
    json_put(*ret_answer, "rollout", json_null());
    json_put_text(*ret_answer, "outcome", "nothing was run, this would be");
    json_put_int(*ret_answer, "places", places);
    json_put_int(*ret_answer, "done", 0);
    json_put_int(*ret_answer, "failed", 0);
    json_put(*ret_answer, "would_run", list);
    return true;
}

static bool run_rollout(OpContext *context, const JobKind *kind, const Json *job_args,
                        Json **ret_answer, Err *err)
{
    int64_t job_id = 0;
    return op_run_job(context, kind, json_get_text(job_args, "blueprint", ""), NULL, job_args,
                      &job_id, err) &&
           put_end(context, job_id, ret_answer, err);
}

static bool start(OpContext *context, const JobKind *kind, const Json *args, Json **ret_answer,
                  Err *err)
{
    Store *store = NULL;
    const bool is_down = kind == &rollout_down_job;
    const char *blueprint = json_get_text(args, "blueprint", "");
    const Json *tenants = json_object_get(args, "tenant");
    scoped_json Json *job_args = json_deep_copy(args);
    json_put(job_args, "tenants", tenants == NULL ? json_array() : json_deep_copy(tenants));
    json_object_del(job_args, "tenant");
    json_object_del(job_args, "to");
    json_object_del(job_args, "dry-run");
    json_put_bool(job_args, "down", is_down);
    json_put_bool(job_args, "retry", kind == &rollout_retry_job);
    if (!rollout_check_waves(json_get_text(args, "waves", "100%"), err) ||
        !rollout_check_allowance(json_get_text(args, "max-failures", "0"), err) ||
        !put_version(context, args, is_down, job_args, err) || !op_store(context, &store, err) ||
        !rollout_check_choice(context->arena, store, blueprint, tenants,
                              json_get_text(args, "where", NULL), err) ||
        !op_check_recorded(context, blueprint, signed_upto(job_args), err) ||
        !op_put_trusted_keys(context, job_args, err)) {
        return false;
    }
    return json_get_bool(args, "dry-run", false)
               ? put_preview(context, job_args, ret_answer, err)
               : run_rollout(context, kind, job_args, ret_answer, err);
}

static bool run_up(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    return start(context, &rollout_job, args, ret_answer, err);
}

static bool run_down(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    return start(context, &rollout_down_job, args, ret_answer, err);
}

static bool run_retry(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    return start(context, &rollout_retry_job, args, ret_answer, err);
}

#define BLUEPRINT_PARAM                                                                            \
    {                                                                                              \
        "blueprint", PARAM_TEXT, .is_positional = true, .is_required = true, .most = 100,          \
                                 .help = "The blueprint."                                          \
    }
#define HOW_PARAMS                                                                                 \
    {"tenant", PARAM_SLUG, .is_repeated = true, .help = "Only this tenant; all if not given."},    \
        {"where", PARAM_TEXT, .most = MOST_WHERE_TEXT,                                             \
         .help = "Only tenants of the schema tier that this is true for: plan = 'pro'."},          \
        {"waves", PARAM_TEXT, .fallback = "1,5%,25%,100%", .most = 1000,                           \
         .help = "How many places are done, in all, at the end of each wave."},                    \
        {"parallel", PARAM_INT,  .fallback = "1",                                                  \
         .least = 1, .most = 64, .help = "Places at a time."},                                     \
        {"max-failures", PARAM_TEXT, .fallback = "0", .most = 20,                                  \
         .help = "Failed places that a wave allows, a number or a percentage."},                   \
        {"on-failure", PARAM_ENUM, .fallback = "stop", .choices = "stop|continue|undo",            \
         .help = "When more have failed: stop, go on all the same, or undo what was changed."},    \
        {"lock-timeout",   PARAM_DURATION_MS,                                                      \
         .fallback = "2s", .least = 1,                                                             \
         .most = 3600000,  .help = "How long a place waits for a lock before it is tried again."}, \
        {"statement-timeout", PARAM_DURATION_MS,                                                   \
         .fallback = "1h",    .least = 1,                                                          \
         .most = 86400000,    .help = "How long the scripts of a place may take."},                \
        {"retries",                                                                                \
         PARAM_INT,                                                                                \
         .fallback = "3",                                                                          \
         .least = 0,                                                                               \
         .most = 100,                                                                              \
         .help = "How often a place is tried again that met a lock or a conflict."},               \
        {"gate", PARAM_TEXT, .most = 4000,                                                         \
         .help = "A shell command between waves; the rollout stops unless it succeeds."},          \
        {"gate-drift",                                                                             \
         PARAM_INT,                                                                                \
         .fallback = "1",                                                                          \
         .least = 0,                                                                               \
         .most = 1000,                                                                             \
         .help = "Places of a wave that must be what their version says before the next; 0: none"  \
                 "."},                                                                             \
        {"gate-lag",                                                                               \
         PARAM_DURATION_MS,                                                                        \
         .fallback = "10s",                                                                        \
         .least = 0,                                                                               \
         .most = 86400000,                                                                         \
         .help = "How far a standby may be behind between waves; 0ms: as far as it likes."},       \
        {"gate-lock-wait",                                                                         \
         PARAM_DURATION_MS,                                                                        \
         .fallback = "5s",                                                                         \
         .least = 0,                                                                               \
         .most = 86400000,                                                                         \
         .help = "How long a session may be waiting for a lock between waves; 0ms: as long as it " \
                 "likes."},                                                                        \
        {"gate-wal",                                                                               \
         PARAM_INT,                                                                                \
         .fallback = "10240",                                                                      \
         .least = 0,                                                                               \
         .most = INT32_MAX,                                                                        \
         .help = "MiB of WAL that a replication slot may keep between waves; 0: any number."},     \
    {                                                                                              \
        "dry-run", PARAM_BOOL, .help = "Tell what would run where, and change nothing."            \
    }

static const Field preview_fields[] = {
    {"wave", FIELD_INT, .help = "wave"},
    {"tier", FIELD_TEXT, .help = "row or schema"},
    {"from_version", FIELD_INT, .help = "the version that they are at"},
    {"to_version", FIELD_INT, .help = "the version to reach"},
    {"places", FIELD_INT, .help = "how many"},
    {"files", FIELD_TEXTS, .help = "the scripts, in their order"},
    {0},
};

static const Field rollout_fields[] = {
    {"rollout", FIELD_INT, .is_nullable = true, .help = "its number, which is that of its job"},
    {"outcome", FIELD_TEXT, .is_wide = true, .help = "what came of it, in words"},
    {"places", FIELD_INT, .help = "places that it is for"},
    {"done", FIELD_INT, .help = "places at the version"},
    {"failed", FIELD_INT, .help = "places in quarantine"},
    {"would_run", FIELD_LIST, .is_rare = true, .fields = preview_fields,
     .help = "with --dry-run: what would run where"},
    {0},
};
#define ROLLOUT_DONE "{outcome}; places: {places}, done: {done}, failed: {failed}"

const Operation op_migrate_up = {
    .name = "migrate.up",
    .summary = "Bring every tenant of a blueprint to its newest version, in waves.",
    .description =
        "Each place (a tenant's schema, or the shared tables of the row tier) is one transaction "
        "as "
        "its owner role. One that fails is rolled back and put into quarantine; when more fail in "
        "a wave than it allows, the rollout stops. \"migrate resume\" goes on with one that was "
        "stopped, paused or killed.",
    .access = ACCESS_ADMIN,
    .kind = OP_JOB,
    .http = {"POST", "/v1/blueprints/{blueprint}/rollouts"},
    .params = (const Param[]){BLUEPRINT_PARAM,
                              {"to", PARAM_INT, .least = 1, .most = INT32_MAX,
                               .help = "The version; the newest if not given."},
                              HOW_PARAMS,
                              {0}},
    .result = rollout_fields,
    .examples = (const OpExample[]){{"migrate up trading", "the whole fleet"},
                                    {"migrate up nfe --waves 1,10%,100% --max-failures 2%",
                                     "carefully"},
                                    {"migrate up trading --tenant acme", "one tenant first"},
                                    {"migrate up trading --where \"plan = 'free'\"",
                                     "those of one plan first"},
                                    {0}},
    .done = ROLLOUT_DONE,
    .again = "migrate status",
    .run = run_up,
};

const Operation op_migrate_down = {
    .name = "migrate.down",
    .summary = "Take every tenant of a blueprint back to an older version, by down scripts.",
    .description = "Refused, before anything is changed, when a version has no down script. New "
                   "tenants are still made at the newest version.",
    .access = ACCESS_ADMIN,
    .kind = OP_JOB,
    .http = {"POST", "/v1/blueprints/{blueprint}/rollbacks"},
    .params = (const Param[]){BLUEPRINT_PARAM,
                              {"to", PARAM_INT, .is_required = true, .least = 0, .most = INT32_MAX,
                               .help = "The version to go back to."},
                              HOW_PARAMS,
                              {0}},
    .result = rollout_fields,
    .examples = (const OpExample[]){{"migrate down trading --to 3", "what version 4 did is undone"},
                                    {0}},
    .done = ROLLOUT_DONE,
    .again = "migrate status",
    .run = run_down,
};

const Operation op_migrate_retry = {
    .name = "migrate.retry",
    .summary = "Try the places in quarantine again.",
    .access = ACCESS_ADMIN,
    .kind = OP_JOB,
    .http = {"POST", "/v1/blueprints/{blueprint}/retries"},
    .params = (const Param[]){BLUEPRINT_PARAM,
                              {"to", PARAM_INT, .least = 1, .most = INT32_MAX,
                               .help = "The version; the newest if not given."},
                              HOW_PARAMS,
                              {0}},
    .result = rollout_fields,
    .examples = (const OpExample[]){{"migrate retry trading", "when the cause is gone"}, {0}},
    .done = ROLLOUT_DONE,
    .again = "migrate status",
    .run = run_retry,
};

/* --- resume, pause, abort --------------------------------------------------------------------- */

/* What somebody wants of a rollout, for the process that runs it; NULL: that it goes on. One that
 * has ended stays as it is. */
static bool want(Store *store, int64_t rollout, const char *wanted, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    const char *id = pg_int_text(arena, rollout);
    return rollout_check_not_ended(store, rollout, err) &&
           store_query(store, ROLLOUT_WANT, PG_PARAMS(id, wanted), NULL, err);
}

static bool want_nothing(Store *store, int64_t rollout, Err *err)
{
    return want(store, rollout, NULL, err);
}

static bool want_end(Store *store, int64_t rollout, Err *err)
{
    return want(store, rollout, WANTED_ABORT, err);
}

/* What was wanted of it before is withdrawn only where it does go on. */
static bool run_resume(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    const int64_t id = json_get_int(args, "rollout", 0);
    if (!op_check_job(context, id, err) || !op_store(context, &store, err) ||
        !rollout_check_not_ended(store, id, err)) {
        return false;
    }
    const bool is_done = op_resume_job(context, id, want_nothing, err) &&
                         put_end(context, id, ret_answer, err);
    if (!is_done && err->code == ERR_JOB_BUSY) {
        err_hint(err, "wait for it, or: tenantry migrate pause %lld, or migrate abort %lld",
                 (long long)id, (long long)id);
    }
    return is_done;
}

/* One that nobody runs has nothing to pause; the wish would stop its next resume at once. */
static bool run_pause(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    const int64_t id = json_get_int(args, "rollout", 0);
    return op_store(context, &store, err) && rollout_check_running(store, id, err) &&
           want(store, id, WANTED_PAUSE, err) &&
           put_rollout(context, id, "is asked to pause", ret_answer, err);
}

/* The process that runs it obeys; where there is none, its end is done here. */
static bool run_abort(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    const int64_t id = json_get_int(args, "rollout", 0);
    if (!op_store(context, &store, err) || !want_end(store, id, err)) {
        return false;
    }
    const bool is_ended = op_resume_job(context, id, want_end, err);
    return (is_ended || err->code == ERR_JOB_BUSY) &&
           put_rollout(context, id, is_ended ? "is ended" : "is asked to end", ret_answer, err);
}

#define ROLLOUT_PARAM                                                                              \
    {                                                                                              \
        "rollout", PARAM_INT, .is_positional = true, .is_required = true, .least = 1,              \
                              .most = INT64_MAX, .help = "The rollout's number."                   \
    }

const Operation op_migrate_resume = {
    .name = "migrate.resume",
    .summary = "Go on with a rollout that was stopped, paused or killed.",
    .description = "Places in quarantine stay there: \"migrate retry\" tries them again.",
    .access = ACCESS_ADMIN,
    .kind = OP_COMMAND,
    .http = {"POST", "/v1/rollouts/{rollout}/resume"},
    .params = (const Param[]){ROLLOUT_PARAM, {0}},
    .result = rollout_fields,
    .examples = (const OpExample[]){{"migrate resume 12", "with the places that are left"}, {0}},
    .done = ROLLOUT_DONE,
    .again = "migrate status",
    .run = run_resume,
};

const Operation op_migrate_pause = {
    .name = "migrate.pause",
    .summary = "Stop a rollout after the places that are under way; it can be resumed.",
    .access = ACCESS_ADMIN,
    .kind = OP_COMMAND,
    .http = {"POST", "/v1/rollouts/{rollout}/pause"},
    .params = (const Param[]){ROLLOUT_PARAM, {0}},
    .result = rollout_fields,
    .examples = (const OpExample[]){{"migrate pause 12", "another terminal is running it"}, {0}},
    .done = ROLLOUT_DONE,
    .again = "migrate status",
    .run = run_pause,
};

const Operation op_migrate_abort = {
    .name = "migrate.abort",
    .summary = "End a rollout; the places that it has not reached stay as they are.",
    .access = ACCESS_ADMIN,
    .kind = OP_COMMAND,
    .http = {"POST", "/v1/rollouts/{rollout}/abort"},
    .params = (const Param[]){ROLLOUT_PARAM, {0}},
    .result = rollout_fields,
    .examples = (const OpExample[]){{"migrate abort 12", "then migrate down, if need be"}, {0}},
    .done = ROLLOUT_DONE,
    .again = "migrate status",
    .run = run_abort,
};

/* --- status ----------------------------------------------------------------------------------- */

/* Where rollouts are is told of one whose definition cannot be read too. */
static bool check_blueprint(OpContext *context, Store *store, const char *name, Err *err)
{
    int64_t version = 0;
    Blueprint *missing = NULL;
    return name == NULL ||
           (registry_find_version(store, name, &version, err) &&
            (version > 0 || registry_get_head(context->arena, store, name, &missing, err)));
}

static bool run_status(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    scoped_json Json *versions = NULL;
    scoped_json Json *rollouts = NULL;
    scoped_json Json *failures = NULL;
    scoped_json Json *steps = NULL;
    const char *blueprint = json_get_text(args, "blueprint", NULL);
    if (!op_store(context, &store, err) || !check_blueprint(context, store, blueprint, err) ||
        !store_query_list(store, ROLLOUT_VERSIONS, PG_PARAMS(blueprint, NULL), &versions, err) ||
        !store_query_list(store, ROLLOUT_LIST,
                          PG_PARAMS(blueprint, pg_int_text(context->arena, SHOWN_ROLLOUTS), NULL),
                          &rollouts, err) ||
        !store_query_list(store, ROLLOUT_FAILURES,
                          PG_PARAMS(blueprint, pg_int_text(context->arena, SHOWN_FAILURES)),
                          &failures, err) ||
        !store_query_list(store, STEP_LIST,
                          PG_PARAMS(blueprint, pg_int_text(context->arena, SHOWN_STEPS)), &steps,
                          err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put(*ret_answer, "versions", json_incref(versions));
    json_put(*ret_answer, "rollouts", json_incref(rollouts));
    json_put(*ret_answer, "quarantine", json_incref(failures));
    json_put(*ret_answer, "steps", json_incref(steps));
    return true;
}

static const Field version_fields[] = {
    {"blueprint", FIELD_TEXT, .help = "blueprint"},
    {"version", FIELD_INT, .help = "version"},
    {"is_newest", FIELD_BOOL, .help = "whether it is the blueprint's newest"},
    {"places", FIELD_INT, .help = "places at it"},
    {"quarantined", FIELD_INT, .help = "of them in quarantine"},
    {0},
};

static const Field listed_fields[] = {
    {"rollout", FIELD_INT, .help = "number"},
    {"blueprint", FIELD_TEXT, .help = "blueprint"},
    {"version", FIELD_INT, .help = "the version to reach"},
    {"state", FIELD_TEXT,
     .help = "running, interrupted (its process died), paused, stopped, undone, aborted, done"},
    {"places", FIELD_INT, .help = "places that it is for"},
    {"done", FIELD_INT, .help = "done"},
    {"pending", FIELD_INT, .help = "not reached yet"},
    {"failed", FIELD_INT, .help = "failed"},
    {"started", FIELD_TIME, .help = "when it began"},
    {"ended", FIELD_TIME, .is_nullable = true, .help = "when it ended"},
    {0},
};

static const Field failure_fields[] = {
    {"tenant", FIELD_TEXT, .is_nullable = true, .help = "slug; none for shared tables"},
    {"schema", FIELD_TEXT, .help = "schema"},
    {"rollout", FIELD_INT, .help = "the rollout that it failed in"},
    {"version", FIELD_INT, .help = "the version that it is at"},
    {"attempts", FIELD_INT, .is_wide = true, .help = "how often it was tried"},
    {"sqlstate", FIELD_TEXT, .is_nullable = true, .help = "SQLSTATE"},
    {"error", FIELD_TEXT, .is_long = true, .help = "where, and the reason"},
    {"file", FIELD_TEXT, .is_nullable = true, .is_wide = true, .help = "script that failed"},
    {"line", FIELD_INT, .is_nullable = true, .is_wide = true, .help = "line of the statement"},
    {"column", FIELD_INT, .is_nullable = true, .is_wide = true,
     .help = "column of its first word, in characters"},
    {"statement", FIELD_SQL, .is_nullable = true, .is_long = true,
     .help = "the statement, cut after 4,000 bytes"},
    {"at", FIELD_TIME, .is_wide = true, .help = "when"},
    {0},
};

static const Field step_fields[] = {
    {"blueprint", FIELD_TEXT, .help = "blueprint"},
    {"tenant", FIELD_TEXT, .is_nullable = true, .help = "slug; none for shared tables"},
    {"schema", FIELD_TEXT, .is_wide = true, .help = "schema"},
    {"version", FIELD_INT, .help = "the version whose script is run"},
    {"is_down", FIELD_BOOL, .is_wide = true, .help = "whether it is its down script"},
    {"step", FIELD_INT, .help = "the newest step"},
    {"steps", FIELD_INT, .help = "how many the script has"},
    {"what", FIELD_TEXT, .help = "what the step is"},
    {"state", FIELD_TEXT, .help = "started, done"},
    {"batches", FIELD_INT, .is_nullable = true, .is_wide = true,
     .help = "of a backfill: committed"},
    {"rows", FIELD_INT, .is_nullable = true, .help = "of a backfill: rows changed so far"},
    {"estimate", FIELD_INT, .is_nullable = true,
     .help = "of a backfill: rows of the table when it began, as PostgreSQL estimated"},
    {"last_key", FIELD_TEXT, .is_nullable = true, .is_wide = true,
     .help = "of a backfill: the last key that is done"},
    {"started", FIELD_TIME, .is_wide = true, .help = "when the step began"},
    {0},
};

const Operation op_migrate_status = {
    .name = "migrate.status",
    .summary = "Tell at which version the places are, what rollouts there were, and what failed.",
    .access = ACCESS_VIEWER,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/rollouts"},
    .params = (const Param[]){{"blueprint", PARAM_TEXT, .is_positional = true, .most = 100,
                               .help = "Only this blueprint."},
                              {0}},
    .result = (const Field[]){{"versions", FIELD_LIST, .fields = version_fields,
                               .help = "by blueprint, newest first"},
                              {"rollouts", FIELD_LIST, .fields = listed_fields,
                               .help = "the newest first"},
                              {"quarantine", FIELD_LIST, .fields = failure_fields,
                               .help = "places that failed"},
                              {"steps", FIELD_LIST, .fields = step_fields,
                               .help = "places that stand between two steps of a script"},
                              {0}},
    .examples = (const OpExample[]){{"migrate status", "the whole fleet"}, {0}},
    .run = run_status,
};
