/* isolation.mend: runs the statements that the rules gave for their findings, once somebody has
 * seen them, and looks again whether the findings are gone. */
#include "isolation/mend.h"

#include <inttypes.h>
#include <string.h>

#include "core/strbuf.h"
#include "isolation/isolation.h"
#include "ops/context.h"
#include "ops/isolation_run.h"
#include "pg/sql.h"
#include "store/audit.h"

static const Finding *find_finding(const IsolationResult *result, const char *id)
{
    for (size_t i = 0; i < result->list.count; i++) {
        if (strcmp(result->list.findings[i].id, id) == 0) {
            return &result->list.findings[i];
        }
    }
    return NULL;
}

/* Wrong policies are mended to be like tenantry.guard. While that is not as Tenantry makes it, it
 * may be mended itself, from what the binary has, and nothing else. */
static const char reference_check[] = "guard_changed";

static bool require_reference(const IsolationResult *result, const Finding *mended, Err *err)
{
    for (size_t i = 0; i < result->list.count; i++) {
        const Finding *finding = &result->list.findings[i];
        if (finding != mended && strcmp(finding->check->id, reference_check) == 0) {
            ERR_SET(err, ERR_ISOLATION, NULL, "nothing is mended: %s is not to be relied on: %s",
                    finding->object, finding->evidence);
            err_hint(err,
                     "mend what others are compared with first: \"tenantry isolation mend %s\"",
                     finding->id);
            return false;
        }
    }
    return true;
}

/* --- the job: record, apply, look again ------------------------------------------------------- */

static bool step_record(JobContext *context, Err *err)
{
    const Json *mends = json_object_get(context->args, "mends");
    scoped_json Json *detail = json_object(); /* {finding: statement} */
    for (size_t i = 0; i < json_array_size(mends); i++) {
        const Json *mend = json_array_get(mends, i);
        json_put_text(detail, json_get_text(mend, "id", ""), json_get_text(mend, "statement", ""));
    }
    return job_audit(context, "isolation.mend", detail, err);
}

/* What belongs to the owner of a place only that role, and who is a member, may change. */
static bool change_membership(JobContext *context, const char *sql_template, const PgRows *owners,
                              Err *err)
{
    for (size_t i = 0; i < pg_rows_count(owners); i++) {
        const SqlArg owner = sql_name(context->arena, pg_rows_text(owners, i, 0));
        if (!pg_query(context->store->conn, SQL(context->arena, sql_template, owner), PG_NO_PARAMS,
                      NULL, err)) {
            return false;
        }
    }
    return true;
}

/* On the chain of the tenant that it was about, where it is one that has a chain. */
static bool audit_mended(JobContext *context, const Finding *finding, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    scoped_json Json *detail = json_object();
    if (!store_query(context->store, ISOLATION_CHAIN, PG_PARAMS(finding->tenant_id), &rows, err)) {
        return false;
    }
    json_put_text(detail, "finding", finding->id);
    json_put_text(detail, "check", finding->check->id);
    json_put_text(detail, "object", finding->object);
    json_put_text(detail, "statement", finding->mend);
    return audit_append(context->store,
                        &(AuditEntry){.chain = pg_rows_count(rows) == 1 ? pg_rows_text(rows, 0, 0)
                                                                        : AUDIT_INSTALLATION,
                                      .actor = context->actor,
                                      .action = "isolation.mended",
                                      .job_id = context->job_id,
                                      .detail = detail},
                        err);
}

static bool apply_in_transaction(JobContext *context, const Finding *finding, Err *err)
{
    Mend mend;
    scoped_rows PgRows *owners = NULL;
    if (!mend_read(context->arena, finding->mend, &mend, err) ||
        !store_query(context->store, ISOLATION_OWNERS, PG_PARAMS(mend.names), &owners, err) ||
        !change_membership(context, "GRANT {} TO CURRENT_USER", owners, err)) {
        return false;
    }
    for (size_t i = 0; i < mend.count; i++) {
        if (!pg_query(context->store->conn, mend.statements[i], PG_NO_PARAMS, NULL, err)) {
            return err_prefix(err, "finding \"%s\"", finding->id);
        }
    }
    return change_membership(context, "REVOKE {} FROM CURRENT_USER", owners, err) &&
           audit_mended(context, finding, err);
}

static bool apply(JobContext *context, const Finding *finding, Err *err)
{
    PgConn *conn = context->store->conn;
    if (!pg_begin(conn, err) || !apply_in_transaction(context, finding, err) ||
        !pg_commit(conn, true, err)) {
        pg_rollback(conn);
        return false;
    }
    return true;
}

/* One that the server refuses does not keep the others from being mended: it is told, and found
 * again by the next step. */
static bool apply_or_tell(JobContext *context, const Finding *finding, Err *err)
{
    Err refused;
    if (apply(context, finding, &refused)) {
        return true;
    }
    if (err_kind(refused.code)->is_retryable || !pg_is_alive(context->store->conn)) {
        *err = refused;
        return false;
    }
    if (context->progress.note != NULL) {
        context->progress.note(context->progress.context, refused.message);
    }
    return true;
}

