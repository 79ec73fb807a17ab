/* Rules that one statement keeps or breaks by itself, in every tier. */
#include <string.h>
#include <strings.h>

#include "blueprint/lint.h"
#include "blueprint/steps.h"
#include "core/array.h"

/* Statements that no migration may have, whatever they say. */
static const struct {
    const char *node;
    LintRule rule;
} forbidden[] = {
    {"AlterDatabaseRefreshCollStmt", LINT_RULE_server_object},
    {"AlterDatabaseSetStmt", LINT_RULE_server_object},
    {"AlterDatabaseStmt", LINT_RULE_server_object},
    {"AlterDefaultPrivilegesStmt", LINT_RULE_grant},
    {"AlterEventTrigStmt", LINT_RULE_outside_object},
    {"AlterExtensionContentsStmt", LINT_RULE_extension},
    {"AlterExtensionStmt", LINT_RULE_extension},
    {"AlterFdwStmt", LINT_RULE_outside_object},
    {"AlterForeignServerStmt", LINT_RULE_outside_object},
    {"AlterObjectSchemaStmt", LINT_RULE_server_object},
    {"AlterOwnerStmt", LINT_RULE_owner},
    {"AlterPublicationStmt", LINT_RULE_outside_object},
    {"AlterRoleSetStmt", LINT_RULE_server_object},
    {"AlterRoleStmt", LINT_RULE_server_object},
    {"AlterSubscriptionStmt", LINT_RULE_outside_object},
    {"AlterSystemStmt", LINT_RULE_alter_system},
    {"AlterTableMoveAllStmt", LINT_RULE_server_object},
    {"AlterTableSpaceOptionsStmt", LINT_RULE_server_object},
    {"AlterUserMappingStmt", LINT_RULE_outside_object},
    {"CheckPointStmt", LINT_RULE_not_transactional},
    {"CopyStmt", LINT_RULE_copy},
    {"CreateAmStmt", LINT_RULE_outside_object},
    {"CreateCastStmt", LINT_RULE_outside_object},
    {"CreateEventTrigStmt", LINT_RULE_outside_object},
    {"CreateExtensionStmt", LINT_RULE_extension},
    {"CreateFdwStmt", LINT_RULE_outside_object},
    {"CreateForeignServerStmt", LINT_RULE_outside_object},
    {"CreateForeignTableStmt", LINT_RULE_outside_object},
    {"CreatePLangStmt", LINT_RULE_extension},
    {"CreatePublicationStmt", LINT_RULE_outside_object},
    {"CreateRoleStmt", LINT_RULE_server_object},
    {"CreateSchemaStmt", LINT_RULE_server_object},
    {"CreateSubscriptionStmt", LINT_RULE_outside_object},
    {"CreateTableSpaceStmt", LINT_RULE_server_object},
    {"CreateTransformStmt", LINT_RULE_outside_object},
    {"CreateUserMappingStmt", LINT_RULE_outside_object},
    {"CreatedbStmt", LINT_RULE_server_object},
    {"DiscardStmt", LINT_RULE_not_transactional},
    {"DropOwnedStmt", LINT_RULE_server_object},
    {"DropRoleStmt", LINT_RULE_server_object},
    {"DropSubscriptionStmt", LINT_RULE_outside_object},
    {"DropTableSpaceStmt", LINT_RULE_server_object},
    {"DropUserMappingStmt", LINT_RULE_outside_object},
    {"DropdbStmt", LINT_RULE_server_object},
    {"GrantRoleStmt", LINT_RULE_grant},
    {"ImportForeignSchemaStmt", LINT_RULE_outside_object},
    {"LoadStmt", LINT_RULE_load},
    {"ReassignOwnedStmt", LINT_RULE_server_object},
    {"SecLabelStmt", LINT_RULE_outside_object},
    {"TransactionStmt", LINT_RULE_transaction_control},
};

