#include "blueprint/stamp.h"

#include <string.h>

#include "blueprint/place.h"
#include "blueprint/stamp_parts.h"
#include "core/strbuf.h"

/* Part of the key: a program that takes stamps or fingerprints in another way takes all of them
 * again. */
#define STAMP_FORMAT "5"

static const char *extensions_text(Arena *arena, const Extensions *extensions)
{
    StrBuf text = strbuf_init(arena);
    for (size_t i = 0; i < extensions->count; i++) {
        strbuf_printf(&text, "%s%s", i == 0 ? "" : ", ", extensions->names[i]);
        if (extensions->schemas[i] == NULL) {
            strbuf_printf(&text, " in none");
        } else {
            strbuf_printf(&text, " %s in %s", extensions->versions[i], extensions->schemas[i]);
        }
    }
    return text.text;
}

static bool make_key(Arena *arena, const Store *store, const Blueprint *blueprint,
                     const Extensions *extensions, const char **ret_key, Err *err)
{
    const char *parts = arena_printf(arena, "%s\n%s\n%s\n%d", STAMP_FORMAT, blueprint->checksum,
                                     extensions_text(arena, extensions),
                                     pg_conn_version(store->conn));
    return secret_sha256_hex(arena, parts, strlen(parts), ret_key, err);
}

static bool read_statements(Arena *arena, const char *json, Stamp *stamp, Err *err)
{
    scoped_json Json *list = NULL;
    if (!json_parse(json, "the recorded stamp", &list, err)) {
        return false;
    }
    const size_t count = json_array_size(list);
    const char **statements = ARENA_ARRAY(arena, const char *, count);
    for (size_t i = 0; i < count; i++) {
        statements[i] = arena_strdup(arena, json_string_value(json_array_get(list, i)));
    }
    stamp->statements = statements;
    stamp->statement_count = (int64_t)count;
    return true;
}

