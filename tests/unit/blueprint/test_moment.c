#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "blueprint/moment.h"
#include "core/array.h"

#define F_OF_TODAY                                                                                 \
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM current_date; END "     \
    "$$;\n"

/* A migration; what a stamp finds in it, and a spare. */
static const struct {
    const char *script;
    const char *stamp;
    const char *spare;
} cases[] = {
    {"CREATE TABLE t (a date DEFAULT current_date, b uuid DEFAULT gen_random_uuid())", NULL, NULL},
    {"CREATE TABLE t (a timestamptz); ALTER TABLE t ALTER a SET DEFAULT now()", NULL, NULL},
    {"CREATE TABLE t (a text DEFAULT 'Now, and then')", "m:1: \"Now\"", "m:1: \"Now\""},
    {"CREATE TABLE t (a date DEFAULT 'today')", "m:1: \"today\"", "m:1: \"today\""},
    {"CREATE TABLE p PARTITION OF t FOR VALUES FROM ('2026-01-01') TO (MAXVALUE)", NULL, NULL},
    {"CREATE TABLE p PARTITION OF t FOR VALUES FROM (current_date) TO (MAXVALUE)",
     "m:1: \"FOR VALUES\"", "m:1: \"FOR VALUES\""},
    {"ALTER TABLE t ATTACH PARTITION p FOR VALUES FROM (now()) TO (MAXVALUE)",
     "m:1: \"FOR VALUES\"", "m:1: \"FOR VALUES\""},
    {"CREATE VIEW v AS SELECT * FROM t WHERE at > now()", NULL, NULL},
    {"CREATE POLICY p ON t USING (at > now()); COMMENT ON TABLE t IS 'as of now()'", NULL, NULL},
    {F_OF_TODAY "CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION f()", NULL, NULL},
    {F_OF_TODAY "SELECT f()", "m:1: \"current_date\"", "m:1: \"current_date\""},
    {"CREATE FUNCTION g() RETURNS void LANGUAGE sql AS 'SELECT f()';\n" F_OF_TODAY "CALL x(G())",
     "m:2: \"current_date\"", "m:2: \"current_date\""},
    {"CREATE FUNCTION \"f g\"() RETURNS date LANGUAGE sql AS 'SELECT now()'", "m:1: \"now\"",
     "m:1: \"now\""},
    {F_OF_TODAY "DO $$ BEGIN EXECUTE format('SELECT %s.f()', current_schema); END $$",
     "m:1: \"current_date\"", "m:1: \"current_date\""},
    {"DO $$ -- now()\nBEGIN /* random() */ PERFORM format('%I', 'a'); END $$", NULL, NULL},
    {"DO $$ BEGIN EXECUTE $x$ SELECT 1; -- now\n$x$; END $$", NULL, NULL},
    {"\nDO $a$ BEGIN EXECUTE $b$ SELECT pg_catalog.\"now\"() $b$; END $a$", "m:2: \"now\"",
     "m:2: \"now\""},
    {"DO 'BEGIN PERFORM ''tomorrow''::date; END'", "m:1: \"tomorrow\"", "m:1: \"tomorrow\""},
    {"SELECT known(), nowhere.f(1), renow()", NULL, NULL},
    {"SELECT CLOCK_TIMESTAMP()", "m:1: \"CLOCK_TIMESTAMP\"", "m:1: \"CLOCK_TIMESTAMP\""},
    {"INSERT INTO t SELECT localtime", "m:1: \"localtime\"", "m:1: \"localtime\""},
    {"CREATE TABLE t AS SELECT random()", "m:1: \"random\"", NULL},
    {"DO $$ BEGIN PERFORM gen_random_uuid(); END $$", "m:1: \"gen_random_uuid\"", NULL},
};

static Blueprint blueprint_of(BlueprintMigration *migration, const char *script)
{
    *migration = (BlueprintMigration){.version = 1, .file = "m", .up = script};
    return (Blueprint){.name = "b", .version = 1, .migration_count = 1, .migrations = migration};
}

static void check(const Blueprint *blueprint, MomentQuestion question, const char *expected)
{
    scoped_arena Arena *arena = arena_new();
    const Extensions none = {0};
    const char *found = NULL;
    Err err;
    assert_true(moment_find(arena, blueprint, &none, question, &found, &err));
    if (expected == NULL) {
        assert_null(found);
    } else {
        assert_non_null(found);
        assert_string_equal(found, expected);
    }
}

static void what_runs_with_a_migration_is_told_from_what_it_defines(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        BlueprintMigration migration;
        const Blueprint blueprint = blueprint_of(&migration, cases[i].script);
        print_message("%s\n", cases[i].script);
        check(&blueprint, MOMENT_OF_STAMP, cases[i].stamp);
        check(&blueprint, MOMENT_OF_SPARE, cases[i].spare);
    }
}

static void a_seed_counts_for_spares_and_may_call_what_migrations_define(void **state)
{
    (void)state;
    BlueprintMigration migration;
    Blueprint blueprint = blueprint_of(&migration, F_OF_TODAY);
    blueprint.seed = "INSERT INTO t VALUES (gen_random_uuid())";
    check(&blueprint, MOMENT_OF_SPARE, NULL);
    blueprint.seed = "INSERT INTO t VALUES (1);\nINSERT INTO t VALUES (now() + interval '14 days')";
    check(&blueprint, MOMENT_OF_SPARE, "seed:2: \"now\"");
    check(&blueprint, MOMENT_OF_STAMP, NULL);
    blueprint.seed = "SELECT f()";
    check(&blueprint, MOMENT_OF_SPARE, "m:1: \"current_date\"");
}

static void bodies_in_bodies_are_read_however_deep_they_are(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const char *text = "SELECT now()";
    for (int depth = 0; depth < 1000; depth++) {
        text = arena_printf(arena, "$t%d$ %s $t%d$", depth, text, depth);
    }
    BlueprintMigration migration;
    const Blueprint blueprint = blueprint_of(&migration, arena_printf(arena, "DO %s", text));
    check(&blueprint, MOMENT_OF_STAMP, "m:1: \"now\"");
}

static void the_packs_compute_nothing_that_time_changes(void **state)
{
    (void)state;
    static const char *const packs[] = {"commerce", "fortress", "nfe", "saas", "trading"};
    scoped_arena Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(packs); i++) {
        Blueprint *blueprint = NULL;
        Err err;
        assert_true(blueprint_load_embedded(arena, packs[i], &blueprint, &err));
        print_message("%s\n", packs[i]);
        check(blueprint, MOMENT_OF_STAMP, NULL);
        check(blueprint, MOMENT_OF_SPARE, NULL);
    }
}

static void a_script_that_is_no_sql_is_an_error(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    BlueprintMigration migration;
    const Blueprint blueprint = blueprint_of(&migration, "SELECT 1;\nOH");
    const Extensions none = {0};
    const char *found = NULL;
    Err err;
    assert_false(moment_find(arena, &blueprint, &none, MOMENT_OF_STAMP, &found, &err));
    assert_int_equal(err.code, ERR_BLUEPRINT_INVALID);
    assert_string_equal(err.message, "m:2: syntax error at or near \"OH\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_runs_with_a_migration_is_told_from_what_it_defines),
        cmocka_unit_test(a_seed_counts_for_spares_and_may_call_what_migrations_define),
        cmocka_unit_test(bodies_in_bodies_are_read_however_deep_they_are),
        cmocka_unit_test(the_packs_compute_nothing_that_time_changes),
        cmocka_unit_test(a_script_that_is_no_sql_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
