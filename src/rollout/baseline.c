#include "rollout/baseline.h"

#include <inttypes.h>
#include <string.h>

#include "blueprint/place_parts.h"
#include "blueprint/registry.h"
#include "core/fault.h"
#include "rollout/drift_parts.h"
#include "rollout/rollout_parts.h"
#include "store/audit.h"

typedef struct Look {
    Arena *arena;
    Store *store;
    Blueprint *blueprint; /* at the version that is stated */
    BaselineReport *report;
    DriftDifference *told;
    int64_t most;
} Look;

static bool check_slugs(Store *store, const char *blueprint, const char *slugs, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, BASELINE_STRANGERS, PG_PARAMS(blueprint, slugs), &rows, err)) {
        return false;
    }
    return pg_rows_count(rows) == 0 ||
           ERR_SET(err, ERR_INPUT_INVALID,
                   "\"tenantry tenant list\" has blueprint and tier of each",
                   "\"%s\" is no tenant with tables of its own of blueprint \"%s\"",
                   pg_rows_text(rows, 0, 0), blueprint);
}

static bool load_places(Look *look, const char *slugs, Err *err)
{
    Arena *arena = look->arena;
    scoped_rows PgRows *rows = NULL;
    if (!store_query(look->store, BASELINE_PLACES, PG_PARAMS(look->blueprint->name, slugs), &rows,
                     err)) {
        return false;
    }
    look->report->count = pg_rows_count(rows);
    look->report->places = ARENA_ARRAY(arena, DriftPlace, look->report->count);
    for (size_t i = 0; i < look->report->count; i++) {
        look->report->places[i] = (DriftPlace){
            .place = place_from_row(arena, rows, i),
            .slug = arena_strdup(arena, pg_rows_text(rows, i, 8)),
            .is_locked = pg_rows_bool(rows, i, 9),
            .is_adopted = pg_rows_bool(rows, i, 10),
            .tenant_id = arena_strdup(arena, pg_rows_text(rows, i, 11))};
    }
    return true;
}

static bool is_row(const DriftPlace *place)
{
    return strcmp(place->place.tier, tier_name(TIER_ROW)) == 0;
}

/* A name that is also a word of the objects stays as it is, on both sides. */
static bool choose_reference(Look *look, const DriftPlace *place, DriftExpected **expected,
                             Err *err)
{
    if (!place->is_adopted) {
        return true;
    }
    if (!drift_expect_made(look->arena, look->store, *expected, err)) {
        return false;
    }
    return !drift_reference_mentions(&(*expected)->reference, place->place.schema_name) ||
           drift_expect(look->arena, look->store, look->blueprint, TIER_SCHEMA,
                        place->place.schema_name, expected, err);
}

/* The objects of one place that differ. */
static bool read_place(Look *look, DriftExpected *expected, DriftPlace *place, Err *err)
{
    DriftExpected *own = expected;
    const DriftDifference *differences = NULL;
    BaselineReport *report = look->report;
    const int64_t room = look->most - (int64_t)report->difference_count;
    if (!choose_reference(look, place, &own, err) ||
        !drift_check(look->arena, look->store, own, place, DRIFT_ALL, room, &differences, err)) {
        return false;
    }
    for (int64_t i = 0; i < place->differences && i < room; i++) {
        look->told[report->difference_count++] = differences[i];
    }
    report->differing += place->differences;
    report->drifted += place->state == DRIFT_SAME ? 0 : 1;
    return true;
}

/* Places of one tier. */
static bool compare_tier(Look *look, DriftPlace *places, size_t count, Tier tier, Err *err)
{
    DriftExpected *expected = NULL;
    const DriftOptions options = {.parallel = 1};
    const char *name = tier == TIER_ROW && count > 0 ? places[0].place.schema_name : NULL;
    if (count == 0) {
        return true;
    }
    if (!drift_expect(look->arena, look->store, look->blueprint, tier, name, &expected, err) ||
        !drift_compare_apart(look->store, places, count, tier == TIER_ROW,
                             expected->reference.fingerprint, &options, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (places[i].state != DRIFT_SAME && !read_place(look, expected, &places[i], err)) {
            return false;
        }
    }
    return true;
}

static bool has_version(const Blueprint *blueprint, int64_t version)
{
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        if (blueprint->migrations[i].version == version) {
            return true;
        }
    }
    return false;
}

/* The blueprint at the version that is stated. */
static bool load_version(Look *look, const char *name, int64_t version, Err *err)
{
    if (!registry_get(look->arena, look->store, name, &look->blueprint, err)) {
        return false;
    }
    if (!has_version(look->blueprint, version)) {
        return registry_fail_version(look->blueprint, version, err);
    }
    return registry_get_version(look->arena, look->store, name, version, &look->blueprint, err);
}

