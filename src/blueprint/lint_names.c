/* Names with a schema: where a tenant's tables are is not known when a migration is written. */
#include <string.h>

#include "blueprint/lint.h"
#include "core/array.h"

/* tenancy holds what Tenantry offers to migrations, such as tenancy.current_tenant(). */
static const char *const allowed_schemas[] = {"information_schema", "pg_catalog", "tenancy"};

/* Members of a tree that are names, and how many parts they have without a schema. */
static const struct {
    const char *key;
    size_t own_parts;
} name_lists[] = {
    {"collname", 1}, {"defnames", 1}, {"domainname", 1},  {"fields", 2},       {"funcname", 1},
    {"name", 1},     {"objname", 1},  {"opclassname", 1}, {"opfamilyname", 1}, {"typeName", 1},
};

/* Objects that belong to a table: the name of one is the table's name and its own. */
static const char *const parts_of_tables[] = {"OBJECT_COLUMN", "OBJECT_POLICY", "OBJECT_RULE",
                                              "OBJECT_TABCONSTRAINT", "OBJECT_TRIGGER"};

static bool is_listed(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool lint_may_name_schema(const char *schema)
{
    return is_listed(schema, allowed_schemas, ARRAY_COUNT(allowed_schemas));
}

static void check_schema(Lint *lint, const char *schema, const char *name)
{
    if (!lint_may_name_schema(schema)) {
        lint_report(lint, LINT_RULE_qualified_name,
                    arena_printf(lint->arena, "\"%s.%s\"", schema, name));
    }
}

static void check_name(Lint *lint, const Json *list, size_t own_parts)
{
    const size_t count = json_array_size(list);
    /* Of "*" and other parts that are no text nothing is said but their place. */
    if (count > own_parts && *tree_list_text(list, count - own_parts - 1) != '\0') {
        check_schema(lint, tree_list_text(list, count - own_parts - 1),
                     tree_list_text(list, count - own_parts));
    }
}

/* DROP and COMMENT name things as bare lists, or as one list. */
static void check_object_names(Lint *lint, const Json *tree, const char *kind_key)
{
    const bool is_part = is_listed(json_get_text(tree, kind_key, ""), parts_of_tables,
                                   ARRAY_COUNT(parts_of_tables));
    const Json *objects = json_object_get(tree, "objects");
    for (size_t i = 0; i < json_array_size(objects); i++) {
        const Json *list = json_object_get(json_array_get(objects, i), "List");
        check_name(lint, json_object_get(list, "items"), is_part ? 2 : 1);
    }
    const Json *list = json_object_get(json_object_get(tree, "object"), "List");
    check_name(lint, json_object_get(list, "items"), is_part ? 2 : 1);
}

static void check_tree(Lint *lint, const Json *tree);

static void check_object(Lint *lint, const Json *object)
{
    const char *schema = json_get_text(object, "schemaname", NULL);
    const char *name = json_get_text(object, "relname", NULL);
    if (schema != NULL && name != NULL) {
        check_schema(lint, schema, name);
    }
    for (size_t i = 0; i < ARRAY_COUNT(name_lists); i++) {
        /* In a DO block the parts may be those of a variable. */
        if (!lint->is_inner || strcmp(name_lists[i].key, "fields") != 0) {
            check_name(lint, json_object_get(object, name_lists[i].key), name_lists[i].own_parts);
        }
    }
    /* Of a type: "names"; table.column%TYPE has one part more. */
    const bool is_column_type = json_get_bool(object, "pct_type", false);
    check_name(lint, json_object_get(object, "names"), is_column_type ? 2 : 1);
    const char *key = NULL;
    Json *member = NULL;
    /* The iterator takes an object that it does not change. */
    json_object_foreach((Json *)(uintptr_t)object, key, member)
    {
        check_tree(lint, member);
    }
}

/* As deep as the parser's tree may be (core/json.h). */
static void check_tree(Lint *lint, const Json *tree)
{
    if (json_is_object(tree)) {
        check_object(lint, tree);
    }
    for (size_t i = 0; i < json_array_size(tree); i++) {
        check_tree(lint, json_array_get(tree, i));
    }
}

void lint_check_names(Lint *lint, const SqlStatement *statement)
{
    check_tree(lint, statement->tree);
    if (strcmp(statement->node, "DropStmt") == 0) {
        check_object_names(lint, statement->tree, "removeType");
    }
    if (strcmp(statement->node, "CommentStmt") == 0) {
        check_object_names(lint, statement->tree, "objtype");
    }
}
