/* Spares: listed, filled, dropped. The keeper (keeper.c) does the same by itself. */
#include "blueprint/registry.h"
#include "core/array.h"
#include "core/clock.h"
#include "isolation/isolation.h"
#include "ops/context.h"
#include "ops/keeper.h"
#include "tenant/spare.h"

enum { OTHER_FILLER_PAUSE_MS = 100 };

/* --- list ------------------------------------------------------------------------------------- */

static void put_target(OpContext *context, Json *row, const char *name, const char *demand)
{
    const int64_t target = json_get_bool(row, "is_kept", false)
                               ? spare_target(config_int(context->config, OPT_SPARES),
                                              config_int(context->config, OPT_SPARES_MAX),
                                              json_get_int(row, demand, 0))
                               : 0;
    json_put_int(row, name, target);
}

bool spares_survey(OpContext *context, const char *blueprint, Json **ret_rows, Err *err)
{
    Store *store = NULL;
    size_t i = 0;
    Json *row = NULL;
    if (!op_store(context, &store, err) ||
        !store_query_list(store, SPARE_SURVEY, PG_PARAMS(blueprint), ret_rows, err)) {
        return false;
    }
    json_array_foreach(*ret_rows, i, row)
    {
        put_target(context, row, "target", "demand");
        put_target(context, row, "most", "hour_demand");
    }
    return true;
}

/* A blueprint that is not there, or one that has no schema tier: why there is nothing to say. */
static bool check_blueprint(OpContext *context, const char *name, const Json *rows, Err *err)
{
    Store *store = NULL;
    Blueprint *blueprint = NULL;
    if (name == NULL || json_array_size(rows) > 0) {
        return true;
    }
    return op_store(context, &store, err) &&
           registry_get(context->arena, store, name, &blueprint, err) &&
           ERR_SET(err, ERR_INPUT_INVALID, "tenants of the row tier share their tables",
                   "blueprint \"%s\" has no tier \"schema\", so it has no spares", name);
}

static bool run_list(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    static const char *const inner[] = {"is_kept", "may_try", "checksum", "hour_demand", "most"};
    const char *blueprint = json_get_text(args, "blueprint", NULL);
    scoped_json Json *rows = NULL;
    size_t i = 0;
    Json *row = NULL;
    if (!spares_survey(context, blueprint, &rows, err) ||
        !check_blueprint(context, blueprint, rows, err)) {
        return false;
    }
    json_array_foreach(rows, i, row)
    {
        for (size_t key = 0; key < ARRAY_COUNT(inner); key++) {
            json_object_del(row, inner[key]);
        }
    }
    *ret_answer = json_object();
    json_put(*ret_answer, "spares", json_incref(rows));
    return true;
}

static const Field list_fields[] = {
    {"blueprint", FIELD_TEXT, .help = "blueprint"},
    {"version", FIELD_INT, .help = "its newest version"},
    {"ready", FIELD_INT, .help = "spares of this version that a create can claim"},
    {"target", FIELD_INT,
     .help = "how many a keeper with the options spares and spares-max of this command keeps ready "
             "now; one that runs has those of the \"up\" that started it"},
    {"claimed", FIELD_INT, .help = "claimed by a create that is under way"},
    {"stale", FIELD_INT,
     .help = "of an older definition, of other extensions, of another day, or without today's "
             "partitions"},
    {"demand", FIELD_INT, .is_wide = true, .help = "tenants created in the last ten minutes"},
    {"error", FIELD_TEXT, .is_nullable = true, .help = "why the last one could not be made"},
    {"retry", FIELD_TIME, .is_nullable = true, .is_wide = true, .help = "when it is tried again"},
    {0},
};

const Operation op_spare_list = {
    .name = "spare.list",
    .summary = "List the spares of each blueprint of the schema tier.",
    .description =
        "A spare is a place with schema, tables, roles and passwords that waits for a tenant. "
        "Spares are kept of blueprints whose default tier is schema, and of those that have "
        "tenants of the schema tier.",
    .access = ACCESS_VIEWER,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/spares"},
    .params = (const Param[]){{"blueprint", PARAM_TEXT, .most = 100,
                               .help = "Only those of this blueprint."},
                              {0}},
    .result = (const Field[]){{"spares", FIELD_LIST, .fields = list_fields, .help = "by blueprint"},
                              {0}},
    .examples = (const OpExample[]){{"spare list", "how many wait"}, {0}},
    .run = run_list,
};

/* --- fill ------------------------------------------------------------------------------------- */

