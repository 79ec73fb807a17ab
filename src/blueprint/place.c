#include "blueprint/place.h"

#include <stdio.h>
#include <string.h>

#include "blueprint/births.h"
#include "blueprint/place_parts.h"
#include "blueprint/schema_name.h"
#include "blueprint/steps.h"
#include "core/array.h"
#include "core/strbuf.h"
#include "pg/sql.h"
#include "pg/sql_parse.h"

#define EXTENSION_SCHEMA "tenantry_ext"

bool place_name(Arena *arena, const Blueprint *blueprint, Tier tier, const char *stem,
                Place *ret_place, Err *err)
{
    const char *id = NULL;
    if (!secret_random_uuid(arena, &id, err)) {
        return false;
    }
    *ret_place = (Place){.id = id,
                         .version = blueprint->version,
                         .schema_name = stem,
                         .owner_role = arena_printf(arena, "%s_owner", stem),
                         .app_role = arena_printf(arena, "%s_app", stem),
                         .readonly_role = arena_printf(arena, "%s_ro", stem),
                         .blueprint = blueprint->name,
                         .tier = tier_name(tier)};
    return true;
}

const char *place_search_path(Arena *arena, const Extensions *extensions, const Place *place)
{
    StrBuf path = strbuf_init(arena);
    /* Also where there is no extension yet: one that a later version wants is then found by the
     * logins and functions of the places that are there, as by those of new ones. */
    strbuf_printf(&path, "%s, %s", sql_ident(arena, place->schema_name).quoted,
                  sql_ident(arena, EXTENSION_SCHEMA).quoted);
    for (size_t i = 0; i < extensions->count; i++) {
        const char *schema = extensions->schemas[i];
        if (schema != NULL && strcmp(schema, "pg_catalog") != 0) {
            const char *quoted = sql_ident(arena, schema).quoted;
            if (strstr(path.text, quoted) == NULL) {
                strbuf_printf(&path, ", %s", quoted);
            }
        }
    }
    /* Last and by name, or it is searched first: a temporary table would stand in for one of the
     * place's, also in functions that take this path with them (SET search_path FROM CURRENT). */
    strbuf_add(&path, ", pg_temp");
    return path.text;
}

void place_add_statements(Arena *arena, PgBatch *batch, const SqlScript *script)
{
    for (size_t i = 0; i < script->count; i++) {
        const SqlStatement *statement = &script->statements[i];
        pg_batch_add_at(batch, sql_statement_place(arena, script->file, statement), statement->text,
                        PG_NO_PARAMS);
    }
}

bool place_add_script(Arena *arena, PgBatch *batch, const char *file, const char *text, Err *err)
{
    SqlScript script = {0};
    if (!sql_script_split(arena, file, text, ERR_BLUEPRINT_INVALID, &script, err)) {
        return false;
    }
    place_add_statements(arena, batch, &script);
    return true;
}

/* Makes the schema of extensions, for all tenants to use. Every search_path has it, so it must be
 * the control role's own: somebody else may have made it first, and put there what a tenant would
 * call for what was meant. */
static bool ensure_extension_schema(Arena *arena, Store *store, Err *err)
{
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    pg_batch_add(batch, "LOCK TABLE tenantry.installation IN SHARE ROW EXCLUSIVE MODE",
                 PG_NO_PARAMS);
    pg_batch_add(batch, "CREATE SCHEMA IF NOT EXISTS " EXTENSION_SCHEMA, PG_NO_PARAMS);
    const size_t answer = pg_batch_add(
        batch,
        "SELECT nspowner = quote_ident(SESSION_USER)::regrole, pg_get_userbyid(nspowner),"
        " SESSION_USER FROM pg_namespace WHERE nspname = '" EXTENSION_SCHEMA "'",
        PG_NO_PARAMS);
    if (!pg_batch_run(store->conn, batch, err)) {
        return false;
    }
    const PgRows *rows = pg_batch_rows(batch, answer);
    if (!pg_rows_bool(rows, 0, 0)) {
        ERR_SET(err, ERR_ISOLATION, NULL,
                "schema \"" EXTENSION_SCHEMA "\" belongs to role \"%s\", not to \"%s\": every "
                "tenant finds what its owner puts there",
                pg_rows_text(rows, 0, 1), pg_rows_text(rows, 0, 2));
        err_hint(err, "drop it, or look what is in it and run, as a superuser: %s",
                 SQL(arena, "ALTER SCHEMA {} OWNER TO {}", sql_name(arena, EXTENSION_SCHEMA),
                     sql_name(arena, pg_rows_text(rows, 0, 2))));
        return false;
    }
    return pg_query(store->conn,
                    SQL(arena, "GRANT USAGE ON SCHEMA {} TO {}", sql_name(arena, EXTENSION_SCHEMA),
                        sql_name(arena, store->tenants_role)),
                    PG_NO_PARAMS, NULL, err);
}

