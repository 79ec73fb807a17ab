#include <inttypes.h>
#include <string.h>

#include "blueprint/registry.h"
#include "core/limits.h"
#include "ops/context.h"
#include "ops/drift_answer.h"
#include "rollout/drift.h"

enum { MOST_CONNECTIONS = 16 };

static Json *place_to_json(const DriftPlace *place)
{
    Json *entry = json_object();
    json_put_text(entry, "blueprint", place->place.blueprint);
    json_put_int(entry, "version", place->place.version);
    json_put_text(entry, "tier", place->place.tier);
    json_put_text(entry, "tenant", place->slug);
    json_put_text(entry, "schema", place->place.schema_name);
    json_put_bool(entry, "is_spare", place->is_spare);
    json_put_text(entry, "state", drift_state_name(place->state));
    json_put_int(entry, "differences", place->differences);
    json_put_text(entry, "reason", place->why);
    return entry;
}

Json *drift_difference_to_json(const DriftDifference *difference)
{
    Json *entry = json_object();
    json_put_text(entry, "tenant", difference->place->slug);
    json_put_text(entry, "schema", difference->place->place.schema_name);
    json_put_text(entry, "kind", difference->kind);
    json_put_text(entry, "name", difference->name);
    json_put_text(entry, "finding",
                  difference->found == NULL      ? "missing"
                  : difference->expected == NULL ? "unexpected"
                                                 : "different");
    json_put_text(entry, "expected", difference->expected);
    json_put_text(entry, "found", difference->found);
    json_put_text(entry, "mend", difference->mend);
    return entry;
}

static Json *report_to_json(const DriftReport *report)
{
    Json *answer = json_object();
    Json *places = json_array();
    Json *differences = json_array();
    for (int64_t i = 0; i < report->checked; i++) {
        if (report->places[i].state != DRIFT_SAME) {
            json_array_append_new(places, place_to_json(&report->places[i]));
        }
    }
    for (int64_t i = 0; i < report->difference_count; i++) {
        json_array_append_new(differences, drift_difference_to_json(&report->differences[i]));
    }
    json_put_bool(answer, "is_clean", report->found == 0 && report->unknown == 0);
    json_put_int(answer, "checked", report->checked);
    json_put_int(answer, "drifted", report->found);
    json_put_int(answer, "unknown", report->unknown);
    json_put_int(answer, "moving", report->moved);
    json_put_int(answer, "spares_refused", report->spares_dropped);
    json_put(answer, "places", places);
    json_put(answer, "differences", differences);
    return answer;
}

/* The names are looked up first, so that a wrong one is an error and not a clean fleet. */
static bool check_names(OpContext *context, Store *store, const char *blueprint, const char *slug,
                        Err *err)
{
    Blueprint *found = NULL;
    Tenant *tenant = NULL;
    if ((blueprint != NULL && !registry_get_head(context->arena, store, blueprint, &found, err)) ||
        (slug != NULL && !tenants_get_by_slug(context->arena, store, slug, &tenant, err))) {
        return false;
    }
    return found == NULL || tenant == NULL || strcmp(tenant->blueprint, blueprint) == 0 ||
           ERR_SET(err, ERR_INPUT_INVALID, "leave the blueprint out",
                   "tenant \"%s\" is not of blueprint \"%s\" but of \"%s\"", slug, blueprint,
                   tenant->blueprint);
}

static void tell_progress(void *context, int64_t done, int64_t total)
{
    const OpProgress *progress = context;
    if (progress->step != NULL) {
        progress->step(progress->context, "Comparing", NULL, done, total);
    }
}

static bool run_verify(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    DriftReport report;
    const DriftOptions options = {.blueprint = json_get_text(args, "blueprint", NULL),
                                  .tenant = json_get_text(args, "tenant", NULL),
                                  .parallel = json_get_int(args, "parallel", 1),
                                  .most = json_get_int(args, "limit", 0),
                                  .context = &context->progress,
                                  .progress = tell_progress};
    if (!op_store(context, &store, err) ||
        !check_names(context, store, options.blueprint, options.tenant, err) ||
        !drift_verify(context->arena, store, &options, &report, err)) {
        return false;
    }
    *ret_answer = report_to_json(&report);
    if (report.found > 0) {
        return ERR_SET(err, ERR_DRIFT,
                       "-v shows what was expected, what was found and what would mend it",
                       "%" PRId64 " of %" PRId64
                       " places are not what the version of their blueprint should be",
                       report.found, report.checked);
    }
    return report.unknown == 0 ||
           ERR_SET(err, ERR_DRIFT, "the answer has the reason for each",
                   "%" PRId64 " of %" PRId64 " places could not be compared with their version",
                   report.unknown, report.checked);
}

