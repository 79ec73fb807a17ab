#include <string.h>

#include "pg/sql_lex.h"
#include "pg/sql_parse.h"

const char *sql_add_to_list(Arena *arena, const char *statement, const char *element)
{
    int depth = 0;
    bool is_empty = true;
    for (size_t at = 0, length = 0; statement[at] != '\0'; at += length) {
        const SqlTokenKind kind = sql_lex_token(statement + at, &length);
        depth += kind == SQL_TOKEN_OPEN ? 1 : 0;
        depth -= kind == SQL_TOKEN_CLOSE ? 1 : 0;
        if (kind == SQL_TOKEN_CLOSE && depth == 0) {
            return is_empty ? NULL
                            : arena_printf(arena, "%.*s, %s%s", (int)at, statement, element,
                                           statement + at);
        }
        is_empty = is_empty && (depth == 0 || kind == SQL_TOKEN_SPACE || kind == SQL_TOKEN_OPEN);
    }
    return NULL;
}
