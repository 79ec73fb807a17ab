/* What the files of where share. Trees are not changed; jansson's functions for reading take them
 * as what can be. */
#ifndef TENANTRY_ROLLOUT_WHERE_PARTS_H
#define TENANTRY_ROLLOUT_WHERE_PARTS_H

#include "core/array.h"
#include "core/strbuf.h"
#include "pg/sql_expression.h"
#include "rollout/where.h"

#define WHERE_OPTION "--where"

typedef enum WhereKind {
    KIND_UNKNOWN, /* a text in quotes or NULL: what its neighbour is */
    KIND_BOOL,
    KIND_INT,
    KIND_INTERVAL,
    KIND_TEXT,
    KIND_TEXTS,
    KIND_TIME,
} WhereKind;

typedef struct WhereCompiler {
    Arena *arena;
    SqlExpression expression;
    size_t first_param;
    size_t count;
    size_t room;
    const char **values;
    StrBuf sql;
    Err *err;
} WhereCompiler;

/* --- where_operand.c: columns, constants, and what is wrong ----------------------------------- */

/* A node is an object with one member, its name. */
Json *where_open_node(Json *node, const char **ret_name);

/* The only name of a list, as of a column or an operator; "" when it has more. */
const char *where_only_name(Json *list);

/* Whether an A_Expr adds an interval to a time, or takes one off. */
bool where_is_shift(Json *body);

/* What an operand is, before it is checked. */
WhereKind where_kind_of(Json *node);

/* All fail with ERR_INPUT_INVALID, the character and what is allowed. name is text of the option or
 * a description. */
bool where_refuse_node(WhereCompiler *compiler, Json *node, const char *name);
bool where_check_kind(WhereCompiler *compiler, Json *node, WhereKind found, WhereKind wanted);

/* Add the SQL of a node of this name that must be of the kind that is wanted. */
bool where_emit_call(WhereCompiler *compiler, Json *body, WhereKind wanted);
bool where_emit_column(WhereCompiler *compiler, Json *body, WhereKind wanted);
bool where_emit_constant(WhereCompiler *compiler, Json *body, WhereKind wanted);
bool where_emit_literal(WhereCompiler *compiler, Json *body, WhereKind wanted);
bool where_emit_value_function(WhereCompiler *compiler, Json *body, WhereKind wanted);

#endif
