/* Rules of what tenants use while a migration runs, and comments that leave findings out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"
#include "core/file.h"
#include "core/strbuf.h"
#include "pack_fixture.h"

enum { DOCS_BYTES = 1024 * 1024 };

/* What the tenants have when the second version comes. */
static const char first_version[] =
    "CREATE TYPE state AS ENUM ('open', 'done');\n"
    "CREATE DOMAIN positive AS int CHECK (VALUE > 0);\n"
    "CREATE DOMAIN any_int AS int;\n"
    "CREATE TABLE t (id bigint PRIMARY KEY, a varchar(10), b numeric(10, 2), c text, s state);\n"
    "CREATE TABLE u (id bigint PRIMARY KEY, t_id bigint);\n"
    "CREATE TABLE v (id bigint);\n"
    "ALTER TABLE v ADD CONSTRAINT v_id CHECK (id IS NOT NULL);\n"
    "CREATE TABLE p (at date) PARTITION BY RANGE (at);\n"
    "CREATE INDEX t_c ON t (c);\n"
    "CREATE MATERIALIZED VIEW m AS SELECT 1 AS one;\n"
    "CREATE VIEW w AS SELECT 1 AS one;\n"
    "CREATE TYPE pair AS (a int, b int);\n"
    "CREATE TYPE free AS ENUM ('a');\n"
    "CREATE TABLE many (ss state[]);\n"
    "CREATE TABLE q (at date NOT NULL, CHECK (at >= '2020-01-01' AND at < '2021-01-01'));\n"
    "CREATE TABLE r (at date, CHECK (at > '2020-01-01'), CHECK (at IS NOT NULL AND at < "
    "'2021-01-01'));\n"
    "CREATE TABLE s (at date, CHECK (at > '2020-01-01'));\n"
    "CREATE TABLE y (a time(3), b cidr, c timestamptz(3), d text, e int NOT NULL);\n"
    "CREATE UNIQUE INDEX u_t ON u (t_id);\n"
    "CREATE UNIQUE INDEX v_i ON v (id);\n"
    "CREATE UNIQUE INDEX y_e ON y (e);\n";

/* "rule:line " of the findings in files of version 2 and later; of silenced ones "(rule:line why)".
 */
static const char *show(Arena *arena, const LintFinding *findings, size_t count)
{
    StrBuf list = strbuf_init(arena);
    for (size_t i = 0; i < count; i++) {
        const LintFinding *finding = &findings[i];
        const char *separator = list.length == 0 ? "" : " ";
        if (strstr(finding->file, "V1__") == NULL && finding->silenced != NULL) {
            strbuf_printf(&list, "%s(%s:%d %s)", separator, finding->rule, finding->line,
                          finding->silenced);
        } else if (strstr(finding->file, "V1__") == NULL) {
            strbuf_printf(&list, "%s%s:%d", separator, finding->rule, finding->line);
        }
    }
    return list.text;
}

static const char *lint_versions(Arena *arena, const char *second, const char *third)
{
    const char *manifest = "name: shop\ntitle: A shop\ntiers: [schema]\n" MANIFEST_PLANS;
    const EmbeddedFile files[] = {
        {"p/blueprint.yaml", manifest, strlen(manifest)},
        {"p/migrations/V1__a.sql", first_version, strlen(first_version)},
        {"p/migrations/V2__b.sql", second, strlen(second)},
        {"p/migrations/V3__c.sql", third, strlen(third)},
    };
    Blueprint *blueprint = NULL;
    const LintFinding *findings = NULL;
    size_t count = 0;
    Err err = {0};
    if (!load_files(arena, files, ARRAY_COUNT(files), &blueprint, &err) ||
        !blueprint_lint(arena, blueprint, &findings, &count, &err)) {
        fail_msg("%s", err.message);
    }
    return show(arena, findings, count);
}

