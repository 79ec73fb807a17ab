/* Choosing tenants by an expression: migrate up --where "plan = 'pro' AND version < 7".
 *
 * The text is parsed by PostgreSQL's own parser. Only kinds of nodes, columns, operators and types
 * that where.c and where.def list are let through, each with its operands checked; the SQL that
 * runs is made anew from the tree, with every value as a parameter. Nothing of the text itself
 * becomes SQL. */
#ifndef TENANTRY_ROLLOUT_WHERE_H
#define TENANTRY_ROLLOUT_WHERE_H

#include "pg/conn.h"
#include "store/store.h"

/* A condition on the columns of ROLLOUT_TENANTS. */
typedef struct WhereSql {
    const char *sql; /* parameters from $first_param */
    size_t count;
    const char *const *values;
} WhereSql;

/* ERR_INPUT_INVALID: what is wrong, at which character, and what is allowed. In the arena. */
bool where_compile(Arena *arena, const char *text, size_t first_param, WhereSql *ret_where,
                   Err *err);

/* The slugs of the blueprint's tenants of the schema tier that the expression is true for, as
 * text[]. ERR_INPUT_INVALID also for a literal that is none of its type. */
bool where_slugs(Arena *arena, Store *store, const char *blueprint, const char *text,
                 const char **ret_slugs, Err *err);

#endif
