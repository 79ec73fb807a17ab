/* SQL text for statements that take no parameters (DDL, GRANT, SET).
 *
 * A template is a string literal with {} where an argument goes. Arguments are identifiers,
 * literals or numbers, each quoted by its type, so that a name or value can never become SQL. Any
 * thread; does not block. */
#ifndef TENANTRY_PG_SQL_H
#define TENANTRY_PG_SQL_H

#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

/* A quoted identifier; made only by sql_ident. */
typedef struct SqlIdent {
    const char *quoted;
} SqlIdent;

/* Quotes a name. It has 1 to LIMIT_IDENTIFIER_MAX_BYTES bytes (PostgreSQL would cut a longer one
 * silently); anything else is a bug in the caller, who checks what comes from outside, and aborts.
 */
SqlIdent sql_ident(Arena *arena, const char *name);

typedef struct SqlArg {
    enum { SQL_ARG_IDENT, SQL_ARG_LITERAL, SQL_ARG_INT } kind;
    SqlIdent ident;
    const char *literal;
    int64_t number;
} SqlArg;

/* Names, most of the time: an unquoted name that is made an identifier here. */
static inline SqlArg sql_name(Arena *arena, const char *name)
{
    return (SqlArg){.kind = SQL_ARG_IDENT, .ident = sql_ident(arena, name)};
}
static inline SqlArg sql_literal(const char *text)
{
    return (SqlArg){.kind = SQL_ARG_LITERAL, .literal = text};
}
static inline SqlArg sql_int(int64_t number)
{
    return (SqlArg){.kind = SQL_ARG_INT, .number = number};
}

/* SQL(arena, "GRANT {} TO {}", sql_name(arena, group), sql_name(arena, role)); as many arguments as
 * {}. */
#define SQL(arena, sql_template, ...)                                                              \
    sql_build((arena), (sql_template), (const SqlArg[]){__VA_ARGS__},                              \
              sizeof((const SqlArg[]){__VA_ARGS__}) / sizeof(SqlArg))
const char *sql_build(Arena *arena, const char *sql_template, const SqlArg *args, size_t count);

#endif
