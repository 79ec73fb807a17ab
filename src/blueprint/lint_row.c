/* Rules of the row tier: tables that many tenants share, kept apart by row-level security. */
#include <string.h>

#include "blueprint/lint_made.h"
#include "core/array.h"

static void report_row(Lint *lint, LintRule rule, const char *kind, const char *name)
{
    if (lint->is_row) {
        lint_report(lint, rule, arena_printf(lint->arena, "%s \"%s\"", kind, name));
    }
}

static bool is_of_tenants(const Lint *lint, const LintTable *table)
{
    return table != NULL && !lint_is_shared(lint, table->name);
}

/* A key names its columns, or it stands behind the one column that it is for. */
static bool key_has_tenant_id(const Json *keys, const char *column)
{
    return column != NULL ? strcmp(column, TENANT_COLUMN) == 0 : tree_list_has(keys, TENANT_COLUMN);
}

static void note_primary_key(Lint *lint, LintTable *table, const Json *keys, const char *column)
{
    const size_t count = column != NULL ? 1 : json_array_size(keys);
    table->primary_key = ARENA_ARRAY(lint->arena, const char *, count);
    table->primary_key_count = count;
    for (size_t i = 0; i < count; i++) {
        const char *name = column != NULL ? column : tree_list_text(keys, i);
        table->primary_key[i] = arena_strdup(lint->arena, name);
    }
    table->is_not_null = table->is_not_null || key_has_tenant_id(keys, column);
}

static void check_key(Lint *lint, LintTable *table, const Json *constraint, const char *column)
{
    if (json_object_get(constraint, "indexname") != NULL) {
        return; /* USING INDEX: the index was checked */
    }
    const Json *keys = json_object_get(constraint, "keys");
    if (tree_text_is(constraint, "contype", "CONSTR_PRIMARY")) {
        note_primary_key(lint, table, keys, column);
    }
    if (is_of_tenants(lint, table) && !key_has_tenant_id(keys, column)) {
        report_row(lint, LINT_RULE_row_unique_without_tenant_id, "table", table->name);
    }
}

static void check_exclusion(Lint *lint, const LintTable *table, const Json *constraint)
{
    const Json *parts = json_object_get(constraint, "exclusions");
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const Json *list = json_object_get(json_array_get(parts, i), "List");
        const Json *items = json_object_get(list, "items");
        const Json *element = json_object_get(json_array_get(items, 0), "IndexElem");
        const Json *operator= json_object_get(json_array_get(items, 1), "List");
        if (tree_text_is(element, "name", TENANT_COLUMN) &&
            strcmp(tree_last_text(json_object_get(operator, "items")), "=") == 0) {
            return;
        }
    }
    if (is_of_tenants(lint, table)) {
        report_row(lint, LINT_RULE_row_unique_without_tenant_id, "table", table->name);
    }
}

