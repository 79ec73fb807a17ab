#include <string.h>

#include "blueprint/place.h"
#include "blueprint/registry.h"
#include "blueprint/trial.h"
#include "core/log.h"
#include "core/strbuf.h"
#include "isolation/isolation.h"
#include "ops/context.h"
#include "ops/register.h"
#include "ops/signing.h"
#include "rollout/rollout.h"
#include "store/audit.h"

/* --- add -------------------------------------------------------------------------------------- */

/* The blueprint travels in the job's arguments, so that a resumed job needs no folder. */
static bool load_from_args(JobContext *context, Blueprint **ret_blueprint, Err *err)
{
    return blueprint_from_json(context->arena, json_object_get(context->args, "definition"),
                               ret_blueprint, err);
}

/* The row tier's shared place goes along with the blueprint once it exists, unless its way has
 * steps that no transaction holds; it is made with the first tenant. */
static bool migrate_shared(JobContext *context, const Blueprint *blueprint, Err *err)
{
    Place *place = NULL;
    bool waits = false;
    bool is_changed = false;
    Arena *arena = context->arena;
    if (!places_find_shared(arena, context->store, blueprint->name, &place, err) ||
        (place != NULL &&
         !place_waits_for_rollout(arena, context->store, blueprint, place, &waits, err))) {
        return false;
    }
    if (waits && context->progress.note != NULL) {
        context->progress.note(context->progress.context,
                               arena_printf(arena,
                                            "its shared tables are moved in steps: tenantry "
                                            "migrate up %s",
                                            blueprint->name));
    }
    return place == NULL || waits ||
           (place_ensure_shared(arena, context->store, blueprint, &is_changed, err) &&
            (!is_changed || rollout_require_shared(arena, context->store, place->id, err))) ||
           blueprint_blame(blueprint, "its shared tables were migrated", err);
}

/* The rules of isolation, as of a tenant that is created. An acceptance is of things by their
 * names, and those of a trial have others: where some are in force it may be one of these, and
 * whether it is comes out when a place is made or migrated. */
static bool require_tried(Arena *arena, Store *store, const char *tenant_id, Err *err)
{
    Acceptances accepted;
    if (isolation_require(arena, store, tenant_id, err)) {
        return true;
    }
    const Err found = *err;
    if (found.code != ERR_ISOLATION || !isolation_load_acceptances(arena, store, &accepted, err) ||
        accepted.count == 0) {
        return false;
    }
    log_warn("blueprint.isolation", "unless that is accepted, tenants are refused: %s",
             found.message);
    return true;
}

/* One transaction tries the blueprint, records it and migrates the shared place: what any of these
 * refuses was not recorded, and there is no job. */
static bool step_record(JobContext *context, Err *err)
{
    Blueprint *blueprint = NULL;
    RegistryChange change = REGISTRY_SAME;
    if (!load_from_args(context, &blueprint, err) ||
        (json_get_bool(context->args, "is_tried", false) &&
         !blueprint_try(context->arena, context->store, blueprint, require_tried, err)) ||
        !registry_add(context->arena, context->store, blueprint, &change, err) ||
        !migrate_shared(context, blueprint, err)) {
        return false;
    }
    scoped_json Json *detail = json_object();
    json_put_text(detail, "blueprint", blueprint->name);
    json_put_int(detail, "version", blueprint->version);
    json_put_text(detail, "checksum", blueprint->checksum);
    json_put_text(detail, "source", blueprint->source);
    return change == REGISTRY_SAME || job_audit(context, "blueprint.add", detail, err);
}