/* Kinds of object of DROP, ALTER ... RENAME and COMMENT that are no tenant's. */
static const struct {
    const char *kind;
    LintRule rule;
} outside_kinds[] = {
    {"OBJECT_ACCESS_METHOD", LINT_RULE_outside_object},
    {"OBJECT_CAST", LINT_RULE_outside_object},
    {"OBJECT_DATABASE", LINT_RULE_server_object},
    {"OBJECT_EVENT_TRIGGER", LINT_RULE_outside_object},
    {"OBJECT_EXTENSION", LINT_RULE_extension},
    {"OBJECT_FDW", LINT_RULE_outside_object},
    {"OBJECT_FOREIGN_SERVER", LINT_RULE_outside_object},
    {"OBJECT_FOREIGN_TABLE", LINT_RULE_outside_object},
    {"OBJECT_LANGUAGE", LINT_RULE_extension},
    {"OBJECT_PUBLICATION", LINT_RULE_outside_object},
    {"OBJECT_ROLE", LINT_RULE_server_object},
    {"OBJECT_SCHEMA", LINT_RULE_server_object},
    {"OBJECT_SUBSCRIPTION", LINT_RULE_outside_object},
    {"OBJECT_TABLESPACE", LINT_RULE_server_object},
    {"OBJECT_TRANSFORM", LINT_RULE_outside_object},
};

/* Settings by which a migration could leave the role and the place that it was given. */
static const struct {
    const char *setting;
    LintRule rule;
} guarded_settings[] = {
    {"role", LINT_RULE_set_role},
    {"row_security", LINT_RULE_set_role},
    {"search_path", LINT_RULE_search_path},
    {"session_authorization", LINT_RULE_set_role},
};

static void check_object_kind(Lint *lint, const Json *tree, const char *key)
{
    for (size_t i = 0; i < ARRAY_COUNT(outside_kinds); i++) {
        if (tree_text_is(tree, key, outside_kinds[i].kind)) {
            lint_report(lint, outside_kinds[i].rule, NULL);
        }
    }
}

static void check_setting(Lint *lint, const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(guarded_settings); i++) {
        if (strcasecmp(name, guarded_settings[i].setting) == 0) {
            lint_report(lint, guarded_settings[i].rule, NULL);
        }
    }
}

static void check_drop(Lint *lint, const Json *tree)
{
    check_object_kind(lint, tree, "removeType");
}

static void check_rename(Lint *lint, const Json *tree)
{
    check_object_kind(lint, tree, "renameType");
}

static void check_comment(Lint *lint, const Json *tree)
{
    check_object_kind(lint, tree, "objtype");
}

static void check_set(Lint *lint, const Json *tree)
{
    if (tree_text_is(tree, "kind", "VAR_RESET_ALL")) {
        lint_report(lint, LINT_RULE_set_role, NULL);
    }
    check_setting(lint, json_get_text(tree, "name", ""));
}

static void check_grant(Lint *lint, const Json *tree)
{
    const Json *grantees = json_object_get(tree, "grantees");
    bool is_public = !json_get_bool(tree, "is_grant", false);
    for (size_t i = 0; i < json_array_size(grantees); i++) {
        const Json *role = json_object_get(json_array_get(grantees, i), "RoleSpec");
        is_public = is_public && tree_text_is(role, "roletype", "ROLESPEC_PUBLIC");
    }
    if (!is_public) {
        lint_report(lint, LINT_RULE_grant, NULL);
    }
}

static void check_index(Lint *lint, const Json *tree)
{
    if (json_get_bool(tree, "if_not_exists", false)) {
        lint_report(lint, LINT_RULE_if_not_exists, NULL);
    }
}

static void check_language(Lint *lint, const Json *options)
{
    const Json *option = tree_find_option(options, "language");
    const char *language = json_get_text(json_object_get(json_object_get(option, "arg"), "String"),
                                         "sval", "sql");
    if (strcmp(language, "sql") != 0 && strcmp(language, "plpgsql") != 0) {
        lint_report(lint, LINT_RULE_language, NULL);
    }
}

/* A path that does not name pg_temp begins with it: temporary tables and types come before those
 * of pg_catalog. */
