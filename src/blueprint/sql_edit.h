/* Changes to the text of a script that leave every line where it was, so that positions in messages
 * stay those of the file. Internal to the module. */
#ifndef TENANTRY_BLUEPRINT_SQL_EDIT_H
#define TENANTRY_BLUEPRINT_SQL_EDIT_H

#include "pg/sql_parse.h"

/* A part of the text that gives way to another. */
typedef struct SqlEdit {
    size_t offset;
    size_t length;
    const char *text; /* "" leaves spaces, so that no two words meet */
} SqlEdit;

typedef struct SqlEdits {
    Arena *arena;
    const char *text; /* of the script */
    SqlEdit *items;
    size_t count;
    size_t capacity;
} SqlEdits;

/* Parts do not overlap; they may come in any order. */
void sql_edit_add(SqlEdits *edits, size_t offset, size_t length, const char *text);

/* Leaves a statement out, from its first byte to behind its semicolon. */
void sql_edit_leave_out(SqlEdits *edits, const SqlStatement *statement);

/* The text with its changes; in the arena. */
const char *sql_edit_apply(SqlEdits *edits);

#endif
