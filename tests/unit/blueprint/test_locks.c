#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "blueprint/locks.h"
#include "core/array.h"
#include "core/strbuf.h"

static SqlScript parse(Arena *arena, const char *sql)
{
    SqlScript script;
    Err err = {0};
    if (!sql_script_parse(arena, "x.sql", sql, ERR_BLUEPRINT_INVALID, &script, &err)) {
        fail_msg("%s", err.message);
    }
    return script;
}

/* "table MODE work; " of each table that a statement locks. */
static const char *locks_of(Arena *arena, const char *sql)
{
    SqlScript script = parse(arena, sql);
    const TableLock *locks = NULL;
    size_t count = 0;
    StrBuf list = strbuf_init(arena);
    locks_of_statement(arena, &script.statements[0], &locks, &count);
    locks_merge(arena, locks, count, &locks, &count);
    for (size_t i = 0; i < count; i++) {
        const char *work = lock_work_name(locks[i].work);
        strbuf_printf(&list, "%s%s %s%s%s", i == 0 ? "" : "; ", locks[i].table,
                      lock_mode_name(locks[i].mode), work == NULL ? "" : " ",
                      work == NULL ? "" : work);
    }
    sql_script_done(&script);
    return list.text;
}

/* As in PostgreSQL's documentation, 13.3.1 and the page of each command. */
static const struct {
    const char *sql;
    const char *locks;
} statements[] = {
    {"ALTER TABLE t ADD a int", "t ACCESS EXCLUSIVE"},
    {"ALTER TABLE t ADD a int DEFAULT random()", "t ACCESS EXCLUSIVE rewrites"},
    {"ALTER TABLE t ADD a timestamptz DEFAULT CURRENT_TIMESTAMP", "t ACCESS EXCLUSIVE"},
    {"ALTER TABLE t ADD a int NOT NULL", "t ACCESS EXCLUSIVE scans"},
    {"ALTER TABLE t ADD a int REFERENCES u", "t ACCESS EXCLUSIVE; u SHARE ROW EXCLUSIVE"},
    {"ALTER TABLE t ADD a serial", "t ACCESS EXCLUSIVE rewrites"},
    {"ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u",
     "t SHARE ROW EXCLUSIVE scans; u SHARE ROW EXCLUSIVE"},
    {"ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u NOT VALID",
     "t SHARE ROW EXCLUSIVE; u SHARE ROW EXCLUSIVE"},
    {"ALTER TABLE t VALIDATE CONSTRAINT c", "t SHARE UPDATE EXCLUSIVE scans"},
    {"ALTER TABLE t VALIDATE CONSTRAINT c, ALTER a SET STATISTICS 3",
     "t SHARE UPDATE EXCLUSIVE scans"},
    {"ALTER TABLE t ALTER a TYPE text, ALTER b SET STATISTICS 3", "t ACCESS EXCLUSIVE rewrites"},
    {"ALTER TABLE t ENABLE ROW LEVEL SECURITY", "t ACCESS EXCLUSIVE"},
    {"ALTER TABLE t DISABLE TRIGGER a", "t SHARE ROW EXCLUSIVE"},
    {"ALTER TABLE t ENABLE ALWAYS TRIGGER a", "t SHARE ROW EXCLUSIVE"},
    {"ALTER TABLE t SET (fillfactor = 90)", "t SHARE UPDATE EXCLUSIVE"},
    {"ALTER TABLE t ATTACH PARTITION p DEFAULT",
     "t SHARE UPDATE EXCLUSIVE; p ACCESS EXCLUSIVE scans"},
    {"ALTER TABLE t DETACH PARTITION p", "t ACCESS EXCLUSIVE; p ACCESS EXCLUSIVE"},
    {"ALTER TABLE t INHERIT p", "t ACCESS EXCLUSIVE; p SHARE UPDATE EXCLUSIVE"},
    {"ALTER VIEW v SET (security_invoker = true)", "v ACCESS EXCLUSIVE"},
    {"ALTER TYPE t ADD ATTRIBUTE a int", ""},
    {"CREATE INDEX ON t (a)", "t SHARE indexes"},
    {"CREATE INDEX CONCURRENTLY ON t (a)", "t SHARE UPDATE EXCLUSIVE indexes"},
    {"DROP INDEX i", "i ACCESS EXCLUSIVE"},
    {"CREATE TABLE t (a int REFERENCES u, b int REFERENCES t, FOREIGN KEY (a) REFERENCES w)",
     "u SHARE ROW EXCLUSIVE; w SHARE ROW EXCLUSIVE"},
    {"CREATE TABLE t (LIKE m) INHERITS (p)", "p SHARE UPDATE EXCLUSIVE; m ACCESS SHARE"},
    {"CREATE TABLE t PARTITION OF p DEFAULT", "p ACCESS EXCLUSIVE"},
    {"CREATE TABLE t AS SELECT * FROM u", "u ACCESS SHARE"},
    {"CREATE VIEW v AS SELECT * FROM u JOIN w USING (a)", "u ACCESS SHARE; w ACCESS SHARE"},
    {"CREATE OR REPLACE VIEW v AS SELECT 1", "v ACCESS EXCLUSIVE"},
    {"CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()", "t SHARE ROW EXCLUSIVE"},
    {"CREATE POLICY p ON t USING (true)", "t ACCESS EXCLUSIVE"},
    {"CREATE RULE r AS ON INSERT TO t DO NOTHING", "t ACCESS EXCLUSIVE"},
    {"CREATE STATISTICS s ON a, b FROM t", "t SHARE UPDATE EXCLUSIVE"},
    {"DROP TABLE t, u", "t ACCESS EXCLUSIVE; u ACCESS EXCLUSIVE"},
    {"DROP POLICY p ON t", "t ACCESS EXCLUSIVE"},
    {"DROP TYPE e", ""},
    {"ALTER TABLE t RENAME a TO b", "t ACCESS EXCLUSIVE"},
    {"ALTER INDEX i RENAME TO j", "i SHARE UPDATE EXCLUSIVE"},
    {"COMMENT ON COLUMN t.a IS ''", "t SHARE UPDATE EXCLUSIVE"},
    {"COMMENT ON TRIGGER g ON t IS ''", ""},
    {"LOCK TABLE t, u IN SHARE MODE", "t SHARE; u SHARE"},
    {"TRUNCATE t", "t ACCESS EXCLUSIVE empties"},
    {"CLUSTER t USING i", "t ACCESS EXCLUSIVE rewrites"},
    {"VACUUM (FULL) t", "t ACCESS EXCLUSIVE rewrites"},
    {"VACUUM (FULL off) t", "t SHARE UPDATE EXCLUSIVE scans"},
    {"REFRESH MATERIALIZED VIEW m", "m ACCESS EXCLUSIVE rewrites"},
    {"REFRESH MATERIALIZED VIEW CONCURRENTLY m", "m EXCLUSIVE scans"},
    {"REINDEX (CONCURRENTLY) TABLE t", "t SHARE UPDATE EXCLUSIVE indexes"},
    {"UPDATE t SET a = 1", "t ROW EXCLUSIVE rewrites"},
    {"UPDATE t SET a = 1 FROM u", "t ROW EXCLUSIVE scans; u ACCESS SHARE"},
    {"WITH w AS (SELECT * FROM u) INSERT INTO t SELECT * FROM w",
     "t ROW EXCLUSIVE; u ACCESS SHARE"},
    {"WITH done AS (SELECT 1 AS id), gone AS (DELETE FROM t USING done WHERE t.id = done.id "
     "RETURNING 1) SELECT * FROM gone",
     "t ROW EXCLUSIVE scans"},
    {"WITH w AS (INSERT INTO t SELECT * FROM u RETURNING 1) SELECT * FROM w",
     "u ACCESS SHARE; t ROW EXCLUSIVE"},
    {"INSERT INTO t VALUES (1)", "t ROW EXCLUSIVE"},
    {"SELECT * FROM t FOR UPDATE", "t ROW SHARE"},
    {"SELECT * FROM pg_catalog.pg_class", ""},
    {"CREATE TYPE e AS ENUM ('a')", ""},
};

