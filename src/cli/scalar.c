#include <stdlib.h>
#include <string.h>

#include "cli/render.h"
#include "cli/screen.h"
#include "core/array.h"
#include "core/strbuf.h"

enum { SECONDS_LENGTH = 19 /* "2026-11-21T01:24:00" */, STEP_BYTES = 1024, TENTHS = 10 };

static const char *format_bytes(Arena *arena, int64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < STEP_BYTES) {
        return arena_printf(arena, "%lld B", (long long)bytes);
    }
    double amount = (double)bytes / STEP_BYTES;
    size_t unit = 0;
    /* 1023.96 would be written 1024.0. */
    while (amount >= STEP_BYTES - 0.05 && unit + 1 < ARRAY_COUNT(units)) {
        amount /= STEP_BYTES;
        unit++;
    }
    return arena_printf(arena, "%.1f %s", amount, units[unit]);
}

/* "2026-11-21T01:24:00.123456+00:00" without the fraction and with a space; other text, such as a
 * time that is not UTC, as it is. */
static const char *format_time(Arena *arena, const char *text)
{
    if (strlen(text) <= SECONDS_LENGTH || text[10] != 'T') {
        return screen_safe(arena, text);
    }
    const char *zone = text + SECONDS_LENGTH;
    zone += *zone == '.' ? 1 + strspn(zone + 1, "0123456789") : 0;
    if (strcmp(zone, "Z") != 0 && strcmp(zone, "+00:00") != 0) {
        return screen_safe(arena, text);
    }
    char *seconds = arena_strndup(arena, text, SECONDS_LENGTH + 1);
    seconds[10] = ' ';
    seconds[SECONDS_LENGTH] = 'Z';
    return screen_safe(arena, seconds);
}

static const char *join_texts(Arena *arena, const Json *list)
{
    StrBuf joined = strbuf_init(arena);
    for (size_t i = 0; i < json_array_size(list); i++) {
        strbuf_add(&joined, i == 0 ? "" : ", ");
        strbuf_add(&joined, render_scalar(arena, FIELD_TEXT, json_array_get(list, i)));
    }
    return joined.length == 0 ? "none" : joined.text;
}

/* A map in a cell: "contacts=500, users=5". */
static const char *join_members(Arena *arena, const Json *map)
{
    StrBuf joined = strbuf_init(arena);
    Json *object = (Json *)(uintptr_t)map; /* jansson iterates over mutable objects only */
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        strbuf_printf(&joined, "%s%s=%s", joined.length == 0 ? "" : ", ",
                      screen_safe(arena, json_object_iter_key(at)),
                      render_scalar(arena, FIELD_TEXT, json_object_iter_value(at)));
    }
    return joined.length == 0 ? "none" : joined.text;
}

const char *render_scalar(Arena *arena, FieldType type, const Json *value)
{
    if (value == NULL || json_is_null(value)) {
        return "-";
    }
    if (json_is_boolean(value)) {
        return json_is_true(value) ? "yes" : "no";
    }
    if (json_is_integer(value)) {
        return type == FIELD_BYTES
                   ? format_bytes(arena, json_integer_value(value))
                   : arena_printf(arena, "%lld", (long long)json_integer_value(value));
    }
    if (json_is_real(value)) {
        return arena_printf(arena, "%.10g", json_real_value(value));
    }
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        return type == FIELD_TIME ? format_time(arena, text) : screen_safe(arena, text);
    }
    return json_is_array(value) ? join_texts(arena, value) : join_members(arena, value);
}

/* The value at "member.member", or NULL. */
static const Json *find_value(Arena *arena, const Json *answer, const char *path, size_t length)
{
    const Json *value = answer;
    for (char *rest = arena_strndup(arena, path, length), *name = NULL;
         value != NULL && (name = strsep(&rest, ".")) != NULL;) {
        value = json_object_get(value, name);
    }
    return value;
}

const char *render_sentence(Arena *arena, const char *sentence, const Json *answer)
{
    StrBuf buf = strbuf_init(arena);
    while (*sentence != '\0') {
        const size_t plain = strcspn(sentence, "{");
        strbuf_add_bytes(&buf, sentence, plain);
        sentence += plain;
        const size_t length = strcspn(sentence, "}");
        if (sentence[0] == '\0' || sentence[length] == '\0') {
            strbuf_add(&buf, sentence);
            break;
        }
        const Json *value = find_value(arena, answer, sentence + 1, length - 1);
        strbuf_add(&buf, render_scalar(arena, FIELD_TEXT, value));
        sentence += length + 1;
    }
    return buf.text;
}
