#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"

#include "pg/sql_lex.h"

static void tokens_end_where_postgresql_ends_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        SqlTokenKind kind;
        size_t length;
    } cases[] = {
        {"  \n\tx", SQL_TOKEN_SPACE, 4},
        {"-- a; b\nx", SQL_TOKEN_SPACE, 7},
        {"/* a /* b */ ; */ x", SQL_TOKEN_SPACE, 17},
        {"/* open", SQL_TOKEN_SPACE, 7},
        {"'it''s' x", SQL_TOKEN_OTHER, 7},
        {"'a\\' x", SQL_TOKEN_OTHER, 4},
        {"E'a\\'b' x", SQL_TOKEN_OTHER, 7},
        {"e'a' \n 'b\\'c' x", SQL_TOKEN_OTHER, 13},
        {"e'a'  'b' x", SQL_TOKEN_OTHER, 4},
        {"\"a\"\"b\" x", SQL_TOKEN_OTHER, 6},
        {"$$ ; $$ x", SQL_TOKEN_OTHER, 7},
        {"$a$ $$ $b$ $a$ x", SQL_TOKEN_OTHER, 14},
        {"$1$ x", SQL_TOKEN_OTHER, 1},
        {"a$b$c x", SQL_TOKEN_OTHER, 5},
        {"name'x'", SQL_TOKEN_OTHER, 4},
        {"1e5,", SQL_TOKEN_OTHER, 3},
        {"\xc3\xa9t\xc3\xa9 x", SQL_TOKEN_OTHER, 5},
        {"-x", SQL_TOKEN_OTHER, 1},
        {"(a", SQL_TOKEN_OPEN, 1},
        {"]a", SQL_TOKEN_CLOSE, 1},
        {",a", SQL_TOKEN_SEPARATOR, 1},
        {";a", SQL_TOKEN_SEPARATOR, 1},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        size_t length = 0;
        assert_int_equal(sql_lex_token(cases[i].text, &length), cases[i].kind);
        assert_int_equal(length, cases[i].length);
    }
}

static void space_is_white_space_and_comments_in_any_mixture(void **state)
{
    (void)state;
    assert_int_equal(sql_lex_space("a"), 0);
    assert_int_equal(sql_lex_space(" -- b\n /* c */a"), 14);
    assert_int_equal(sql_lex_space(" -- b"), 5);
}

static void depth_counts_what_is_between_separators(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_shallow; /* at most 6 tokens deep */
    } cases[] = {
        {"a b c d e f", true},
        {"a b c d e f g", false},
        {"a b c, d e f, g h i", true},
        {"a b c; d e f; g h i; a b c; x y", true},
        {"a (b (c (d", false},
        {"(a, b) (c, d) e", true},
        {"(a b c, b) (c, d) e", false},
        {"a union a, a union a, a union a, a", true},
        {"a union a, a union a, a union a, a union a, a UNION a b", false},
        {"'a b c d e f g' $$a b c d e f g$$", true},
        {")))))) a", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        size_t offset = 0;
        assert_int_equal(sql_lex_is_shallow(cases[i].text, 6, &offset), cases[i].is_shallow);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_end_where_postgresql_ends_them),
        cmocka_unit_test(space_is_white_space_and_comments_in_any_mixture),
        cmocka_unit_test(depth_counts_what_is_between_separators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
