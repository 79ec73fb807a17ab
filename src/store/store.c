#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/text.h"
#include "store/install.h"

static const char *const statements[STATEMENT_COUNT_] = {
#define STATEMENT(symbol, sql) [symbol] = sql,
#include "store/statements.def"
#undef STATEMENT
};

const char *store_sql(StatementId id)
{
    return statements[id];
}

bool store_query_json(Store *store, StatementId id, PgParams params, Json **ret_json, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, id, params, &rows, err)) {
        return false;
    }
    const char *text = pg_rows_count(rows) == 0 ? NULL : pg_rows_text(rows, 0, 0);
    *ret_json = NULL;
    return text == NULL || json_parse(text, "the database's answer", ret_json, err);
}

/* "2026-11-21 01:24:00.123456+00", as sessions in UTC have it, with a T and the zone's minutes. */
static Json *time_to_json(const char *text)
{
    static const char minutes[] = ":00";
    char time[64];
    const size_t length = strlen(text);
    if (length + sizeof minutes > sizeof time) {
        return json_string_nocheck(text);
    }
    memcpy(time, text, length);
    memcpy(time + length, minutes, sizeof minutes);
    char *space = memchr(time, ' ', length);
    if (space != NULL) {
        *space = 'T';
    }
    return json_string_nocheck(time);
}

static Json *value_to_json(const PgRows *rows, size_t row, size_t column, PgKind kind)
{
    const char *text = pg_rows_text(rows, row, column);
    if (text == NULL) {
        return json_null();
    }
    switch (kind) {
    case PG_KIND_INT:
        return json_integer(pg_rows_int(rows, row, column));
    case PG_KIND_BOOL:
        return json_boolean(pg_rows_bool(rows, row, column));
    case PG_KIND_TIME:
        return time_to_json(text);
    case PG_KIND_TEXT:
        break;
    }
    return json_string_nocheck(text); /* the connection is in UTF-8, which the server checked */
}

static bool is_as_above(const PgRows *rows, size_t row, size_t column)
{
    const char *text = pg_rows_text(rows, row, column);
    const char *above = row == 0 ? NULL : pg_rows_text(rows, row - 1, column);
    return text != NULL && above != NULL && text_is_same(text, above);
}

bool store_query_list(Store *store, StatementId id, PgParams params, Json **ret_list, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, id, params, &rows, err)) {
        return false;
    }
    const size_t count = pg_rows_count(rows);
    const size_t columns = pg_rows_columns(rows);
    /* Neighbours in a list are often alike: a value that is as the one above it is the same one,
     * which takes half the memory of a long list. */
    Json **values = ARENA_ARRAY(arena, Json *, columns);
    *ret_list = json_array();
    for (size_t row = 0; row < count; row++) {
        Json *object = json_object();
        for (size_t i = 0; i < columns; i++) {
            values[i] = is_as_above(rows, row, i)
                            ? json_incref(values[i])
                            : value_to_json(rows, row, i, pg_rows_kind(rows, i));
            json_put(object, pg_rows_name(rows, i), values[i]);
        }
        json_array_append_new(*ret_list, object);
    }
    return true;
}

size_t store_batch(PgBatch *batch, StatementId id, PgParams params)
{
    return pg_batch_add_fixed(batch, store_sql(id), params);
}

