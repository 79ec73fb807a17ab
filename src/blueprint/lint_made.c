/* Names that are made beside tables: whether they were there before the version. */
#include "blueprint/lint_made.h"

#include <string.h>

static const LintMade *find_made(const LintMade *list, const char *name)
{
    while (list != NULL && strcmp(list->name, name) != 0) {
        list = list->next;
    }
    return list;
}

static bool is_older(const Lint *lint, const LintMade *made)
{
    return made != NULL ? made->version < lint->version : lint->is_alone;
}

bool lint_is_live(const Lint *lint, const char *name)
{
    const LintTable *table = lint_find_table(lint, name);
    return table != NULL ? table->version < lint->version
                         : is_older(lint, find_made(lint->made, name));
}

bool lint_is_live_enum(const Lint *lint, const char *name)
{
    return is_older(lint, find_made(lint->enums, name));
}

static void note(const Lint *lint, LintMade **list, const char *name)
{
    LintMade *made = ARENA_NEW(lint->arena, LintMade);
    *made = (LintMade){
        .next = *list, .name = arena_strdup(lint->arena, name), .version = lint->version};
    *list = made;
}

static void note_relation(Lint *lint, const Json *relation)
{
    if (relation != NULL) {
        note(lint, &lint->made, json_get_text(relation, "relname", ""));
    }
}

static void note_enum_value(Lint *lint, const Json *tree)
{
    const char *value = json_get_text(tree, "newVal", NULL);
    if (value != NULL && json_object_get(tree, "oldVal") == NULL &&
        lint_is_live_enum(lint, tree_last_text(json_object_get(tree, "typeName")))) {
        note(lint, &lint->values, value);
    }
}

void lint_note_made(Lint *lint, const SqlStatement *statement)
{
    const Json *tree = statement->tree;
    const Json *relation = json_object_get(tree, "relation");
    if (strcmp(statement->node, "CreateEnumStmt") == 0) {
        note(lint, &lint->enums, tree_last_text(json_object_get(tree, "typeName")));
    } else if (strcmp(statement->node, "AlterEnumStmt") == 0) {
        note_enum_value(lint, tree);
    } else if (strcmp(statement->node, "IndexStmt") == 0) {
        note(lint, &lint->made, json_get_text(tree, "idxname", ""));
    } else if (strcmp(statement->node, "ViewStmt") == 0) {
        note_relation(lint, json_object_get(tree, "view"));
    } else if (strcmp(statement->node, "CreateTableAsStmt") == 0) {
        note_relation(lint, json_object_get(json_object_get(tree, "into"), "rel"));
    } else if (strcmp(statement->node, "CreateStmt") == 0) {
        note_relation(lint, relation);
    }
}
