#include "cli/screen.h"

#include <string.h>
#include <wchar.h>

#include "core/text.h"

const char *screen_safe(Arena *arena, const char *text)
{
    const bool is_plain = text[text_count_ascii(text)] == '\0';
    return is_plain ? text : text_quote(arena, text, SIZE_MAX);
}

size_t screen_width(const char *text)
{
    mbstate_t state = {0};
    size_t width = text_count_ascii(text);
    text += width;
    size_t left = strlen(text);
    while (left > 0) {
        wchar_t character = 0;
        const size_t bytes = mbrtowc(&character, text, left, &state);
        if (bytes == 0 || bytes > left) {
            return width + left; /* no UTF-8 locale on this machine: count bytes */
        }
        const int columns = wcwidth(character);
        width += columns > 0 ? (size_t)columns : 0;
        text += bytes;
        left -= bytes;
    }
    return width;
}

void screen_pad(FILE *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        putc(' ', out);
    }
}

void screen_wrap(FILE *out, const char *text, size_t indent, size_t width)
{
    size_t column = indent;
    for (const char *word = text + strspn(text, " \n"); *word != '\0';) {
        const size_t length = strcspn(word, " \n");
        if (column > indent && column + 1 + length > width) {
            putc('\n', out);
            screen_pad(out, indent);
            column = indent;
        }
        if (column > indent) {
            putc(' ', out);
            column++;
        }
        fwrite(word, 1, length, out);
        column += length; /* help is ASCII: bytes are columns */
        word += length;
        word += strspn(word, " \n");
    }
    putc('\n', out);
}
