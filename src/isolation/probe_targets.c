#include <inttypes.h>
#include <string.h>

#include "blueprint/registry.h"
#include "isolation/probe_parts.h"
#include "tenant/login.h"

/* What the queries call a kind, and what it is to a tenant of another place, of the same place, and
 * in its own. ON_NOTHING: not tried. */
static const struct {
    const char *word;
    ProbeOn apart;
    ProbeOn shared;
    ProbeOn own;
} kinds[] = {
    {"control_function", ON_CONTROL_FUNCTION, ON_NOTHING, ON_NOTHING},
    {"control_table", ON_CONTROL_TABLE, ON_NOTHING, ON_NOTHING},
    {"definer", ON_FUNCTION, ON_NOTHING, ON_OWN_DEFINER},
    {"function", ON_FUNCTION, ON_NOTHING, ON_NOTHING},
    {"large_object", ON_LARGE_OBJECT, ON_LARGE_OBJECT, ON_NOTHING},
    {"partition", ON_PARTITION, ON_SHARED_PARTITION, ON_NOTHING},
    {"power_role", ON_POWER_ROLE, ON_NOTHING, ON_NOTHING},
    {"sequence", ON_SEQUENCE, ON_NOTHING, ON_NOTHING},
    {"table", ON_TABLE, ON_SHARED_TABLE, ON_NOTHING},
    {"type", ON_TYPE, ON_NOTHING, ON_NOTHING},
    {"view", ON_VIEW, ON_SHARED_VIEW, ON_NOTHING},
};

typedef enum Seen { SEEN_APART, SEEN_SHARED, SEEN_OWN } Seen;

void probe_add_target(ProbeTargets *targets, const ProbeTarget *target)
{
    if (targets->count == targets->capacity) {
        targets->capacity = targets->capacity * 2 + 32;
        ProbeTarget *grown = ARENA_ARRAY(targets->arena, ProbeTarget, targets->capacity);
        if (targets->count > 0) {
            memcpy(grown, targets->list, targets->count * sizeof *grown);
        }
        targets->list = grown;
    }
    targets->list[targets->count++] = *target;
}

void probe_sort_targets(ProbeTargets *targets)
{
    ProbeTarget *sorted = ARENA_ARRAY(targets->arena, ProbeTarget, targets->count);
    size_t count = 0;
    for (int on = 0; on < ON_COUNT_; on++) {
        targets->first[on] = count;
        for (size_t i = 0; i < targets->count; i++) {
            if (targets->list[i].on == (ProbeOn)on) {
                sorted[count++] = targets->list[i];
            }
        }
    }
    targets->first[ON_COUNT_] = count;
    targets->list = sorted;
}

static ProbeOn find_kind(const char *word, Seen seen)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].word, word) == 0) {
            return seen == SEEN_APART    ? kinds[i].apart
                   : seen == SEEN_SHARED ? kinds[i].shared
                                         : kinds[i].own;
        }
    }
    return ON_NOTHING;
}

static bool read_canary(Arena *arena, const char *text, const ProbeColumn **ret_columns,
                        size_t *ret_count, Err *err)
{
    scoped_json Json *list = NULL;
    if (text != NULL && !json_parse(text, "the canary's columns", &list, err)) {
        return false;
    }
    *ret_count = json_array_size(list);
    ProbeColumn *columns = ARENA_ARRAY(arena, ProbeColumn, *ret_count);
    for (size_t i = 0; i < *ret_count; i++) {
        const Json *column = json_array_get(list, i);
        columns[i] = (ProbeColumn){.name = arena_strdup(arena, json_get_text(column, "name", "")),
                                   .value = arena_strdup(arena, json_get_text(column, "value", "")),
                                   .is_time = json_get_bool(column, "is_time", false)};
    }
    *ret_columns = columns;
    return true;
}

/* Columns as the queries of this module list them: kind, schema, name, number, arguments, column,
 * canary, has_tenant_id. */