static bool step_note(JobContext *context, Err *err)
{
    return job_audit(context, context->operation, context->args, err);
}

/* Each spare is a transaction of its own: interrupted, it goes on with those that are missing. */
static bool step_fill(JobContext *context, Err *err)
{
    const int64_t count = json_get_int(context->args, "count", 0);
    SpareOutcome outcome = SPARE_MADE;
    for (int64_t made = 0; outcome != SPARE_ENOUGH;) {
        job_tell(context, made < count ? made : count, count);
        if (!spare_make(context->store, json_get_text(context->args, "blueprint", ""), count,
                        isolation_require_spare, &outcome, err)) {
            return false;
        }
        made += outcome == SPARE_MADE ? 1 : 0;
        if (outcome == SPARE_OTHER) {
            clock_sleep_ms(OTHER_FILLER_PAUSE_MS);
        }
    }
    return true;
}

static const JobStep fill_steps[] = {
    {"note", "Recording the run", JOB_STEP_TRANSACTION, step_note},
    {"fill", "Making spares", JOB_STEP_FREE, step_fill},
    {0},
};
const JobKind spare_fill_job = {.operation = "spare.fill", .steps = fill_steps};

/* How many are ready, for the answer. */
static bool put_ready(OpContext *context, const char *blueprint, Json *answer, Err *err)
{
    scoped_json Json *rows = NULL;
    if (!spares_survey(context, blueprint, &rows, err)) {
        return false;
    }
    json_put_int(answer, "ready", json_get_int(json_array_get(rows, 0), "ready", 0));
    return true;
}

static bool run_fill(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    int64_t job_id = 0;
    const char *blueprint = json_get_text(args, "blueprint", "");
    const int64_t kept = config_int(context->config, OPT_SPARES);
    scoped_json Json *rows = NULL;
    scoped_json Json *job_args = json_object();
    scoped_json Json *answer = json_object();
    json_put_text(job_args, "blueprint", blueprint);
    json_put_int(job_args, "count", json_get_int(args, "count", kept > 0 ? kept : 1));
    if (!spares_survey(context, blueprint, &rows, err) ||
        !check_blueprint(context, blueprint, rows, err) ||
        !op_run_job(context, &spare_fill_job, blueprint, NULL, job_args, &job_id, err) ||
        !put_ready(context, blueprint, answer, err)) {
        return false;
    }
    json_put_text(answer, "blueprint", blueprint);
    json_put_int(answer, "job", job_id);
    *ret_answer = json_incref(answer);
    return true;
}

const Operation op_spare_fill = {
    .name = "spare.fill",
    .summary = "Make spares of a blueprint until a number of them is ready.",
    .description = "The keeper that \"up\" starts does this by itself; before many tenants are "
                   "created at once, make as many spares. Those that are more than it keeps are "
                   "dropped by it when they are an hour old.",
    .access = ACCESS_OPERATOR,
    .kind = OP_JOB,
    .http = {"POST", "/v1/spares/{blueprint}/fill"},
    .params = (const Param[]){{"blueprint", PARAM_TEXT, .is_positional = true, .is_required = true,
                               .most = 100, .help = "The blueprint."},
                              {"count", PARAM_INT, .least = 1, .most = 1000,
                               .help = "How many are to be ready; the option spares if not given."},
                              {0}},
    .result = (const Field[]){{"blueprint", FIELD_TEXT, .help = "blueprint"},
                              {"ready", FIELD_INT, .help = "how many are ready"},
                              {"job", FIELD_INT, .help = "the job that did it"},
                              {0}},
    .examples = (const OpExample[]){{"spare fill trading --count 100", "before a hundred creates"},
                                    {0}},
    .done = "spares of {blueprint} that are ready: {ready}",
    .again = "spare list",
    .run = run_fill,
};

/* --- drop ------------------------------------------------------------------------------------- */

static bool step_drop(JobContext *context, Err *err)
{
    const SpareChoice choice = {.blueprint = json_get_text(context->args, "blueprint", NULL),
                                .is_all = json_get_bool(context->args, "all", false),
                                .job_id = context->job_id};
    bool is_dropped = true;
    for (int64_t dropped = 0; is_dropped; dropped++) {
        job_tell(context, dropped, dropped);
        if (!spare_drop_one(context->store, &choice, &is_dropped, err)) {
            return false;
        }
    }
    return true;
}

static const JobStep drop_steps[] = {
    {"note", "Recording the run", JOB_STEP_TRANSACTION, step_note},
    {"drop", "Dropping spares", JOB_STEP_FREE, step_drop},
    {0},
};
const JobKind spare_drop_job = {.operation = "spare.drop", .steps = drop_steps};

