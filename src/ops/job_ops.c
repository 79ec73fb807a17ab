#include <inttypes.h>
#include <string.h>

#include "core/array.h"
#include "core/limits.h"
#include "ops/context.h"
#include "ops/signing.h"

#define JOB_STATES "running|interrupted|done|failed|undone|cancelled"

static bool run_list(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    return op_answer_list(context, JOB_LIST,
                          PG_PARAMS(json_get_text(args, "state", NULL),
                                    pg_int_text(context->arena, json_get_int(args, "limit", 0))),
                          "jobs", ret_answer, err);
}

const Operation op_job_list = {
    .name = "job.list",
    .summary = "List jobs, the newest first.",
    .description = "A job is interrupted when its process died before the end.",
    .access = ACCESS_VIEWER,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/jobs"},
    .params = (const Param[]){{"state", PARAM_ENUM, .choices = JOB_STATES,
                               .help = "Only those in this state."},
                              {"limit", PARAM_INT, .fallback = "50", .least = 1,
                               .most = LIMIT_LIST_ROWS, .help = "At most this many."},
                              {0}},
    .result =
        (const Field[]){
            {"jobs", FIELD_LIST,
             .fields = (const Field[]){{"id", FIELD_INT, .help = "number"},
                                       {"operation", FIELD_TEXT, .help = "operation"},
                                       {"subject", FIELD_TEXT, .help = "on what"},
                                       {"state", FIELD_TEXT, .help = JOB_STATES},
                                       {"steps_done", FIELD_INT, .help = "steps done"},
                                       {"steps_total", FIELD_INT, .help = "of how many"},
                                       {"actor", FIELD_TEXT, .is_wide = true,
                                        .help = "who started it"},
                                       {"created", FIELD_TIME, .help = "when"},
                                       {"finished", FIELD_TIME, .is_nullable = true,
                                        .is_wide = true, .help = "when it ended"},
                                       {"error", FIELD_TEXT, .is_nullable = true,
                                        .help = "why it failed"},
                                       {0}},
             .help = "newest first"},
            {0}},
    .examples = (const OpExample[]){{"job list --state interrupted", "what a crash left"}, {0}},
    .run = run_list,
};

static bool fail_missing(int64_t id, Err *err)
{
    return ERR_SET(err, ERR_JOB_MISSING, "\"tenantry job list\" shows those that there are",
                   "there is no job %" PRId64, id);
}

static bool run_show(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    const int64_t id = json_get_int(args, "id", 0);
    return op_store(context, &store, err) &&
           store_query_json(store, JOB_SHOW, PG_PARAMS(pg_int_text(context->arena, id)), ret_answer,
                            err) &&
           (*ret_answer != NULL || fail_missing(id, err));
}

#define ID_PARAM                                                                                   \
    {                                                                                              \
        "id", PARAM_INT, .is_positional = true, .is_required = true, .least = 1,                   \
                         .most = INT64_MAX, .help = "The job's number."                            \
    }

const Operation op_job_show = {
    .name = "job.show",
    .summary = "Show one job: steps, attempts, error.",
    .access = ACCESS_VIEWER,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/jobs/{id}"},
    .params = (const Param[]){ID_PARAM, {0}},
    .result =
        (const Field[]){
            {"id", FIELD_INT, .help = "number"},
            {"operation", FIELD_TEXT, .help = "operation"},
            {"subject", FIELD_TEXT, .help = "on what"},
            {"state", FIELD_TEXT, .help = JOB_STATES},
            {"steps_done", FIELD_INT, .help = "steps done"},
            {"steps_total", FIELD_INT, .help = "of how many"},
            {"progress_done", FIELD_INT, .is_nullable = true, .help = "within the running step"},
            {"progress_total", FIELD_INT, .is_nullable = true, .help = "of how much"},
            {"attempts", FIELD_INT, .help = "how often it was resumed"},
            {"actor", FIELD_TEXT, .help = "who started it"},
            {"error", FIELD_TEXT, .is_nullable = true, .help = "why it failed"},
            {"hint", FIELD_TEXT, .is_nullable = true, .help = "what to do"},
            {"created", FIELD_TIME, .help = "when it was started"},
            {"finished", FIELD_TIME, .is_nullable = true, .help = "when it ended"},
            {"steps", FIELD_LIST,
             .fields = (const Field[]){{"number", FIELD_INT, .help = "number"},
                                       {"name", FIELD_TEXT, .help = "name"},
                                       {"attempts", FIELD_INT, .help = "attempts"},
                                       {"started", FIELD_TIME, .help = "when it began"},
                                       {"finished", FIELD_TIME, .help = "when it was done"},
                                       {0}},
             .help = "those that were done"},
            {0}},
    .examples = (const OpExample[]){{"job show 12", "how far it is"}, {0}},
    .run = run_show,
};

