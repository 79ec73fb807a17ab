/* Claiming, taking and dropping spares. */
#include "tenant/spare.h"

#include <string.h>

#include "blueprint/place.h"
#include "core/fault.h"
#include "tenant/login.h"
#include "tenant/spare_parts.h"

static bool claim_one(Arena *arena, Store *store, const Blueprint *blueprint,
                      const char **ret_tenant_id, bool *ret_is_whole, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    *ret_tenant_id = NULL;
    *ret_is_whole = true;
    if (!store_query(store, SPARE_CLAIM, PG_PARAMS(blueprint->name, blueprint->checksum), &rows,
                     err)) {
        return false;
    }
    if (pg_rows_count(rows) == 1) {
        *ret_tenant_id = arena_strdup(arena, pg_rows_text(rows, 0, 0));
        *ret_is_whole = pg_rows_bool(rows, 0, 1);
        FAULT("spare.claimed");
    }
    return true;
}

/* Somebody may have taken a spare's schema for one that nobody needs, or its roles. */
bool spare_claim(Arena *arena, Store *store, const Blueprint *blueprint, const char **ret_tenant_id,
                 Err *err)
{
    bool is_whole = false;
    while (claim_one(arena, store, blueprint, ret_tenant_id, &is_whole, err)) {
        if (is_whole) {
            return true;
        }
        if (!store_query(store, SPARE_BROKEN, PG_PARAMS(*ret_tenant_id), NULL, err)) {
            return false;
        }
    }
    return false;
}

Spare *spare_read(Arena *arena, const PgRows *rows)
{
    if (pg_rows_count(rows) == 0) {
        return NULL;
    }
    Spare *spare = ARENA_NEW(arena, Spare);
    *spare = (Spare){
        .place = place_from_row(arena, rows, 0),
        .tenant_id = arena_strdup(arena, pg_rows_text(rows, 0, PLACE_COLUMNS)),
        .key_id = arena_strdup(arena, pg_rows_text(rows, 0, PLACE_COLUMNS + 1)),
        .app_sealed = arena_strdup(arena, pg_rows_text(rows, 0, PLACE_COLUMNS + 2)),
        .readonly_sealed = arena_strdup(arena, pg_rows_text(rows, 0, PLACE_COLUMNS + 3))};
    return spare;
}

bool spare_find_claimed(Arena *arena, Store *store, const char *tenant_id, Spare **ret_spare,
                        Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, SPARE_FIND, PG_PARAMS(tenant_id), &rows, err)) {
        return false;
    }
    *ret_spare = spare_read(arena, rows);
    return true;
}

/* One password under another key; the binding, tenant and role, stays. */
static bool reseal(Arena *arena, Store *store, const Spare *spare, const char *role,
                   const char *sealed, const char *key_id, const char **ret_sealed, Err *err)
{
    const Sealed old = {
        .key_id = spare->key_id, .binding = login_binding(spare->tenant_id, role), .text = sealed};
    return login_reseal(arena, store, &old, key_id, &old.binding, ret_sealed, err);
}

static bool reseal_both(Arena *arena, Store *store, const Spare *spare, const char *key_id,
                        Spare *ret_spare, Err *err)
{
    *ret_spare = *spare;
    if (strcmp(spare->key_id, key_id) == 0) {
        return true;
    }
    ret_spare->key_id = key_id;
    return store_find_key(store, spare->key_id, err) &&
           reseal(arena, store, spare, spare->place.app_role, spare->app_sealed, key_id,
                  &ret_spare->app_sealed, err) &&
           reseal(arena, store, spare, spare->place.readonly_role, spare->readonly_sealed, key_id,
                  &ret_spare->readonly_sealed, err);
}

bool spare_add_take(Arena *arena, Store *store, PgBatch *batch, const Spare *spare,
                    const BlueprintPlan *plan, Err *err)
{
    Spare current;
    const LoginLimits limits = login_limits(plan);
    if (!reseal_both(arena, store, spare, store->active_key_id, &current, err)) {
        return false;
    }
    store_batch(
        batch, SPARE_TAKE,
        PG_PARAMS(current.tenant_id, current.key_id, current.app_sealed, current.readonly_sealed));
    login_add_plan(arena, batch, spare->place.app_role, false, &limits, true);
    login_add_plan(arena, batch, spare->place.readonly_role, true, &limits, true);
    return true;
}

/* What is there of it. */
bool spare_drop(Arena *arena, Store *store, const Spare *spare, Err *err)
{
    enum { ROLES = 3 };
    const Place *place = &spare->place;
    const char *const names[ROLES] = {place->owner_role, place->app_role, place->readonly_role};
    const char *roles[ROLES];
    size_t count = 0;
    PlaceRemains remains;
    if (!places_find_remains(store, place, &remains, err)) {
        return false;
    }
    const bool is_there[ROLES] = {remains.has_owner, remains.has_app, remains.has_readonly};
    for (size_t i = 0; i < ROLES; i++) {
        if (is_there[i]) {
            roles[count++] = names[i];
        }
    }
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    if (remains.has_schema) {
        place_add_drop_schema(arena, batch, place);
    }
    place_add_drop_roles(arena, batch, roles, count);
    store_batch(batch, ROLE_UNMAP, PG_PARAMS(spare->tenant_id));
    store_batch(batch, PLACE_DELETE, PG_PARAMS(place->id)); /* the spare's row goes with it */
    return pg_batch_run(store->conn, batch, err);
}

bool spares_add_reseal(Arena *arena, Store *store, PgBatch *batch, const char *key_id, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, SPARE_NEXT, PG_PARAMS(key_id), &rows, err)) {
        return false;
    }
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const Spare spare = {.place = {.app_role = pg_rows_text(rows, i, 1),
                                       .readonly_role = pg_rows_text(rows, i, 2)},
                             .tenant_id = pg_rows_text(rows, i, 0),
                             .key_id = pg_rows_text(rows, i, 3),
                             .app_sealed = pg_rows_text(rows, i, 4),
                             .readonly_sealed = pg_rows_text(rows, i, 5)};
        Spare sealed;
        if (!reseal_both(arena, store, &spare, key_id, &sealed, err)) {
            return false;
        }
        store_batch(batch, SPARE_RESEAL,
                    PG_PARAMS(spare.tenant_id, key_id, sealed.app_sealed, sealed.readonly_sealed));
    }
    return true;
}
