/* isolation.mend: runs the statements that the rules gave for their findings, once somebody has
 * seen them, and looks again whether the findings are gone. */
#include "isolation/mend.h"

#include <inttypes.h>
#include <string.h>

#include "core/strbuf.h"
#include "isolation/isolation.h"
#include "ops/context.h"
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

/* --- the job: record, apply, look again -------------------------------------------------------
 */

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

/* Owners of the places that a statement names: what belongs to them only they, and who is a member,
 * may change. */
static bool find_owners(JobContext *context, const char *statement, PgRows **ret_owners, Err *err)
{
    scoped_json Json *names = NULL;
    return mend_check(context->arena, statement, &names, err) &&
           store_query(context->store, ISOLATION_OWNERS,
                       PG_PARAMS(json_to_text(context->arena, names)), ret_owners, err);
}

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
    PgConn *conn = context->store->conn;
    scoped_rows PgRows *owners = NULL;
    if (!find_owners(context, finding->mend, &owners, err) ||
        !change_membership(context, "GRANT {} TO CURRENT_USER", owners, err)) {
        return false;
    }
    if (!pg_query(conn, finding->mend, PG_NO_PARAMS, NULL, err)) {
        err_prefix(err, "finding \"%s\"", finding->id);
        err_hint(err, "somebody with the right has to run it: %s", finding->mend);
        return false;
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
        if (!apply(context, finding, err)) {
            return false;
        }
    }
    return true;
}

static bool step_look(JobContext *context, Err *err)
{
    IsolationResult result = {0};
    const Json *mends = json_object_get(context->args, "mends");
    if (!isolation_check_rules(context->arena, context->store, NULL, &result, err)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(mends); i++) {
        const Finding *finding = find_finding(&result,
                                              json_get_text(json_array_get(mends, i), "id", ""));
        if (finding != NULL) {
            ERR_SET(err, ERR_ISOLATION, NULL, "finding \"%s\" is still there: %s, %s", finding->id,
                    finding->object, finding->evidence);
            if (finding->mend != NULL) {
                err_hint(err, "what it takes now: %s", finding->mend);
            }
            return false;
        }
    }
    return true;
}

const JobKind isolation_mend_job = {
    .operation = "isolation.mend",
    .steps = (const JobStep[]){
        {"record", "Recording what will be run", JOB_STEP_TRANSACTION, step_record},
        {"apply", "Running what mends", JOB_STEP_FREE, step_apply},
        {"look", "Looking whether the findings are gone", JOB_STEP_FREE, step_look},
        {0}}};

/* --- the operation ----------------------------------------------------------------------------
 */

static void add_mend(Json *mends, const Finding *finding)
{
    Json *mend = json_object();
    json_put_text(mend, "id", finding->id);
    json_put_text(mend, "check", finding->check->id);
    json_put_text(mend, "object", finding->object);
    json_put_text(mend, "statement", finding->mend);
    json_array_append_new(mends, mend);
}

/* The findings that were named, each of which must be there and have a statement. */
static bool choose_named(Arena *arena, const IsolationResult *result, const char *ids, Json *mends,
                         Err *err)
{
    for (const char *at = ids; *at != '\0';) {
        const size_t length = strcspn(at, ", ");
        const char *id = arena_strndup(arena, at, length);
        const Finding *finding = find_finding(result, id);
        at += length + strspn(at + length, ", ");
        if (finding == NULL) {
            return ERR_SET(err, ERR_FINDING_MISSING, "\"tenantry isolation verify\" looks again",
                           "the rules find nothing with the id \"%s\" now", id);
        }
        if (finding->mend == NULL) {
            return ERR_SET(err, ERR_INPUT_INVALID, "\"tenantry isolation rules\" says what to do",
                           "there is no statement that mends finding \"%s\"", id);
        }
        add_mend(mends, finding);
    }
    return true;
}

/* Statements are shown whole, since a person answers for them. */
static bool is_confirmed(OpContext *context, const Json *args, const Json *mends, Err *err)
{
    for (size_t i = 0; i < json_array_size(mends); i++) {
        const Json *mend = json_array_get(mends, i);
        if (context->progress.note != NULL) {
            context->progress.note(context->progress.context,
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

static bool choose(OpContext *context, const Json *args, Json *mends, int64_t *ret_without,
                   Err *err)
{
    Store *store = NULL;
    IsolationResult result = {0};
    const char *ids = json_get_text(args, "ids", NULL);
    *ret_without = 0;
    if ((ids == NULL) == !json_get_bool(args, "all", false)) {
        return ERR_SET(err, ERR_INPUT_INVALID, "\"tenantry isolation list\" shows the ids",
                       "either ids of findings or --all is expected");
    }
    if (!op_store(context, &store, err) ||
        !isolation_check_rules(context->arena, store, NULL, &result, err)) {
        return false;
    }
    if (ids != NULL) {
        return choose_named(context->arena, &result, ids, mends, err);
    }
    for (size_t i = 0; i < result.list.count; i++) {
        if (result.list.findings[i].mend != NULL) {
            add_mend(mends, &result.list.findings[i]);
        } else {
            (*ret_without)++;
        }
    }
    return true;
}

/* Nothing may be run that is not of the kinds that mend, and nothing is begun when one is not. */
static bool check_statements(OpContext *context, const Json *mends, Err *err)
{
    for (size_t i = 0; i < json_array_size(mends); i++) {
        const Json *mend = json_array_get(mends, i);
        scoped_json Json *names = NULL;
        if (!mend_check(context->arena, json_get_text(mend, "statement", ""), &names, err)) {
            return err_prefix(err, "finding \"%s\"", json_get_text(mend, "id", ""));
        }
    }
    return true;
}

static bool run_mend(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    scoped_json Json *job = json_object();
    Json *mends = json_array();
    int64_t job_id = 0;
    int64_t without = 0;
    json_put(job, "mends", mends);
    if (!choose(context, args, mends, &without, err) || !check_statements(context, mends, err)) {
        return false;
    }
    if (json_array_size(mends) > 0 &&
        (!is_confirmed(context, args, mends, err) ||
         !op_run_job(context, &isolation_mend_job, "isolation", NULL, job, &job_id, err))) {
        return false;
    }
    *ret_answer = json_object();
    json_put_int(*ret_answer, "mended", (int64_t)json_array_size(mends));
    json_put_int(*ret_answer, "without_statement", without);
    json_put(*ret_answer, "mends", json_incref(mends));
    json_put(*ret_answer, "job", job_id == 0 ? json_null() : json_integer(job_id));
    return true;
}

const Operation op_isolation_mend = {
    .name = "isolation.mend",
    .summary = "Run the statements that mend findings of the rules, after showing them.",
    .description =
        "Each runs in a transaction of its own, as the owner of the place where that is needed; "
        "then the rules look again whether the finding is gone. Only REVOKE, ALTER that puts an "
        "attribute right, and DROP of policies, triggers, rules and publications can be run.",
    .access = ACCESS_ADMIN,
    .kind = OP_JOB,
    .http = {"POST", "/v1/isolation/mend"},
    .params = (const Param[]){{"ids", PARAM_TEXT, .is_positional = true,
                               .help = "The findings, with commas between them."},
                              {"all", PARAM_BOOL, .help = "Every finding that a statement mends."},
                              {"yes", PARAM_BOOL, .help = "Do not ask."},
                              {0}},
    .result =
        (const Field[]){
            {"mended", FIELD_INT, .help = "findings that are gone now"},
            {"without_statement", FIELD_INT, .help = "findings that no statement mends"},
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