/* Where tenant_id is among the columns that a foreign key points at, or -1. */
static int find_target_column(const Lint *lint, const char *target, const Json *columns)
{
    if (json_array_size(columns) > 0) {
        return tree_list_find(columns, TENANT_COLUMN);
    }
    const LintTable *table = lint_find_table(lint, target);
    for (size_t i = 0; table != NULL && i < table->primary_key_count; i++) {
        if (strcmp(table->primary_key[i], TENANT_COLUMN) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static void check_foreign_key(Lint *lint, const LintTable *table, const Json *constraint,
                              const char *column)
{
    const Json *relation = json_object_get(constraint, "pktable");
    const char *target = json_get_text(relation, "relname", "");
    if (!is_of_tenants(lint, table) || lint_is_shared(lint, target)) {
        return;
    }
    const int from = column != NULL
                         ? (strcmp(column, TENANT_COLUMN) == 0 ? 0 : -1)
                         : tree_list_find(json_object_get(constraint, "fk_attrs"), TENANT_COLUMN);
    const int to = find_target_column(lint, target, json_object_get(constraint, "pk_attrs"));
    if (from < 0 || from != to) {
        report_row(lint, LINT_RULE_row_foreign_key, "table", table->name);
    }
}

/* A constraint of a table or, when column is given, of one of its columns. Foreign keys are looked
 * at in a second pass: they may point at a primary key that stands behind them. */
static void check_constraint(Lint *lint, LintTable *table, const Json *constraint,
                             const char *column, bool is_foreign_pass)
{
    const char *type = json_get_text(constraint, "contype", "");
    if (is_foreign_pass) {
        if (strcmp(type, "CONSTR_FOREIGN") == 0) {
            check_foreign_key(lint, table, constraint, column);
        }
    } else if (strcmp(type, "CONSTR_PRIMARY") == 0 || strcmp(type, "CONSTR_UNIQUE") == 0) {
        check_key(lint, table, constraint, column);
    } else if (strcmp(type, "CONSTR_EXCLUSION") == 0) {
        check_exclusion(lint, table, constraint);
    }
}

static void check_column(Lint *lint, LintTable *table, const Json *column, bool is_foreign_pass)
{
    const Json *constraints = json_object_get(column, "constraints");
    for (size_t i = 0; i < json_array_size(constraints); i++) {
        check_constraint(lint, table, json_object_get(json_array_get(constraints, i), "Constraint"),
                         json_get_text(column, "colname", ""), is_foreign_pass);
    }
}

/* A temporary table is its session's. */
static bool is_temporary(const Json *relation)
{
    return tree_text_is(relation, "relpersistence", "t");
}

static void follow_create(Lint *lint, const Json *tree)
{
    if (is_temporary(json_object_get(tree, "relation"))) {
        return;
    }
    LintTable *table = lint_add_created(lint, tree);
    const Json *elements = json_object_get(tree, "tableElts");
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < json_array_size(elements); i++) {
            const Json *element = json_array_get(elements, i);
            check_column(lint, table, json_object_get(element, "ColumnDef"), pass == 1);
            check_constraint(lint, table, json_object_get(element, "Constraint"), NULL, pass == 1);
        }
    }
}

static void check_view_options(Lint *lint, const char *view, const Json *options)
{
    const Json *option = tree_find_option(options, "security_invoker");
    if (option == NULL || !tree_option_is_true(option)) {
        report_row(lint, LINT_RULE_row_view_without_invoker, "view", view);
    }
}

/* ALTER VIEW ... SET or RESET of security_invoker. */
static void follow_view_options(Lint *lint, const char *view, const Json *command)
{
    const Json *list = json_object_get(json_object_get(command, "def"), "List");
    const Json *options = json_object_get(list, "items");
    const bool is_reset = tree_text_is(command, "subtype", "AT_ResetRelOptions");
    if (tree_find_option(options, "security_invoker") != NULL) {
        check_view_options(lint, view, is_reset ? NULL : options);
    }
}

static void follow_command(Lint *lint, LintTable *table, const char *name, const Json *command)
{
    const char *subtype = json_get_text(command, "subtype", "");
    if (strcmp(subtype, "AT_DisableRowSecurity") == 0 ||
        strcmp(subtype, "AT_NoForceRowSecurity") == 0) {
        report_row(lint, LINT_RULE_row_security_off, "table", name);
    }
    follow_view_options(lint, name, command);
    if (table == NULL) {
        return;
    }
    table->is_inner = table->is_inner || lint->is_inner;
    lint_note_command(table, command);
    lint_note_column_command(lint, table, command);
    lint_note_key_command(lint, table, command);
    lint_note_check_command(lint, table, command);
    const Json *definition = json_object_get(command, "def");
    for (int pass = 0; pass < 2; pass++) {
        check_column(lint, table, json_object_get(definition, "ColumnDef"), pass == 1);
        check_constraint(lint, table, json_object_get(definition, "Constraint"), NULL, pass == 1);
    }
}

static void follow_alter(Lint *lint, const Json *tree)
{
    const char *name = json_get_text(json_object_get(tree, "relation"), "relname", "");
    LintTable *table = lint_find_table(lint, name);
    const Json *commands = json_object_get(tree, "cmds");
    for (size_t i = 0; i < json_array_size(commands); i++) {
        follow_command(lint, table, name,
                       json_object_get(json_array_get(commands, i), "AlterTableCmd"));
    }
}

static void follow_index(Lint *lint, const Json *tree)
{
    const char *name = json_get_text(json_object_get(tree, "relation"), "relname", "");
    if (!json_get_bool(tree, "unique", false) ||
        !is_of_tenants(lint, lint_find_table(lint, name))) {
        return;
    }
    const Json *columns = json_object_get(tree, "indexParams");
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const Json *element = json_object_get(json_array_get(columns, i), "IndexElem");
        if (tree_text_is(element, "name", TENANT_COLUMN)) {
            return;
        }
    }
    report_row(lint, LINT_RULE_row_unique_without_tenant_id, "table", name);
}

