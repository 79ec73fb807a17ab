/* Types that tenants use while a migration runs: values that are moved or renamed, constraints of
 * domains, and types that go or get another name. */
#include <string.h>

#include "core/array.h"

#include "blueprint/lint_made.h"

static const char *type_subject(const Lint *lint, const char *type)
{
    return arena_printf(lint->arena, "type \"%s\"", type);
}

static void check_enum(Lint *lint, const Json *tree)
{
    const char *type = tree_last_text(json_object_get(tree, "typeName"));
    if (!lint_is_live_type(lint, type)) {
        return;
    }
    if (json_object_get(tree, "oldVal") != NULL) {
        lint_report(lint, LINT_RULE_enum_rename_value, type_subject(lint, type));
    } else if (json_object_get(tree, "newValNeighbor") != NULL) {
        lint_report(lint, LINT_RULE_enum_value_order, type_subject(lint, type));
    }
}

static void check_domain(Lint *lint, const Json *tree)
{
    const char *type = tree_last_text(json_object_get(tree, "typeName"));
    const Json *constraint = json_object_get(json_object_get(tree, "def"), "Constraint");
    const bool is_added = tree_text_is(tree, "subtype", "C") &&
                          !json_get_bool(constraint, "skip_validation", false);
    if ((is_added || tree_text_is(tree, "subtype", "O")) && lint_is_live_type(lint, type)) {
        lint_report(lint, LINT_RULE_alter_domain, type_subject(lint, type));
    }
}

/* A column that has the type is no question of what is in use: without CASCADE PostgreSQL refuses,
 * and with it the column is gone. */
static void check_dropped(Lint *lint, const char *type)
{
    const LintTable *table = NULL;
    const LintColumn *column = lint_find_column_of_type(lint, type, &table);
    if (column != NULL) {
        lint_report(
            lint, LINT_RULE_drop_type_of_column,
            arena_printf(lint->arena, "type \"%s\" of \"%s.%s\"", type, table->name, column->name));
    } else if (lint_is_live_type(lint, type) && !lint_is_made_again(lint, LINT_SPACE_TYPES, type)) {
        lint_report(lint, LINT_RULE_drop_type, type_subject(lint, type));
    }
}

static void check_drop(Lint *lint, const Json *tree)
{
    const Json *objects = json_object_get(tree, "objects");
    if (!tree_text_is(tree, "removeType", "OBJECT_TYPE") &&
        !tree_text_is(tree, "removeType", "OBJECT_DOMAIN")) {
        return;
    }
    for (size_t i = 0; i < json_array_size(objects); i++) {
        const Json *type = json_object_get(json_array_get(objects, i), "TypeName");
        check_dropped(lint, tree_last_text(json_object_get(type, "names")));
    }
}

static void report_attribute(Lint *lint, const Json *relation, const char *attribute)
{
    const char *type = json_get_text(relation, "relname", "");
    if (lint_is_live_type(lint, type)) {
        lint_report(lint, LINT_RULE_change_attribute,
                    arena_printf(lint->arena, "\"%s.%s\"", type, attribute));
    }
}

static void check_rename(Lint *lint, const Json *tree)
{
    const Json *list = json_object_get(json_object_get(tree, "object"), "List");
    const char *type = tree_last_text(json_object_get(list, "items"));
    if (tree_text_is(tree, "renameType", "OBJECT_ATTRIBUTE")) {
        report_attribute(lint, json_object_get(tree, "relation"),
                         json_get_text(tree, "subname", ""));
    } else if ((tree_text_is(tree, "renameType", "OBJECT_TYPE") ||
                tree_text_is(tree, "renameType", "OBJECT_DOMAIN")) &&
               lint_is_live_type(lint, type) && !lint_is_made_again(lint, LINT_SPACE_TYPES, type)) {
        lint_report(lint, LINT_RULE_rename_type, type_subject(lint, type));
    }
}

/* ALTER TYPE of a row type has the shape of ALTER TABLE. A new attribute is nobody's yet. */
static void check_attributes(Lint *lint, const Json *tree)
{
    const Json *commands = json_object_get(tree, "cmds");
    for (size_t i = 0; i < json_array_size(commands); i++) {
        const Json *command = json_object_get(json_array_get(commands, i), "AlterTableCmd");
        if (tree_text_is(tree, "objtype", "OBJECT_TYPE") &&
            !tree_text_is(command, "subtype", "AT_AddColumn")) {
            report_attribute(lint, json_object_get(tree, "relation"),
                             json_get_text(command, "name", ""));
        }
    }
}

static const struct {
    const char *node;
    void (*check)(Lint *lint, const Json *tree);
} checks[] = {
    {"AlterDomainStmt", check_domain},    {"AlterEnumStmt", check_enum},
    {"AlterTableStmt", check_attributes}, {"DropStmt", check_drop},
    {"RenameStmt", check_rename},
};

void lint_check_types(Lint *lint, const SqlStatement *statement)
{
    for (size_t i = 0; i < ARRAY_COUNT(checks); i++) {
        if (strcmp(statement->node, checks[i].node) == 0) {
            checks[i].check(lint, statement->tree);
        }
    }
}
