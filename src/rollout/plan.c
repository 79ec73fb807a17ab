#include "rollout/plan.h"

#include <string.h>

#include "blueprint/locks.h"
#include "blueprint/registry.h"
#include "core/array.h"
#include "core/strbuf.h"
#include "rollout/rollout_parts.h"
#include "rollout/where.h"

enum { SHOWN_STATEMENT_BYTES = 60 };

typedef struct Name {
    struct Name *next;
    const char *text;
} Name;

typedef struct Planner {
    Arena *arena;
    const Blueprint *blueprint;
    int64_t target;
    const BlueprintMigration *const *migrations; /* after the oldest group's version */
    size_t count;
    int64_t *relations; /* that each of them adds to a place */
    const Json *groups; /* rows of ROLLOUT_VERSIONS */
    Json *plan;
    Name *made;      /* by the script that is being looked at */
    int64_t version; /* of it */
    const LockTime *times;
} Planner;

/* --- statements ------------------------------------------------------------------------------- */

/* The statement on one line, cut: enough to know it again. */
static const char *shorten(Arena *arena, const char *text)
{
    StrBuf line = strbuf_init(arena);
    const char *c = text;
    for (; *c != '\0' && line.length < SHOWN_STATEMENT_BYTES; c++) {
        const bool is_blank = strchr(" \t\r\n\f\v", *c) != NULL;
        const bool follows_blank = line.length > 0 && line.text[line.length - 1] == ' ';
        if (!is_blank) {
            strbuf_add_char(&line, *c);
        } else if (!follows_blank) {
            strbuf_add_char(&line, ' ');
        }
    }
    if (*c != '\0') {
        /* Not in the middle of a character. */
        while (line.length > 0 && ((unsigned char)*c & 0xC0U) == 0x80U) {
            c--;
            line.text[--line.length] = '\0';
        }
        strbuf_add(&line, "...");
    }
    return line.text;
}

static bool is_made(const Planner *planner, const char *table)
{
    const Name *name = planner->made;
    while (name != NULL && strcmp(name->text, table) != 0) {
        name = name->next;
    }
    return name != NULL;
}

/* What the statement makes: nobody else can know of it before the place's transaction ends. */
static void note_made(Planner *planner, const SqlStatement *statement)
{
    const Json *tree = statement->tree;
    const Json *made = json_object_get(json_object_get(tree, "into"), "rel");
    if (strcmp(statement->node, "CreateStmt") == 0) {
        made = json_object_get(tree, "relation");
    } else if (strcmp(statement->node, "ViewStmt") == 0) {
        made = json_object_get(tree, "view");
    }
    const char *text = json_get_text(made, "relname", json_get_text(tree, "idxname", NULL));
    if (text != NULL) {
        Name *name = ARENA_NEW(planner->arena, Name);
        *name = (Name){.next = planner->made, .text = arena_strdup(planner->arena, text)};
        planner->made = name;
    }
}

/* Whether writers wait while the table is worked on. */
static void note_time(Planner *planner, const TableLock *lock, Json *row, Json *shown)
{
    if (lock->work == LOCK_WORK_NONE || lock->mode < LOCK_MODE_SHARE) {
        return;
    }
    LockTime *time = ARENA_NEW(planner->arena, LockTime);
    *time = (LockTime){.next = planner->times,
                       .row = row,
                       .shown = shown,
                       .at = json_array_size(shown),
                       .table = lock->table,
                       .version = planner->version,
                       .work = lock->work};
    planner->times = time;
}

static void add_lock(Planner *planner, const char *file, int line, const TableLock *lock,
                     Json *shown)
{
    const char *work = lock_work_name(lock->work);
    Json *row = json_object();
    json_put_text(row, "file", file);
    json_put_int(row, "line", line);
    json_put_text(row, "table", lock->table);
    json_put_text(row, "mode", lock_mode_name(lock->mode));
    json_put_text(row, "work", work);
    json_put(row, "largest_bytes", json_null());
    json_put(row, "largest_ms", json_null());
    json_put(row, "all_ms", json_null());
    json_array_append_new(json_object_get(planner->plan, "locks"), row);
    note_time(planner, lock, row, shown);
    const char *text = arena_printf(planner->arena, "%s %s%s%s", lock->table,
                                    lock_mode_name(lock->mode), work == NULL ? "" : " ",
                                    work == NULL ? "" : work);
    json_array_append_new(shown, json_string(text));
}