/* Each rule with a text that is found and one that is not, and texts at its border. */
static const struct {
    const char *rule;
    const char *found;
    const char *not_found;
} pairs[] = {
    {"add_check", "ALTER TABLE t ADD CHECK (id > 0)", "ALTER TABLE t ADD CHECK (id > 0) NOT VALID"},
    {"add_check", "ALTER TABLE t ADD COLUMN n int CHECK (n > 0)", "ALTER TABLE t ADD COLUMN n int"},
    {"add_domain_column", "ALTER TABLE t ADD COLUMN n positive",
     "ALTER TABLE t ADD COLUMN n any_int"},
    {"add_domain_column", "ALTER DOMAIN any_int SET NOT NULL; ALTER TABLE t ADD COLUMN n any_int",
     "ALTER TABLE t ADD COLUMN n positive[]"},
    {"add_exclusion", "ALTER TABLE t ADD EXCLUDE USING gist (c WITH =)",
     "CREATE TABLE n (c text, EXCLUDE USING gist (c WITH =))"},
    {"add_foreign_key", "ALTER TABLE u ADD FOREIGN KEY (t_id) REFERENCES t",
     "ALTER TABLE u ADD FOREIGN KEY (t_id) REFERENCES t NOT VALID"},
    {"add_foreign_key", "ALTER TABLE u ADD CONSTRAINT k FOREIGN KEY (t_id) REFERENCES t",
     "ALTER TABLE u ADD COLUMN n bigint REFERENCES t"},
    {"add_generated_column", "ALTER TABLE t ADD COLUMN n int GENERATED ALWAYS AS (1) STORED",
     "CREATE TABLE n (a int, n int GENERATED ALWAYS AS (a) STORED)"},
    {"add_identity_column", "ALTER TABLE t ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY",
     "CREATE TABLE n (n bigint GENERATED ALWAYS AS IDENTITY)"},
    {"add_key", "ALTER TABLE t ADD UNIQUE (c)", "ALTER TABLE t ADD UNIQUE USING INDEX t_c"},
    {"add_key", "ALTER TABLE v ADD PRIMARY KEY (id)",
     "CREATE TABLE n (id int); ALTER TABLE n ADD PRIMARY KEY (id)"},
    {"add_key_of_nullable", "ALTER TABLE u DROP CONSTRAINT u_pkey, ADD PRIMARY KEY USING INDEX u_t",
     "ALTER TABLE v ADD PRIMARY KEY USING INDEX v_i"},
    {"add_key_of_nullable",
     "ALTER TABLE y ALTER e DROP NOT NULL; ALTER INDEX y_e RENAME TO i; "
     "ALTER TABLE y ADD PRIMARY KEY USING INDEX i",
     "ALTER TABLE y ADD PRIMARY KEY USING INDEX y_e"},
    {"add_key_of_nullable", "ALTER TABLE u ADD CONSTRAINT k PRIMARY KEY USING INDEX u_t",
     "ALTER TABLE u ADD CONSTRAINT k UNIQUE USING INDEX u_t"},
    {"add_required_column", "ALTER TABLE t ADD COLUMN n int NOT NULL",
     "ALTER TABLE t ADD COLUMN n int"},
    {"add_volatile_default", "ALTER TABLE t ADD COLUMN n uuid DEFAULT gen_random_uuid()",
     "ALTER TABLE t ADD COLUMN n uuid; ALTER TABLE t ALTER n SET DEFAULT gen_random_uuid()"},
    {"alter_column_type", "ALTER TABLE t ALTER id TYPE numeric", "ALTER TABLE t ALTER a TYPE text"},
    {"alter_column_type", "ALTER TABLE t ALTER a TYPE varchar(9)",
     "ALTER TABLE t ALTER a TYPE varchar(20)"},
    {"alter_column_type", "ALTER TABLE t ALTER b TYPE numeric(12, 3)",
     "ALTER TABLE t ALTER b TYPE numeric(12, 2)"},
    {"alter_column_type", "ALTER TABLE t ALTER a TYPE text USING upper(a)",
     "ALTER TABLE t ALTER a TYPE varchar"},
    {"alter_column_type", "ALTER TABLE t ALTER a TYPE text COLLATE \"C\"",
     "ALTER TABLE t ALTER b TYPE numeric"},
    {"alter_column_type", "ALTER TABLE y ALTER a TYPE time(2)",
     "ALTER TABLE y ALTER a TYPE time(6)"},
    {"alter_column_type", "ALTER TABLE y ALTER b TYPE text", "ALTER TABLE y ALTER b TYPE inet"},
    {"alter_column_type", "ALTER TABLE y ALTER c TYPE timestamptz(0)",
     "ALTER TABLE y ALTER c TYPE timestamptz"},
    {"alter_column_type", "ALTER TABLE y ALTER d TYPE varchar(9)",
     "ALTER TABLE y ALTER d TYPE varchar"},
    {"alter_column_type", "ALTER TABLE t ALTER a TYPE varchar(30) USING c::varchar(30)",
     "ALTER TABLE t ALTER a TYPE varchar(30) USING a::varchar(30)"},
    {"alter_column_type", "ALTER TABLE t ALTER s TYPE text USING s::text",
     "ALTER TABLE t ALTER s TYPE state"},
    {"alter_domain", "ALTER DOMAIN any_int ADD CHECK (VALUE > 0)",
     "ALTER DOMAIN any_int ADD CHECK (VALUE > 0) NOT VALID"},
    {"alter_domain", "ALTER DOMAIN any_int SET NOT NULL",
     "CREATE DOMAIN n AS int; ALTER DOMAIN n SET NOT NULL"},
    {"attach_partition", "ALTER TABLE p ATTACH PARTITION v FOR VALUES FROM ('1') TO ('2')",
     "CREATE TABLE n (at date); ALTER TABLE p ATTACH PARTITION n DEFAULT"},
    {"attach_partition",
     "ALTER TABLE p ATTACH PARTITION s FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
     "ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')"},
    {"attach_partition",
     "ALTER TABLE v ADD COLUMN at date, ADD CHECK (at IS NOT NULL AND at < '2021-01-01');"
     "ALTER TABLE p ATTACH PARTITION v FOR VALUES FROM (MINVALUE) TO ('2021-01-01')",
     "ALTER TABLE p ATTACH PARTITION r FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')"},
    {"change_attribute", "ALTER TYPE pair RENAME ATTRIBUTE a TO c",
     "ALTER TYPE pair ADD ATTRIBUTE c int"},
    {"change_attribute", "ALTER TYPE pair DROP ATTRIBUTE a",
     "CREATE TYPE n AS (a int); ALTER TYPE n DROP ATTRIBUTE a"},
    {"change_attribute", "ALTER TYPE pair ALTER ATTRIBUTE a TYPE text",
     "ALTER TABLE t DROP COLUMN a"},
    {"cluster_table", "CLUSTER t USING t_c", "ANALYZE t"},
    {"create_index", "CREATE INDEX n ON t (a)", "CREATE TABLE n (a int); CREATE INDEX ON n (a)"},
    {"create_index", "CREATE INDEX n ON ONLY t (a)", "CREATE INDEX n ON ONLY p (at)"},
    {"concurrent_index_of_partitions", "CREATE INDEX CONCURRENTLY n ON p (at)",
     "CREATE INDEX CONCURRENTLY n ON t (a)"},
    {"create_partition", "CREATE TABLE n PARTITION OF p DEFAULT",
     "CREATE TABLE n (at date) PARTITION BY RANGE (at); CREATE TABLE o PARTITION OF n DEFAULT"},
    {"delete_all_rows", "DELETE FROM t", "DELETE FROM t WHERE id = 1"},
    {"delete_all_rows", "DELETE FROM t WHERE true", "DELETE FROM t USING u WHERE t.id = u.id"},
    {"delete_all_rows",
     "WITH old AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT id, id FROM old",
     "WITH old AS (SELECT id FROM t LIMIT 9) DELETE FROM t USING old WHERE t.id = old.id"},
    {"delete_all_rows",
     "WITH a AS (WITH b AS (DELETE FROM t RETURNING id) SELECT id FROM b) SELECT 1",
     "CREATE FUNCTION f() RETURNS bigint BEGIN ATOMIC WITH a AS (DELETE FROM t RETURNING id) "
     "SELECT "
     "count(*) FROM a; END"},
    {"delete_all_rows", "DELETE FROM t WHERE 1 = 1", "DELETE FROM t WHERE 1 = 2"},
    {"detach_partition", "ALTER TABLE p DETACH PARTITION o",
     "ALTER TABLE p DETACH PARTITION o CONCURRENTLY"},
    {"disable_trigger", "ALTER TABLE t DISABLE TRIGGER ALL", "ALTER TABLE t ENABLE TRIGGER ALL"},
    {"drop_column", "ALTER TABLE t DROP COLUMN c", "ALTER TABLE t ALTER c DROP NOT NULL"},
    {"drop_index", "DROP INDEX t_c",
     "CREATE TABLE n (a int); CREATE INDEX i ON n (a); DROP INDEX i"},
    {"drop_table", "DROP TABLE v", "CREATE TABLE n (a int); DROP TABLE n"},
    {"drop_column", "DO $$ BEGIN ALTER TABLE t DROP COLUMN c; END $$",
     "DO $$ BEGIN CREATE TABLE n (c int); ALTER TABLE n DROP COLUMN c; END $$"},
    {"drop_type", "DROP TYPE free CASCADE", "DROP TYPE free; CREATE TYPE free AS ENUM ('b')"},
    {"drop_type", "DROP DOMAIN any_int", "CREATE DOMAIN n AS int; DROP DOMAIN n"},
    {"drop_type", "DROP TYPE IF EXISTS pair", "DROP TYPE state"},
    {"drop_type_of_column", "DROP TYPE state CASCADE", "DROP TYPE free"},
    {"drop_type_of_column", "ALTER TABLE t DROP COLUMN s; DROP TYPE state", /* many.ss */
     "ALTER TABLE t DROP COLUMN s; DROP TABLE many; DROP TYPE state"},
    {"drop_type_of_column", "CREATE TABLE n (p positive); DROP DOMAIN positive",
     "CREATE TABLE n (p positive); DROP TABLE n; DROP DOMAIN positive"},
    {"drop_view", "DROP VIEW w", "DROP VIEW w; CREATE VIEW w AS SELECT 2 AS two"},
    {"drop_view", "DROP MATERIALIZED VIEW m", "CREATE VIEW n AS SELECT 1; DROP VIEW n"},
    {"enum_rename_value", "ALTER TYPE state RENAME VALUE 'done' TO 'over'",
     "CREATE TYPE n AS ENUM ('a'); ALTER TYPE n RENAME VALUE 'a' TO 'b'"},
    {"enum_value_order", "ALTER TYPE state ADD VALUE 'new' BEFORE 'open'",
     "ALTER TYPE state ADD VALUE 'new'"},
    {"fleet_catalog_scan", "ALTER TABLE t ADD COLUMN n int DEFAULT 1",
     "ALTER TABLE t ADD COLUMN n int DEFAULT NULL"},
    {"fleet_catalog_scan", "ALTER TABLE t ADD COLUMN n timestamptz DEFAULT now()",
     "ALTER TABLE t ALTER c SET DEFAULT 'x'"},
    {"lock_table", "LOCK TABLE t IN SHARE MODE", "CREATE TABLE n (a int); LOCK TABLE n"},
    {"locks_several_tables",
     "ALTER TABLE t ALTER c DROP NOT NULL; ALTER TABLE u ALTER id SET DEFAULT 1",
     "ALTER TABLE t ALTER c DROP NOT NULL; ALTER TABLE t ALTER id SET DEFAULT 1"},
    {"own_timeout", "SET lock_timeout = '1h'", "SET LOCAL work_mem = '8MB'"},
    {"own_timeout", "SELECT set_config('lock_timeout', '1h', true)",
     "SELECT set_config('work_mem', '8MB', true)"},
    {"own_timeout", "DO $$ BEGIN PERFORM set_config('Statement_Timeout', '0', false); END $$",
     "CREATE FUNCTION f() RETURNS text LANGUAGE sql RETURN set_config('lock_timeout', '0', true)"},
    {"refresh_view", "REFRESH MATERIALIZED VIEW m", "REFRESH MATERIALIZED VIEW CONCURRENTLY m"},
    {"refresh_view", "REFRESH MATERIALIZED VIEW m",
     "CREATE MATERIALIZED VIEW n AS SELECT 1; REFRESH MATERIALIZED VIEW n"},
    {"reindex", "REINDEX TABLE t", "CREATE TABLE n (a int); REINDEX TABLE n"},
    {"rename_column", "ALTER TABLE t RENAME c TO d", "ALTER TABLE t RENAME CONSTRAINT c TO d"},
    {"rename_table", "ALTER TABLE t RENAME TO n", "ALTER INDEX t_c RENAME TO n"},
    {"rename_table", "ALTER TABLE t RENAME TO n",
     "ALTER TABLE t RENAME TO n; CREATE VIEW t AS SELECT * FROM n"},
    {"rename_type", "ALTER TYPE state RENAME TO n",
     "CREATE TYPE n AS ENUM ('a'); ALTER TYPE state RENAME TO o; ALTER TYPE n RENAME TO state"},
    {"rename_type", "ALTER DOMAIN positive RENAME TO n",
     "CREATE DOMAIN n AS int; ALTER DOMAIN n RENAME TO o"},
    {"rename_view", "ALTER VIEW w RENAME TO n",
     "ALTER VIEW w RENAME TO n; CREATE VIEW w AS SELECT one FROM n"},
    {"rename_view", "ALTER MATERIALIZED VIEW m RENAME TO n",
     "ALTER VIEW w SET (check_option = local)"},
    {"rewrite_table", "ALTER TABLE t SET UNLOGGED", "ALTER TABLE t SET (fillfactor = 90)"},
    {"set_not_null", "ALTER TABLE u ALTER t_id SET NOT NULL",
     "ALTER TABLE v ALTER id SET NOT NULL"},
    {"set_not_null", "ALTER TABLE v DROP CONSTRAINT v_id; ALTER TABLE v ALTER id SET NOT NULL",
     "ALTER TABLE v ALTER id SET NOT NULL; ALTER TABLE v DROP CONSTRAINT v_id"},
    {"set_not_null", "ALTER TABLE v ALTER id SET NOT NULL, DROP CONSTRAINT v_id",
     "ALTER TABLE v ALTER id SET NOT NULL, DROP CONSTRAINT IF EXISTS v_other"},
    {"truncate_table", "TRUNCATE t", "CREATE TABLE n (a int); TRUNCATE n"},
    {"update_all_rows", "UPDATE t SET c = 'x'", "UPDATE t SET c = 'x' WHERE id < 10"},
    {"update_all_rows", "UPDATE t SET c = 'x' WHERE 'a' = 'a' AND (id = 1 OR true)",
     "UPDATE t SET c = 'x' WHERE true AND id = 1"},
    {"update_all_rows", "UPDATE t SET c = 'x' WHERE NULL IS NULL OR 1 = 1",
     "UPDATE t SET c = 'x' WHERE NULL = NULL OR NOT true"},
    {"update_all_rows", "DO $$ BEGIN UPDATE t SET c = 'x'; END $$",
     "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE t SET c = 'x'; END $$"},
    {"update_all_rows", "WITH n AS (UPDATE t SET c = 'x' RETURNING id) SELECT count(*) FROM n",
     "WITH n AS (UPDATE t SET c = 'x' WHERE id = 1 RETURNING id) SELECT count(*) FROM n"},
    {"vacuum_full", "VACUUM FULL t", "CREATE TABLE n (a int); VACUUM FULL n"},
    {"validate_same_transaction",
     "ALTER TABLE t ADD CONSTRAINT k CHECK (id > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT k",
     "ALTER TABLE v VALIDATE CONSTRAINT v_id"},
    {"write_under_lock", "ALTER TABLE t ALTER c DROP NOT NULL; UPDATE t SET c = 'x' WHERE id = 1",
     "UPDATE t SET c = 'x' WHERE id = 1; ALTER TABLE t ALTER c DROP NOT NULL"},
    {"write_under_lock",
     "ALTER TABLE t ALTER c DROP NOT NULL; INSERT INTO u SELECT generate_series(1, 9)",
     "ALTER TABLE t ALTER c DROP NOT NULL; INSERT INTO u SELECT 1, 2 WHERE NOT EXISTS (SELECT FROM "
     "u)"},
    {"write_under_lock",
     "ALTER TABLE t ALTER c DROP NOT NULL; INSERT INTO u SELECT 1 UNION SELECT 2",
     "ALTER TABLE t ALTER c DROP NOT NULL; CREATE INDEX CONCURRENTLY n ON t (a); INSERT INTO u "
     "SELECT "
     "id FROM t"},
    {"write_under_lock", "ALTER TABLE t ALTER c DROP NOT NULL; INSERT INTO u SELECT id FROM t",
     "ALTER TABLE t ALTER c DROP NOT NULL; INSERT INTO u VALUES (1)"},
};

