#include "blueprint/takeover.h"

#include <string.h>

#include "blueprint/place_parts.h"
#include "blueprint/schema_name.h"
#include "core/embedded_file.h"
#include "pg/sql.h"

/* One of this module's queries about a schema. */
static bool query_file(Store *store, const char *path, PgParams params, PgRows **ret_rows, Err *err)
{
    const EmbeddedFile *file = embedded_file_find(path);
    if (file == NULL) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "\"%s\" is not in the binary", path);
    }
    return pg_query(store->conn, file->text, params, ret_rows, err);
}

bool takeover_check(Arena *arena, Store *store, const char *schema, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    const bool is_kept = schema_is_reserved(schema) || schema_is_opaque(schema);
    if (!query_file(store, "src/blueprint/takeover_refusals.sql",
                    PG_PARAMS(schema, is_kept ? "true" : "false"), &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return true;
    }
    const bool is_right = strcmp(pg_rows_text(rows, 0, 0), "right") == 0;
    ERR_SET(err, is_right ? ERR_PG_RIGHT_MISSING : ERR_INPUT_INVALID, NULL, "%s",
            pg_rows_text(rows, 0, 1));
    if (pg_rows_text(rows, 0, 2) != NULL) {
        err_hint(err, "%s", arena_strdup(arena, pg_rows_text(rows, 0, 2)));
    }
    return false;
}

static void copy_texts(Arena *arena, const PgRows *rows, TextList *ret_list)
{
    const size_t count = pg_rows_count(rows);
    *ret_list = (TextList){.texts = ARENA_ARRAY(arena, const char *, count), .count = count};
    for (size_t i = 0; i < count; i++) {
        ret_list->texts[i] = arena_strdup(arena, pg_rows_text(rows, i, 0));
    }
}

bool takeover_list_changes(Arena *arena, Store *store, const char *schema, TextList *ret_list,
                           Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!query_file(store, "src/blueprint/takeover_changes.sql", PG_PARAMS(schema), &rows, err)) {
        return false;
    }
    copy_texts(arena, rows, ret_list);
    return true;
}

/* The blueprint's lists of tables without those that the schema has not: whoever takes a schema
 * over as it is (--allow-drift) may lack one. */
static bool keep_tables(Arena *arena, Store *store, const char *schema, const char *const *tables,
                        size_t count, const char ***ret_tables, size_t *ret_count, Err *err)
{
    const char **kept = ARENA_ARRAY(arena, const char *, count);
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        scoped_rows PgRows *rows = NULL;
        if (!store_query(store, TAKEOVER_HAS_TABLE, PG_PARAMS(schema, tables[i]), &rows, err)) {
            return false;
        }
        if (pg_rows_count(rows) == 1) {
            kept[(*ret_count)++] = tables[i];
        }
    }
    *ret_tables = kept;
    return true;
}

/* What is run as the owner. */
static bool add_rights(Arena *arena, Store *store, PgBatch *batch, const Blueprint *blueprint,
                       const Place *place, Err *err)
{
    Blueprint narrowed = *blueprint;
    const char *schema = place->schema_name;
    if (!keep_tables(arena, store, schema, blueprint->append_only, blueprint->append_only_count,
                     &narrowed.append_only, &narrowed.append_only_count, err) ||
        !keep_tables(arena, store, schema, blueprint->shared, blueprint->shared_count,
                     &narrowed.shared, &narrowed.shared_count, err)) {
        return false;
    }
    place_add_default_privileges(arena, batch, place, TIER_SCHEMA);
    place_add_narrowing(arena, batch, &narrowed, place);
    return true;
}

/* What is run as the control role: nothing of it runs code of the schema. */
static bool add_owners(Arena *arena, Store *store, PgBatch *batch, const Place *place, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!query_file(
            store, "src/blueprint/takeover_statements.sql",
            PG_PARAMS(place->schema_name, place->owner_role, place->app_role, place->readonly_role),
            &rows, err)) {
        return false;
    }
    place_add_owner(arena, store, batch, place);
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const char *sql = pg_rows_text(rows, i, 0);
        pg_batch_add_at(batch, sql, sql, PG_NO_PARAMS);
    }
    return true;
}

bool takeover_add(Arena *arena, Store *store, PgBatch *batch, const Blueprint *blueprint,
                  const Extensions *extensions, const Place *place, Err *err)
{
    if (!store_query(store, TAKEOVER_LOCK, PG_PARAMS(place->schema_name), NULL, err) ||
        !takeover_check(arena, store, place->schema_name, err) ||
        !add_owners(arena, store, batch, place, err)) {
        return false;
    }
    place_enter_owner(batch, place, place_search_path(arena, extensions, place));
    if (!add_rights(arena, store, batch, blueprint, place, err)) {
        return false;
    }
    place_leave_role(batch);
    return true;
}

bool takeover_list_statements(Arena *arena, Store *store, const Blueprint *blueprint,
                              const Place *place, TextList *ret_list, Err *err)
{
    PgParams ignored;
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    place_add_role(arena, batch, place->app_role);
    place_add_role(arena, batch, place->readonly_role);
    if (!takeover_check(arena, store, place->schema_name, err) ||
        !add_owners(arena, store, batch, place, err) ||
        !add_rights(arena, store, batch, blueprint, place, err)) {
        return false;
    }
    const size_t count = pg_batch_count(batch);
    *ret_list = (TextList){.texts = ARENA_ARRAY(arena, const char *, count), .count = count};
    for (size_t i = 0; i < count; i++) {
        ret_list->texts[i] = pg_batch_statement(batch, i, &ignored);
    }
    return true;
}

void takeover_add_rows(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                       const Extensions *extensions, const Place *place)
{
    places_add(arena, batch, place);
    store_batch(batch, PLACE_ADOPTED, PG_PARAMS(place->id));
    place_add_ledger(arena, batch, blueprint, extensions, place, ALL_VERSIONS(blueprint));
}
