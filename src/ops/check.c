#include "ops/op.h"

#include <limits.h>
#include <string.h>

#include "core/choices.h"
#include "core/duration.h"
#include "core/limits.h"
#include "core/slug.h"
#include "core/text.h"

enum { QUOTE_BYTES = 80 };

/* One given value: its text when it came as text. */
typedef struct Given {
    const Json *json;
    const char *text; /* NULL: not a string */
} Given;

static int64_t most_chars(const Param *param)
{
    return param->most > 0 ? param->most : LIMIT_PARAM_TEXT_CHARS;
}

/* Whether a row of an int or duration sets a range at all. */
static bool has_range(const Param *param)
{
    return param->least != 0 || param->most != 0;
}

static const char *describe_range(Arena *arena, const Param *param)
{
    if (!has_range(param)) {
        return param->type == PARAM_INT ? "a whole number" : "a duration such as 30s";
    }
    if (param->type == PARAM_INT) {
        return arena_printf(arena, "a whole number from %lld to %lld", (long long)param->least,
                            (long long)param->most);
    }
    return arena_printf(arena, "a duration from %s to %s", duration_to_text(arena, param->least),
                        duration_to_text(arena, param->most));
}

static const char *describe_expected(Arena *arena, const Param *param)
{
    switch (param->type) {
    case PARAM_TEXT:
        return arena_printf(arena, "a text of %lld to %lld characters without control characters",
                            (long long)(param->least > 1 ? param->least : 1),
                            (long long)most_chars(param));
    case PARAM_SLUG:
        return "a slug";
    case PARAM_INT:
    case PARAM_DURATION_MS:
        return describe_range(arena, param);
    case PARAM_BOOL:
        return "true or false";
    case PARAM_ENUM:
        return arena_printf(arena, "one of %s", param->choices);
    case PARAM_PATH:
        return arena_printf(arena, "a path of at most %d bytes", PATH_MAX - 1);
    }
    return "a value";
}

static bool refuse_value(const Param *param, const Given *given, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    size_t count = 0;
    const char *const *words = choices_split(arena, param->choices, &count);
    const char *text = given->text != NULL ? given->text : json_to_text(arena, given->json);
    const char *nearest = text_nearest(text, words, count);
    ERR_SET(err, ERR_INPUT_INVALID, param->type == PARAM_DURATION_MS ? DURATION_HINT : NULL,
            "parameter \"%s\": \"%s\" is not %s", param->name, text_quote(arena, text, QUOTE_BYTES),
            describe_expected(arena, param));
    if (nearest != NULL) {
        err_hint(err, "did you mean \"%s\"?", nearest);
    }
    return false;
}

static bool is_in_range(const Param *param, int64_t value)
{
    return !has_range(param) || (value >= param->least && value <= param->most);
}

static bool is_text_allowed(const Param *param, const char *text)
{
    size_t chars = 0;
    return text_is_utf8(text, strlen(text), &chars) && chars >= 1 &&
           (int64_t)chars >= param->least && (int64_t)chars <= most_chars(param) &&
           !text_has_control(text);
}

/* The value as the operation gets it, a new reference; NULL when it is not allowed. */
static Json *convert_value(const Param *param, const Given *given)
{
    int64_t number = 0;
    const char *text = given->text;
    switch (param->type) {
    case PARAM_BOOL:
        if (text != NULL && choices_has("true|false", text)) {
            return json_boolean(strcmp(text, "true") == 0);
        }
        return json_is_boolean(given->json) ? json_boolean(json_is_true(given->json)) : NULL;
    case PARAM_INT:
    case PARAM_DURATION_MS:
        if (text == NULL               ? !json_is_integer(given->json)
            : param->type == PARAM_INT ? !text_to_int(text, &number)
                                       : !duration_to_ms(text, &number)) {
            return NULL;
        }
        number = text != NULL ? number : json_integer_value(given->json);
        return is_in_range(param, number) ? json_integer(number) : NULL;
    case PARAM_ENUM:
        return text != NULL && choices_has(param->choices, text) ? json_string(text) : NULL;
    case PARAM_PATH:
        return text != NULL && *text != '\0' && strlen(text) < PATH_MAX && !text_has_control(text)
                   ? json_string(text)
                   : NULL;
    case PARAM_TEXT:
        return text != NULL && is_text_allowed(param, text) ? json_string(text) : NULL;
    case PARAM_SLUG:
        return text != NULL ? json_string(text) : NULL;
    }
    return NULL;
}