bool place_ensure_extensions(Arena *arena, Store *store, const Blueprint *blueprint,
                             Extensions *extensions, Err *err)
{
    bool is_missing = false;
    for (size_t i = 0; i < extensions->count; i++) {
        is_missing = is_missing || extensions->schemas[i] == NULL;
    }
    if (!is_missing) {
        return true;
    }
    if (!ensure_extension_schema(arena, store, err)) {
        return err_prefix(err, "blueprint \"%s\": cannot install its extensions", blueprint->name);
    }
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    for (size_t i = 0; i < extensions->count; i++) {
        if (extensions->schemas[i] == NULL) {
            pg_batch_add(batch,
                         SQL(arena, "CREATE EXTENSION IF NOT EXISTS {} SCHEMA {}",
                             sql_name(arena, extensions->names[i]),
                             sql_name(arena, EXTENSION_SCHEMA)),
                         PG_NO_PARAMS);
        }
    }
    if (!pg_batch_run(store->conn, batch, err)) {
        if (err->code == ERR_PG_RIGHT_MISSING) {
            err_hint(err,
                     "the extension is not a trusted one: as a superuser, run CREATE "
                     "EXTENSION in database \"%s\" and try again",
                     pg_conn_database(store->conn));
        }
        return err_prefix(err, "blueprint \"%s\": cannot install its extensions", blueprint->name);
    }
    return registry_find_extensions(arena, store, blueprint, extensions, err);
}

void place_add_role(Arena *arena, PgBatch *batch, const char *role)
{
    pg_batch_add(batch, SQL(arena, "CREATE ROLE {} NOLOGIN", sql_name(arena, role)), PG_NO_PARAMS);
}

void place_add_owner(Arena *arena, const Store *store, PgBatch *batch, const Place *place)
{
    const SqlArg owner = sql_name(arena, place->owner_role);
    const char *const sql[] = {
        SQL(arena, "CREATE ROLE {} NOLOGIN", owner),
        SQL(arena, "GRANT {} TO {}, {}, {}", sql_name(arena, store->tenants_role), owner,
            sql_name(arena, place->app_role), sql_name(arena, place->readonly_role)),
        SQL(arena, "GRANT {} TO CURRENT_USER", owner),
    };
    for (size_t i = 0; i < ARRAY_COUNT(sql); i++) {
        pg_batch_add(batch, sql[i], PG_NO_PARAMS);
    }
}

/* Owner and schema, empty; the application roles are there. In the schema tier the application
 * roles get their rights by default privileges, so that every table has them from the moment it is
 * made, without one GRANT per table.
 */
static void add_ground(Arena *arena, const Store *store, PgBatch *batch, const Place *place)
{
    place_add_owner(arena, store, batch, place);
    pg_batch_add(batch,
                 SQL(arena, "CREATE SCHEMA {} AUTHORIZATION {}",
                     sql_name(arena, place->schema_name), sql_name(arena, place->owner_role)),
                 PG_NO_PARAMS);
}

