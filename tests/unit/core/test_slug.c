#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"
#include "core/slug.h"

#define RULE                                                                                       \
    "a slug is 2 to 63 lower-case letters (a-z), digits and hyphens, starts with a letter, ends "  \
    "with a letter or digit, and has no two hyphens in a row"

static void assert_refused(const char *slug, const char *message, const char *hint)
{
    Err err = {0};
    assert_false(slug_check(slug, &err));
    assert_int_equal(err.code, ERR_INPUT_INVALID);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
}

static void slugs_of_the_right_form_are_taken(void **state)
{
    (void)state;
    static const char *const slugs[] = {
        "ab",      "acme",
        "acme-2",  "a1",
        "pgadmin", "template2",
        "x-y-z",   "a23456789012345678901234567890123456789012345678901234567890123", /* 63 bytes */
    };
    Err err;
    for (size_t i = 0; i < ARRAY_COUNT(slugs); i++) {
        assert_true(slug_check(slugs[i], &err));
    }
}

static void each_broken_rule_is_named_with_the_whole_rule(void **state)
{
    (void)state;
    assert_refused("", "slug \"\" is empty: " RULE, "");
    assert_refused("a", "slug \"a\" is too short: " RULE, "");
    assert_refused("1a", "slug \"1a\" does not start with a letter: " RULE, "");
    assert_refused("-a", "slug \"-a\" does not start with a letter: " RULE, "");
    assert_refused("a-", "slug \"a-\" ends with a hyphen: " RULE, "");
    assert_refused("a--b", "slug \"a--b\" has two hyphens in a row: " RULE, "");
    assert_refused("a_b", "slug \"a_b\" has a character that is not allowed: " RULE, "");
    assert_refused("a23456789012345678901234567890123456789012345678901234567890123x",
                   "slug \"a23456789012345678901234567890123456789012345678901234567890123x\" is "
                   "too long: " RULE,
                   "");
}

static void what_could_hurt_elsewhere_is_refused_and_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *slug;
        const char *quoted;
    } cases[] = {
        {"acme\n", "acme\\x0a"},
        {"../etc", "../etc"},
        {"a'; DROP TABLE x", "a'; DROP TABLE x"},
        {"a\"b", "a\"b"},
        {"\xd0\xb0\x63me", "\xd0\xb0\x63me"}, /* Cyrillic a */
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"a\xe2\x80\xae"
         "b",
         "a\\xe2\\x80\\xaeb"},
        {"a\xff", "a\\xff"},
        {"a b", "a b"},
        {"a%00", "a%00"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char message[512];
        snprintf(message, sizeof message, "slug \"%s\" has a character that is not allowed: " RULE,
                 cases[i].quoted);
        assert_refused(cases[i].slug, message, "");
    }
}

static void capitals_get_the_slug_that_would_do(void **state)
{
    (void)state;
    assert_refused("Acme", "slug \"Acme\" has upper-case letters: " RULE, "write \"acme\"");
    assert_refused("ADMIN", "slug \"ADMIN\" has upper-case letters: " RULE, "");
    assert_refused("A_b", "slug \"A_b\" has upper-case letters: " RULE, "");
}

static void reserved_words_are_refused(void **state)
{
    (void)state;
    static const char *const words[] = {"admin", "pg-x", "postgres", "template0", "www", "none"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        Err err = {0};
        assert_false(slug_check(words[i], &err));
        char start[80];
        snprintf(start, sizeof start, "slug \"%s\" is reserved: ", words[i]);
        assert_memory_equal(err.message, start, strlen(start));
        assert_non_null(strstr(err.message, RULE));
    }
}

static void reserved_words_are_sorted_and_of_the_right_form(void **state)
{
    (void)state;
    static const char *const words[] = {
#define RESERVED(word) word,
#include "core/array.h"
#include "core/slug_reserved.def"
#undef RESERVED
    };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        assert_true(i == 0 || strcmp(words[i - 1], words[i]) < 0);
        Err err = {0};
        assert_false(slug_check(words[i], &err));
        assert_non_null(strstr(err.message, "is reserved"));
    }
}

static void a_slug_of_a_megabyte_is_refused_with_a_short_message(void **state)
{
    (void)state;
    enum { MEGABYTE = 1024 * 1024 };
    char *slug = malloc(MEGABYTE + 1);
    assert_non_null(slug);
    memset(slug, 'a', MEGABYTE);
    slug[MEGABYTE] = '\0';
    Err err = {0};
    assert_false(slug_check(slug, &err));
    assert_non_null(strstr(err.message, "...\" is too long: " RULE));
    free(slug);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(slugs_of_the_right_form_are_taken),
        cmocka_unit_test(each_broken_rule_is_named_with_the_whole_rule),
        cmocka_unit_test(what_could_hurt_elsewhere_is_refused_and_quoted),
        cmocka_unit_test(capitals_get_the_slug_that_would_do),
        cmocka_unit_test(reserved_words_are_refused),
        cmocka_unit_test(reserved_words_are_sorted_and_of_the_right_form),
        cmocka_unit_test(a_slug_of_a_megabyte_is_refused_with_a_short_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
