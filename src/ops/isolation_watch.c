/* isolation.watch: what changed since the last run of the same kind. */
#include <string.h>

#include "ops/context.h"
#include "ops/isolation_run.h"

/* The run before: {finding's id: {evidence, is_accepted}}, what it did not check, its catalogue. */
typedef struct Before {
    bool is_there;
    Json *ids;
    Json *unchecked; /* NULL: there was no run */
    const char *catalogue;
    const char *finished;
} Before;

static void before_done(Before *before)
{
    json_decref(before->ids);
    json_decref(before->unchecked);
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
    if (!json_parse(pg_rows_text(runs, 0, 3), "what the last run did not check",
                    &ret_before->unchecked, err) ||
        !store_query(store, ISOLATION_LAST_FINDINGS, PG_PARAMS(pg_rows_text(runs, 0, 0)), &rows,
                     err)) {
        return false;
    }
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        Json *finding = json_object();
        json_put_text(finding, "evidence", pg_rows_text(rows, i, 1));
        json_put_bool(finding, "is_accepted", pg_rows_bool(rows, i, 2));
        json_put(ret_before->ids, pg_rows_text(rows, i, 0), finding);
    }
    return true;
}

/* There before, with the same evidence, and not accepted then while it counts now. */
static bool is_old(const Report *report, const Before *before, const Finding *finding)
{
    const Json *was = json_object_get(before->ids, finding->id);
    return was != NULL && strcmp(json_get_text(was, "evidence", ""), finding->evidence) == 0 &&
           !(json_get_bool(was, "is_accepted", false) && report_is_failing(report, finding));
}

/* What is new since then, and how much of it counts; what is there leaves before->ids, so that the
 * gone stay. */
typedef struct Drift {
    Json *fresh;
    int64_t unchanged;
    size_t failing;
} Drift;

static Drift find_drift(const Report *report, Before *before)
{
    Drift drift = {.fresh = json_array()};
    scoped_json Json *findings = report_findings_to_json(report);
    for (size_t i = 0; i < report->result->list.count; i++) {
        const Finding *finding = &report->result->list.findings[i];
        const bool is_unchanged = is_old(report, before, finding);
        json_object_del(before->ids, finding->id);
        if (is_unchanged) {
            drift.unchanged++;
        } else {
            json_array_append(drift.fresh, json_array_get(findings, i));
            drift.failing += report_is_failing(report, finding) ? 1 : 0;
        }
    }
    return drift;
}

static bool was_untried(const Before *before, const char *untried)
{
    for (size_t i = 0; i < json_array_size(before->unchecked); i++) {
        const Json *was = json_array_get(before->unchecked, i);
        if (strcmp(json_get_text(was, "untried", ""), untried) == 0) {
            return true;
        }
    }
    return false;
}

/* Why logins could not be tried that the run before had tried, or had not met. */
static Json *newly_untried(const IsolationResult *result, const Before *before)
{
    Json *list = json_array();
    for (size_t i = 0; i < result->unchecked_count; i++) {
        const Unchecked *now = &result->unchecked[i];
        if (now->untried != NULL && !was_untried(before, now->untried)) {
            json_array_append_new(list, json_string(now->reason));
        }
    }
    return list;
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

/* A login that cannot be tried any more may be so because its tenant wants it so. */
static bool judge(const Report *report, size_t failing, const Json *untried, Err *err)
{
    static const char hint[] = "\"tenantry isolation list\" shows all of them";
    if (failing > 0) {
        return ERR_SET(err, ERR_ISOLATION, hint, "%zu finding%s new since the last run", failing,
                       failing == 1 ? " is" : "s are");
    }
    const size_t count = json_array_size(untried);
    return count == 0 || report->fail_on == REPORT_FAIL_NEVER ||
           ERR_SET(err, ERR_ISOLATION, hint,
                   "%zu login%s could not be tried that the last run did not miss; the first: %s",
                   count, count == 1 ? "" : "s", json_string_value(json_array_get(untried, 0)));
}

static bool run_watch(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    IsolationRunOptions options;
    scoped_before Before before = {0};
    scoped_isolation_run IsolationRun run = {0};
    if (!isolation_read_options(context, args, &options, err) ||
        !read_before(context, &options, &before, err) ||
        !isolation_run(context, &options, &run, err)) {
        return false;
    }
    const Drift drift = find_drift(&run.report, &before);
    const char *now = run.result.catalogue;
    *ret_answer = json_object();
    json_put_text(*ret_answer, "verdict", report_verdict(&run.report));
    json_put_int(*ret_answer, "run", run.report.run);
    json_put_text(*ret_answer, "since", before.finished);
    json_put_bool(*ret_answer, "is_catalogue_changed",
                  before.is_there && before.catalogue != NULL && now != NULL &&
                      strcmp(before.catalogue, now) != 0);
    json_put_int(*ret_answer, "unchanged", drift.unchanged);
    json_put(*ret_answer, "new", drift.fresh);
    json_put(*ret_answer, "gone", ids_of(&before));
    Json *untried = newly_untried(&run.result, &before);
    json_put(*ret_answer, "untried", untried);
    return judge(&run.report, drift.failing, untried, err);
}

const Operation op_isolation_watch = {
    .name = "isolation.watch",
    .summary = "Verify again and tell what changed since the last run of the same kind.",
    .description = "For cron: exit status 76 when something counts that is new, was found with "
                   "less evidence, or "
                   "was accepted until now, or when a login could not be tried that the last run "
                   "did not miss; 0 otherwise. Compared are runs of the same tenant or "
                   "of the fleet, "
                   "with or without probes; in the first one everything is new.",
    .access = ACCESS_VIEWER,
    .kind = OP_COMMAND,
    .http = {"POST", "/v1/isolation/watch"},
    .params =
        (const Param[]){ISOLATION_TENANT_PARAM, ISOLATION_PROBE_PARAMS, ISOLATION_FAIL_PARAM, {0}},
    .result = (const Field[]){{"verdict", FIELD_TEXT,
                               .help = "isolated, isolated_as_far_as_checked, "
                                       "isolated_but_for_accepted, violated"},
                              {"run", FIELD_INT, .help = "number of this run"},
                              {"since", FIELD_TIME, .is_nullable = true,
                               .help = "when the last one ended"},
                              {"is_catalogue_changed", FIELD_BOOL,
                               .help = "whether what the rules read has changed"},
                              {"unchanged", FIELD_INT, .help = "findings that are there still"},
                              {"new", FIELD_LIST, .fields = isolation_finding_fields,
                               .help = "findings that are new"},
                              {"gone", FIELD_TEXTS, .help = "ids of findings that are gone"},
                              {"untried", FIELD_LINES,
                               .help = "why logins could not be tried that the last run had tried, "
                                       "or had not met"},
                              {0}},
    .examples = (const OpExample[]){{"isolation watch --quiet", "from cron"}, {0}},
    .run = run_watch,
};
