/* What holds for a tenant's logins, whatever its plan says. */
#include "blueprint/registry.h"
#include "tenant/login.h"

bool tenant_put_in_force(Arena *arena, Store *store, const Tenant *tenant, Json *answer, Err *err)
{
    Blueprint *blueprint = NULL;
    scoped_json Json *found = NULL;
    if (!registry_get_head(arena, store, tenant->blueprint, &blueprint, err)) {
        return false;
    }
    const LoginLimits limits = login_limits(blueprint_find_plan(blueprint, tenant->plan));
    if (!store_query_json(store, TENANT_IN_FORCE,
                          PG_PARAMS(tenant->id, pg_int_text(arena, limits.app_connections),
                                    pg_int_text(arena, limits.readonly_connections),
                                    login_plan_settings(arena)),
                          &found, err)) {
        return false;
    }
    if (found == NULL) {
        json_put(answer, "differences", json_array());
        return true;
    }
    json_put(json_object_get(answer, "limits"), "max_connections",
             json_incref(json_object_get(found, "max_connections")));
    json_put(answer, "settings", json_incref(json_object_get(found, "settings")));
    json_put(answer, "differences", json_incref(json_object_get(found, "differences")));
    return true;
}
