#include "tenant/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[TENANT_STATE_COUNT_] = {
    [TENANT_REQUESTED] = "requested", [TENANT_PROVISIONING] = "provisioning",
    [TENANT_ACTIVE] = "active",       [TENANT_SUSPENDED] = "suspended",
    [TENANT_DRAINING] = "draining",   [TENANT_ARCHIVED] = "archived",
    [TENANT_PURGED] = "purged",       [TENANT_FAILED] = "failed",
};

#define TO(state) (1U << (state))

static const unsigned allowed[TENANT_STATE_COUNT_] = {
    [TENANT_REQUESTED] = TO(TENANT_PROVISIONING) | TO(TENANT_ACTIVE) | TO(TENANT_FAILED),
    [TENANT_PROVISIONING] = TO(TENANT_ACTIVE) | TO(TENANT_FAILED),
    [TENANT_ACTIVE] = TO(TENANT_SUSPENDED) | TO(TENANT_DRAINING),
    [TENANT_SUSPENDED] = TO(TENANT_ACTIVE) | TO(TENANT_DRAINING),
    [TENANT_DRAINING] = TO(TENANT_ARCHIVED),
    [TENANT_ARCHIVED] = TO(TENANT_PURGED),
};

const char *tenant_state_name(TenantState state)
{
    return names[state];
}

bool tenant_state_from_name(const char *name, TenantState *ret_state)
{
    for (int state = 0; state < TENANT_STATE_COUNT_; state++) {
        if (strcmp(names[state], name) == 0) {
            *ret_state = (TenantState)state;
            return true;
        }
    }
    return false;
}

bool tenant_may_move(TenantState from, TenantState to)
{
    return (allowed[from] & TO(to)) != 0;
}

/* The states from which one can get to `to`, for the hint: "active or suspended". */
static void list_sources(char *buffer, size_t size, TenantState to)
{
    size_t used = 0;
    for (int from = 0; from < TENANT_STATE_COUNT_; from++) {
        if (tenant_may_move((TenantState)from, to) && used < size) {
            used += (size_t)snprintf(buffer + used, size - used, "%s%s", used == 0 ? "" : " or ",
                                     names[from]);
        }
    }
}

bool tenant_move(Store *store, Tenant *tenant, TenantState to, Err *err)
{
    TenantState from = TENANT_STATE_COUNT_;
    if (!tenant_state_from_name(tenant->state, &from) || !tenant_may_move(from, to)) {
        char sources[128] = "";
        list_sources(sources, sizeof sources, to);
        if (from == to) {
            return ERR_SET(err, ERR_TENANT_STATE, NULL, "tenant \"%s\" is %s already", tenant->slug,
                           tenant->state);
        }
        ERR_SET(err, ERR_TENANT_STATE, NULL, "tenant \"%s\" is %s and cannot become %s",
                tenant->slug, tenant->state, names[to]);
        err_hint(err, "a tenant becomes %s from %s", names[to], sources);
        return false;
    }
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, TENANT_MOVE, PG_PARAMS(tenant->id, tenant->state, names[to]), &rows,
                     err)) {
        return false;
    }
    if (pg_rows_affected(rows) != 1) {
        return ERR_SET(err, ERR_CONFLICT, "look at it with \"tenantry tenant show\" and try again",
                       "tenant \"%s\" was changed by another session", tenant->slug);
    }
    tenant->state = names[to];
    return true;
}

size_t tenant_add_active(Arena *arena, PgBatch *batch, const Tenant *tenant, const Place *place)
{
    TenantState from = TENANT_STATE_COUNT_;
    if (!tenant_state_from_name(tenant->state, &from) || !tenant_may_move(from, TENANT_ACTIVE)) {
        abort();
    }
    return store_batch(batch, TENANT_ACTIVATE,
                       PG_PARAMS(tenant->id, tenant->state, names[TENANT_ACTIVE], place->id,
                                 pg_int_text(arena, place->version)));
}

bool tenant_check_active(const PgBatch *batch, size_t number, const Tenant *tenant, Err *err)
{
    return pg_rows_affected(pg_batch_rows(batch, number)) == 1 ||
           ERR_SET(err, ERR_CONFLICT, "try again",
                   "the place of tenant \"%s\" was brought to another version meanwhile",
                   tenant->slug);
}
