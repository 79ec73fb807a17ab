#include "blueprint/steps.h"

#include <string.h>

#include "blueprint/amend.h"
#include "blueprint/lint.h"
#include "core/array.h"
#include "core/strbuf.h"
#include "core/text.h"

/* --- what runs outside of a transaction ------------------------------------------------------- */

static const char *const alone_names[ALONE_COUNT_] = {
    [ALONE_CREATE_INDEX] = "CREATE INDEX CONCURRENTLY",
    [ALONE_DETACH] = "DETACH PARTITION CONCURRENTLY",
    [ALONE_DROP_INDEX] = "DROP INDEX CONCURRENTLY",
    [ALONE_REINDEX] = "REINDEX CONCURRENTLY",
    [ALONE_VACUUM] = "VACUUM",
};

const char *alone_name(AloneKind kind)
{
    return alone_names[kind];
}

/* A name alone means the place's own object; one with a schema could mean another's. NULL then. */
static const char *own_name(const Json *range)
{
    return json_object_get(range, "schemaname") == NULL ? json_get_text(range, "relname", NULL)
                                                        : NULL;
}

static AloneVerdict take(Alone *alone, AloneKind kind, const char *relation)
{
    *alone = (Alone){.kind = kind, .relation = relation};
    return relation == NULL ? ALONE_REFUSED : ALONE_YES;
}

static AloneVerdict judge_index(const Json *tree, Alone *alone)
{
    return json_get_bool(tree, "concurrent", false)
               ? take(alone, ALONE_CREATE_INDEX, own_name(json_object_get(tree, "relation")))
               : ALONE_NO;
}

static AloneVerdict judge_drop(const Json *tree, Alone *alone)
{
    if (!json_get_bool(tree, "concurrent", false)) {
        return ALONE_NO;
    }
    const Json *objects = json_object_get(tree, "objects");
    const Json *name = json_object_get(json_object_get(json_array_get(objects, 0), "List"),
                                       "items");
    const bool is_one = json_array_size(objects) == 1 && json_array_size(name) == 1;
    return take(alone, ALONE_DROP_INDEX, is_one ? tree_list_text(name, 0) : NULL);
}

/* That of a schema, the database or its catalogue runs in no transaction, whatever else it says. */
static AloneVerdict judge_reindex(const Json *tree, Alone *alone)
{
    const Json *option = tree_find_option(json_object_get(tree, "params"), "concurrently");
    const Json *relation = json_object_get(tree, "relation");
    if (relation == NULL) {
        return ALONE_REFUSED;
    }
    return option != NULL && tree_option_is_true(option)
               ? take(alone, ALONE_REINDEX, own_name(relation))
               : ALONE_NO;
}

static AloneVerdict judge_alter(const Json *tree, Alone *alone)
{
    const Json *commands = json_object_get(tree, "cmds");
    for (size_t i = 0; i < json_array_size(commands); i++) {
        const Json *command = json_object_get(json_array_get(commands, i), "AlterTableCmd");
        const Json *part = json_object_get(json_object_get(command, "def"), "PartitionCmd");
        if (!tree_text_is(command, "subtype", "AT_DetachPartition") ||
            !json_get_bool(part, "concurrent", false)) {
            continue;
        }
        const AloneVerdict verdict = take(alone, ALONE_DETACH,
                                          own_name(json_object_get(tree, "relation")));
        alone->partition = own_name(json_object_get(part, "name"));
        return alone->partition == NULL ? ALONE_REFUSED : verdict;
    }
    return ALONE_NO;
}

/* Without a table it would go through all that the role may see. */
static AloneVerdict judge_vacuum(const Json *tree, Alone *alone)
{
    if (!json_get_bool(tree, "is_vacuumcmd", false)) {
        return ALONE_NO;
    }
    const Json *relations = json_object_get(tree, "rels");
    AloneVerdict verdict = ALONE_REFUSED;
    for (size_t i = 0; i < json_array_size(relations); i++) {
        const Json *one = json_object_get(json_array_get(relations, i), "VacuumRelation");
        verdict = take(alone, ALONE_VACUUM, own_name(json_object_get(one, "relation")));
        if (verdict == ALONE_REFUSED) {
            return verdict;
        }
    }
    return verdict;
}

static AloneVerdict judge_cluster(const Json *tree, Alone *alone)
{
    (void)alone;
    return json_object_get(tree, "relation") == NULL ? ALONE_REFUSED : ALONE_NO;
}

static const struct {
    const char *node;
    AloneVerdict (*judge)(const Json *tree, Alone *alone);
} judges[] = {
    {"AlterTableStmt", judge_alter}, {"ClusterStmt", judge_cluster}, {"DropStmt", judge_drop},
    {"IndexStmt", judge_index},      {"ReindexStmt", judge_reindex}, {"VacuumStmt", judge_vacuum},
};

AloneVerdict alone_judge(const SqlStatement *statement, Alone *ret_alone)
{
    for (size_t i = 0; i < ARRAY_COUNT(judges); i++) {
        if (strcmp(statement->node, judges[i].node) == 0) {
            return judges[i].judge(statement->tree, ret_alone);
        }
    }
    return ALONE_NO;
}

/* --- taking a script apart -------------------------------------------------------------------- */

bool steps_may_have(const char *text, const char *phrase)
{
    size_t seen = 0;
    for (; *text != '\0'; text++) {
        const bool is_space = strchr(" \t\r\n", *text) != NULL;
        const char c = (char)(is_space ? ' ' : text_lower(*text));
        if (c == ' ' && seen > 0 && phrase[seen - 1] == ' ') {
            continue; /* more than one space */
        }
        seen = c == phrase[seen] ? seen + 1 : (size_t)(c == *phrase);
        if (phrase[seen] == '\0') {
            return true;
        }
    }
    return false;
}

