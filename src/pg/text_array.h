/* Texts as one parameter: an array of PostgreSQL's in its text form, for text[], name[] or uuid[].
 * Each is quoted, so that no comma, brace or quote in it makes two of one. Any thread; does not
 * block. */
#ifndef TENANTRY_PG_TEXT_ARRAY_H
#define TENANTRY_PG_TEXT_ARRAY_H

#include <stddef.h>

#include "core/strbuf.h"

typedef struct PgArray {
    StrBuf text;
} PgArray;

/* Memory comes from arena. */
PgArray pg_array_init(Arena *arena);
void pg_array_add(PgArray *array, const char *item);

/* "{"a","b"}", in the arena; "{}" when nothing was added. Nothing is added afterwards. */
const char *pg_array_end(PgArray *array);

/* The same of items that are there already. */
const char *pg_array_of(Arena *arena, const char *const *items, size_t count);

/* One item as it stands in an array, for arrays of arrays. */
void pg_array_quote(StrBuf *text, const char *item);

#endif
