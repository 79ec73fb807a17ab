#include "isolation/mend.h"

#include <string.h>

#include "core/choices.h"
#include "pg/sql_parse.h"

/* What ALTER TABLE may do, and what may be dropped. None of these loses data. */
static const char table_changes[] = "AT_ChangeOwner|AT_EnableRowSecurity|AT_ForceRowSecurity|"
                                    "AT_ReplaceRelOptions|AT_ResetRelOptions|AT_SetNotNull|"
                                    "AT_SetRelOptions";
static const char droppables[] =
    "OBJECT_EVENT_TRIGGER|OBJECT_POLICY|OBJECT_PUBLICATION|OBJECT_RULE|"
    "OBJECT_TRIGGER";

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

static bool is_safe_table_change(const Json *tree)
{
    const Json *commands = json_object_get(tree, "cmds");
    for (size_t i = 0; i < json_array_size(commands); i++) {
        const Json *command = json_object_get(json_array_get(commands, i), "AlterTableCmd");
        if (!choices_has(table_changes, json_get_text(command, "subtype", ""))) {
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
    {"DropStmt", is_safe_drop},
    {"GrantRoleStmt", is_revoke},
    {"GrantStmt", is_revoke},
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
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].node, statement->node) == 0) {
            return kinds[i].may_run(statement->tree);
        }
    }
    return false;
}

bool mend_check(Arena *arena, const char *statement, Json **ret_names, Err *err)
{
    SqlScript script = {0};
    if (!sql_script_parse(arena, "mending statement", statement, ERR_INTERNAL, &script, err)) {
        return false;
    }
    const bool is_good = script.count == 1 && may_run(&script.statements[0]);
    if (is_good) {
        *ret_names = json_array();
        collect_texts(script.statements[0].tree, *ret_names);
    }
    sql_script_done(&script);
    return is_good || ERR_SET(err, ERR_INTERNAL, "run it by hand if it is right",
                              "the mending statement is not of a kind that mends");
}