static bool find(Arena *arena, Store *store, const char *blueprint, const char *key,
                 const Stamp **ret_stamp, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    *ret_stamp = NULL;
    if (!store_query(store, STAMP_FIND, PG_PARAMS(blueprint, key), &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return true;
    }
    Stamp *stamp = ARENA_NEW(arena, Stamp);
    *stamp = (Stamp){.version = pg_rows_int(rows, 0, 0),
                     .is_flat = strcmp(pg_rows_text(rows, 0, 1), "flat") == 0,
                     .reason = arena_strdup(arena, pg_rows_text(rows, 0, 2)),
                     .token = arena_strdup(arena, pg_rows_text(rows, 0, 3)),
                     .statement_count = pg_rows_int(rows, 0, 5),
                     .migration_statement_count = pg_rows_int(rows, 0, 6),
                     .fingerprint = arena_strdup(arena, pg_rows_text(rows, 0, 7)),
                     .took_ms = pg_rows_int(rows, 0, 8)};
    if (stamp->is_flat && !read_statements(arena, pg_rows_text(rows, 0, 4), stamp, err)) {
        return false;
    }
    *ret_stamp = stamp;
    return true;
}

bool stamp_find(Arena *arena, Store *store, const Blueprint *blueprint,
                const Extensions *extensions, const Stamp **ret_stamp, Err *err)
{
    const char *key = NULL;
    return make_key(arena, store, blueprint, extensions, &key, err) &&
           find(arena, store, blueprint->name, key, ret_stamp, err);
}

static bool keep(Arena *arena, Store *store, const Blueprint *blueprint,
                 const Extensions *extensions, const char *key, const Stamp *stamp, Err *err)
{
    scoped_json Json *list = json_array();
    for (int64_t i = 0; stamp->is_flat && i < stamp->statement_count; i++) {
        json_array_append_new(list, json_string(stamp->statements[i]));
    }
    return store_query(store, STAMP_PUT,
                       PG_PARAMS(blueprint->name, pg_int_text(arena, stamp->version), key,
                                 extensions_text(arena, extensions),
                                 pg_int_text(arena, pg_conn_version(store->conn)),
                                 stamp->is_flat ? "flat" : "migrations", stamp->reason,
                                 stamp->token, stamp->is_flat ? json_to_text(arena, list) : NULL,
                                 pg_int_text(arena, stamp->statement_count),
                                 pg_int_text(arena, stamp->migration_statement_count),
                                 stamp->fingerprint, pg_int_text(arena, stamp->took_ms)),
                       NULL, err);
}

/* The extensions are installed first, as the first tenant would, so that the key is the one that
 * creates ask for. */
static bool install_extensions(Arena *arena, Store *store, const Blueprint *blueprint,
                               Extensions *extensions, Err *err)
{
    if (!registry_find_extensions(arena, store, blueprint, extensions, err) ||
        !pg_begin(store->conn, err)) {
        return false;
    }
    if (!place_ensure_extensions(arena, store, blueprint, extensions, err) ||
        !pg_commit(store->conn, true, err)) {
        pg_rollback(store->conn);
        return false;
    }
    return true;
}

/* Under the lock; another process may have been faster. */
static bool ensure_locked(Arena *arena, Store *store, const Blueprint *blueprint,
                          const StampOptions *options, const Stamp **ret_stamp, bool *ret_is_new,
                          Err *err)
{
    Extensions extensions = {0};
    const char *key = NULL;
    *ret_stamp = NULL;
    if (!install_extensions(arena, store, blueprint, &extensions, err) ||
        !make_key(arena, store, blueprint, &extensions, &key, err) ||
        (!options->is_forced && !find(arena, store, blueprint->name, key, ret_stamp, err))) {
        return false;
    }
    *ret_is_new = *ret_stamp == NULL;
    if (!*ret_is_new) {
        return true;
    }
    Stamp *stamp = NULL;
    if (!stamp_take(arena, store, blueprint, &extensions, options, &stamp, err) ||
        !keep(arena, store, blueprint, &extensions, key, stamp, err)) {
        return false;
    }
    *ret_stamp = stamp;
    return true;
}

bool stamp_ensure(Arena *arena, Store *store, const Blueprint *blueprint,
                  const StampOptions *options, const Stamp **ret_stamp, bool *ret_is_new, Err *err)
{
    if (!blueprint_has_tier(blueprint, TIER_SCHEMA)) {
        return ERR_SET(err, ERR_INPUT_INVALID,
                       "stamps are for the schema tier; tenants of the row tier share one place",
                       "blueprint \"%s\" has no schema tier", blueprint->name);
    }
    Extensions extensions = {0};
    *ret_stamp = NULL;
    *ret_is_new = false;
    /* First without the lock, which somebody may hold. */
    if (!options->is_forced &&
        (!registry_find_extensions(arena, store, blueprint, &extensions, err) ||
         !stamp_find(arena, store, blueprint, &extensions, ret_stamp, err))) {
        return false;
    }
    if (*ret_stamp != NULL) {
        return true;
    }
    if (!store_query(store, STAMP_LOCK, PG_NO_PARAMS, NULL, err)) {
        return err->code == ERR_PG_LOCKED
                   ? ERR_SET(err, ERR_JOB_BUSY, "wait for it, or raise --lock-timeout",
                             "a stamp is being taken by another process")
                   : false;
    }
    const bool is_done = ensure_locked(arena, store, blueprint, options, ret_stamp, ret_is_new,
                                       err);
    Err ignored; /* a connection that is gone has no lock */
    store_query(store, STAMP_UNLOCK, PG_NO_PARAMS, NULL, &ignored);
    return is_done;
}

bool stamp_drop_leftovers(Arena *arena, Store *store, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, STAMP_TRY_LOCK, PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    if (!pg_rows_bool(rows, 0, 0)) {
        return true; /* whoever takes one drops what it leaves */
    }
    const bool is_done = stamp_drop_committed(arena, store, err);
    Err ignored;
    store_query(store, STAMP_UNLOCK, PG_NO_PARAMS, NULL, &ignored);
    return is_done;
}
