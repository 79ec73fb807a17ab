/* isolation.watch: what changed since the last run of the same kind. */
#include <string.h>

#include "ops/context.h"
#include "ops/isolation_run.h"

/* The run before: {finding's id: true}, and its catalogue. */
typedef struct Before {
    bool is_there;
    Json *ids;
    const char *catalogue;
    const char *finished;
} Before;

static void before_done(Before *before)
{
    json_decref(before->ids);
}
#define scoped_before __attribute__((cleanup(before_done)))

static bool read_before(OpContext *context, const IsolationRunOptions *options, Before *ret_before,
                        Err *err)
{
    Store *store = context->store;
    scoped_rows PgRows *runs = NULL;
    scoped_rows PgRows *rows = NULL;
    const char *tenant_id = options->tenant == NULL ? NULL : options->tenant->id;
    ret_before->ids = json_object();
    if (!store_query(store, ISOLATION_LAST_RUN,
                     PG_PARAMS(tenant_id, options->has_probes ? "true" : "false"), &runs, err)) {
        return false;
    }
    if (pg_rows_count(runs) == 0) {
        return true;
    }
    ret_before->is_there = true;
    ret_before->catalogue = arena_strdup(context->arena, pg_rows_text(runs, 0, 1));
    ret_before->finished = arena_strdup(context->arena, pg_rows_text(runs, 0, 2));
    if (!store_query(store, ISOLATION_LAST_FINDINGS, PG_PARAMS(pg_rows_text(runs, 0, 0)), &rows,
                     err)) {
        return false;
    }
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        json_put_bool(ret_before->ids, pg_rows_text(rows, i, 0), true);
    }
    return true;
}

/* What is new since then; those that are there still leave before->ids, so that the gone stay. */
static Json *take_new(const Report *report, Before *before, int64_t *ret_unchanged)
{
    scoped_json Json *findings = report_findings_to_json(report);
    Json *fresh = json_array();
    *ret_unchanged = 0;
    for (size_t i = 0; i < json_array_size(findings); i++) {
        Json *finding = json_array_get(findings, i);
        if (json_object_del(before->ids, json_get_text(finding, "id", "")) == 0) {
            (*ret_unchanged)++;
        } else {
            json_array_append(fresh, finding);
        }
    }
    return fresh;
}

static Json *ids_of(const Before *before)
{
    Json *list = json_array();
    for (void *at = json_object_iter(before->ids); at != NULL;
         at = json_object_iter_next(before->ids, at)) {
        json_array_append_new(list, json_string(json_object_iter_key(at)));
    }
    return list;
}

/* Drift is a new finding that counts: not accepted, and severe enough. */
static bool judge_new(const IsolationRun *run, const Json *fresh, Err *err)
{
    size_t failing = 0;
    for (size_t i = 0; i < run->result.list.count; i++) {
        const Finding *finding = &run->result.list.findings[i];
        for (size_t n = 0; n < json_array_size(fresh); n++) {
            const char *id = json_get_text(json_array_get(fresh, n), "id", "");
            failing += strcmp(id, finding->id) == 0 &&
                               (int)finding->check->severity <= run->report.fail_on &&
                               report_find_acceptance(&run->report, finding) == NULL
                           ? 1
                           : 0;
        }
    }
    return failing == 0 ||
           ERR_SET(err, ERR_ISOLATION, "\"tenantry isolation list\" shows all of them",
                   "%zu finding%s new since the last run", failing, failing == 1 ? " is" : "s are");
}

static bool run_watch(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    IsolationRunOptions options;
    scoped_before Before before = {0};
    scoped_isolation_run IsolationRun run = {0};
    int64_t unchanged = 0;
    if (!isolation_read_options(context, args, &options, err) ||
        !read_before(context, &options, &before, err) ||
        !isolation_run(context, &options, &run, err)) {
        return false;
    }
    Json *fresh = take_new(&run.report, &before, &unchanged);
    const char *now = run.result.catalogue;
    *ret_answer = json_object();
    json_put_text(*ret_answer, "verdict", report_verdict(&run.report));
    json_put_int(*ret_answer, "run", run.report.run);
    json_put_text(*ret_answer, "since", before.finished);
    json_put_bool(*ret_answer, "is_catalogue_changed",
                  before.is_there && before.catalogue != NULL && now != NULL &&
                      strcmp(before.catalogue, now) != 0);
    json_put_int(*ret_answer, "unchanged", unchanged);
    json_put(*ret_answer, "new", fresh);
    json_put(*ret_answer, "gone", ids_of(&before));
    return judge_new(&run, fresh, err);
}

const Operation op_isolation_watch = {
    .name = "isolation.watch",
    .summary = "Verify again and tell what changed since the last run of the same kind.",
    .description = "For cron: exit status 76 when there is a finding that was not there before and "
                   "nobody accepted, 0 otherwise. Compared are runs of the same tenant or of the "
                   "fleet, with or without probes; in the first one everything is new.",
    .access = ACCESS_VIEWER,
    .kind = OP_COMMAND,
    .http = {"POST", "/v1/isolation/watch"},
    .params =
        (const Param[]){ISOLATION_TENANT_PARAM, ISOLATION_PROBE_PARAMS, ISOLATION_FAIL_PARAM, {0}},
    .result =
        (const Field[]){
            {"verdict", FIELD_TEXT, .help = "isolated, isolated_as_far_as_checked, violated"},
            {"run", FIELD_INT, .help = "number of this run"},
            {"since", FIELD_TIME, .is_nullable = true, .help = "when the last one ended"},
            {"is_catalogue_changed", FIELD_BOOL, .help = "whether what the rules read has changed"},
            {"unchanged", FIELD_INT, .help = "findings that are there still"},
            {"new", FIELD_LIST, .fields = isolation_finding_fields,
             .help = "findings that are new"},
            {"gone", FIELD_TEXTS, .help = "ids of findings that are gone"},
            {0}},
    .examples = (const OpExample[]){{"isolation watch --quiet", "from cron"}, {0}},
    .run = run_watch,
};
