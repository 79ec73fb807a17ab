#include "core/strbuf.h"

#include <string.h>

enum { STRBUF_START_BYTES = 128 };

StrBuf strbuf_init(Arena *arena)
{
    return (StrBuf){.arena = arena,
                    .text = arena_alloc(arena, STRBUF_START_BYTES),
                    .capacity = STRBUF_START_BYTES};
}

void strbuf_add_bytes(StrBuf *buf, const char *bytes, size_t length)
{
    if (buf->capacity - buf->length <= length) {
        const size_t capacity = (buf->length + length + 1) * 2;
        char *text = arena_alloc(buf->arena, capacity);
        memcpy(text, buf->text, buf->length);
        buf->text = text;
        buf->capacity = capacity;
    }
    memcpy(buf->text + buf->length, bytes, length);
    buf->length += length;
    buf->text[buf->length] = '\0';
}

void strbuf_add(StrBuf *buf, const char *text)
{
    strbuf_add_bytes(buf, text, strlen(text));
}

void strbuf_add_char(StrBuf *buf, char c)
{
    strbuf_add_bytes(buf, &c, 1);
}

void strbuf_printf(StrBuf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    strbuf_add(buf, arena_vprintf(buf->arena, format, args));
    va_end(args);
}
