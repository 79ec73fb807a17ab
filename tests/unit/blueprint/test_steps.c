#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "blueprint/backfill.h"
#include "blueprint/births.h"
#include "blueprint/steps.h"
#include "core/array.h"
#include "core/strbuf.h"

/* "script 2; alone t.p 1" */
static const char *steps_of(Arena *arena, const char *sql)
{
    ScriptSteps steps;
    Err err = {0};
    StrBuf list = strbuf_init(arena);
    if (!steps_of_script(arena, "x.sql", sql, &steps, &err)) {
        fail_msg("%s", err.message);
    }
    for (size_t i = 0; i < steps.count; i++) {
        const ScriptStep *step = &steps.list[i];
        strbuf_add(&list, i == 0 ? "" : "; ");
        if (step->kind == STEP_ALONE) {
            strbuf_printf(&list, "%s %s%s%s", alone_name(step->alone.kind), step->alone.relation,
                          step->alone.partition == NULL ? "" : " ",
                          step->alone.partition == NULL ? "" : step->alone.partition);
            assert_int_equal(step->count, 1);
        } else {
            strbuf_printf(&list, "%zu from %d", step->count, step->statements[0].line);
        }
    }
    return list.text;
}

static void a_script_is_taken_apart_where_a_transaction_must_end(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *steps;
    } cases[] = {
        {"", ""},
        {"CREATE TABLE t (a int);\nCREATE INDEX ON t (a)", ""},
        {"SELECT 'CREATE INDEX CONCURRENTLY', 'VACUUM'", ""},
        {"CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX CONCURRENTLY t"},
        {"create unique index\n/* x */ concurrently on \"T t\" (a)",
         "CREATE INDEX CONCURRENTLY T t"},
        {"ALTER TABLE t ADD b int;\nSELECT 1;\nCREATE INDEX CONCURRENTLY i ON t (b);\nSELECT 2",
         "2 from 1; CREATE INDEX CONCURRENTLY t; 1 from 4"},
        {"DROP INDEX CONCURRENTLY IF EXISTS i; REINDEX (CONCURRENTLY) INDEX j",
         "DROP INDEX CONCURRENTLY i; REINDEX CONCURRENTLY j"},
        {"REINDEX (CONCURRENTLY false) INDEX j", ""},
        {"ALTER TABLE t DETACH PARTITION p CONCURRENTLY", "DETACH PARTITION CONCURRENTLY t p"},
        {"ALTER TABLE t DETACH PARTITION p; SELECT 'concurrently'", ""},
        {"VACUUM FULL t", "VACUUM t"},
        {"ANALYZE t; SELECT 'vacuum'", ""},
        {"ALTER TYPE e ADD VALUE 'a'", "1 from 1"},
        {"SELECT 1;\nALTER TYPE e ADD VALUE 'a';\nALTER TYPE e ADD VALUE 'b';\nSELECT 2",
         "3 from 1; 1 from 4"},
        {"ALTER TYPE e RENAME VALUE 'a' TO 'b'; SELECT 1", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        assert_string_equal(steps_of(arena, cases[i].sql), cases[i].steps);
    }
}

static AloneVerdict verdict_of(Arena *arena, const char *sql)
{
    SqlScript script;
    Alone alone;
    Err err = {0};
    if (!sql_script_parse(arena, "x.sql", sql, ERR_BLUEPRINT_INVALID, &script, &err)) {
        fail_msg("%s", err.message);
    }
    const AloneVerdict verdict = alone_judge(&script.statements[0], &alone);
    sql_script_done(&script);
    return verdict;
}

static void other_statements_outside_of_a_transaction_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "CLUSTER",
        "CREATE INDEX CONCURRENTLY i ON s.t (a)",
        "DROP INDEX CONCURRENTLY s.i",
        "DROP INDEX CONCURRENTLY i, j",
        "ALTER TABLE s.t DETACH PARTITION p CONCURRENTLY",
        "ALTER TABLE t DETACH PARTITION s.p CONCURRENTLY",
        "REINDEX SCHEMA CONCURRENTLY s",
        "REINDEX DATABASE d",
        "REINDEX TABLE CONCURRENTLY s.t",
        "VACUUM",
        "VACUUM t, s.u",
    };
    scoped_arena Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(verdict_of(arena, cases[i]), ALONE_REFUSED);
    }
}

static void a_new_place_runs_the_plain_forms(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    Err err = {0};
    const BlueprintMigration migrations[] = {
        {.version = 1,
         .file = "a.sql",
         .up = "CREATE INDEX CONCURRENTLY i ON t (a);\nVACUUM t;\n"
               "REINDEX TABLE CONCURRENTLY t;\nSELECT 'concurrently';\n"},
        {.version = 2, .file = "b.sql", .up = "ALTER TABLE t DETACH PARTITION p CONCURRENTLY;\n"}};
    const Blueprint blueprint = {.migrations = migrations, .migration_count = 2};
    const Blueprint *born = NULL;
    assert_true(births_prepare(arena, &blueprint, &born, &err));
    assert_string_equal(born->migrations[0].up, "CREATE INDEX              i ON t (a);\n         \n"
                                                "                             \n"
                                                "SELECT 'concurrently';\n");
    assert_string_equal(born->migrations[1].up, "ALTER TABLE t DETACH PARTITION p             ;\n");
}

static void a_backfill_is_all_rows_at_once_in_a_new_place(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    Err err = {0};
    BlueprintMigration migration = {
        .version = 2,
        .file = "b.backfill.yaml",
        .up = "table: t\nkey: id\nbatch_size: 7\npause: 20ms\nundo: nothing\nstatement: |\n"
              "  UPDATE t SET b = a\n   WHERE id >= $1 AND id <= $2 -- $3\n"};
    assert_true(backfill_read(arena, "f/b.backfill.yaml", &migration, &err));
    assert_string_equal(
        migration.up, "\n\n\n\n\n\nUPDATE t SET b = a\n WHERE id >= (SELECT k.\"id\" FROM \"t\" k "
                      "ORDER BY 1 LIMIT 1) AND id <= (SELECT k.\"id\" FROM \"t\" k ORDER BY 1 DESC "
                      "LIMIT 1) -- $3\n");
    assert_int_equal(migration.backfill->batch_size, 7);
    assert_int_equal(migration.backfill->pause_ms, 20);
    assert_int_equal(migration.backfill->line, 7);
    assert_non_null(migration.down);
    ScriptSteps steps;
    assert_true(steps_of_migration(arena, &migration, false, &steps, &err));
    assert_int_equal(steps.count, 1);
    assert_int_equal(steps.list[0].kind, STEP_BACKFILL);
    assert_true(steps_of_migration(arena, &migration, true, &steps, &err));
    assert_int_equal(steps.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_backfill_is_all_rows_at_once_in_a_new_place),
        cmocka_unit_test(a_new_place_runs_the_plain_forms),
        cmocka_unit_test(a_script_is_taken_apart_where_a_transaction_must_end),
        cmocka_unit_test(other_statements_outside_of_a_transaction_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