/* What is told of a job that another one keeps from being resumed, or that ended in another way
 * than asked for here; NULL: it failed. One that somebody asked to stop before its process died has
 * been taken back now, which is what was wanted. */
static const char *name_outcome(ErrCode code)
{
    static const struct {
        ErrCode code;
        const char *outcome;
    } outcomes[] = {
        {ERR_CANCELLED, "cancelled"}, {ERR_JOB_BUSY, "running"}, {ERR_JOB_STATE, "ended"}};
    for (size_t i = 0; i < ARRAY_COUNT(outcomes); i++) {
        if (outcomes[i].code == code) {
            return outcomes[i].outcome;
        }
    }
    return NULL;
}

static void put_ended(Json *list, int64_t id, const char *outcome, const char *message)
{
    Json *entry = json_object();
    json_put_int(entry, "id", id);
    json_put_text(entry, "outcome", outcome);
    json_put_text(entry, "message", message);
    json_array_append_new(list, entry);
}

static bool resume_one(OpContext *context, int64_t id, Err *err)
{
    return op_check_job(context, id, err) && op_resume_job(context, id, NULL, err);
}

/* Every interrupted job, the oldest first; one that fails does not keep the others from being
 * resumed. */
static bool resume_all(OpContext *context, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    scoped_rows PgRows *rows = NULL;
    if (!op_store(context, &store, err) ||
        !store_query(store, JOB_OPEN_IDS, PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    Json *list = json_array();
    *ret_answer = json_object();
    json_put(*ret_answer, "jobs", list);
    bool is_all_done = true;
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const int64_t id = pg_rows_int(rows, i, 0);
        Err one;
        if (resume_one(context, id, &one)) {
            put_ended(list, id, "done", NULL);
        } else if (name_outcome(one.code) != NULL) {
            put_ended(list, id, name_outcome(one.code), one.message);
        } else {
            put_ended(list, id, "failed", one.message);
            *err = one;
            is_all_done = false;
        }
    }
    return is_all_done;
}

static bool run_resume(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    const int64_t id = json_get_int(args, "id", 0);
    if (id == 0) {
        return resume_all(context, ret_answer, err);
    }
    if (!resume_one(context, id, err)) {
        return false;
    }
    Json *list = json_array();
    *ret_answer = json_object();
    json_put(*ret_answer, "jobs", list);
    put_ended(list, id, "done", NULL);
    return true;
}

const Operation op_job_resume = {
    .name = "job.resume",
    .summary =
        "Go on with a job that was interrupted or failed; without a number, with all that were "
        "interrupted.",
    .description =
        "A job that was asked to stop before its process died is taken back, not gone on "
        "with: among all that is no failure, alone it is the error \"cancelled\".",
    .access = ACCESS_OPERATOR,
    .kind = OP_COMMAND,
    .http = {"POST", "/v1/jobs/{id}/resume"},
    .params = (const Param[]){{"id", PARAM_INT, .is_positional = true, .least = 1,
                               .most = INT64_MAX, .help = "The job's number; all if not given."},
                              {0}},
    .result =
        (const Field[]){
            {"jobs", FIELD_LIST,
             .fields = (const Field[]){{"id", FIELD_INT, .help = "number"},
                                       {"outcome", FIELD_TEXT,
                                        .help = "done, failed, running, ended, or "
                                                "cancelled: taken back, as "
                                                "somebody had asked"},
                                       {"message", FIELD_TEXT, .is_nullable = true, .help = "why"},
                                       {0}},
             .help = "what became of each"},
            {0}},
    .examples = (const OpExample[]){{"job resume", "after a crash"}, {"job resume 12", "one"}, {0}},
    .again = "job list",
    .run = run_resume,
};

static bool run_cancel(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    bool is_asked = false;
    const int64_t id = json_get_int(args, "id", 0);
    if (!op_store(context, &store, err) ||
        !job_cancel(store, op_job_kinds, op_job_kind_count, id, context->actor, &is_asked, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put_int(*ret_answer, "id", id);
    json_put_text(*ret_answer, "outcome", is_asked ? "asked to stop" : "cancelled");
    return true;
}

const Operation op_job_cancel = {
    .name = "job.cancel",
    .summary = "Take back a job that was interrupted, or ask one that runs to stop.",
    .access = ACCESS_OPERATOR,
    .kind = OP_COMMAND,
    .http = {"POST", "/v1/jobs/{id}/cancel"},
    .params = (const Param[]){ID_PARAM, {0}},
    .result = (const Field[]){{"id", FIELD_INT, .help = "number"},
                              {"outcome", FIELD_TEXT, .help = "cancelled, or asked to stop"},
                              {0}},
    .examples = (const OpExample[]){{"job cancel 12", "what it did is undone"}, {0}},
    .done = "job {id}: {outcome}",
    .again = "job show {id}",
    .run = run_cancel,
};
