/* tenant.purge: everything of an archived tenant goes, but its audit chain. */
#include "blueprint/place.h"
#include "core/fault.h"
#include "pg/sql.h"
#include "tenant/lifecycle_parts.h"
#include "tenant/state.h"

enum { DELETE_ATTEMPTS = 2 };

/* Row tier: the tables of the shared place that hold tenants' rows, those that refer to others
 * first; and whether a policy of the blueprint's own may hide some of them from the owner too. */
static const char tables_by_dependency[] =
    "WITH RECURSIVE t AS ("
    " SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    " AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = "
    "'tenant_guard')),"
    " depth AS (SELECT oid, 0 AS level FROM t UNION"
    " SELECT f.confrelid, d.level + 1 FROM depth d JOIN pg_constraint f ON f.conrelid = d.oid"
    " AND f.contype = 'f' AND f.confrelid <> f.conrelid WHERE d.level < 100)"
    " SELECT t.relname, EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.oid"
    "  AND NOT p.polpermissive AND p.polname <> 'tenant_guard')"
    " FROM t JOIN depth d ON d.oid = t.oid GROUP BY t.oid, t.relname ORDER BY max(d.level),"
    " t.relname";

#define ROWS_LEFT "tenantry.rows_left"

static void add_deletes(Arena *arena, PgBatch *batch, const Place *place, const PgRows *tables)
{
    place_enter_role(batch, place->owner_role, "pg_catalog");
    for (size_t i = 0; i < pg_rows_count(tables); i++) {
        pg_batch_add(batch,
                     SQL(arena, "DELETE FROM {}.{}", sql_name(arena, place->schema_name),
                         sql_name(arena, pg_rows_text(tables, i, 0))),
                     PG_NO_PARAMS);
    }
    place_leave_role(batch);
}

/* Leaves the name of a table that still has rows of the tenant in a setting. In a guard of its own,
 * which fires no trigger: so what triggers of the deletes have set is gone, and the owner may look
 * past policies for a moment. */
static void add_look(Arena *arena, PgBatch *batch, const Tenant *tenant, const PgRows *tables,
                     size_t *ret_answer)
{
    const Place *place = tenant->place;
    const SqlArg schema = sql_name(arena, place->schema_name);
    place_enter_role(batch, place->owner_role, "pg_catalog");
    for (size_t i = 0; i < pg_rows_count(tables); i++) {
        const char *name = pg_rows_text(tables, i, 0);
        const SqlArg table = sql_name(arena, name);
        const bool is_hidden = pg_rows_bool(tables, i, 1);
        if (is_hidden) {
            pg_batch_add(batch,
                         SQL(arena, "ALTER TABLE {}.{} NO FORCE ROW LEVEL SECURITY", schema, table),
                         PG_NO_PARAMS);
        }
        pg_batch_add(batch,
                     SQL(arena,
                         "SELECT set_config('" ROWS_LEFT "', {}, false) FROM {}.{}"
                         " WHERE tenant_id = {} LIMIT 1",
                         sql_literal(name), schema, table, sql_literal(tenant->id)),
                     PG_NO_PARAMS);
        if (is_hidden) {
            pg_batch_add(batch,
                         SQL(arena, "ALTER TABLE {}.{} FORCE ROW LEVEL SECURITY", schema, table),
                         PG_NO_PARAMS);
        }
    }
    *ret_answer = place_leave_role_asking(batch, ROWS_LEFT);
}

/* *ret_left: a table that has rows of the tenant afterwards, or NULL. */
static bool delete_once(JobContext *context, const Tenant *tenant, const PgRows *tables,
                        const char **ret_left, Err *err)
{
    Arena *arena = context->arena;
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    size_t answer = 0;
    add_deletes(arena, batch, tenant->place, tables);
    add_look(arena, batch, tenant, tables, &answer);
    if (!pg_batch_run(context->store->conn, batch, err)) {
        return false;
    }
    const char *left = pg_rows_text(pg_batch_rows(batch, answer), 0, 0);
    *ret_left = left == NULL || *left == '\0' ? NULL : arena_strdup(arena, left);
    return true;
}

/* Row tier: the owner of the shared place becomes this tenant for the length of the transaction, so
 * the tenant's own policies make sure that no other tenant's row can be deleted. Twice where rows
 * are left: triggers of one table may have written to another that was empty already. */
