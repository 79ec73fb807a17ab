#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "isolation/mend.h"

static bool may_run(const char *statement, Err *ret_err)
{
    scoped_arena Arena *arena = arena_new();
    scoped_json Json *names = NULL;
    return mend_check(arena, statement, &names, ret_err);
}

static void what_takes_away_or_puts_right_may_run(void **state)
{
    static const char *const statements[] = {
        "REVOKE SELECT ON TABLE a.b FROM c",
        "REVOKE ALL ON SCHEMA a FROM PUBLIC",
        "REVOKE EXECUTE ON FUNCTION a.f(integer) FROM PUBLIC",
        "REVOKE pg_read_all_data FROM a",
        "REVOKE ADMIN OPTION FOR b FROM a",
        "ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA b REVOKE SELECT ON TABLES FROM c",
        "ALTER TABLE a.b ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        "ALTER TABLE a.b OWNER TO c",
        "ALTER VIEW a.b SET (security_invoker = true)",
        "ALTER TABLE a.b ALTER COLUMN tenant_id SET NOT NULL",
        "ALTER ROLE a NOSUPERUSER NOBYPASSRLS",
        "ALTER ROLE a RESET search_path",
        "ALTER ROLE a IN DATABASE d RESET ALL",
        "ALTER DATABASE d RESET row_security",
        "ALTER FUNCTION a.f() SECURITY INVOKER",
        "ALTER FUNCTION a.f() NOT LEAKPROOF",
        "ALTER SCHEMA a OWNER TO b",
        "ALTER POLICY p ON a.b USING (false)",
        "DROP POLICY p ON a.b",
        "DROP TRIGGER t ON a.b",
        "DROP PUBLICATION p",
    };
    (void)state;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        Err err = {0};
        if (!may_run(statements[i], &err)) {
            fail_msg("%s: %s", statements[i], err.message);
        }
    }
}

static void everything_else_is_refused(void **state)
{
    static const char *const statements[] = {
        "",
        "GRANT SELECT ON TABLE a.b TO c",
        "GRANT a TO b",
        "REVOKE SELECT ON a.b FROM c; REVOKE SELECT ON a.b FROM d",
        "REVOKE SELECT ON a.b FROM c; DROP TABLE a.b",
        "ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT SELECT ON TABLES TO c",
        "ALTER TABLE a.b DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE a.b NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE a.b ENABLE ROW LEVEL SECURITY, DROP COLUMN c",
        "ALTER ROLE a SUPERUSER",
        "ALTER ROLE a NOSUPERUSER CREATEROLE",
        "ALTER ROLE a PASSWORD 'x'",
        "ALTER ROLE a SET search_path = x",
        "ALTER DATABASE d SET row_security = off",
        "DROP TABLE a.b",
        "DROP SCHEMA a CASCADE",
        "DROP POLICY p ON a.b CASCADE",
        "CREATE POLICY p ON a.b",
        "DELETE FROM a.b",
        "SELECT 1",
        "DO $$ BEGIN END $$",
    };
    (void)state;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        Err err = {0};
        if (may_run(statements[i], &err)) {
            fail_msg("%s may run", statements[i]);
        }
        assert_int_equal(err.code, ERR_INTERNAL);
        assert_string_equal(err.message, "the mending statement is not of a kind that mends");
    }
}

static void a_statement_that_does_not_parse_is_refused(void **state)
{
    Err err = {0};
    (void)state;
    assert_false(may_run("REVOKE x FROM", &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_non_null(strstr(err.message, "mending statement:1"));
}

static void the_names_in_a_statement_are_told(void **state)
{
    scoped_arena Arena *arena = arena_new();
    scoped_json Json *names = NULL;
    Err err;
    (void)state;
    assert_true(mend_check(arena, "REVOKE SELECT ON \"Tenant 1\".b FROM c", &names, &err));
    const char *text = json_to_text(arena, names);
    assert_non_null(strstr(text, "\"Tenant 1\""));
    assert_non_null(strstr(text, "\"c\""));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_takes_away_or_puts_right_may_run),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(a_statement_that_does_not_parse_is_refused),
        cmocka_unit_test(the_names_in_a_statement_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
