/* The plans of blueprint.yaml. */
#include <string.h>

#include "blueprint/manifest.h"
#include "blueprint/setting.h"
#include "core/array.h"
#include "core/limits.h"

enum { CONNECTIONS_LEAST = 2, CONNECTIONS_MOST = 10000 };

/* The limit that every plan has: the data plane sizes the tenant's pool by it. */
static const char connections_key[] = "max_connections";

static bool read_limit(Arena *arena, const Spot *spot, BlueprintLimit *limit, Err *err)
{
    if (!is_plain_identifier(limit->name)) {
        return spot_fail(spot, err, "expected a limit's name of a-z, 0-9 and _");
    }
    if (strcmp(limit->name, connections_key) == 0) {
        return spot_int(arena, spot, CONNECTIONS_LEAST, CONNECTIONS_MOST, &limit->value, err);
    }
    limit->is_unlimited = spot->node->kind == YAML_KIND_SCALAR &&
                          strcmp(spot->node->text, "unlimited") == 0;
    if (limit->is_unlimited) {
        return true;
    }
    if (spot->node->kind != YAML_KIND_SCALAR ||
        !spot_int(arena, spot, 0, INT64_MAX, &limit->value, err)) {
        return spot_refuse(arena, spot, "a whole number from 0, or the word unlimited", err);
    }
    return true;
}

static bool read_limits(Arena *arena, const Spot *spot, BlueprintPlan *plan, Err *err)
{
    if (!spot_map(arena, spot, NULL, 0, err)) {
        return false;
    }
    const size_t count = spot->node->count;
    BlueprintLimit *limits = ARENA_ARRAY(arena, BlueprintLimit, count);
    for (size_t i = 0; i < count; i++) {
        limits[i].name = spot->node->entries[i].key;
        const Spot item = spot_key(arena, spot, limits[i].name);
        if (!read_limit(arena, &item, &limits[i], err)) {
            return false;
        }
    }
    plan->limits = limits;
    plan->limit_count = count;
    const Spot connections = spot_key(arena, spot, connections_key);
    int64_t unused = 0; /* read above, if it is there */
    return spot_int(arena, &connections, CONNECTIONS_LEAST, CONNECTIONS_MOST, &unused, err);
}

static bool read_setting(Arena *arena, const Spot *spot, BlueprintSetting *ret_setting, Err *err)
{
    const Setting *setting = setting_find(ret_setting->name);
    if (spot->node->kind != YAML_KIND_SCALAR || !setting_accepts(setting, spot->node->text)) {
        return spot_refuse(arena, spot, setting_expectation(arena, setting), err);
    }
    ret_setting->value = spot->node->text;
    return true;
}

static bool read_settings(Arena *arena, const Spot *spot, BlueprintPlan *plan, Err *err)
{
    if (spot->node == NULL) {
        return true;
    }
    size_t known_count = 0;
    const char *const *known = setting_names(&known_count);
    if (!spot_map(arena, spot, known, known_count, err)) {
        return false;
    }
    const size_t count = spot->node->count;
    BlueprintSetting *settings = ARENA_ARRAY(arena, BlueprintSetting, count);
    for (size_t i = 0; i < count; i++) {
        settings[i].name = spot->node->entries[i].key;
        const Spot item = spot_key(arena, spot, settings[i].name);
        if (!read_setting(arena, &item, &settings[i], err)) {
            return false;
        }
    }
    plan->settings = settings;
    plan->setting_count = count;
    return true;
}

static bool read_plan(Arena *arena, const Spot *spot, BlueprintPlan *plan, Err *err)
{
    static const char *const keys[] = {"title",    "description", "default",
                                       "features", "limits",      "settings"};
    if (!is_short_name(plan->name)) {
        return spot_fail(spot, err,
                         "expected a plan's name of 2 to 31 of a-z, 0-9 and _, beginning with a "
                         "letter");
    }
    if (!spot_map(arena, spot, keys, ARRAY_COUNT(keys), err)) {
        return false;
    }
    const Spot title = spot_key(arena, spot, "title");
    const Spot description = spot_key(arena, spot, "description");
    const Spot is_default = spot_key(arena, spot, "default");
    const Spot features = spot_key(arena, spot, "features");
    const Spot limits = spot_key(arena, spot, "limits");
    const Spot settings = spot_key(arena, spot, "settings");
    return spot_title(arena, &title, &plan->title, err) &&
           spot_description(arena, &description, &plan->description, err) &&
           spot_bool(arena, &is_default, false, &plan->is_default, err) &&
           spot_names(arena, &features, is_plain_identifier, "a feature's name of a-z, 0-9 and _",
                      &plan->features, &plan->feature_count, err) &&
           read_limits(arena, &limits, plan, err) && read_settings(arena, &settings, plan, err);
}

static bool check_default(const Spot *spot, BlueprintPlan *plans, size_t count, Err *err)
{
    size_t default_count = 0;
    for (size_t i = 0; i < count; i++) {
        default_count += plans[i].is_default ? 1 : 0;
    }
    if (count == 1) {
        plans[0].is_default = true;
        return true;
    }
    return default_count == 1 ||
           spot_fail(spot, err, "expected one plan with default: true, found %zu", default_count);
}

bool manifest_read_plans(Arena *arena, const Spot *plans, Blueprint *blueprint, Err *err)
{
    if (!spot_map(arena, plans, NULL, 0, err)) {
        return false;
    }
    const size_t count = plans->node->count;
    if (count == 0 || count > LIMIT_PLANS) {
        return spot_fail(plans, err, "expected 1 to %d plans, found %zu", LIMIT_PLANS, count);
    }
    BlueprintPlan *read = ARENA_ARRAY(arena, BlueprintPlan, count);
    for (size_t i = 0; i < count; i++) {
        read[i].name = plans->node->entries[i].key;
        const Spot item = spot_key(arena, plans, read[i].name);
        if (!read_plan(arena, &item, &read[i], err)) {
            return false;
        }
    }
    blueprint->plans = read;
    blueprint->plan_count = count;
    return check_default(plans, read, count, err);
}
