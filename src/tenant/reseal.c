/* Sealing secrets again under another master key. */
#include "core/fault.h"
#include "tenant/login.h"
#include "tenant/ready_login.h"
#include "tenant/spare.h"

bool login_reseal(Arena *arena, Store *store, const Sealed *old, const char *key_id,
                  const SecretBinding *binding, const char **ret_text, Err *err)
{
    size_t length = 0;
    size_t plain_length = 0;
    uint8_t *plain = NULL;
    uint8_t *sealed = NULL;
    const uint8_t *bytes = pg_bytea_from_text(arena, old->text, &length);
    if (!secret_open(store->keyring, old->key_id, &old->binding, bytes, length, &plain,
                     &plain_length, err)) {
        return err_prefix(err, "%s \"%s\"", old->binding.table, old->binding.row);
    }
    const bool is_sealed = secret_seal(arena, store->keyring, key_id, binding, plain, plain_length,
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
        const Sealed old = {.key_id = pg_rows_text(rows, i, 1),
                            .binding = {.tenant_id = "", .table = "secrets", .row = name},
                            .text = pg_rows_text(rows, i, 2)};
        const char *text = NULL;
        if (!login_reseal(arena, store, &old, key_id, &old.binding, &text, err) ||
            !store_query(store, SECRET_PUT, PG_PARAMS(name, key_id, text), NULL, err)) {
            return false;
        }
    }
    return true;
}

static bool add_credentials(Arena *arena, Store *store, PgBatch *batch, const char *key_id,
                            Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, CREDENTIAL_NEXT, PG_PARAMS(key_id), &rows, err)) {
        return false;
    }
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const char *role = pg_rows_text(rows, i, 0);
        const Sealed old = {.key_id = pg_rows_text(rows, i, 2),
                            .binding = login_binding(pg_rows_text(rows, i, 1), role),
                            .text = pg_rows_text(rows, i, 3)};
        const char *text = NULL;
        if (!login_reseal(arena, store, &old, key_id, &old.binding, &text, err)) {
            return false;
        }
        store_batch(batch, CREDENTIAL_RESEAL, PG_PARAMS(role, key_id, text));
    }
    return true;
}

bool tenant_reseal_page(Arena *arena, Store *store, const char *key_id, int64_t *ret_done, Err *err)
{
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    if (!reseal_installation(arena, store, key_id, err) ||
        !add_credentials(arena, store, batch, key_id, err) ||
        !ready_logins_add_reseal(arena, store, batch, key_id, err) ||
        !spares_add_reseal(arena, store, batch, key_id, err)) {
        return false;
    }
    FAULT("key.reseal.page");
    *ret_done = (int64_t)pg_batch_count(batch);
    return pg_batch_run(store->conn, batch, err);
}