/* The strongest mode that the statement takes on a table that is there. */
static LockMode add_statement(Planner *planner, const char *file, const SqlStatement *statement)
{
    const TableLock *locks = NULL;
    size_t count = 0;
    LockMode strongest = LOCK_MODE_NONE;
    Json *shown = json_array();
    locks_of_statement(planner->arena, statement, &locks, &count);
    locks_merge(planner->arena, locks, count, &locks, &count);
    for (size_t i = 0; i < count; i++) {
        if (!is_made(planner, locks[i].table)) {
            add_lock(planner, file, statement->line, &locks[i], shown);
            strongest = locks[i].mode > strongest ? locks[i].mode : strongest;
        }
    }
    if (locks_are_unknown(statement)) {
        json_array_append_new(shown, json_string("unknown"));
    }
    Json *row = json_object();
    json_put_text(row, "file", file);
    json_put_int(row, "line", statement->line);
    json_put_text(row, "statement", shorten(planner->arena, statement->text));
    json_put(row, "locks", shown);
    json_array_append_new(json_object_get(planner->plan, "statements"), row);
    note_made(planner, statement);
    return strongest;
}

static bool add_script(Planner *planner, size_t index, Err *err)
{
    const BlueprintMigration *migration = planner->migrations[index];
    SqlScript script;
    LockMode strongest = LOCK_MODE_NONE;
    if (!sql_script_parse(planner->arena, migration->file, migration->up, ERR_BLUEPRINT_INVALID,
                          &script, err)) {
        return false;
    }
    planner->made = NULL;
    planner->version = migration->version;
    for (size_t i = 0; i < script.count; i++) {
        const LockMode mode = add_statement(planner, migration->file, &script.statements[i]);
        strongest = mode > strongest ? mode : strongest;
        planner->relations[index] += relations_added(&script.statements[i]);
    }
    Json *row = json_object();
    json_put_int(row, "version", migration->version);
    json_put_text(row, "file", migration->file);
    json_put_int(row, "statements", (int64_t)script.count);
    json_put_int(row, "relations", planner->relations[index]);
    json_put_text(row, "strongest_lock",
                  strongest == LOCK_MODE_NONE ? NULL : lock_mode_name(strongest));
    json_put_bool(row, "has_down", migration->down != NULL);
    json_array_append_new(json_object_get(planner->plan, "scripts"), row);
    sql_script_done(&script);
    return true;
}

/* --- groups ----------------------------------------------------------------------------------- */

static bool is_behind(const Planner *planner, const Json *group)
{
    return json_get_int(group, "version", 0) < planner->target;
}

static int64_t oldest_version(const Planner *planner)
{
    int64_t oldest = planner->target;
    for (size_t i = 0; i < json_array_size(planner->groups); i++) {
        const int64_t version = json_get_int(json_array_get(planner->groups, i), "version", 0);
        oldest = version < oldest ? version : oldest;
    }
    return oldest;
}

static Json *group_row(const Planner *planner, const Json *group)
{
    const int64_t from = json_get_int(group, "version", 0);
    const int64_t places = json_get_int(group, "places", 0);
    int64_t scripts = 0;
    int64_t relations = 0;
    for (size_t i = 0; i < planner->count; i++) {
        scripts += planner->migrations[i]->version > from ? 1 : 0;
        relations += planner->migrations[i]->version > from ? planner->relations[i] : 0;
    }
    Json *row = json_object();
    json_put_int(row, "from_version", from);
    json_put_int(row, "to_version", planner->target);
    json_put_int(row, "places", places);
    json_put_int(row, "quarantined", json_get_int(group, "quarantined", 0));
    json_put_int(row, "scripts", scripts);
    json_put_int(row, "relations", relations);
    json_put_int(row, "relations_of_all", relations * places);
    return row;
}