/* What is gone already was mended by an earlier run of this step, or by somebody else. Only what a
 * person has seen is run. */
static bool step_apply(JobContext *context, Err *err)
{
    IsolationResult result = {0};
    const Json *mends = json_object_get(context->args, "mends");
    if (!isolation_check_rules(context->arena, context->store, NULL, &result, err)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(mends); i++) {
        const Json *mend = json_array_get(mends, i);
        const Finding *finding = find_finding(&result, json_get_text(mend, "id", ""));
        job_tell(context, (int64_t)i, (int64_t)json_array_size(mends));
        if (finding == NULL) {
            continue;
        }
        if (finding->mend == NULL ||
            strcmp(finding->mend, json_get_text(mend, "statement", "")) != 0) {
            return ERR_SET(err, ERR_ISOLATION,
                           "\"tenantry isolation mend\" shows what mends it now",
                           "what mends finding \"%s\" has changed since it was shown", finding->id);
        }
        if (!require_reference(&result, finding, err) || !apply_or_tell(context, finding, err)) {
            return false;
        }
    }
    return true;
}

static bool step_look(JobContext *context, Err *err)
{
    IsolationResult result = {0};
    const Json *mends = json_object_get(context->args, "mends");
    const Finding *first = NULL;
    size_t left = 0;
    if (!isolation_check_rules(context->arena, context->store, NULL, &result, err)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(mends); i++) {
        const char *id = json_get_text(json_array_get(mends, i), "id", "");
        const Finding *finding = find_finding(&result, id);
        left += finding != NULL ? 1 : 0;
        first = first == NULL ? finding : first;
    }
    if (first == NULL) {
        return true;
    }
    ERR_SET(err, ERR_ISOLATION, NULL, "%zu of %zu findings are still there; the first: %s, %s: %s",
            left, json_array_size(mends), first->id, first->object, first->evidence);
    if (first->mend != NULL) {
        err_hint(err, "what it takes now, perhaps by somebody with more rights: %s", first->mend);
    }
    return false;
}

const JobKind isolation_mend_job = {
    .operation = "isolation.mend",
    .steps = (const JobStep[]){
        {"record", "Recording what will be run", JOB_STEP_TRANSACTION, step_record},
        {"apply", "Running what mends", JOB_STEP_FREE, step_apply},
        {"look", "Looking whether the findings are gone", JOB_STEP_FREE, step_look},
        {0}}};

/* --- the operation ---------------------------------------------------------------------------- */

static void add_mend(Json *mends, const Finding *finding)
{
    Json *mend = json_object();
    json_put_text(mend, "id", finding->id);
    json_put_text(mend, "check", finding->check->id);
    json_put_text(mend, "object", finding->object);
    json_put_text(mend, "statement", finding->mend);
    json_array_append_new(mends, mend);
}

/* Whether Tenantry runs what mends a finding itself. */
static bool is_run_here(Arena *arena, const Finding *finding, bool *ret_is, Err *err)
{
    Mend mend;
    *ret_is = false;
    if (finding->mend != NULL) {
        if (!mend_read(arena, finding->mend, &mend, err)) {
            return err_prefix(err, "finding \"%s\"", finding->id);
        }
        *ret_is = mend.may_run;
    }
    return true;
}

static bool choose_one(Arena *arena, const IsolationResult *result, const char *id, Json *mends,
                       Err *err)
{
    const Finding *finding = find_finding(result, id);
    bool is_ours = false;
    if (finding == NULL) {
        return ERR_SET(
            err, ERR_FINDING_MISSING,
            "\"tenantry isolation verify\" looks again; what a probe found is for a person "
            "to mend, with the statement in \"tenantry isolation list\"",
            "the rules find nothing with the id \"%s\" now", id);
    }
    if (!require_reference(result, finding, err) || !is_run_here(arena, finding, &is_ours, err)) {
        return false;
    }
    if (is_ours) {
        add_mend(mends, finding);
        return true;
    }
    ERR_SET(err, ERR_INPUT_INVALID, "\"tenantry isolation rules\" says what to do",
            "finding \"%s\" is for a person to mend", id);
    if (finding->mend != NULL) {
        err_hint(err, "this would: %s", finding->mend);
    }
    return false;
}

static bool choose_named(Arena *arena, const IsolationResult *result, const char *ids, Json *mends,
                         Err *err)
{
    for (const char *at = ids; *at != '\0';) {
        const size_t length = strcspn(at, ", ");
        if (!choose_one(arena, result, arena_strndup(arena, at, length), mends, err)) {
            return false;
        }
        at += length + strspn(at + length, ", ");
    }
    return true;
}

/* What --all leaves alone. */
typedef struct LeftAlone {
    int64_t by_hand;  /* for a person to mend */
    int64_t accepted; /* somebody answers for it */
} LeftAlone;