static bool add_rows(const PgRows *rows, Seen seen, ProbeTargets *targets, Err *err)
{
    Arena *arena = targets->arena;
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        ProbeTarget target = {.on = find_kind(pg_rows_text(rows, i, 0), seen),
                              .schema = arena_strdup(arena, pg_rows_text(rows, i, 1)),
                              .name = arena_strdup(arena, pg_rows_text(rows, i, 2)),
                              .number = pg_rows_int(rows, i, 3),
                              .arguments = pg_rows_int(rows, i, 4),
                              .column = arena_strdup(arena, pg_rows_text(rows, i, 5))};
        const bool is_tenants = pg_rows_bool(rows, i, 7);
        if (target.on == ON_NOTHING || (target.on == ON_SHARED_TABLE && !is_tenants)) {
            continue; /* tables that all tenants of the place may read have no tenant_id */
        }
        if (!read_canary(arena, pg_rows_text(rows, i, 6), &target.canary, &target.canary_count,
                         err)) {
            return false;
        }
        probe_add_target(targets, &target);
    }
    return true;
}

static bool add_place(Store *store, const char *schema, Seen seen, int64_t seed,
                      ProbeTargets *targets, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    return pg_query(store->conn, probe_sql("probe_targets.sql"),
                    PG_PARAMS(schema, seen == SEEN_SHARED ? "true" : "false",
                              pg_int_text(targets->arena, seed)),
                    &rows, err) &&
           add_rows(rows, seen, targets, err);
}

bool probe_find_targets(Arena *arena, Store *store, const ProbeTenant *tenant,
                        const ProbeTenant *neighbour, int64_t seed, ProbeTargets *ret_targets,
                        Err *err)
{
    scoped_rows PgRows *rows = NULL;
    const Seen seen = strcmp(tenant->schema, neighbour->schema) == 0 ? SEEN_SHARED : SEEN_APART;
    const char *roles = arena_printf(arena, "%s,%s,%s", neighbour->owner, neighbour->app,
                                     neighbour->readonly);
    ProbeTargets targets = {.arena = arena};
    const char *const names[] = {neighbour->app, neighbour->readonly, neighbour->owner};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        probe_add_target(&targets, &(ProbeTarget){.on = ON_ROLE, .schema = "", .name = names[i]});
    }
    if (!add_place(store, neighbour->schema, seen, seed, &targets, err) ||
        !pg_query(store->conn, probe_sql("probe_large_objects.sql"), PG_PARAMS(roles), &rows,
                  err) ||
        !add_rows(rows, seen, &targets, err)) {
        return false;
    }
    probe_sort_targets(&targets);
    *ret_targets = targets;
    return true;
}

bool probe_find_control_targets(Arena *arena, Store *store, ProbeTargets *ret_targets, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    ProbeTargets targets = {.arena = arena};
    if (!pg_query(store->conn, probe_sql("probe_control.sql"), PG_PARAMS(store->audit_role), &rows,
                  err) ||
        !add_rows(rows, SEEN_APART, &targets, err)) {
        return false;
    }
    *ret_targets = targets;
    return true;
}

bool probe_find_own_targets(Store *store, const ProbeTenant *tenant, ProbeTargets *targets,
                            Err *err)
{
    scoped_rows PgRows *rows = NULL;
    return pg_query(store->conn, probe_sql("probe_definers.sql"), PG_PARAMS(tenant->schema), &rows,
                    err) &&
           add_rows(rows, SEEN_OWN, targets, err);
}

bool probe_find_plan_targets(Arena *arena, Store *store, const ProbeTenant *tenant,
                             bool is_readonly, ProbeTargets *targets, Err *err)
{
    Blueprint *blueprint = NULL;
    if (!registry_get_head(arena, store, tenant->blueprint, &blueprint, err)) {
        return false;
    }
    const BlueprintPlan *plan = blueprint_find_plan(blueprint, tenant->plan);
    if (plan == NULL) {
        return true; /* the newest definition has another plan; what holds is what was given */
    }
    const LoginLimits limits = login_limits(plan);
    probe_add_target(targets, &(ProbeTarget){.on = ON_CONNECTION_LIMIT,
                                             .schema = "",
                                             .name = "CONNECTION LIMIT",
                                             .number = is_readonly ? limits.readonly_connections
                                                                   : limits.app_connections});
    for (size_t i = 0; i < plan->setting_count; i++) {
        probe_add_target(targets, &(ProbeTarget){.on = ON_PLAN_SETTING,
                                                 .schema = "",
                                                 .name = plan->settings[i].name,
                                                 .column = plan->settings[i].value});
    }
    return true;
}
