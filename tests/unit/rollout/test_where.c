#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"
#include "pg/sql_parse.h"
#include "rollout/where.h"

/* The SQL, with the values behind it: "... | a | b". */
static const char *compiled(Arena *arena, const char *text)
{
    WhereSql where;
    Err err;
    if (!where_compile(arena, text, 2, &where, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    const char *all = where.sql;
    for (size_t i = 0; i < where.count; i++) {
        all = arena_printf(arena, "%s | %s", all, where.values[i]);
    }
    return all;
}

static void every_value_is_a_parameter(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *sql;
    } cases[] = {
        {"plan = 'pro'", "(\"plan\" = $2::text) | pro"},
        {"'pro' = plan", "($2::text = \"plan\") | pro"},
        {"plan = 'it''s; DROP TABLE x --'", "(\"plan\" = $2::text) | it's; DROP TABLE x --"},
        {"plan = ''", "(\"plan\" = $2::text) | "},
        {"version < 7 AND NOT quarantined",
         "((\"version\" < $2::bigint) AND (NOT \"quarantined\")) | 7"},
        {"version = 0", "(\"version\" = $2::bigint) | 0"},
        {"slug IN ('a', 'b') OR slug NOT IN ('c')",
         "((\"slug\" IN ($2::text, $3::text)) OR (\"slug\" NOT IN ($4::text))) | a | b | c"},
        {"name LIKE 'A%' AND name NOT ILIKE '%x'",
         "((\"name\" LIKE $2::text) AND (\"name\" NOT ILIKE $3::text)) | A% | %x"},
        {"version BETWEEN 2 AND 4", "(\"version\" BETWEEN $2::bigint AND $3::bigint) | 2 | 4"},
        {"created_at < now() - interval '30 days'",
         "(\"created_at\" < (now() - $2::interval)) | 30 days"},
        {"created_at < CURRENT_TIMESTAMP - '1 day'::interval",
         "(\"created_at\" < (now() - $2::interval)) | 1 day"},
        {"created_at NOT BETWEEN date '2026-01-01' AND '2026-02-01'",
         "(\"created_at\" NOT BETWEEN $2::date AND $3::timestamptz) | 2026-01-01 | 2026-02-01"},
        {"'reports' = ANY (features)", "($2::text = ANY (\"features\")) | reports"},
        {"state_at IS NOT NULL", "(\"state_at\" IS NOT NULL)"},
        {"plan IS DISTINCT FROM NULL", "(\"plan\" IS DISTINCT FROM NULL::text)"},
        {"true", "$2::boolean | true"},
        {"plan = 'a' -- a remark", "(\"plan\" = $2::text) | a"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        assert_string_equal(compiled(arena, cases[i].text), cases[i].sql);
    }
}

static void what_is_made_parses(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    SqlScript script;
    WhereSql where;
    Err err;
    assert_true(
        where_compile(arena, "NOT (plan IN ('a') AND version BETWEEN 1 AND 2)", 1, &where, &err));
    assert_true(sql_script_parse(arena, "x", arena_printf(arena, "SELECT WHERE %s", where.sql),
                                 ERR_INTERNAL, &script, &err));
    sql_script_done(&script);
}

static void anything_else_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "--where: syntax error at end of input, character 1"},
        {"plan =", "--where: syntax error at end of input, character 7"},
        {"plan = 'a' plan", "--where: syntax error at or near \"plan\", character 12"},
        {"true; DROP TABLE tenantry.tenants",
         "--where: expected one expression and nothing behind it"},
        {"true LIMIT 1", "--where: expected one expression and nothing behind it"},
        {"true UNION SELECT 1", "--where: expected one expression and nothing behind it"},
        {"true FOR UPDATE", "--where: expected one expression and nothing behind it"},
        {"true GROUP BY 1", "--where: expected one expression and nothing behind it"},
        {"color = 'red'", "--where: there is no column \"color\", character 1"},
        {"plan = 'a' AND tenant.plan = 'b'", "--where: a column has one name, character 16"},
        {"pg_sleep(9) IS NULL", "--where: function pg_sleep is not allowed here, character 1"},
        {"created_at < now(1)", "--where: function now is not allowed here, character 14"},
        {"created_at < evil.now()", "--where: this function is not allowed here, character 14"},
        {"plan = (SELECT 'a')", "--where: a subquery is not allowed here, character 8"},
        {"EXISTS (SELECT)", "--where: a subquery is not allowed here, character 1"},
        {"slug ~ '^a'", "--where: operator ~ is not allowed here, character 6"},
        {"slug OPERATOR(evil.=) 'a'", "--where: this operator is not allowed here, character 6"},
        {"slug || 'a' = 'b'", "--where: operator || is not allowed here, character 6"},
        {"plan = $1", "--where: this is not allowed here, character 8"},
        {"version = '3'", "--where: expected a whole number, found a text, character 11"},
        {"version = -2", "--where: expected a whole number from 0 to 2147483647, character 11"},
        {"version = 1.5", "--where: expected a whole number from 0 to 2147483647, character 11"},
        {"version = 99999999999",
         "--where: expected a whole number from 0 to 2147483647, character 11"},
        {"plan = 3", "--where: expected a text, found a whole number, character 8"},
        {"plan", "--where: expected a condition, found a text, character 1"},
        {"'a'", "--where: expected a condition, found a text, character 1"},
        {"features = 'a'", "--where: expected a list, found a text, character 12"},
        {"'a' = ANY ('{a}')",
         "--where: ANY of something else than a column is not allowed here, character 5"},
        {"'a' = ANY (plan)", "--where: expected a list, found a text, character 12"},
        {"plan = 'a'::regclass", "--where: this cast is not allowed here, character 13"},
        {"plan::date = 'x'", "--where: this cast is not allowed here, character 7"},
        {"created_at < interval(3) '1 s' + now()",
         "--where: this cast is not allowed here, character 14"},
        {"plan LIKE 'a' ESCAPE 'x'", "--where: this function is not allowed here, character 6"},
        {"CASE WHEN true THEN true END", "--where: this is not allowed here, character 1"},
        {"version BETWEEN SYMMETRIC 1 AND 2",
         "--where: this operator is not allowed here, character 9"},
        {"plan = B'1'", "--where: a bit string is not allowed here, character 8"},
        {"name = 'caf\xc3\xa9' AND other = 1",
         "--where: there is no column \"other\", character 19"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        WhereSql where;
        Err err;
        if (where_compile(arena, cases[i].text, 1, &where, &err)) {
            fail_msg("%s gives %s", cases[i].text, where.sql);
        }
        assert_int_equal(err.code, ERR_INPUT_INVALID);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void a_refusal_says_what_is_allowed(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    WhereSql where;
    Err err;
    assert_false(where_compile(arena, "color = 'red'", 1, &where, &err));
    assert_string_equal(err.hint, "columns: created_at, features, name, plan, quarantined, slug, "
                                  "state, state_at, tier, version");
    assert_false(where_compile(arena, "slug ~ 'a'", 1, &where, &err));
    assert_non_null(strstr(err.hint, "allowed are columns, texts"));
    static const char shown[] = "plan = 'free' AND NOT quarantined";
    assert_false(where_compile(arena, "plan =", 1, &where, &err));
    assert_non_null(strstr(err.hint, shown));
    assert_true(where_compile(arena, shown, 1, &where, &err));
}

static void what_is_nested_too_deeply_is_refused(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    WhereSql where;
    Err err;
    enum { DEPTH = 20000 };
    char *text = arena_alloc(arena, DEPTH + 1);
    memset(text, '(', DEPTH);
    assert_false(where_compile(arena, text, 1, &where, &err));
    assert_int_equal(err.code, ERR_INPUT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_is_a_parameter),
        cmocka_unit_test(what_is_made_parses),
        cmocka_unit_test(anything_else_is_refused_with_its_place),
        cmocka_unit_test(a_refusal_says_what_is_allowed),
        cmocka_unit_test(what_is_nested_too_deeply_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
