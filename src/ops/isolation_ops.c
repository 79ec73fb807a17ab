/* isolation.verify, the list of what it found, and the checks that there are. */
#include <string.h>

#include "core/array.h"
#include "core/file.h"
#include "ops/context.h"
#include "ops/isolation_run.h"
#include "secret/secret.h"
#include "store/signing.h"

/* --- verify ----------------------------------------------------------------------------------- */

static bool refuse_existing(const char *path, Err *err)
{
    return ERR_SET(err, ERR_INPUT_INVALID, "--force replaces it",
                   "the file \"%s\" is there already", path);
}

/* Before the work, so that it is not done for nothing. */
static bool check_files(const Json *args, Err *err)
{
    static const char *const names[] = {"output", "report"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        const char *path = json_get_text(args, names[i], NULL);
        if (path != NULL && !file_check_target(path, err)) {
            return false;
        }
        if (path != NULL && !json_get_bool(args, "force", false) && file_exists(path)) {
            return refuse_existing(path, err);
        }
    }
    return true;
}

/* Findings are nobody else's business: the file is its owner's. */
static bool write_file(const char *path, const char *text, const Json *args, Err *err)
{
    enum { MODE = 0600 };
    bool is_new = false;
    if (json_get_bool(args, "force", false)) {
        return file_check_target(path, err) &&
               file_write_atomic(path, text, strlen(text), MODE, err);
    }
    return file_create(path, text, strlen(text), MODE, &is_new, err) &&
           (is_new || refuse_existing(path, err));
}

static bool make_document(OpContext *context, const char *format, const Report *report,
                          const char **ret_text, Err *err)
{
    if (strcmp(format, "junit") == 0) {
        return report_to_junit(context->arena, report, ret_text, err);
    }
    if (strcmp(format, "json") == 0) {
        scoped_json Json *answer = report_to_json(report);
        *ret_text = arena_printf(context->arena, "%s\n", json_to_indented(context->arena, answer));
    } else if (strcmp(format, "sarif") == 0) {
        *ret_text = arena_printf(context->arena, "%s\n", report_to_sarif(context->arena, report));
    } else {
        *ret_text = report_to_table(context->arena, report);
    }
    return true;
}

/* The signed report; its key's fingerprint becomes part of the answer. */
static bool write_report(OpContext *context, const char *path, const Report *report,
                         const Json *args, Json *answer, Err *err)
{
    uint8_t *seed = NULL;
    uint8_t public_key[SECRET_PUBLIC_BYTES];
    const char *text = NULL;
    const char *fingerprint = NULL;
    if (!store_signing_key(context->arena, context->store, context->actor, &seed, err)) {
        return false;
    }
    const bool is_signed = report_sign(context->arena, report, seed, &text, err) &&
                           secret_sign_public(seed, public_key, err);
    secret_free(seed, SECRET_SEED_BYTES);
    if (!is_signed || !secret_sign_fingerprint(context->arena, public_key, &fingerprint, err) ||
        !write_file(path, text, args, err)) {
        return false;
    }
    json_put_text(answer, "fingerprint", fingerprint);
    return true;
}

/* Documents that were asked for: into files, and what people see on the screen. */
static bool add_documents(OpContext *context, const Report *report, const Json *args, Json *answer,
                          Err *err)
{
    const char *output = json_get_text(args, "output", NULL);
    const char *signed_file = json_get_text(args, "report", NULL);
    const char *text = NULL;
    if (!make_document(context, json_get_text(args, "format", "table"), report, &text, err) ||
        (output != NULL && !write_file(output, text, args, err)) ||
        (signed_file != NULL && !write_report(context, signed_file, report, args, answer, err))) {
        return false;
    }
    text = output != NULL ? report_to_table(context->arena, report) : text;
    if (signed_file != NULL) {
        const char *fingerprint = json_get_text(answer, "fingerprint", "");
        if (context->progress.note != NULL) {
            context->progress.note(
                context->progress.context,
                arena_printf(context->arena, "%s is signed by key %s", signed_file, fingerprint));
        }
    }
    /* Who reads JSON has all of the table in it. */
    const bool is_table = output != NULL ||
                          strcmp(json_get_text(args, "format", "table"), "table") == 0;
    json_put_text(answer, "document",
                  is_table && config_bool(context->config, OPT_JSON) ? NULL : text);
    return true;
}

static bool run_verify(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    IsolationRunOptions options;
    scoped_isolation_run IsolationRun run = {0};
    if (!check_files(args, err) || !isolation_read_options(context, args, &options, err) ||
        !isolation_run(context, &options, &run, err)) {
        return false;
    }
    Json *answer = report_to_json(&run.report);
    json_put_text(answer, "output", json_get_text(args, "output", NULL));
    json_put_text(answer, "report", json_get_text(args, "report", NULL));
    json_put_text(answer, "fingerprint", NULL);
    if (!add_documents(context, &run.report, args, answer, err)) {
        json_decref(answer);
        return false;
    }
    *ret_answer = answer;
    return isolation_run_judge(&run, err);
}