static const Field place_fields[] = {
    {"blueprint", FIELD_TEXT, .help = "its blueprint"},
    {"version", FIELD_INT, .help = "its version"},
    {"tier", FIELD_TEXT, .help = "row: the tables that tenants share"},
    {"tenant", FIELD_TEXT, .is_nullable = true, .help = "slug; none: shared, or a spare"},
    {"schema", FIELD_TEXT, .help = "its schema"},
    {"is_spare", FIELD_BOOL, .help = "waits for a tenant"},
    {"state", FIELD_TEXT, .help = "different, gone, unknown, or moving"},
    {"differences", FIELD_INT, .help = "objects that differ"},
    {"reason", FIELD_TEXT, .is_nullable = true, .is_wide = true,
     .help = "why it could not be compared"},
    {0},
};

const Field drift_difference_fields[] = {
    {"tenant", FIELD_TEXT, .is_nullable = true, .help = "slug; none: shared, or a spare"},
    {"schema", FIELD_TEXT, .help = "the schema"},
    {"kind", FIELD_TEXT, .help = "what it is: column, index, policy, grants and so on"},
    {"name", FIELD_TEXT, .help = "its name, after its table's where it has one"},
    {"finding", FIELD_TEXT, .help = "missing, unexpected, or different"},
    {"expected", FIELD_TEXT, .is_nullable = true, .is_wide = true, .is_long = true,
     .help = "what the version has"},
    {"found", FIELD_TEXT, .is_nullable = true, .is_wide = true, .is_long = true,
     .help = "what is there"},
    {"mend", FIELD_TEXT, .is_nullable = true, .is_wide = true, .is_long = true,
     .help = "statements that would mend it; none where rows could be lost"},
    {0},
};

const Operation op_migrate_verify = {
    .name = "migrate.verify",
    .summary = "Find places whose structure is not what their version should be.",
    .description =
        "Compares tables, columns, constraints, indexes, policies, triggers, functions, types, "
        "grants and owners of every place with its version. Rows, partitions by date and the "
        "positions of sequences do not count. Changes no place; a spare that differs is not "
        "claimed any more. Exit status 80 when something is found.",
    .access = ACCESS_OPERATOR,
    .kind = OP_COMMAND,
    .http = {"POST", "/v1/fleet/verify"},
    .params =
        (const Param[]){
            {"blueprint", PARAM_TEXT, .is_positional = true, .most = 100,
             .help = "Only places of this blueprint."},
            {"tenant", PARAM_SLUG,
             .help = "Only the place of this tenant; in the row tier the one that it shares."},
            {"parallel", PARAM_INT, .fallback = "2", .least = 1, .most = MOST_CONNECTIONS,
             .help = "Connections that compare at a time."},
            {"limit", PARAM_INT, .fallback = "1000", .least = 0, .most = LIMIT_LIST_ROWS,
             .help = "At most this many differences are told; all are counted."},
            {0}},
    .result = (const Field[]){{"is_clean", FIELD_BOOL, .help = "whether nothing was found"},
                              {"checked", FIELD_INT, .help = "places compared"},
                              {"drifted", FIELD_INT, .help = "places that differ or are gone"},
                              {"unknown", FIELD_INT,
                               .help = "places whose version cannot be made to compare with"},
                              {"moving", FIELD_INT,
                               .help = "places that were being changed at this moment, not judged"},
                              {"spares_refused", FIELD_INT,
                               .help = "spares that differ, which no create claims any more"},
                              {"places", FIELD_LIST, .fields = place_fields,
                               .help = "those that are not the same"},
                              {"differences", FIELD_LIST, .fields = drift_difference_fields,
                               .help = "object by object"},
                              {0}},
    .examples = (const OpExample[]){{"migrate verify", "the whole fleet"},
                                    {"migrate verify trading --tenant acme -v", "one tenant"},
                                    {0}},
    .run = run_verify,
};
