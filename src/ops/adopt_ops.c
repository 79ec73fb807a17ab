/* A schema that another tool made becomes a tenant's. Taking it is in tenant/, comparing it with
 * its version in rollout/, looking whether it is isolated in isolation/; this puts them together in
 * one transaction. */
#include <inttypes.h>
#include <string.h>

#include "blueprint/registry.h"
#include "core/limits.h"
#include "isolation/isolation.h"
#include "ops/context.h"
#include "ops/drift_answer.h"
#include "rollout/drift.h"
#include "tenant/adopt.h"
#include "tenant/tenant.h"

enum { SHOWN_DIFFERENCES = 1000, MOST_SCHEMA_CHARS = 63 };

/* The blueprint at the version that the schema is said to be at; 0: its newest. */
static bool load_version(Arena *arena, Store *store, const Json *args, Blueprint **ret_blueprint,
                         Err *err)
{
    const char *name = json_get_text(args, "blueprint", "");
    const int64_t version = json_get_int(args, "version", 0);
    if (!registry_get(arena, store, name, ret_blueprint, err)) {
        return false;
    }
    const Blueprint *newest = *ret_blueprint;
    bool is_known = false;
    for (size_t i = 0; i < newest->migration_count; i++) {
        is_known = is_known || newest->migrations[i].version == version;
    }
    if (version != 0 && !is_known) {
        return registry_fail_version(newest, version, err);
    }
    return version == 0 || version == newest->version ||
           registry_get_version(arena, store, name, version, ret_blueprint, err);
}

/* --- the job ---------------------------------------------------------------------------------- */

static bool step_reserve(JobContext *context, Err *err)
{
    Blueprint *blueprint = NULL;
    return load_version(context->arena, context->store, context->args, &blueprint, err) &&
           takeover_check(context->arena, context->store,
                          json_get_text(context->args, "schema", ""), err) &&
           tenant_create_reserve(context, err);
}

static bool refuse_drift(JobContext *context, const Blueprint *blueprint, const DriftPlace *place,
                         const DriftDifference *differences, Err *err)
{
    if (place->differences == 0 || json_get_bool(context->args, "allow-drift", false)) {
        return true;
    }
    return ERR_SET(err, ERR_DRIFT, "--allow-drift takes it as it is; -v shows what was expected",
                   "schema \"%s\" is not what version %" PRId64
                   " of blueprint \"%s\" should be; differences: %" PRId64 ", the first: %s",
                   place->place.schema_name, blueprint->version, blueprint->name,
                   place->differences, drift_difference_text(context->arena, &differences[0]));
}

/* What it should be is found first, before the schema's tables are locked; owners and rights are
 * part of what is compared, so the schema is taken before that. */
static bool step_adopt(JobContext *context, Err *err)
{
    enum { NAMED = 1 };
    Blueprint *blueprint = NULL;
    Adoption *adoption = NULL;
    const Place *place = NULL;
    DriftExpected *expected = NULL;
    const DriftDifference *differences = NULL;
    if (!load_version(context->arena, context->store, context->args, &blueprint, err) ||
        !drift_expect(context->arena, context->store, blueprint, TIER_SCHEMA,
                      json_get_text(context->args, "schema", ""), &expected, err) ||
        !tenant_adopt_take(context, blueprint, &adoption, &place, err)) {
        return false;
    }
    DriftPlace adopted = {.place = *place, .is_adopted = true};
    return drift_check(context->arena, context->store, expected, &adopted, DRIFT_ALL, NAMED,
                       &differences, err) &&
           refuse_drift(context, blueprint, &adopted, differences, err) &&
           tenant_adopt_finish(adoption, adopted.differences, err) &&
           isolation_require(context->arena, context->store, context->tenant_id, err);
}

static const JobStep adopt_steps[] = {
    {"reserve", "Reserving the slug", JOB_STEP_TRANSACTION, step_reserve},
    {"ground", "Preparing what tenants of the blueprint share", JOB_STEP_TRANSACTION,
     tenant_create_ground},
    {"adopt", "Taking the schema and checking it", JOB_STEP_TRANSACTION, step_adopt},
    {0},
};

const JobKind tenant_adopt_job = {
    .operation = "tenant.adopt", .steps = adopt_steps, .undo = tenant_create_undo};

/* --- the operation ---------------------------------------------------------------------------- */

static Json *texts_to_json(const TextList *list)
{
    Json *texts = json_array();
    for (size_t i = 0; i < list->count; i++) {
        json_array_append_new(texts, json_string(list->texts[i]));
    }
    return texts;
}

