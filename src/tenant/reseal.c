/* Sealing secrets again under another master key. */
#include "core/fault.h"
#include "tenant/tenant.h"

static bool reseal(Arena *arena, Store *store, const char *from, const char *to,
                   const SecretBinding *binding, const char *sealed_text, const char **ret_text,
                   Err *err)
{
    size_t length = 0;
    size_t plain_length = 0;
    uint8_t *plain = NULL;
    uint8_t *sealed = NULL;
    const uint8_t *old = pg_bytea_from_text(arena, sealed_text, &length);
    if (!secret_open(store->keyring, from, binding, old, length, &plain, &plain_length, err)) {
        return err_prefix(err, "%s \"%s\"", binding->table, binding->row);
    }
    const bool is_sealed = secret_seal(arena, store->keyring, to, binding, plain, plain_length,
                                       &sealed, &length, err);
    secret_free(plain, plain_length);
    *ret_text = is_sealed ? pg_bytea_to_text(arena, sealed, length) : NULL;
    return is_sealed;
}

static bool reseal_installation(Arena *arena, Store *store, const char *key_id, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, SECRET_GET, PG_PARAMS(key_id), &rows, err)) {
        return false;
    }
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const char *name = pg_rows_text(rows, i, 0);
        const SecretBinding binding = {.tenant_id = "", .table = "secrets", .row = name};
        const char *text = NULL;
        if (!reseal(arena, store, pg_rows_text(rows, i, 1), key_id, &binding,
                    pg_rows_text(rows, i, 2), &text, err) ||
            !store_query(store, SECRET_PUT, PG_PARAMS(name, key_id, text), NULL, err)) {
            return false;
        }
    }
    return true;
}

bool tenant_reseal_page(Arena *arena, Store *store, const char *key_id, int64_t *ret_done, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!reseal_installation(arena, store, key_id, err) ||
        !store_query(store, CREDENTIAL_NEXT, PG_PARAMS(key_id), &rows, err)) {
        return false;
    }
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const char *role = pg_rows_text(rows, i, 0);
        const SecretBinding binding = {
            .tenant_id = pg_rows_text(rows, i, 1), .table = "credentials", .row = role};
        const char *text = NULL;
        if (!reseal(arena, store, pg_rows_text(rows, i, 2), key_id, &binding,
                    pg_rows_text(rows, i, 3), &text, err)) {
            return false;
        }
        store_batch(batch, CREDENTIAL_RESEAL, PG_PARAMS(role, key_id, text));
    }
    FAULT("key.reseal.page");
    *ret_done = (int64_t)pg_rows_count(rows);
    return pg_batch_run(store->conn, batch, err);
}
