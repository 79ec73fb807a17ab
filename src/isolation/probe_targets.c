#include <inttypes.h>
#include <string.h>

#include "blueprint/registry.h"
#include "core/array.h"
#include "isolation/probe_parts.h"
#include "pg/batch.h"
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
    {"control_sequence", ON_SEQUENCE, ON_NOTHING, ON_NOTHING},
    {"control_table", ON_CONTROL_TABLE, ON_NOTHING, ON_NOTHING},
    {"definer", ON_FUNCTION, ON_NOTHING, ON_OWN_DEFINER},
    {"function", ON_FUNCTION, ON_NOTHING, ON_NOTHING},
    {"large_object", ON_LARGE_OBJECT, ON_LARGE_OBJECT, ON_NOTHING},
    {"partition", ON_PARTITION, ON_SHARED_PARTITION, ON_NOTHING},
    {"power_role", ON_POWER_ROLE, ON_NOTHING, ON_NOTHING},
    {"sequence", ON_SEQUENCE, ON_SHARED_SEQUENCE, ON_NOTHING},
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
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
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

/* What the queries list, before it is known what it is to whom. */
typedef struct Found {
    const char *word;
    bool is_tenants; /* has tenant_id */
    ProbeTarget target;
} Found;

typedef struct FoundList {
    Found *list;
    size_t count;
} FoundList;

/* Columns: kind, schema, name, number, arguments, column, canary, has_tenant_id. */
static bool read_found(Arena *arena, const PgRows *rows, FoundList *ret_found, Err *err)
{
    const size_t count = pg_rows_count(rows);
    Found *list = ARENA_ARRAY(arena, Found, count);
    for (size_t i = 0; i < count; i++) {
        ProbeTarget *target = &list[i].target;
        *target = (ProbeTarget){.schema = arena_strdup(arena, pg_rows_text(rows, i, 1)),
                                .name = arena_strdup(arena, pg_rows_text(rows, i, 2)),
                                .number = pg_rows_int(rows, i, 3),
                                .arguments = pg_rows_int(rows, i, 4),
                                .column = arena_strdup(arena, pg_rows_text(rows, i, 5))};
        list[i].word = arena_strdup(arena, pg_rows_text(rows, i, 0));
        list[i].is_tenants = pg_rows_bool(rows, i, 7);
        if (!read_canary(arena, pg_rows_text(rows, i, 6), &target->canary, &target->canary_count,
                         err)) {
            return false;
        }
    }
    *ret_found = (FoundList){.list = list, .count = count};
    return true;
}

/* Those of one schema stand side by side. */
static FoundList find_schema(const FoundList *all, const char *schema)
{
    FoundList part = {.list = all->list, .count = 0};
    size_t i = 0;
    while (i < all->count && strcmp(all->list[i].target.schema, schema) != 0) {
        i++;
    }
    part.list = &all->list[i];
    while (i < all->count && strcmp(all->list[i].target.schema, schema) == 0) {
        i++;
        part.count++;
    }
    return part;
}

static void add_found(const FoundList *found, Seen seen, ProbeTargets *targets)
{
    for (size_t i = 0; i < found->count; i++) {
        ProbeTarget target = found->list[i].target;
        target.on = find_kind(found->list[i].word, seen);
        /* Tables that all tenants of the place may read have no tenant_id. */
        if (target.on != ON_NOTHING &&
            (target.on != ON_SHARED_TABLE || found->list[i].is_tenants)) {
            probe_add_target(targets, &target);
        }
    }
}

/* --- neighbours ------------------------------------------------------------------------------- */

/* Of all neighbours at once: what is in their schemas and in the prober's own, and what belongs to
 * their roles. */
typedef struct Around {
    FoundList in_schemas;
    FoundList of_roles; /* schema: the role */
} Around;