static void a_rule_of_what_is_in_use_finds_what_it_is_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
        scoped_arena Arena *arena = arena_new();
        const char *with = arena_printf(arena, "%s:1", pairs[i].rule);
        if (strstr(lint_versions(arena, pairs[i].found, "SELECT 1"), with) == NULL) {
            fail_msg("%s: not found in \"%s\", but %s", pairs[i].rule, pairs[i].found,
                     lint_versions(arena, pairs[i].found, "SELECT 1"));
        }
        if (strstr(lint_versions(arena, pairs[i].not_found, "SELECT 1"), with) != NULL) {
            fail_msg("%s: found in \"%s\"", pairs[i].rule, pairs[i].not_found);
        }
    }
}

static void the_first_version_and_tables_of_the_same_one_are_nobodys_yet(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    assert_string_equal(lint_versions(arena, "SELECT 1", first_version), "");
    assert_string_equal(lint_versions(arena,
                                      "CREATE TABLE n (a int);\nALTER TABLE n ADD COLUMN b int "
                                      "DEFAULT 1, ADD CHECK (a > 0), DROP COLUMN a;\n"
                                      "UPDATE n SET b = 1;\nDROP TABLE n",
                                      "CREATE TABLE n (a int)"),
                        "");
    assert_string_equal(lint_versions(arena, "CREATE TABLE n (a int)", "UPDATE n SET a = 1"),
                        "update_all_rows:1");
}

