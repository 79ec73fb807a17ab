/* The table of rules, and the walk over the migrations that applies them. */
#include "blueprint/lint.h"

#include <stdlib.h>
#include <string.h>

#include "blueprint/lint_made.h"

enum { FINDINGS_START = 16 };

static const LintRuleInfo rules[LINT_RULE_COUNT_] = {
#define LINT(name, severity, scope, message, hint)                                                 \
    [LINT_RULE_##name] = {#name, LINT_##severity, LINT_SCOPE_##scope, message, hint},
#include "blueprint/lint.def"
#include "core/array.h"
#undef LINT
};

/* Rules that are warnings only in the folders of other tools, whose history cannot be written anew:
 * a later migration can mend what they find. */
static const LintRule warnings_elsewhere[] = {LINT_RULE_foreign_key_cycle};

/* A server has the wanted extensions, and all of the optional ones or none: what the migrations
 * make is followed for both, since a variant replaces the plain migration. */
enum { SELECTION_PLAIN, SELECTION_OPTIONAL, SELECTION_COUNT_ };

typedef struct Selection {
    const BlueprintMigration *const *migrations;
    size_t count;
    size_t next; /* the first that was not followed yet */
    LintTable *tables;
    LintKey *keys;
    LintMade *made[LINT_SPACE_COUNT_];
    LintMade *domains;
    LintMade *views;
    LintIndex *indexes;
} Selection;

const LintRuleInfo *blueprint_lint_rules(size_t *ret_count)
{
    *ret_count = LINT_RULE_COUNT_;
    return rules;
}

const char *blueprint_lint_docs(Arena *arena, const LintRuleInfo *rule)
{
    return arena_printf(arena, "docs/%s.md#%s",
                        rule->scope == LINT_SCOPE_LIVE ? "rollout-lint" : "reference/lint",
                        rule->name);
}

/* What is in a body may never run: which branch is taken the trial and the database see. */
static LintSeverity severity_of(const Lint *lint, LintRule rule, bool is_inner)
{
    if (is_inner) {
        return LINT_WARNING;
    }
    for (size_t i = 0; i < ARRAY_COUNT(warnings_elsewhere); i++) {
        if (lint->blueprint->layout != NULL && warnings_elsewhere[i] == rule) {
            return LINT_WARNING;
        }
    }
    return rules[rule].severity;
}

static LintFinding *add_finding(Lint *lint, LintRule rule, const char *subject, const char *file,
                                int line, bool is_inner)
{
    const LintRuleInfo *row = &rules[rule];
    if (lint->count == lint->capacity) {
        lint->capacity = lint->capacity == 0 ? FINDINGS_START : lint->capacity * 2;
        LintFinding *grown = ARENA_ARRAY(lint->arena, LintFinding, lint->capacity);
        for (size_t i = 0; i < lint->count; i++) {
            grown[i] = lint->findings[i];
        }
        lint->findings = grown;
    }
    LintFinding *finding = &lint->findings[lint->count++];
    *finding = (LintFinding){
        .rule = row->name,
        .severity = severity_of(lint, rule, is_inner),
        .file = file,
        .line = line,
        .statement_line = line,
        .message = subject == NULL ? row->message
                                   : arena_printf(lint->arena, "%s: %s", subject, row->message),
        .hint = row->hint,
        .docs = blueprint_lint_docs(lint->arena, row)};
    return finding;
}

static bool is_wanted(const Lint *lint, LintRule rule)
{
    return rules[rule].scope != LINT_SCOPE_ROW || lint->is_row;
}

void lint_report_at(Lint *lint, LintRule rule, const char *subject, const char *file, int line,
                    bool is_inner)
{
    if (is_wanted(lint, rule)) {
        add_finding(lint, rule, subject, file, line, is_inner);
    }
}

void lint_report(Lint *lint, LintRule rule, const char *subject)
{
    if (is_wanted(lint, rule)) {
        LintFinding *finding = add_finding(lint, rule, subject, lint->file, lint->line,
                                           lint->is_inner);
        finding->column = lint->column;
        finding->statement_line = lint->outer_line;
    }
}

static void enter(Lint *lint, const LintStatement *statement)
{
    lint->line = statement->sql.line;
    lint->column = statement->sql.column;
    lint->outer_line = statement->outer_line;
    lint->is_inner = statement->is_inner;
}

static void follow_script(Lint *lint, const LintScript *script)
{
    lint->locked = NULL;
    lint->added = NULL;
    lint->relations = 0;
    lint_begin_makers(lint, script);
    for (size_t i = 0; i < script->count; i++) {
        const SqlStatement *statement = &script->statements[i].sql;
        enter(lint, &script->statements[i]);
        lint->statement = statement;
        lint->number = i;
        lint_check_live(lint, statement);
        lint_check_data(lint, statement);
        lint_follow_statement(lint, statement);
        lint_note_made(lint, statement);
    }
    lint_end_makers(lint);
}

static void load_selection(Lint *lint, const Selection *selection)
{
    lint->tables = selection->tables;
    lint->keys = selection->keys;
    lint->domains = selection->domains;
    lint->views = selection->views;
    lint->indexes = selection->indexes;
    memcpy(lint->made, selection->made, sizeof lint->made);
}

static void follow(Lint *lint, Selection *selection, const LintScript *script)
{
    load_selection(lint, selection);
    lint->version = selection->migrations[selection->next]->version;
    follow_script(lint, script);
    selection->tables = lint->tables;
    selection->keys = lint->keys;
    selection->domains = lint->domains;
    selection->views = lint->views;
    selection->indexes = lint->indexes;
    memcpy(selection->made, lint->made, sizeof lint->made);
    selection->next++;
}

static bool check_script(Lint *lint, const char *file, const char *text, LintScript *ret_script,
                         Err *err)
{
    if (!lint_script_parse(lint->arena, file, text, ret_script, err)) {
        return false;
    }
    lint->file = file;
    lint_note_ignores(lint, text, ret_script);
    if (ret_script->count == 0) {
        lint_report_at(lint, LINT_RULE_empty_script, NULL, file, 1, false);
    }
    for (size_t i = 0; i < ret_script->count; i++) {
        const SqlStatement *statement = &ret_script->statements[i].sql;
        enter(lint, &ret_script->statements[i]);
        lint_check_statement(lint, statement);
        lint_check_names(lint, statement);
        lint_check_dynamic(lint, &ret_script->statements[i]);
    }
    return true;
}

/* A script whose tables are not followed: it brings data. */
static bool check_side_script(Lint *lint, const char *file, const char *text, Err *err)
{
    LintScript script;
    if (text == NULL) {
        return true;
    }
    if (!check_script(lint, file, text, &script, err)) {
        return false;
    }
    lint_script_done(&script);
    return true;
}

/* "migrations/V0001__a.sql": "migrations/V0001__a.down.sql". */
static const char *down_file(Arena *arena, const BlueprintMigration *migration)
{
    const char *file = migration->file;
    if (migration->down_file != NULL) {
        return migration->down_file;
    }
    const size_t length = strlen(file);
    const size_t suffix = length > 4 ? 4 : length;
    return arena_printf(arena, "%.*s.down.sql", (int)(length - suffix), file);
}

/* It is not followed, but begins with what the migration left: its tables have rows by then. */
static void check_down_data(Lint *lint, const BlueprintMigration *migration,
                            const Selection *selections, const LintScript *script)
{
    for (size_t i = 0; i < SELECTION_COUNT_; i++) {
        const Selection *selection = &selections[i];
        if (selection->next == 0 || selection->migrations[selection->next - 1] != migration) {
            continue;
        }
        load_selection(lint, selection);
        lint->version = migration->version + 1;
        for (size_t k = 0; k < script->count; k++) {
            enter(lint, &script->statements[k]);
            lint_check_data(lint, &script->statements[k].sql);
        }
    }
}

static bool check_down(Lint *lint, const BlueprintMigration *migration, const Selection *selections,
                       Err *err)
{
    LintScript script;
    if (migration->down == NULL) {
        return true;
    }
    if (!check_script(lint, down_file(lint->arena, migration), migration->down, &script, err)) {
        return false;
    }
    check_down_data(lint, migration, selections, &script);
    lint_script_done(&script);
    return true;
}

static bool check_migration(Lint *lint, const BlueprintMigration *migration, Selection *selections,
                            Err *err)
{
    LintScript script;
    if (!check_script(lint, migration->file, migration->up, &script, err)) {
        return false;
    }
    for (size_t i = 0; i < SELECTION_COUNT_; i++) {
        Selection *selection = &selections[i];
        if (selection->next < selection->count &&
            selection->migrations[selection->next] == migration) {
            follow(lint, selection, &script);
        }
    }
    lint_script_done(&script);
    return check_down(lint, migration, selections, err);
}

/* Whether a body did something to a table that has the name, or had it when it was dropped. */
static bool is_touched_in_body(const Lint *lint, const char *name)
{
    const LintTable *table = lint->tables;
    while (table != NULL && !(table->is_inner && strcmp(table->name, name) == 0)) {
        table = table->next;
    }
    return table != NULL;
}

static void check_named_tables(Lint *lint, const char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (lint_find_table(lint, names[i]) == NULL) {
            lint_report_at(lint, LINT_RULE_manifest_table,
                           arena_printf(lint->arena, "table \"%s\"", names[i]), "blueprint.yaml", 1,
                           is_touched_in_body(lint, names[i]));
        }
    }
}

