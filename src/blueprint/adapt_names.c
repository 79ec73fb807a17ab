/* The names of what migrations make. */
#include <stdlib.h>
#include <string.h>

#include "blueprint/adapt.h"
#include "blueprint/lint.h"
#include "core/array.h"

enum { NAMES_START = 256 };

/* Where a statement's tree has the name of what it makes: a relation, a list of names, a text. */
static const struct {
    const char *node;
    const char *key;
} makers[] = {
    {"CompositeTypeStmt", "typevar"},
    {"CreateDomainStmt", "domainname"},
    {"CreateEnumStmt", "typeName"},
    {"CreateFunctionStmt", "funcname"},
    {"CreateOpClassStmt", "opclassname"},
    {"CreateOpFamilyStmt", "opfamilyname"},
    {"CreateRangeStmt", "typeName"},
    {"CreateSeqStmt", "sequence"},
    {"CreateStatsStmt", "defnames"},
    {"CreateStmt", "relation"},
    {"DefineStmt", "defnames"},
    {"IndexStmt", "idxname"},
    {"RenameStmt", "newname"},
    {"ViewStmt", "view"},
};

/* What PostgreSQL calls the indexes and sequences that come with a table: the table's name, then
 * maybe columns, then one of these. */
static const char *const table_parts[] = {"_check", "_excl", "_fkey", "_idx",
                                          "_key",   "_pkey", "_seq"};

/* Words that may be between CREATE and the kind of what is made, and kinds. */
static const char *const create_words[] = {"or",     "replace",  "temp",         "temporary",
                                           "unique", "unlogged", "materialized", "recursive"};
static const char *const create_kinds[] = {"domain",   "function", "index", "procedure",
                                           "sequence", "table",    "type",  "view"};
static const char *const name_words[] = {"concurrently", "if", "not", "exists"};

static bool is_among(const AdaptToken *token, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (adapt_is_word(token, words[i])) {
            return true;
        }
    }
    return false;
}

static void add_name(AdaptNames *names, const char *name)
{
    if (name == NULL || *name == '\0') {
        return;
    }
    if (names->count == names->capacity) {
        names->capacity = names->capacity == 0 ? NAMES_START : names->capacity * 2;
        const char **grown = ARENA_ARRAY(names->arena, const char *, names->capacity);
        for (size_t i = 0; i < names->count; i++) {
            grown[i] = names->names[i];
        }
        names->names = grown;
    }
    names->names[names->count++] = arena_strdup(names->arena, name);
}

static bool is_own_schema(const char *schema)
{
    return schema == NULL || *schema == '\0' || strcmp(schema, "public") == 0;
}

static void add_relation(AdaptNames *names, const Json *relation)
{
    if (is_own_schema(json_get_text(relation, "schemaname", NULL))) {
        add_name(names, json_get_text(relation, "relname", NULL));
    }
}

static void add_value(AdaptNames *names, const Json *value)
{
    if (json_is_string(value)) {
        add_name(names, json_string_value(value));
    } else if (json_is_object(value)) {
        add_relation(names, value);
    } else if (json_array_size(value) == 1 ||
               is_own_schema(tree_list_text(value, json_array_size(value) - 2))) {
        add_name(names, tree_last_text(value));
    }
}

static bool visit_constraint(void *context, const Json *constraint)
{
    add_name(context, json_get_text(constraint, "conname", NULL));
    return true;
}

/* CREATE TABLE in the body of a DO block or a function, behind the word CREATE. */
static void add_created(AdaptNames *names, const char *at, const char *end)
{
    AdaptToken token = {0};
    AdaptToken dot = {0};
    do {
        if (!adapt_next(&at, end, '\0', &token)) {
            return;
        }
    } while (is_among(&token, create_words, ARRAY_COUNT(create_words)));
    if (!is_among(&token, create_kinds, ARRAY_COUNT(create_kinds))) {
        return;
    }
    do {
        if (!adapt_next(&at, end, '\0', &token)) {
            return;
        }
    } while (is_among(&token, name_words, ARRAY_COUNT(name_words)));
    const char *behind = at;
    const bool has_dot = adapt_next(&behind, end, '\0', &dot) && *dot.text == '.';
    const bool is_own = !has_dot ||
                        (adapt_is_word(&token, "public") && adapt_next(&behind, end, '.', &token));
    if (is_own) {
        add_name(names, adapt_name(names->arena, &token));
    }
}

static void collect_body(AdaptNames *names, const char *body, const char *end)
{
    AdaptToken token = {0};
    for (const char *at = body; adapt_next(&at, end, '\0', &token);) {
        if (adapt_is_word(&token, "create")) {
            add_created(names, at, end);
        }
    }
}

/* The dollar-quoted texts of a statement. */
static void collect_bodies(AdaptNames *names, const SqlStatement *statement)
{
    const char *end = statement->text + strlen(statement->text);
    AdaptToken token = {0};
    for (const char *at = statement->text; adapt_next(&at, end, '\0', &token);) {
        if (*token.text == '$' && token.length > 2) {
            const size_t tag = strcspn(token.text + 1, "$") + 2;
            if (token.length >= 2 * tag) {
                collect_body(names, token.text + tag, token.text + token.length - tag);
            }
        }
    }
}

void adapt_collect(AdaptNames *names, const SqlScript *script)
{
    for (size_t i = 0; i < script->count; i++) {
        const SqlStatement *statement = &script->statements[i];
        for (size_t j = 0; j < ARRAY_COUNT(makers); j++) {
            if (strcmp(statement->node, makers[j].node) == 0) {
                add_value(names, json_object_get(statement->tree, makers[j].key));
            }
        }
        if (strcmp(statement->node, "CreateTableAsStmt") == 0) {
            add_relation(names, json_object_get(json_object_get(statement->tree, "into"), "rel"));
        }
        sql_tree_visit(statement->tree, "Constraint", visit_constraint, names);
        if (strcmp(statement->node, "DoStmt") == 0) {
            collect_bodies(names, statement);
        }
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void adapt_sort(AdaptNames *names)
{
    if (names->count > 0) {
        qsort(names->names, names->count, sizeof *names->names, compare_names);
    }
}

static bool has_exactly(const AdaptNames *names, const char *name)
{
    return names->count > 0 &&
           bsearch(&name, names->names, names->count, sizeof *names->names, compare_names) != NULL;
}

bool adapt_has(const AdaptNames *names, const char *name)
{
    if (has_exactly(names, name)) {
        return true;
    }
    bool is_part = false;
    const size_t length = strlen(name);
    for (size_t i = 0; i < ARRAY_COUNT(table_parts); i++) {
        const size_t width = strlen(table_parts[i]);
        is_part = is_part || (length > width && strcmp(name + length - width, table_parts[i]) == 0);
    }
    scoped_arena Arena *arena = arena_new();
    char *table = arena_strdup(arena, name);
    for (char *cut = NULL; is_part && (cut = strrchr(table, '_')) != NULL;) {
        *cut = '\0';
        if (has_exactly(names, table)) {
            return true;
        }
    }
    return false;
}
