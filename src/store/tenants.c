#include "store/tenants.h"

Place place_from_row(Arena *arena, const PgRows *rows, size_t row)
{
    return (Place){.id = arena_strdup(arena, pg_rows_text(rows, row, 0)),
                   .version = pg_rows_int(rows, row, 1),
                   .schema_name = arena_strdup(arena, pg_rows_text(rows, row, 2)),
                   .owner_role = arena_strdup(arena, pg_rows_text(rows, row, 3)),
                   .app_role = arena_strdup(arena, pg_rows_text(rows, row, 4)),
                   .readonly_role = arena_strdup(arena, pg_rows_text(rows, row, 5)),
                   .blueprint = arena_strdup(arena, pg_rows_text(rows, row, 6)),
                   .tier = arena_strdup(arena, pg_rows_text(rows, row, 7))};
}

/* Columns as TENANT_FIND and TENANT_GET list them. */
static Tenant *read_tenant(Arena *arena, const PgRows *rows)
{
    Tenant *tenant = ARENA_NEW(arena, Tenant);
    *tenant = (Tenant){.id = arena_strdup(arena, pg_rows_text(rows, 0, 0)),
                       .slug = arena_strdup(arena, pg_rows_text(rows, 0, 1)),
                       .name = arena_strdup(arena, pg_rows_text(rows, 0, 2)),
                       .blueprint = arena_strdup(arena, pg_rows_text(rows, 0, 3)),
                       .plan = arena_strdup(arena, pg_rows_text(rows, 0, 4)),
                       .tier = arena_strdup(arena, pg_rows_text(rows, 0, 5)),
                       .state = arena_strdup(arena, pg_rows_text(rows, 0, 6))};
    if (pg_rows_text(rows, 0, 7) != NULL) {
        Place *place = ARENA_NEW(arena, Place);
        *place = (Place){.id = arena_strdup(arena, pg_rows_text(rows, 0, 7)),
                         .schema_name = arena_strdup(arena, pg_rows_text(rows, 0, 8)),
                         .owner_role = arena_strdup(arena, pg_rows_text(rows, 0, 9)),
                         .app_role = arena_strdup(arena, pg_rows_text(rows, 0, 10)),
                         .readonly_role = arena_strdup(arena, pg_rows_text(rows, 0, 11)),
                         .version = pg_rows_int(rows, 0, 12),
                         .blueprint = tenant->blueprint,
                         .tier = tenant->tier};
        tenant->place = place;
    }
    return tenant;
}

bool tenants_find(Arena *arena, Store *store, const char *slug, Tenant **ret_tenant, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, TENANT_FIND, PG_PARAMS(slug), &rows, err)) {
        return false;
    }
    *ret_tenant = pg_rows_count(rows) == 0 ? NULL : read_tenant(arena, rows);
    return true;
}

bool tenants_get_by_slug(Arena *arena, Store *store, const char *slug, Tenant **ret_tenant,
                         Err *err)
{
    return tenants_find(arena, store, slug, ret_tenant, err) &&
           (*ret_tenant != NULL ||
            ERR_SET(err, ERR_TENANT_MISSING, "\"tenantry tenant list\" shows those that there are",
                    "no tenant has the slug \"%s\"", slug));
}

bool tenants_get(Arena *arena, Store *store, const char *id, Tenant **ret_tenant, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, TENANT_GET, PG_PARAMS(id), &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return ERR_SET(err, ERR_TENANT_MISSING, NULL, "no tenant has the id \"%s\"", id);
    }
    *ret_tenant = read_tenant(arena, rows);
    return true;
}

void tenants_tell_lock_holders(Store *store, const char *schema_name, const char *tenant_id,
                               Err *err)
{
    Err ignored;
    scoped_rows PgRows *rows = NULL;
    if (err->code != ERR_PG_LOCKED || !pg_is_alive(store->conn)) {
        return;
    }
    pg_rollback(store->conn);
    if (!store_query(store, TENANT_LOCK_HOLDERS, PG_PARAMS(schema_name, tenant_id), &rows,
                     &ignored) ||
        pg_rows_int(rows, 0, 2) == 0) {
        return;
    }
    const bool is_one = pg_rows_int(rows, 0, 2) == 1;
    err_add(err, "; tenants with locks there: %s", pg_rows_text(rows, 0, 0));
    err_hint(err, "end the sessions of %s: tenantry tenant suspend %s",
             is_one ? "the tenant that is in the way" : "a tenant that is in the way",
             is_one ? pg_rows_text(rows, 0, 1) : "SLUG");
}

static bool find_shared(Arena *arena, Store *store, StatementId id, const char *blueprint,
                        Place **ret_place, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, id, PG_PARAMS(blueprint), &rows, err)) {
        return false;
    }
    *ret_place = NULL;
    if (pg_rows_count(rows) == 1) {
        *ret_place = ARENA_NEW(arena, Place);
        **ret_place = place_from_row(arena, rows, 0);
    }
    return true;
}

bool places_find_shared(Arena *arena, Store *store, const char *blueprint, Place **ret_place,
                        Err *err)
{
    return find_shared(arena, store, PLACE_FIND_SHARED, blueprint, ret_place, err);
}

bool places_hold_shared(Arena *arena, Store *store, const char *blueprint, Place **ret_place,
                        Err *err)
{
    return find_shared(arena, store, PLACE_HOLD_SHARED, blueprint, ret_place, err);
}

bool places_list(Arena *arena, Store *store, const char *blueprint, Place **ret_places,
                 size_t *ret_count, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, PLACE_LIST, PG_PARAMS(blueprint), &rows, err)) {
        return false;
    }
    *ret_count = pg_rows_count(rows);
    *ret_places = ARENA_ARRAY(arena, Place, *ret_count);
    for (size_t i = 0; i < *ret_count; i++) {
        (*ret_places)[i] = place_from_row(arena, rows, i);
    }
    return true;
}

void places_add(Arena *arena, PgBatch *batch, const Place *place)
{
    store_batch(batch, PLACE_ADD,
                PG_PARAMS(place->id, place->blueprint, pg_int_text(arena, place->version),
                          place->tier, place->schema_name, place->owner_role, place->app_role,
                          place->readonly_role));
}