static bool find_around(Arena *arena, Store *store, const ProbeTenant *tenant,
                        const ProbeTenants *neighbours, int64_t seed, Around *ret_around, Err *err)
{
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    scoped_json Json *schemas = json_array();
    scoped_json Json *roles = json_array();
    for (size_t i = 0; i < neighbours->count; i++) {
        const ProbeTenant *neighbour = &neighbours->list[i];
        json_array_append_new(schemas, json_string(neighbour->schema));
        json_array_append_new(roles, json_string(neighbour->owner));
        json_array_append_new(roles, json_string(neighbour->app));
        json_array_append_new(roles, json_string(neighbour->readonly));
    }
    const size_t in_schemas = pg_batch_add(
        batch, probe_sql("probe_targets.sql"),
        PG_PARAMS(json_to_text(arena, schemas), tenant->schema, pg_int_text(arena, seed)));
    const size_t of_roles = pg_batch_add(batch, probe_sql("probe_large_objects.sql"),
                                         PG_PARAMS(json_to_text(arena, roles)));
    return pg_batch_run(store->conn, batch, err) &&
           read_found(arena, pg_batch_rows(batch, in_schemas), &ret_around->in_schemas, err) &&
           read_found(arena, pg_batch_rows(batch, of_roles), &ret_around->of_roles, err);
}

static void add_roles(const Around *around, const ProbeTenant *neighbour, ProbeTargets *targets)
{
    const char *const names[] = {neighbour->app, neighbour->readonly, neighbour->owner};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        const FoundList owned = find_schema(&around->of_roles, names[i]);
        probe_add_target(targets, &(ProbeTarget){.on = ON_ROLE, .schema = "", .name = names[i]});
        for (size_t j = 0; j < owned.count; j++) {
            ProbeTarget target = owned.list[j].target;
            target.on = ON_LARGE_OBJECT;
            target.schema = "";
            probe_add_target(targets, &target);
        }
    }
}

bool probe_find_targets(Arena *arena, Store *store, const ProbeTenant *tenant,
                        const ProbeTenants *neighbours, int64_t seed, ProbeTargets *ret_targets,
                        Err *err)
{
    Around around;
    if (!find_around(arena, store, tenant, neighbours, seed, &around, err)) {
        return false;
    }
    const FoundList own = find_schema(&around.in_schemas, tenant->schema);
    for (size_t i = 0; i < neighbours->count; i++) {
        const ProbeTenant *neighbour = &neighbours->list[i];
        const FoundList theirs = find_schema(&around.in_schemas, neighbour->schema);
        const bool is_shared = strcmp(tenant->schema, neighbour->schema) == 0;
        ProbeTargets targets = {.arena = arena};
        add_roles(&around, neighbour, &targets);
        add_found(&theirs, is_shared ? SEEN_SHARED : SEEN_APART, &targets);
        add_found(&own, SEEN_OWN, &targets);
        probe_sort_targets(&targets);
        ret_targets[i] = targets;
    }
    return true;
}

/* --- whoever the neighbours are --------------------------------------------------------------- */

bool probe_find_control_targets(Arena *arena, Store *store, ProbeTargets *ret_targets, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    FoundList found;
    ProbeTargets targets = {.arena = arena};
    if (!pg_query(store->conn, probe_sql("probe_control.sql"), PG_PARAMS(store->audit_role), &rows,
                  err) ||
        !read_found(arena, rows, &found, err)) {
        return false;
    }
    add_found(&found, SEEN_APART, &targets);
    *ret_targets = targets;
    return true;
}

static void add_plan(const BlueprintPlan *plan, int64_t connections, ProbeTargets *targets)
{
    probe_add_target(targets, &(ProbeTarget){.on = ON_CONNECTION_LIMIT,
                                             .schema = "",
                                             .name = "CONNECTION LIMIT",
                                             .number = connections});
    for (size_t i = 0; i < plan->setting_count; i++) {
        probe_add_target(targets, &(ProbeTarget){.on = ON_PLAN_SETTING,
                                                 .schema = "",
                                                 .name = plan->settings[i].name,
                                                 .column = plan->settings[i].value});
    }
}

bool probe_find_plan_targets(Arena *arena, Store *store, const ProbeTenant *tenant,
                             ProbeTargets *app, ProbeTargets *readonly, Err *err)
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
    add_plan(plan, limits.app_connections, app);
    add_plan(plan, limits.readonly_connections, readonly);
    return true;
}
