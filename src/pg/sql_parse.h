/* SQL text, read by libpg_query (the only other files that include it are none): split into
 * statements, parse trees as JSON. SQL text is never changed, except by
 * sql_add_to_list. Any thread; does not block. */
#ifndef TENANTRY_PG_SQL_PARSE_H
#define TENANTRY_PG_SQL_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/json.h"

typedef struct SqlStatement {
    const char *text; /* without the semicolon and without comments before it; in the arena */
    int line;         /* of its first word, from 1 */
    int column;       /* of its first word, in characters, from 1 */
    size_t offset;    /* of its first word, in bytes of the script */
    const char *node; /* the parse tree's node name: "CreateStmt", "SelectStmt"; NULL when split */
    const Json *tree; /* the members of that node; NULL when split */
} SqlStatement;

typedef struct SqlScript {
    const char *file; /* for messages */
    size_t count;
    const SqlStatement *statements;
    Json *root; /* owns the trees; NULL when split */
} SqlScript;

/* Parses a script. A syntax error is reported with code, as "FILE:LINE: message near ...". The JSON
 * trees are released with sql_script_done; the rest is in the arena. An empty script has no
 * statements. */
bool sql_script_parse(Arena *arena, const char *file, const char *text, ErrCode code,
                      SqlScript *ret_script, Err *err);
void sql_script_done(SqlScript *script);

/* sql_script_parse for those who run the statements and do not look into them: the same texts and
 * lines, the same errors, no trees, a tenth of the time. There is nothing to release. */
bool sql_script_split(Arena *arena, const char *file, const char *text, ErrCode code,
                      SqlScript *ret_script, Err *err);

/* Whether a statement's text begins with one of these ("CREATE TABLE "), in whatever case. What has
 * more than one space or a comment there does not. */
bool sql_begins_with_any(const char *statement, const char *const *beginnings, size_t count);

/* Where a statement is, for messages: "FILE:LINE", with ":COLUMN" unless it begins the line. */
const char *sql_statement_place(Arena *arena, const char *file, const SqlStatement *statement);

/* Calls visit for every comment of a text, in order, with its length in bytes and the line that it
 * begins on, from 1. What looks like one in a string or a body in dollar quotes is none. */
void sql_comments_visit(const char *text,
                        void (*visit)(void *context, const char *comment, size_t length, int line),
                        void *context);

/* The parse tree of one PL/pgSQL function, whose texts of SQL are not parsed: definition is its
 * CREATE FUNCTION or PROCEDURE, body what is between its quotes. libpg_query knows no types, so it
 * refuses some functions that PostgreSQL takes (cursors with a query of their own). The caller
 * releases *ret_tree. */
bool sql_plpgsql_parse(const char *definition, const char *body, ErrCode code, Json **ret_tree,
                       Err *err);

/* The statement with one more element at the end of its first list in parentheses (the columns of a
 * CREATE TABLE); NULL when it has none, or an empty one. In the arena. */
const char *sql_add_to_list(Arena *arena, const char *statement, const char *element);

/* Calls visit for every JSON object below tree (tree included) that has a member `node`, with that
 * member's value; stops and returns false when visit returns false. */
bool sql_tree_visit(const Json *tree, const char *node,
                    bool (*visit)(void *context, const Json *value), void *context);

#endif