static void a_check_that_is_valid_since_an_earlier_version_makes_not_null_cheap(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    assert_string_equal(
        lint_versions(
            arena, "ALTER TABLE u ADD CONSTRAINT k CHECK (t_id IS NOT NULL) NOT VALID",
            "ALTER TABLE u VALIDATE CONSTRAINT k;\nALTER TABLE u ALTER t_id SET NOT NULL"),
        "");
    assert_string_equal(
        lint_versions(arena, "ALTER TABLE u ADD CONSTRAINT k CHECK (t_id IS NOT NULL) NOT VALID",
                      "ALTER TABLE u ALTER t_id SET NOT NULL"),
        "set_not_null:1");
}

static void a_check_proves_nothing_of_a_default_partition_or_a_key_of_two_columns(void **state)
{
    (void)state;
    static const char attach[] =
        "ALTER TABLE n ATTACH PARTITION q FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')";
    static const struct {
        const char *second;
        const char *findings;
    } cases[] = {
        {"CREATE TABLE n (at date) PARTITION BY RANGE (at)", ""},
        {"CREATE TABLE n (at date, b int) PARTITION BY RANGE (at, b)", "attach_partition:1"},
        {"CREATE TABLE n (at date) PARTITION BY RANGE (at); CREATE TABLE o PARTITION OF n DEFAULT",
         "attach_partition:1"},
        {"CREATE TABLE n (at date) PARTITION BY RANGE (at); CREATE TABLE o (at date); "
         "ALTER TABLE n ATTACH PARTITION o DEFAULT",
         "attach_partition:1"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        assert_string_equal(lint_versions(arena, cases[i].second, attach), cases[i].findings);
    }
}

static void the_type_of_a_column_is_followed(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    assert_string_equal(lint_versions(arena, "ALTER TABLE t ALTER a TYPE varchar(30)",
                                      "ALTER TABLE t ALTER a TYPE varchar(20)"),
                        "alter_column_type:1");
    assert_string_equal(lint_versions(arena, "ALTER TABLE t ADD COLUMN n varchar(3)",
                                      "ALTER TABLE t RENAME n TO o; ALTER TABLE t ALTER o TYPE "
                                      "text"),
                        "rename_column:1");
    assert_string_equal(lint_versions(arena, "ALTER TABLE t ADD COLUMN n geometry(Point, 4326)",
                                      "ALTER TABLE t ALTER n TYPE geometry(MultiPoint, 4326)"),
                        "alter_column_type:1");
}

static void the_type_of_an_enum_may_be_made_anew(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    /* As Prisma writes it, and as Alembic and Rails do. */
    assert_string_equal(
        lint_versions(arena,
                      "CREATE TYPE state_new AS ENUM ('open');\n"
                      "ALTER TABLE t ALTER s TYPE state_new USING (s::text::state_new);\n"
                      "DROP TABLE many;\n"
                      "ALTER TYPE state RENAME TO state_old;\n"
                      "ALTER TYPE state_new RENAME TO state;\n"
                      "DROP TYPE state_old",
                      "ALTER TYPE state RENAME TO old;\n"
                      "CREATE TYPE state AS ENUM ('open', 'shut');\n"
                      "ALTER TABLE t ALTER s TYPE state USING (s::text::state);\n"
                      "DROP TYPE old"),
        "alter_column_type:2 drop_table:3 locks_several_tables:3 alter_column_type:3");
    assert_string_equal(lint_versions(arena, "ALTER TYPE state RENAME TO old", "DROP TYPE old"),
                        "rename_type:1 drop_type_of_column:1");
}

static void too_many_new_relations_are_found_where_they_become_too_many(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    StrBuf sql = strbuf_init(arena);
    for (int i = 0; i < 126; i++) { /* a table, what is long of it, and a key: 4 relations */
        strbuf_printf(&sql, "CREATE TABLE n%d (id bigint PRIMARY KEY, a text);\n", i);
    }
    assert_string_equal(lint_versions(arena, sql.text, "SELECT 1"), "many_relations:126");
}

static void an_ignore_silences_one_rule_of_one_statement(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *findings;
    } cases[] = {
        {"-- lint:ignore drop_table nobody uses it \r\nDROP TABLE v",
         "(drop_table:2 nobody uses it)"},
        {"--lint:ignore   drop_table\tnobody\nDROP TABLE v", "(drop_table:2 nobody)"},
        {"-- lint:ignore drop_table nobody\n\n-- more\nDROP TABLE v;\nDROP TABLE u",
         "(drop_table:4 nobody) drop_table:5 locks_several_tables:5"},
        {"-- lint:ignore drop_table nobody\n-- lint:ignore locks_several_tables small\n"
         "DROP TABLE u, v;\nSELECT 1",
         "ignore_unused:2 (drop_table:3 nobody) (drop_table:3 nobody)"},
        {"DROP TABLE v;\n-- lint:ignore drop_table too late", "drop_table:1 ignore_unused:2"},
        {"-- lint:ignore drop_table\nDROP TABLE v", "ignore_without_reason:1 drop_table:2"},
        {"-- lint:ignore drop_tabel x y\nDROP TABLE v", "ignore_unknown:1 drop_table:2"},
        {"-- lint:ignore set_role we know better\nSET ROLE x", "ignore_refused:1 set_role:2"},
        {"-- lint:ignored drop_table x\nDROP TABLE v", "drop_table:2"},
        {"SELECT '-- lint:ignore drop_table in a string\n';\nDROP TABLE v", "drop_table:3"},
        {"/* -- lint:ignore drop_table x */\nDROP TABLE v", "drop_table:2"},
        {"-- lint:ignore drop_table nobody\nDO $$\nBEGIN\nDROP TABLE v;\nEND $$",
         "(drop_table:4 nobody)"},
        {"DO $$\nBEGIN\n  -- lint:ignore drop_table nobody\n  DROP TABLE v;\nEND $$;\nDROP TABLE u",
         "(drop_table:4 nobody) drop_table:6 locks_several_tables:6"},
        {"DO $$ DECLARE r record;\nBEGIN\n-- lint:ignore delete_all_rows few rows\n"
         "FOR r IN DELETE FROM v RETURNING * LOOP\nINSERT INTO u VALUES (r.id);\nEND LOOP; END $$",
         "(delete_all_rows:4 few rows)"},
        {"DO $$\nBEGIN\n-- lint:ignore drop_table nobody\nDROP TABLE v;\n"
         "DECLARE n int := 0;\nBEGIN NULL; END; END $$",
         "(drop_table:4 nobody)"},
        {"DO $$\nBEGIN\n-- lint:ignore drop_table nobody\nNULL; END $$;\nDROP TABLE v",
         "ignore_unused:3 drop_table:5"},
        {"DO $$\nBEGIN\n-- lint:ignore dynamic_sql the same in each place\n"
         "EXECUTE 'SELECT 1';\nEXECUTE 'SELECT 2';\nEND $$",
         "(dynamic_sql:4 the same in each place) dynamic_sql:5"},
        {"-- nothing yet\n", "empty_script:1"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        assert_string_equal(lint_versions(arena, cases[i].sql, "SELECT 1"), cases[i].findings);
    }
}

static void an_unknown_rule_is_told_with_the_nearest_one(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const LintFinding *findings = NULL;
    size_t count = 0;
    Err err;
    assert_true(blueprint_lint_file(arena, "x.sql", "-- lint:ignore drop_tabel x\nSELECT 1",
                                    &findings, &count, &err));
    assert_int_equal(count, 1);
    assert_int_equal(findings[0].severity, LINT_ERROR);
    assert_string_equal(findings[0].message,
                        "\"drop_tabel\" (did you mean \"drop_table\"?): names no rule");
}

static const LintFinding *lint_file(Arena *arena, const char *sql, size_t *ret_count)
{
    const LintFinding *findings = NULL;
    Err err = {0};
    assert_true(blueprint_lint_file(arena, "x.sql", sql, &findings, ret_count, &err));
    return findings;
}

static void of_a_file_alone_what_it_does_not_make_is_in_use(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *findings;
    } cases[] = {
        {"DROP TABLE x", "drop_table:1"},
        {"CREATE TEMP TABLE x (a int);\nDROP TABLE x", ""},
        {"CREATE TABLE x (a int);\nALTER TABLE x ADD CHECK (a > 0)", ""},
        {"ALTER TYPE e ADD VALUE 'a';\nSELECT 'a'", ""},
        {"CREATE TYPE e AS ENUM ('a');\nALTER TYPE e ADD VALUE 'b';\nSELECT 'b'", ""},
        {"ALTER TABLE x ADD CONSTRAINT k CHECK (a > 0) NOT VALID;\n"
         "ALTER TABLE x VALIDATE CONSTRAINT k",
         "validate_same_transaction:2"},
        {"SET ROLE x", "set_role:1"},
        {"ALTER TABLE x RENAME TO y;\nALTER TABLE y DROP COLUMN a", "rename_table:1 drop_column:2"},
        {"CREATE VIEW x AS SELECT 1;\nALTER VIEW x RENAME TO y;\nDROP VIEW y", ""},
        {"DROP TYPE x;\nDROP DOMAIN y CASCADE", "drop_type:1 drop_type:2"},
        {"SELECT * FROM pg_catalog.pg_class", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        size_t count = 0;
        const LintFinding *findings = lint_file(arena, cases[i].sql, &count);
        assert_string_equal(show(arena, findings, count), cases[i].findings);
    }
}

static bool is_tested(const LintRuleInfo *rule)
{
    bool found = rule->scope != LINT_SCOPE_LIVE ||
                 strcmp(rule->name, "many_relations") == 0; /* tested above */
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
        found = found || strcmp(pairs[i].rule, rule->name) == 0;
    }
    return found;
}

