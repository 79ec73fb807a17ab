/* blueprint list and blueprint show. */
#include <string.h>

#include "blueprint/registry.h"
#include "ops/context.h"

static bool run_list(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    (void)args;
    return op_answer_list(context, BLUEPRINT_LIST, PG_NO_PARAMS, "blueprints", ret_answer, err);
}

const Operation op_blueprint_list = {
    .name = "blueprint.list",
    .summary = "List blueprints.",
    .access = ACCESS_VIEWER,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/blueprints"},
    .params = (const Param[]){{0}},
    .result =
        (const Field[]){{"blueprints", FIELD_LIST,
                         .fields = (const Field[]){{"name", FIELD_TEXT, .help = "name"},
                                                   {"title", FIELD_TEXT, .help = "title"},
                                                   {"version", FIELD_INT, .help = "version"},
                                                   {"tiers", FIELD_TEXTS, .help = "tiers"},
                                                   {"tenants", FIELD_INT, .help = "living tenants"},
                                                   {"source", FIELD_TEXT, .is_wide = true,
                                                    .help = "embedded, or the folder"},
                                                   {"updated", FIELD_TIME, .help = "last change"},
                                                   {0}},
                         .help = "by name"},
                        {0}},
    .examples = (const OpExample[]){{"blueprint list", "what tenants can be made from"}, {0}},
    .run = run_list,
};

static Json *limit_value(const BlueprintLimit *limit)
{
    return limit->is_unlimited ? json_string("unlimited") : json_integer(limit->value);
}

static Json *limits_map(const BlueprintPlan *plan)
{
    Json *map = json_object();
    for (size_t i = 0; i < plan->limit_count; i++) {
        const BlueprintLimit *limit = &plan->limits[i];
        json_put(map, limit->name, limit_value(limit));
    }
    return map;
}

static Json *settings_map(const BlueprintPlan *plan)
{
    Json *map = json_object();
    for (size_t i = 0; i < plan->setting_count; i++) {
        json_put_text(map, plan->settings[i].name, plan->settings[i].value);
    }
    return map;
}

static Json *text_list(const char *const *texts, size_t count)
{
    Json *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, json_string(texts[i]));
    }
    return list;
}

static Json *plan_to_answer(const BlueprintPlan *plan)
{
    Json *entry = json_object();
    json_put_text(entry, "plan", plan->name);
    json_put_text(entry, "title", plan->title);
    json_put_bool(entry, "is_default", plan->is_default);
    json_put(entry, "limits", limits_map(plan));
    json_put(entry, "features", text_list(plan->features, plan->feature_count));
    json_put(entry, "settings", settings_map(plan));
    return entry;
}

/* The entry of this name in a list, made when it is not there: {key: name, "plans": plans}. */
static Json *entry_of(Json *list, const char *key, const char *name, Json *(*make_plans)(void))
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        Json *entry = json_array_get(list, i);
        if (strcmp(json_get_text(entry, key, ""), name) == 0) {
            return entry;
        }
    }
    Json *entry = json_object();
    json_put_text(entry, key, name);
    json_put(entry, "plans", make_plans());
    json_array_append_new(list, entry);
    return entry;
}

/* Limits and features the other way round, for comparing plans: what each plan says of one. */
static Json *limits_to_answer(const Blueprint *blueprint)
{
    Json *list = json_array();
    for (size_t i = 0; i < blueprint->plan_count; i++) {
        const BlueprintPlan *plan = &blueprint->plans[i];
        for (size_t j = 0; j < plan->limit_count; j++) {
            Json *entry = entry_of(list, "limit", plan->limits[j].name, json_object);
            json_put(json_object_get(entry, "plans"), plan->name, limit_value(&plan->limits[j]));
        }
    }
    return list;
}

static Json *features_to_answer(const Blueprint *blueprint)
{
    Json *list = json_array();
    for (size_t i = 0; i < blueprint->plan_count; i++) {
        const BlueprintPlan *plan = &blueprint->plans[i];
        for (size_t j = 0; j < plan->feature_count; j++) {
            Json *entry = entry_of(list, "feature", plan->features[j], json_array);
            json_array_append_new(json_object_get(entry, "plans"), json_string(plan->name));
        }
    }
    return list;
}

static Json *personal_to_answer(const Blueprint *blueprint)
{
    Json *list = json_array();
    for (size_t i = 0; i < blueprint->personal_count; i++) {
        const BlueprintPersonal *personal = &blueprint->personal[i];
        Json *entry = json_object();
        json_put_text(entry, "table", personal->table);
        json_put_text(entry, "column", personal->column);
        json_put_text(entry, "category", personal->category);
        json_put_text(entry, "keep", personal->keep);
        json_put_text(entry, "mask", personal->mask);
        json_put_text(entry, "reason", personal->reason);
        json_array_append_new(list, entry);
    }
    return list;
}

static Json *migrations_to_answer(const Blueprint *blueprint)
{
    Json *list = json_array();
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        const BlueprintMigration *migration = &blueprint->migrations[i];
        Json *entry = json_object();
        json_put_int(entry, "migration", migration->version);
        json_put_text(entry, "name", migration->name);
        json_put_text(entry, "with", migration->extension);
        json_put_bool(entry, "has_down", migration->down != NULL);
        json_put_text(entry, "sha256", migration->sha256);
        json_array_append_new(list, entry);
    }
    return list;
}

