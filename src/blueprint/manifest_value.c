#include "blueprint/manifest_value.h"

#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/text.h"

enum {
    SHOWN_VALUE_BYTES = 60,
    SHOWN_PATH_BYTES = 120,
    DESCRIPTION_MAX_CHARS = 2000,
    SHORT_NAME_MAX = 31
};

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static bool is_name(const char *text, size_t least, size_t most, const char *first,
                    const char *rest)
{
    const size_t length = strlen(text);
    return length >= least && length <= most && strchr(first, *text) != NULL &&
           strspn(text, rest) == length;
}

bool is_short_name(const char *text)
{
    return is_name(text, 2, SHORT_NAME_MAX, LOWER, LOWER DIGITS "_");
}

bool is_plain_identifier(const char *text)
{
    return is_name(text, 1, LIMIT_IDENTIFIER_MAX_BYTES, LOWER "_", LOWER DIGITS "_");
}

bool is_catalogue_name(const char *text)
{
    const size_t length = strlen(text);
    return length >= 1 && length <= LIMIT_IDENTIFIER_MAX_BYTES && !text_has_control(text);
}

bool is_extension_name(const char *text)
{
    return is_name(text, 1, LIMIT_IDENTIFIER_MAX_BYTES, LOWER, LOWER DIGITS "_-");
}

static const char *join_path(Arena *arena, const char *path, const char *key)
{
    return *path == '\0' ? key : arena_printf(arena, "%s.%s", path, key);
}

Spot spot_key(Arena *arena, const Spot *map, const char *key)
{
    return (Spot){.node = yaml_find(map->node, key),
                  .parent = map->node,
                  .path = join_path(arena, map->path, key)};
}

Spot spot_item(Arena *arena, const Spot *list, size_t index)
{
    return (Spot){.node = list->node->items[index],
                  .parent = list->node,
                  .path = arena_printf(arena, "%s[%zu]", list->path, index)};
}

static const YamlNode *spot_place(const Spot *spot)
{
    return spot->node != NULL ? spot->node : spot->parent;
}

static const char *describe(Arena *arena, const YamlNode *node)
{
    if (node == NULL) {
        return "no such key";
    }
    if (node->kind == YAML_KIND_LIST) {
        return node->count == 0 ? "an empty list" : "a list";
    }
    if (node->kind == YAML_KIND_MAP) {
        return node->count == 0 ? "an empty map" : "a map";
    }
    if (*node->text == '\0') {
        return "nothing";
    }
    return arena_printf(arena, "\"%s\"", text_quote(arena, node->text, SHOWN_VALUE_BYTES));
}

bool spot_refuse(Arena *arena, const Spot *spot, const char *expected, Err *err)
{
    return spot_fail(spot, err, "expected %s, found %s", expected, describe(arena, spot->node));
}

bool spot_fail(const Spot *spot, Err *err, const char *format, ...)
{
    scoped_arena Arena *arena = arena_new();
    va_list args;
    va_start(args, format);
    const char *what = arena_vprintf(arena, format, args);
    va_end(args);
    const YamlNode *place = spot_place(spot);
    if (*spot->path == '\0') {
        return ERR_SET(err, ERR_BLUEPRINT_INVALID, NULL, YAML_AT_FORMAT "%s", YAML_AT(place), what);
    }
    return ERR_SET(err, ERR_BLUEPRINT_INVALID, NULL, YAML_AT_FORMAT "key \"%s\": %s",
                   YAML_AT(place), text_quote(arena, spot->path, SHOWN_PATH_BYTES), what);
}

bool spot_map(Arena *arena, const Spot *spot, const char *const *keys, size_t count, Err *err)
{
    if (spot->node == NULL || spot->node->kind != YAML_KIND_MAP) {
        return spot_refuse(arena, spot, "a map (key: value)", err);
    }
    return keys == NULL || yaml_check_keys(spot->node, keys, count, ERR_BLUEPRINT_INVALID, err);
}

bool spot_list(Arena *arena, const Spot *spot, const char *expected, Err *err)
{
    return (spot->node != NULL && spot->node->kind == YAML_KIND_LIST) ||
           spot_refuse(arena, spot, expected, err);
}

