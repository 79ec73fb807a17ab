#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "blueprint/place.h"
#include "blueprint/registry.h"
#include "core/strbuf.h"
#include "ops/context.h"
#include "ops/register.h"
#include "store/audit.h"

/* --- add
 * ------------------------------------------------------------------------------------------ */

/* The blueprint travels in the job's arguments, so that a resumed job needs no folder. */
static bool load_from_args(JobContext *context, Blueprint **ret_blueprint, Err *err)
{
    return blueprint_from_json(context->arena, json_object_get(context->args, "definition"),
                               ret_blueprint, err);
}

static bool step_record(JobContext *context, Err *err)
{
    Blueprint *blueprint = NULL;
    RegistryChange change = REGISTRY_SAME;
    if (!load_from_args(context, &blueprint, err) ||
        !registry_add(context->arena, context->store, blueprint, &change, err)) {
        return false;
    }
    scoped_json Json *detail = json_object();
    json_put_text(detail, "blueprint", blueprint->name);
    json_put_int(detail, "version", blueprint->version);
    json_put_text(detail, "checksum", blueprint->checksum);
    json_put_text(detail, "source", blueprint->source);
    return change == REGISTRY_SAME || job_audit(context, "blueprint.add", detail, err);
}

/* The row tier's shared place goes along with the blueprint once it exists; it is made with the
 * first tenant. */
static bool step_migrate_shared(JobContext *context, Err *err)
{
    Blueprint *blueprint = NULL;
    Place *place = NULL;
    bool is_changed = false;
    return load_from_args(context, &blueprint, err) &&
           places_find_shared(context->arena, context->store, blueprint->name, &place, err) &&
           (place == NULL ||
            place_ensure_shared(context->arena, context->store, blueprint, &is_changed, err));
}

static const JobStep add_steps[] = {
    {"record", "Recording the blueprint", JOB_STEP_TRANSACTION, step_record},
    {"migrate_shared", "Migrating the shared tables", JOB_STEP_TRANSACTION, step_migrate_shared},
    {0},
};
const JobKind blueprint_add_job = {.operation = "blueprint.add", .steps = add_steps};

static bool refuse_findings(const LintFinding *findings, size_t count, Err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (findings[i].severity == LINT_ERROR) {
            return ERR_SET(err, ERR_BLUEPRINT_INVALID, findings[i].hint, "%s:%d: %s (%s)",
                           findings[i].file, findings[i].line, findings[i].message,
                           findings[i].rule);
        }
    }
    return true;
}

static bool lint_and_record(OpContext *context, const Blueprint *blueprint, int64_t *ret_job_id,
                            Err *err)
{
    const LintFinding *findings = NULL;
    size_t count = 0;
    if (!blueprint_lint(context->arena, blueprint, &findings, &count, err) ||
        !refuse_findings(findings, count, err)) {
        return false;
    }
    scoped_json Json *args = json_object();
    json_put(args, "definition", blueprint_to_json(blueprint));
    return op_run_job(context, &blueprint_add_job, blueprint->name, NULL, args, ret_job_id, err);
}

static bool is_recorded(OpContext *context, const Blueprint *blueprint, bool *ret_is_recorded,
                        Err *err)
{
    Store *store = NULL;
    scoped_rows PgRows *rows = NULL;
    if (!op_store(context, &store, err) ||
        !store_query(store, BLUEPRINT_CHECKSUM, PG_PARAMS(blueprint->name), &rows, err)) {
        return false;
    }
    *ret_is_recorded = pg_rows_count(rows) == 1 &&
                       strcmp(pg_rows_text(rows, 0, 0), blueprint->checksum) == 0;
    return true;
}

static bool run_add(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Blueprint *blueprint = NULL;
    Store *store = NULL;
    Extensions extensions;
    int64_t job_id = 0;
    bool was_recorded = false;
    if (!blueprint_load_folder(context->arena, json_get_text(args, "path", ""), &blueprint, err) ||
        !op_store(context, &store, err) ||
        !registry_find_extensions(context->arena, store, blueprint, &extensions, err) ||
        !is_recorded(context, blueprint, &was_recorded, err) ||
        (!was_recorded && !lint_and_record(context, blueprint, &job_id, err))) {
        return false;
    }
    *ret_answer = json_object();
    json_put_text(*ret_answer, "name", blueprint->name);
    json_put_int(*ret_answer, "version", blueprint->version);
    json_put_text(*ret_answer, "change", was_recorded ? "none" : "recorded");
    json_put(*ret_answer, "job", job_id == 0 ? json_null() : json_integer(job_id));
    return true;
}

