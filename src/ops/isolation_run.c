#include "ops/isolation_run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/clock.h"
#include "ops/context.h"

bool isolation_find_tenant(OpContext *context, const Json *args, Tenant **ret_tenant, Err *err)
{
    Store *store = NULL;
    const char *slug = json_get_text(args, "tenant", NULL);
    *ret_tenant = NULL;
    return op_store(context, &store, err) &&
           (slug == NULL || tenants_get_by_slug(context->arena, store, slug, ret_tenant, err));
}

bool isolation_read_options(OpContext *context, const Json *args, IsolationRunOptions *ret_options,
                            Err *err)
{
    Tenant *tenant = NULL;
    const bool is_rules_only = json_get_bool(args, "rules-only", false);
    const bool is_all_pairs = json_get_bool(args, "all-pairs", false);
    if ((is_all_pairs && json_object_get(args, "pairs") != NULL) ||
        (is_rules_only && (is_all_pairs || json_object_get(args, "pairs") != NULL))) {
        return ERR_SET(err, ERR_INPUT_INVALID, NULL,
                       "only one of --rules-only, --pairs and --all-pairs can be given");
    }
    if (!isolation_find_tenant(context, args, &tenant, err)) {
        return false;
    }
    *ret_options = (IsolationRunOptions){.tenant = tenant,
                                         .has_probes = !is_rules_only,
                                         .pairs = json_get_int(args, "pairs", 0),
                                         .is_all_pairs = is_all_pairs,
                                         .seed = json_get_int(args, "seed", clock_wall_us()),
                                         .fail_on = json_get_text(args, "fail-on", "never")};
    return true;
}

static const Field accepted_fields[] = {
    {"reason", FIELD_TEXT, .help = "why"},
    {"actor", FIELD_TEXT, .help = "who"},
    {"until", FIELD_TIME, .help = "when it counts again"},
    {0},
};

const Field isolation_finding_fields[] = {
    {"severity", FIELD_TEXT, .help = "critical, high, medium or low"},
    {"id", FIELD_TEXT, .help = "the same in each run"},
    {"check", FIELD_TEXT, .help = "the rule or probe"},
    {"tenant", FIELD_TEXT, .is_nullable = true, .help = "whose data, or who could do it"},
    {"other", FIELD_TEXT, .is_nullable = true, .help = "the tenant on the other side"},
    {"object", FIELD_TEXT, .is_long = true, .help = "where"},
    {"evidence", FIELD_TEXT, .is_long = true, .help = "what was found, or what happened"},
    {"definition", FIELD_TEXT, .is_nullable = true, .is_wide = true,
     .help = "hash of the evidence and of the object, which \"isolation accept\" takes"},
    {"mend", FIELD_TEXT, .is_nullable = true, .is_long = true, .help = "the mending statement"},
    {"accepted", FIELD_OBJECT, .is_nullable = true, .is_wide = true, .fields = accepted_fields,
     .help = "the acceptance in force"},
    {0},
};

/* --- checking --------------------------------------------------------------------------------- */

static void on_progress(void *opaque, int64_t done, int64_t total)
{
    const OpContext *context = opaque;
    if (context->progress.step != NULL) {
        context->progress.step(context->progress.context, "Trying as each tenant's roles", NULL,
                               done, total);
    }
}

static int compare_findings(const void *a, const void *b)
{
    const Finding *one = a;
    const Finding *other = b;
    if (one->check->severity != other->check->severity) {
        return one->check->severity < other->check->severity ? -1 : 1;
    }
    const int by_check = strcmp(one->check->id, other->check->id);
    const int by_object = by_check != 0 ? by_check : strcmp(one->object, other->object);
    return by_object != 0 ? by_object : strcmp(one->id, other->id);
}

static bool check(OpContext *context, const IsolationRunOptions *options, IsolationResult *result,
                  Err *err)
{
    Store *store = context->store;
    const char *tenant_id = options->tenant == NULL ? NULL : options->tenant->id;
    if (context->progress.step != NULL) {
        context->progress.step(context->progress.context, "Reading the catalogue", NULL, 0, 0);
    }
    const ProbeOptions probe = {.tenant_id = tenant_id,
                                .pairs = options->pairs,
                                .is_all_pairs = options->is_all_pairs,
                                .seed = options->seed,
                                .pause_ms = config_int(context->config, OPT_PROBE_PAUSE),
                                .on_progress = on_progress,
                                .progress_context = context};
    if (!(options->has_probes
              ? isolation_verify(context->arena, store, &probe, result, err)
              : isolation_check_rules(context->arena, store, tenant_id, result, err)) ||
        !isolation_add_definitions(context->arena, store, &result->list, err)) {
        return false;
    }
    if (result->list.count > 0) {
        qsort(result->list.findings, result->list.count, sizeof(Finding), compare_findings);
    }
    return true;
}

/* --- keeping ---------------------------------------------------------------------------------- */

static const char *findings_text(Arena *arena, const Report *report)
{
    scoped_json Json *list = json_array();
    for (size_t i = 0; i < report->result->list.count; i++) {
        const Finding *finding = &report->result->list.findings[i];
        Json *object = json_object();
        json_put_text(object, "id", finding->id);
        json_put_text(object, "check", finding->check->id);
        json_put_text(object, "severity", severity_name(finding->check->severity));
        json_put_text(object, "tenant_id", finding->tenant_id);
        json_put_text(object, "other_id", finding->other_id);
        json_put_text(object, "object", finding->object);
        json_put_text(object, "evidence", finding->evidence);
        json_put_text(object, "mend", finding->mend);
        json_put_bool(object, "is_accepted", report_find_acceptance(report, finding) != NULL);
        json_array_append_new(list, object);
    }
    return json_to_text(arena, list);
}