bool spot_text(Arena *arena, const Spot *spot, TextCheck check, const char *expected,
               const char **ret_text, Err *err)
{
    if (spot->node == NULL || spot->node->kind != YAML_KIND_SCALAR || !check(spot->node->text)) {
        return spot_refuse(arena, spot, expected, err);
    }
    *ret_text = spot->node->text;
    return true;
}

static bool is_title(const char *text)
{
    size_t chars = 0;
    return text_is_utf8(text, strlen(text), &chars) && chars >= 1 &&
           chars <= LIMIT_NAME_MAX_CHARS && !text_has_control(text);
}

bool spot_title(Arena *arena, const Spot *spot, const char **ret_text, Err *err)
{
    return spot_text(arena, spot, is_title, "one line of 1 to 200 characters", ret_text, err);
}

bool spot_description(Arena *arena, const Spot *spot, const char **ret_text, Err *err)
{
    if (spot->node == NULL) {
        *ret_text = NULL;
        return true;
    }
    const char *const expected = "a text of 1 to 2000 characters";
    if (spot->node->kind != YAML_KIND_SCALAR) {
        return spot_refuse(arena, spot, expected, err);
    }
    /* A block scalar ends in a line end; what people read has none at its end. */
    size_t length = strlen(spot->node->text);
    while (length > 0 && spot->node->text[length - 1] == '\n') {
        length--;
    }
    const char *text = arena_strndup(arena, spot->node->text, length);
    char *one_line = arena_strndup(arena, text, length);
    for (size_t i = 0; i < length; i++) {
        one_line[i] = (char)(one_line[i] == '\n' ? ' ' : one_line[i]);
    }
    size_t chars = 0;
    if (!text_is_utf8(one_line, length, &chars) || chars == 0 || chars > DESCRIPTION_MAX_CHARS ||
        text_has_control(one_line)) {
        return spot_refuse(arena, spot, expected, err);
    }
    *ret_text = text;
    return true;
}

bool spot_int(Arena *arena, const Spot *spot, int64_t least, int64_t most, int64_t *ret_value,
              Err *err)
{
    int64_t value = 0;
    if (spot->node == NULL || spot->node->kind != YAML_KIND_SCALAR || !spot->node->is_plain ||
        !text_to_int(spot->node->text, &value) || value < least || value > most) {
        return spot_refuse(arena, spot,
                           arena_printf(arena, "a whole number from %lld to %lld", (long long)least,
                                        (long long)most),
                           err);
    }
    *ret_value = value;
    return true;
}

bool spot_bool(Arena *arena, const Spot *spot, bool fallback, bool *ret_value, Err *err)
{
    if (spot->node == NULL) {
        *ret_value = fallback;
        return true;
    }
    const bool is_word = spot->node->kind == YAML_KIND_SCALAR && spot->node->is_plain;
    const bool is_true = is_word && strcmp(spot->node->text, "true") == 0;
    if (!is_true && !(is_word && strcmp(spot->node->text, "false") == 0)) {
        return spot_refuse(arena, spot, "true or false", err);
    }
    *ret_value = is_true;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The name that is in the list twice, or NULL. Sorted, so that a long list costs no quadratic time.
 */
static const char *find_twin(Arena *arena, const char *const *names, size_t count)
{
    const char **sorted = ARENA_ARRAY(arena, const char *, count);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = names[i];
    }
    qsort(sorted, count, sizeof *sorted, compare_names);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(sorted[i - 1], sorted[i]) == 0) {
            return sorted[i];
        }
    }
    return NULL;
}

bool spot_names(Arena *arena, const Spot *spot, TextCheck check, const char *expected,
                const char ***ret_names, size_t *ret_count, Err *err)
{
    *ret_names = NULL;
    *ret_count = 0;
    if (spot->node == NULL) {
        return true;
    }
    if (!spot_list(arena, spot, arena_printf(arena, "a list, each %s", expected), err)) {
        return false;
    }
    const size_t count = spot->node->count;
    const char **names = ARENA_ARRAY(arena, const char *, count);
    for (size_t i = 0; i < count; i++) {
        const Spot item = spot_item(arena, spot, i);
        if (!spot_text(arena, &item, check, expected, &names[i], err)) {
            return false;
        }
    }
    const char *twin = find_twin(arena, names, count);
    if (twin != NULL) {
        return spot_fail(spot, err, "\"%s\" is in the list twice", twin);
    }
    *ret_names = names;
    *ret_count = count;
    return true;
}
