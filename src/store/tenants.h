/* Rows of the registry: tenants and places. */
#ifndef TENANTRY_STORE_TENANTS_H
#define TENANTRY_STORE_TENANTS_H

#include "store/store.h"

/* Where data is: a schema and the roles around it. */
typedef struct Place {
    const char *id;
    int64_t version; /* of the blueprint */
    const char *schema_name;
    const char *owner_role;
    const char
        *app_role; /* schema tier: the tenant's login; row tier: the group of its tenants' logins */
    const char *readonly_role; /* the same, for reading only */
    const char *blueprint;
    const char *tier; /* "row" or "schema" */
} Place;

typedef struct Tenant {
    const char *id;
    const char *slug;
    const char *name;
    const char *blueprint;
    const char *plan;
    const char *tier;
    const char *state;
    const Place *place; /* NULL before it is provisioned and after it is purged */
} Tenant;

/* The living tenant of this slug (not purged, not failed), or NULL; all text in the arena. */
bool tenants_find(Arena *arena, Store *store, const char *slug, Tenant **ret_tenant, Err *err);

/* The living tenant of this slug; ERR_TENANT_MISSING when there is none. */
bool tenants_get_by_slug(Arena *arena, Store *store, const char *slug, Tenant **ret_tenant,
                         Err *err);

/* The tenant of this id; ERR_TENANT_MISSING when there is none. */
bool tenants_get(Arena *arena, Store *store, const char *id, Tenant **ret_tenant, Err *err);

/* Refuses (ERR_PREPARED) while there are transactions that the tenant can have prepared (PREPARE
 * TRANSACTION): they live on when its sessions are ended, and keep their locks and what they wrote.
 * Those of a group that it shares with others count too, for whoever is in it can commit them. Only
 * a superuser or their owner can end them: the hint says how, and how to resume the job (0: to try
 * again). */
bool tenants_refuse_prepared(Store *store, const Tenant *tenant, int64_t job_id, Err *err);

/* Where something of the tenant could not be changed for others: names those transactions in err.
 * Rolls back the transaction that failed. */
void tenants_tell_prepared(Store *store, const Tenant *tenant, Err *err);

/* Where a lock could not be had: says in err which tenants have sessions with locks on what is in
 * the schema, on the roles of its place, or on those of the tenant (NULL: of none), which prepared
 * transactions do, and what ends them. Any tenant can lock what it has no right to use, by its
 * number or its name. Rolls back the transaction that failed. */
void tenants_tell_lock_holders(Store *store, const char *schema_name, const char *tenant_id,
                               Err *err);

/* The place in a row that begins with these columns: id, version, schema_name, owner_role,
 * app_role, readonly_role, blueprint and tier. */
enum { PLACE_COLUMNS = 8 };
Place place_from_row(Arena *arena, const PgRows *rows, size_t row);

/* The shared place of a blueprint's row tier, or NULL when none was made yet. */
bool places_find_shared(Arena *arena, Store *store, const char *blueprint, Place **ret_place,
                        Err *err);

/* The same, and nobody else moves it to another version until the transaction ends. Waits for a
 * rollout that moves it. */
bool places_hold_shared(Arena *arena, Store *store, const char *blueprint, Place **ret_place,
                        Err *err);

/* Every place, or those of one blueprint (NULL: all). */
bool places_list(Arena *arena, Store *store, const char *blueprint, Place **ret_places,
                 size_t *ret_count, Err *err);

/* What of a place is there: a person can have dropped its schema or a role. */
typedef struct PlaceRemains {
    bool has_schema;
    bool has_owner;
    bool has_app;
    bool has_readonly;
} PlaceRemains;

bool places_find_remains(Store *store, const Place *place, PlaceRemains *ret_remains, Err *err);

/* Adds the statement that records a place. */
void places_add(Arena *arena, PgBatch *batch, const Place *place);

#endif
