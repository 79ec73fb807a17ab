/* Look-ups in a blueprint that is loaded. */
#include "blueprint/blueprint.h"

#include <string.h>

static const char *const tier_names[TIER_COUNT_] = {
    [TIER_ROW] = "row", [TIER_SCHEMA] = "schema", [TIER_CLUSTER] = "cluster"};

const char *tier_name(Tier tier)
{
    return tier_names[tier];
}

bool tier_from_name(const char *name, Tier *ret_tier)
{
    for (int tier = 0; tier < TIER_COUNT_; tier++) {
        if (strcmp(tier_names[tier], name) == 0) {
            *ret_tier = (Tier)tier;
            return true;
        }
    }
    return false;
}

bool blueprint_fail_at(const Blueprint *blueprint, int line, const char *key, Err *err)
{
    return blueprint->lines.file == NULL
               ? false
               : err_prefix(err, "%s:%d: key \"%s\"", blueprint->lines.file, line, key);
}

const BlueprintPlan *blueprint_find_plan(const Blueprint *blueprint, const char *name)
{
    for (size_t i = 0; i < blueprint->plan_count; i++) {
        const BlueprintPlan *plan = &blueprint->plans[i];
        if (name == NULL ? plan->is_default : strcmp(plan->name, name) == 0) {
            return plan;
        }
    }
    return NULL;
}

const BlueprintLimit *blueprint_find_limit(const BlueprintPlan *plan, const char *name)
{
    for (size_t i = 0; i < plan->limit_count; i++) {
        if (strcmp(plan->limits[i].name, name) == 0) {
            return &plan->limits[i];
        }
    }
    return NULL;
}

bool blueprint_has_tier(const Blueprint *blueprint, Tier tier)
{
    for (size_t i = 0; i < blueprint->tier_count; i++) {
        if (blueprint->tiers[i] == tier) {
            return true;
        }
    }
    return false;
}

static bool is_usable(const BlueprintMigration *migration, const char *const *extensions,
                      size_t count)
{
    if (migration->extension == NULL) {
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(migration->extension, extensions[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Variants follow their plain migration, so that the first one that is usable replaces it and
 * further ones of the version change nothing. */
void blueprint_select_migrations(Arena *arena, const Blueprint *blueprint, int64_t after,
                                 const char *const *extensions, size_t extension_count,
                                 const BlueprintMigration *const **ret_migrations,
                                 size_t *ret_count)
{
    const BlueprintMigration **selected = ARENA_ARRAY(arena, const BlueprintMigration *,
                                                      blueprint->migration_count);
    size_t count = 0;
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        const BlueprintMigration *migration = &blueprint->migrations[i];
        if (migration->version <= after || !is_usable(migration, extensions, extension_count)) {
            continue;
        }
        if (count == 0 || selected[count - 1]->version != migration->version) {
            selected[count++] = migration;
        } else if (selected[count - 1]->extension == NULL) {
            selected[count - 1] = migration;
        }
    }
    *ret_migrations = selected;
    *ret_count = count;
}
