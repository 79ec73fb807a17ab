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

bool lint_is_live_domain(const Lint *lint, const char *name)
{
    return is_older(lint, find_made(lint->types, name));
}

bool lint_is_constrained(const Lint *lint, const char *type)
{
    return find_made(lint->domains, type) != NULL;
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

static bool is_constraint(const Json *constraint)
{
    return tree_text_is(constraint, "contype", "CONSTR_CHECK") ||
           tree_text_is(constraint, "contype", "CONSTR_NOTNULL");
}

static void note_domain(Lint *lint, const Json *tree)
{
    const char *name = tree_last_text(json_object_get(tree, "domainname"));
    const Json *constraints = json_object_get(tree, "constraints");
    note(lint, &lint->types, name);
    for (size_t i = 0; i < json_array_size(constraints); i++) {
        if (is_constraint(json_object_get(json_array_get(constraints, i), "Constraint"))) {
            note(lint, &lint->domains, name);
        }
    }
}

/* ADD CONSTRAINT and SET NOT NULL; one that is dropped again still counts. */
static void note_altered_domain(Lint *lint, const Json *tree)
{
    if (tree_text_is(tree, "subtype", "C") || tree_text_is(tree, "subtype", "O")) {
        note(lint, &lint->domains, tree_last_text(json_object_get(tree, "typeName")));
    }
}

void lint_note_made(Lint *lint, const SqlStatement *statement)
{
    const Json *tree = statement->tree;
    const Json *relation = json_object_get(tree, "relation");
    if (strcmp(statement->node, "CreateEnumStmt") == 0) {
        note(lint, &lint->enums, tree_last_text(json_object_get(tree, "typeName")));
    } else if (strcmp(statement->node, "CreateDomainStmt") == 0) {
        note_domain(lint, tree);
    } else if (strcmp(statement->node, "AlterDomainStmt") == 0) {
        note_altered_domain(lint, tree);
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
