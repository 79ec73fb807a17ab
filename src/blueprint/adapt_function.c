/* The search_path that a function keeps (SET search_path = ...). In "public" a function could name
 * its tables with the schema, whatever its path; in a place the path is all that leads to them. */
#include <string.h>

#include "blueprint/adapt.h"
#include "blueprint/lint.h"
#include "core/array.h"

/* Where a path leads. */
typedef enum PathKind {
    PATH_TO_PUBLIC,
    PATH_NOWHERE, /* to PostgreSQL's own schemas at most */
    PATH_ELSEWHERE,
} PathKind;

static const char *const no_place[] = {"", "pg_catalog", "pg_temp"};

static bool is_no_place(const char *schema)
{
    for (size_t i = 0; i < ARRAY_COUNT(no_place); i++) {
        if (strcmp(schema, no_place[i]) == 0) {
            return true;
        }
    }
    return false;
}

static PathKind kind_of(const Json *path)
{
    PathKind kind = PATH_NOWHERE;
    for (size_t i = 0; i < json_array_size(path); i++) {
        const Json *value = json_object_get(json_array_get(path, i), "A_Const");
        const char *schema = json_get_text(json_object_get(value, "sval"), "sval", "");
        if (strcmp(schema, "public") == 0) {
            return PATH_TO_PUBLIC;
        }
        kind = is_no_place(schema) ? kind : PATH_ELSEWHERE;
    }
    return kind;
}

/* Where "= a, b" stands behind the word search_path. */
typedef struct PathText {
    size_t offset;
    size_t length;
} PathText;

static bool find_text(const Adapt *adapt, const SqlStatement *statement, PathText *ret_text)
{
    const char *start = adapt->edits.text;
    const char *end = start + statement->offset + strlen(statement->text);
    AdaptToken token = {0};
    AdaptToken sign = {0};
    for (const char *at = start + statement->offset; adapt_next(&at, end, '\0', &token);) {
        const char *behind = at;
        if (!adapt_is_word(&token, "search_path") || !adapt_next(&behind, end, '\0', &sign) ||
            !(*sign.text == '=' || adapt_is_word(&sign, "to"))) {
            continue;
        }
        const char *last = behind;
        while (adapt_next(&behind, end, '\0', &token)) { /* a schema */
            last = behind;
            if (!adapt_next(&behind, end, '\0', &token) || *token.text != ',') {
                break;
            }
        }
        *ret_text = (PathText){.offset = (size_t)(sign.text - start),
                               .length = (size_t)(last - sign.text)};
        return true;
    }
    return false;
}

/* What ALTER FUNCTION changes has its body elsewhere, which may have lost its "public." there. */
bool adapt_function(Adapt *adapt, const SqlStatement *statement, Err *err)
{
    const bool is_alter = strcmp(statement->node, "AlterFunctionStmt") == 0;
    const Json *path = tree_find_search_path(
        json_object_get(statement->tree, is_alter ? "actions" : "options"));
    const PathKind kind = kind_of(path);
    const bool is_lost = adapt->is_body_changed || (is_alter && kind == PATH_NOWHERE);
    PathText text = {0};
    if (path == NULL || !(kind == PATH_TO_PUBLIC || is_lost)) {
        return true;
    }
    if (!find_text(adapt, statement, &text)) { /* SET SCHEMA 'x' says the same */
        return adapt_fail(adapt, statement->offset, err,
                          "write the path of the function as SET search_path = ...");
    }
    if (kind == PATH_ELSEWHERE) {
        adapt_fail(adapt, text.offset, err,
                   "the function names tables in \"public\", and its search_path leads elsewhere");
        err_hint(err, "write SET search_path = public, pg_temp; a tenant's place has no other "
                      "schema");
        return false;
    }
    sql_edit_add(&adapt->edits, text.offset, text.length, "FROM CURRENT");
    return true;
}
