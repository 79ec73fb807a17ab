#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"

#include "isolation/mend.h"

static bool may_run(const char *text)
{
    scoped_arena Arena *arena = arena_new();
    Mend mend;
    Err err;
    if (!mend_read(arena, text, &mend, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    return mend.may_run;
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
        ("DROP POLICY own_row ON tenancy.role_tenants; CREATE POLICY own_row ON "
         "tenancy.role_tenants"
         " FOR SELECT USING (role_name = current_user)"),
        "DROP POLICY g ON a.b; CREATE POLICY g ON a.b AS RESTRICTIVE USING (true)",
        "DELETE FROM tenancy.role_tenants WHERE role_name = 'a'",
        "UPDATE tenancy.role_tenants SET tenant_id = 'b' WHERE role_name = 'a'",
        "ALTER TABLE a.b DETACH PARTITION c.d",
        "ALTER TABLE a.b ENABLE TRIGGER t",
        "ALTER TABLE tenancy.role_tenants ENABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY",
        "REVOKE GRANT OPTION FOR SELECT ON TABLE a.b FROM c CASCADE",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(statements); i++) {
        if (!may_run(statements[i])) {
            fail_msg("%s may not run", statements[i]);
        }
    }
}

static void everything_else_is_left_to_a_person(void **state)
{
    static const char *const statements[] = {
        "GRANT SELECT ON TABLE a.b TO c",
        "GRANT a TO b",
        "INSERT INTO tenancy.other VALUES ('a')",
        "UPDATE tenantry.roles SET tenant_id = 'b'",
        "DELETE FROM role_tenants",
        "WITH x AS (DELETE FROM a.b RETURNING 1) DELETE FROM tenancy.role_tenants",
        "DROP ROUTINE a.f()",
        "DROP MATERIALIZED VIEW a.m",
        "ALTER TABLE a.b DISABLE TRIGGER t",
        "REVOKE SELECT ON a.b FROM c; DROP TABLE a.b",
        "ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT SELECT ON TABLES TO c",
        "ALTER TABLE a.b DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE a.b NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE tenancy.other NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE tenancy.role_tenants NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE a.b ENABLE ROW LEVEL SECURITY, DROP COLUMN c",
        "ALTER ROLE a SUPERUSER",
        "ALTER ROLE a NOSUPERUSER CREATEROLE",
        "ALTER ROLE a PASSWORD 'x'",
        "ALTER ROLE a SET search_path = x",
        "ALTER DATABASE d SET row_security = off",
        "DROP TABLE a.b",
        "DROP SCHEMA a CASCADE",
        "DROP POLICY p ON a.b CASCADE",
        "CREATE POLICY own_row ON tenancy.role_tenants USING (true)",
        "CREATE POLICY own_row ON a.role_tenants FOR SELECT USING (true)",
        "CREATE POLICY p ON a.b",
        "DELETE FROM a.b",
        "SELECT 1",
        "DO $$ BEGIN END $$",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(statements); i++) {
        if (may_run(statements[i])) {
            fail_msg("%s may run", statements[i]);
        }
    }
}

static void what_does_not_parse_is_for_a_person(void **state)
{
    scoped_arena Arena *arena = arena_new();
    Mend mend;
    Err err = {0};
    (void)state;
    assert_true(mend_read(arena, "REVOKE x FROM", &mend, &err));
    assert_false(mend.may_run);
    assert_int_equal(mend.count, 0);
}

static void what_is_empty_is_an_error(void **state)
{
    scoped_arena Arena *arena = arena_new();
    Mend mend;
    Err err = {0};
    (void)state;
    assert_false(mend_read(arena, " -- nothing", &mend, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_string_equal(err.message, "the mending statement is empty");
}

static void statements_come_one_by_one_with_the_names_in_them(void **state)
{
    scoped_arena Arena *arena = arena_new();
    Mend mend;
    Err err;
    (void)state;
    assert_true(
        mend_read(arena, "REVOKE SELECT ON \"Tenant 1\".b FROM c; REVOKE d FROM e", &mend, &err));
    assert_int_equal(mend.count, 2);
    assert_string_equal(mend.statements[1], "REVOKE d FROM e");
    assert_non_null(strstr(mend.names, "\"Tenant 1\""));
    assert_non_null(strstr(mend.names, "\"e\""));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_takes_away_or_puts_right_may_run),
        cmocka_unit_test(everything_else_is_left_to_a_person),
        cmocka_unit_test(what_does_not_parse_is_for_a_person),
        cmocka_unit_test(what_is_empty_is_an_error),
        cmocka_unit_test(statements_come_one_by_one_with_the_names_in_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
