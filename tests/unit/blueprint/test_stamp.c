#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"

#include "blueprint/stamp_parts.h"

/* As pg_dump writes, with the meta-commands that it has had since the minor releases of 2025. */
static const char dump[] =
    "--\n-- PostgreSQL database dump\n--\n\n\\restrict abcDEF123\n\n"
    "SET statement_timeout = 0;\n"
    "SELECT pg_catalog.set_config('search_path', '', false);\n"
    "SET default_table_access_method = heap;\n"
    "CREATE SCHEMA stamp_0123456789ab;\n"
    "CREATE FUNCTION stamp_0123456789ab.f() RETURNS text\n    LANGUAGE sql\n"
    "    AS $$SELECT '\n\\unrestrict x\n; (set_config)'$$;\n"
    "CREATE TABLE stamp_0123456789ab.parts (\n    a integer DEFAULT (1 + (2)),\n"
    "    b text DEFAULT ')'::text\n)\nPARTITION BY RANGE (a);\n"
    "CREATE TABLE stamp_0123456789ab.empty (\n);\n"
    "CREATE SEQUENCE stamp_0123456789ab.s;\n"
    "ALTER TABLE ONLY stamp_0123456789ab.parts\n    ADD CONSTRAINT parts_pkey PRIMARY KEY (a);\n"
    "ALTER TABLE ONLY stamp_0123456789ab.empty\n    ADD CONSTRAINT e UNIQUE (a);\n"
    "ALTER TABLE ONLY stamp_0123456789ab.parts\n"
    "    ADD CONSTRAINT parts_fk FOREIGN KEY (a) REFERENCES stamp_0123456789ab.empty(a);\n"
    "\n\\unrestrict abcDEF123\n\n";

static void a_dump_becomes_the_statements_that_make_its_objects(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "CREATE FUNCTION stamp_0123456789ab.f() RETURNS text\n    LANGUAGE sql\n"
        "    AS $$SELECT '\n\\unrestrict x\n; (set_config)'$$",
        "CREATE TABLE stamp_0123456789ab.parts (\n    a integer DEFAULT (1 + (2)),\n"
        "    b text DEFAULT ')'::text\n, CONSTRAINT parts_pkey PRIMARY KEY (a))\n"
        "PARTITION BY RANGE (a)",
        "CREATE TABLE stamp_0123456789ab.empty (\n)",
        "CREATE SEQUENCE stamp_0123456789ab.s",
        "ALTER TABLE ONLY stamp_0123456789ab.empty\n    ADD CONSTRAINT e UNIQUE (a)",
        "ALTER TABLE ONLY stamp_0123456789ab.parts\n"
        "    ADD CONSTRAINT parts_fk FOREIGN KEY (a) REFERENCES stamp_0123456789ab.empty(a)",
    };
    scoped_arena Arena *arena = arena_new();
    const char *const *statements = NULL;
    int64_t count = 0;
    Err err;
    assert_true(stamp_flatten(arena, dump, &statements, &count, &err));
    assert_int_equal(count, ARRAY_COUNT(expected));
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++) {
        assert_string_equal(statements[i], expected[i]);
    }
}

static void a_dump_that_is_no_sql_is_an_error(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const char *const *statements = NULL;
    int64_t count = 0;
    Err err;
    assert_false(stamp_flatten(arena, "SELECT 1;\npg_dump: oh;", &statements, &count, &err));
    assert_int_equal(err.code, ERR_BLUEPRINT_INVALID);
    assert_string_equal(err.message, "the dump:2: syntax error at or near \"pg_dump\"");
}

static void the_token_is_replaced_wherever_it_stands(void **state)
{
    (void)state;
    static const char *const statements[] = {
        "COMMENT ON TABLE stamp_0123456789ab.t IS 'stamp_0123456789ac'",
        "CREATE POLICY p ON stamp_0123456789ab.t TO stamp_0123456789ab_owner USING (true)",
        "SELECT 1",
    };
    static const char *const expected[] = {
        "COMMENT ON TABLE tenant_1.t IS 'stamp_0123456789ac'",
        "CREATE POLICY p ON tenant_1.t TO tenant_1_owner USING (true)",
        "SELECT 1",
    };
    const Stamp stamp = {.is_flat = true,
                         .token = "stamp_0123456789ab",
                         .statements = statements,
                         .statement_count = 3};
    scoped_arena Arena *arena = arena_new();
    for (size_t i = 0; i < 3; i++) {
        const char *sql = NULL;
        Err err;
        assert_true(stamp_statement(arena, &stamp, i, "tenant_1", &sql, &err));
        assert_string_equal(sql, expected[i]);
    }
}

static void a_name_that_would_need_quotes_is_refused(void **state)
{
    (void)state;
    static const char *const statements[] = {"SELECT 1"};
    static const char *const names[] = {"", "Tenant", "1a", "a b", "a\"b", "a;b"};
    const Stamp stamp = {.token = "stamp_0123456789ab", .statements = statements};
    scoped_arena Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        const char *sql = NULL;
        Err err;
        assert_false(stamp_statement(arena, &stamp, 0, names[i], &sql, &err));
        assert_int_equal(err.code, ERR_INTERNAL);
        assert_non_null(strstr(err.message, "would need quotes"));
    }
}

static void the_first_difference_is_named(void **state)
{
    (void)state;
    static const FingerprintLine base[] = {{"x", "column", "t.a", "1 text"},
                                           {"x", "table", "t", "owner"}};
    static const struct {
        FingerprintLine lines[3];
        size_t count;
        const char *expected;
    } cases[] = {
        {{{"y", "column", "t.a", "1 text"}, {"y", "table", "t", "owner"}}, 2, NULL},
        {{{"y", "column", "t.a", "1 int"}, {"y", "table", "t", "owner"}},
         2,
         "column \"t.a\" is different"},
        {{{"y", "table", "t", "owner"}}, 1, "column \"t.a\" is missing"},
        {{{"y", "column", "t.a", "1 text"}}, 1, "table \"t\" is missing"},
        {{{"y", "column", "t.a", "1 text"}, {"y", "column", "t.b", "2"}, {"y", "table", "t", ""}},
         3,
         "column \"t.b\" is not expected"},
        {{{"y", "column", "t.a", "1 text"}, {"y", "table", "t", "owner"}, {"y", "view", "v", ""}},
         3,
         "view \"v\" is not expected"},
    };
    scoped_arena Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *found = fingerprint_difference(arena, base, 2, cases[i].lines, cases[i].count);
        if (cases[i].expected == NULL) {
            assert_null(found);
        } else {
            assert_string_equal(found, cases[i].expected);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dump_becomes_the_statements_that_make_its_objects),
        cmocka_unit_test(a_dump_that_is_no_sql_is_an_error),
        cmocka_unit_test(the_token_is_replaced_wherever_it_stands),
        cmocka_unit_test(a_name_that_would_need_quotes_is_refused),
        cmocka_unit_test(the_first_difference_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
