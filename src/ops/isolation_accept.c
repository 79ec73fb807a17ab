/* isolation.accept and isolation.reopen: findings that somebody answers for, until a day. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "ops/context.h"

enum { MICROSECONDS = 1000000, DAY_SECONDS = 24 * 60 * 60, REASON_MAX_CHARS = 1000 };

/* A finding as it was last seen. */
typedef struct SeenFinding {
    const char *check;
    const char *object;
    const char *evidence;
    const char *definition; /* "" of a run of a version that gave none */
    const char *tenant_id;  /* whose audit chain it belongs to; NULL: the installation's */
} SeenFinding;

static bool find_seen(OpContext *context, const char *id, SeenFinding *ret_seen, Err *err)
{
    Store *store = NULL;
    scoped_rows PgRows *rows = NULL;
    if (!op_store(context, &store, err) ||
        !store_query(store, ISOLATION_FINDING, PG_PARAMS(id), &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return ERR_SET(err, ERR_FINDING_MISSING,
                       "\"tenantry isolation list\" shows those there are",
                       "no run has found anything with the id \"%s\"", id);
    }
    *ret_seen = (SeenFinding){.check = arena_strdup(context->arena, pg_rows_text(rows, 0, 0)),
                              .tenant_id = arena_strdup(context->arena, pg_rows_text(rows, 0, 1)),
                              .object = arena_strdup(context->arena, pg_rows_text(rows, 0, 2)),
                              .evidence = arena_strdup(context->arena, pg_rows_text(rows, 0, 3)),
                              .definition = arena_strdup(context->arena, pg_rows_text(rows, 0, 4))};
    return true;
}

static Json *job_args(const char *id, const SeenFinding *seen)
{
    Json *args = json_object();
    json_put_text(args, "finding", id);
    json_put_text(args, "check", seen->check);
    json_put_text(args, "object", seen->object);
    json_put_text(args, "evidence", seen->evidence);
    return args;
}

/* The end of a day, UTC, as RFC 3339. */
static const char *end_of_day(Arena *arena, time_t day_s)
{
    struct tm utc;
    gmtime_r(&day_s, &utc);
    return arena_printf(arena, "%04d-%02d-%02dT23:59:59Z", utc.tm_year + 1900, utc.tm_mon + 1,
                        utc.tm_mday);
}

/* "2027-01-31", a day that there is and that is not over; without a text, as many days from now as
 * the option says. */
static bool read_until(OpContext *context, const char *text, const char **ret_until, Err *err)
{
    const time_t now_s = (time_t)(clock_wall_us() / MICROSECONDS);
    if (text == NULL) {
        const int64_t days = config_int(context->config, OPT_ACCEPTANCE_DAYS);
        *ret_until = end_of_day(context->arena, now_s + (time_t)days * DAY_SECONDS);
        return true;
    }
    struct tm day = {0};
    const char *end = strptime(text, "%Y-%m-%d", &day);
    const int month_day = day.tm_mday;
    const time_t day_s = end == NULL ? 0 : timegm(&day);
    if (end == NULL || *end != '\0' || strlen(text) != strlen("2027-01-31") ||
        day.tm_mday != month_day) {
        return ERR_SET(err, ERR_INPUT_INVALID, "write it as 2027-01-31", "\"%s\" is no day", text);
    }
    if (day_s + DAY_SECONDS <= now_s) {
        return ERR_SET(err, ERR_INPUT_INVALID, "name today or a later day (UTC)",
                       "the day \"%s\" is over", text);
    }
    *ret_until = end_of_day(context->arena, day_s);
    return true;
}

/* --- accept ----------------------------------------------------------------------------------- */

static bool step_accept(JobContext *context, Err *err)
{
    Store *store = context->store;
    const char *id = json_get_text(context->args, "finding", "");
    return store_query(store, ISOLATION_ACCEPTANCE_END, PG_PARAMS(id), NULL, err) &&
           store_query(store, ISOLATION_ACCEPTANCE_ADD,
                       PG_PARAMS(id, json_get_text(context->args, "evidence", ""),
                                 json_get_text(context->args, "reason", ""), context->actor,
                                 json_get_text(context->args, "until", "")),
                       NULL, err) &&
           job_audit(context, "isolation.accept", context->args, err);
}

const JobKind isolation_accept_job = {
    .operation = "isolation.accept",
    .steps = (const JobStep[]){
        {"accept", "Recording the acceptance", JOB_STEP_TRANSACTION, step_accept}, {0}}};

/* A finding keeps its id when there is more of it, and cron may have verified since the person
 * looked: what is accepted is named by its definition, or shown and asked about. */
static bool is_confirmed(OpContext *context, const char *id, const char *definition,
                         const SeenFinding *seen, Err *err)
{
    if (definition != NULL && *seen->definition != '\0' &&
        strcmp(definition, seen->definition) == 0) {
        return true;
    }
    if (context->progress.show != NULL) {
        context->progress.show(context->progress.context,
                               arena_printf(context->arena, "%s  %s, %s: %s", id, seen->check,
                                            seen->object, seen->evidence));
    }
    if (definition == NULL && context->progress.confirm != NULL &&
        context->progress.confirm(context->progress.context, "This is what is accepted.",
                                  "accept")) {
        return true;
    }
    ERR_SET(err, ERR_CONFIRMATION, "\"tenantry isolation verify\" looks again",
            definition != NULL ? "finding \"%s\" is not what --definition names: it has changed"
                               : "accepting finding \"%s\" was not confirmed",
            id);
    if (definition == NULL && *seen->definition != '\0') {
        err_hint(err, "once you have read what was found: --definition %s", seen->definition);
    }
    return false;
}

static bool run_accept(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    SeenFinding seen;
    int64_t job_id = 0;
    const char *until = NULL;
    const char *id = json_get_text(args, "id", "");
    const char *reason = json_get_text(args, "reason", "");
    if (strspn(reason, " ") == strlen(reason)) {
        return ERR_SET(err, ERR_INPUT_INVALID, "say why it is meant to be", "the reason is empty");
    }
    if (!read_until(context, json_get_text(args, "until", NULL), &until, err) ||
        !find_seen(context, id, &seen, err) ||
        !is_confirmed(context, id, json_get_text(args, "definition", NULL), &seen, err)) {
        return false;
    }
    scoped_json Json *job = job_args(id, &seen);
    json_put_text(job, "reason", reason);
    json_put_text(job, "until", until);
    if (!op_run_job(context, &isolation_accept_job, id, seen.tenant_id, job, &job_id, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put_text(*ret_answer, "id", id);
    json_put_text(*ret_answer, "check", seen.check);
    json_put_text(*ret_answer, "object", seen.object);
    json_put_text(*ret_answer, "evidence", seen.evidence);
    json_put_text(*ret_answer, "until", until);
    json_put_int(*ret_answer, "job", job_id);
    return true;
}

#define ID_PARAM                                                                                   \
    {                                                                                              \
        "id", PARAM_TEXT, .is_positional = true, .is_required = true, .most = 16,                  \
                          .help = "The finding, as \"isolation list\" shows it."                   \
    }

const Operation op_isolation_accept = {
    .name = "isolation.accept",
    .summary = "Accept a finding until a day: it is reported, but does not fail \"verify\".",
    .description =
        "Reason, day and who accepted it are in every report and in the audit log. When the day is "
        "over, or more is found than was accepted, it counts again. What is accepted is what the "
        "last run found, if that is what --definition names; without --definition it is shown, and "
        "a person on a terminal is asked.",
    .access = ACCESS_ADMIN,
    .kind = OP_JOB,
    .http = {"POST", "/v1/isolation/findings/{id}/accept"},
    .params =
        (const Param[]){
            ID_PARAM,
            {"reason", PARAM_TEXT, .is_required = true, .most = REASON_MAX_CHARS,
             .help = "Why it is meant to be."},
            {"definition", PARAM_TEXT, .most = 32,
             .help = "The hash that ends the evidence that you read; if not given, it is shown and "
                     "asked about."},
            {"until", PARAM_TEXT, .most = 10,
             .help = "The last day (UTC), such as 2027-01-31; if not given, --acceptance-days from "
                     "now."},
            {0}},
    .result = (const Field[]){{"id", FIELD_TEXT, .help = "the finding"},
                              {"check", FIELD_TEXT, .help = "the rule or probe"},
                              {"object", FIELD_TEXT, .help = "where"},
                              {"evidence", FIELD_TEXT, .is_long = true,
                               .help = "what was found, with its definition"},
                              {"until", FIELD_TIME, .help = "when it counts again"},
                              {"job", FIELD_INT, .help = "the job that did it"},
                              {0}},
    .examples =
        (const OpExample[]){{"isolation accept 0123456789abcdef --reason \"shared price list\" "
                             "--until 2027-01-31",
                             "until the end of January, after it was shown"},
                            {"isolation accept 0123456789abcdef --reason \"shared price list\" "
                             "--definition 6dd3c4a7f5c1e8b09a2f4417d0be5c33",
                             "as it was read, without a question"},
                            {0}},
    .done = "accepted until {until}: {check}, {object}: {evidence}",
    .run = run_accept,
};

/* --- reopen ----------------------------------------------------------------------------------- */

static bool step_reopen(JobContext *context, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    const char *id = json_get_text(context->args, "finding", "");
    if (!store_query(context->store, ISOLATION_ACCEPTANCE_END, PG_PARAMS(id), &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return ERR_SET(err, ERR_FINDING_MISSING,
                       "\"tenantry isolation list\" shows what is accepted, with its id",
                       "finding \"%s\" is not accepted", id);
    }
    return job_audit(context, "isolation.reopen", context->args, err);
}

const JobKind isolation_reopen_job = {
    .operation = "isolation.reopen",
    .steps = (const JobStep[]){
        {"reopen", "Ending the acceptance", JOB_STEP_TRANSACTION, step_reopen}, {0}}};

static bool run_reopen(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    SeenFinding seen;
    int64_t job_id = 0;
    const char *id = json_get_text(args, "id", "");
    if (!find_seen(context, id, &seen, err)) {
        return false;
    }
    scoped_json Json *job = job_args(id, &seen);
    if (!op_run_job(context, &isolation_reopen_job, id, seen.tenant_id, job, &job_id, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put_text(*ret_answer, "id", id);
    json_put_int(*ret_answer, "job", job_id);
    return true;
}

const Operation op_isolation_reopen = {
    .name = "isolation.reopen",
    .summary = "Take the acceptance of a finding back: it counts again.",
    .access = ACCESS_ADMIN,
    .kind = OP_JOB,
    .http = {"POST", "/v1/isolation/findings/{id}/reopen"},
    .params = (const Param[]){ID_PARAM, {0}},
    .result = (const Field[]){{"id", FIELD_TEXT, .help = "the finding"},
                              {"job", FIELD_INT, .help = "the job that did it"},
                              {0}},
    .examples = (const OpExample[]){{"isolation reopen 0123456789abcdef", "it counts again"}, {0}},
    .done = "finding {id} counts again",
    .run = run_reopen,
};