void place_add_default_privileges(Arena *arena, PgBatch *batch, const Place *place, Tier tier)
{
    const SqlArg owner = sql_name(arena, place->owner_role);
    const SqlArg app = sql_name(arena, place->app_role);
    const SqlArg readonly = sql_name(arena, place->readonly_role);
    const SqlArg schema = sql_name(arena, place->schema_name);
    static const char *const shared_templates[] = {
        "ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {} GRANT EXECUTE ON FUNCTIONS TO {}, {}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {} GRANT USAGE ON TYPES TO {}, {}",
    };
    pg_batch_add(batch, SQL(arena, "GRANT USAGE ON SCHEMA {} TO {}, {}", schema, app, readonly),
                 PG_NO_PARAMS);
    pg_batch_add(batch,
                 SQL(arena,
                     "ALTER DEFAULT PRIVILEGES FOR ROLE {} REVOKE ALL ON FUNCTIONS FROM PUBLIC",
                     owner),
                 PG_NO_PARAMS);
    pg_batch_add(
        batch,
        SQL(arena, "ALTER DEFAULT PRIVILEGES FOR ROLE {} REVOKE ALL ON TYPES FROM PUBLIC", owner),
        PG_NO_PARAMS);
    for (size_t i = 0; i < ARRAY_COUNT(shared_templates); i++) {
        pg_batch_add(batch, SQL(arena, shared_templates[i], owner, schema, app, readonly),
                     PG_NO_PARAMS);
    }
    if (tier != TIER_SCHEMA) {
        return;
    }
    const char *const sql[] = {
        SQL(arena,
            "ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {}"
            " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}",
            owner, schema, app),
        SQL(arena, "ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {} GRANT SELECT ON TABLES TO {}",
            owner, schema, readonly),
        SQL(arena,
            "ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {} GRANT USAGE, SELECT ON SEQUENCES TO "
            "{}",
            owner, schema, app),
    };
    for (size_t i = 0; i < ARRAY_COUNT(sql); i++) {
        pg_batch_add(batch, sql[i], PG_NO_PARAMS);
    }
}

/* A partition has default privileges of its own and is a table that can be named. It is read like
 * the table that it belongs to, and added to through that table only: a row put straight into a
 * partition would pass by the triggers that the table has for whole statements. */
static const char narrow_partitions[] =
    "DO $narrow$ DECLARE one regclass; BEGIN"
    " FOR one IN SELECT relid FROM pg_partition_tree(format('%I.%I', {}, {})::regclass)"
    "  WHERE level > 0 LOOP"
    " EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %s FROM %I', one, {});"
    " END LOOP; END $narrow$";

void place_add_narrowing(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                         const Place *place)
{
    const SqlArg schema = sql_name(arena, place->schema_name);
    const SqlArg app = sql_name(arena, place->app_role);
    for (size_t i = 0; i < blueprint->append_only_count; i++) {
        const SqlArg table = sql_name(arena, blueprint->append_only[i]);
        pg_batch_add(batch,
                     SQL(arena, "REVOKE UPDATE, DELETE ON {}.{} FROM {}", schema, table, app),
                     PG_NO_PARAMS);
        pg_batch_add(batch,
                     SQL(arena, narrow_partitions, sql_literal(place->schema_name),
                         sql_literal(blueprint->append_only[i]), sql_literal(place->app_role)),
                     PG_NO_PARAMS);
    }
    for (size_t i = 0; i < blueprint->shared_count; i++) {
        pg_batch_add(batch,
                     SQL(arena, "REVOKE INSERT, UPDATE, DELETE ON {}.{} FROM {}", schema,
                         sql_name(arena, blueprint->shared[i]), app),
                     PG_NO_PARAMS);
    }
}

/* The stamp's statements, in the order of their dependencies, except for what is in the bodies of
 * functions. */
static bool add_stamp(Arena *arena, PgBatch *batch, const Blueprint *blueprint, const Stamp *stamp,
                      const Place *place, Err *err)
{
    for (int64_t i = 0; i < stamp->statement_count; i++) {
        const char *sql = NULL;
        if (!stamp_statement(arena, stamp, (size_t)i, place->schema_name, &sql, err)) {
            return false;
        }
        pg_batch_add_at(batch,
                        arena_printf(arena, "stamp of \"%s\", statement %lld", blueprint->name,
                                     (long long)i + 1),
                        sql, PG_NO_PARAMS);
    }
    return true;
}