/* Spares that wait, of one blueprint or all. */
static bool count_waiting(OpContext *context, const char *blueprint, int64_t *ret_count, Err *err)
{
    scoped_json Json *rows = NULL;
    size_t i = 0;
    const Json *row = NULL;
    if (!spares_survey(context, blueprint, &rows, err) ||
        !check_blueprint(context, blueprint, rows, err)) {
        return false;
    }
    *ret_count = 0;
    json_array_foreach(rows, i, row)
    {
        *ret_count += json_get_int(row, "ready", 0) + json_get_int(row, "stale", 0);
    }
    return true;
}

static bool run_drop(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    int64_t job_id = 0;
    int64_t left = 0;
    const char *blueprint = json_get_text(args, "blueprint", NULL);
    if (json_get_bool(args, "all", false) == json_get_bool(args, "stale", false)) {
        return ERR_SET(err, ERR_INPUT_INVALID, "--stale drops only those that are of no use",
                       "give either --stale or --all");
    }
    if (!count_waiting(context, blueprint, &left, err) ||
        !op_run_job(context, &spare_drop_job, blueprint != NULL ? blueprint : "all blueprints",
                    NULL, args, &job_id, err) ||
        !count_waiting(context, blueprint, &left, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put_int(*ret_answer, "left", left);
    json_put_int(*ret_answer, "job", job_id);
    return true;
}

const Operation op_spare_drop = {
    .name = "spare.drop",
    .summary = "Drop spares: those that are of no use any more, or all.",
    .description = "A spare that a create has claimed stays. A keeper that runs makes new ones: "
                   "to be rid of them, set spares to 0 and run \"up\" again first.",
    .access = ACCESS_ADMIN,
    .kind = OP_JOB,
    .http = {"POST", "/v1/spares/drop"},
    .params = (const Param[]){{"blueprint", PARAM_TEXT, .is_positional = true, .most = 100,
                               .help = "Only those of this blueprint."},
                              {"stale", PARAM_BOOL,
                               .help = "Those of an older definition, of other extensions, of "
                                       "another day, or without today's partitions."},
                              {"all", PARAM_BOOL, .help = "Every one that waits."},
                              {0}},
    .result = (const Field[]){{"left", FIELD_INT, .help = "how many still wait"},
                              {"job", FIELD_INT, .help = "the job that did it"},
                              {0}},
    .examples = (const OpExample[]){{"spare drop --stale", "what an older version left"},
                                    {"spare drop trading --all", "to free their space"},
                                    {0}},
    .done = "spares that still wait: {left}",
    .again = "spare list",
    .run = run_drop,
};

/* --- keep ------------------------------------------------------------------------------------- */

static bool run_keep(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    KeeperReport report;
    const bool is_with_server = json_get_bool(args, "with-server", false);
    if (is_with_server && op_has_external_database(context)) {
        return ERR_SET(err, ERR_USAGE, "leave --with-server or --database-url out",
                       "an external PostgreSQL has no end that \"spare keep\" could share");
    }
    if (!keeper_run(context, is_with_server, &report, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put_int(*ret_answer, "made", report.made);
    json_put_int(*ret_answer, "dropped", report.dropped);
    json_put_int(*ret_answer, "renewed", report.renewed);
    return true;
}

const Operation op_spare_keep = {
    .name = "spare.keep",
    .summary = "Keep spares ready until SIGTERM or Ctrl-C.",
    .description =
        "\"up\" starts this in the background for the embedded server. With --database-url it is "
        "for a service manager: one per database is enough, more do no harm. It makes what is "
        "missing, makes partitions ahead, drops what an older version or a rush left, and waits "
        "while tenants are being created. A server that goes away is waited for.",
    .access = ACCESS_ADMIN,
    .kind = OP_COMMAND,
    .params = (const Param[]){{"with-server", PARAM_BOOL,
                               .help = "End when the embedded server was stopped, as the keeper "
                                       "that \"up\" starts does."},
                              {0}},
    .result = (const Field[]){{"made", FIELD_INT, .help = "spares made"},
                              {"dropped", FIELD_INT, .help = "spares dropped"},
                              {"renewed", FIELD_INT, .help = "spares that got new partitions"},
                              {0}},
    .examples = (const OpExample[]){{"spare keep", "in the foreground"}, {0}},
    .done = "stopped; spares made: {made}",
    .again = "spare list",
    .run = run_keep,
};
