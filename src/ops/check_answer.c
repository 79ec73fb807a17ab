#include "ops/op.h"

#include <stdio.h>
#include <string.h>

enum { CHECK_DEPTH_MAX = 8, PATH_SIZE = 160 };

/* Where in the answer we are; written out only for an error. */
typedef struct Place {
    const struct Place *outer; /* NULL: the answer itself */
    const char *name;          /* of a member; NULL: a row of a list */
    size_t row;
    int depth;
} Place;

/* "tenants[3].slug"; what is too long is cut. Returns the length. */
static size_t write_path(const Place *place, char path[PATH_SIZE])
{
    path[0] = '\0';
    if (place->outer == NULL) {
        return 0;
    }
    const size_t used = write_path(place->outer, path);
    char *end = path + used;
    if (place->name == NULL) {
        snprintf(end, PATH_SIZE - used, "[%zu]", place->row);
    } else {
        snprintf(end, PATH_SIZE - used, "%s%s", used == 0 ? "" : ".", place->name);
    }
    return used + strlen(end);
}

static bool fail_at(const Place *place, const char *what, Err *err)
{
    char path[PATH_SIZE];
    write_path(place, path);
    return ERR_SET(err, ERR_INTERNAL, NULL, "answer member \"%s\" %s", path, what);
}

static const char *const type_names[] = {
    [FIELD_TEXT] = "a string",
    [FIELD_INT] = "an integer",
    [FIELD_NUMBER] = "a number",
    [FIELD_BOOL] = "a boolean",
    [FIELD_TIME] = "a time such as 2026-11-21T01:24:00.123456+00:00",
    [FIELD_UUID] = "a UUID in lower case",
    [FIELD_BYTES] = "an integer from 0",
    [FIELD_TEXTS] = "a list of strings",
    [FIELD_LINES] = "a list of strings",
    [FIELD_SQL] = "a string",
    [FIELD_MAP] = "an object of scalars",
    [FIELD_OBJECT] = "an object",
    [FIELD_LIST] = "a list of objects",
};

/* A form: 'd' stands for a decimal digit, 'x' for a lower-case hex digit, the rest for itself. */
static bool has_form(const char *text, const char *form)
{
    for (; *form != '\0'; form++, text++) {
        const bool is_digit = *text >= '0' && *text <= '9';
        if (*form == 'd'
                ? !is_digit
                : (*form == 'x' ? !is_digit && (*text < 'a' || *text > 'f') : *text != *form)) {
            return false;
        }
    }
    return *text == '\0';
}

/* RFC 3339 as the database writes it: a fraction of up to six digits, UTC. */
static bool is_time(const char *text)
{
    enum { SECONDS_LENGTH = 19, FRACTION_MAX = 6 };
    char seconds[SECONDS_LENGTH + 1] = "";
    strncat(seconds, text, SECONDS_LENGTH);
    if (!has_form(seconds, "dddd-dd-ddTdd:dd:dd")) {
        return false;
    }
    const char *rest = text + SECONDS_LENGTH;
    if (*rest == '.') {
        const size_t digits = strspn(rest + 1, "0123456789");
        rest += 1 + digits;
        if (digits == 0 || digits > FRACTION_MAX) {
            return false;
        }
    }
    return strcmp(rest, "Z") == 0 || strcmp(rest, "+00:00") == 0;
}

static bool is_list_of_strings(const Json *value)
{
    bool is_ok = json_is_array(value);
    for (size_t i = 0; is_ok && i < json_array_size(value); i++) {
        is_ok = json_is_string(json_array_get(value, i));
    }
    return is_ok;
}

static bool is_map_of_scalars(const Json *value)
{
    if (!json_is_object(value)) {
        return false;
    }
    Json *object = json_incref((Json *)(uintptr_t)value); /* jansson iterates over mutable ones */
    bool is_ok = true;
    for (void *at = json_object_iter(object); at != NULL && is_ok;
         at = json_object_iter_next(object, at)) {
        const Json *member = json_object_iter_value(at);
        is_ok = !json_is_object(member) && !json_is_array(member);
    }
    json_decref(object);
    return is_ok;
}

static bool has_type(FieldType type, const Json *value)
{
    switch (type) {
    case FIELD_TEXT:
    case FIELD_SQL:
        return json_is_string(value);
    case FIELD_INT:
        return json_is_integer(value);
    case FIELD_NUMBER:
        return json_is_number(value);
    case FIELD_BOOL:
        return json_is_boolean(value);
    case FIELD_TIME:
        return json_is_string(value) && is_time(json_string_value(value));
    case FIELD_UUID:
        return json_is_string(value) &&
               has_form(json_string_value(value), "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
    case FIELD_BYTES:
        return json_is_integer(value) && json_integer_value(value) >= 0;
    case FIELD_TEXTS:
    case FIELD_LINES:
        return is_list_of_strings(value);
    case FIELD_MAP:
        return is_map_of_scalars(value);
    case FIELD_OBJECT:
        return json_is_object(value);
    case FIELD_LIST:
        return json_is_array(value);
    }
    return false;
}

static bool check_object(const Field *fields, const Json *object, const Place *place, Err *err);

static bool check_list(const Field *field, const Json *list, const Place *place, Err *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const Place item = {.outer = place, .row = i, .depth = place->depth + 1};
        if (!check_object(field->fields, json_array_get(list, i), &item, err)) {
            return false;
        }
    }
    return true;
}

static bool check_member(const Field *field, const Json *value, const Place *place, Err *err)
{
    if (value == NULL) {
        return fail_at(place, "is missing", err);
    }
    if (json_is_null(value) && field->is_nullable) {
        return true;
    }
    if (!has_type(field->type, value)) {
        char what[PATH_SIZE];
        snprintf(what, sizeof what, "is not %s", type_names[field->type]);
        return fail_at(place, what, err);
    }
    if (field->type == FIELD_OBJECT) {
        return check_object(field->fields, value, place, err);
    }
    return field->type != FIELD_LIST || check_list(field, value, place, err);
}

static bool check_no_others(const Field *fields, const Json *value, const Place *place, Err *err)
{
    Json *object = json_incref((Json *)(uintptr_t)value); /* jansson iterates over mutable ones */
    const char *other = NULL;
    for (void *at = json_object_iter(object); at != NULL && other == NULL;
         at = json_object_iter_next(object, at)) {
        const Field *field = fields;
        while (field->name != NULL && strcmp(field->name, json_object_iter_key(at)) != 0) {
            field++;
        }
        other = field->name == NULL ? json_object_iter_key(at) : NULL;
    }
    const Place at_other = {.outer = place, .name = other};
    const bool is_ok = other == NULL || fail_at(&at_other, "is not declared by its operation", err);
    json_decref(object);
    return is_ok;
}

static bool check_object(const Field *fields, const Json *object, const Place *place, Err *err)
{
    if (place->depth > CHECK_DEPTH_MAX) {
        return fail_at(place, "is nested too deep", err);
    }
    if (!json_is_object(object)) {
        return fail_at(place, "is not an object", err);
    }
    for (const Field *field = fields; field->name != NULL; field++) {
        const Place member = {.outer = place, .name = field->name, .depth = place->depth + 1};
        if (!check_member(field, json_object_get(object, field->name), &member, err)) {
            return false;
        }
    }
    return check_no_others(fields, object, place, err);
}

bool op_check_answer(const Field *fields, const Json *answer, Err *err)
{
    if (!json_is_object(answer)) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "the answer is not an object");
    }
    return check_object(fields, answer, &(Place){.depth = 0}, err);
}
