#include "store/signing.h"

#include "store/audit.h"

static const SecretBinding binding = {.tenant_id = "", .table = "secrets", .row = "signing"};

/* Opens the key that the database has; *ret_seed is NULL when there is none yet. */
static bool open_key(Arena *arena, Store *store, uint8_t **ret_seed, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    size_t sealed_length = 0;
    size_t length = 0;
    uint8_t *seed = NULL;
    *ret_seed = NULL;
    if (!store_query(store, SECRET_FIND, PG_PARAMS(binding.row), &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return true;
    }
    const char *key_id = pg_rows_text(rows, 0, 0);
    const uint8_t *sealed = pg_bytea_from_text(arena, pg_rows_text(rows, 0, 1), &sealed_length);
    if (!store_find_key(store, key_id, err) ||
        !secret_open(store->keyring, key_id, &binding, sealed, sealed_length, &seed, &length,
                     err)) {
        return false;
    }
    if (length != SECRET_SEED_BYTES) {
        secret_free(seed, length);
        return ERR_SET(err, ERR_SECRET_CORRUPT, NULL, "the signing key has %zu bytes, expected %d",
                       length, SECRET_SEED_BYTES);
    }
    *ret_seed = seed;
    return true;
}

/* Two processes may come here at once: the first key stays. */
static bool make_key(Arena *arena, Store *store, const char *actor, Err *err)
{
    uint8_t *seed = NULL;
    uint8_t *sealed = NULL;
    uint8_t public_key[SECRET_PUBLIC_BYTES];
    size_t length = 0;
    scoped_rows PgRows *added = NULL;
    if (!store_hold_active_key(store, err) || !secret_sign_new(&seed, err)) {
        return false;
    }
    const bool is_sealed = secret_sign_public(seed, public_key, err) &&
                           secret_seal(arena, store->keyring, store->active_key_id, &binding, seed,
                                       SECRET_SEED_BYTES, &sealed, &length, err);
    secret_free(seed, SECRET_SEED_BYTES);
    if (!is_sealed || !store_query(store, SECRET_ADD,
                                   PG_PARAMS(binding.row, store->active_key_id,
                                             pg_bytea_to_text(arena, sealed, length)),
                                   &added, err)) {
        return false;
    }
    scoped_json Json *detail = json_object();
    json_put_text(detail, "public_key", secret_to_hex(arena, public_key, sizeof public_key));
    return pg_rows_affected(added) == 0 || audit_append(store,
                                                        &(AuditEntry){.chain = AUDIT_INSTALLATION,
                                                                      .actor = actor,
                                                                      .action = "isolation.key",
                                                                      .detail = detail},
                                                        err);
}

bool store_signing_key(Arena *arena, Store *store, const char *actor, uint8_t **ret_seed, Err *err)
{
    if (!store_need_keys(store, err) || !open_key(arena, store, ret_seed, err)) {
        return false;
    }
    if (*ret_seed != NULL) {
        return true;
    }
    if (!pg_begin(store->conn, err) || !make_key(arena, store, actor, err) ||
        !pg_commit(store->conn, true, err)) {
        pg_rollback(store->conn);
        return false;
    }
    return open_key(arena, store, ret_seed, err) &&
           (*ret_seed != NULL ||
            ERR_SET(err, ERR_INTERNAL, NULL, "the signing key that was just made is not there"));
}