/* The statement gives the newest version first. */
static void add_groups(Planner *planner)
{
    int64_t places = 0;
    int64_t quarantined = 0;
    int64_t relations = 0;
    for (size_t i = json_array_size(planner->groups); i > 0; i--) {
        const Json *group = json_array_get(planner->groups, i - 1);
        if (!is_behind(planner, group)) {
            continue;
        }
        Json *row = group_row(planner, group);
        places += json_get_int(row, "places", 0);
        quarantined += json_get_int(row, "quarantined", 0);
        relations += json_get_int(row, "relations_of_all", 0);
        json_array_append_new(json_object_get(planner->plan, "groups"), row);
    }
    json_put_int(planner->plan, "places", places);
    json_put_int(planner->plan, "quarantined", quarantined);
    json_put_int(planner->plan, "relations", relations);
}

/* --- hazards ---------------------------------------------------------------------------------- */

static bool is_planned(const Planner *planner, const char *file)
{
    for (size_t i = 0; i < planner->count; i++) {
        if (strcmp(planner->migrations[i]->file, file) == 0) {
            return true;
        }
    }
    return false;
}

static bool add_hazards(Planner *planner, Err *err)
{
    const LintFinding *findings = NULL;
    size_t count = 0;
    if (!blueprint_lint(planner->arena, planner->blueprint, &findings, &count, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (findings[i].silenced == NULL && is_planned(planner, findings[i].file)) {
            json_array_append_new(json_object_get(planner->plan, "hazards"),
                                  blueprint_finding_to_json(&findings[i]));
        }
    }
    return true;
}

/* --- all of it -------------------------------------------------------------------------------- */

static bool check_version(const Blueprint *blueprint, int64_t version, Err *err)
{
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        if (blueprint->migrations[i].version == version) {
            return true;
        }
    }
    return registry_fail_version(blueprint, version, err);
}

static void select_scripts(Planner *planner, const Extensions *extensions)
{
    blueprint_select_migrations(planner->arena, planner->blueprint, oldest_version(planner),
                                extensions->names, extensions->count, &planner->migrations,
                                &planner->count);
    while (planner->count > 0 &&
           planner->migrations[planner->count - 1]->version > planner->target) {
        planner->count--;
    }
    planner->relations = ARENA_ARRAY(planner->arena, int64_t, planner->count);
}

static Json *empty_plan(const Planner *planner)
{
    static const char *const lists[] = {"groups", "scripts", "statements", "locks", "hazards"};
    Json *plan = json_object();
    json_put_text(plan, "blueprint", planner->blueprint->name);
    json_put_int(plan, "version", planner->target);
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        json_put(plan, lists[i], json_array());
    }
    return plan;
}

static bool fill_plan(Planner *planner, Err *err)
{
    for (size_t i = 0; i < planner->count; i++) {
        if (!add_script(planner, i, err)) {
            return false;
        }
    }
    add_groups(planner);
    return add_hazards(planner, err);
}

bool rollout_plan(Arena *arena, Store *store, const char *name, int64_t version,
                  const Json *tenants, const char *where, Json **ret_plan, Err *err)
{
    const char *slugs = slug_array(arena, tenants);
    Blueprint *blueprint = NULL;
    Extensions extensions;
    scoped_json Json *groups = NULL;
    if (!registry_get(arena, store, name, &blueprint, err) ||
        !check_version(blueprint, version == 0 ? blueprint->version : version, err) ||
        !registry_find_extensions(arena, store, blueprint, &extensions, err) ||
        !rollout_check_choice(arena, store, name, tenants, where, err) ||
        (where != NULL && !where_slugs(arena, store, name, where, &slugs, err)) ||
        !store_query_list(store, ROLLOUT_VERSIONS, PG_PARAMS(name, slugs), &groups, err)) {
        return false;
    }
    Planner planner = {.arena = arena,
                       .blueprint = blueprint,
                       .target = version == 0 ? blueprint->version : version,
                       .groups = groups};
    select_scripts(&planner, &extensions);
    scoped_json Json *plan = planner.plan = empty_plan(&planner);
    int64_t lock_ms = 0;
    if (!fill_plan(&planner, err) ||
        !plan_add_times(arena, store, name, slugs, planner.times, &lock_ms, err)) {
        return false;
    }
    json_put_int(plan, "lock_ms", lock_ms);
    *ret_plan = json_incref(plan);
    return true;
}
