/* The expression of --where: whatever compiles gives a condition that PostgreSQL's parser takes,
 * with as many parameters as values, and nothing of the text in it. */
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "fuzz.h"
#include "pg/sql_expression.h"
#include "rollout/where.h"

/* All that the SQL may hold besides names of columns and words of the grammar. */
static const char punctuation[] = " $\"()[]:<>=+-,_";

static void check_sql(const WhereSql *where)
{
    SqlExpression expression;
    Err err = {0};
    for (const char *c = where->sql; *c != '\0'; c++) {
        const bool is_word = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                             (*c >= '0' && *c <= '9');
        if (!is_word && strchr(punctuation, *c) == NULL) {
            abort();
        }
    }
    if (!sql_expression_parse("made", where->sql, &expression, &err)) {
        abort();
    }
    sql_expression_done(&expression);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_arena Arena *arena = arena_new();
    const char *text = arena_strndup(arena, (const char *)data, size);
    WhereSql where;
    Err err = {0};
    if (!text_is_utf8(text, strlen(text), NULL)) {
        return 0; /* its callers check that */
    }
    if (where_compile(arena, text, 1, &where, &err)) {
        check_sql(&where);
    } else if (err.code != ERR_INPUT_INVALID) {
        abort();
    }
    return 0;
}
