/* A blueprint from the JSON that json_write.c made. What the control schema gives back was checked
 * when it was loaded from its files, so that only the form is checked here. */
#include <string.h>

#include "blueprint/blueprint_json.h"
#include "blueprint/manifest.h"

/* Carries the arena and the first thing that was wrong, so that the readers below read on. */
typedef struct JsonReader {
    Arena *arena;
    const char *problem; /* the key that was missing or of another kind; NULL: none */
} JsonReader;

static const char *read_text(JsonReader *reader, const Json *object, const char *key)
{
    const char *text = json_get_text(object, key, NULL);
    if (text == NULL) {
        reader->problem = key;
        return "";
    }
    return arena_strdup(reader->arena, text);
}

static const char *read_optional(JsonReader *reader, const Json *object, const char *key)
{
    const Json *value = json_object_get(object, key);
    return value == NULL || json_is_null(value) ? NULL : read_text(reader, object, key);
}

static int64_t read_int(JsonReader *reader, const Json *object, const char *key)
{
    if (!json_is_integer(json_object_get(object, key))) {
        reader->problem = key;
    }
    return json_get_int(object, key, 0);
}

static const Json *read_array(JsonReader *reader, const Json *object, const char *key,
                              size_t *ret_count)
{
    const Json *array = json_object_get(object, key);
    if (!json_is_array(array)) {
        reader->problem = key;
    }
    *ret_count = json_array_size(array); /* 0 of what is no array */
    return array;
}

static const char **read_names(JsonReader *reader, const Json *object, const char *key,
                               size_t *ret_count)
{
    const Json *array = read_array(reader, object, key, ret_count);
    const char **names = ARENA_ARRAY(reader->arena, const char *, *ret_count);
    for (size_t i = 0; i < *ret_count; i++) {
        const char *name = json_string_value(json_array_get(array, i));
        if (name == NULL) {
            reader->problem = key;
        }
        names[i] = name == NULL ? "" : arena_strdup(reader->arena, name);
    }
    return names;
}

static void read_tiers(JsonReader *reader, const Json *object, Blueprint *blueprint)
{
    size_t count = 0;
    const Json *array = read_array(reader, object, "tiers", &count);
    if (count == 0 || count > TIER_COUNT_) {
        reader->problem = "tiers";
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(array, i));
        if (name == NULL || !tier_from_name(name, &blueprint->tiers[i])) {
            reader->problem = "tiers";
        }
    }
    blueprint->tier_count = count;
}

static void read_limits(JsonReader *reader, const Json *object, BlueprintPlan *plan)
{
    const Json *array = read_array(reader, object, "limits", &plan->limit_count);
    BlueprintLimit *limits = ARENA_ARRAY(reader->arena, BlueprintLimit, plan->limit_count);
    for (size_t i = 0; i < plan->limit_count; i++) {
        const Json *item = json_array_get(array, i);
        limits[i].name = read_text(reader, item, "name");
        limits[i].is_unlimited = json_is_null(json_object_get(item, "value"));
        limits[i].value = limits[i].is_unlimited ? 0 : read_int(reader, item, "value");
    }
    plan->limits = limits;
}

static void read_settings(JsonReader *reader, const Json *object, BlueprintPlan *plan)
{
    const Json *array = read_array(reader, object, "settings", &plan->setting_count);
    BlueprintSetting *settings = ARENA_ARRAY(reader->arena, BlueprintSetting, plan->setting_count);
    for (size_t i = 0; i < plan->setting_count; i++) {
        const Json *item = json_array_get(array, i);
        settings[i].name = read_text(reader, item, "name");
        settings[i].value = read_text(reader, item, "value");
    }
    plan->settings = settings;
}

static void read_plans(JsonReader *reader, const Json *object, Blueprint *blueprint)
{
    const Json *array = read_array(reader, object, "plans", &blueprint->plan_count);
    BlueprintPlan *plans = ARENA_ARRAY(reader->arena, BlueprintPlan, blueprint->plan_count);
    for (size_t i = 0; i < blueprint->plan_count; i++) {
        const Json *item = json_array_get(array, i);
        plans[i].name = read_text(reader, item, "name");
        plans[i].title = read_text(reader, item, "title");
        plans[i].description = read_optional(reader, item, "description");
        plans[i].is_default = json_get_bool(item, "default", false);
        plans[i].features = read_names(reader, item, "features", &plans[i].feature_count);
        read_limits(reader, item, &plans[i]);
        read_settings(reader, item, &plans[i]);
    }
    blueprint->plans = plans;
}

static void read_partitions(JsonReader *reader, const Json *object, Blueprint *blueprint)
{
    const Json *array = read_array(reader, object, "partitions", &blueprint->partition_count);
    BlueprintPartition *partitions = ARENA_ARRAY(reader->arena, BlueprintPartition,
                                                 blueprint->partition_count);
    for (size_t i = 0; i < blueprint->partition_count; i++) {
        const Json *item = json_array_get(array, i);
        partitions[i].table = read_text(reader, item, "table");
        partitions[i].column = read_text(reader, item, "column");
        partitions[i].ahead = read_int(reader, item, "ahead");
        if (!partition_every_from_name(read_text(reader, item, "every"), &partitions[i].every)) {
            reader->problem = "every";
        }
    }
    blueprint->partitions = partitions;
}

