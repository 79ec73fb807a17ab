/* The states of a tenant and the moves between them: one table, one function that moves. */
#ifndef TENANTRY_TENANT_STATE_H
#define TENANTRY_TENANT_STATE_H

#include "store/tenants.h"

typedef enum TenantState {
    TENANT_REQUESTED,    /* the slug is taken, nothing else is there */
    TENANT_PROVISIONING, /* its place is being made, and others can see that it was reserved */
    TENANT_ACTIVE,
    TENANT_SUSPENDED, /* nobody may log in; comes back with resume */
    TENANT_DRAINING,  /* on the way to archived: no new sessions */
    TENANT_ARCHIVED,  /* the data is kept, nobody has a right to it */
    TENANT_PURGED,    /* gone but for its audit chain */
    TENANT_FAILED,    /* never became active; cleaned up */
    TENANT_STATE_COUNT_
} TenantState;

const char *tenant_state_name(TenantState state);
bool tenant_state_from_name(const char *name, TenantState *ret_state);
bool tenant_may_move(TenantState from, TenantState to);

/* Moves a tenant in the caller's transaction. ERR_TENANT_STATE when the move is not allowed (the
 * hint names what is); ERR_CONFLICT when another session moved it first. tenant->state is the state
 * that the caller saw, and the new one afterwards. */
bool tenant_move(Store *store, Tenant *tenant, TenantState to, Err *err);

/* Adds the move to active, with the tenant's place, to a batch of the transaction that reserved the
 * tenant or moved it to provisioning, so that nobody can move it meanwhile. Returns its number. */
size_t tenant_add_active(Arena *arena, PgBatch *batch, const Tenant *tenant, const Place *place);

/* After the batch ran, with the number that tenant_add_active gave: ERR_CONFLICT when the place is
 * no longer at the version that it was read at, or not of the tenant's tier. */
bool tenant_check_active(const PgBatch *batch, size_t number, const Tenant *tenant, Err *err);

#endif
