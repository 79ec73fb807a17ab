#include "core/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/strbuf.h"

/* Length in bytes of the well-formed character at p (RFC 3629 section 4), or 0; its code point in
 * ret_point. */
static size_t utf8_char(const unsigned char *p, size_t left, uint32_t *ret_point)
{
    if (p[0] < 0x80) {
        *ret_point = p[0];
        return 1;
    }
    const size_t need = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || left < need) {
        return 0;
    }
    uint32_t point = p[0] & (0xFFU >> (need + 1));
    for (size_t i = 1; i < need; i++) {
        if ((p[i] & 0xC0U) != 0x80U) {
            return 0;
        }
        point = point << 6 | (p[i] & 0x3FU);
    }
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[need] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) {
        return 0;
    }
    *ret_point = point;
    return need;
}

bool text_is_utf8(const char *bytes, size_t length, size_t *ret_chars)
{
    size_t chars = 0;
    for (size_t i = 0; i < length; chars++) {
        uint32_t point = 0;
        const size_t step = utf8_char((const unsigned char *)bytes + i, length - i, &point);
        if (step == 0) {
            return false;
        }
        i += step;
    }
    if (ret_chars != NULL) {
        *ret_chars = chars;
    }
    return true;
}

/* Not the joiners U+200C and U+200D: Persian is written with them, and emoji are made of them. */
static bool is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x200B ||
           (point >= 0x200E && point <= 0x200F) || (point >= 0x202A && point <= 0x202E) ||
           (point >= 0x2060 && point <= 0x2069) || point == 0xFEFF;
}

bool text_has_control(const char *text)
{
    const size_t length = strlen(text);
    for (size_t i = 0; i < length;) {
        uint32_t point = 0;
        const size_t step = utf8_char((const unsigned char *)text + i, length - i, &point);
        if (step == 0 || is_control(point)) {
            return true;
        }
        i += step;
    }
    return false;
}

bool text_is_same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

bool text_begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

enum { NEAREST_MAX_BYTES = 64 };

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance: insert, delete, replace, swap of neighbours. Both at most
 * NEAREST_MAX_BYTES. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t rows[3][NEAREST_MAX_BYTES + 1];
    const size_t a_length = strlen(a);
    const size_t b_length = strlen(b);
    for (size_t j = 0; j <= b_length; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            const size_t replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = min_size(replace, min_size(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = min_size(row[j], two_above[j - 2] + 1);
            }
        }
    }
    return rows[a_length % 3][b_length];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t count)
{
    const size_t length = strlen(word);
    if (length == 0 || length > NEAREST_MAX_BYTES) {
        return NULL;
    }
    const char *nearest = NULL;
    size_t best = length / 3 + 2; /* one more than is allowed */
    for (size_t i = 0; i < count; i++) {
        const size_t candidate_length = strlen(candidates[i]);
        if (candidate_length > NEAREST_MAX_BYTES) {
            continue;
        }
        size_t distance = edit_distance(word, candidates[i]);
        if (length >= 3 && strncmp(word, candidates[i], length) == 0) {
            distance = 1; /* an abbreviation */
        }
        if (distance < best && distance < candidate_length) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}

bool text_to_int(const char *text, int64_t *ret_value)
{
    if (*text == '\0' || strspn(text, "+-0123456789") != strlen(text)) {
        return false;
    }
    errno = 0;
    char *end = NULL;
    const long long value = strtoll(text, &end, 10);
    if (*end != '\0' || end == text || errno == ERANGE) {
        return false;
    }
    *ret_value = value;
    return true;
}

char text_upper(char c)
{
    static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (c < 'a' || c > 'z') {
        return c;
    }
    return upper[c - 'a'];
}

char text_lower(char c)
{
    static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
    if (c < 'A' || c > 'Z') {
        return c;
    }
    return lower[c - 'A'];
}

int text_leading_int(const char *text)
{
    errno = 0;
    const long value = *text >= '0' && *text <= '9' ? strtol(text, NULL, 10) : 0;
    return errno == ERANGE || value > INT32_MAX ? 0 : (int)value;
}

size_t text_count_ascii(const char *text)
{
    size_t count = 0;
    while (text[count] >= ' ' && text[count] <= '~') {
        count++;
    }
    return count;
}

const char *text_quote(Arena *arena, const char *text, size_t max_bytes)
{
    StrBuf buf = strbuf_init(arena);
    const size_t length = strlen(text);
    const size_t plain = text_count_ascii(text);
    strbuf_add_bytes(&buf, text, plain < max_bytes ? plain : max_bytes);
    for (size_t i = buf.length; i < length;) {
        if (buf.length >= max_bytes) {
            strbuf_add(&buf, "...");
            break;
        }
        uint32_t point = 0;
        const size_t step = utf8_char((const unsigned char *)text + i, length - i, &point);
        if (step == 0 || is_control(point)) {
            const size_t bytes = step == 0 ? 1 : step;
            for (size_t k = 0; k < bytes; k++) {
                strbuf_printf(&buf, "\\x%02x", (unsigned char)text[i + k]);
            }
            i += bytes;
        } else {
            strbuf_add_bytes(&buf, text + i, step);
            i += step;
        }
    }
    return buf.text;
}