bool register_embedded_blueprints(OpContext *context, int64_t *ret_changed, Err *err)
{
    const char *const *names = NULL;
    size_t count = 0;
    blueprint_embedded_names(context->arena, &names, &count);
    *ret_changed = 0;
    for (size_t i = 0; i < count; i++) {
        Blueprint *blueprint = NULL;
        bool was_recorded = false;
        if (!blueprint_load_embedded(context->arena, names[i], &blueprint, err) ||
            !is_recorded(context, blueprint, &was_recorded, err)) {
            return false;
        }
        if (!was_recorded) {
            int64_t job_id = 0;
            if (!lint_and_record(context, blueprint, &job_id, err)) {
                return false;
            }
            (*ret_changed)++;
        }
    }
    return true;
}

const Operation op_blueprint_add = {
    .name = "blueprint.add",
    .summary = "Add a blueprint from a folder, or a newer version of one.",
    .description =
        "The folder is read and linted whole before anything is changed. A migration that was "
        "added before must be the same byte for byte. Shared tables of the row tier are migrated; "
        "tenants of the schema tier keep their version, new ones get the newest.",
    .access = ACCESS_ADMIN,
    .kind = OP_JOB,
    .params = (const Param[]){{"path", PARAM_PATH, .is_positional = true, .is_required = true,
                               .help = "The folder with blueprint.yaml and migrations/."},
                              {0}},
    .result = (const Field[]){{"name", FIELD_TEXT, .help = "the blueprint"},
                              {"version", FIELD_INT, .help = "of its newest migration"},
                              {"change", FIELD_TEXT, .help = "recorded, or none"},
                              {"job", FIELD_INT, .is_nullable = true, .help = "the job"},
                              {0}},
    .examples = (const OpExample[]){{"blueprint add ./packs/crm", "then: tenant create"}, {0}},
    .done = "blueprint {name} is at version {version}",
    .run = run_add,
};

/* --- list, show
 * ----------------------------------------------------------------------------------- */

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

