#include "pg/sql_expression.h"

#include <pg_query.h>
#include <string.h>

#include "core/limits.h"
#include "core/text.h"
#include "pg/sql_lex.h"

/* What is put before the text so that the parser takes it for the expression that it is. */
static const char before[] = "SELECT WHERE ";
enum { BEFORE_BYTES = sizeof before - 1, SHOWN_ERROR_BYTES = 200 };

/* Characters up to and with the one at offset. */
static int char_at(const char *text, size_t offset)
{
    int number = 0;
    for (size_t i = 0; i <= offset && text[i] != '\0'; i++) {
        number += ((unsigned char)text[i] & 0xC0U) != 0x80U ? 1 : 0;
    }
    return number;
}

const char *sql_expression_at(const SqlExpression *expression, int64_t location)
{
    const int64_t offset = location - BEFORE_BYTES;
    return offset < 0 || (size_t)offset >= strlen(expression->text) ? NULL
                                                                    : expression->text + offset;
}

int sql_expression_char(const SqlExpression *expression, int64_t location)
{
    const char *at = sql_expression_at(expression, location);
    return at == NULL ? 0 : char_at(expression->text, (size_t)(at - expression->text));
}

static bool fail_syntax(const char *what, const PgQueryError *error, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    const char *message = error->message == NULL ? "it cannot be parsed" : error->message;
    const int number = error->cursorpos - BEFORE_BYTES;
    message = text_quote(arena, message, SHOWN_ERROR_BYTES);
    return number < 1 ? ERR_SET(err, ERR_INPUT_INVALID, NULL, "%s: %s", what, message)
                      : ERR_SET(err, ERR_INPUT_INVALID, NULL, "%s: %s, character %d", what, message,
                                number);
}

/* A SELECT that has a WHERE clause and nothing else, and nothing behind it. */
static Json *find_tree(const Json *root)
{
    const Json *statements = json_object_get(root, "stmts");
    const Json *select = json_object_get(json_object_get(json_array_get(statements, 0), "stmt"),
                                         "SelectStmt");
    const bool is_alone = json_array_size(statements) == 1 && json_object_size(select) == 3 &&
                          strcmp(json_get_text(select, "limitOption", ""),
                                 "LIMIT_OPTION_DEFAULT") == 0 &&
                          strcmp(json_get_text(select, "op", ""), "SETOP_NONE") == 0;
    return is_alone ? json_object_get(select, "whereClause") : NULL;
}

static bool load(const char *what, const char *json, SqlExpression *expression, Err *err)
{
    json_error_t error;
    expression->root = json_loads(json, 0, &error);
    if (expression->root == NULL) {
        return ERR_SET(err, ERR_INPUT_INVALID, NULL, "%s: it is nested too deeply", what);
    }
    expression->tree = find_tree(expression->root);
    if (expression->tree == NULL) {
        sql_expression_done(expression);
        return ERR_SET(err, ERR_INPUT_INVALID, NULL,
                       "%s: expected one expression and nothing behind it", what);
    }
    return true;
}

bool sql_expression_parse(const char *what, const char *text, SqlExpression *ret_expression,
                          Err *err)
{
    scoped_arena Arena *arena = arena_new();
    size_t offset = 0;
    /* libpg_query recurses over the tree without looking at the stack. */
    if (!sql_lex_is_shallow(text, LIMIT_SQL_RUN_TOKENS, &offset)) {
        return ERR_SET(err, ERR_INPUT_INVALID, NULL, "%s: it is nested too deeply, character %d",
                       what, char_at(text, offset));
    }
    SqlExpression expression = {.text = text};
    const PgQueryParseResult result = pg_query_parse(arena_printf(arena, "%s%s", before, text));
    const bool is_parsed = result.error != NULL ? fail_syntax(what, result.error, err)
                                                : load(what, result.parse_tree, &expression, err);
    pg_query_free_parse_result(result);
    if (is_parsed) {
        *ret_expression = expression;
    }
    return is_parsed;
}

void sql_expression_done(SqlExpression *expression)
{
    json_decref(expression->root);
    *expression = (SqlExpression){.text = expression->text};
}