/* With an optional extension a variant may make another kind of table in the place of a partitioned
 * one, so that only the plain selection must have it. */
static void check_partitions(Lint *lint, bool is_plain)
{
    for (size_t i = 0; i < lint->blueprint->partition_count; i++) {
        const BlueprintPartition *partition = &lint->blueprint->partitions[i];
        const LintTable *table = lint_find_table(lint, partition->table);
        const char *subject = arena_printf(lint->arena, "table \"%s\"", partition->table);
        const bool is_inner = is_touched_in_body(lint, partition->table);
        if (table == NULL) {
            lint_report_at(lint, LINT_RULE_manifest_table, subject, "blueprint.yaml", 1, is_inner);
        } else if (is_plain && (table->partition_column == NULL ||
                                strcmp(table->partition_column, partition->column) != 0)) {
            lint_report_at(lint, LINT_RULE_manifest_partition, subject, "blueprint.yaml", 1,
                           is_inner);
        }
    }
}

static void check_personal(Lint *lint)
{
    for (size_t i = 0; i < lint->blueprint->personal_count; i++) {
        const BlueprintPersonal *personal = &lint->blueprint->personal[i];
        const LintTable *table = lint_find_table(lint, personal->table);
        const bool is_inner = is_touched_in_body(lint, personal->table);
        if (table == NULL) {
            lint_report_at(lint, LINT_RULE_manifest_table,
                           arena_printf(lint->arena, "key \"personal_data[%zu].table\": \"%s\"", i,
                                        personal->table),
                           "blueprint.yaml", personal->line, is_inner);
        } else if (!lint_has_column(table, personal->column)) {
            lint_report_at(lint, LINT_RULE_manifest_column,
                           arena_printf(lint->arena, "key \"personal_data[%zu].column\": \"%s.%s\"",
                                        i, personal->table, personal->column),
                           "blueprint.yaml", personal->line, is_inner);
        }
    }
}

