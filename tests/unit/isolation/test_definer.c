#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/json.h"
#include "isolation/definer.h"

/* The verdict on a body, as snapshot/iso_body.sql gives it, of a function of schema "mine". */
static DefinerVerdict judge(Arena *arena, const char *language, const char *source)
{
    DefinerVerdict verdict;
    Err err;
    scoped_json Json *body = json_object();
    const bool is_sql = strcmp(language, "sql") == 0;
    json_put_text(body, "schema", "mine");
    json_put_text(body, "owner", "mine_owner");
    json_put_text(body, "language", language);
    json_put_text(body, "source", source);
    json_put_text(body, "definition",
                  arena_printf(arena,
                               "CREATE FUNCTION mine.f(t text, n int) RETURNS %s LANGUAGE %s"
                               " SECURITY DEFINER AS $f$%s$f$",
                               strstr(source, "RETURN QUERY") == NULL ? "int" : "SETOF int",
                               is_sql ? "sql" : "plpgsql", source));
    assert_true(definer_judge(arena, json_to_text(arena, body), &verdict, &err));
    return verdict;
}

static void assert_outside(const char *language, const char *source, const char *outside)
{
    scoped_arena Arena *arena = arena_new();
    const DefinerVerdict verdict = judge(arena, language, source);
    if (outside == NULL) {
        assert_null(verdict.outside);
    } else {
        assert_non_null(verdict.outside);
        assert_string_equal(verdict.outside, outside);
    }
    assert_null(verdict.unknown);
}

static void assert_unknown(const char *language, const char *source, const char *why)
{
    scoped_arena Arena *arena = arena_new();
    const DefinerVerdict verdict = judge(arena, language, source);
    assert_non_null(verdict.unknown);
    assert_non_null(strstr(verdict.unknown, why));
}

static void what_is_in_its_own_schema_or_for_all_is_not_told(void **state)
{
    (void)state;
    assert_outside("sql", "SELECT 1 FROM mine.t, t, pg_catalog.pg_class, tenantry_ext.x()", NULL);
    assert_outside("plpgsql", "BEGIN RETURN (SELECT count(*) FROM mine.t); END", NULL);
    assert_outside("plpgsql", "BEGIN EXECUTE 'SELECT count(*) FROM t' INTO n; RETURN n; END", NULL);
    /* A word in a text or a comment is no name. */
    assert_outside("sql", "SELECT 'SELECT 1 FROM other.t' /* other.t */", NULL);
    assert_outside("sql", "SELECT 'execute' AS execute", NULL);
}

static void tables_and_functions_of_other_schemas_are_told_wherever_they_are(void **state)
{
    (void)state;
    assert_outside("sql", "SELECT 1; SELECT 2 FROM other.t", "it uses other.t");
    assert_outside("sql", "INSERT INTO other.t VALUES (1)", "it uses other.t");
    assert_outside("sql", "UPDATE other.t SET a = 1", "it uses other.t");
    assert_outside("sql", "DELETE FROM t USING other.t", "it uses other.t");
    assert_outside("sql", "WITH w AS (SELECT other.f(1)) TABLE w", "it uses other.f()");
    assert_outside("sql", "CALL other.p()", "it uses other.p()");
    assert_outside("plpgsql", "BEGIN n := (SELECT a FROM other.t); RETURN n; END",
                   "it uses other.t");
    assert_outside("plpgsql", "BEGIN IF n > other.f() THEN RETURN 1; END IF; RETURN 2; END",
                   "it uses other.f()");
    assert_outside("plpgsql",
                   "DECLARE r record; BEGIN FOR r IN SELECT * FROM other.t LOOP PERFORM other.g();"
                   " END LOOP; RETURN 1; END",
                   "it uses other.g(), other.t");
    assert_outside("plpgsql", "DECLARE k int := other.f(); BEGIN RETURN k; END",
                   "it uses other.f()");
    assert_outside("plpgsql", "BEGIN EXECUTE 'DELETE FROM other.t'; RETURN 1; END",
                   "it uses other.t");
    assert_outside("sql", "SELECT 1 FROM a.a, b.b, c.c, d.d, e.e, f.f",
                   "it uses a.a, b.b, c.c, d.d and more");
}

/* The verdict on a body of a shared place where all tenants read the table "board", and none does
 * "notes", which has no tenant_id either. */
static void assert_unheld(const char *language, const char *source, const char *unheld)
{
    DefinerVerdict verdict;
    Err err;
    scoped_arena Arena *arena = arena_new();
    const char *body = arena_printf(
        arena,
        "{\"schema\": \"mine\", \"language\": \"%s\", \"source\": \"%s\", \"open\": [\"board\"],"
        " \"hidden\": [\"notes\"], \"definition\": \"CREATE FUNCTION mine.f(t text) RETURNS int "
        "LANGUAGE %s AS $f$%s$f$\"}",
        language, source, language, source);
    assert_true(definer_judge(arena, body, &verdict, &err));
    if (unheld == NULL) {
        assert_null(verdict.unheld);
    } else {
        assert_non_null(verdict.unheld);
        assert_string_equal(verdict.unheld, unheld);
    }
}