static const Field unchecked_fields[] = {
    {"check", FIELD_TEXT, .help = "the rule or probe"},
    {"untried", FIELD_TEXT, .is_nullable = true,
     .help = "the login that did not try all that it should"},
    {"reason", FIELD_TEXT, .is_long = true, .help = "why it could not be done, or not all of it"},
    {0},
};

static const Field check_fields[] = {
    {"id", FIELD_TEXT, .help = "the rule or probe"},
    {"kind", FIELD_TEXT, .help = "rule or probe"},
    {"severity", FIELD_TEXT, .help = "critical, high, medium or low"},
    {"state", FIELD_TEXT, .help = "found, clean, not checked or not run"},
    {"attempts", FIELD_INT, .is_nullable = true,
     .help = "how often a probe tried; 0: it says nothing"},
    {"findings", FIELD_INT, .help = "findings of it"},
    {"title", FIELD_TEXT, .is_long = true, .help = "what"},
    {"reason", FIELD_TEXT, .is_nullable = true, .is_long = true,
     .help = "why it was not done, or not all of it"},
    {0},
};

const Operation op_isolation_verify = {
    .name = "isolation.verify",
    .summary = "Check that no tenant can see, change or disturb another, and report it.",
    .description =
        "Rules read the catalogue; probes log in as each role of a tenant and really try, always "
        "rolled back. The run is kept (\"isolation list\"). Exit status 76 when something is found "
        "that nobody accepted. --report writes a signed report, which \"isolation check-report\" "
        "verifies without a database.",
    .access = ACCESS_VIEWER,
    .kind = OP_COMMAND,
    .http = {"POST", "/v1/isolation/verify"},
    .params = (const Param[]){ISOLATION_TENANT_PARAM,
                              ISOLATION_PROBE_PARAMS,
                              {"format", PARAM_ENUM, .fallback = "table",
                               .choices = "table|json|junit|sarif",
                               .help = "What is printed, or written to the file of --output."},
                              {"output", PARAM_PATH, .help = "Write it to this file, mode 0600."},
                              {"report", PARAM_PATH,
                               .help = "Write a signed report to this file, mode 0600."},
                              {"force", PARAM_BOOL, .help = "Replace files that are there."},
                              ISOLATION_FAIL_PARAM,
                              {0}},
    .result =
        (const Field[]){
            {"verdict", FIELD_TEXT,
             .help = "isolated, isolated_as_far_as_checked, "
                     "isolated_but_for_accepted, violated"},
            {"is_isolated", FIELD_BOOL, .help = "whether nothing was found, accepted or not"},
            {"run", FIELD_INT, .help = "number of this run"},
            {"tenant", FIELD_TEXT, .is_nullable = true, .help = "the tenant; none: the fleet"},
            {"tenants", FIELD_INT, .help = "tenants that were looked at"},
            {"spares", FIELD_INT, .help = "spare places that were looked at, beside them"},
            {"rules", FIELD_INT, .help = "rules that were asked"},
            {"probes", FIELD_INT, .help = "attempts that were made"},
            {"untried", FIELD_INT, .help = "logins that did not try all that they should"},
            {"mode", FIELD_TEXT,
             .help = "whom logins were to try: rules_only, one_neighbour, pairs, all_pairs"},
            {"pairs", FIELD_INT, .is_nullable = true, .help = "how many were asked for"},
            {"seed", FIELD_INT, .help = "decided which pairs were tried"},
            {"tried", FIELD_INT, .help = "tenants of which a login tried"},
            {"failing", FIELD_INT, .help = "findings that count: severe enough, not accepted"},
            {"accepted", FIELD_INT, .help = "findings that somebody accepted"},
            {"started", FIELD_TIME, .help = "when it began"},
            {"finished", FIELD_TIME, .help = "when it ended"},
            {"catalogue", FIELD_TEXT, .is_nullable = true,
             .help = "SHA-256 over the part of the catalogue that was read"},
            {"output", FIELD_TEXT, .is_nullable = true, .help = "the file of --output"},
            {"report", FIELD_TEXT, .is_nullable = true, .help = "the file of --report"},
            {"fingerprint", FIELD_TEXT, .is_nullable = true, .help = "of the key that signed it"},
            {"findings", FIELD_LIST, .fields = isolation_finding_fields,
             .help = "most severe first"},
            {"unchecked", FIELD_LIST, .fields = unchecked_fields,
             .help = "what could not be checked"},
            {"checks", FIELD_LIST, .fields = check_fields,
             .help = "every rule and probe, and what became of it"},
            {"limits", FIELD_LINES,
             .help = "what PostgreSQL shows to everybody or shares, which no right can change"},
            {"document", FIELD_TEXT, .is_nullable = true,
             .help = "the report in the format that was asked for; with --json no table"},
            {0}},
    .examples = (const OpExample[]){{"isolation verify", "the whole fleet"},
                                    {"isolation verify acme --rules-only",
                                     "one tenant, by its catalogue"},
                                    {"isolation verify --format junit --output isolation.xml",
                                     "for a build server"},
                                    {"isolation verify --report isolation.json", "for an auditor"},
                                    {0}},
    .again = "isolation list",
    .run = run_verify,
    .document = "document",
};

