/* How many relations a statement adds to a place. */
#include <string.h>

#include "blueprint/lint.h"
#include "blueprint/lock_alter.h"
#include "core/array.h"

/* A table whose rows can be long has a second one for what does not fit, and that one an index. */
enum { TOAST_RELATIONS = 2 };

/* Types whose values can be longer than a row may be. */
static const char *const long_types[] = {"bytea",   "citext", "hstore",   "json",    "jsonb",
                                         "numeric", "text",   "tsvector", "varchar", "xml"};

static bool is_long(const Json *column)
{
    const Json *type = json_object_get(column, "typeName");
    const char *name = tree_last_text(json_object_get(type, "names"));
    if (json_object_get(type, "arrayBounds") != NULL) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_COUNT(long_types); i++) {
        if (strcmp(name, long_types[i]) == 0) {
            return json_object_get(type, "typmods") == NULL;
        }
    }
    return false;
}

/* A key is an index, unless it takes one that is there; an identity is a sequence. */
static int64_t of_constraint(const Json *constraint)
{
    static const char *const kinds[] = {"CONSTR_EXCLUSION", "CONSTR_IDENTITY", "CONSTR_PRIMARY",
                                        "CONSTR_UNIQUE"};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (tree_text_is(constraint, "contype", kinds[i])) {
            return json_object_get(constraint, "indexname") == NULL ? 1 : 0;
        }
    }
    return 0;
}

static int64_t of_column(const Json *column)
{
    const Json *constraints = json_object_get(column, "constraints");
    int64_t count = type_is_serial(json_object_get(column, "typeName")) ? 1 : 0;
    for (size_t i = 0; i < json_array_size(constraints); i++) {
        count += of_constraint(json_object_get(json_array_get(constraints, i), "Constraint"));
    }
    return count;
}

static int64_t of_table(const Json *tree)
{
    const Json *elements = json_object_get(tree, "tableElts");
    bool has_toast = false;
    int64_t count = 1;
    for (size_t i = 0; i < json_array_size(elements); i++) {
        const Json *column = json_object_get(json_array_get(elements, i), "ColumnDef");
        has_toast = has_toast || is_long(column);
        count += of_column(column) +
                 of_constraint(json_object_get(json_array_get(elements, i), "Constraint"));
    }
    /* The parent of partitions has no rows of its own. */
    return count + (has_toast && json_object_get(tree, "partspec") == NULL ? TOAST_RELATIONS : 0);
}

static int64_t of_alter(const Json *tree)
{
    const Json *commands = json_object_get(tree, "cmds");
    int64_t count = 0;
    for (size_t i = 0; i < json_array_size(commands); i++) {
        const Json *command = json_object_get(json_array_get(commands, i), "AlterTableCmd");
        const Json *definition = json_object_get(command, "def");
        if (tree_text_is(command, "subtype", "AT_AddColumn")) {
            count += of_column(json_object_get(definition, "ColumnDef"));
        } else if (tree_text_is(command, "subtype", "AT_AddConstraint") ||
                   tree_text_is(command, "subtype", "AT_AddIdentity")) {
            count += of_constraint(json_object_get(definition, "Constraint"));
        }
    }
    return count;
}

int64_t relations_added(const SqlStatement *statement)
{
    static const char *const single[] = {"CompositeTypeStmt", "CreateSeqStmt", "CreateTableAsStmt",
                                         "IndexStmt", "ViewStmt"};
    for (size_t i = 0; i < ARRAY_COUNT(single); i++) {
        if (strcmp(statement->node, single[i]) == 0) {
            return 1;
        }
    }
    if (strcmp(statement->node, "CreateStmt") == 0) {
        return of_table(statement->tree);
    }
    return strcmp(statement->node, "AlterTableStmt") == 0 ? of_alter(statement->tree) : 0;
}