static const JobStep add_steps[] = {
    {"record", "Trying and recording the blueprint", JOB_STEP_TRANSACTION, step_record},
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

static bool lint(OpContext *context, const Blueprint *blueprint, Err *err)
{
    const LintFinding *findings = NULL;
    size_t count = 0;
    return blueprint_lint(context->arena, blueprint, &findings, &count, err) &&
           refuse_findings(findings, count, err);
}

/* is_tried: a place of each tier is made, and undone, before it is recorded. */
static bool record(OpContext *context, const Blueprint *blueprint, bool is_tried,
                   int64_t *ret_job_id, Err *err)
{
    scoped_json Json *args = json_object();
    json_put(args, "definition", blueprint_to_json(blueprint));
    json_put_bool(args, "is_tried", is_tried);
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

/* `up` records the packs of the program again and again; a folder of such a name would take turns
 * with them. */
static bool check_name(OpContext *context, const Blueprint *blueprint, Err *err)
{
    const char *const *names = NULL;
    size_t count = 0;
    blueprint_embedded_names(context->arena, &names, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], blueprint->name) == 0) {
            ERR_SET(err, ERR_BLUEPRINT_EXISTS, "give this blueprint another name",
                    "\"%s\" is the name of a blueprint that is part of tenantry", blueprint->name);
            return blueprint_fail_at(blueprint, blueprint->lines.name, "name", err);
        }
    }
    return true;
}

/* All that can be refused without making anything, cheapest first. */
static bool check_addition(OpContext *context, Store *store, const Blueprint *blueprint, Err *err)
{
    Extensions extensions;
    return check_name(context, blueprint, err) && lint(context, blueprint, err) &&
           registry_check(context->arena, store, blueprint, err) &&
           registry_find_extensions(context->arena, store, blueprint, &extensions, err);
}

static bool run_add(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Blueprint *blueprint = NULL;
    Store *store = NULL;
    int64_t job_id = 0;
    bool was_recorded = false;
    if (!blueprint_load_folder(context->arena, json_get_text(args, "path", ""), &blueprint, err) ||
        !op_store(context, &store, err) ||
        !registry_continue(context->arena, store, blueprint, err) ||
        !op_check_signed(context, blueprint, blueprint->version, err) ||
        !is_recorded(context, blueprint, &was_recorded, err) ||
        (!was_recorded && (!check_addition(context, store, blueprint, err) ||
                           !record(context, blueprint, true, &job_id, err)))) {
        return false;
    }
    if (blueprint_has_tier(blueprint, TIER_SCHEMA)) {
        op_note_stamp(context, blueprint->name);
    }
    *ret_answer = json_object();
    json_put_text(*ret_answer, "name", blueprint->name);
    json_put_int(*ret_answer, "version", blueprint->version);
    json_put_text(*ret_answer, "change", was_recorded ? "none" : "recorded");
    json_put(*ret_answer, "job", job_id == 0 ? json_null() : json_integer(job_id));
    return true;
}

/* Every pack is checked before the first is recorded. They are not tried: the program's own tests
 * make tenants of each. */
bool register_embedded_blueprints(OpContext *context, int64_t *ret_changed, Err *err)
{
    const char *const *names = NULL;
    size_t count = 0;
    size_t changed = 0;
    Store *store = NULL;
    blueprint_embedded_names(context->arena, &names, &count);
    Blueprint **blueprints = ARENA_ARRAY(context->arena, Blueprint *, count);
    if (!op_store(context, &store, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        Blueprint *blueprint = NULL;
        bool was_recorded = false;
        if (!blueprint_load_embedded(context->arena, names[i], &blueprint, err) ||
            !is_recorded(context, blueprint, &was_recorded, err) ||
            (!was_recorded && (!lint(context, blueprint, err) ||
                               !registry_check(context->arena, store, blueprint, err)))) {
            return false;
        }
        if (!was_recorded) {
            blueprints[changed++] = blueprint;
        }
    }
    for (size_t i = 0; i < changed; i++) {
        int64_t job_id = 0;
        if (!record(context, blueprints[i], false, &job_id, err)) {
            return false;
        }
    }
    *ret_changed = (int64_t)changed;
    return true;
}

const Operation op_blueprint_add = {
    .name = "blueprint.add",
    .summary = "Add a blueprint from a folder, or a newer version of one.",
    .description =
        "The folder is read and linted whole, and tried in each of its tiers (place, migrations, "
        "seed and demo, undone again), before anything is changed. A migration that was added "
        "before must be the same byte for byte. Shared tables of the row tier are migrated; "
        "tenants "
        "of the schema tier keep their version, new ones get the newest.",
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
    .again = "blueprint show {name}",
    .run = run_add,
};
