#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"
#include "core/limits.h"
#include "core/strbuf.h"
#include "pg/sql_parse.h"

static bool parse(Arena *arena, const char *text, SqlScript *ret_script, Err *err)
{
    return sql_script_parse(arena, "a.sql", text, ERR_BLUEPRINT_INVALID, ret_script, err);
}

static void statements_have_text_line_and_node(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *node;
        const char *text;
    } wanted[] = {
        {3, "CreateStmt", "create table t (a text default ';')"},
        {5, "DoStmt", "DO $x$ begin perform 1; end; $x$"},
        {6, "CreateFunctionStmt",
         "create function f() returns int language sql begin atomic select 1; select 2; end"},
        {8, "SelectStmt", "select E'a\\';', $a$ ; $a$ /* \xc3\xa9 */ , 1"},
        {10, "SelectStmt", "select '\xc3\xa9'"},
    };
    scoped_arena Arena *arena = arena_new();
    SqlScript script;
    Err err;
    assert_true(parse(arena,
                      "-- hello; \xc3\xa9\n/* nested /* x; */ */\n"
                      "create table t (a text default ';');\n\nDO $x$ begin perform 1; end; $x$;\n"
                      "create function f() returns int language sql begin atomic select 1; select "
                      "2; end;\n  -- c\nselect E'a\\';', $a$ ; $a$ /* \xc3\xa9 */ , 1;;\n  ;\n"
                      "select '\xc3\xa9'\n",
                      &script, &err));
    assert_int_equal(script.count, ARRAY_COUNT(wanted));
    for (size_t i = 0; i < script.count; i++) {
        assert_int_equal(script.statements[i].line, wanted[i].line);
        assert_string_equal(script.statements[i].node, wanted[i].node);
        assert_string_equal(script.statements[i].text, wanted[i].text);
    }
    assert_string_equal(
        json_get_text(json_object_get(script.statements[0].tree, "relation"), "relname", ""), "t");
    sql_script_done(&script);
    assert_int_equal(script.count, 0);
}

static void splitting_finds_the_statements_that_parsing_finds(void **state)
{
    (void)state;
    static const char text[] =
        "-- hello; \xc3\xa9\nselect ';' ;\n;;\n/* a; */ do $x$ begin perform 1; end $x$;\n"
        "create function f() returns int language sql begin atomic select 1; select 2; end;\n"
        "  select $a$ ; $a$ -- last\n";
    scoped_arena Arena *arena = arena_new();
    SqlScript parsed;
    SqlScript split;
    Err err;
    assert_true(parse(arena, text, &parsed, &err));
    assert_true(sql_script_split(arena, "a.sql", text, ERR_BLUEPRINT_INVALID, &split, &err));
    assert_int_equal(split.count, 4);
    assert_int_equal(split.count, parsed.count);
    for (size_t i = 0; i < split.count; i++) {
        assert_string_equal(split.statements[i].text, parsed.statements[i].text);
        assert_int_equal(split.statements[i].line, parsed.statements[i].line);
        assert_null(split.statements[i].tree);
    }
    sql_script_done(&parsed);
}

static void splitting_reports_the_errors_that_parsing_reports(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    SqlScript script;
    Err parse_err;
    Err split_err;
    static const char text[] = "select 1;\nselect from from;\n";
    assert_false(parse(arena, text, &script, &parse_err));
    assert_false(
        sql_script_split(arena, "a.sql", text, ERR_BLUEPRINT_INVALID, &script, &split_err));
    assert_int_equal(split_err.code, ERR_BLUEPRINT_INVALID);
    assert_string_equal(split_err.message, parse_err.message);
}

static void a_script_without_statements_is_empty(void **state)
{
    (void)state;
    static const char *const texts[] = {"", " \n", "-- x", "/* x */", ";", ";\n;"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        scoped_arena Arena *arena = arena_new();
        SqlScript script;
        Err err;
        assert_true(parse(arena, texts[i], &script, &err));
        assert_int_equal(script.count, 0);
        sql_script_done(&script);
    }
}

static void a_syntax_error_names_file_line_and_word(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"select 1;\ncreate tabel x", "a.sql:2: syntax error at or near \"tabel\""},
        {"select '\xc3\xa9\xc3\xa9' as a,\n\n from from",
         "a.sql:3: syntax error at or near \"from\""},
        {"select 'x", "a.sql:1: unterminated quoted string at or near \"'x\""},
        {"select (1\n", "a.sql:2: syntax error at end of input"},
        {"select 1; /* x", "a.sql:1: unterminated /* comment at or near \"/* x\""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        SqlScript script;
        Err err = {0};
        assert_false(parse(arena, cases[i].text, &script, &err));
        assert_int_equal(err.code, ERR_BLUEPRINT_INVALID);
        assert_string_equal(err.message, cases[i].message);
    }
}

/* "SELECT " head, then opening count times, 1, closing count times. */
static const char *nested(Arena *arena, const char *head, const char *opening, const char *closing,
                          size_t count)
{
    const size_t size = strlen(head) + (strlen(opening) + strlen(closing)) * count + 16;
    char *text = arena_alloc(arena, size);
    char *end = stpcpy(stpcpy(text, "SELECT "), head);
    for (size_t i = 0; i < count; i++) {
        end = stpcpy(end, opening);
    }
    *end++ = '1';
    for (size_t i = 0; i < count; i++) {
        end = stpcpy(end, closing);
    }
    return text;
}

