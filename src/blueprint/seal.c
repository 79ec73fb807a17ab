#include <string.h>

#include "blueprint/place_parts.h"
#include "core/array.h"
#include "pg/sql.h"

/* The tenant of the role, narrowed by the setting; the scalar subselect is evaluated once per
 * statement. The same rule as tenancy.current_tenant(), inlined: a function call per statement
 * would cost more. */
#define GUARD                                                                                      \
    "tenant_id = (SELECT m.tenant_id FROM tenancy.role_tenants m WHERE m.role_name = current_user" \
    " AND coalesce(nullif(lower(current_setting('app.current_tenant_id', true)), ''),"             \
    " m.tenant_id::text) = m.tenant_id::text)"

typedef struct Table {
    const char *name;
    bool is_view;
    bool is_sequence;
    bool is_partition;
    bool has_tenant_id;
    bool is_known;  /* was guarded and granted before */
    bool is_intact; /* row-level security and both policies are as they should be */
} Table;

static bool is_listed(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void add_guard(Arena *arena, PgBatch *batch, SqlArg schema, SqlArg table)
{
    const char *const sql[] = {
        SQL(arena, "DROP POLICY IF EXISTS tenant_guard ON {}.{}", schema, table),
        SQL(arena, "DROP POLICY IF EXISTS tenant_rows ON {}.{}", schema, table),
        SQL(arena, "ALTER TABLE {}.{} ENABLE ROW LEVEL SECURITY", schema, table),
        SQL(arena, "ALTER TABLE {}.{} FORCE ROW LEVEL SECURITY", schema, table),
        SQL(arena,
            "CREATE POLICY tenant_guard ON {}.{} AS RESTRICTIVE USING (" GUARD
            ") WITH CHECK (" GUARD ")",
            schema, table),
        SQL(arena, "CREATE POLICY tenant_rows ON {}.{} USING (true) WITH CHECK (true)", schema,
            table),
    };
    for (size_t i = 0; i < ARRAY_COUNT(sql); i++) {
        pg_batch_add(batch, sql[i], PG_NO_PARAMS);
    }
}

/* Partitions are reached through their parent only: guarded like it, granted to nobody. That stays
 * so when they are detached: rights come with the guard, and what has the guard already gets no
 * more. */
static void add_table(Arena *arena, PgBatch *batch, const Blueprint *blueprint, const Place *place,
                      const Table *table)
{
    const SqlArg schema = sql_name(arena, place->schema_name);
    const SqlArg name = sql_name(arena, table->name);
    const SqlArg app = sql_name(arena, place->app_role);
    const SqlArg readonly = sql_name(arena, place->readonly_role);
    if (table->is_sequence) {
        pg_batch_add(batch,
                     SQL(arena, "GRANT USAGE, SELECT ON SEQUENCE {}.{} TO {}", schema, name, app),
                     PG_NO_PARAMS);
        return;
    }
    if (table->has_tenant_id && !table->is_view && !table->is_intact) {
        add_guard(arena, batch, schema, name);
    }
    if (table->is_partition || table->is_known) {
        return;
    }
    const bool is_shared = is_listed(blueprint->shared, blueprint->shared_count, table->name);
    const bool is_append_only = is_listed(blueprint->append_only, blueprint->append_only_count,
                                          table->name);
    const char *grant = is_shared || table->is_view ? "GRANT SELECT ON {}.{} TO {}"
                        : is_append_only            ? "GRANT SELECT, INSERT ON {}.{} TO {}"
                                         : "GRANT SELECT, INSERT, UPDATE, DELETE ON {}.{} TO {}";
    pg_batch_add(batch, SQL(arena, grant, schema, name, app), PG_NO_PARAMS);
    pg_batch_add(batch, SQL(arena, "GRANT SELECT ON {}.{} TO {}", schema, name, readonly),
                 PG_NO_PARAMS);
}

static bool check_table(const Blueprint *blueprint, const Table *table, Err *err)
{
    if (table->has_tenant_id || table->is_view || table->is_sequence ||
        is_listed(blueprint->shared, blueprint->shared_count, table->name)) {
        return true;
    }
    return ERR_SET(
        err, ERR_BLUEPRINT_INVALID,
        "add tenant_id uuid NOT NULL, or list the table under \"shared\" in the manifest",
        "blueprint \"%s\": table \"%s\" has no tenant_id uuid NOT NULL, which every table "
        "of the row tier needs",
        blueprint->name, table->name);
}

/* Any tenant, a member of its group, may DROP OWNED BY it, which takes the group out of the owner's
 * default privileges; of what is there already it takes nothing, since the owner gave it. Whatever
 * the place's scripts made since then was closed to the tenants: functions, and types but those
 * that PostgreSQL makes by itself, which have no rights of their own. */
static const char give_rights[] =
    "DO $give$ DECLARE one text; BEGIN"
    " FOR one IN SELECT format('ROUTINE %s', f.oid::regprocedure)"
    "  FROM pg_namespace n JOIN pg_proc f ON f.pronamespace = n.oid AND f.proowner = n.nspowner"
    "  WHERE n.nspname = {}"
    " UNION ALL SELECT format('TYPE %s', t.oid::regtype)"
    "  FROM pg_namespace n JOIN pg_type t ON t.typnamespace = n.oid AND t.typowner = n.nspowner"
    "  LEFT JOIN pg_class c ON c.oid = t.typrelid"
    "  WHERE n.nspname = {} AND t.typtype <> 'm' AND (c.oid IS NULL OR c.relkind = 'c')"
    "   AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)"
    " LOOP EXECUTE format('GRANT ALL ON %s TO %I, %I', one, {}, {}); END LOOP; END $give$";

/* Nothing is to be done as a rule; and then a right that a script took away stays away. */
static bool add_defaults(Arena *arena, Store *store, PgBatch *batch, const Place *place, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(
            store, PLACE_LACKS_DEFAULTS,
            PG_PARAMS(place->schema_name, place->owner_role, place->app_role, place->readonly_role),
            &rows, err)) {
        return false;
    }
    if (pg_rows_bool(rows, 0, 0)) {
        place_add_default_privileges(arena, batch, place, TIER_ROW);
        pg_batch_add(batch,
                     SQL(arena, give_rights, sql_literal(place->schema_name),
                         sql_literal(place->schema_name), sql_literal(place->app_role),
                         sql_literal(place->readonly_role)),
                     PG_NO_PARAMS);
    }
    return true;
}