/* A missing control schema shows as one of these when the first statement names it. */
static bool is_not_installed(const Err *err)
{
    static const char *const states[] = {"42P01", "3F000", "42501"};
    for (size_t i = 0; i < ARRAY_COUNT(states); i++) {
        if (strcmp(err->sqlstate, states[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The control role's own; the others belong to roles that `up` made for them. */
static bool is_control_roles(const char *schema)
{
    return strcmp(schema, "tenancy") == 0 || strcmp(schema, "tenantry") == 0;
}

bool store_check_owners(const PgConn *conn, const PgRows *rows, bool *ret_has_schemas, Err *err)
{
    size_t found = 0;
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const char *schema = pg_rows_text(rows, i, 0);
        if (is_control_roles(schema) && !pg_rows_bool(rows, i, 2)) {
            ERR_SET(err, ERR_NOT_INSTALLED, NULL,
                    "schema \"%s\" of database \"%s\" belongs to role \"%s\", not to \"%s\", and "
                    "is not used",
                    schema, pg_conn_database(conn), pg_rows_text(rows, i, 1), pg_conn_user(conn));
            err_hint(err,
                     "if it is Tenantry's, connect as \"%s\"; otherwise drop or rename it, or use "
                     "another database",
                     pg_rows_text(rows, i, 1));
            return false;
        }
        found += is_control_roles(schema) ? 1 : 0;
    }
    *ret_has_schemas = found == 2;
    return true;
}

static bool refuse_without_schemas(const PgConn *conn, Err *err)
{
    return ERR_SET(err, ERR_NOT_INSTALLED, "run \"tenantry up\" once: it makes it",
                   "database \"%s\" has no control schema that role \"%s\" may read",
                   pg_conn_database(conn), pg_conn_user(conn));
}

bool store_connect(const StoreOptions *options, PgConn **ret_conn, Err *err)
{
    PgConn *conn = NULL;
    bool has_schemas = false;
    scoped_rows PgRows *rows = NULL;
    if (!pg_open_asking(&options->target, store_sql(CONTROL_SCHEMAS), &conn, &rows, err)) {
        return false;
    }
    /* One that is not there yet can be somebody's a moment later, so nothing in it is named. */
    if (!store_check_owners(conn, rows, &has_schemas, err) ||
        (!has_schemas && !refuse_without_schemas(conn, err))) {
        pg_close(conn);
        return false;
    }
    *ret_conn = conn;
    return true;
}

static bool read_installation(Store *store, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, INSTALLATION_GET, PG_NO_PARAMS, &rows, err)) {
        return is_not_installed(err) ? refuse_without_schemas(store->conn, err) : false;
    }
    if (pg_rows_count(rows) != 1) {
        return ERR_SET(err, ERR_NOT_INSTALLED, "run \"tenantry up\" once: it makes it",
                       "the control schema of database \"%s\" is empty",
                       pg_conn_database(store->conn));
    }
    const int64_t version = pg_rows_int(rows, 0, 3);
    if (version != install_version()) {
        return ERR_SET(err, ERR_NOT_INSTALLED,
                       version < install_version()
                           ? "run \"tenantry up\" once: it brings the control schema up to date"
                           : "use the newer Tenantry that made it",
                       "the control schema is at version %lld, this program works with %lld",
                       (long long)version, (long long)install_version());
    }
    store->installation_id = arena_strdup(store->arena, pg_rows_text(rows, 0, 0));
    store->tenants_role = arena_strdup(store->arena, pg_rows_text(rows, 0, 1));
    store->audit_role = arena_strdup(store->arena, pg_rows_text(rows, 0, 2));
    store->active_key_id = arena_strdup(store->arena, pg_rows_text(rows, 0, 4));
    store->audit_key_id = arena_strdup(store->arena, pg_rows_text(rows, 0, 5));
    const char *sealed = pg_rows_text(rows, 0, 6);
    store->audit_key_sealed = sealed == NULL ? NULL
                                             : pg_bytea_from_text(store->arena, sealed,
                                                                  &store->audit_key_sealed_length);
    return true;
}

bool store_open(const StoreOptions *options, Store **ret_store, Err *err)
{
    Arena *arena = arena_new();
    Store *store = ARENA_NEW(arena, Store);
    store->arena = arena;
    store->options = *options;
    if (!store_connect(options, &store->conn, err) || !read_installation(store, err)) {
        store_close(store);
        return false;
    }
    *ret_store = store;
    return true;
}

Store *store_close(Store *store)
{
    if (store != NULL) {
        store_drop_answers(store);
        pg_close(store->conn);
        keyring_close(store->keyring);
        secret_free(store->audit_key, store->audit_key_length);
        arena_free(store->arena);
    }
    return NULL;
}

bool store_reconnect(Store *store, Err *err)
{
    PgConn *conn = NULL;
    if (!store_connect(&store->options, &conn, err)) {
        return false;
    }
    pg_close(store->conn);
    store->conn = conn;
    return true;
}

bool store_need_keys(Store *store, Err *err)
{
    if (store->audit_key != NULL) {
        return true;
    }
    if (store->keyring == NULL && !keyring_open(&store->options.keys, &store->keyring, err)) {
        return false;
    }
    if (store->active_key_id == NULL || store->audit_key_sealed == NULL) {
        return ERR_SET(err, ERR_NOT_INSTALLED, "run \"tenantry up\" once: it finishes the set-up",
                       "the control schema holds no key yet");
    }
    /* A rotation may have come between reading the control schema and reading the key. */
    if (!keyring_has(store->keyring, store->audit_key_id) && !read_installation(store, err)) {
        return false;
    }
    if (!keyring_has(store->keyring, store->audit_key_id)) {
        return ERR_SET(
            err, ERR_KEY_WRONG,
            "use the key that this installation was made with, from --master-key-file or "
            "TENANTRY_MASTER_KEY; without it the stored passwords cannot be read",
            "the master key is not this installation's: its id is %s, %s was expected",
            keyring_id(store->keyring, 0), store->audit_key_id);
    }
    const SecretBinding binding = {.tenant_id = "", .table = "secrets", .row = "audit"};
    return secret_open(store->keyring, store->audit_key_id, &binding, store->audit_key_sealed,
                       store->audit_key_sealed_length, &store->audit_key, &store->audit_key_length,
                       err);
}

bool store_find_key(Store *store, const char *key_id, Err *err)
{
    Keyring *keyring = NULL;
    if (keyring_has(store->keyring, key_id)) {
        return true;
    }
    if (!keyring_open(&store->options.keys, &keyring, err)) {
        return false;
    }
    keyring_close(store->keyring);
    store->keyring = keyring;
    return true;
}

bool store_hold_active_key(Store *store, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_need_keys(store, err) || !store_query(store, KEY_ACTIVE, PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) != 1) {
        /* It was retired while we waited for its lock; the next statement sees the one after it. */
        return ERR_SET(err, ERR_CONFLICT, "try again", "the master key was rotated meanwhile");
    }
    const char *id = pg_rows_text(rows, 0, 0);
    if (strcmp(id, store->active_key_id) != 0) {
        store->active_key_id = arena_strdup(store->arena, id);
    }
    return store_find_key(store, id, err);
}