static bool run_show(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    Blueprint *blueprint = NULL;
    if (!op_store(context, &store, err) ||
        !registry_get(context->arena, store, json_get_text(args, "name", ""), &blueprint, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put_text(*ret_answer, "name", blueprint->name);
    json_put_text(*ret_answer, "title", blueprint->title);
    json_put_text(*ret_answer, "description", blueprint->description);
    json_put_int(*ret_answer, "version", blueprint->version);
    json_put_text(*ret_answer, "checksum", blueprint->checksum);
    json_put_text(*ret_answer, "source", blueprint->source);
    Json *tiers = json_array();
    for (size_t i = 0; i < blueprint->tier_count; i++) {
        json_array_append_new(tiers, json_string(tier_name(blueprint->tiers[i])));
    }
    json_put(*ret_answer, "tiers", tiers);
    json_put(*ret_answer, "extensions_wanted",
             text_list(blueprint->wanted, blueprint->wanted_count));
    json_put(*ret_answer, "extensions_optional",
             text_list(blueprint->optional, blueprint->optional_count));
    json_put(*ret_answer, "append_only",
             text_list(blueprint->append_only, blueprint->append_only_count));
    json_put(*ret_answer, "shared", text_list(blueprint->shared, blueprint->shared_count));
    Json *plans = json_array();
    for (size_t i = 0; i < blueprint->plan_count; i++) {
        json_array_append_new(plans, plan_to_answer(&blueprint->plans[i]));
    }
    json_put(*ret_answer, "plans", plans);
    json_put(*ret_answer, "limits", limits_to_answer(blueprint));
    json_put(*ret_answer, "features", features_to_answer(blueprint));
    json_put(*ret_answer, "personal_data", personal_to_answer(blueprint));
    json_put(*ret_answer, "migrations", migrations_to_answer(blueprint));
    return true;
}

const Operation op_blueprint_show = {
    .name = "blueprint.show",
    .summary = "Show a blueprint: tiers, plans with limits, migrations.",
    .access = ACCESS_VIEWER,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/blueprints/{name}"},
    .params = (const Param[]){{"name", PARAM_TEXT, .is_positional = true, .is_required = true,
                               .most = 100, .help = "The blueprint."},
                              {0}},
    .result =
        (const Field[]){
            {"name", FIELD_TEXT, .help = "name"},
            {"title", FIELD_TEXT, .help = "title"},
            {"description", FIELD_TEXT, .is_nullable = true, .help = "what it is"},
            {"version", FIELD_INT, .help = "of its newest migration"},
            {"checksum", FIELD_TEXT, .is_wide = true, .help = "SHA-256 over all of it"},
            {"source", FIELD_TEXT, .help = "embedded, or the folder"},
            {"tiers", FIELD_TEXTS, .help = "tiers, the default first"},
            {"extensions_wanted", FIELD_TEXTS, .help = "extensions that it needs"},
            {"extensions_optional", FIELD_TEXTS, .help = "extensions that it can use"},
            {"append_only", FIELD_TEXTS, .help = "tables that only grow"},
            {"shared", FIELD_TEXTS, .help = "tables that tenants share and may only read"},
            {"plans", FIELD_LIST,
             .fields =
                 (const Field[]){{"plan", FIELD_TEXT, .help = "name"},
                                 {"title", FIELD_TEXT, .help = "title"},
                                 {"is_default", FIELD_BOOL, .help = "used when none is given"},
                                 {"limits", FIELD_MAP, .is_wide = true, .help = "limits"},
                                 {"features", FIELD_TEXTS, .is_wide = true, .help = "features"},
                                 {"settings", FIELD_MAP, .is_wide = true,
                                  .help = "PostgreSQL settings of its logins"},
                                 {0}},
             .help = "in the order of the manifest"},
            {"limits", FIELD_LIST,
             .fields = (const Field[]){{"limit", FIELD_TEXT, .help = "name"},
                                       {"plans", FIELD_MAP, .help = "what each plan allows"},
                                       {0}},
             .help = "the limits of all plans, side by side"},
            {"features", FIELD_LIST,
             .fields = (const Field[]){{"feature", FIELD_TEXT, .help = "name"},
                                       {"plans", FIELD_TEXTS, .help = "plans that have it"},
                                       {0}},
             .help = "the features of all plans, side by side"},
            {"personal_data", FIELD_LIST,
             .fields =
                 (const Field[]){{"table", FIELD_TEXT, .help = "table"},
                                 {"column", FIELD_TEXT, .help = "column"},
                                 {"category", FIELD_TEXT, .help = "what it says about a person"},
                                 {"keep", FIELD_TEXT, .help = "for how long it is kept"},
                                 {"mask", FIELD_TEXT, .help = "how a copy hides it"},
                                 {"reason", FIELD_TEXT, .is_wide = true, .help = "why it is kept"},
                                 {0}},
             .help = "columns with personal data, in the order of the manifest"},
            {"migrations", FIELD_LIST,
             .fields = (const Field[]){{"migration", FIELD_INT, .help = "version"},
                                       {"name", FIELD_TEXT, .help = "name"},
                                       {"with", FIELD_TEXT, .is_nullable = true,
                                        .help = "extension that this variant is for"},
                                       {"has_down", FIELD_BOOL, .help = "whether it can be undone"},
                                       {"sha256", FIELD_TEXT, .is_wide = true,
                                        .help = "of the text"},
                                       {0}},
             .help = "in order"},
            {0}},
    .examples = (const OpExample[]){{"blueprint show trading", "all of it"}, {0}},
    .run = run_show,
};