static bool ends_with_pg_temp(const Json *path)
{
    size_t count = json_array_size(path);
    if (count == 0) {
        return false;
    }
    const Json *last = json_object_get(json_array_get(path, count - 1), "A_Const");
    return tree_text_is(json_object_get(last, "sval"), "sval", "pg_temp");
}

/* FROM CURRENT is the path of the place, which ends with pg_temp (place_search_path). */
static bool takes_place_path(const Json *options)
{
    for (size_t i = 0; i < json_array_size(options); i++) {
        const Json *option = json_object_get(json_array_get(options, i), "DefElem");
        const Json *set = json_object_get(json_object_get(option, "arg"), "VariableSetStmt");
        if (tree_text_is(set, "name", "search_path") &&
            tree_text_is(set, "kind", "VAR_SET_CURRENT")) {
            return true;
        }
    }
    return false;
}

/* '' is a path without any schema; "$user" would be one that is named like the tenant's role. */
static void check_path_schemas(Lint *lint, const Json *path)
{
    for (size_t i = 0; i < json_array_size(path); i++) {
        const Json *value = json_object_get(json_array_get(path, i), "A_Const");
        const char *schema = json_get_text(json_object_get(value, "sval"), "sval", "");
        if (*schema != '\0' && strcmp(schema, "pg_temp") != 0 && !lint_may_name_schema(schema)) {
            lint_report(lint, LINT_RULE_function_path, arena_printf(lint->arena, "\"%s\"", schema));
        }
    }
}

/* A function may have settings of its own, but none that changes the role, and none that depends on
 * who makes the place. */
static void check_function_options(Lint *lint, const Json *options)
{
    for (size_t i = 0; i < json_array_size(options); i++) {
        const Json *option = json_object_get(json_array_get(options, i), "DefElem");
        const Json *set = json_object_get(json_object_get(option, "arg"), "VariableSetStmt");
        const char *name = json_get_text(set, "name", "");
        if (strcmp(name, "search_path") == 0) {
            continue;
        }
        check_setting(lint, name);
        if (tree_text_is(set, "kind", "VAR_SET_CURRENT")) {
            lint_report(lint, LINT_RULE_function_setting,
                        arena_printf(lint->arena, "\"%s\"", name));
        }
    }
    const Json *path = tree_find_search_path(options);
    check_path_schemas(lint, path);
    const Json *security = tree_find_option(options, "security");
    const bool is_safe = ends_with_pg_temp(path) || (path == NULL && takes_place_path(options));
    if (security != NULL && tree_option_is_true(security) && !is_safe) {
        lint_report(lint, LINT_RULE_security_definer, NULL);
    } else if (path != NULL && !is_safe) {
        lint_report(lint, LINT_RULE_path_without_pg_temp, NULL);
    }
}

static void check_create_function(Lint *lint, const Json *tree)
{
    const Json *options = json_object_get(tree, "options");
    check_language(lint, options);
    check_function_options(lint, options);
}

/* Whether a function is SECURITY DEFINER cannot be seen where it is altered, so that its
 * search_path may be set to another one, and never taken away. */
static bool resets_search_path(const Json *options)
{
    for (size_t i = 0; i < json_array_size(options); i++) {
        const Json *option = json_object_get(json_array_get(options, i), "DefElem");
        const Json *set = json_object_get(json_object_get(option, "arg"), "VariableSetStmt");
        if (tree_text_is(set, "kind", "VAR_RESET_ALL") ||
            (tree_text_is(set, "name", "search_path") &&
             !tree_text_is(set, "kind", "VAR_SET_VALUE") &&
             !tree_text_is(set, "kind", "VAR_SET_CURRENT"))) {
            return true;
        }
    }
    return false;
}

static void check_alter_function(Lint *lint, const Json *tree)
{
    const Json *actions = json_object_get(tree, "actions");
    check_function_options(lint, actions);
    const Json *security = tree_find_option(actions, "security");
    if (resets_search_path(actions) && (security == NULL || !tree_option_is_true(security))) {
        lint_report(lint, LINT_RULE_security_definer, NULL);
    }
}