/* What the schema differs in as it is now: rights and owners are not looked at, since the adoption
 * changes them. */
static bool put_differences(OpContext *context, Store *store, const Blueprint *blueprint,
                            const Place *place, Json *answer, Err *err)
{
    DriftExpected *expected = NULL;
    const DriftDifference *differences = NULL;
    DriftPlace found = {.place = *place, .is_adopted = true};
    const bool is_compared = pg_begin(store->conn, err) &&
                             drift_expect(context->arena, store, blueprint, TIER_SCHEMA,
                                          place->schema_name, &expected, err) &&
                             drift_check(context->arena, store, expected, &found, DRIFT_STRUCTURE,
                                         SHOWN_DIFFERENCES, &differences, err);
    pg_rollback(store->conn);
    if (!is_compared) {
        return false;
    }
    Json *list = json_array();
    for (int64_t i = 0; i < found.differences && i < SHOWN_DIFFERENCES; i++) {
        json_array_append_new(list, drift_difference_to_json(&differences[i]));
    }
    json_put(answer, "differences", list);
    json_put_int(answer, "differing", found.differences);
    return true;
}

static bool preview(OpContext *context, Store *store, const Json *args, bool has_statements,
                    Json *answer, Err *err)
{
    Blueprint *blueprint = NULL;
    TextList statements;
    Place place;
    Tenant *tenant = NULL;
    const char *slug = json_get_text(args, "slug", "");
    if (!load_version(context->arena, store, args, &blueprint, err) ||
        !tenants_find(context->arena, store, slug, &tenant, err)) {
        return false;
    }
    if (tenant != NULL) {
        return ERR_SET(err, ERR_SLUG_TAKEN, "choose another slug",
                       "the slug \"%s\" is taken by a tenant", slug);
    }
    if (!tenant_adopt_preview(context->arena, store, args, blueprint, &statements, &place, err) ||
        !put_differences(context, store, blueprint, &place, answer, err)) {
        return false;
    }
    json_put_text(answer, "outcome", "nothing was changed");
    json_put_text(answer, "id", NULL);
    json_put_int(answer, "version", blueprint->version);
    json_put_text(answer, "plan", json_get_text(args, "plan", NULL));
    json_put(answer, "job", json_null());
    json_put(answer, "statements", has_statements ? texts_to_json(&statements) : json_array());
    json_put(answer, "connections", json_array());
    return true;
}

/* A schema that differs: the answer has the objects, beside the error. */
static void put_refusal(OpContext *context, Store *store, const Json *args, Json *answer,
                        Json **ret_answer)
{
    Err ignored;
    if (preview(context, store, args, false, answer, &ignored)) {
        *ret_answer = json_incref(answer);
    }
}

static bool adopt(OpContext *context, Store *store, const Json *args, Json *answer, Err *err)
{
    Tenant *tenant = NULL;
    int64_t job_id = 0;
    const char *slug = json_get_text(args, "slug", "");
    scoped_rows PgRows *rows = NULL;
    if (!op_run_job(context, &tenant_adopt_job, slug, NULL, args, &job_id, err) ||
        !tenants_get_by_slug(context->arena, store, slug, &tenant, err) ||
        !store_query(store, BASELINE_DIFFERENCES, PG_PARAMS(pg_int_text(context->arena, job_id)),
                     &rows, err)) {
        return false;
    }
    json_put_text(answer, "outcome",
                  arena_printf(context->arena, "schema %s is tenant %s, %s",
                               tenant->place->schema_name, tenant->slug, tenant->state));
    json_put_text(answer, "id", tenant->id);
    json_put_int(answer, "version", tenant->place->version);
    json_put_text(answer, "plan", tenant->plan);
    json_put_int(answer, "job", job_id);
    json_put_int(answer, "differing", pg_rows_int(rows, 0, 0));
    json_put(answer, "differences", json_array());
    json_put(answer, "statements", json_array());
    return op_put_connections(context, tenant->id, true, answer, err);
}

/* Who loses what is told before it happens. */
static bool tell_changes(OpContext *context, Store *store, const Json *args, Json *answer, Err *err)
{
    TextList changes;
    const char *schema = json_get_text(args, "schema", "");
    if (!takeover_check(context->arena, store, schema, err) ||
        !takeover_list_changes(context->arena, store, schema, &changes, err)) {
        return false;
    }
    for (size_t i = 0; i < changes.count; i++) {
        op_note(context, changes.texts[i]);
    }
    json_put(answer, "changes", texts_to_json(&changes));
    return true;
}