static void check_end(Lint *lint, Selection *selections)
{
    for (size_t i = 0; i < SELECTION_COUNT_; i++) {
        lint->tables = selections[i].tables;
        lint->keys = selections[i].keys;
        lint_check_tables(lint);
        lint_check_cycles(lint);
        check_personal(lint);
        check_named_tables(lint, lint->blueprint->shared, lint->blueprint->shared_count);
        check_named_tables(lint, lint->blueprint->append_only, lint->blueprint->append_only_count);
        check_partitions(lint, i == SELECTION_PLAIN);
    }
}

static int compare_findings(const void *a, const void *b)
{
    const LintFinding *left = a;
    const LintFinding *right = b;
    int order = strcmp(left->file, right->file);
    order = order != 0 ? order : (left->line > right->line) - (left->line < right->line);
    order = order != 0 ? order : strcmp(left->rule, right->rule);
    order = order != 0 ? order : strcmp(left->message, right->message);
    return order != 0 ? order : (int)left->severity - (int)right->severity;
}

/* Sorts, and leaves one of each: what is wrong in both selections is found twice. */
static void sort_findings(Lint *lint)
{
    if (lint->count == 0) {
        return;
    }
    qsort(lint->findings, lint->count, sizeof *lint->findings, compare_findings);
    size_t kept = 1;
    for (size_t i = 1; i < lint->count; i++) {
        if (compare_findings(&lint->findings[kept - 1], &lint->findings[i]) != 0) {
            lint->findings[kept++] = lint->findings[i];
        }
    }
    lint->count = kept;
}

