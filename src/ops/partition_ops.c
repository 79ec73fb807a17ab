/* Range partitions that blueprints declare: made ahead of time, listed, detached when they are old.
 */
#include <string.h>
#include <time.h>

#include "blueprint/place.h"
#include "blueprint/registry.h"
#include "core/clock.h"
#include "core/log.h"
#include "isolation/isolation.h"
#include "ops/context.h"
#include "pg/sql.h"
#include "store/audit.h"

/* --- ensure ----------------------------------------------------------------------------------- */

static bool step_note(JobContext *context, Err *err)
{
    return job_audit(context, "partition.ensure", NULL, err);
}

/* A spare, or a tenant's place, may be dropped while the places before it are done. */
static bool hold_place(Store *store, const Place *place, bool *ret_is_gone, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, PLACE_HOLD, PG_PARAMS(place->id), &rows, err)) {
        return false;
    }
    *ret_is_gone = pg_rows_count(rows) == 0;
    return true;
}

typedef bool EnsurePartitions(Arena *arena, Store *store, const Blueprint *blueprint,
                              const Place *place, Err *err);

/* True, too, when the place is gone. */
static bool ensure_in_transaction(Arena *arena, Store *store, const Blueprint *blueprint,
                                  const Place *place, EnsurePartitions *ensure, Err *err)
{
    bool is_gone = false;
    if (pg_begin(store->conn, err) &&
        pg_query(store->conn, "SET LOCAL lock_timeout = '2s'", PG_NO_PARAMS, NULL, err) &&
        hold_place(store, place, &is_gone, err) && !is_gone &&
        ensure(arena, store, blueprint, place, err) &&
        isolation_renew_place(arena, store, place->id, err) && pg_commit(store->conn, true, err)) {
        return true;
    }
    pg_rollback(store->conn);
    return is_gone;
}

/* Each table in a transaction of its own, so that one that fails does not keep the others without
 * partitions; rows that wait in a default partition are moved. The first error is the one told. */
static bool ensure_each_table(Arena *arena, Store *store, const Blueprint *blueprint,
                              const Place *place, Err *err)
{
    bool is_well = true;
    for (size_t i = 0; i < blueprint->partition_count; i++) {
        Blueprint one = *blueprint;
        one.partitions = &blueprint->partitions[i];
        one.partition_count = 1;
        Err failed;
        if (!ensure_in_transaction(arena, store, &one, place, place_ensure_partitions, &failed)) {
            *err = is_well ? failed : *err;
            is_well = false;
        }
    }
    return is_well;
}

static bool ensure_place(JobContext *context, const Place *place, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    Store *store = context->store;
    Blueprint *blueprint = NULL;
    Err tried;
    if (!registry_get(arena, store, place->blueprint, &blueprint, err)) {
        return false;
    }
    if (!ensure_in_transaction(arena, store, blueprint, place, place_try_partitions, &tried)) {
        if (tried.code == ERR_PG_UNAVAILABLE || blueprint->partition_count == 0) {
            *err = tried;
            return false;
        }
        if (!ensure_each_table(arena, store, blueprint, place, err)) {
            return false;
        }
    }
    return store_query(store, SPARE_RENEW, PG_PARAMS(place->id), NULL, err);
}

/* One transaction per place, so that a long run holds no locks; a place that is done is done again
 * without harm. A place whose tables somebody has locked does not keep the others waiting: it is
 * left for the next run, and named at the end. */
static bool step_ensure(JobContext *context, Err *err)
{
    Place *places = NULL;
    size_t count = 0;
    size_t failed = 0;
    if (!store_query(context->store, AUDIT_PARTITIONS, PG_NO_PARAMS, NULL, err) ||
        !places_list(context->arena, context->store, NULL, &places, &count, err)) {
        return false;
    }
    enum { TELL_EVERY = 20 };
    for (size_t i = 0; i < count; i++) {
        if (i % TELL_EVERY == 0) {
            job_tell(context, (int64_t)i, (int64_t)count);
        }
        Err one;
        if (!ensure_place(context, &places[i], &one)) {
            if (one.code == ERR_PG_UNAVAILABLE) {
                *err = one;
                return false;
            }
            log_warn("partition.ensure", "schema \"%s\": %s%s%s", places[i].schema_name,
                     one.message, *one.hint == '\0' ? "" : "; ", one.hint);
            *err = one;
            failed++;
        }
    }
    if (failed == 0) {
        return true;
    }
    const Err last = *err;
    return ERR_SET(err, ERR_PG_FAILED,
                   *last.hint != '\0' ? last.hint
                                      : "the log names each; resume the job when the cause is gone",
                   "%zu of %zu places failed, the last one: %s", failed, count, last.message);
}