static bool take_value(const Param *param, const Json *value, Json **ret_value, Err *err)
{
    Given given = {.json = value};
    if (json_is_string(value)) {
        given.text = json_string_value(value);
        if (strlen(given.text) != json_string_length(value)) {
            return ERR_SET(err, ERR_INPUT_INVALID, NULL,
                           "parameter \"%s\" holds a NUL character, expected %s", param->name,
                           "text without one");
        }
    }
    if (param->type == PARAM_SLUG && given.text != NULL && !slug_check(given.text, err)) {
        return err_prefix(err, "parameter \"%s\"", param->name);
    }
    *ret_value = convert_value(param, &given);
    return *ret_value != NULL || refuse_value(param, &given, err);
}

/* One value stands for a list of one. */
static bool take_values(const Param *param, const Json *value, Json **ret_values, Err *err)
{
    scoped_json Json *values = json_array();
    const size_t count = json_is_array(value) ? json_array_size(value) : 1;
    if (count > LIMIT_PARAM_VALUES) {
        return ERR_SET(err, ERR_INPUT_INVALID, NULL, "parameter \"%s\" has %zu values, at most %d",
                       param->name, count, LIMIT_PARAM_VALUES);
    }
    for (size_t i = 0; i < count; i++) {
        Json *one = NULL;
        if (!take_value(param, json_is_array(value) ? json_array_get(value, i) : value, &one,
                        err)) {
            return false;
        }
        json_array_append_new(values, one);
    }
    *ret_values = json_incref(values);
    return true;
}

static bool put_value(const Param *param, const Json *value, Json *args, Err *err)
{
    Json *converted = NULL;
    if (!(param->is_repeated ? take_values(param, value, &converted, err)
                             : take_value(param, value, &converted, err))) {
        return false;
    }
    json_put(args, param->name, converted);
    return true;
}

static const Param *find_param(const Operation *op, const char *name)
{
    for (const Param *param = op->params; param != NULL && param->name != NULL; param++) {
        if (strcmp(param->name, name) == 0) {
            return param;
        }
    }
    return NULL;
}

static bool refuse_unknown(const Operation *op, const char *name, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    size_t count = 0;
    while (op->params != NULL && op->params[count].name != NULL) {
        count++;
    }
    const char **names = ARENA_ARRAY(arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        names[i] = op->params[i].name;
    }
    ERR_SET(err, ERR_INPUT_INVALID, NULL, "operation \"%s\" has no parameter \"%s\"", op->name,
            text_quote(arena, name, QUOTE_BYTES));
    const char *nearest = text_nearest(name, names, count);
    if (nearest != NULL) {
        err_hint(err, "did you mean \"%s\"?", nearest);
    }
    return false;
}

static bool check_all_known(const Operation *op, const Json *raw, Err *err)
{
    /* jansson iterates over a mutable object only; nothing here changes it. */
    Json *object = json_incref((Json *)(uintptr_t)raw);
    bool is_known = true;
    const char *name = NULL;
    Json *value = NULL;
    json_object_foreach(object, name, value)
    {
        if (find_param(op, name) == NULL) {
            is_known = refuse_unknown(op, name, err);
            break;
        }
    }
    json_decref(object);
    return is_known;
}

bool op_check_args(const Operation *op, const Json *raw, Json **ret_args, Err *err)
{
    if (raw != NULL && !json_is_object(raw)) {
        return ERR_SET(err, ERR_INPUT_INVALID, NULL,
                       "the parameters of operation \"%s\" are not an object", op->name);
    }
    if (raw != NULL && !check_all_known(op, raw, err)) {
        return false;
    }
    scoped_json Json *args = json_object();
    for (const Param *param = op->params; param != NULL && param->name != NULL; param++) {
        const Json *value = json_object_get(raw, param->name);
        if (value != NULL && !json_is_null(value)) {
            if (!put_value(param, value, args, err)) {
                return false;
            }
        } else if (param->is_required) {
            scoped_arena Arena *arena = arena_new();
            return ERR_SET(err, ERR_INPUT_INVALID, NULL, "parameter \"%s\" is missing: it is %s",
                           param->name, describe_expected(arena, param));
        } else if (param->fallback != NULL) {
            scoped_json Json *fallback = json_string(param->fallback);
            if (!put_value(param, fallback, args, err)) {
                return false;
            }
        }
    }
    *ret_args = json_incref(args);
    return true;
}
