/* Making spares, keeping their partitions, dropping those that are of no use. */
#include <string.h>

#include "blueprint/moment.h"
#include "blueprint/place.h"
#include "blueprint/registry.h"
#include "core/array.h"
#include "core/fault.h"
#include "core/strbuf.h"
#include "pg/sql.h"
#include "tenant/login.h"
#include "tenant/spare_parts.h"

int64_t spare_target(int64_t base, int64_t most, int64_t created_lately)
{
    if (base == 0) {
        return 0;
    }
    const int64_t wanted = created_lately > base ? created_lately : base;
    const int64_t bound = most > base ? most : base;
    return wanted < bound ? wanted : bound;
}

/* A spare that is being made. */
typedef struct Making {
    Arena *arena;
    Store *store;
    const Blueprint *blueprint;
    const Extensions *extensions;
    PgBatch *batch;
    const char *tenant_id;
    LoginPair logins;
    Place place;
    const char *search_path;
    bool lacks_partitions;
} Making;

/* New passwords, sealed for the tenant to be. Not a pair from ready_logins: those are for creates
 * that find no spare. */
static bool add_logins(Making *making, Err *err)
{
    LoginPair *logins = &making->logins;
    for (int i = 0; i < LOGIN_COUNT_; i++) {
        LoginSecret secret;
        const char *role = logins->roles[i];
        const SecretBinding binding = login_binding(making->tenant_id, role);
        if (!login_new_secret(making->arena, making->store, &binding, &secret, err)) {
            return false;
        }
        logins->sealed[i] = secret.sealed;
        pg_batch_add(making->batch,
                     SQL(making->arena, "ALTER ROLE {} PASSWORD {}", sql_name(making->arena, role),
                         sql_literal(secret.verifier)),
                     PG_NO_PARAMS);
        login_add_base(making->arena, making->batch, role, i == LOGIN_READONLY,
                       making->search_path);
    }
    return true;
}

/* The map first: the seed may ask whose it is, and it is the tenant's to be. */
static bool add_seed(Making *making, Err *err)
{
    const char *const roles[] = {making->place.owner_role, making->place.app_role,
                                 making->place.readonly_role};
    for (size_t i = 0; i < ARRAY_COUNT(roles); i++) {
        store_batch(making->batch, ROLE_MAP, PG_PARAMS(roles[i], making->tenant_id));
    }
    if (making->blueprint->seed == NULL) {
        return true;
    }
    place_enter_seed(making->batch, making->place.app_role, making->search_path);
    if (!place_add_script(making->arena, making->batch, "seed", making->blueprint->seed, err)) {
        return false;
    }
    place_leave_role(making->batch);
    return true;
}

/* The optional extensions that the place is made with, with commas. */
static const char *optional_names(const Making *making)
{
    StrBuf names = strbuf_init(making->arena);
    for (size_t i = 0; i < making->blueprint->optional_count; i++) {
        for (size_t j = 0; j < making->extensions->count; j++) {
            if (strcmp(making->blueprint->optional[i], making->extensions->names[j]) == 0) {
                strbuf_printf(&names, "%s%s", names.length > 0 ? "," : "",
                              making->blueprint->optional[i]);
            }
        }
    }
    return names.text;
}

/* How long a create may claim it: a seed that says "in 14 days" means days of the tenant, so that a
 * spare with such a seed, or with migrations that computed with the time, is for its day only. */
static bool find_freshness(const Making *making, const char **ret_freshness, Err *err)
{
    const char *found = NULL;
    if (!moment_find(making->arena, making->blueprint, making->extensions, MOMENT_OF_SPARE, &found,
                     err)) {
        return false;
    }
    *ret_freshness = found != NULL                            ? "day"
                     : making->blueprint->partition_count > 0 ? "partitions"
                                                              : "content";
    return true;
}

