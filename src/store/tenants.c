#include "store/tenants.h"

#include <inttypes.h>
#include <string.h>

#include "core/strbuf.h"
#include "core/text.h"
#include "pg/sql.h"

/* Columns of a place, with which each statement begins that reads one; then those of TENANT_FIND
 * and TENANT_GET. */
enum {
    PLACE_COLUMN_ID,
    PLACE_COLUMN_VERSION,
    PLACE_COLUMN_SCHEMA_NAME,
    PLACE_COLUMN_OWNER_ROLE,
    PLACE_COLUMN_APP_ROLE,
    PLACE_COLUMN_READONLY_ROLE,
    PLACE_COLUMN_BLUEPRINT,
    PLACE_COLUMN_TIER,
    TENANT_COLUMN_ID = PLACE_COLUMNS,
    TENANT_COLUMN_SLUG,
    TENANT_COLUMN_NAME,
    TENANT_COLUMN_BLUEPRINT,
    TENANT_COLUMN_PLAN,
    TENANT_COLUMN_TIER,
    TENANT_COLUMN_STATE,
};
_Static_assert(PLACE_COLUMN_TIER + 1 == PLACE_COLUMNS, "a place has more or fewer columns");

static const char *copy_text(Arena *arena, const PgRows *rows, size_t row, size_t column)
{
    return arena_strdup(arena, pg_rows_text(rows, row, column));
}

Place place_from_row(Arena *arena, const PgRows *rows, size_t row)
{
    return (Place){.id = copy_text(arena, rows, row, PLACE_COLUMN_ID),
                   .version = pg_rows_int(rows, row, PLACE_COLUMN_VERSION),
                   .schema_name = copy_text(arena, rows, row, PLACE_COLUMN_SCHEMA_NAME),
                   .owner_role = copy_text(arena, rows, row, PLACE_COLUMN_OWNER_ROLE),
                   .app_role = copy_text(arena, rows, row, PLACE_COLUMN_APP_ROLE),
                   .readonly_role = copy_text(arena, rows, row, PLACE_COLUMN_READONLY_ROLE),
                   .blueprint = copy_text(arena, rows, row, PLACE_COLUMN_BLUEPRINT),
                   .tier = copy_text(arena, rows, row, PLACE_COLUMN_TIER)};
}