/* Missing means none (json_write.c). */
static void read_personal(JsonReader *reader, const Json *object, Blueprint *blueprint)
{
    if (json_object_get(object, "personal_data") == NULL) {
        return;
    }
    const Json *array = read_array(reader, object, "personal_data", &blueprint->personal_count);
    BlueprintPersonal *personal = ARENA_ARRAY(reader->arena, BlueprintPersonal,
                                              blueprint->personal_count);
    for (size_t i = 0; i < blueprint->personal_count; i++) {
        const Json *item = json_array_get(array, i);
        personal[i] = (BlueprintPersonal){
            .table = read_text(reader, item, "table"),
            .column = read_text(reader, item, "column"),
            .category = read_text(reader, item, "category"),
            .reason = read_text(reader, item, "reason"),
            .keep = read_text(reader, item, "keep"),
            .mask = read_text(reader, item, "mask"),
        };
    }
    blueprint->personal = personal;
}

static const BlueprintBackfill *read_backfill(JsonReader *reader, const Json *item)
{
    if (item == NULL) {
        return NULL;
    }
    BlueprintBackfill *backfill = ARENA_NEW(reader->arena, BlueprintBackfill);
    *backfill = (BlueprintBackfill){.table = read_text(reader, item, "table"),
                                    .key = read_text(reader, item, "key"),
                                    .batch_size = read_int(reader, item, "batch_size"),
                                    .pause_ms = read_int(reader, item, "pause_ms"),
                                    .statement = read_text(reader, item, "statement")};
    return backfill;
}

static void read_migrations(JsonReader *reader, const Json *object, Blueprint *blueprint)
{
    const Json *array = read_array(reader, object, "migrations", &blueprint->migration_count);
    BlueprintMigration *migrations = ARENA_ARRAY(reader->arena, BlueprintMigration,
                                                 blueprint->migration_count);
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        const Json *item = json_array_get(array, i);
        migrations[i] = (BlueprintMigration){
            .version = read_int(reader, item, "version"),
            .name = read_text(reader, item, "name"),
            .extension = read_optional(reader, item, "extension"),
            .file = read_text(reader, item, "file"),
            .up = read_text(reader, item, "up"),
            .down = read_optional(reader, item, "down"),
            .sha256 = read_text(reader, item, "sha256"),
            .down_sha256 = read_optional(reader, item, "down_sha256"),
            .down_file = read_optional(reader, item, "down_file"),
            .is_repeatable = json_get_bool(item, "repeatable", false),
            .backfill = read_backfill(reader, json_object_get(item, "backfill")),
        };
    }
    blueprint->migrations = migrations;
}

/* Missing means none (json_write.c). */
static void read_signatures(JsonReader *reader, const Json *object, Blueprint *blueprint)
{
    if (json_object_get(object, "signatures") == NULL) {
        return;
    }
    const Json *array = read_array(reader, object, "signatures", &blueprint->signature_count);
    BlueprintSignature *signatures = ARENA_ARRAY(reader->arena, BlueprintSignature,
                                                 blueprint->signature_count);
    for (size_t i = 0; i < blueprint->signature_count; i++) {
        const Json *item = json_array_get(array, i);
        signatures[i] = (BlueprintSignature){
            .script = read_text(reader, item, "script"),
            .sha256 = read_text(reader, item, "sha256"),
            .key = read_text(reader, item, "key"),
            .value = read_text(reader, item, "value"),
        };
    }
    blueprint->signatures = signatures;
}

bool blueprint_from_json(Arena *arena, const Json *json, Blueprint **ret_blueprint, Err *err)
{
    JsonReader reader = {.arena = arena};
    Blueprint *blueprint = ARENA_NEW(arena, Blueprint);
    blueprint->name = read_text(&reader, json, "name");
    blueprint->title = read_text(&reader, json, "title");
    blueprint->description = read_optional(&reader, json, "description");
    blueprint->version = read_int(&reader, json, "version");
    blueprint->checksum = read_text(&reader, json, "checksum");
    blueprint->source = read_text(&reader, json, "source");
    read_tiers(&reader, json, blueprint);
    blueprint->wanted = read_names(&reader, json, "wanted", &blueprint->wanted_count);
    blueprint->optional = read_names(&reader, json, "optional", &blueprint->optional_count);
    read_plans(&reader, json, blueprint);
    blueprint->shared = read_names(&reader, json, "shared", &blueprint->shared_count);
    blueprint->append_only = read_names(&reader, json, "append_only",
                                        &blueprint->append_only_count);
    read_partitions(&reader, json, blueprint);
    read_personal(&reader, json, blueprint);
    blueprint->layout = read_optional(&reader, json, "layout");
    read_migrations(&reader, json, blueprint);
    blueprint->seed = read_optional(&reader, json, "seed");
    blueprint->demo = read_optional(&reader, json, "demo");
    read_signatures(&reader, json, blueprint);
    if (reader.problem != NULL) {
        return ERR_SET(err, ERR_BLUEPRINT_INVALID, NULL,
                       "stored blueprint \"%s\": key \"%s\" is missing or of another kind",
                       blueprint->name, reader.problem);
    }
    *ret_blueprint = blueprint;
    return true;
}
