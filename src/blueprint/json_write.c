/* A blueprint as JSON. json_read.c is the way back; a key here is a key there. */
#include "blueprint/blueprint_json.h"
#include "blueprint/manifest.h"

static Json *names_to_json(const char *const *names, size_t count)
{
    Json *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, json_string(names[i]));
    }
    return array;
}

static Json *tiers_to_json(const Blueprint *blueprint)
{
    Json *array = json_array();
    for (size_t i = 0; i < blueprint->tier_count; i++) {
        json_array_append_new(array, json_string(tier_name(blueprint->tiers[i])));
    }
    return array;
}

/* Limits and settings are arrays, not objects, so that their order is kept. An unlimited value is
 * null. */
static Json *limits_to_json(const BlueprintPlan *plan)
{
    Json *array = json_array();
    for (size_t i = 0; i < plan->limit_count; i++) {
        const BlueprintLimit *limit = &plan->limits[i];
        Json *object = json_object();
        json_put_text(object, "name", limit->name);
        json_put(object, "value", limit->is_unlimited ? json_null() : json_integer(limit->value));
        json_array_append_new(array, object);
    }
    return array;
}

static Json *settings_to_json(const BlueprintPlan *plan)
{
    Json *array = json_array();
    for (size_t i = 0; i < plan->setting_count; i++) {
        Json *object = json_object();
        json_put_text(object, "name", plan->settings[i].name);
        json_put_text(object, "value", plan->settings[i].value);
        json_array_append_new(array, object);
    }
    return array;
}

static Json *plans_to_json(const Blueprint *blueprint)
{
    Json *array = json_array();
    for (size_t i = 0; i < blueprint->plan_count; i++) {
        const BlueprintPlan *plan = &blueprint->plans[i];
        Json *object = json_object();
        json_put_text(object, "name", plan->name);
        json_put_text(object, "title", plan->title);
        json_put_text(object, "description", plan->description);
        json_put_bool(object, "default", plan->is_default);
        json_put(object, "features", names_to_json(plan->features, plan->feature_count));
        json_put(object, "limits", limits_to_json(plan));
        json_put(object, "settings", settings_to_json(plan));
        json_array_append_new(array, object);
    }
    return array;
}

static Json *partitions_to_json(const Blueprint *blueprint)
{
    Json *array = json_array();
    for (size_t i = 0; i < blueprint->partition_count; i++) {
        const BlueprintPartition *partition = &blueprint->partitions[i];
        Json *object = json_object();
        json_put_text(object, "table", partition->table);
        json_put_text(object, "column", partition->column);
        json_put_text(object, "every", partition_every_name(partition->every));
        json_put_int(object, "ahead", partition->ahead);
        json_array_append_new(array, object);
    }
    return array;
}

static Json *personal_to_json(const Blueprint *blueprint)
{
    Json *array = json_array();
    for (size_t i = 0; i < blueprint->personal_count; i++) {
        const BlueprintPersonal *personal = &blueprint->personal[i];
        Json *object = json_object();
        json_put_text(object, "table", personal->table);
        json_put_text(object, "column", personal->column);
        json_put_text(object, "category", personal->category);
        json_put_text(object, "reason", personal->reason);
        json_put_text(object, "keep", personal->keep);
        json_put_text(object, "mask", personal->mask);
        json_array_append_new(array, object);
    }
    return array;
}

static Json *backfill_to_json(const BlueprintBackfill *backfill)
{
    Json *object = json_object();
    json_put_text(object, "table", backfill->table);
    json_put_text(object, "key", backfill->key);
    json_put_int(object, "batch_size", backfill->batch_size);
    json_put_int(object, "pause_ms", backfill->pause_ms);
    json_put_text(object, "statement", backfill->statement);
    return object;
}

static Json *migrations_to_json(const Blueprint *blueprint)
{
    Json *array = json_array();
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        const BlueprintMigration *migration = &blueprint->migrations[i];
        Json *object = json_object();
        json_put_int(object, "version", migration->version);
        json_put_text(object, "name", migration->name);
        json_put_text(object, "extension", migration->extension);
        json_put_text(object, "file", migration->file);
        json_put_text(object, "up", migration->up);
        json_put_text(object, "down", migration->down);
        json_put_text(object, "sha256", migration->sha256);
        if (migration->down_sha256 != NULL) {
            json_put_text(object, "down_sha256", migration->down_sha256);
        }
        if (migration->down_file != NULL) {
            json_put_text(object, "down_file", migration->down_file);
        }
        if (migration->is_repeatable) {
            json_put_bool(object, "repeatable", true);
        }
        if (migration->backfill != NULL) {
            json_put(object, "backfill", backfill_to_json(migration->backfill));
        }
        json_array_append_new(array, object);
    }
    return array;
}

static Json *signatures_to_json(const Blueprint *blueprint)
{
    Json *array = json_array();
    for (size_t i = 0; i < blueprint->signature_count; i++) {
        const BlueprintSignature *signature = &blueprint->signatures[i];
        Json *object = json_object();
        json_put_text(object, "script", signature->script);
        json_put_text(object, "sha256", signature->sha256);
        json_put_text(object, "key", signature->key);
        json_put_text(object, "value", signature->value);
        json_array_append_new(array, object);
    }
    return array;
}

Json *blueprint_content_to_json(const Blueprint *blueprint)
{
    Json *object = json_object();
    json_put_text(object, "name", blueprint->name);
    json_put_text(object, "title", blueprint->title);
    json_put_text(object, "description", blueprint->description);
    json_put_int(object, "version", blueprint->version);
    json_put(object, "tiers", tiers_to_json(blueprint));
    json_put(object, "wanted", names_to_json(blueprint->wanted, blueprint->wanted_count));
    json_put(object, "optional", names_to_json(blueprint->optional, blueprint->optional_count));
    json_put(object, "plans", plans_to_json(blueprint));
    json_put(object, "shared", names_to_json(blueprint->shared, blueprint->shared_count));
    json_put(object, "append_only",
             names_to_json(blueprint->append_only, blueprint->append_only_count));
    json_put(object, "partitions", partitions_to_json(blueprint));
    /* Left out when empty, so that a blueprint recorded before the key was known keeps its
     * checksum.
     */
    if (blueprint->personal_count > 0) {
        json_put(object, "personal_data", personal_to_json(blueprint));
    }
    if (blueprint->layout != NULL) {
        json_put_text(object, "layout", blueprint->layout);
    }
    json_put(object, "migrations", migrations_to_json(blueprint));
    json_put_text(object, "seed", blueprint->seed);
    json_put_text(object, "demo", blueprint->demo);
    if (blueprint->signature_count > 0) {
        json_put(object, "signatures", signatures_to_json(blueprint));
    }
    return object;
}

Json *blueprint_to_json(const Blueprint *blueprint)
{
    Json *object = blueprint_content_to_json(blueprint);
    json_put_text(object, "checksum", blueprint->checksum);
    json_put_text(object, "source", blueprint->source);
    return object;
}