bool baseline_look(Arena *arena, Store *store, const Json *args, int64_t most,
                   BaselineReport *ret_report, Err *err)
{
    const char *name = json_get_text(args, "blueprint", "");
    const char *slugs = slug_array(arena, json_object_get(args, "tenants"));
    *ret_report = (BaselineReport){0};
    Look look = {.arena = arena,
                 .store = store,
                 .report = ret_report,
                 .most = most,
                 .told = ARENA_ARRAY(arena, DriftDifference, (size_t)most)};
    ret_report->differences = look.told;
    /* The reference is a place that is made under the lock of the blueprints. */
    if (!store_query(store, BLUEPRINT_LOCK, PG_NO_PARAMS, NULL, err) ||
        !load_version(&look, name, json_get_int(args, "version", 0), err) ||
        !rollout_check_alone(store, name, "0", err) || !check_slugs(store, name, slugs, err) ||
        !load_places(&look, slugs, err)) {
        return false;
    }
    size_t shared = 0; /* they come first */
    while (shared < ret_report->count && is_row(&ret_report->places[shared])) {
        shared++;
    }
    return compare_tier(&look, ret_report->places, shared, TIER_ROW, err) &&
           compare_tier(&look, &ret_report->places[shared], ret_report->count - shared, TIER_SCHEMA,
                        err);
}

/* --- the job ---------------------------------------------------------------------------------- */

static bool step_check(JobContext *context, Err *err)
{
    const char *blueprint = json_get_text(context->args, "blueprint", "");
    return rollout_check_alone(context->store, blueprint, "0", err) &&
           check_slugs(context->store, blueprint,
                       slug_array(context->arena, json_object_get(context->args, "tenants")), err);
}

static bool refuse_drift(JobContext *context, const BaselineReport *report, Err *err)
{
    if (report->drifted == 0 || json_get_bool(context->args, "allow-drift", false)) {
        return true;
    }
    const char *first = report->difference_count == 0
                            ? "a schema is gone"
                            : drift_difference_text(context->arena, &report->differences[0]);
    return ERR_SET(err, ERR_DRIFT,
                   "--allow-drift records it all the same; -v shows what was expected",
                   "%" PRId64 " of %zu places are not what version %" PRId64
                   " of blueprint \"%s\" should be; differences: %" PRId64 ", the first: %s",
                   report->drifted, report->count, json_get_int(context->args, "version", 0),
                   json_get_text(context->args, "blueprint", ""), report->differing, first);
}

/* Version, ledger and statement of one place. */
static bool record_place(JobContext *context, const Blueprint *blueprint,
                         const Extensions *extensions, const DriftPlace *place, Err *err)
{
    Arena *arena = context->arena;
    const int64_t version = blueprint->version;
    const char *text = pg_int_text(arena, version);
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    scoped_json Json *detail = json_object();
    store_batch(batch, PLACE_UNMIGRATED, PG_PARAMS(place->place.id, text));
    place_add_ledger(arena, batch, blueprint, extensions, &place->place,
                     (VersionRange){.after = place->place.version, .upto = version});
    store_batch(batch, BASELINE_SET, PG_PARAMS(place->place.id, text));
    store_batch(batch, BASELINE_ADD,
                PG_PARAMS(pg_int_text(arena, context->job_id), place->place.id,
                          pg_int_text(arena, place->place.version), text,
                          pg_int_text(arena, place->differences)));
    json_put_text(detail, "blueprint", blueprint->name);
    json_put_text(detail, "schema", place->place.schema_name);
    json_put_int(detail, "from_version", place->place.version);
    json_put_int(detail, "version", version);
    json_put_int(detail, "differences", place->differences);
    const AuditEntry entry = {.chain = place->tenant_id == NULL ? AUDIT_INSTALLATION
                                                                : place->tenant_id,
                              .actor = context->actor,
                              .action = context->operation,
                              .job_id = context->job_id,
                              .detail = detail};
    return pg_batch_run(context->store->conn, batch, err) &&
           audit_append(context->store, &entry, err);
}

static bool step_record(JobContext *context, Err *err)
{
    BaselineReport report;
    Blueprint *blueprint = NULL;
    Extensions extensions = {0};
    if (!store_need_keys(context->store, err) ||
        !baseline_look(context->arena, context->store, context->args, 1, &report, err) ||
        !refuse_drift(context, &report, err) ||
        !registry_get_version(context->arena, context->store,
                              json_get_text(context->args, "blueprint", ""),
                              json_get_int(context->args, "version", 0), &blueprint, err) ||
        !registry_find_extensions(context->arena, context->store, blueprint, &extensions, err)) {
        return false;
    }
    for (size_t i = 0; i < report.count; i++) {
        if (!record_place(context, blueprint, &extensions, &report.places[i], err)) {
            return false;
        }
        FAULT("rollout.baseline.place");
    }
    return true;
}

static const JobStep steps[] = {
    {"check", "Checking that no rollout is under way", JOB_STEP_TRANSACTION, step_check},
    {"record", "Comparing the places and recording their version", JOB_STEP_TRANSACTION,
     step_record},
    {0},
};

/* Nothing was done that an undo would have to take back: a refusal leaves a job that says why. */
static bool undo(JobContext *context, Err *err)
{
    (void)context;
    (void)err;
    return true;
}

const JobKind baseline_job = {.operation = "migrate.baseline", .steps = steps, .undo = undo};