static Json *limits_map(const BlueprintPlan *plan)
{
    Json *map = json_object();
    for (size_t i = 0; i < plan->limit_count; i++) {
        const BlueprintLimit *limit = &plan->limits[i];
        json_put(map, limit->name,
                 limit->is_unlimited ? json_string("unlimited") : json_integer(limit->value));
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
             .fields = (const Field[]){{"plan", FIELD_TEXT, .help = "name"},
                                       {"title", FIELD_TEXT, .help = "title"},
                                       {"is_default", FIELD_BOOL,
                                        .help = "used when none is given"},
                                       {"limits", FIELD_MAP, .help = "limits"},
                                       {"features", FIELD_TEXTS, .help = "features"},
                                       {"settings", FIELD_MAP, .is_wide = true,
                                        .help = "PostgreSQL settings of its logins"},
                                       {0}},
             .help = "in the order of the manifest"},
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

/* --- lint
 * ----------------------------------------------------------------------------------------- */

static Json *finding_to_answer(const LintFinding *finding)
{
    Json *entry = json_object();
    json_put_text(entry, "severity", finding->severity == LINT_ERROR ? "error" : "warning");
    json_put_text(entry, "rule", finding->rule);
    json_put_text(entry, "file", finding->file);
    json_put_int(entry, "line", finding->line);
    json_put_text(entry, "message", finding->message);
    json_put_text(entry, "hint", finding->hint);
    return entry;
}

/* What cannot be read as a blueprint is one finding too, when its message is "FILE:LINE: what". */
static bool finding_of_error(Arena *arena, const char *folder, const Err *err,
                             LintFinding *ret_finding)
{
    const size_t folder_length = strlen(folder);
    const char *text = err->message;
    if (strncmp(text, folder, folder_length) == 0 && text[folder_length] == '/') {
        text += folder_length + 1; /* as the linter names files */
    }
    for (const char *at = strchr(text, ':'); at != NULL; at = strchr(at + 1, ':')) {
        char *end = NULL;
        const long line = strtol(at + 1, &end, 10);
        if (end > at + 1 && strncmp(end, ": ", strlen(": ")) == 0) {
            const bool is_sql = at - text > 4 && strncmp(at - 4, ".sql", strlen(".sql")) == 0;
            *ret_finding = (LintFinding){
                .severity = LINT_ERROR,
                .rule = is_sql ? "syntax" : "manifest",
                .file = arena_strndup(arena, text, (size_t)(at - text)),
                .line = (int)line,
                .message = arena_strdup(arena, end + strlen(": ")),
                .hint = *err->hint == '\0' ? NULL : arena_strdup(arena, err->hint)};
            return true;
        }
    }
    return false;
}

static bool load_and_lint(OpContext *context, const char *path, Blueprint **ret_blueprint,
                          const LintFinding **ret_findings, size_t *ret_count, Err *err)
{
    return blueprint_load_folder(context->arena, path, ret_blueprint, err) &&
           blueprint_lint(context->arena, *ret_blueprint, ret_findings, ret_count, err);
}

static bool run_lint(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    const char *path = json_get_text(args, "path", "");
    Blueprint *blueprint = NULL;
    const LintFinding *findings = NULL;
    size_t count = 0;
    LintFinding unreadable;
    const bool is_read = load_and_lint(context, path, &blueprint, &findings, &count, err);
    if (!is_read) {
        if (err->code != ERR_BLUEPRINT_INVALID ||
            !finding_of_error(context->arena, path, err, &unreadable)) {
            return false;
        }
        findings = &unreadable;
        count = 1;
    }
    int64_t errors = 0;
    Json *list = json_array();
    for (size_t i = 0; i < count; i++) {
        errors += findings[i].severity == LINT_ERROR ? 1 : 0;
        json_array_append_new(list, finding_to_answer(&findings[i]));
    }
    *ret_answer = json_object();
    const char *name = blueprint == NULL ? NULL : blueprint->name;
    json_put_text(*ret_answer, "name", name);
    json_put_int(*ret_answer, "errors", errors);
    json_put_int(*ret_answer, "warnings", (int64_t)count - errors);
    json_put(*ret_answer, "findings", list);
    if (!is_read || errors == 0) {
        return is_read;
    }
    return ERR_SET(err, ERR_BLUEPRINT_INVALID,
                   config_bool(context->config, OPT_VERBOSE) ||
                           config_bool(context->config, OPT_JSON)
                       ? "do what the hint of each finding says"
                       : "-v shows what to do about each",
                   "blueprint \"%s\" has %" PRId64 " %s", name != NULL ? name : path, errors,
                   errors == 1 ? "error" : "errors");
}

const Operation op_blueprint_lint = {
    .name = "blueprint.lint",
    .summary = "Check a blueprint folder without adding it; needs no database.",
    .description =
        "Exit status 65 when there are errors, which \"blueprint add\" would refuse. What "
        "cannot be read is one finding, of the rule \"manifest\" or \"syntax\".",
    .access = ACCESS_PUBLIC,
    .kind = OP_QUERY,
    .params = (const Param[]){{"path", PARAM_PATH, .is_positional = true, .is_required = true,
                               .help = "The folder with blueprint.yaml and migrations/."},
                              {0}},
    .result =
        (const Field[]){{"name", FIELD_TEXT, .is_nullable = true,
                         .help = "the blueprint; null when it cannot be read"},
                        {"errors", FIELD_INT, .help = "findings that \"blueprint add\" refuses"},
                        {"warnings", FIELD_INT, .help = "findings to think about"},
                        {"findings", FIELD_LIST,
                         .fields = (const Field[]){{"severity", FIELD_TEXT, .help = "severity"},
                                                   {"file", FIELD_TEXT, .help = "file"},
                                                   {"line", FIELD_INT, .help = "line"},
                                                   {"rule", FIELD_TEXT, .help = "rule"},
                                                   {"message", FIELD_TEXT, .help = "what is wrong"},
                                                   {"hint", FIELD_TEXT, .is_nullable = true,
                                                    .is_wide = true, .help = "what to do"},
                                                   {0}},
                         .help = "by file and line"},
                        {0}},
    .examples = (const OpExample[]){{"blueprint lint ./packs/crm", "before adding it"}, {0}},
    .run = run_lint,
};