static bool choose_all(Arena *arena, Store *store, IsolationResult *result, Json *mends,
                       LeftAlone *left, Err *err)
{
    Report report = {.result = result};
    if (!require_reference(result, NULL, err) ||
        !isolation_add_definitions(arena, store, &result->list, err) ||
        !isolation_load_acceptances(arena, store, &report.acceptances, err)) {
        return false;
    }
    for (size_t i = 0; i < result->list.count; i++) {
        const Finding *finding = &result->list.findings[i];
        bool is_ours = false;
        if (report_find_acceptance(&report, finding) != NULL) {
            left->accepted++;
            continue;
        }
        if (!is_run_here(arena, finding, &is_ours, err)) {
            return false;
        }
        if (is_ours) {
            add_mend(mends, finding);
        } else {
            left->by_hand++;
        }
    }
    return true;
}

/* Statements are shown whole before they run, since a person answers for them. */
static bool is_confirmed(OpContext *context, const Json *args, const Json *mends, Err *err)
{
    for (size_t i = 0; i < json_array_size(mends); i++) {
        const Json *mend = json_array_get(mends, i);
        if (context->progress.show != NULL) {
            context->progress.show(context->progress.context,
                                   arena_printf(context->arena, "%s  %s;",
                                                json_get_text(mend, "id", ""),
                                                json_get_text(mend, "statement", "")));
        }
    }
    const char *question = arena_printf(context->arena, "run these statements (%zu)?",
                                        json_array_size(mends));
    return json_get_bool(args, "yes", false) ||
           (context->progress.confirm != NULL &&
            context->progress.confirm(context->progress.context, question, "mend")) ||
           ERR_SET(err, ERR_CONFIRMATION, "--yes runs them without asking",
                   "mending was not confirmed");
}

static bool choose(OpContext *context, const Json *args, Json *mends, LeftAlone *left, Err *err)
{
    Store *store = NULL;
    IsolationResult result = {0};
    const char *ids = json_get_text(args, "ids", NULL);
    if ((ids == NULL) == !json_get_bool(args, "all", false)) {
        return ERR_SET(err, ERR_INPUT_INVALID, "\"tenantry isolation list\" shows the ids",
                       "either ids of findings or --all is expected");
    }
    if (!op_store(context, &store, err) ||
        !isolation_check_rules(context->arena, store, NULL, &result, err)) {
        return false;
    }
    return ids != NULL ? choose_named(context->arena, &result, ids, mends, err)
                       : choose_all(context->arena, store, &result, mends, left, err);
}

static bool run_mend(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    scoped_json Json *job = json_object();
    Json *mends = json_array();
    int64_t job_id = 0;
    LeftAlone left = {0};
    json_put(job, "mends", mends);
    if (!choose(context, args, mends, &left, err)) {
        return false;
    }
    if (json_array_size(mends) > 0 &&
        (!is_confirmed(context, args, mends, err) ||
         !op_run_job(context, &isolation_mend_job, "isolation", NULL, job, &job_id, err))) {
        return false;
    }
    *ret_answer = json_object();
    json_put_int(*ret_answer, "mended", (int64_t)json_array_size(mends));
    json_put_int(*ret_answer, "by_hand", left.by_hand);
    json_put_int(*ret_answer, "accepted", left.accepted);
    json_put(*ret_answer, "mends", json_incref(mends));
    json_put(*ret_answer, "job", job_id == 0 ? json_null() : json_integer(job_id));
    return true;
}

const Operation op_isolation_mend = {
    .name = "isolation.mend",
    .summary = "Run the statements that mend findings of the rules, after showing them.",
    .description =
        "Each runs in a transaction of its own, as the owner of the place where that is needed; "
        "then the rules look again whether the finding is gone. They are shown on standard error "
        "before they run, with --quiet and --json too. Statements that drop tables, views or "
        "routines are shown by \"isolation list\" and left to a person.",
    .access = ACCESS_ADMIN,
    .kind = OP_JOB,
    .http = {"POST", "/v1/isolation/mend"},
    .params = (const Param[]){{"ids", PARAM_TEXT, .is_positional = true,
                               .help = "The findings, with commas between them."},
                              {"all", PARAM_BOOL,
                               .help = "Every finding that a statement mends and nobody accepted."},
                              {"yes", PARAM_BOOL, .help = "Do not ask."},
                              {0}},
    .result =
        (const Field[]){
            {"mended", FIELD_INT, .help = "findings that are gone now"},
            {"by_hand", FIELD_INT, .help = "findings that are for a person to mend"},
            {"accepted", FIELD_INT, .help = "findings left alone, since somebody accepted them"},
            {"mends", FIELD_LIST,
             .fields = (const Field[]){{"id", FIELD_TEXT, .help = "the finding"},
                                       {"check", FIELD_TEXT, .help = "the rule"},
                                       {"object", FIELD_TEXT, .is_long = true, .help = "where"},
                                       {"statement", FIELD_TEXT, .is_long = true,
                                        .help = "what was run"},
                                       {0}},
             .help = "what was run"},
            {"job", FIELD_INT, .is_nullable = true, .help = "the job that did it"},
            {0}},
    .examples = (const OpExample[]){{"isolation mend --all", "shows, asks, mends, looks again"},
                                    {"isolation mend 0123456789abcdef --yes",
                                     "one, without asking"},
                                    {0}},
    .done = "findings mended: {mended}",
    .run = run_mend,
};
