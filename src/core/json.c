#include "core/json.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"

bool json_parse(const char *text, const char *what, Json **ret_json, Err *err)
{
    json_error_t error;
    Json *json = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (json == NULL) {
        return ERR_SET(err, ERR_INPUT_INVALID, NULL, "%s is not JSON: line %d, column %d: %s", what,
                       error.line, error.column, error.text);
    }
    *ret_json = json;
    return true;
}

static const char *dump(Arena *arena, const Json *json, size_t flags)
{
    char *text = json_dumps(json, flags | JSON_ENCODE_ANY);
    if (text == NULL) {
        abort(); /* only memory can fail: what is dumped was parsed or built here */
    }
    const char *copy = arena_strdup(arena, text);
    free(text);
    return copy;
}

const char *json_to_text(Arena *arena, const Json *json)
{
    return dump(arena, json, JSON_COMPACT);
}

const char *json_to_canonical(Arena *arena, const Json *json)
{
    return dump(arena, json, JSON_COMPACT | JSON_SORT_KEYS);
}

const char *json_to_portable(Arena *arena, const Json *json)
{
    enum { ESCAPE = 2, HEX_DIGITS = 4 }; /* "\u", "001B" */
    char *text = arena_strdup(arena, json_to_canonical(arena, json));
    for (char *at = strchr(text, '\\'); at != NULL; at = strchr(at, '\\')) {
        const size_t digits = at[1] == 'u' ? HEX_DIGITS : 0;
        at += ESCAPE; /* over the second of two backslashes too */
        for (size_t i = 0; i < digits; i++, at++) {
            *at = text_lower(*at);
        }
    }
    return text;
}

const char *json_to_indented(Arena *arena, const Json *json)
{
    return dump(arena, json, JSON_INDENT(2) | JSON_SORT_KEYS);
}

void json_put(Json *object, const char *key, Json *value)
{
    if (value == NULL || json_object_set_new(object, key, value) != 0) {
        abort(); /* text that is not UTF-8 was refused where it came in */
    }
}

void json_put_text(Json *object, const char *key, const char *text)
{
    json_put(object, key, text == NULL ? json_null() : json_string(text));
}

void json_put_int(Json *object, const char *key, int64_t value)
{
    json_put(object, key, json_integer(value));
}

void json_put_bool(Json *object, const char *key, bool value)
{
    json_put(object, key, json_boolean(value));
}

const char *json_get_text(const Json *object, const char *key, const char *fallback)
{
    const Json *value = json_object_get(object, key);
    return json_is_string(value) ? json_string_value(value) : fallback;
}

int64_t json_get_int(const Json *object, const char *key, int64_t fallback)
{
    const Json *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool json_get_bool(const Json *object, const char *key, bool fallback)
{
    const Json *value = json_object_get(object, key);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}