/* --- list ------------------------------------------------------------------------------------- */

static bool run_list(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Tenant *tenant = NULL;
    return isolation_find_tenant(context, args, &tenant, err) &&
           store_query_json(context->store, ISOLATION_LIST,
                            PG_PARAMS(tenant == NULL ? NULL : tenant->id), ret_answer, err) &&
           (*ret_answer != NULL ||
            ERR_SET(err, ERR_FINDING_MISSING, "\"tenantry isolation verify\" makes one",
                    "there is no run of \"isolation verify\" yet that covers %s",
                    tenant == NULL ? "the fleet" : "this tenant"));
}

const Operation op_isolation_list = {
    .name = "isolation.list",
    .summary = "List what the last run of \"isolation verify\" found.",
    .access = ACCESS_VIEWER,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/isolation"},
    .params = (const Param[]){{"tenant", PARAM_SLUG, .is_positional = true,
                               .help = "Findings of this tenant, from the last run that covers it; "
                                       "the last run of the whole fleet if not given."},
                              {0}},
    .result =
        (const Field[]){
            {"run", FIELD_INT, .help = "number of the run"},
            {"finished", FIELD_TIME, .help = "when it ended"},
            {"has_probes", FIELD_BOOL, .help = "whether it logged in and tried"},
            {"tenants", FIELD_INT, .help = "tenants that were looked at"},
            {"findings", FIELD_LIST,
             .fields =
                 (const Field[]){
                     {"severity", FIELD_TEXT, .help = "critical, high, medium or low"},
                     {"id", FIELD_TEXT, .help = "the same in each run"},
                     {"check", FIELD_TEXT, .help = "the rule or probe"},
                     {"tenant", FIELD_TEXT, .is_nullable = true,
                      .help = "whose data, or who could do it"},
                     {"other", FIELD_TEXT, .is_nullable = true,
                      .help = "the tenant on the other side"},
                     {"accepted_until", FIELD_TIME, .is_nullable = true,
                      .help = "somebody answers for it until then"},
                     {"object", FIELD_TEXT, .is_long = true, .help = "where"},
                     {"evidence", FIELD_TEXT, .is_long = true, .help = "what was found"},
                     {"definition", FIELD_TEXT, .is_nullable = true, .is_wide = true,
                      .help = "hash of the evidence and of the object, which "
                              "\"isolation accept\" takes"},
                     {"mend", FIELD_TEXT, .is_nullable = true, .is_long = true,
                      .help = "the mending statement"},
                     {"reason", FIELD_TEXT, .is_nullable = true, .is_long = true,
                      .help = "why it is accepted"},
                     {0}},
             .help = "most severe first"},
            {"unchecked", FIELD_LIST, .fields = unchecked_fields,
             .help = "what could not be checked"},
            {0}},
    .examples = (const OpExample[]){{"isolation list", "the fleet"}, {0}},
    .run = run_list,
};

/* --- rules ------------------------------------------------------------------------------------ */

static bool run_rules(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    size_t count = 0;
    const IsolationCheck *checks = isolation_checks(&count);
    Json *list = json_array();
    (void)context;
    (void)args;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        Json *object = json_object();
        json_put_text(object, "id", checks[i].id);
        json_put_text(object, "kind", checks[i].is_probe ? "probe" : "rule");
        json_put_text(object, "severity", severity_name(checks[i].severity));
        json_put_text(object, "tiers", checks[i].tiers);
        json_put_text(object, "title", checks[i].title);
        json_put_text(object, "why", checks[i].why);
        json_array_append_new(list, object);
    }
    *ret_answer = json_object();
    json_put(*ret_answer, "checks", list);
    json_put(*ret_answer, "limits", report_limits_to_json());
    return true;
}

const Operation op_isolation_rules = {
    .name = "isolation.rules",
    .summary = "List every rule and probe of \"isolation verify\", and what no rule can change.",
    .access = ACCESS_PUBLIC,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/isolation/rules"},
    .params = (const Param[]){{0}},
    .result =
        (const Field[]){
            {"checks", FIELD_LIST,
             .fields = (const Field[]){{"id", FIELD_TEXT, .help = "name"},
                                       {"kind", FIELD_TEXT, .help = "rule or probe"},
                                       {"severity", FIELD_TEXT,
                                        .help = "critical, high, medium or low"},
                                       {"tiers", FIELD_TEXT, .help = "where it applies"},
                                       {"title", FIELD_TEXT, .is_long = true, .help = "what"},
                                       {"why", FIELD_TEXT, .is_long = true,
                                        .help = "what a tenant could do, and what to do"},
                                       {0}},
             .help = "by name"},
            {"limits", FIELD_LINES, .help = "what PostgreSQL shows to everybody or shares"},
            {0}},
    .examples = (const OpExample[]){{"isolation rules", "what is checked"}, {0}},
    .run = run_rules,
};