static void a_statement_locks_what_postgresql_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(statements); i++) {
        scoped_arena Arena *arena = arena_new();
        const char *found = locks_of(arena, statements[i].sql);
        if (strcmp(found, statements[i].locks) != 0) {
            fail_msg("%s: expected \"%s\", found \"%s\"", statements[i].sql, statements[i].locks,
                     found);
        }
    }
}

static void what_a_block_locks_is_not_known(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    SqlScript script = parse(arena, "DO $$ BEGIN END $$; CALL p(); SELECT 1");
    assert_true(locks_are_unknown(&script.statements[0]));
    assert_true(locks_are_unknown(&script.statements[1]));
    assert_false(locks_are_unknown(&script.statements[2]));
    sql_script_done(&script);
}

static void relations_are_tables_indexes_sequences_and_what_is_long(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        int64_t relations;
    } cases[] = {
        {"CREATE TABLE t (a int)", 1},
        {"CREATE TABLE t (a int PRIMARY KEY)", 2},
        {"CREATE TABLE t (a text)", 3},
        {"CREATE TABLE t (a varchar(10), b numeric(10, 2))", 1},
        {"CREATE TABLE t (a int[])", 3},
        {"CREATE TABLE t (a serial, b bigint GENERATED ALWAYS AS IDENTITY, UNIQUE (a, b))", 4},
        {"CREATE TABLE t (a text, at date) PARTITION BY RANGE (at)", 1},
        {"CREATE INDEX ON t (a)", 1},
        {"CREATE VIEW v AS SELECT 1", 1},
        {"CREATE SEQUENCE s", 1},
        {"ALTER TABLE t ADD UNIQUE (a), ADD b serial", 2},
        {"ALTER TABLE t ADD UNIQUE USING INDEX i", 0},
        {"DROP TABLE t", 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        SqlScript script = parse(arena, cases[i].sql);
        if (relations_added(&script.statements[0]) != cases[i].relations) {
            fail_msg("%s: found %lld", cases[i].sql,
                     (long long)relations_added(&script.statements[0]));
        }
        sql_script_done(&script);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_locks_what_postgresql_says),
        cmocka_unit_test(what_a_block_locks_is_not_known),
        cmocka_unit_test(relations_are_tables_indexes_sequences_and_what_is_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
