#include "isolation/mend.h"

#include <string.h>

#include "core/array.h"
#include "core/choices.h"
#include "core/json.h"
#include "core/log.h"
#include "pg/sql_parse.h"

/* What ALTER TABLE may do, and what may be dropped. */
static const char table_changes[] = "AT_ChangeOwner|AT_DetachPartition|AT_DropConstraint|"
                                    "AT_DropInherit|AT_EnableAlwaysTrig|AT_EnableRowSecurity|"
                                    "AT_EnableTrig|AT_ForceRowSecurity|AT_ReplaceRelOptions|"
                                    "AT_ResetRelOptions|AT_SetNotNull|AT_SetRelOptions";
static const char droppables[] =
    "OBJECT_EVENT_TRIGGER|OBJECT_POLICY|OBJECT_PUBLICATION|OBJECT_RULE|OBJECT_TRIGGER";

/* REVOKE; the parse tree leaves out what is false. */
static bool is_revoke(const Json *tree)
{
    return !json_get_bool(tree, "is_grant", false);
}

static bool is_default_revoke(const Json *tree)
{
    const Json *action = json_object_get(tree, "action");
    return action != NULL && is_revoke(action);
}

static bool is_tenant_map(const Json *table)
{
    return strcmp(json_get_text(table, "schemaname", ""), "tenancy") == 0 &&
           strcmp(json_get_text(table, "relname", ""), "role_tenants") == 0;
}

/* Forced row-level security would hide the map of tenants from Tenantry; it holds all other tables.
 */
static bool is_safe_table_change(const Json *tree)
{
    const Json *commands = json_object_get(tree, "cmds");
    const bool is_map = is_tenant_map(json_object_get(tree, "relation"));
    for (size_t i = 0; i < json_array_size(commands); i++) {
        const Json *command = json_object_get(json_array_get(commands, i), "AlterTableCmd");
        const char *change = json_get_text(command, "subtype", "");
        if (!choices_has(table_changes, change) &&
            !(is_map && strcmp(change, "AT_NoForceRowSecurity") == 0)) {
            return false;
        }
    }
    return json_array_size(commands) > 0;
}

static bool is_safe_drop(const Json *tree)
{
    return choices_has(droppables, json_get_text(tree, "removeType", "")) &&
           strcmp(json_get_text(tree, "behavior", "DROP_RESTRICT"), "DROP_RESTRICT") == 0;
}

/* NOSUPERUSER and its like: attributes that are taken away. */
static bool takes_attributes_away(const Json *tree)
{
    const Json *options = json_object_get(tree, "options");
    for (size_t i = 0; i < json_array_size(options); i++) {
        const Json *option = json_object_get(json_array_get(options, i), "DefElem");
        const Json *value = json_object_get(json_object_get(option, "arg"), "Boolean");
        if (value == NULL || json_get_bool(value, "boolval", false)) {
            return false;
        }
    }
    return json_array_size(options) > 0;
}

static bool is_reset(const Json *tree)
{
    const char *kind = json_get_text(json_object_get(tree, "setstmt"), "kind", "");
    return choices_has("VAR_RESET|VAR_RESET_ALL", kind);
}

/* A restrictive policy can only hide rows. The map of roles to tenants has one that shows a role
 * its own. */
static bool is_safe_policy(const Json *tree)
{
    return !json_get_bool(tree, "permissive", false) ||
           (is_tenant_map(json_object_get(tree, "table")) &&
            strcmp(json_get_text(tree, "policy_name", ""), "own_row") == 0 &&
            strcmp(json_get_text(tree, "cmd_name", ""), "select") == 0);
}

/* The map is also the one table whose rows are mended. */
static bool is_of_tenant_map(const Json *tree)
{
    return json_object_get(tree, "withClause") == NULL &&
           is_tenant_map(json_object_get(tree, "relation"));
}

static bool is_any(const Json *tree)
{
    return tree != NULL;
}

static const struct {
    const char *node;
    bool (*may_run)(const Json *tree);
} kinds[] = {
    {"AlterDatabaseSetStmt", is_reset},
    {"AlterDefaultPrivilegesStmt", is_default_revoke},
    {"AlterFunctionStmt", is_any},
    {"AlterOwnerStmt", is_any},
    {"AlterPolicyStmt", is_any},
    {"AlterRoleSetStmt", is_reset},
    {"AlterRoleStmt", takes_attributes_away},
    {"AlterTableStmt", is_safe_table_change},
    {"CreatePolicyStmt", is_safe_policy},
    {"DeleteStmt", is_of_tenant_map},
    {"DropStmt", is_safe_drop},
    {"GrantRoleStmt", is_revoke},
    {"GrantStmt", is_revoke},
    {"InsertStmt", is_of_tenant_map},
    {"UpdateStmt", is_of_tenant_map},
};

/* Parse trees are as deep as the statement, which the parser has bounded. */
static void collect_texts(const Json *tree, Json *names) /* NOLINT(misc-no-recursion) */
{
    if (json_is_string(tree)) {
        json_array_append_new(names, json_string(json_string_value(tree)));
    }
    for (size_t i = 0; i < json_array_size(tree); i++) {
        collect_texts(json_array_get(tree, i), names);
    }
    Json *object = json_is_object(tree) ? (Json *)(uintptr_t)tree : NULL; /* to iterate over it */
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        collect_texts(json_object_iter_value(at), names);
    }
}

static bool may_run(const SqlStatement *statement)
{
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (strcmp(kinds[i].node, statement->node) == 0) {
            return kinds[i].may_run(statement->tree);
        }
    }
    return false;
}

static void read_statements(Arena *arena, const SqlScript *script, Mend *ret_mend)
{
    scoped_json Json *names = json_array();
    const char **texts = ARENA_ARRAY(arena, const char *, script->count);
    bool may_all_run = true;
    for (size_t i = 0; i < script->count; i++) {
        texts[i] = script->statements[i].text;
        may_all_run = may_all_run && may_run(&script->statements[i]);
        collect_texts(script->statements[i].tree, names);
    }
    *ret_mend = (Mend){.may_run = may_all_run,
                       .statements = texts,
                       .count = script->count,
                       .names = json_to_text(arena, names)};
}

bool mend_read(Arena *arena, const char *text, Mend *ret_mend, Err *err)
{
    Err why;
    SqlScript script = {0};
    if (!sql_script_parse(arena, "mending statement", text, ERR_INTERNAL, &script, &why)) {
        log_warn("isolation.mend", "left for a person: %s: %s", text, why.message);
        *ret_mend = (Mend){.names = "[]"};
        return true;
    }
    if (script.count > 0) {
        read_statements(arena, &script, ret_mend);
    }
    const bool is_empty = script.count == 0;
    sql_script_done(&script);
    return !is_empty || ERR_SET(err, ERR_INTERNAL, NULL, "the mending statement is empty");
}
