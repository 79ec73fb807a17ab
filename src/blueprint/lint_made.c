/* Names that are made beside tables: whether they were there before the version. */
#include "blueprint/lint_made.h"
#include "core/array.h"

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
                         : is_older(lint, find_made(lint->made[LINT_SPACE_RELATIONS], name));
}

bool lint_is_live_type(const Lint *lint, const char *name)
{
    return is_older(lint, find_made(lint->made[LINT_SPACE_TYPES], name));
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

/* What a statement makes, under which of its members. */
static const struct {
    const char *node;
    const char *key;
    LintSpace space;
} makers[] = {
    {"CompositeTypeStmt", "typevar", LINT_SPACE_TYPES},
    {"CreateDomainStmt", "domainname", LINT_SPACE_TYPES},
    {"CreateEnumStmt", "typeName", LINT_SPACE_TYPES},
    {"CreateRangeStmt", "typeName", LINT_SPACE_TYPES},
    {"CreateStmt", "relation", LINT_SPACE_RELATIONS},
    {"CreateTableAsStmt", "into", LINT_SPACE_RELATIONS},
    {"IndexStmt", "idxname", LINT_SPACE_RELATIONS},
    {"ViewStmt", "view", LINT_SPACE_RELATIONS},
};

/* Kinds of object that get another name. */
static const struct {
    const char *kind;
    LintSpace space;
} renames[] = {
    {"OBJECT_DOMAIN", LINT_SPACE_TYPES},      {"OBJECT_INDEX", LINT_SPACE_RELATIONS},
    {"OBJECT_MATVIEW", LINT_SPACE_RELATIONS}, {"OBJECT_TABLE", LINT_SPACE_RELATIONS},
    {"OBJECT_TYPE", LINT_SPACE_TYPES},        {"OBJECT_VIEW", LINT_SPACE_RELATIONS},
};

/* A RangeVar, one in an IntoClause, a list of names, or a name. */
static const char *name_of(const Json *member)
{
    const Json *into = json_object_get(member, "rel");
    return json_is_string(member)  ? json_string_value(member)
           : json_is_array(member) ? tree_last_text(member)
                                   : json_get_text(into != NULL ? into : member, "relname", "");
}

/* The name that is there after the statement and was not before; NULL when there is none. */
static const char *find_new_name(const SqlStatement *statement, LintSpace *ret_space)
{
    for (size_t i = 0; i < ARRAY_COUNT(makers); i++) {
        if (strcmp(statement->node, makers[i].node) == 0) {
            *ret_space = makers[i].space;
            return name_of(json_object_get(statement->tree, makers[i].key));
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(renames); i++) {
        if (strcmp(statement->node, "RenameStmt") == 0 &&
            tree_text_is(statement->tree, "renameType", renames[i].kind)) {
            *ret_space = renames[i].space;
            return json_get_text(statement->tree, "newname", "");
        }
    }
    return NULL;
}

bool lint_is_made_again(const Lint *lint, LintSpace space, const char *name)
{
    return json_get_int(lint->makers[space], name, 0) > (int64_t)lint->number;
}

void lint_begin_makers(Lint *lint, const LintScript *script)
{
    for (size_t i = 0; i < LINT_SPACE_COUNT_; i++) {
        lint->makers[i] = json_object();
    }
    for (size_t i = 0; i < script->count; i++) {
        LintSpace space = LINT_SPACE_COUNT_;
        const char *name = find_new_name(&script->statements[i].sql, &space);
        if (name != NULL) {
            json_object_set_new(lint->makers[space], name, json_integer((json_int_t)i));
        }
    }
}

void lint_end_makers(Lint *lint)
{
    for (size_t i = 0; i < LINT_SPACE_COUNT_; i++) {
        json_decref(lint->makers[i]);
        lint->makers[i] = NULL;
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

/* What gets another name keeps its rows and so its age; a type has only its name. */
static void note_renamed(Lint *lint, const Json *tree, LintSpace space, const char *name)
{
    const char *relation = json_get_text(json_object_get(tree, "relation"), "relname", "");
    const Json *list = json_object_get(json_object_get(tree, "object"), "List");
    const char *type = tree_last_text(json_object_get(list, "items"));
    if (space == LINT_SPACE_TYPES) {
        lint_rename_type(lint, type, name);
        if (lint_is_constrained(lint, type)) {
            note(lint, &lint->domains, name);
        }
        return;
    }
    lint_rename_index(lint, relation, name);
    if (lint_is_live(lint, relation)) {
        lint->made[space]->version = lint->version - 1;
    }
}

void lint_note_made(Lint *lint, const SqlStatement *statement)
{
    const Json *tree = statement->tree;
    LintSpace space = LINT_SPACE_COUNT_;
    const char *name = find_new_name(statement, &space);
    if (name != NULL) {
        note(lint, &lint->made[space], name);
    }
    if (name != NULL && strcmp(statement->node, "RenameStmt") == 0) {
        note_renamed(lint, tree, space, name);
    } else if (strcmp(statement->node, "CreateDomainStmt") == 0) {
        note_domain(lint, tree);
    } else if (strcmp(statement->node, "AlterDomainStmt") == 0) {
        note_altered_domain(lint, tree);
    } else if (strcmp(statement->node, "IndexStmt") == 0) {
        lint_note_index(lint, tree);
    }
}
