/* A growing string in an arena. Growth leaves the old copies in the arena, so it is for texts of
 * bounded size. */
#ifndef TENANTRY_CORE_STRBUF_H
#define TENANTRY_CORE_STRBUF_H

#include <stddef.h>

#include "core/arena.h"

typedef struct StrBuf {
    Arena *arena;
    char *text; /* always ends in NUL */
    size_t length;
    size_t capacity;
} StrBuf;

/* An empty string whose memory comes from arena. */
StrBuf strbuf_init(Arena *arena);
void strbuf_add(StrBuf *buf, const char *text);
void strbuf_add_bytes(StrBuf *buf, const char *bytes, size_t length);
void strbuf_add_char(StrBuf *buf, char c);
void strbuf_printf(StrBuf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
