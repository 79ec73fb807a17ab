/* Checks and measures on text that people type. Any thread; does not block. */
#ifndef TENANTRY_CORE_TEXT_H
#define TENANTRY_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

/* Whether the bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most
 * U+10FFFF); on true ret_chars, when not NULL, is the number of characters. */
bool text_is_utf8(const char *bytes, size_t length, size_t *ret_chars);

/* Whether text holds a control character (C0, DEL, or C1 as UTF-8) or a character that changes the
 * direction or visibility of text around it (U+200B, U+200E, U+200F, U+202A-U+202E, U+2060-U+2069,
 * U+FEFF; not the joiners U+200C and U+200D, which words are written with). text is valid UTF-8. */
bool text_has_control(const char *text);

/* Whether the bytes are the same. */
bool text_is_same(const char *a, const char *b);

bool text_begins_with(const char *text, const char *beginning);

/* The candidate nearest to word in edits (insert, delete, replace, swap), or NULL when none is near
 * enough to be what was meant. Borrowed from candidates. */
const char *text_nearest(const char *word, const char *const *candidates, size_t count);

/* A decimal integer that fills the whole text; false when it is none or does not fit. */
bool text_to_int(const char *text, int64_t *ret_value);

/* An ASCII letter in the other case; every other byte as it is. The locale does not matter. */
char text_upper(char c);
char text_lower(char c);

/* The number that text begins with ("15" of "15.20"); 0 when it begins with none, or with one past
 * INT32_MAX. */
int text_leading_int(const char *text);

/* The number of bytes of printable ASCII that text begins with. */
size_t text_count_ascii(const char *text);

/* text with every byte that is not printable ASCII or valid UTF-8 shown as \xNN, cut to about
 * max_bytes, for quoting input in an error. */
const char *text_quote(Arena *arena, const char *text, size_t max_bytes);

#endif