static void what_row_level_security_does_not_hold_is_told_of_shared_places(void **state)
{
    (void)state;
    assert_unheld("sql", "SELECT 1 FROM t; DELETE FROM t; INSERT INTO t VALUES (1)", NULL);
    assert_unheld("sql", "SELECT 1 FROM board; INSERT INTO other.board VALUES (1)", NULL);
    assert_unheld("sql", "TRUNCATE t", "it runs TRUNCATE");
    assert_unheld("sql", "LOCK t", "it runs LOCK");
    assert_unheld("sql", "WITH w AS (INSERT INTO board VALUES (1)) SELECT 1",
                  "it writes table board, which all tenants read");
    assert_unheld("plpgsql", "BEGIN CREATE TEMP TABLE k (i int); RETURN 1; END", NULL);
    assert_unheld("plpgsql", "BEGIN ALTER TABLE t NO FORCE ROW LEVEL SECURITY; RETURN 1; END",
                  "it runs ALTER");
    assert_unheld("plpgsql", "BEGIN EXECUTE 'DROP POLICY p ON t'; RETURN 1; END", "it runs DROP");
    assert_unheld("plpgsql", "BEGIN UPDATE mine.board SET t = 1; RETURN 1; END",
                  "it writes table board, which all tenants read");
}

static void what_is_of_no_tenant_may_be_added_to_and_not_read(void **state)
{
    (void)state;
    const char *reads = "it reads notes, whose content is of no tenant";
    assert_unheld("sql", "INSERT INTO notes VALUES (1) RETURNING 1; SELECT 1 FROM board", NULL);
    assert_unheld("sql", "SELECT a FROM other.notes; SELECT 'notes'", NULL);
    assert_unheld("sql", "SELECT a FROM notes", reads);
    assert_unheld("sql", "INSERT INTO t TABLE mine.notes", reads);
    assert_unheld("sql", "INSERT INTO notes VALUES (1) ON CONFLICT DO NOTHING", reads);
    assert_unheld("sql", "UPDATE notes SET a = 1", reads);
    assert_unheld("sql", "WITH w AS (DELETE FROM notes RETURNING a) SELECT a FROM w", reads);
    assert_unheld("sql", "MERGE INTO notes USING t ON true WHEN MATCHED THEN DELETE", reads);
    assert_unheld("plpgsql", "BEGIN RETURN (SELECT last_value FROM notes); END", reads);
    assert_unheld("plpgsql", "BEGIN PERFORM nextval('notes'); RETURN 1; END", NULL);
    assert_unheld("plpgsql", "BEGIN PERFORM setval('notes', 1); RETURN 1; END",
                  "it sets a sequence, which is of all tenants");
}

static void sql_that_is_put_together_cannot_be_judged(void **state)
{
    (void)state;
    assert_unknown("plpgsql", "BEGIN EXECUTE 'SELECT 1 FROM ' || t; RETURN 1; END",
                   "puts together");
    assert_unknown("plpgsql", "BEGIN EXECUTE t; RETURN 1; END", "puts together");
    assert_unknown("plpgsql",
                   "DECLARE r record; BEGIN FOR r IN EXECUTE t LOOP END LOOP; RETURN 1; END",
                   "puts together");
    assert_unknown("plpgsql", "BEGIN RETURN QUERY EXECUTE t; END", "puts together");
    assert_unknown("sql", "SELECT query_to_xml(t, true, true, '')", "SQL given as text");
    assert_unknown("sql", "SELECT * FROM dblink(t) AS x (a int)", "SQL given as text");
    assert_unknown("sql", "SELECT set_config('search_path', t, true)", "SQL given as text");
    assert_unknown("sql", "SELECT * FROM crosstab3(t)", "SQL given as text");
    assert_unknown("sql", "SELECT * FROM tenantry_ext.connectby(t, 'a', 'b', 'c', 0) x (a int)",
                   "SQL given as text");
    assert_unknown("plpgsql",
                   "BEGIN RETURN (SELECT a FROM xpath_table('k', 'd', t, '/a', 'true') x (a int));"
                   " END",
                   "SQL given as text");
    /* Most functions of extensions take texts that are none. */
    assert_outside("sql",
                   "SELECT crypt(t, gen_salt('bf')), digest(t, 'sha256'), unaccent(t),"
                   " similarity(t, 'x'), uuid_generate_v5(uuid_ns_url(), t), hstore(t, t),"
                   " my_dblink(t), xpath_tables(t), cross(t)",
                   NULL);
}

static void what_cannot_be_parsed_is_told_and_not_passed_over(void **state)
{
    (void)state;
    assert_unknown("sql", "SELECT FROM WHERE", "cannot be parsed");
    assert_unknown("plpgsql", "BEGIN NOT PLPGSQL", "cannot be parsed");
    /* PostgreSQL takes it; libpg_query does not know the type. */
    assert_unknown("plpgsql", "DECLARE c refcursor; BEGIN OPEN c FOR EXECUTE t; RETURN 1; END",
                   "cannot be parsed");
    assert_unknown("plperl", "return 1;", "its language is plperl");
    assert_unknown("c", "symbol", "with the rights of mine_owner");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_its_own_schema_or_for_all_is_not_told),
        cmocka_unit_test(tables_and_functions_of_other_schemas_are_told_wherever_they_are),
        cmocka_unit_test(what_row_level_security_does_not_hold_is_told_of_shared_places),
        cmocka_unit_test(what_is_of_no_tenant_may_be_added_to_and_not_read),
        cmocka_unit_test(sql_that_is_put_together_cannot_be_judged),
        cmocka_unit_test(what_cannot_be_parsed_is_told_and_not_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
