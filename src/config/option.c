#include "config/config.h"

#include <limits.h>
#include <string.h>

#include "core/choices.h"
#include "core/duration.h"
#include "core/text.h"

enum { QUOTE_BYTES = 80, TEXT_MAX_BYTES = 4096 };

static const OptionKind kinds[OPTION_COUNT_] = {
#define OPT(symbol, name, short_flag, type, fallback, least, most, choices, is_secret, help)       \
    [symbol] = {#symbol, name, short_flag, type, fallback, least, most, choices, is_secret, help},
#include "config/options.def"
#undef OPT
};

const OptionKind *option_kind(OptionId id)
{
    return &kinds[id];
}

int option_find(const char *name)
{
    for (int id = 0; id < OPTION_COUNT_; id++) {
        if (strcmp(kinds[id].name, name) == 0) {
            return id;
        }
    }
    return -1;
}

const char *option_env_name(Arena *arena, OptionId id)
{
    char *name = arena_printf(arena, "TENANTRY_%s", kinds[id].name);
    for (char *c = name; *c != '\0'; c++) {
        if (*c >= 'a' && *c <= 'z') {
            *c = (char)(*c - 'a' + 'A');
        } else if (*c == '-') {
            *c = '_';
        }
    }
    return name;
}

/* What an option takes, for messages: "a whole number from 0 to 65535". */
static const char *describe_expected(Arena *arena, const OptionKind *kind)
{
    switch (kind->type) {
    case OPTION_BOOL:
        return "true or false";
    case OPTION_INT:
        return arena_printf(arena, "a whole number from %lld to %lld", (long long)kind->least,
                            (long long)kind->most);
    case OPTION_DURATION_MS:
        return arena_printf(arena, "a duration from %s to %s", duration_to_text(arena, kind->least),
                            duration_to_text(arena, kind->most));
    case OPTION_ENUM:
        return arena_printf(arena, "one of %s", kind->choices);
    case OPTION_PATH:
        return arena_printf(arena, "a path of at most %d bytes", PATH_MAX - 1);
    case OPTION_TEXT:
        return arena_printf(arena, "a text of at most %d bytes", TEXT_MAX_BYTES);
    }
    return "a value";
}

static bool is_allowed(const OptionKind *kind, const char *value, int64_t *ret_int)
{
    *ret_int = 0;
    switch (kind->type) {
    case OPTION_BOOL:
        *ret_int = strcmp(value, "true") == 0;
        return *ret_int == 1 || strcmp(value, "false") == 0;
    case OPTION_INT:
        return text_to_int(value, ret_int) && *ret_int >= kind->least && *ret_int <= kind->most;
    case OPTION_DURATION_MS:
        return duration_to_ms(value, ret_int) && *ret_int >= kind->least && *ret_int <= kind->most;
    case OPTION_ENUM:
        return choices_has(kind->choices, value);
    case OPTION_PATH:
        return *value != '\0' && strlen(value) < PATH_MAX && !text_has_control(value);
    case OPTION_TEXT:
        /* Who reads a secret checks it: the master key has several lines while it is rotated. */
        return *value != '\0' && strlen(value) <= TEXT_MAX_BYTES &&
               (kind->is_secret || !text_has_control(value));
    }
    return false;
}

bool option_check(OptionId id, const char *value, const char *where, int64_t *ret_int, Err *err)
{
    const OptionKind *kind = &kinds[id];
    int64_t number = 0;
    if (is_allowed(kind, value, &number)) {
        *ret_int = number;
        return true;
    }
    scoped_arena Arena *arena = arena_new();
    const char *expected = describe_expected(arena, kind);
    if (kind->is_secret) {
        return ERR_SET(err, ERR_CONFIG_INVALID, NULL, "%s: the value is not %s", where, expected);
    }
    return ERR_SET(err, ERR_CONFIG_INVALID, kind->type == OPTION_DURATION_MS ? DURATION_HINT : NULL,
                   "%s: \"%s\" is not %s", where, text_quote(arena, value, QUOTE_BYTES), expected);
}
