#include "core/slug.h"

#include <string.h>

#include "core/arena.h"
#include "core/array.h"
#include "core/limits.h"
#include "core/text.h"

#define SLUG_RULE                                                                                  \
    "a slug is 2 to 63 lower-case letters (a-z), digits and hyphens, starts with a letter, ends "  \
    "with a letter or digit, and has no two hyphens in a row"

_Static_assert(LIMIT_SLUG_MIN_BYTES == 2 && LIMIT_SLUG_MAX_BYTES == 63, "SLUG_RULE says 2 to 63");

static const char *const reserved[] = {
#define RESERVED(word) word,
#include "core/slug_reserved.def"
#undef RESERVED
};

/* Not isalpha and friends: those ask the locale. */
static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* Which rule of form the slug breaks, as the middle of a sentence; NULL when none. */
static const char *find_broken_rule(const char *slug, size_t length)
{
    if (length == 0) {
        return "is empty";
    }
    if (length < LIMIT_SLUG_MIN_BYTES) {
        return "is too short";
    }
    if (length > LIMIT_SLUG_MAX_BYTES) {
        return "is too long";
    }
    for (size_t i = 0; i < length; i++) {
        if (is_upper(slug[i])) {
            return "has upper-case letters";
        }
        if (!is_letter(slug[i]) && !is_digit(slug[i]) && slug[i] != '-') {
            return "has a character that is not allowed";
        }
    }
    if (!is_letter(slug[0])) {
        return "does not start with a letter";
    }
    if (slug[length - 1] == '-') {
        return "ends with a hyphen";
    }
    return strstr(slug, "--") != NULL ? "has two hyphens in a row" : NULL;
}

static bool is_reserved(const char *slug)
{
    for (size_t i = 0; i < ARRAY_COUNT(reserved); i++) {
        if (strcmp(slug, reserved[i]) == 0) {
            return true;
        }
    }
    return strncmp(slug, "pg-", strlen("pg-")) == 0;
}

/* When the capitals are all that is wrong, the hint is the slug that would do. */
static void hint_lower_case(const char *slug, size_t length, Err *err)
{
    char lower[LIMIT_SLUG_MAX_BYTES + 1] = {0};
    for (size_t i = 0; i < length; i++) {
        lower[i] = text_lower(slug[i]);
    }
    if (find_broken_rule(lower, length) == NULL && !is_reserved(lower)) {
        err_hint(err, "write \"%s\"", lower);
    }
}

bool slug_check(const char *slug, Err *err)
{
    const size_t length = strlen(slug);
    const char *broken = find_broken_rule(slug, length);
    scoped_arena Arena *arena = arena_new();
    if (broken != NULL) {
        ERR_SET(err, ERR_INPUT_INVALID, NULL, "slug \"%s\" %s: " SLUG_RULE,
                text_quote(arena, slug, LIMIT_SLUG_MAX_BYTES + 1), broken);
        if (length <= LIMIT_SLUG_MAX_BYTES) {
            hint_lower_case(slug, length, err);
        }
        return false;
    }
    if (is_reserved(slug)) {
        return ERR_SET(err, ERR_INPUT_INVALID, "choose another slug",
                       "slug \"%s\" is reserved: words of the product and of the internet, and "
                       "everything that begins with \"pg-\", cannot be slugs; " SLUG_RULE,
                       slug);
    }
    return true;
}