static void every_rule_of_what_is_in_use_has_a_test(void **state)
{
    (void)state;
    size_t count = 0;
    const LintRuleInfo *rules = blueprint_lint_rules(&count);
    for (size_t i = 0; i < count; i++) {
        if (!is_tested(&rules[i])) {
            fail_msg("rule %s has no test", rules[i].name);
        }
    }
}

/* The heading of a section, or what the reference has before a rule's row. */
static void check_docs(Arena *arena, const LintRuleInfo *rule)
{
    static const char folder[] = "docs/";
    const char *text = NULL;
    size_t length = 0;
    Err err = {0};
    const char *docs = blueprint_lint_docs(arena, rule);
    const size_t width = strcspn(docs, "#");
    assert_int_equal(strncmp(docs, folder, strlen(folder)), 0);
    assert_string_equal(docs + width, arena_printf(arena, "#%s", rule->name));
    const char *file = arena_printf(arena, "%s/%.*s", TEST_DOCS, (int)(width - strlen(folder)),
                                    docs + strlen(folder));
    if (!file_read(arena, file, DOCS_BYTES, &text, &length, &err)) {
        fail_msg("%s", err.message);
    }
    if (strstr(text, arena_printf(arena, "\n### %s\n", rule->name)) == NULL &&
        strstr(text, arena_printf(arena, "\n| <a id=\"%s\"></a>`%s` |", rule->name, rule->name)) ==
            NULL) {
        fail_msg("rule %s is not in %s", rule->name, file);
    }
}

