#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"
#include "pg/conn.h"
#include "pg/sql.h"
#include "pg/sql_parse.h"
#include "pg/text_array.h"

static void identifiers_are_always_quoted_and_their_quotes_doubled(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    assert_string_equal(sql_ident(arena, "acme").quoted, "\"acme\"");
    assert_string_equal(sql_ident(arena, "a\"; DROP TABLE x; --").quoted,
                        "\"a\"\"; DROP TABLE x; --\"");
}

static void literals_keep_quotes_and_backslashes_as_data(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    assert_string_equal(SQL(arena, "SELECT {}", sql_literal("it's")), "SELECT 'it''s'");
    assert_string_equal(SQL(arena, "SELECT {}", sql_literal("a\\'b")), "SELECT  E'a\\\\''b'");
}

static void an_array_keeps_what_is_in_its_items(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const char *const items[] = {"a,b", "", "c\"d\\", "{NULL}"};
    assert_string_equal(pg_array_of(arena, items, 0), "{}");
    assert_string_equal(pg_array_of(arena, items, 1), "{\"a,b\"}");
    assert_string_equal(pg_array_of(arena, items, ARRAY_COUNT(items)),
                        "{\"a,b\",\"\",\"c\\\"d\\\\\",\"{NULL}\"}");
}

/* Whatever text goes in, one statement comes out, and the text is in it as a value. */
static void no_text_can_end_its_quotes(void **state)
{
    (void)state;
    static const char *const texts[] = {"'",  "\"",  "\\",    "\\'", "'; DROP TABLE t; --",
                                        "{}", "$$",  "\\\\'", "E'",  "\n",
                                        "/*", "a''b"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        scoped_arena Arena *arena = arena_new();
        const char *sql = SQL(arena, "ALTER ROLE {} SET x = {}", sql_name(arena, texts[i]),
                              sql_literal(texts[i]));
        SqlScript script = {0};
        Err err;
        if (!sql_script_parse(arena, "test", sql, ERR_INTERNAL, &script, &err)) {
            fail_msg("%s: %s", sql, err.message);
        }
        assert_int_equal(script.count, 1);
        assert_string_equal(script.statements[0].node, "AlterRoleSetStmt");
        sql_script_done(&script);
    }
}

static void arguments_go_in_in_order_and_braces_in_them_stay(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    assert_string_equal(
        SQL(arena, "{} {} {}", sql_literal("{}"), sql_int(-5), sql_name(arena, "b")),
        "'{}' -5 \"b\"");
}

static void bytea_text_comes_back_as_the_same_bytes(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const uint8_t bytes[] = {0, 1, 0x7f, 0x80, 0xff};
    const char *text = pg_bytea_to_text(arena, bytes, sizeof bytes);
    assert_string_equal(text, "\\x00017f80ff");
    size_t length = 0;
    const uint8_t *back = pg_bytea_from_text(arena, text, &length);
    assert_int_equal(length, sizeof bytes);
    assert_memory_equal(back, bytes, sizeof bytes);
    assert_null(pg_bytea_from_text(arena, "\\x0", &length));
    assert_null(pg_bytea_from_text(arena, "\\xzz", &length));
    assert_null(pg_bytea_from_text(arena, "00", &length));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(identifiers_are_always_quoted_and_their_quotes_doubled),
        cmocka_unit_test(literals_keep_quotes_and_backslashes_as_data),
        cmocka_unit_test(an_array_keeps_what_is_in_its_items),
        cmocka_unit_test(no_text_can_end_its_quotes),
        cmocka_unit_test(arguments_go_in_in_order_and_braces_in_them_stay),
        cmocka_unit_test(bytea_text_comes_back_as_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