static void select_migrations(Arena *arena, const Blueprint *blueprint, Selection *selections)
{
    const size_t wanted = blueprint->wanted_count;
    const char **extensions = ARENA_ARRAY(arena, const char *, wanted + blueprint->optional_count);
    for (size_t i = 0; i < wanted; i++) {
        extensions[i] = blueprint->wanted[i];
    }
    for (size_t i = 0; i < blueprint->optional_count; i++) {
        extensions[wanted + i] = blueprint->optional[i];
    }
    blueprint_select_migrations(arena, blueprint, 0, extensions, wanted,
                                &selections[SELECTION_PLAIN].migrations,
                                &selections[SELECTION_PLAIN].count);
    blueprint_select_migrations(arena, blueprint, 0, extensions, wanted + blueprint->optional_count,
                                &selections[SELECTION_OPTIONAL].migrations,
                                &selections[SELECTION_OPTIONAL].count);
}

bool blueprint_lint(Arena *arena, const Blueprint *blueprint, const LintFinding **ret_findings,
                    size_t *ret_count, Err *err)
{
    Lint lint = {.arena = arena,
                 .blueprint = blueprint,
                 .is_row = blueprint_has_tier(blueprint, TIER_ROW),
                 .may_step = true};
    Selection selections[SELECTION_COUNT_] = {0};
    select_migrations(arena, blueprint, selections);
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        if (!check_migration(&lint, &blueprint->migrations[i], selections, err)) {
            return false;
        }
    }
    lint.may_step = false;
    if (!check_side_script(&lint, "seed", blueprint->seed, err) ||
        !check_side_script(&lint, "demo", blueprint->demo, err)) {
        return false;
    }
    check_end(&lint, selections);
    lint_apply_ignores(&lint);
    sort_findings(&lint);
    *ret_findings = lint.findings;
    *ret_count = lint.count;
    return true;
}

bool blueprint_lint_file(Arena *arena, const char *file, const char *text,
                         const LintFinding **ret_findings, size_t *ret_count, Err *err)
{
    static const Blueprint none;
    Lint lint = {
        .arena = arena, .blueprint = &none, .may_step = true, .is_alone = true, .version = 1};
    LintScript script;
    if (!check_script(&lint, file, text, &script, err)) {
        return false;
    }
    follow_script(&lint, &script);
    lint_script_done(&script);
    lint_apply_ignores(&lint);
    sort_findings(&lint);
    *ret_findings = lint.findings;
    *ret_count = lint.count;
    return true;
}

Json *blueprint_finding_to_json(const LintFinding *finding)
{
    Json *object = json_object();
    json_put_text(object, "severity", finding->severity == LINT_ERROR ? "error" : "warning");
    json_put_text(object, "rule", finding->rule);
    json_put_text(object, "file", finding->file);
    json_put_int(object, "line", finding->line);
    json_put(object, "column", finding->column > 0 ? json_integer(finding->column) : json_null());
    json_put_text(object, "message", finding->message);
    json_put_text(object, "hint", finding->hint);
    json_put_text(object, "docs", finding->docs);
    return object;
}