static void nesting_that_would_break_the_parser_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        const char *opening;
        const char *closing;
    } shapes[] = {
        {"", "(", ")"},
        {"", "1+", ""},
        {"", "", "::int"},
        {"", "row('a',", ")"},
        {"", "((1,2)+", ",2)"},
        {"1,2 union select ", "1,2 union select ", ""},
        {"", "case when 1 then ", " end"},
        {"", "not ", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(shapes); i++) {
        scoped_arena Arena *arena = arena_new();
        SqlScript script;
        Err err = {0};
        assert_false(parse(
            arena, nested(arena, shapes[i].head, shapes[i].opening, shapes[i].closing, 100000),
            &script, &err));
        assert_string_equal(err.message, "a.sql:1: the statement is nested too deeply");
    }
}

/* Between what the tree's reader takes and the limit of tokens. */
static void nesting_past_the_tree_is_an_error_too(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    SqlScript script;
    Err err = {0};
    assert_false(parse(arena, nested(arena, "", "1+", "", 4000), &script, &err));
    assert_int_equal(err.code, ERR_BLUEPRINT_INVALID);
    assert_string_equal(err.message, "a.sql:1: a statement is nested too deeply");
}

static void a_long_list_is_not_deep(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    SqlScript script;
    Err err;
    assert_true(parse(arena, nested(arena, "", "(1, f(2)), ", "", 20000), &script, &err));
    assert_int_equal(script.count, 1);
    sql_script_done(&script);
}

static bool count_visit(void *context, const Json *value)
{
    (void)value;
    int *count = context;
    return ++*count < 2;
}

static void visiting_finds_nodes_at_any_depth_and_stops_when_told(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    SqlScript script;
    Err err;
    int count = 0;
    assert_true(parse(arena, "select f(1), (select g(h(2)))", &script, &err));
    assert_false(sql_tree_visit(script.statements[0].tree, "FuncCall", count_visit, &count));
    assert_int_equal(count, 2);
    assert_true(sql_tree_visit(script.statements[0].tree, "RangeVar", count_visit, &count));
    assert_int_equal(count, 2);
    sql_script_done(&script);
}

static void an_element_goes_to_the_end_of_the_first_list(void **state)
{
    (void)state;
    static const struct {
        const char *statement;
        const char *expected; /* NULL: there is no list */
    } cases[] = {
        {"create table t (a int)", "create table t (a int, X)"},
        {"create table t (a numeric(1, 2), b text[]) with (fillfactor = 9)",
         "create table t (a numeric(1, 2), b text[], X) with (fillfactor = 9)"},
        {"create table \"(\" (a text default ')' /* ) */) partition by range (a)",
         "create table \"(\" (a text default ')' /* ) */, X) partition by range (a)"},
        {"create table t (\n-- nothing\n)", NULL},
        {"create table t ()", NULL},
        {"create table t (a int", NULL},
        {"vacuum", NULL},
        {"", NULL},
    };
    scoped_arena Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *found = sql_add_to_list(arena, cases[i].statement, "X");
        if (cases[i].expected == NULL) {
            assert_null(found);
        } else {
            assert_string_equal(found, cases[i].expected);
        }
    }
}

static void note_comment(void *context, const char *comment, size_t length, int line)
{
    StrBuf *found = context;
    strbuf_printf(found, "%d[%.*s]", line, (int)length, comment);
}

static void comments_are_visited_wherever_they_are_and_nothing_else_is(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    StrBuf found = strbuf_init(arena);
    sql_comments_visit(
        "-- a\nSELECT '-- no', $$ -- no\n$$, \"/* no */\" -- b\n/* c\n/* d */ */-- e\n"
        "FROM t -- f",
        note_comment, &found);
    assert_string_equal(found.text, "1[-- a]3[-- b]4[/* c\n/* d */ */]5[-- e]6[-- f]");
    sql_comments_visit("", note_comment, &found);
    sql_comments_visit("SELECT 1 - -1", note_comment, &found);
    assert_string_equal(found.text, "1[-- a]3[-- b]4[/* c\n/* d */ */]5[-- e]6[-- f]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_have_text_line_and_node),
        cmocka_unit_test(splitting_finds_the_statements_that_parsing_finds),
        cmocka_unit_test(splitting_reports_the_errors_that_parsing_reports),
        cmocka_unit_test(a_script_without_statements_is_empty),
        cmocka_unit_test(a_syntax_error_names_file_line_and_word),
        cmocka_unit_test(nesting_that_would_break_the_parser_is_refused),
        cmocka_unit_test(nesting_past_the_tree_is_an_error_too),
        cmocka_unit_test(a_long_list_is_not_deep),
        cmocka_unit_test(an_element_goes_to_the_end_of_the_first_list),
        cmocka_unit_test(comments_are_visited_wherever_they_are_and_nothing_else_is),
        cmocka_unit_test(visiting_finds_nodes_at_any_depth_and_stops_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