/* A comment can stand between two words, so one word of a phrase is looked for. */
static bool may_have_steps(const char *text)
{
    static const char *const words[] = {"concurrently", "vacuum", "value"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (steps_may_have(text, words[i])) {
            return true;
        }
    }
    return false;
}

/* ALTER TYPE ... ADD VALUE, not RENAME VALUE. */
static bool adds_value(const SqlStatement *statement)
{
    return strcmp(statement->node, "AlterEnumStmt") == 0 &&
           json_get_text(statement->tree, "oldVal", NULL) == NULL;
}

static ScriptStep alone_step(Arena *arena, const SqlStatement *statement, const Alone *alone)
{
    const bool is_detach = alone->partition != NULL;
    return (ScriptStep){
        .kind = STEP_ALONE,
        .what = arena_printf(arena, "%s, line %d", alone_name(alone->kind), statement->line),
        .alone = {.kind = alone->kind,
                  .relation = arena_strdup(arena, alone->relation),
                  .partition = is_detach ? arena_strdup(arena, alone->partition) : NULL}};
}

static ScriptStep script_step(Arena *arena, const SqlStatement *statements, size_t count)
{
    StrBuf text = strbuf_init(arena);
    for (size_t i = 0; i < count; i++) {
        strbuf_printf(&text, "%s;\n", statements[i].text);
    }
    return (ScriptStep){.kind = STEP_SCRIPT,
                        .what = arena_printf(arena, "%zu %s from line %d", count,
                                             count == 1 ? "statement" : "statements",
                                             statements[0].line),
                        .has_amends = amends_follow(arena, text.text)};
}

static void add_step(ScriptSteps *steps, ScriptStep *list, const SqlScript *script, size_t from,
                     size_t to, ScriptStep step)
{
    if (to > from) {
        step.statements = script->statements + from;
        step.count = to - from;
        list[steps->count++] = step;
    }
}

/* Steps only where there is more than one transaction to end: something runs alone, or a value of
 * an enum is added, which later migrations may use. */
static void split(Arena *arena, const SqlScript *script, ScriptSteps *steps)
{
    ScriptStep *list = ARENA_ARRAY(arena, ScriptStep, script->count);
    size_t from = 0;
    bool has_steps = false;
    for (size_t i = 0; i < script->count; i++) {
        const SqlStatement *statement = &script->statements[i];
        Alone alone = {0};
        const bool is_last = i + 1 == script->count;
        if (alone_judge(statement, &alone) == ALONE_YES) {
            if (i > from) {
                add_step(steps, list, script, from, i,
                         script_step(arena, script->statements + from, i - from));
            }
            add_step(steps, list, script, i, i + 1, alone_step(arena, statement, &alone));
            from = i + 1;
            has_steps = true;
        } else if (adds_value(statement) && (is_last || !adds_value(statement + 1))) {
            add_step(steps, list, script, from, i + 1,
                     script_step(arena, script->statements + from, i + 1 - from));
            from = i + 1;
            has_steps = true;
        }
    }
    if (from < script->count) {
        add_step(steps, list, script, from, script->count,
                 script_step(arena, script->statements + from, script->count - from));
    }
    steps->list = list;
    steps->count = has_steps ? steps->count : 0;
}

bool steps_of_script(Arena *arena, const char *file, const char *text, ScriptSteps *ret_steps,
                     Err *err)
{
    SqlScript script;
    *ret_steps = (ScriptSteps){0};
    if (!may_have_steps(text)) {
        return true;
    }
    if (!sql_script_parse(arena, file, text, ERR_BLUEPRINT_INVALID, &script, err)) {
        return false;
    }
    split(arena, &script, ret_steps);
    sql_script_done(&script);
    return true;
}

bool steps_of_migration(Arena *arena, const BlueprintMigration *migration, bool is_down,
                        ScriptSteps *ret_steps, Err *err)
{
    const char *text = is_down ? migration->down : migration->up;
    *ret_steps = (ScriptSteps){0};
    if (!is_down && migration->backfill != NULL) {
        ScriptStep *step = ARENA_NEW(arena, ScriptStep);
        *step = (ScriptStep){
            .kind = STEP_BACKFILL,
            .what = arena_printf(arena, "backfill of %s", migration->backfill->table)};
        *ret_steps = (ScriptSteps){.count = 1, .list = step};
        return true;
    }
    return text == NULL || steps_of_script(arena, migration->file, text, ret_steps, err);
}

bool steps_fit_one(Arena *arena, const Blueprint *blueprint, const char *const *extensions,
                   size_t extension_count, int64_t after, bool *ret_fit, Err *err)
{
    const BlueprintMigration *const *migrations = NULL;
    size_t count = 0;
    blueprint_select_migrations(arena, blueprint, after, extensions, extension_count, &migrations,
                                &count);
    *ret_fit = true;
    for (size_t i = 0; i < count; i++) {
        ScriptSteps steps;
        if (!steps_of_migration(arena, migrations[i], false, &steps, err)) {
            return false;
        }
        const bool is_harmless = i + 1 == count && steps.count == 1 &&
                                 steps.list[0].kind == STEP_SCRIPT;
        *ret_fit = *ret_fit && (steps.count == 0 || is_harmless);
    }
    return true;
}
