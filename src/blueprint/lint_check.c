/* Constraints that were added by name, and whether all rows are known to keep them. */
#include <string.h>

#include "blueprint/lint_made.h"

static bool visit_column(void *context, const Json *reference)
{
    LintCheck *check = context;
    const char *name = tree_last_text(json_object_get(reference, "fields"));
    const bool is_other = check->column != NULL && strcmp(check->column, name) != 0;
    check->column = is_other ? NULL : name;
    return !is_other;
}

/* IS NOT NULL, alone or as a part of AND. */
static bool says_not_null(const Json *expression)
{
    const Json *operation = json_object_get(expression, "BoolExpr");
    const Json *args = json_object_get(operation, "args");
    for (size_t i = 0; i < json_array_size(args); i++) {
        if (tree_text_is(operation, "boolop", "AND_EXPR") &&
            says_not_null(json_array_get(args, i))) {
            return true;
        }
    }
    const Json *test = json_object_get(expression, "NullTest");
    return tree_text_is(test, "nulltesttype", "IS_NOT_NULL") &&
           json_object_get(json_object_get(test, "arg"), "ColumnRef") != NULL;
}

static void add_check(Lint *lint, LintTable *table, const Json *constraint)
{
    LintCheck *check = ARENA_NEW(lint->arena, LintCheck);
    const Json *expression = json_object_get(constraint, "raw_expr");
    *check = (LintCheck){
        .next = table->checks,
        .name = arena_strdup(lint->arena, json_get_text(constraint, "conname", "")),
        .is_valid = !json_get_bool(constraint, "skip_validation", false),
        .version = lint->version};
    if (tree_text_is(constraint, "contype", "CONSTR_CHECK")) {
        sql_tree_visit(expression, "ColumnRef", visit_column, check);
        check->is_not_null = says_not_null(expression);
    }
    check->column = arena_strdup(lint->arena, check->column);
    table->checks = check;
}

static void add_column_checks(Lint *lint, LintTable *table, const Json *column)
{
    const Json *constraints = json_object_get(column, "constraints");
    for (size_t i = 0; i < json_array_size(constraints); i++) {
        const Json *constraint = json_object_get(json_array_get(constraints, i), "Constraint");
        if (tree_text_is(constraint, "contype", "CONSTR_CHECK")) {
            add_check(lint, table, constraint);
        }
    }
}

void lint_note_created_checks(Lint *lint, LintTable *table, const Json *tree)
{
    const Json *elements = json_object_get(tree, "tableElts");
    for (size_t i = 0; i < json_array_size(elements); i++) {
        const Json *element = json_array_get(elements, i);
        const Json *constraint = json_object_get(element, "Constraint");
        if (constraint != NULL) {
            add_check(lint, table, constraint);
        }
        add_column_checks(lint, table, json_object_get(element, "ColumnDef"));
    }
}

static LintCheck *find_check(const LintTable *table, const char *name)
{
    LintCheck *check = table->checks;
    while (check != NULL && strcmp(check->name, name) != 0) {
        check = check->next;
    }
    return check;
}

void lint_note_check_command(Lint *lint, LintTable *table, const Json *command)
{
    LintCheck *check = find_check(table, json_get_text(command, "name", ""));
    if (tree_text_is(command, "subtype", "AT_AddConstraint")) {
        add_check(lint, table, json_object_get(json_object_get(command, "def"), "Constraint"));
    } else if (check != NULL && tree_text_is(command, "subtype", "AT_ValidateConstraint")) {
        check->is_valid = true;
    } else if (check != NULL && tree_text_is(command, "subtype", "AT_DropConstraint")) {
        check->is_valid = false;
    }
}

/* ALTER TABLE drops what it drops before it does anything else, wherever that stands in it. */
static bool is_dropped_here(const Lint *lint, const char *name)
{
    const Json *commands = json_object_get(lint->statement->tree, "cmds");
    for (size_t i = 0; i < json_array_size(commands); i++) {
        const Json *command = json_object_get(json_array_get(commands, i), "AlterTableCmd");
        if (tree_text_is(command, "subtype", "AT_DropConstraint") &&
            tree_text_is(command, "name", name)) {
            return true;
        }
    }
    return false;
}

bool lint_is_checked_not_null(const Lint *lint, const LintTable *table, const char *column)
{
    for (const LintCheck *check = table->checks; check != NULL; check = check->next) {
        if (check->is_valid && check->is_not_null && check->column != NULL &&
            strcmp(check->column, column) == 0 && !is_dropped_here(lint, check->name)) {
            return true;
        }
    }
    return false;
}

bool lint_is_checked_before(const Lint *lint, const LintTable *table, const char *column)
{
    for (const LintCheck *check = table->checks; check != NULL; check = check->next) {
        if (check->is_valid && check->version < lint->version && check->column != NULL &&
            strcmp(check->column, column) == 0) {
            return true;
        }
    }
    return false;
}

bool lint_is_new_check(const Lint *lint, const LintTable *table, const char *name)
{
    const LintCheck *check = find_check(table, name);
    return check != NULL && check->version == lint->version;
}