/* The run with its findings, without the oldest of its kind: one round trip. */
static bool keep(OpContext *context, IsolationRun *run, const char *tenant_id, int64_t duration_us,
                 Err *err)
{
    Arena *arena = context->arena;
    const IsolationResult *result = &run->result;
    const char *has_probes = run->report.has_probes ? "true" : "false";
    PgConn *conn = context->store->conn;
    scoped_json Json *unchecked = report_unchecked_to_json(&run->report);
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    pg_batch_add(batch, "BEGIN", PG_NO_PARAMS);
    const size_t added = store_batch(
        batch, ISOLATION_ADD_RUN,
        PG_PARAMS(tenant_id, has_probes, context->actor, pg_int_text(arena, duration_us),
                  result->catalogue, pg_int_text(arena, result->tenants),
                  pg_int_text(arena, result->rules), pg_int_text(arena, result->probes),
                  json_to_text(arena, unchecked), findings_text(arena, &run->report)));
    store_batch(batch, ISOLATION_PRUNE,
                PG_PARAMS(tenant_id, has_probes,
                          pg_int_text(arena, config_int(context->config, OPT_ISOLATION_RUNS))));
    pg_batch_add_commit(batch, true);
    if (!pg_batch_run(conn, batch, err)) {
        pg_rollback(conn);
        return false;
    }
    const PgRows *rows = pg_batch_rows(batch, added);
    run->report.run = pg_rows_int(rows, 0, 0);
    run->report.started = arena_strdup(arena, pg_rows_text(rows, 0, 1));
    run->report.finished = arena_strdup(arena, pg_rows_text(rows, 0, 2));
    return true;
}

/* --- reporting -------------------------------------------------------------------------------- */

/* Of the tenants that findings are about. */
static bool load_slugs(Arena *arena, Store *store, const FindingList *list, Json **ret_slugs,
                       Err *err)
{
    scoped_json Json *ids = json_array();
    scoped_rows PgRows *rows = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const char *const tenants[] = {list->findings[i].tenant_id, list->findings[i].other_id};
        for (size_t t = 0; t < ARRAY_COUNT(tenants); t++) {
            if (tenants[t] != NULL) {
                json_array_append_new(ids, json_string(tenants[t]));
            }
        }
    }
    if (!store_query(store, TENANT_SLUGS, PG_PARAMS(json_to_text(arena, ids)), &rows, err)) {
        return false;
    }
    *ret_slugs = json_object();
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        json_put_text(*ret_slugs, pg_rows_text(rows, i, 0), pg_rows_text(rows, i, 1));
    }
    return true;
}

/* What a report tells of its findings. */
static bool describe_findings(OpContext *context, IsolationRun *run, Err *err)
{
    Store *store = context->store;
    const FindingList *list = &run->result.list;
    return list->count == 0 ||
           (load_slugs(context->arena, store, list, &run->slugs, err) &&
            isolation_load_acceptances(context->arena, store, &run->report.acceptances, err));
}

static int severity_of(const char *name)
{
    for (int severity = SEVERITY_CRITICAL; severity <= SEVERITY_LOW; severity++) {
        if (strcmp(severity_name((Severity)severity), name) == 0) {
            return severity;
        }
    }
    return REPORT_FAIL_NEVER;
}

static void fill_report(OpContext *context, const IsolationRunOptions *options, IsolationRun *run)
{
    enum { MAJOR = 10000 }; /* 150004 is 15.4 */
    const int version = pg_conn_version(context->store->conn);
    Report *report = &run->report;
    report->result = &run->result;
    report->slugs = run->slugs;
    report->checks = isolation_checks(&report->check_count);
    report->product_version = TENANTRY_VERSION;
    report->server_version = arena_printf(context->arena, "%d.%d", version / MAJOR,
                                          version % MAJOR);
    report->installation_id = context->store->installation_id;
    report->tenant = options->tenant == NULL ? NULL : options->tenant->slug;
    report->has_probes = options->has_probes;
    report->pairs = options->pairs;
    report->is_all_pairs = options->is_all_pairs;
    report->seed = options->seed;
    report->fail_on = severity_of(options->fail_on);
}

bool isolation_run(OpContext *context, const IsolationRunOptions *options, IsolationRun *ret_run,
                   Err *err)
{
    Store *store = NULL;
    const int64_t start_us = clock_monotonic_us();
    *ret_run = (IsolationRun){0};
    if (!op_store(context, &store, err) || !check(context, options, &ret_run->result, err) ||
        !describe_findings(context, ret_run, err)) {
        return false;
    }
    fill_report(context, options, ret_run);
    return keep(context, ret_run, options->tenant == NULL ? NULL : options->tenant->id,
                clock_monotonic_us() - start_us, err);
}

void isolation_run_done(IsolationRun *run)
{
    json_decref(run->slugs);
    run->slugs = NULL;
}

bool isolation_run_judge(const IsolationRun *run, Err *err)
{
    const size_t failing = report_count(&run->report).failing;
    const Finding *first = report_first_failing(&run->report);
    return first == NULL ||
           ERR_SET(err, ERR_ISOLATION,
                   "\"tenantry isolation mend\" shows what mends them; \"tenantry isolation "
                   "accept\" is for one that is meant to be",
                   "%zu finding%s; the first: %s, %s: %s", failing, failing == 1 ? "" : "s",
                   first->check->id, first->object, first->evidence);
}
