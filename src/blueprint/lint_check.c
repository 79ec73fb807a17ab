/* Constraints that were added by name, and whether all rows are known to keep them. */
#include <string.h>

#include "blueprint/lint_made.h"

/* The column of CHECK (column IS NOT NULL); NULL of another one. */
static const char *not_null_column(const Json *constraint)
{
    const Json *test = json_object_get(json_object_get(constraint, "raw_expr"), "NullTest");
    const Json *column = json_object_get(json_object_get(test, "arg"), "ColumnRef");
    const Json *fields = json_object_get(column, "fields");
    return tree_text_is(constraint, "contype", "CONSTR_CHECK") &&
                   tree_text_is(test, "nulltesttype", "IS_NOT_NULL") && json_array_size(fields) > 0
               ? tree_last_text(fields)
               : NULL;
}

static void add_check(Lint *lint, LintTable *table, const Json *constraint)
{
    LintCheck *check = ARENA_NEW(lint->arena, LintCheck);
    *check = (LintCheck){
        .next = table->checks,
        .name = arena_strdup(lint->arena, json_get_text(constraint, "conname", "")),
        .column = arena_strdup(lint->arena, not_null_column(constraint)),
        .is_valid = !json_get_bool(constraint, "skip_validation", false),
        .version = lint->version};
    table->checks = check;
}

void lint_note_created_checks(Lint *lint, LintTable *table, const Json *tree)
{
    const Json *elements = json_object_get(tree, "tableElts");
    for (size_t i = 0; i < json_array_size(elements); i++) {
        const Json *constraint = json_object_get(json_array_get(elements, i), "Constraint");
        if (constraint != NULL) {
            add_check(lint, table, constraint);
        }
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

bool lint_is_checked_not_null(const LintTable *table, const char *column)
{
    for (const LintCheck *check = table->checks; check != NULL; check = check->next) {
        if (check->is_valid && check->column != NULL && strcmp(check->column, column) == 0) {
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
