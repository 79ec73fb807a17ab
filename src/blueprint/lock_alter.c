/* ALTER TABLE: which sub-command it is, as the details of locks.def tell them apart. */
#include "blueprint/lock_alter.h"

#include <string.h>

#include "blueprint/lint.h"
#include "core/array.h"

static const char node[] = "AlterTableStmt";

/* Functions whose value is the same for all rows of one statement; a default of another one may be
 * computed for each row, and the table is written anew. PostgreSQL asks pg_proc.provolatile. */
static const char *const stable_functions[] = {
    "concat",
    "current_setting",
    "current_tenant",
    "date_trunc",
    "format",
    "jsonb_build_array",
    "jsonb_build_object",
    "json_build_array",
    "json_build_object",
    "lower",
    "make_date",
    "make_interval",
    "make_timestamptz",
    "md5",
    "now",
    "statement_timestamp",
    "timezone",
    "to_char",
    "to_date",
    "to_timestamp",
    "transaction_timestamp",
    "upper",
};

static bool is_listed(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool visit_stable(void *context, const Json *call)
{
    (void)context;
    return is_listed(tree_last_text(json_object_get(call, "funcname")), stable_functions,
                     ARRAY_COUNT(stable_functions));
}

bool expression_is_volatile(const Json *expression)
{
    return !sql_tree_visit(expression, "FuncCall", visit_stable, NULL);
}

bool type_is_serial(const Json *type)
{
    static const char *const types[] = {"bigserial", "serial",  "serial2",
                                        "serial4",   "serial8", "smallserial"};
    return is_listed(tree_last_text(json_object_get(type, "names")), types, ARRAY_COUNT(types));
}

/* A constraint of the column, by its kind; NULL when there is none. */
static const Json *find_constraint(const Json *column, const char *kind)
{
    const Json *constraints = json_object_get(column, "constraints");
    for (size_t i = 0; i < json_array_size(constraints); i++) {
        const Json *constraint = json_object_get(json_array_get(constraints, i), "Constraint");
        if (tree_text_is(constraint, "contype", kind)) {
            return constraint;
        }
    }
    return NULL;
}

/* DEFAULT NULL is none. */
static const Json *find_default(const Json *column)
{
    const Json *expression = json_object_get(find_constraint(column, "CONSTR_DEFAULT"), "raw_expr");
    const Json *constant = json_object_get(expression, "A_Const");
    return json_get_bool(constant, "isnull", false) ? NULL : expression;
}

static const char *column_detail(const Json *column)
{
    const Json *value = find_default(column);
    if (find_constraint(column, "CONSTR_GENERATED") != NULL) {
        return "AT_AddColumn generated";
    }
    if (find_constraint(column, "CONSTR_IDENTITY") != NULL ||
        type_is_serial(json_object_get(column, "typeName"))) {
        return "AT_AddColumn identity";
    }
    if (value != NULL) {
        return expression_is_volatile(value) ? "AT_AddColumn volatile" : "AT_AddColumn default";
    }
    return find_constraint(column, "CONSTR_NOTNULL") != NULL ||
                   find_constraint(column, "CONSTR_PRIMARY") != NULL
               ? "AT_AddColumn required"
               : "AT_AddColumn";
}

/* The rows of a column that was added without a default are not looked at for its foreign key: all
 * are null. */
static const char *constraint_detail(const Json *constraint, bool is_of_empty_column)
{
    const char *kind = json_get_text(constraint, "contype", "");
    const bool is_checked = !json_get_bool(constraint, "skip_validation", false);
    if (strcmp(kind, "CONSTR_FOREIGN") == 0) {
        return is_checked && !is_of_empty_column ? "AT_AddConstraint foreign"
                                                 : "AT_AddConstraint foreign not valid";
    }
    if (strcmp(kind, "CONSTR_CHECK") == 0) {
        return is_checked ? "AT_AddConstraint check" : "AT_AddConstraint check not valid";
    }
    if (strcmp(kind, "CONSTR_EXCLUSION") == 0) {
        return "AT_AddConstraint exclusion";
    }
    if (strcmp(kind, "CONSTR_PRIMARY") == 0 || strcmp(kind, "CONSTR_UNIQUE") == 0) {
        return json_object_get(constraint, "indexname") != NULL ? "AT_AddConstraint key of index"
                                                                : "AT_AddConstraint key";
    }
    return NULL; /* NOT NULL, DEFAULT and the like are the column's */
}

static void add_constraint(LockList *list, const Json *relation, const Json *constraint,
                           bool is_of_empty_column)
{
    const char *detail = constraint_detail(constraint, is_of_empty_column);
    if (detail != NULL) {
        lock_list_add_relation(list, relation, node, detail);
        lock_list_add_relation(list, json_object_get(constraint, "pktable"), node,
                               "AT_AddConstraint referenced");
    }
}

static void add_column(LockList *list, const Json *relation, const Json *column)
{
    const Json *constraints = json_object_get(column, "constraints");
    lock_list_add_relation(list, relation, node, column_detail(column));
    for (size_t i = 0; i < json_array_size(constraints); i++) {
        add_constraint(list, relation,
                       json_object_get(json_array_get(constraints, i), "Constraint"),
                       find_default(column) == NULL);
    }
}

static void add_partition(LockList *list, const Json *relation, const char *subtype,
                          const Json *partition)
{
    const bool is_attach = strcmp(subtype, "AT_AttachPartition") == 0;
    const bool is_concurrent = json_get_bool(partition, "concurrent", false);
    lock_list_add_relation(list, relation, node,
                           is_concurrent ? "AT_DetachPartition concurrently" : subtype);
    lock_list_add_relation(list, json_object_get(partition, "name"), node,
                           is_attach ? "AT_AttachPartition child" : "AT_DetachPartition child");
}

/* Storage parameters of a table; options of a view and user_catalog_table take the strongest. */
static const char *options_detail(const Json *tree, const Json *command)
{
    const Json *options = json_object_get(json_object_get(json_object_get(command, "def"), "List"),
                                          "items");
    const bool is_view = tree_text_is(tree, "objtype", "OBJECT_VIEW");
    return is_view || tree_find_option(options, "user_catalog_table") != NULL ? ""
                                                                              : "AT_SetRelOptions";
}

/* What one sub-command does to the table itself. */
static const char *command_detail(const Json *tree, const Json *command)
{
    const char *subtype = json_get_text(command, "subtype", "");
    if (strncmp(subtype, "AT_DisableTrig", strlen("AT_DisableTrig")) == 0) {
        return "AT_Trigger off";
    }
    if (strncmp(subtype, "AT_Enable", strlen("AT_Enable")) == 0 &&
        strstr(subtype, "Trig") != NULL) {
        return "AT_Trigger";
    }
    if (strcmp(subtype, "AT_SetRelOptions") == 0 || strcmp(subtype, "AT_ResetRelOptions") == 0) {
        return options_detail(tree, command);
    }
    return subtype;
}

static void add_command(LockList *list, const Json *tree, const Json *command)
{
    const Json *relation = json_object_get(tree, "relation");
    const Json *definition = json_object_get(command, "def");
    const Json *partition = json_object_get(definition, "PartitionCmd");
    const char *subtype = json_get_text(command, "subtype", "");
    if (strcmp(subtype, "AT_AddColumn") == 0) {
        add_column(list, relation, json_object_get(definition, "ColumnDef"));
    } else if (strcmp(subtype, "AT_AddConstraint") == 0) {
        add_constraint(list, relation, json_object_get(definition, "Constraint"), false);
    } else if (partition != NULL && tree_text_is(tree, "objtype", "OBJECT_TABLE")) {
        add_partition(list, relation, subtype, partition);
    } else {
        lock_list_add_relation(list, relation, node, command_detail(tree, command));
        if (strcmp(subtype, "AT_AddInherit") == 0 || strcmp(subtype, "AT_DropInherit") == 0) {
            lock_list_add_relation(list, json_object_get(definition, "RangeVar"), node,
                                   "AT_AddInherit parent");
        }
    }
}

void lock_list_add_alter(LockList *list, const Json *tree)
{
    const Json *commands = json_object_get(tree, "cmds");
    if (tree_text_is(tree, "objtype", "OBJECT_TYPE")) {
        return;
    }
    for (size_t i = 0; i < json_array_size(commands); i++) {
        list->command = json_object_get(json_array_get(commands, i), "AlterTableCmd");
        add_command(list, tree, list->command);
    }
    list->command = NULL;
}