static bool delete_rows(JobContext *context, const Tenant *tenant, Err *err)
{
    Store *store = context->store;
    const Place *place = tenant->place;
    const char *left = "";
    scoped_rows PgRows *tables = NULL;
    if (!pg_query(store->conn, tables_by_dependency, PG_PARAMS(place->schema_name), &tables, err) ||
        !store_query(store, ROLE_MAP, PG_PARAMS(place->owner_role, tenant->id), NULL, err)) {
        return false;
    }
    for (int i = 0; i < DELETE_ATTEMPTS && left != NULL; i++) {
        if (!delete_once(context, tenant, tables, &left, err)) {
            return false;
        }
    }
    if (left != NULL) {
        return ERR_SET(err, ERR_PG_FAILED,
                       "its triggers, rules and policies must let the table's owner delete "
                       "(docs/blueprints.md, Purging): change them with a migration",
                       "tenant \"%s\" still has rows in table \"%s\" after they were deleted",
                       tenant->slug, left);
    }
    return store_query(store, ROLE_UNMAP_ONE, PG_PARAMS(place->owner_role), NULL, err);
}

/* Its owner drops it; where a person dropped him, his schema went with him or has another owner. */
static bool drop_schema(JobContext *context, const Tenant *tenant, Err *err)
{
    const Place *place = tenant->place;
    PlaceRemains remains;
    if (!places_find_remains(context->store, place, &remains, err)) {
        return false;
    }
    if (!remains.has_owner) {
        return !remains.has_schema ||
               ERR_SET(err, ERR_ROLE_GONE, "drop the schema as a superuser, then try again",
                       "role \"%s\", the owner of schema \"%s\", is gone and the schema is not",
                       place->owner_role, place->schema_name);
    }
    scoped_batch PgBatch *batch = pg_batch_new(context->arena);
    place_add_drop_schema(context->arena, batch, place);
    return pg_batch_run(context->store->conn, batch, err);
}

static bool drop_roles(JobContext *context, const Tenant *tenant, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, ROLE_LIST, PG_PARAMS(tenant->id), &rows, err)) {
        return false;
    }
    const size_t count = pg_rows_count(rows);
    const char **roles = ARENA_ARRAY(context->arena, const char *, count);
    for (size_t i = 0; i < count; i++) {
        roles[i] = pg_rows_text(rows, i, 0);
    }
    scoped_batch PgBatch *batch = pg_batch_new(context->arena);
    place_add_drop_roles(context->arena, batch, roles, count);
    return pg_batch_run(context->store->conn, batch, err);
}

static bool delete_registry_rows(JobContext *context, const Tenant *tenant, Err *err)
{
    Store *store = context->store;
    return store_query(store, ROLE_UNMAP, PG_PARAMS(tenant->id), NULL, err) &&
           store_query(store, ROLE_DELETE, PG_PARAMS(tenant->id), NULL, err) &&
           store_query(store, TENANT_SET_PLACE, PG_PARAMS(tenant->id, NULL), NULL, err) &&
           (!lifecycle_is_schema_tier(tenant) ||
            store_query(store, PLACE_DELETE, PG_PARAMS(tenant->place->id), NULL, err));
}

static bool purge(JobContext *context, Tenant *tenant, Err *err)
{
    scoped_json Json *detail = json_object();
    json_put_text(detail, "slug", tenant->slug);
    if (!tenant_move(context->store, tenant, TENANT_PURGED, err) ||
        !lifecycle_note_gone(context, tenant, detail, err) ||
        !tenants_refuse_prepared(context->store, tenant, 0, err) ||
        !(lifecycle_is_schema_tier(tenant) ? drop_schema(context, tenant, err)
                                           : delete_rows(context, tenant, err)) ||
        !drop_roles(context, tenant, err) || !delete_registry_rows(context, tenant, err)) {
        return false;
    }
    FAULT("tenant.purge.dropped");
    return job_audit_last(context, "tenant.purge", detail, err);
}

/* All of it in one transaction: the tenant is archived and whole, or purged and gone. */
static bool step_purge(JobContext *context, Err *err)
{
    Tenant *tenant = NULL;
    if (!lifecycle_load(context, &tenant, err)) {
        return false;
    }
    if (!purge(context, tenant, err)) {
        const Place *place = tenant->place;
        tenants_tell_lock_holders(context->store, place == NULL ? NULL : place->schema_name,
                                  tenant->id, err);
        return false;
    }
    return true;
}

static const JobStep purge_steps[] = {
    {"purge", "Removing data, roles and secrets", JOB_STEP_TRANSACTION, step_purge},
    {0},
};
const JobKind tenant_purge_job = {.operation = "tenant.purge", .steps = purge_steps};