static bool run_adopt(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    scoped_json Json *job_args = json_deep_copy(args);
    scoped_json Json *answer = json_object();
    const bool is_dry = json_get_bool(args, "dry-run", false);
    json_object_del(job_args, "at");
    json_object_del(job_args, "dry-run");
    json_put_int(job_args, "version", json_get_int(args, "at", 0));
    json_put_text(job_args, "tier", tier_name(TIER_SCHEMA));
    json_put_text(answer, "slug", json_get_text(args, "slug", ""));
    json_put_text(answer, "schema", json_get_text(args, "schema", ""));
    json_put_text(answer, "blueprint", json_get_text(args, "blueprint", ""));
    if (!op_store(context, &store, err) || !tell_changes(context, store, args, answer, err)) {
        return false;
    }
    if (!(is_dry ? preview(context, store, job_args, true, answer, err)
                 : adopt(context, store, job_args, answer, err))) {
        if (err->code == ERR_DRIFT) {
            put_refusal(context, store, job_args, answer, ret_answer);
        }
        return false;
    }
    *ret_answer = json_incref(answer);
    return true;
}

static const Field connection_fields[] = {
    {"login", FIELD_TEXT, .help = "app (reads and writes) or readonly"},
    {"role", FIELD_TEXT, .help = "the PostgreSQL role"},
    {"uri", FIELD_TEXT, .is_long = true, .help = "connection string for any PostgreSQL driver"},
    {0},
};

const Operation op_tenant_adopt = {
    .name = "tenant.adopt",
    .summary = "Take a schema that another tool made into the registry, as a tenant's.",
    .description =
        "The schema keeps its name and its rows. It and all that is in it get an owner role, other "
        "roles and PUBLIC lose their rights, and the tenant's logins are made, in one transaction "
        "that leaves nothing behind when it fails. Refused where the schema is not what the "
        "version should be, or not isolated.",
    .access = ACCESS_ADMIN,
    .kind = OP_JOB,
    .http = {"POST", "/v1/tenants/adopt"},
    .params =
        (const Param[]){
            {"schema", PARAM_TEXT, .is_positional = true, .is_required = true,
             .most = MOST_SCHEMA_CHARS, .help = "The schema."},
            {"blueprint", PARAM_TEXT, .is_required = true, .most = 100,
             .help = "Blueprint that it is made like."},
            {"slug", PARAM_SLUG, .is_required = true, .help = "The tenant's short name."},
            {"at", PARAM_INT, .least = 1, .most = INT32_MAX,
             .help = "The blueprint's version that it is at; the newest if not given."},
            {"plan", PARAM_TEXT, .most = 100,
             .help = "Plan; the blueprint's default if not given."},
            {"name", PARAM_TEXT, .most = LIMIT_NAME_MAX_CHARS,
             .help = "Name for people; the slug if not given."},
            {"allow-drift", PARAM_BOOL,
             .help = "Take it although it differs; \"migrate verify\" goes on to say."},
            {"dry-run", PARAM_BOOL,
             .help = "Tell what would be run and what differs, and change nothing."},
            {0}},
    .result =
        (const Field[]){
            {"slug", FIELD_TEXT, .help = "the tenant's short name"},
            {"outcome", FIELD_TEXT, .is_wide = true, .help = "what came of it, in words"},
            {"schema", FIELD_TEXT, .help = "its schema"},
            {"id", FIELD_UUID, .is_nullable = true, .help = "the tenant's UUID"},
            {"blueprint", FIELD_TEXT, .help = "blueprint"},
            {"version", FIELD_INT, .help = "version of the blueprint"},
            {"plan", FIELD_TEXT, .is_nullable = true, .help = "plan"},
            {"job", FIELD_INT, .is_nullable = true, .help = "the job that did it"},
            {"differing", FIELD_INT, .help = "objects that are not what the version should be"},
            {"changes", FIELD_LINES, .is_wide = true, .help = "who loses what"},
            {"differences", FIELD_LIST, .fields = drift_difference_fields,
             .help = "of a dry run or a refusal: object by object, without owners and rights"},
            {"statements", FIELD_LINES, .help = "with --dry-run: what would be run"},
            {"connections", FIELD_LIST, .fields = connection_fields, .help = "how to connect"},
            {0}},
    .examples = (const OpExample[]){{"tenant adopt customer_0042 --blueprint shop --slug acme "
                                     "--at 7 --dry-run",
                                     "what would happen"},
                                    {"tenant adopt customer_0042 --blueprint shop --slug acme "
                                     "--at 7",
                                     "and do it"},
                                    {0}},
    .done = "{outcome}",
    .again = "tenant credentials {slug}",
    .run = run_adopt,
};