static bool fill_batch(Making *making, Err *err)
{
    Arena *arena = making->arena;
    const char *freshness = NULL;
    if (!secret_random_uuid(arena, &making->tenant_id, err) ||
        !login_name_pair(arena, &making->logins, err) ||
        !place_name(arena, making->blueprint, TIER_SCHEMA, making->logins.stem, &making->place,
                    err)) {
        return false;
    }
    making->search_path = place_search_path(arena, making->extensions, &making->place);
    place_add_role(arena, making->batch, making->place.app_role);
    place_add_role(arena, making->batch, making->place.readonly_role);
    if (!place_add_schema(arena, making->store, making->batch, making->blueprint,
                          making->extensions, &making->place, &making->lacks_partitions, err) ||
        !add_logins(making, err) || !add_seed(making, err) ||
        !find_freshness(making, &freshness, err)) {
        return false;
    }
    store_batch(making->batch, SPARE_ADD,
                PG_PARAMS(making->place.id, making->tenant_id, making->blueprint->name,
                          making->blueprint->checksum, making->store->active_key_id,
                          making->logins.sealed[LOGIN_APP], making->logins.sealed[LOGIN_READONLY],
                          freshness, optional_names(making)));
    return true;
}

/* Extensions that are not installed yet, in a transaction of their own: its lock would keep creates
 * waiting while the spare is made. */
static bool ensure_ground(Arena *arena, Store *store, const Blueprint *blueprint,
                          Extensions *ret_extensions, Err *err)
{
    if (pg_begin(store->conn, err) &&
        registry_find_extensions(arena, store, blueprint, ret_extensions, err) &&
        place_ensure_extensions(arena, store, blueprint, ret_extensions, err) &&
        pg_commit(store->conn, true, err)) {
        return true;
    }
    pg_rollback(store->conn);
    return false;
}

/* Under the lock of the blueprint's row, so that two fillers do not both make the last one. */
static bool is_wanted(Store *store, const Blueprint *blueprint, int64_t target,
                      SpareOutcome *ret_outcome, Err *err)
{
    scoped_rows PgRows *lock = NULL;
    scoped_rows PgRows *ready = NULL;
    if (!store_query(store, SPARE_FILL_LOCK, PG_PARAMS(blueprint->name), &lock, err)) {
        return false;
    }
    if (pg_rows_count(lock) == 0) {
        *ret_outcome = SPARE_OTHER;
        return true;
    }
    if (!store_query(store, SPARE_READY, PG_PARAMS(blueprint->name, blueprint->checksum), &ready,
                     err)) {
        return false;
    }
    *ret_outcome = pg_rows_int(ready, 0, 0) < target ? SPARE_MADE : SPARE_ENOUGH;
    return true;
}

static bool make_locked(Arena *arena, Store *store, const Blueprint *blueprint,
                        const Extensions *extensions, SpareCheck check, Err *err)
{
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    Making making = {.arena = arena,
                     .store = store,
                     .blueprint = blueprint,
                     .extensions = extensions,
                     .batch = batch};
    if (!store_hold_active_key(store, err) || !fill_batch(&making, err) ||
        !pg_batch_run(store->conn, batch, err)) {
        return false;
    }
    FAULT("spare.make.sent");
    return (!making.lacks_partitions ||
            place_ensure_partitions(arena, store, blueprint, &making.place, err)) &&
           check(arena, store, making.tenant_id, err) &&
           store_query(store, SPARE_FILLED, PG_PARAMS(blueprint->name), NULL, err);
}

/* Its commit does not wait for the disk: a crash of the server may lose the newest spares, each
 * whole, and the next one to look makes others. */
static bool make_in_transaction(Arena *arena, Store *store, const Blueprint *blueprint,
                                const Extensions *extensions, int64_t target, SpareCheck check,
                                SpareOutcome *ret_outcome, Err *err)
{
    if (!pg_begin(store->conn, err) || !is_wanted(store, blueprint, target, ret_outcome, err)) {
        return false;
    }
    if (*ret_outcome != SPARE_MADE) {
        pg_rollback(store->conn);
        return true;
    }
    if (!make_locked(arena, store, blueprint, extensions, check, err)) {
        return false;
    }
    FAULT("spare.make.before_commit");
    if (!pg_commit(store->conn, false, err)) {
        return false;
    }
    FAULT("spare.make.after_commit");
    return true;
}

