/* One SQL expression on its own, as people write it in an option. Any thread; does not block. */
#ifndef TENANTRY_PG_SQL_EXPRESSION_H
#define TENANTRY_PG_SQL_EXPRESSION_H

#include <stddef.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/json.h"

/* A parsed expression. Trees have locations of their own: sql_expression_char makes of one the
 * number of a character in text. */
typedef struct SqlExpression {
    const char *text; /* borrowed */
    Json *tree;       /* {"A_Expr": {...}} */
    Json *root;       /* owns the tree */
} SqlExpression;

/* Parses text, which must be one expression and nothing else. ERR_INPUT_INVALID: "WHAT: syntax
 * error at ..., character N". What the expression may hold is the caller's to check. */
bool sql_expression_parse(const char *what, const char *text, SqlExpression *ret_expression,
                          Err *err);
void sql_expression_done(SqlExpression *expression);

/* The character of the text, from 1, that a location of the tree means; 0 when it means none. */
int sql_expression_char(const SqlExpression *expression, int64_t location);

/* The rest of the text from a location of the tree; NULL when it means none. */
const char *sql_expression_at(const SqlExpression *expression, int64_t location);

#endif