static void every_rule_has_a_place_in_the_documentation(void **state)
{
    (void)state;
    size_t count = 0;
    const LintRuleInfo *rules = blueprint_lint_rules(&count);
    for (size_t i = 0; i < count; i++) {
        scoped_arena Arena *arena = arena_new();
        check_docs(arena, &rules[i]);
    }
}

static void every_finding_says_where_its_rule_is_explained(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *docs;
    } cases[] = {
        {"SET ROLE x;", "docs/reference/lint.md#set_role"},
        {"SET search_path = x;", "docs/reference/lint.md#search_path"},
        {"GRANT SELECT ON t TO x;", "docs/reference/lint.md#grant"},
        {"COPY t FROM '/x';", "docs/reference/lint.md#copy"},
        {"ALTER TABLE t OWNER TO x;", "docs/reference/lint.md#owner"},
        {"DROP TABLE t;", "docs/rollout-lint.md#drop_table"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        size_t count = 0;
        const LintFinding *findings = lint_file(arena, cases[i].sql, &count);
        assert_int_equal(count, 1);
        assert_string_equal(findings[0].docs, cases[i].docs);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_of_what_is_in_use_finds_what_it_is_for),
        cmocka_unit_test(the_first_version_and_tables_of_the_same_one_are_nobodys_yet),
        cmocka_unit_test(a_check_that_is_valid_since_an_earlier_version_makes_not_null_cheap),
        cmocka_unit_test(a_check_proves_nothing_of_a_default_partition_or_a_key_of_two_columns),
        cmocka_unit_test(the_type_of_a_column_is_followed),
        cmocka_unit_test(the_type_of_an_enum_may_be_made_anew),
        cmocka_unit_test(too_many_new_relations_are_found_where_they_become_too_many),
        cmocka_unit_test(an_ignore_silences_one_rule_of_one_statement),
        cmocka_unit_test(an_unknown_rule_is_told_with_the_nearest_one),
        cmocka_unit_test(of_a_file_alone_what_it_does_not_make_is_in_use),
        cmocka_unit_test(every_rule_of_what_is_in_use_has_a_test),
        cmocka_unit_test(every_rule_has_a_place_in_the_documentation),
        cmocka_unit_test(every_finding_says_where_its_rule_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