bool spare_make(Store *store, const char *blueprint_name, int64_t target, SpareCheck check,
                SpareOutcome *ret_outcome, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    Blueprint *blueprint = NULL;
    Extensions extensions = {0};
    if (!registry_get(arena, store, blueprint_name, &blueprint, err)) {
        return false;
    }
    if (!blueprint_has_tier(blueprint, TIER_SCHEMA)) {
        return ERR_SET(err, ERR_INPUT_INVALID, "tenants of the row tier share their tables",
                       "blueprint \"%s\" has no tier \"schema\", so it has no spares",
                       blueprint_name);
    }
    if (!store_query(store, SPARE_FILL_ROW, PG_PARAMS(blueprint_name), NULL, err) ||
        !ensure_ground(arena, store, blueprint, &extensions, err)) {
        return false;
    }
    if (!make_in_transaction(arena, store, blueprint, &extensions, target, check, ret_outcome,
                             err)) {
        pg_rollback(store->conn);
        return false;
    }
    return true;
}

/* The spare that was found and is locked; rolls back when there is none. */
static bool drop_found(Arena *arena, Store *store, const PgRows *rows, bool *ret_is_dropped,
                       Err *err)
{
    const Spare *spare = spare_read(arena, rows);
    *ret_is_dropped = spare != NULL;
    if (spare == NULL) {
        pg_rollback(store->conn);
        return true;
    }
    if (!spare_drop(arena, store, spare, err)) {
        tenants_tell_lock_holders(store, spare->place.schema_name, NULL, err);
        return false;
    }
    FAULT("spare.drop.before_commit");
    if (!pg_commit(store->conn, false, err)) {
        return false;
    }
    FAULT("spare.drop.after_commit");
    return true;
}

static bool drop_in_transaction(Arena *arena, Store *store, const SpareChoice *choice,
                                bool *ret_is_dropped, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    const char *job = choice->job_id == 0 ? NULL : pg_int_text(arena, choice->job_id);
    return pg_begin(store->conn, err) &&
           store_query(store, SPARE_UNWANTED,
                       PG_PARAMS(choice->blueprint, choice->is_all ? "true" : "false", job), &rows,
                       err) &&
           drop_found(arena, store, rows, ret_is_dropped, err);
}

bool spare_drop_one(Store *store, const SpareChoice *choice, bool *ret_is_dropped, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    if (!drop_in_transaction(arena, store, choice, ret_is_dropped, err)) {
        pg_rollback(store->conn);
        return false;
    }
    return true;
}

/* Under the lock of those who make them, so that two keepers count one after the other. */
static bool drop_surplus(Arena *arena, Store *store, const char *blueprint, int64_t most,
                         bool *ret_is_dropped, Err *err)
{
    scoped_rows PgRows *lock = NULL;
    scoped_rows PgRows *rows = NULL;
    if (!pg_begin(store->conn, err) ||
        !store_query(store, SPARE_FILL_LOCK, PG_PARAMS(blueprint), &lock, err)) {
        return false;
    }
    if (pg_rows_count(lock) == 0) {
        *ret_is_dropped = false;
        pg_rollback(store->conn);
        return true;
    }
    return store_query(store, SPARE_SURPLUS, PG_PARAMS(blueprint, pg_int_text(arena, most)), &rows,
                       err) &&
           drop_found(arena, store, rows, ret_is_dropped, err);
}

bool spare_drop_surplus(Store *store, const char *blueprint, int64_t most, bool *ret_is_dropped,
                        Err *err)
{
    scoped_arena Arena *arena = arena_new();
    if (!drop_surplus(arena, store, blueprint, most, ret_is_dropped, err)) {
        pg_rollback(store->conn);
        return false;
    }
    return true;
}

static bool renew_in_transaction(Arena *arena, Store *store, SpareRenewed renewed,
                                 bool *ret_is_renewed, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_begin(store->conn, err) || !store_query(store, SPARE_DUE, PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    *ret_is_renewed = pg_rows_count(rows) == 1;
    if (!*ret_is_renewed) {
        pg_rollback(store->conn);
        return true;
    }
    Blueprint *blueprint = NULL;
    const Place place = place_from_row(arena, rows, 0);
    return registry_get(arena, store, place.blueprint, &blueprint, err) &&
           place_ensure_partitions(arena, store, blueprint, &place, err) &&
           store_query(store, SPARE_RENEW, PG_PARAMS(place.id), NULL, err) &&
           renewed(arena, store, place.id, err) && pg_commit(store->conn, false, err);
}

bool spare_renew_one(Store *store, SpareRenewed renewed, bool *ret_is_renewed, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    if (!renew_in_transaction(arena, store, renewed, ret_is_renewed, err)) {
        pg_rollback(store->conn);
        return false;
    }
    return true;
}
