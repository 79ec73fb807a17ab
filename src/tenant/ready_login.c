#include "tenant/ready_login.h"

#include <stdio.h>

#include "core/fault.h"
#include "core/log.h"
#include "pg/sql.h"
#include "tenant/login.h"

enum { UUID_SIZE = 37 };

/* Until a tenant claims it, a password is bound to the pair's own id. */
static SecretBinding waiting_binding(const char *id, const char *role)
{
    return (SecretBinding){.tenant_id = id, .table = "ready_logins", .row = role};
}

static void name_pair(Arena *arena, const char *stem, LoginPair *ret_pair)
{
    *ret_pair = (LoginPair){.stem = stem,
                            .roles = {[LOGIN_APP] = arena_printf(arena, "%s_app", stem),
                                      [LOGIN_READONLY] = arena_printf(arena, "%s_ro", stem)}};
}

bool login_name_pair(Arena *arena, LoginPair *ret_pair, Err *err)
{
    const char *hex = NULL;
    if (!secret_random_hex(arena, 6, &hex, err)) {
        return false;
    }
    name_pair(arena, arena_printf(arena, "tenant_%s", hex), ret_pair);
    return true;
}

/* The sealed passwords of a row of READY_LOGIN_CLAIM or READY_LOGIN_NEXT, sealed again: for the
 * tenant, or for the pair itself when tenant_id is NULL. */
static bool reseal_row(Arena *arena, Store *store, const PgRows *rows, size_t row,
                       const char *tenant_id, const char *key_id, LoginPair *ret_pair, Err *err)
{
    const size_t first_sealed = 3;
    const char *id = pg_rows_text(rows, row, 0);
    name_pair(arena, arena_strdup(arena, pg_rows_text(rows, row, 1)), ret_pair);
    for (int i = 0; i < LOGIN_COUNT_; i++) {
        const Sealed old = {.key_id = pg_rows_text(rows, row, 2),
                            .binding = waiting_binding(id, ret_pair->roles[i]),
                            .text = pg_rows_text(rows, row, first_sealed + (size_t)i)};
        const SecretBinding binding = tenant_id == NULL
                                          ? old.binding
                                          : login_binding(tenant_id, ret_pair->roles[i]);
        if (!login_reseal(arena, store, &old, key_id, &binding, &ret_pair->sealed[i], err)) {
            return false;
        }
    }
    ret_pair->is_ready = true;
    return true;
}

/* A password that somebody changed is nobody's yet, so that nothing is lost with its row. The roles
 * stay: nothing vouches for the names in a row that does not open. False: it is for another reason
 * that the pair cannot be opened. */
static bool give_up_corrupt(const Err *why)
{
    if (why->code != ERR_SECRET_CORRUPT) {
        return false;
    }
    log_warn("ready_logins.corrupt", "%s; this pair is given up, its roles stay", why->message);
    return true;
}

/* One that cannot be opened is gone with its claim: a create that failed would put it back, for the
 * next one to fail. */
bool login_claim_pair(Arena *arena, Store *store, const char *tenant_id, LoginPair *ret_pair,
                      Err *err)
{
    Err why;
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, READY_LOGIN_CLAIM, PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return login_name_pair(arena, ret_pair, err);
    }
    if (reseal_row(arena, store, rows, 0, tenant_id, store->active_key_id, ret_pair, &why)) {
        return true;
    }
    if (!give_up_corrupt(&why)) {
        *err = why;
        return false;
    }
    return login_name_pair(arena, ret_pair, err);
}

static bool make_pair(Arena *arena, Store *store, void *context, Err *err)
{
    (void)context;
    const char *id = NULL;
    LoginPair pair;
    if (!secret_random_uuid(arena, &id, err) || !login_name_pair(arena, &pair, err) ||
        !store_hold_active_key(store, err)) {
        return false;
    }
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    for (int i = 0; i < LOGIN_COUNT_; i++) {
        LoginSecret secret;
        const SecretBinding binding = waiting_binding(id, pair.roles[i]);
        if (!login_new_secret(arena, store, &binding, &secret, err)) {
            return pg_batch_abandon(store->conn, batch);
        }
        pair.sealed[i] = secret.sealed;
        pg_batch_add(batch,
                     SQL(arena, "CREATE ROLE {} NOLOGIN PASSWORD {}",
                         sql_name(arena, pair.roles[i]), sql_literal(secret.verifier)),
                     PG_NO_PARAMS);
        /* The server checks this one while the next is computed. */
        if (!pg_batch_send(store->conn, batch, err)) {
            return false;
        }
    }
    store_batch(batch, READY_LOGIN_ADD,
                PG_PARAMS(id, pair.stem, store->active_key_id, pair.sealed[LOGIN_APP],
                          pair.sealed[LOGIN_READONLY]));
    return pg_batch_run(store->conn, batch, err);
}