static void follow_create_as(Lint *lint, const Json *tree)
{
    const Json *relation = json_object_get(json_object_get(tree, "into"), "rel");
    if (tree_text_is(tree, "objtype", "OBJECT_MATVIEW")) {
        report_row(lint, LINT_RULE_row_materialized_view, "view",
                   json_get_text(relation, "relname", ""));
    } else if (!is_temporary(relation)) {
        lint_add_table(lint, relation)->has_more_columns = true;
    }
}

static void follow_select(Lint *lint, const Json *tree)
{
    const Json *relation = json_object_get(json_object_get(tree, "intoClause"), "rel");
    if (relation != NULL && !is_temporary(relation)) {
        lint_add_table(lint, relation)->has_more_columns = true;
    }
}

/* Policies of this beginning are Tenantry's: they keep tenants apart. */
static bool is_guard(const char *policy)
{
    return strncmp(policy, "tenant_", strlen("tenant_")) == 0;
}

static void report_guard(Lint *lint, const char *policy)
{
    if (is_guard(policy)) {
        report_row(lint, LINT_RULE_row_guard_policy, "policy", policy);
    }
}

static void follow_alter_policy(Lint *lint, const Json *tree)
{
    report_guard(lint, json_get_text(tree, "policy_name", ""));
}

static void follow_drop(Lint *lint, const Json *tree)
{
    lint_note_drop(lint, tree);
    const Json *objects = json_object_get(tree, "objects");
    const bool is_policy = tree_text_is(tree, "removeType", "OBJECT_POLICY");
    for (size_t i = 0; is_policy && i < json_array_size(objects); i++) {
        const Json *list = json_object_get(json_array_get(objects, i), "List");
        report_guard(lint, tree_last_text(json_object_get(list, "items")));
    }
}

static void follow_rename(Lint *lint, const Json *tree)
{
    lint_note_rename(lint, tree);
    lint_rename_view(lint, tree);
    if (tree_text_is(tree, "renameType", "OBJECT_POLICY")) {
        report_guard(lint, json_get_text(tree, "subname", ""));
        report_guard(lint, json_get_text(tree, "newname", ""));
    }
}

static void follow_policy(Lint *lint, const Json *tree)
{
    report_guard(lint, json_get_text(tree, "policy_name", ""));
    if (json_get_bool(tree, "permissive", false)) {
        report_row(lint, LINT_RULE_row_permissive_policy, "policy",
                   json_get_text(tree, "policy_name", ""));
    }
}

static void follow_view(Lint *lint, const Json *tree)
{
    const Json *relation = json_object_get(tree, "view");
    lint_note_view(lint, tree);
    if (!is_temporary(relation)) {
        check_view_options(lint, json_get_text(relation, "relname", ""),
                           json_object_get(tree, "options"));
    }
}

static const struct {
    const char *node;
    void (*follow)(Lint *lint, const Json *tree);
} followers[] = {
    {"AlterPolicyStmt", follow_alter_policy},
    {"AlterTableStmt", follow_alter},
    {"CreatePolicyStmt", follow_policy},
    {"CreateStmt", follow_create},
    {"CreateTableAsStmt", follow_create_as},
    {"DropStmt", follow_drop},
    {"IndexStmt", follow_index},
    {"RenameStmt", follow_rename},
    {"SelectStmt", follow_select},
    {"ViewStmt", follow_view},
};

void lint_follow_statement(Lint *lint, const SqlStatement *statement)
{
    for (size_t i = 0; i < ARRAY_COUNT(followers); i++) {
        if (strcmp(statement->node, followers[i].node) == 0) {
            followers[i].follow(lint, statement->tree);
        }
    }
}

void lint_check_tables(Lint *lint)
{
    for (const LintTable *table = lint->tables; table != NULL && lint->is_row;
         table = table->next) {
        if (table->is_dropped || table->is_partition || lint_is_shared(lint, table->name)) {
            continue;
        }
        const char *subject = arena_printf(lint->arena, "table \"%s\"", table->name);
        if (!table->has_tenant_id || !table->is_uuid || !table->is_not_null) {
            lint_report_at(lint, LINT_RULE_row_table_without_tenant_id, subject, table->file,
                           table->line, table->is_inner);
        } else if (!table->has_default) {
            lint_report_at(lint, LINT_RULE_row_tenant_id_without_default, subject, table->file,
                           table->line, table->is_inner);
        }
    }
}