static void check_do(Lint *lint, const Json *tree)
{
    const Json *args = json_object_get(tree, "args");
    if (tree_find_option(args, "language") != NULL) {
        check_language(lint, args);
    }
}

static void check_create_table(Lint *lint, const Json *tree)
{
    if (json_get_bool(tree, "if_not_exists", false)) {
        lint_report(lint, LINT_RULE_if_not_exists, NULL);
    }
}

static void check_alter_table(Lint *lint, const Json *tree)
{
    const Json *commands = json_object_get(tree, "cmds");
    for (size_t i = 0; i < json_array_size(commands); i++) {
        const Json *command = json_object_get(json_array_get(commands, i), "AlterTableCmd");
        if (tree_text_is(command, "subtype", "AT_ChangeOwner")) {
            lint_report(lint, LINT_RULE_owner, NULL);
        }
        if (tree_text_is(command, "subtype", "AT_SetTableSpace")) {
            lint_report(lint, LINT_RULE_server_object, NULL);
        }
    }
}

/* Statements that are looked into. */
static const struct {
    const char *node;
    void (*check)(Lint *lint, const Json *tree);
} checks[] = {
    {"AlterFunctionStmt", check_alter_function},
    {"AlterTableStmt", check_alter_table},
    {"CommentStmt", check_comment},
    {"CreateFunctionStmt", check_create_function},
    {"CreateStmt", check_create_table},
    {"DoStmt", check_do},
    {"DropStmt", check_drop},
    {"GrantStmt", check_grant},
    {"IndexStmt", check_index},
    {"RenameStmt", check_rename},
    {"VariableSetStmt", check_set},
};

/* set_config('role', ...) does what SET ROLE does. */
static bool visit_call(void *context, const Json *call)
{
    check_setting(context, tree_config_name(call));
    return true;
}

/* Types that are nearly always a mistake; names as the parser gives them. */
static const struct {
    const char *type;
    LintRule rule;
} doubtful_types[] = {
    {"bigserial", LINT_RULE_serial_type},   {"bpchar", LINT_RULE_fixed_length_char},
    {"json", LINT_RULE_json_type},          {"money", LINT_RULE_money_type},
    {"serial", LINT_RULE_serial_type},      {"serial2", LINT_RULE_serial_type},
    {"serial4", LINT_RULE_serial_type},     {"serial8", LINT_RULE_serial_type},
    {"smallserial", LINT_RULE_serial_type}, {"timestamp", LINT_RULE_timestamp_type},
};

static bool visit_column(void *context, const Json *column)
{
    Lint *lint = context;
    const char *type = tree_last_text(
        json_object_get(json_object_get(column, "typeName"), "names"));
    for (size_t i = 0; i < ARRAY_COUNT(doubtful_types); i++) {
        if (strcmp(type, doubtful_types[i].type) == 0) {
            lint_report(
                lint, doubtful_types[i].rule,
                arena_printf(lint->arena, "column \"%s\"", json_get_text(column, "colname", "")));
        }
    }
    return true;
}

void lint_check_statement(Lint *lint, const SqlStatement *statement)
{
    Alone alone = {0};
    const AloneVerdict verdict = alone_judge(statement, &alone);
    const bool may_step = lint->may_step && !lint->is_inner;
    if (verdict == ALONE_REFUSED || (verdict == ALONE_YES && !may_step)) {
        lint_report(lint, LINT_RULE_not_transactional, NULL);
    }
    for (size_t i = 0; i < ARRAY_COUNT(forbidden); i++) {
        if (strcmp(statement->node, forbidden[i].node) == 0) {
            lint_report(lint, forbidden[i].rule, NULL);
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(checks); i++) {
        if (strcmp(statement->node, checks[i].node) == 0) {
            checks[i].check(lint, statement->tree);
        }
    }
    sql_tree_visit(statement->tree, "FuncCall", visit_call, lint);
    sql_tree_visit(statement->tree, "ColumnDef", visit_column, lint);
}
