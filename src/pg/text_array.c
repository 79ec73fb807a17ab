#include "pg/text_array.h"

void pg_array_quote(StrBuf *text, const char *item)
{
    strbuf_add_char(text, '"');
    for (const char *c = item; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            strbuf_add_char(text, '\\');
        }
        strbuf_add_char(text, *c);
    }
    strbuf_add_char(text, '"');
}

PgArray pg_array_init(Arena *arena)
{
    PgArray array = {.text = strbuf_init(arena)};
    strbuf_add_char(&array.text, '{');
    return array;
}

void pg_array_add(PgArray *array, const char *item)
{
    if (array->text.length > 1) {
        strbuf_add_char(&array->text, ',');
    }
    pg_array_quote(&array->text, item);
}

const char *pg_array_end(PgArray *array)
{
    strbuf_add_char(&array->text, '}');
    return array->text.text;
}

const char *pg_array_of(Arena *arena, const char *const *items, size_t count)
{
    PgArray array = pg_array_init(arena);
    for (size_t i = 0; i < count; i++) {
        pg_array_add(&array, items[i]);
    }
    return pg_array_end(&array);
}