static const JobStep ensure_steps[] = {
    {"note", "Recording the run", JOB_STEP_TRANSACTION, step_note},
    {"ensure", "Making partitions ahead of time", JOB_STEP_FREE, step_ensure},
    {0},
};
const JobKind partition_ensure_job = {.operation = "partition.ensure", .steps = ensure_steps};

static bool run_ensure(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    Place *places = NULL;
    size_t count = 0;
    int64_t job_id = 0;
    if (!op_run_job(context, &partition_ensure_job, "all places", NULL, args, &job_id, err) ||
        !op_store(context, &store, err) ||
        !places_list(context->arena, store, NULL, &places, &count, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put_int(*ret_answer, "places", (int64_t)count);
    json_put_int(*ret_answer, "job", job_id);
    return true;
}

const Operation op_partition_ensure = {
    .name = "partition.ensure",
    .summary = "Make the partitions that are due, in every place and in the audit log.",
    .description =
        "Run it at least once a day, for example from a timer. Rows that arrive without a "
        "partition of their own go to the default partition, so none is refused.",
    .access = ACCESS_OPERATOR,
    .kind = OP_JOB,
    .http = {"POST", "/v1/partitions/ensure"},
    .params = (const Param[]){{0}},
    .result = (const Field[]){{"places", FIELD_INT, .help = "places looked at"},
                              {"job", FIELD_INT, .help = "the job that did it"},
                              {0}},
    .examples = (const OpExample[]){{"partition ensure", "from a daily timer"}, {0}},
    .done = "partitions are ready; places: {places}",
    .run = run_ensure,
};

/* --- the place that a person means ------------------------------------------------------------ */

/* A tenant of the schema tier has a place of its own; the row tier's is the blueprint's, and
 * *ret_tenant_id is NULL. */
static bool find_place(Arena *arena, Store *store, const Json *args, const Place **ret_place,
                       const char **ret_tenant_id, Err *err)
{
    const char *slug = json_get_text(args, "tenant", NULL);
    const char *blueprint = json_get_text(args, "blueprint", NULL);
    if ((slug == NULL) == (blueprint == NULL)) {
        return ERR_SET(err, ERR_INPUT_INVALID,
                       "--tenant for the schema tier, --blueprint for the row tier's shared tables",
                       "give either --tenant or --blueprint");
    }
    if (blueprint != NULL) {
        Place *place = NULL;
        if (!places_find_shared(arena, store, blueprint, &place, err)) {
            return false;
        }
        *ret_place = place;
        *ret_tenant_id = NULL;
        return place != NULL ||
               ERR_SET(err, ERR_BLUEPRINT_MISSING,
                       "tables of a tenant in the schema tier are its own: --tenant",
                       "blueprint \"%s\" has no shared tables", blueprint);
    }
    Tenant *tenant = NULL;
    if (!tenants_get_by_slug(arena, store, slug, &tenant, err)) {
        return false;
    }
    *ret_place = tenant->place;
    *ret_tenant_id = tenant->id;
    return (tenant->place != NULL && *tenant->tier == 's') ||
           ERR_SET(err, ERR_INPUT_INVALID, "name its blueprint: --blueprint",
                   "tenant \"%s\" has no tables of its own", slug);
}

static bool read_partitions(Store *store, const Place *place, const char *table, const char *before,
                            PgRows **ret_rows, Err *err)
{
    return store_query(store, PARTITION_LIST, PG_PARAMS(place->schema_name, table, before),
                       ret_rows, err);
}

/* --- list ------------------------------------------------------------------------------------- */

static bool run_list(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    Blueprint *blueprint = NULL;
    const Place *place = NULL;
    const char *tenant_id = NULL;
    if (!op_store(context, &store, err) ||
        !find_place(context->arena, store, args, &place, &tenant_id, err) ||
        !registry_get(context->arena, store, place->blueprint, &blueprint, err)) {
        return false;
    }
    scoped_json Json *answer = json_object();
    Json *list = json_array();
    json_put_text(answer, "schema", place->schema_name);
    json_put(answer, "partitions", list);
    for (size_t t = 0; t < blueprint->partition_count; t++) {
        scoped_rows PgRows *rows = NULL;
        if (!read_partitions(store, place, blueprint->partitions[t].table, NULL, &rows, err)) {
            return false;
        }
        for (size_t i = 0; i < pg_rows_count(rows); i++) {
            Json *entry = json_object();
            json_put_text(entry, "table", pg_rows_text(rows, i, 0));
            json_put_text(entry, "partition", pg_rows_text(rows, i, 1));
            json_put_text(entry, "bounds", pg_rows_text(rows, i, 2));
            json_put_int(entry, "bytes", pg_rows_int(rows, i, 4));
            json_array_append_new(list, entry);
        }
    }
    *ret_answer = json_incref(answer);
    return true;
}

#define PLACE_PARAMS                                                                               \
    {"tenant", PARAM_SLUG, .help = "A tenant of the schema tier."},                                \
    {                                                                                              \
        "blueprint", PARAM_TEXT, .most = 100, .help = "A blueprint, for its shared tables."        \
    }

const Operation op_partition_list = {
    .name = "partition.list",
    .summary = "List the partitions of a tenant's tables, or of a blueprint's shared tables.",
    .access = ACCESS_VIEWER,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/partitions"},
    .params = (const Param[]){PLACE_PARAMS, {0}},
    .result =
        (const Field[]){{"schema", FIELD_TEXT, .help = "where the tables are"},
                        {"partitions", FIELD_LIST,
                         .fields = (const Field[]){{"table", FIELD_TEXT, .help = "table"},
                                                   {"partition", FIELD_TEXT, .help = "partition"},
                                                   {"bounds", FIELD_TEXT, .help = "its range"},
                                                   {"bytes", FIELD_BYTES, .help = "size on disk"},
                                                   {0}},
                         .help = "by table and name"},
                        {0}},
    .examples = (const OpExample[]){{"partition list --tenant acme", "schema tier"},
                                    {"partition list --blueprint saas", "row tier"},
                                    {0}},
    .run = run_list,
};

/* --- detach ----------------------------------------------------------------------------------- */

static bool detach_rows(JobContext *context, const Place *place, const char *table,
                        const PgRows *rows, int64_t *ret_detached, Err *err)
{
    Arena *arena = context->arena;
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    const SqlArg schema = sql_name(arena, place->schema_name);
    place_enter_role(batch, place->owner_role, "pg_catalog");
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        if (pg_rows_bool(rows, i, 3)) {
            const char *name = pg_rows_text(rows, i, 1);
            pg_batch_add(batch,
                         SQL(arena, "ALTER TABLE {}.{} DETACH PARTITION {}.{}", schema,
                             sql_name(arena, table), schema, sql_name(arena, name)),
                         PG_NO_PARAMS);
            (*ret_detached)++;
        }
    }
    place_leave_role(batch);
    return pg_batch_run(context->store->conn, batch, err);
}

/* A day that is not in the future, so that no partition that rows still go to can be meant. */
static bool check_before(const char *before, Err *err)
{
    static const char form[] = "dddd-dd-dd";
    bool is_date = strlen(before) == sizeof form - 1;
    for (size_t i = 0; is_date && i < sizeof form - 1; i++) {
        is_date = form[i] == 'd' ? before[i] >= '0' && before[i] <= '9' : before[i] == form[i];
    }
    if (!is_date) {
        return ERR_SET(err, ERR_INPUT_INVALID, "for example 2026-01-01",
                       "parameter \"before\": a date such as 2026-01-01 was expected");
    }
    const time_t now = clock_wall_us() / 1000000;
    struct tm utc;
    char today[16];
    gmtime_r(&now, &utc);
    strftime(today, sizeof today, "%Y-%m-%d", &utc);
    return strcmp(before, today) <= 0 ||
           ERR_SET(err, ERR_INPUT_INVALID, "partitions of the present and the future stay",
                   "parameter \"before\": %s is later than today", before);
}

static bool step_detach(JobContext *context, Err *err)
{
    const Place *place = NULL;
    const char *tenant_id = NULL;
    scoped_rows PgRows *rows = NULL;
    const char *table = json_get_text(context->args, "table", "");
    if (!check_before(json_get_text(context->args, "before", ""), err) ||
        !find_place(context->arena, context->store, context->args, &place, &tenant_id, err) ||
        !read_partitions(context->store, place, table, json_get_text(context->args, "before", ""),
                         &rows, err)) {
        return strncmp(err->sqlstate, "22", 2) == 0
                   ? ERR_SET(err, ERR_INPUT_INVALID, "for example 2026-01-01",
                             "before: a date was expected")
                   : false;
    }
    if (pg_rows_count(rows) == 0) {
        return ERR_SET(err, ERR_INPUT_INVALID, "\"tenantry partition list\" shows what there is",
                       "schema \"%s\" has no partitioned table \"%s\"", place->schema_name, table);
    }
    scoped_json Json *detail = json_object();
    int64_t detached = 0;
    if (!detach_rows(context, place, table, rows, &detached, err)) {
        return false;
    }
    /* What is a tenant's alone is told in its own chain. */
    if (tenant_id != NULL) {
        job_set_tenant(context, tenant_id);
    } else {
        json_put_text(detail, "blueprint", place->blueprint);
    }
    json_put_text(detail, "schema", place->schema_name);
    json_put_text(detail, "table", table);
    json_put_text(detail, "before", json_get_text(context->args, "before", ""));
    json_put_int(detail, "detached", detached);
    return job_audit(context, "partition.detach", detail, err);
}

static const JobStep detach_steps[] = {
    {"detach", "Detaching old partitions", JOB_STEP_TRANSACTION, step_detach},
    {0},
};
const JobKind partition_detach_job = {.operation = "partition.detach", .steps = detach_steps};

static bool run_detach(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    const Place *place = NULL;
    const char *tenant_id = NULL;
    int64_t job_id = 0;
    const char *subject = json_get_text(args, "tenant", json_get_text(args, "blueprint", ""));
    scoped_rows PgRows *rows = NULL;
    const char *table = json_get_text(args, "table", "");
    if (!op_store(context, &store, err) ||
        !find_place(context->arena, store, args, &place, &tenant_id, err) ||
        !read_partitions(store, place, table, NULL, &rows, err)) {
        return false;
    }
    const size_t before = pg_rows_count(rows);
    scoped_rows PgRows *left = NULL;
    if (!op_run_job(context, &partition_detach_job, subject, NULL, args, &job_id, err) ||
        !read_partitions(store, place, table, NULL, &left, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put_text(*ret_answer, "schema", place->schema_name);
    json_put_int(*ret_answer, "detached", (int64_t)(before - pg_rows_count(left)));
    json_put_int(*ret_answer, "job", job_id);
    return true;
}

const Operation op_partition_detach = {
    .name = "partition.detach",
    .summary = "Detach partitions that end before a date; they stay as tables of their own.",
    .access = ACCESS_ADMIN,
    .kind = OP_JOB,
    .http = {"POST", "/v1/partitions/detach"},
    .params =
        (const Param[]){
            PLACE_PARAMS,
            {"table", PARAM_TEXT, .is_required = true, .most = 63, .help = "The table."},
            {"before", PARAM_TEXT, .is_required = true, .most = 40,
             .help = "Partitions that end at or before this date (2026-01-01, UTC)."},
            {0}},
    .result = (const Field[]){{"schema", FIELD_TEXT, .help = "where the tables are"},
                              {"detached", FIELD_INT, .help = "how many"},
                              {"job", FIELD_INT, .help = "the job that did it"},
                              {0}},
    .examples = (const OpExample[]){{"partition detach --tenant acme --table trades --before "
                                     "2026-01-01",
                                     "last year's trades"},
                                    {0}},
    .done = "partitions detached: {detached}",
    .run = run_detach,
};