/* The row of a pair that is not whole goes, with the role that is left of it. Not with DROP OWNED:
 * what somebody gave to the role is not Tenantry's to drop, so that PostgreSQL refuses then, and
 * says what it is. context: the id of the pair before; that of this one afterwards, or empty. */
static bool drop_broken(Arena *arena, Store *store, void *context, Err *err)
{
    char *id = context;
    scoped_rows PgRows *rows = NULL;
    const char *before = arena_strdup(arena, id);
    *id = '\0';
    if (!store_query(store, READY_LOGIN_BROKEN, PG_PARAMS(before), &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return true;
    }
    snprintf(id, UUID_SIZE, "%s", pg_rows_text(rows, 0, 0));
    const char *role = pg_rows_text(rows, 0, 1);
    return role == NULL ||
           pg_query(store->conn, SQL(arena, "DROP ROLE {}", sql_name(arena, role)), PG_NO_PARAMS,
                    NULL, err) ||
           err_prefix(err, "the other role of this pair is gone");
}

static bool in_transaction(Store *store,
                           bool (*change)(Arena *arena, Store *store, void *context, Err *err),
                           void *context, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    if (!pg_begin(store->conn, err) || !change(arena, store, context, err)) {
        pg_rollback(store->conn);
        return false;
    }
    FAULT("ready_logins.before_commit");
    if (!pg_commit(store->conn, false, err)) {
        pg_rollback(store->conn);
        return false;
    }
    FAULT("ready_logins.after_commit");
    return true;
}

/* One that cannot be dropped keeps no other; the first error is told. A connection that is lost
 * does not come back here. */
static bool drop_all_broken(Store *store, Err *err)
{
    char id[UUID_SIZE] = "00000000-0000-0000-0000-000000000000";
    bool is_done = true;
    while (*id != '\0' && pg_is_alive(store->conn)) {
        Err why;
        if (in_transaction(store, drop_broken, id, &why)) {
            continue;
        }
        *err = is_done ? why : *err;
        is_done = false;
    }
    return is_done;
}

bool ready_logins_fill(Store *store, int64_t target, int64_t most, int64_t *ret_made, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, READY_LOGIN_COUNT, PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    int64_t missing = target - pg_rows_int(rows, 0, 0);
    missing = missing < most ? missing : most;
    for (int64_t i = 0; i < missing; i++) {
        if (!in_transaction(store, make_pair, NULL, err)) {
            return false;
        }
    }
    if (ret_made != NULL) {
        *ret_made = missing > 0 ? missing : 0;
    }
    /* Last: a role that cannot be dropped keeps nobody from making others. */
    return pg_rows_int(rows, 0, 1) == 0 || drop_all_broken(store, err);
}

bool ready_logins_add_reseal(Arena *arena, Store *store, PgBatch *batch, const char *key_id,
                             Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, READY_LOGIN_NEXT, PG_PARAMS(key_id), &rows, err)) {
        return false;
    }
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        LoginPair pair;
        Err why;
        const char *id = pg_rows_text(rows, i, 0);
        if (reseal_row(arena, store, rows, i, NULL, key_id, &pair, &why)) {
            store_batch(batch, READY_LOGIN_RESEAL,
                        PG_PARAMS(id, key_id, pair.sealed[LOGIN_APP], pair.sealed[LOGIN_READONLY]));
        } else if (give_up_corrupt(&why)) {
            store_batch(batch, READY_LOGIN_DELETE, PG_PARAMS(id));
        } else {
            *err = why;
            return false;
        }
    }
    return true;
}
