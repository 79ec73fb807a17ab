#include "pg/sql_lex.h"
#include "pg/sql_parse.h"

void sql_comments_visit(const char *text,
                        void (*visit)(void *context, const char *comment, size_t length, int line),
                        void *context)
{
    int line = 1;
    while (*text != '\0') {
        size_t length = sql_lex_comment(text);
        if (length > 0) {
            visit(context, text, length, line);
        } else if (sql_lex_token(text, &length) == SQL_TOKEN_SPACE) {
            length = 1; /* comments may follow within the same token */
        }
        for (const char *end = text + length; text < end; text++) {
            line += *text == '\n' ? 1 : 0;
        }
    }
}