bool place_add_structure(Arena *arena, const Store *store, PgBatch *batch,
                         const PlaceSource *source, const Place *place, bool *ret_has_variant,
                         Err *err)
{
    const Blueprint *blueprint = source->blueprint;
    const bool is_flat = source->stamp != NULL && source->stamp->is_flat;
    const Blueprint *born = blueprint;
    *ret_has_variant = false;
    if (!is_flat && !births_prepare(arena, blueprint, &born, err)) {
        return false;
    }
    add_ground(arena, store, batch, place);
    place_enter_owner(batch, place, place_search_path(arena, source->extensions, place));
    place_add_default_privileges(arena, batch, place, TIER_SCHEMA);
    /* Bodies of functions were looked into when the stamp was taken, from the same migrations on
     * the same versions of the server and of extensions. What they call is looked up by name, and
     * for each name PostgreSQL reads the functions of all schemas. */
    const bool is_checked = source->stamp != NULL;
    if (is_checked) {
        pg_batch_add(batch, "SET LOCAL check_function_bodies = off", PG_NO_PARAMS);
    }
    const bool is_added = is_flat
                              ? add_stamp(arena, batch, blueprint, source->stamp, place, err)
                              : place_add_migrations(arena, batch, born, source->extensions,
                                                     ALL_VERSIONS(blueprint), ret_has_variant, err);
    if (!is_added) {
        return false;
    }
    if (is_checked) {
        pg_batch_add(batch, "SET LOCAL check_function_bodies = on", PG_NO_PARAMS);
    }
    if (source->has_partitions && !*ret_has_variant) {
        partitions_add_first(arena, batch, blueprint, place);
    }
    place_add_narrowing(arena, batch, blueprint, place);
    place_leave_role(batch);
    return true;
}

bool place_add_schema(Arena *arena, Store *store, PgBatch *batch, const Blueprint *blueprint,
                      const Extensions *extensions, const Place *place, bool *ret_lacks_partitions,
                      Err *err)
{
    PlaceSource source = {.blueprint = blueprint, .extensions = extensions, .has_partitions = true};
    if (!stamp_find(arena, store, blueprint, extensions, &source.stamp, err) ||
        !place_add_structure(arena, store, batch, &source, place, ret_lacks_partitions, err)) {
        return false;
    }
    places_add(arena, batch, place);
    place_add_ledger(arena, batch, blueprint, extensions, place, ALL_VERSIONS(blueprint));
    return true;
}

static bool make_shared(Arena *arena, Store *store, PgBatch *batch, const Blueprint *blueprint,
                        Place **ret_place, Err *err)
{
    Place *place = ARENA_NEW(arena, Place);
    const char *hex = NULL;
    if (!secret_random_hex(arena, 6, &hex, err) ||
        !place_name(arena, blueprint, TIER_ROW, arena_printf(arena, "shared_%s", hex), place,
                    err)) {
        return false;
    }
    /* The shared schema's name tells a tenant nothing about others, so people may read it, where it
     * is free, nobody else's to be (a blueprint may have been recorded before such names were
     * refused), and no word of SQL: a name that is not always written alike could not be taken out
     * of a fingerprint. */
    scoped_rows PgRows *rows = NULL;
    if (!pg_query_row(store->conn,
                      "SELECT to_regnamespace(quote_ident($1)) IS NULL AND quote_ident($1) = $1",
                      PG_PARAMS(blueprint->name), &rows, err)) {
        return false;
    }
    if (pg_rows_bool(rows, 0, 0) && !schema_is_reserved(blueprint->name)) {
        place->schema_name = blueprint->name;
    }
    place->version = 0;
    place_add_role(arena, batch, place->app_role);
    place_add_role(arena, batch, place->readonly_role);
    add_ground(arena, store, batch, place);
    places_add(arena, batch, place);
    *ret_place = place;
    return true;
}

static bool is_current(const Place *place, const Blueprint *blueprint)
{
    return place != NULL && place->version >= blueprint->version;
}

/* Looks before it locks, so that tenants made at once do not wait for one another, and again under
 * the lock. Somebody with a newer version of the blueprint may have been faster, and a rollout
 * takes no such lock: it holds the place. */