bool seal_shared_place(Arena *arena, Store *store, const Blueprint *blueprint, const Place *place,
                       Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query(store->conn,
                  "SELECT c.relname, c.relkind IN ('v', 'm'), c.relkind = 'S', c.relispartition,"
                  " EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid"
                  "  AND a.attname = 'tenant_id' AND a.atttypid = 'uuid'::regtype"
                  "  AND (a.attnotnull OR c.relkind = 'v')),"
                  " EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid"
                  "  AND p.polname = 'tenant_guard'),"
                  " c.relrowsecurity AND c.relforcerowsecurity AND 2 = (SELECT count(*)"
                  "  FROM pg_policy p JOIN pg_policy g ON g.polname = p.polname"
                  "   AND g.polcmd = p.polcmd AND g.polpermissive = p.polpermissive"
                  "   AND g.polroles = p.polroles"
                  "   AND pg_get_expr(g.polqual, g.polrelid) = pg_get_expr(p.polqual, p.polrelid)"
                  "   AND pg_get_expr(g.polwithcheck, g.polrelid)"
                  "    = pg_get_expr(p.polwithcheck, p.polrelid)"
                  "  WHERE p.polrelid = c.oid AND g.polrelid = 'tenantry.guard'::regclass)"
                  " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                  " WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'S')"
                  " ORDER BY c.relname",
                  PG_PARAMS(place->schema_name), &rows, err)) {
        return false;
    }
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    place_enter_role(batch, place->owner_role, "pg_catalog");
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const Table table = {.name = pg_rows_text(rows, i, 0),
                             .is_view = pg_rows_bool(rows, i, 1),
                             .is_sequence = pg_rows_bool(rows, i, 2),
                             .is_partition = pg_rows_bool(rows, i, 3),
                             .has_tenant_id = pg_rows_bool(rows, i, 4),
                             .is_known = pg_rows_bool(rows, i, 5),
                             .is_intact = pg_rows_bool(rows, i, 6)};
        if (!check_table(blueprint, &table, err)) {
            return false;
        }
        add_table(arena, batch, blueprint, place, &table);
    }
    if (!add_defaults(arena, store, batch, place, err)) {
        return false;
    }
    place_leave_role(batch);
    return pg_batch_run(store->conn, batch, err);
}