static Tenant *read_tenant(Arena *arena, const PgRows *rows)
{
    Tenant *tenant = ARENA_NEW(arena, Tenant);
    *tenant = (Tenant){.id = copy_text(arena, rows, 0, TENANT_COLUMN_ID),
                       .slug = copy_text(arena, rows, 0, TENANT_COLUMN_SLUG),
                       .name = copy_text(arena, rows, 0, TENANT_COLUMN_NAME),
                       .blueprint = copy_text(arena, rows, 0, TENANT_COLUMN_BLUEPRINT),
                       .plan = copy_text(arena, rows, 0, TENANT_COLUMN_PLAN),
                       .tier = copy_text(arena, rows, 0, TENANT_COLUMN_TIER),
                       .state = copy_text(arena, rows, 0, TENANT_COLUMN_STATE)};
    if (pg_rows_text(rows, 0, PLACE_COLUMN_ID) != NULL) {
        Place *place = ARENA_NEW(arena, Place);
        *place = place_from_row(arena, rows, 0);
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

/* --- who is in the way ------------------------------------------------------------------------ */

/* Columns of TENANT_LOCK_HOLDERS and TENANT_PREPARED. */
enum { HOLDER_GID, HOLDER_XID, HOLDER_OWNER, HOLDER_DATABASE, HOLDER_SLUG, HOLDER_TOTAL };

enum { GID_SHOWN_BYTES = 64 };

static bool holder_is_prepared(const PgRows *rows, size_t row)
{
    return pg_rows_text(rows, row, HOLDER_GID) != NULL;
}

/* The first row of prepared transactions, which come after tenants; the number of rows: none. */
static size_t first_prepared(const PgRows *rows)
{
    size_t row = 0;
    while (row < pg_rows_count(rows) && !holder_is_prepared(rows, row)) {
        row++;
    }
    return row;
}

/* "a" (tenant "b"), "c" (role "d") and 2 more. Applications choose what is in an identifier. */
static const char *list_prepared(Arena *arena, const PgRows *rows, size_t first)
{
    const size_t end = pg_rows_count(rows);
    const int64_t more = pg_rows_int(rows, first, HOLDER_TOTAL) - (int64_t)(end - first);
    StrBuf list = strbuf_init(arena);
    for (size_t row = first; row < end; row++) {
        const char *slug = pg_rows_text(rows, row, HOLDER_SLUG);
        const char *owner = pg_rows_text(rows, row, HOLDER_OWNER);
        strbuf_printf(&list, "%s\"%s\" (%s \"%s\")", row == first ? "" : ", ",
                      text_quote(arena, pg_rows_text(rows, row, HOLDER_GID), GID_SHOWN_BYTES),
                      slug != NULL ? "tenant" : "role", slug != NULL ? slug : owner);
    }
    if (more > 0) {
        strbuf_printf(&list, " and %" PRId64 " more", more);
    }
    return list.text;
}

/* What a person can copy: an identifier that is long, or not as it looks, is told by its number. */
static const char *rollback_prepared(Arena *arena, const PgRows *rows, size_t row)
{
    const char *gid = pg_rows_text(rows, row, HOLDER_GID);
    if (text_is_same(gid, text_quote(arena, gid, GID_SHOWN_BYTES)) &&
        text_count_ascii(gid) == strlen(gid)) {
        return SQL(arena, "ROLLBACK PREPARED {}", sql_literal(gid));
    }
    return SQL(arena,
               "SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts"
               " WHERE transaction = {} \\gexec",
               sql_literal(pg_rows_text(rows, row, HOLDER_XID)));
}

static void hint_prepared(const PgRows *rows, size_t row, int64_t job_id, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    const char *then = job_id == 0
                           ? "then try again"
                           : arena_printf(arena, "then: tenantry job resume %" PRId64, job_id);
    err_hint(err, "as a superuser, or as role \"%s\", in database \"%s\": %s; %s",
             pg_rows_text(rows, row, HOLDER_OWNER), pg_rows_text(rows, row, HOLDER_DATABASE),
             rollback_prepared(arena, rows, row), then);
}

bool tenants_refuse_prepared(Store *store, const Tenant *tenant, int64_t job_id, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, TENANT_PREPARED, PG_PARAMS(tenant->id), &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return true;
    }
    scoped_arena Arena *arena = arena_new();
    ERR_SET(err, ERR_PREPARED, NULL,
            "prepared transactions that \"%s\" can have made need no session to be committed: %s",
            tenant->slug, list_prepared(arena, rows, 0));
    hint_prepared(rows, 0, job_id, err);
    return false;
}

static void tell_prepared(const PgRows *rows, const char *what, Err *err)
{
    const size_t first = first_prepared(rows);
    if (first < pg_rows_count(rows)) {
        scoped_arena Arena *arena = arena_new();
        err_add(err, "; %s: %s", what, list_prepared(arena, rows, first));
        hint_prepared(rows, first, 0, err);
    }
}

static void tell_tenants(const PgRows *rows, Err *err)
{
    const size_t count = first_prepared(rows);
    if (count == 0) {
        return;
    }
    err_add(err, "; tenants with locks there: ");
    for (size_t row = 0; row < count; row++) {
        err_add(err, "%s\"%s\"", row == 0 ? "" : ", ", pg_rows_text(rows, row, HOLDER_SLUG));
    }
    err_hint(err, "end the sessions of %s: tenantry tenant suspend %s",
             count == 1 ? "the tenant that is in the way" : "a tenant that is in the way",
             count == 1 ? pg_rows_text(rows, 0, HOLDER_SLUG) : "SLUG");
}

/* *ret_rows: what the statement finds after the transaction that failed was rolled back; none where
 * nobody can be asked. */
static bool ask_after_failure(Store *store, StatementId id, PgParams params, PgRows **ret_rows)
{
    Err ignored;
    if (!pg_is_alive(store->conn)) {
        return false;
    }
    pg_rollback(store->conn);
    return store_query(store, id, params, ret_rows, &ignored);
}

void tenants_tell_prepared(Store *store, const Tenant *tenant, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (ask_after_failure(store, TENANT_PREPARED, PG_PARAMS(tenant->id), &rows)) {
        tell_prepared(rows, "prepared transactions that may be in the way", err);
    }
}

void tenants_tell_lock_holders(Store *store, const char *schema_name, const char *tenant_id,
                               Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (err->code == ERR_PG_LOCKED &&
        ask_after_failure(store, TENANT_LOCK_HOLDERS, PG_PARAMS(schema_name, tenant_id), &rows)) {
        tell_tenants(rows, err);
        tell_prepared(rows, "prepared transactions with locks there", err);
    }
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

bool places_find_remains(Store *store, const Place *place, PlaceRemains *ret_remains, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(
            store, PLACE_REMAINS,
            PG_PARAMS(place->schema_name, place->owner_role, place->app_role, place->readonly_role),
            &rows, err)) {
        return false;
    }
    *ret_remains = (PlaceRemains){.has_schema = pg_rows_bool(rows, 0, 0),
                                  .has_owner = pg_rows_bool(rows, 0, 1),
                                  .has_app = pg_rows_bool(rows, 0, 2),
                                  .has_readonly = pg_rows_bool(rows, 0, 3)};
    return true;
}

void places_add(Arena *arena, PgBatch *batch, const Place *place)
{
    store_batch(batch, PLACE_ADD,
                PG_PARAMS(place->id, place->blueprint, pg_int_text(arena, place->version),
                          place->tier, place->schema_name, place->owner_role, place->app_role,
                          place->readonly_role));
}