static bool find_shared(Arena *arena, Store *store, const Blueprint *blueprint, Place **ret_place,
                        Err *err)
{
    if (!places_find_shared(arena, store, blueprint->name, ret_place, err)) {
        return false;
    }
    return is_current(*ret_place, blueprint) ||
           (store_query(store, BLUEPRINT_LOCK, PG_NO_PARAMS, NULL, err) &&
            places_hold_shared(arena, store, blueprint->name, ret_place, err));
}

bool place_waits_for_rollout(Arena *arena, Store *store, const Blueprint *blueprint,
                             const Place *place, bool *ret_waits, Err *err)
{
    bool fits = false;
    Extensions extensions = {0};
    if (!registry_find_extensions(arena, store, blueprint, &extensions, err) ||
        !steps_fit_one(arena, blueprint, extensions.names, extensions.count, place->version, &fits,
                       err)) {
        return false;
    }
    *ret_waits = !fits;
    return true;
}

static bool check_one_transaction(Arena *arena, const Blueprint *blueprint,
                                  const Extensions *extensions, const Place *place, Err *err)
{
    bool fits = false;
    if (!steps_fit_one(arena, blueprint, extensions->names, extensions->count, place->version,
                       &fits, err)) {
        return false;
    }
    if (fits) {
        return true;
    }
    ERR_SET(err, ERR_ROLLOUT, NULL,
            "the shared tables of blueprint \"%s\" are at version %lld, and the way to %lld has "
            "steps outside of a transaction",
            blueprint->name, (long long)place->version, (long long)blueprint->version);
    err_hint(err, "tenantry migrate up %s, then try again", blueprint->name);
    return false;
}

bool place_ensure_shared(Arena *arena, Store *store, const Blueprint *blueprint,
                         bool *ret_is_changed, Err *err)
{
    Place *place = NULL;
    Extensions extensions = {0};
    PlaceWay way = {0};
    if (!find_shared(arena, store, blueprint, &place, err)) {
        return false;
    }
    *ret_is_changed = !is_current(place, blueprint);
    if (!*ret_is_changed) {
        return true;
    }
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    const bool is_new = place == NULL;
    const Blueprint *born = blueprint;
    bool has_more = false;
    if (!registry_find_extensions(arena, store, blueprint, &extensions, err) ||
        !place_ensure_extensions(arena, store, blueprint, &extensions, err) ||
        (is_new && (!births_prepare(arena, blueprint, &born, err) ||
                    !make_shared(arena, store, batch, blueprint, &place, err)))) {
        return false;
    }
    if (!is_new && !check_one_transaction(arena, blueprint, &extensions, place, err)) {
        return false;
    }
    if (is_new) {
        place_enter_role(batch, place->owner_role, "pg_catalog");
        place_add_default_privileges(arena, batch, place, TIER_ROW);
        place_leave_role(batch);
    }
    if (!place_read_way(arena, born, &extensions, place->version, blueprint->version, &way, err)) {
        return false;
    }
    place_add_move(arena, batch, born, &extensions, place, &way, &has_more);
    return pg_batch_run(store->conn, batch, err) &&
           place_ensure_partitions(arena, store, blueprint, place, err);
}

void place_add_drop_schema(Arena *arena, PgBatch *batch, const Place *place)
{
    place_enter_role(batch, place->owner_role, "pg_catalog");
    pg_batch_add(
        batch, SQL(arena, "DROP SCHEMA IF EXISTS {} CASCADE", sql_name(arena, place->schema_name)),
        PG_NO_PARAMS);
    place_leave_role(batch);
}

/* Default privileges and other entries that name a role go with DROP OWNED, which takes membership.
 */
void place_add_drop_roles(Arena *arena, PgBatch *batch, const char *const *roles, size_t count)
{
    static const char *const templates[] = {"GRANT {} TO CURRENT_USER", "DROP OWNED BY {} CASCADE",
                                            "DROP ROLE {}"};
    for (size_t t = 0; t < ARRAY_COUNT(templates); t++) {
        for (size_t i = 0; i < count; i++) {
            pg_batch_add(batch, SQL(arena, templates[t], sql_name(arena, roles[i])), PG_NO_PARAMS);
        }
    }
}
