#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"
#include "core/strbuf.h"
#include "pack_fixture.h"

/* The findings of a pack as "rule:line " each, errors as they are, warnings in brackets. */
static const char *lint_files(Arena *arena, const EmbeddedFile *files, size_t count)
{
    Blueprint *blueprint = NULL;
    const LintFinding *findings = NULL;
    size_t finding_count = 0;
    Err err = {0};
    if (!load_files(arena, files, count, &blueprint, &err) ||
        !blueprint_lint(arena, blueprint, &findings, &finding_count, &err)) {
        fail_msg("%s", err.message);
    }
    StrBuf list = strbuf_init(arena);
    for (size_t i = 0; i < finding_count; i++) {
        const char *format = findings[i].severity == LINT_ERROR ? "%s%s:%d" : "%s[%s:%d]";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        strbuf_printf(&list, format, i == 0 ? "" : " ", findings[i].rule, findings[i].line);
#pragma GCC diagnostic pop
        assert_true(strlen(findings[i].hint) > 0);
    }
    return list.text;
}

static const char *lint_one(Arena *arena, const char *tiers, const char *sql)
{
    const char *manifest = arena_printf(
        arena, "name: shop\ntitle: A shop\ntiers: %s\nshared: [country]\n%s", tiers,
        MANIFEST_PLANS);
    /* The manifest's shared table is made last, so that lines are those of sql. */
    const char *all = arena_printf(arena, "%s\n; CREATE TABLE country (code text PRIMARY KEY)",
                                   sql);
    const EmbeddedFile files[] = {{"p/blueprint.yaml", manifest, strlen(manifest)},
                                  {"p/migrations/V1__a.sql", all, strlen(all)}};
    return lint_files(arena, files, ARRAY_COUNT(files));
}

typedef struct LintCase {
    const char *sql;
    const char *findings;
} LintCase;

static const LintCase any_tier[] = {
    {"SELECT 1;\n\nBEGIN;\nCOMMIT", "transaction_control:3 transaction_control:4"},
    {"ROLLBACK", "transaction_control:1"},
    {"SAVEPOINT x", "transaction_control:1"},
    {"SET ROLE x", "set_role:1"},
    {"RESET ROLE", "set_role:1"},
    {"RESET ALL", "set_role:1"},
    {"SET row_security = off", "set_role:1"},
    {"SET SESSION AUTHORIZATION x", "set_role:1"},
    {"SELECT set_config('role', 'x', true)", "set_role:1"},
    {"SELECT pg_catalog.set_config('search_path', 'x', true)", "search_path:1"},
    {"SELECT set_config('Role'::text, 'x', true)", "set_role:1"},
    {"SELECT set_config('row_' || 'x', 'x', true), set_config('work_mem', 'role', true)", ""},
    {"SET search_path = x", "search_path:1"},
    {"SET LOCAL search_path TO DEFAULT", "search_path:1"},
    {"SET LOCAL statement_timeout = 1", ""},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = pg_catalog, pg_temp "
     "AS 'SELECT 1'",
     ""},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path FROM CURRENT AS 'SELECT 1'", ""},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = pg_catalog AS 'SELECT 1'",
     "[path_without_pg_temp:1]"},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = pg_temp, pg_catalog "
     "AS 'SELECT 1'",
     "[path_without_pg_temp:1]"},
    {"ALTER FUNCTION f() SET search_path = ''", "[path_without_pg_temp:1]"},
    {"DO $$ BEGIN EXECUTE format('DROP TABLE %I', 'x'); END $$", "[dynamic_sql:1]"},
    {"DO 'BEGIN execute\n''SELECT 1''; END'", "[dynamic_sql:1]"},
    {"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN FOR r IN EXECUTE a LOOP END "
     "LOOP; END $$",
     "[dynamic_sql:1]"},
    {"DO $$ BEGIN /* EXECUTE x */ PERFORM 'EXECUTE x'; CREATE TRIGGER t BEFORE INSERT ON t EXECUTE "
     "FUNCTION f(); REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC; END $$",
     ""},
    {"DO $$\nBEGIN\n  SET ROLE x;\n  PERFORM set_config('search_path', 'x', true);\nEND $$",
     "[set_role:3] [search_path:4]"},
    {"DO $$\nDECLARE a text := set_config('role', 'x', true); BEGIN a := set_config(\n'role', 'x', "
     "true); IF set_config('row_security', 'off', true) = 'x' THEN\nCOMMIT;\nROLLBACK; END IF; "
     "END $$",
     "[set_role:2] [set_role:3] [transaction_control:4] [transaction_control:5]"},
    {"DO $$ BEGIN CREATE INDEX CONCURRENTLY ON t (a); END $$", "[not_transactional:1]"},
    {"DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM s.t LOOP PERFORM r.a.b; END LOOP; END "
     "$$",
     "[qualified_name:1]"},
    /* Names of variables that are statements elsewhere. */
    {"DO $$ DECLARE checkpoint bigint := 5; abort bool := true; BEGIN LOOP\n"
     "RAISE NOTICE 'at %', checkpoint; EXIT WHEN abort; END LOOP; IF abort THEN NULL; END IF; END "
     "$$",
     ""},
    {"DO $$ DECLARE r record; BEGIN\nFOR r IN SELECT s.f(1) LOOP\nNULL; END LOOP;\nCALL s.p();\n"
     "PERFORM s.f(2); END $$",
     "[qualified_name:2] [qualified_name:4] [qualified_name:5]"},
    /* A branch that never ran is no reason to refuse the next version. */
    {"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'anon') THEN\n"
     "GRANT SELECT ON t TO anon; END IF; END $$",
     "[grant:2]"},
    {"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') THEN\n"
     "CREATE ROLE app; END IF; END $$;\nCREATE ROLE app",
     "[server_object:2] server_object:3"},
    {"DO $$ BEGIN\n-- lint:ignore grant anon is a role of ours\nGRANT SELECT ON t TO anon;\n"
     "-- lint:ignore grnat x\n-- lint:ignore grant\nNULL; END $$",
     "[grant:3] [ignore_unknown:4] [ignore_without_reason:5]"},
    {"-- lint:ignore grant anon is a role of ours\nDO $$ BEGIN\nGRANT SELECT ON t TO anon; END $$; "
     "GRANT SELECT ON t TO anon",
     "grant:3 [grant:3]"},
    {"DO $$ BEGIN EXECUTE 'SET ROLE x'; END $$", "[dynamic_sql:1]"},
    {"DO $$ DECLARE r record; BEGIN\nEXECUTE 'a' USING 1;\n"
     "FOR r IN EXECUTE 'b' LOOP NULL; END LOOP; END $$",
     "[dynamic_sql:2] [dynamic_sql:3]"},
    {"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN SET ROLE x; END $$", ""},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = public, shop, pg_temp "
     "AS 'SELECT 1'",
     "function_path:1 function_path:1"},
    {"ALTER FUNCTION f() SET search_path = \"$user\", pg_temp", "function_path:1"},
    {"ALTER FUNCTION f() SET search_path = tenancy, pg_catalog, pg_temp", ""},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET TimeZone FROM CURRENT AS 'SELECT 1'",
     "function_setting:1"},
    {"ALTER FUNCTION f() SET lock_timeout FROM CURRENT", "function_setting:1"},
    {"ALTER FUNCTION f() SET lock_timeout = '1s'", ""},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET role = x AS 'SELECT 1'", "set_role:1"},
    {"CREATE USER x", "server_object:1"},
    {"ALTER ROLE x SUPERUSER", "server_object:1"},
    {"ALTER ROLE x SET work_mem = 1", "server_object:1"},
    {"DROP ROLE x", "server_object:1"},
    {"CREATE DATABASE x", "server_object:1"},
    {"ALTER DATABASE x SET work_mem = 1", "server_object:1"},
    {"DROP DATABASE x", "server_object:1"},
    {"CREATE TABLESPACE x LOCATION '/x'", "server_object:1"},
    {"DROP TABLESPACE x", "server_object:1"},
    {"CREATE SCHEMA x", "server_object:1"},
    {"ALTER SCHEMA x RENAME TO y", "server_object:1"},
    {"DROP SCHEMA x", "server_object:1"},
    {"ALTER TABLE country SET SCHEMA x", "server_object:1"},
    {"DROP OWNED BY x", "server_object:1"},
    {"CREATE EXTENSION hstore", "extension:1"},
    {"DROP EXTENSION hstore", "extension:1"},
    {"GRANT SELECT ON t TO x", "grant:1"},
    {"GRANT SELECT ON t TO PUBLIC", "grant:1"},
    {"REVOKE ALL ON t FROM x", "grant:1"},
    {"REVOKE ALL ON t FROM PUBLIC", ""},
    {"REVOKE ALL ON t FROM PUBLIC, x", "grant:1"},
    {"GRANT a TO b", "grant:1"},
    {"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO x", "grant:1"},
    {"ALTER TABLE t OWNER TO x", "owner:1"},
    {"ALTER FUNCTION f() OWNER TO x", "owner:1"},
    {"ALTER SYSTEM SET work_mem = 1", "alter_system:1"},
    {"LOAD 'x'", "load:1"},
    {"COPY t FROM '/x'", "copy:1"},
    {"COPY t TO PROGRAM 'x'", "copy:1"},
    {"CREATE INDEX CONCURRENTLY ON t (a)", ""},
    {"CREATE INDEX CONCURRENTLY ON s.t (a)", "not_transactional:1 qualified_name:1"},
    {"DROP INDEX CONCURRENTLY i", ""},
    {"REINDEX TABLE CONCURRENTLY t", ""},
    {"REINDEX DATABASE x", "not_transactional:1"},
    {"REINDEX TABLE t", ""},
    {"ALTER TABLE t DETACH PARTITION p CONCURRENTLY", ""},
    {"VACUUM", "not_transactional:1"},
    {"VACUUM t", ""},
    {"ANALYZE", ""},
    {"CLUSTER", "not_transactional:1"},
    {"SELECT * FROM public.t", "qualified_name:1"},
    {"SELECT pg_catalog.now(), tenancy.current_tenant() FROM information_schema.tables", ""},
    {"SELECT t.a, t.* FROM t", ""},
    {"SELECT s.t.a FROM t", "qualified_name:1"},
    {"SELECT s.t.* FROM t", "qualified_name:1"},
    {"SELECT s.f(1)", "qualified_name:1"},
    {"SELECT a::s.ty FROM t", "qualified_name:1"},
    {"SELECT a OPERATOR(s.+) b FROM t", "qualified_name:1"},
    {"CREATE SEQUENCE s.x", "qualified_name:1"},
    {"CREATE TYPE s.e AS ENUM ('a')", "qualified_name:1"},
    {"CREATE DOMAIN s.d AS int", "qualified_name:1"},
    {"DROP TABLE a, s.b", "qualified_name:1"},
    {"DROP FUNCTION s.f(int)", "qualified_name:1"},
    {"DROP TRIGGER g ON t", ""},
    {"DROP TRIGGER g ON s.t", "qualified_name:1"},
    {"COMMENT ON COLUMN t.a IS 'x'", ""},
    {"COMMENT ON COLUMN s.t.a IS 'x'", "qualified_name:1"},
    {"COMMENT ON TABLE s.t IS 'x'", "qualified_name:1"},
    {"CREATE FUNCTION f(a t.b%TYPE) RETURNS int LANGUAGE sql AS 'SELECT 1'", ""},
    {"CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "qualified_name:1"},
    {"CREATE EVENT TRIGGER x ON ddl_command_end EXECUTE FUNCTION f()", "outside_object:1"},
    {"CREATE PUBLICATION p", "outside_object:1"},
    {"DROP PUBLICATION p", "outside_object:1"},
    {"CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p", "outside_object:1"},
    {"CREATE SERVER s FOREIGN DATA WRAPPER w", "outside_object:1"},
    {"CREATE FOREIGN TABLE f (a int) SERVER s", "outside_object:1"},
    {"DO LANGUAGE plpython3u 'x'", "language:1"},
    {"DO $$ BEGIN NULL; END $$", ""},
    {"SELECT 1;\nDO $$\nBEGIN GRANT SELECT ON t TO x END $$", "[unread_body:2]"},
    {"DO $$ BEGIN EXECUTE 'SELECT 1' END $$", "[dynamic_sql:1] [unread_body:1]"},
    {"DO $$ BEGIN\nDO 'BEGIN NULL; END'; END $$", "[unread_body:2]"},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'x'", "language:1"},
    {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END", ""},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
     "security_definer:1"},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, "
     "pg_temp AS 'SELECT 1'",
     ""},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog "
     "AS 'SELECT 1'",
     "security_definer:1"},
    {"ALTER FUNCTION f() SECURITY DEFINER", "security_definer:1"},
    {"ALTER FUNCTION f() SECURITY DEFINER SET search_path = pg_catalog, pg_temp", ""},
    {"ALTER FUNCTION f() SECURITY DEFINER SET search_path = pg_catalog", "security_definer:1"},
    {"ALTER FUNCTION f() RESET search_path", "security_definer:1"},
    {"ALTER FUNCTION f() RESET ALL", "security_definer:1"},
    {"ALTER FUNCTION f() SET search_path FROM CURRENT", ""},
    {"ALTER FUNCTION f() SET search_path TO DEFAULT", "security_definer:1"},
    {"ALTER FUNCTION f() SECURITY DEFINER SET search_path FROM CURRENT", ""},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT "
     "AS 'SELECT 1'",
     ""},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET work_mem FROM CURRENT "
     "AS 'SELECT 1'",
     "function_setting:1 security_definer:1"},
    {"ALTER FUNCTION f() RESET work_mem", ""},
    {"GRANT SELECT ON t TO PUBLIC", "grant:1"},
    {"REVOKE SELECT ON t FROM PUBLIC", ""},
    {"SECURITY LABEL ON TABLE t IS 'x'", "outside_object:1"},
    {"COMMENT ON TABLE t IS 'x'", ""},
    {"ALTER TABLE t SET TABLESPACE x", "server_object:1"},
    {"ALTER TABLE t SET (fillfactor = 90)", ""},
    {"CREATE TABLE IF NOT EXISTS t (a int)", "[if_not_exists:1]"},
    {"CREATE INDEX IF NOT EXISTS i ON t (a)", "[if_not_exists:1]"},
    {"CREATE TABLE t (a timestamp, b timestamptz)", "[timestamp_type:1]"},
    {"CREATE TABLE t (a bigserial, b char(3), c money, d varchar(3))",
     "[fixed_length_char:1] [money_type:1] [serial_type:1]"},
    {"CREATE TABLE t (a json, b jsonb, c json[])", "[json_type:1] [json_type:1]"},
    {"CREATE TABLE t (a int PRIMARY KEY); CREATE VIEW v AS SELECT 1", ""},
};

static void rules_of_every_tier_find_what_they_are_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(any_tier); i++) {
        scoped_arena Arena *arena = arena_new();
        assert_string_equal(lint_one(arena, "[schema]", any_tier[i].sql), any_tier[i].findings);
    }
}

#define TENANT "tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant()"
#define PARENT "CREATE TABLE a (" TENANT ", id bigint, PRIMARY KEY (tenant_id, id));\n"
#define CHILD_OPEN PARENT "CREATE TABLE b (" TENANT ", id bigint, a_id bigint, "

static const LintCase row_tier[] = {
    {PARENT, ""},
    {"CREATE TABLE t (a int)", "row_table_without_tenant_id:1"},
    {"CREATE TABLE t (tenant_id uuid)", "row_table_without_tenant_id:1"},
    {"CREATE TABLE t (tenant_id text NOT NULL)", "row_table_without_tenant_id:1"},
    {"CREATE TABLE t (tenant_id uuid[] NOT NULL)", "row_table_without_tenant_id:1"},
    {"CREATE TABLE t (tenant_id uuid NOT NULL)", "[row_tenant_id_without_default:1]"},
    {"CREATE TABLE t (tenant_id uuid DEFAULT tenancy.current_tenant(), id int, "
     "PRIMARY KEY (tenant_id, id))",
     ""},
    {"CREATE TEMP TABLE t (a int)", ""},
    {"CREATE TABLE t (a int); DROP TABLE t", ""},
    {"CREATE TABLE t (a int);\nALTER TABLE t ADD COLUMN " TENANT, ""},
    {"CREATE TABLE t (a int);\nALTER TABLE t ADD COLUMN tenant_id uuid;\n"
     "ALTER TABLE t ALTER COLUMN tenant_id SET NOT NULL, ALTER COLUMN tenant_id SET DEFAULT "
     "tenancy.current_tenant()",
     ""},
    {PARENT "ALTER TABLE a DROP COLUMN tenant_id", "row_table_without_tenant_id:1"},
    {PARENT "ALTER TABLE a ALTER COLUMN tenant_id TYPE text", "row_table_without_tenant_id:1"},
    {PARENT "ALTER TABLE a ALTER COLUMN tenant_id DROP NOT NULL", "row_table_without_tenant_id:1"},
    {PARENT "ALTER TABLE a RENAME COLUMN tenant_id TO x", "row_table_without_tenant_id:1"},
    {PARENT "ALTER TABLE a RENAME TO b; ALTER TABLE b ADD UNIQUE (id)",
     "row_unique_without_tenant_id:2"},
    {PARENT "CREATE TABLE b (LIKE a INCLUDING ALL)", ""},
    {PARENT "CREATE TABLE b (x int) INHERITS (a)", ""},
    {"CREATE TABLE p (" TENANT ", at timestamptz) PARTITION BY RANGE (at);\n"
     "CREATE TABLE p1 PARTITION OF p DEFAULT",
     ""},
    {"CREATE TABLE t AS SELECT 1", "row_table_without_tenant_id:1"},
    {"SELECT 1 INTO t", "row_table_without_tenant_id:1"},
    {"CREATE TABLE t (" TENANT ", id int PRIMARY KEY)", "row_unique_without_tenant_id:1"},
    {"CREATE TABLE t (" TENANT ", id int UNIQUE)", "row_unique_without_tenant_id:1"},
    {"CREATE TABLE t (" TENANT ", id int, UNIQUE (id))", "row_unique_without_tenant_id:1"},
    {"CREATE TABLE t (" TENANT ", r int4range, EXCLUDE USING gist (r WITH &&))",
     "row_unique_without_tenant_id:1"},
    {"CREATE TABLE t (" TENANT ", r int4range, EXCLUDE USING gist (tenant_id WITH =, r WITH &&))",
     ""},
    {PARENT "CREATE UNIQUE INDEX ON a (id)", "row_unique_without_tenant_id:2"},
    {PARENT "CREATE UNIQUE INDEX ON a (tenant_id, (id + 1))", ""},
    {PARENT "CREATE INDEX ON a (id)", ""},
    {PARENT "ALTER TABLE a ADD CONSTRAINT u UNIQUE (id)", "row_unique_without_tenant_id:2"},
    {CHILD_OPEN "FOREIGN KEY (tenant_id, a_id) REFERENCES a (tenant_id, id))", ""},
    {CHILD_OPEN "FOREIGN KEY (tenant_id, a_id) REFERENCES a)", ""},
    {CHILD_OPEN "FOREIGN KEY (a_id) REFERENCES a (id))", "row_foreign_key:2"},
    {CHILD_OPEN "FOREIGN KEY (tenant_id, a_id) REFERENCES a (id, tenant_id))", "row_foreign_key:2"},
    {CHILD_OPEN "FOREIGN KEY (a_id, tenant_id) REFERENCES a)", "row_foreign_key:2"},
    {CHILD_OPEN "PRIMARY KEY (tenant_id, id), FOREIGN KEY (tenant_id, a_id) REFERENCES b)", ""},
    {PARENT "CREATE TABLE b (" TENANT ", a_id bigint REFERENCES a (id))", "row_foreign_key:2"},
    {PARENT "CREATE TABLE b (" TENANT ", c text REFERENCES country (code))", ""},
    {PARENT "CREATE TABLE b (" TENANT ", a_id int);\nALTER TABLE b ADD FOREIGN KEY (a_id) "
            "REFERENCES a (id)",
     "row_foreign_key:3"},
    {PARENT "ALTER TABLE a ADD COLUMN parent bigint REFERENCES a (id)", "row_foreign_key:2"},
    {PARENT "CREATE POLICY p ON a USING (true)", "row_permissive_policy:2"},
    {PARENT "CREATE POLICY p ON a AS RESTRICTIVE USING (true)", ""},
    {PARENT "CREATE POLICY tenant_x ON a AS RESTRICTIVE USING (true)", "row_guard_policy:2"},
    {PARENT "DROP POLICY tenant_guard ON a", "row_guard_policy:2"},
    {PARENT "DROP POLICY IF EXISTS p ON a", ""},
    {PARENT "ALTER POLICY tenant_rows ON a USING (true)", "row_guard_policy:2"},
    {PARENT "ALTER POLICY p ON a USING (true)", ""},
    {PARENT "ALTER POLICY tenant_guard ON a RENAME TO p", "row_guard_policy:2"},
    {PARENT "ALTER POLICY p ON a RENAME TO tenant_p", "row_guard_policy:2"},
    {PARENT "ALTER POLICY p ON a RENAME TO q", ""},
    {PARENT "ALTER TABLE a DISABLE ROW LEVEL SECURITY", "row_security_off:2"},
    {PARENT "ALTER TABLE a NO FORCE ROW LEVEL SECURITY", "row_security_off:2"},
    {PARENT "ALTER TABLE a ENABLE ROW LEVEL SECURITY", ""},
    {"DO $$ BEGIN IF false THEN CREATE TABLE t (a int); END IF; END $$",
     "[row_table_without_tenant_id:1]"},
    {PARENT "DO $$ BEGIN IF false THEN ALTER TABLE a DROP COLUMN tenant_id; END IF; END $$",
     "[row_table_without_tenant_id:1]"},
    {"CREATE VIEW v AS SELECT 1", "row_view_without_invoker:1"},
    {"CREATE VIEW v WITH (security_invoker = false) AS SELECT 1", "row_view_without_invoker:1"},
    {"CREATE VIEW v WITH (security_invoker = true) AS SELECT 1", ""},
    {"CREATE VIEW v WITH (security_invoker) AS SELECT 1", ""},
    {"ALTER VIEW v SET (security_invoker = off)", "row_view_without_invoker:1"},
    {"ALTER VIEW v RESET (security_invoker)", "row_view_without_invoker:1"},
    {"CREATE MATERIALIZED VIEW v AS SELECT 1", "row_materialized_view:1"},
};

static void rules_of_the_row_tier_find_what_they_are_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(row_tier); i++) {
        scoped_arena Arena *arena = arena_new();
        assert_string_equal(lint_one(arena, "[schema, row]", row_tier[i].sql),
                            row_tier[i].findings);
        assert_string_equal(lint_one(arena, "[schema]", row_tier[i].sql), "");
    }
}

/* What tenants have when the second version comes: their own rows, and shared ones. */
static const char with_rows[] = PARENT
    "CREATE TABLE p (" TENANT ", at date) PARTITION BY RANGE (at);\n"
    "CREATE TABLE p_old PARTITION OF p DEFAULT;\n"
    "CREATE TABLE s (code text) PARTITION BY RANGE (code);\n"
    "CREATE TABLE s_all PARTITION OF s DEFAULT;\n"
    "CREATE VIEW of_a WITH (security_invoker) AS SELECT id FROM a;\n"
    "CREATE VIEW of_s WITH (security_invoker) AS SELECT code FROM s;\n";

/* Of the second version, and of its down file: what of rules of the row tier they find. */
static const struct {
    const char *up;
    const char *down;
    const char *findings;
} data_changes[] = {
    {"ALTER TABLE a ADD COLUMN k text;\nUPDATE a SET k = 'x'", "", "row_data_change:2"},
    {"UPDATE a AS x SET id = 1 WHERE id = 2", "", "row_data_change:1"},
    {"DELETE FROM ONLY a WHERE id = 1", "", "row_data_change:1"},
    {"DELETE FROM p_old WHERE at < '2020-01-01'", "", "row_data_change:1"},
    {"MERGE INTO a USING s ON s.code = 'x' WHEN MATCHED THEN DELETE", "", "row_data_change:1"},
    {"INSERT INTO s SELECT id::text FROM a", "", "row_data_change:1"},
    {"INSERT INTO s VALUES ((SELECT max(id)::text FROM a))", "", "row_data_change:1"},
    {"INSERT INTO s SELECT id::text FROM of_a", "", "row_data_change:1"},
    {"UPDATE s SET code = 'x' WHERE EXISTS (SELECT FROM a)", "", "row_data_change:1"},
    {"WITH gone AS (DELETE FROM a RETURNING id) INSERT INTO s SELECT id::text FROM gone", "",
     "row_data_change:1"},
    {"WITH gone AS (DELETE FROM a RETURNING id) SELECT id FROM gone", "", "row_data_change:1"},
    {"CREATE TEMP TABLE t AS SELECT id FROM a", "", "row_data_change:1"},
    {"SELECT id INTO TEMP t FROM a", "", "row_data_change:1"},
    {"ALTER TABLE a RENAME TO b; UPDATE b SET id = 1", "", "row_data_change:1"},
    {"ALTER VIEW of_a RENAME TO v; DELETE FROM v", "", "row_data_change:1"},
    {"CREATE VIEW v WITH (security_invoker) AS SELECT * FROM of_a; DELETE FROM v", "",
     "row_data_change:1"},
    {"DO $$ BEGIN\nUPDATE a SET id = 1; END $$", "", "[row_data_change:2]"},
    {"DO $$ BEGIN\n-- lint:ignore row_data_change the application does it in the row tier\n"
     "UPDATE a SET id = 1; END $$",
     "", "[row_data_change:3]"}, /* silenced */
    {"-- lint:ignore row_data_change a reason\nUPDATE a SET id = 1", "",
     "ignore_refused:1 row_data_change:2"},
    /* Nothing that tenants have. */
    {"UPDATE s SET code = 'x'", "", ""},
    {"DELETE FROM s_all", "", ""},
    {"INSERT INTO s SELECT code FROM of_s", "", ""},
    {"INSERT INTO s SELECT relname FROM pg_catalog.pg_class", "", ""},
    {"CREATE TABLE b (" TENANT ", id int); UPDATE b SET id = 1; INSERT INTO b SELECT * FROM b", "",
     ""},
    {"CREATE TABLE b (" TENANT ", id int); CREATE VIEW v WITH (security_invoker) AS "
     "SELECT * FROM b; DELETE FROM v",
     "", ""},
    {"CREATE OR REPLACE VIEW of_a WITH (security_invoker) AS SELECT 1::bigint AS id; "
     "INSERT INTO s SELECT id::text FROM of_a",
     "", ""},
    {"CREATE TEMP TABLE t AS SELECT id FROM a WITH NO DATA", "", ""},
    /* What only reads, runs later, or reaches all rows. */
    {"SELECT id FROM a", "", ""},
    {"DO $$ BEGIN PERFORM id FROM a; END $$", "", ""},
    {"CREATE FUNCTION f() RETURNS void BEGIN ATOMIC UPDATE a SET id = 1; END", "", ""},
    {"ALTER TABLE a ADD COLUMN k text DEFAULT 'x', ADD COLUMN l bigint GENERATED ALWAYS AS (id) "
     "STORED",
     "", ""},
    {"ALTER TABLE a ALTER id TYPE bigint USING coalesce(id, 0)", "", ""},
    /* When a version is undone its own tables have rows too. */
    {"CREATE TABLE b (" TENANT ", id int)", "INSERT INTO s SELECT id::text FROM b",
     "row_data_change:1"},
    {"SELECT 1", "UPDATE a SET id = 1", "row_data_change:1"},
    {"SELECT 1", "DELETE FROM s", ""},
};

/* The findings without those of what is in use, which are another test's. */
static const char *lint_second(Arena *arena, const char *tiers, const char *up, const char *down)
{
    const char *manifest = arena_printf(
        arena, "name: shop\ntitle: A shop\ntiers: %s\nshared: [s]\n" MANIFEST_PLANS, tiers);
    const EmbeddedFile files[] = {
        {"p/blueprint.yaml", manifest, strlen(manifest)},
        {"p/migrations/V1__a.sql", with_rows, strlen(with_rows)},
        {"p/migrations/V2__b.sql", up, strlen(up)},
        {"p/migrations/V2__b.down.sql", down, strlen(down)},
    };
    StrBuf list = strbuf_init(arena);
    const char *all = lint_files(arena, files, ARRAY_COUNT(files) - (*down == '\0' ? 1 : 0));
    for (size_t length = 0; *all != '\0'; all += length + strspn(all + length, " ")) {
        length = strcspn(all, " ");
        const char *one = arena_strndup(arena, all, length);
        if (strstr(one, "row_data_change") != NULL || strstr(one, "ignore_") != NULL) {
            strbuf_printf(&list, "%s%s", list.length == 0 ? "" : " ", one);
        }
    }
    return list.text;
}

static void changes_of_rows_that_the_row_tier_would_not_see_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(data_changes); i++) {
        scoped_arena Arena *arena = arena_new();
        const char *found = lint_second(arena, "[row, schema]", data_changes[i].up,
                                        data_changes[i].down);
        if (strcmp(found, data_changes[i].findings) != 0) {
            fail_msg("\"%s\" and \"%s\": \"%s\"", data_changes[i].up, data_changes[i].down, found);
        }
        assert_null(strstr(lint_second(arena, "[schema]", data_changes[i].up, data_changes[i].down),
                           "row_data_change"));
    }
}

#define CYCLE                                                                                      \
    "CREATE TABLE a (id int PRIMARY KEY, b_id int);\n"                                             \
    "CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a);\n"
#define CLOSING "ALTER TABLE a ADD CONSTRAINT k FOREIGN KEY (b_id) REFERENCES b"

static const LintCase cycles[] = {
    {CYCLE, ""},
    {CYCLE CLOSING, "foreign_key_cycle:3"},
    {CYCLE CLOSING " DEFERRABLE", ""},
    {CYCLE CLOSING " INITIALLY DEFERRED", ""},
    {CYCLE CLOSING ";\nALTER TABLE a DROP CONSTRAINT k", ""},
    {CYCLE CLOSING ";\nALTER TABLE a ALTER CONSTRAINT k DEFERRABLE", ""},
    {CYCLE CLOSING " DEFERRABLE;\nALTER TABLE a ALTER CONSTRAINT k NOT DEFERRABLE",
     "foreign_key_cycle:3"},
    {CYCLE CLOSING ";\nALTER TABLE a RENAME CONSTRAINT k TO l;\nALTER TABLE a DROP CONSTRAINT l",
     ""},
    {CYCLE CLOSING ";\nALTER TABLE a DROP COLUMN b_id", ""},
    {CYCLE CLOSING ";\nALTER TABLE b DROP CONSTRAINT b_a_id_fkey", ""},
    {CYCLE CLOSING ";\nALTER TABLE b RENAME TO c", "foreign_key_cycle:3"},
    {CYCLE CLOSING ";\nDROP TABLE b CASCADE", ""},
    {CYCLE "ALTER TABLE a ADD COLUMN c int REFERENCES b", "foreign_key_cycle:3"},
    {CYCLE "ALTER TABLE a ADD COLUMN c int REFERENCES b NOT DEFERRABLE", "foreign_key_cycle:3"},
    {CYCLE "ALTER TABLE a ADD COLUMN c int REFERENCES b DEFERRABLE INITIALLY DEFERRED", ""},
    {CYCLE "ALTER TABLE a ADD COLUMN c int REFERENCES b INITIALLY DEFERRED NOT NULL", ""},
    {"CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a)", ""},
    {CYCLE "CREATE TABLE c (id int PRIMARY KEY, b_id int REFERENCES b, a_id int REFERENCES a)", ""},
    {CYCLE "CREATE TABLE c (id int PRIMARY KEY, b_id int REFERENCES b);\n"
           "ALTER TABLE a ADD FOREIGN KEY (b_id) REFERENCES c",
     "foreign_key_cycle:4"},
    {CYCLE CLOSING ";\nCREATE TABLE c (id int PRIMARY KEY, b_id int REFERENCES b);\n"
                   "ALTER TABLE b ADD COLUMN c_id int REFERENCES c",
     "foreign_key_cycle:3 foreign_key_cycle:5"},
    {CYCLE "DO $$ BEGIN IF false THEN\n" CLOSING "; END IF; END $$", "[foreign_key_cycle:4]"},
    {"CREATE TABLE a (id int PRIMARY KEY, b_id int);\n"
     "CREATE TABLE b (id int PRIMARY KEY, a_id int);\n"
     "DO $$ BEGIN IF false THEN ALTER TABLE b ADD FOREIGN KEY (a_id) REFERENCES a; END IF; END "
     "$$;\n"
     "ALTER TABLE a ADD FOREIGN KEY (b_id) REFERENCES b",
     "[foreign_key_cycle:3]"},
};

static void foreign_keys_in_a_cycle_are_found_at_the_key_that_closes_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cycles); i++) {
        scoped_arena Arena *arena = arena_new();
        assert_string_equal(lint_one(arena, "[schema]", cycles[i].sql), cycles[i].findings);
    }
}

#define MANIFEST(more) PACK_FILE("blueprint.yaml", MANIFEST_HEAD MANIFEST_PLANS more)

static void tables_that_the_manifest_names_must_be_made(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const EmbeddedFile files[] = {
        MANIFEST("shared: [x]\nappend_only: [item, y]\n"
                 "partitions: [{table: z, column: a, every: day, ahead: 1},"
                 " {table: item, column: id, every: day, ahead: 1}]\n"),
        PACK_FILE("migrations/V1__a.sql", GOOD_TABLE),
    };
    assert_string_equal(lint_files(arena, files, ARRAY_COUNT(files)),
                        "manifest_partition:1 manifest_table:1 manifest_table:1 manifest_table:1");
}

#define PERSONAL(table, column)                                                                    \
    "personal_data:\n  - {table: " table ", column: " column                                       \
    ", category: contact, reason: r, keep: until closed, mask: hash}\n"

static void columns_of_personal_data_must_be_made(void **state)
{
    (void)state;
    static const struct {
        const char *more;
        const char *sql;
        const char *findings;
    } cases[] = {
        {PERSONAL("item", "id"), "SELECT 1", ""},
        {PERSONAL("item", "mail"), "SELECT 1", "manifest_column:7"},
        {PERSONAL("items", "id"), "SELECT 1", "manifest_table:7"},
        {PERSONAL("item", "mail"), "ALTER TABLE item ADD COLUMN mail text", ""},
        {PERSONAL("item", "mail"),
         "ALTER TABLE item ADD COLUMN mail text; ALTER TABLE item DROP COLUMN mail",
         "manifest_column:7 [drop_column:1]"},
        {PERSONAL("item", "number"), "ALTER TABLE item RENAME COLUMN id TO number",
         "[rename_column:1]"},
        {PERSONAL("item", "id"), "ALTER TABLE item RENAME COLUMN id TO number",
         "manifest_column:7 [rename_column:1]"},
        {PERSONAL("item", "id"),
         "DO $$ BEGIN IF false THEN ALTER TABLE item RENAME TO goods; END IF; END $$",
         "[manifest_table:7] [rename_table:1]"},
        {PERSONAL("item", "id"), "DO $$ BEGIN IF false THEN DROP TABLE item; END IF; END $$",
         "[manifest_table:7] [drop_table:1]"},
        {PERSONAL("goods", "id"), "ALTER TABLE item RENAME TO goods", "[rename_table:1]"},
        {PERSONAL("t", "a"),
         "CREATE TABLE t AS SELECT 1 AS a, tenancy.current_tenant() AS tenant_id", ""},
        {PERSONAL("t", "id"), "CREATE TABLE t (LIKE item)", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        const char *manifest = arena_printf(
            arena, "name: shop\ntitle: T\ntiers: [schema]\n" MANIFEST_PLANS "%s", cases[i].more);
        const EmbeddedFile files[] = {
            {"p/blueprint.yaml", manifest, strlen(manifest)},
            PACK_FILE("migrations/V1__a.sql", GOOD_TABLE),
            {"p/migrations/V2__b.sql", cases[i].sql, strlen(cases[i].sql)},
        };
        assert_string_equal(lint_files(arena, files, ARRAY_COUNT(files)), cases[i].findings);
    }
}

static void a_variant_may_make_another_kind_of_table(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const EmbeddedFile files[] = {
        MANIFEST("extensions: {optional: [timescaledb]}\n"
                 "partitions: [{table: t, column: at, every: day, ahead: 1}]\n"),
        PACK_FILE("migrations/V1__a.sql",
                  "CREATE TABLE t (" TENANT ", at timestamptz) PARTITION BY RANGE (at)"),
        PACK_FILE("migrations/V1__a.with_timescaledb.sql",
                  "CREATE TABLE t (" TENANT
                  ", at timestamptz);\nSELECT create_hypertable('t','at')"),
        PACK_FILE("migrations/V2__b.sql", "\nCREATE UNIQUE INDEX ON t (at)"),
    };
    assert_string_equal(lint_files(arena, files, ARRAY_COUNT(files)),
                        "[create_index:2] "
                        "row_unique_without_tenant_id:2");
}

static void down_files_seed_and_variants_are_checked_too(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const EmbeddedFile files[] = {
        MANIFEST("extensions: {optional: [timescaledb]}\nseed: seed.sql\n"),
        PACK_FILE("migrations/V1__a.sql", GOOD_TABLE),
        PACK_FILE("migrations/V1__a.down.sql", "COMMIT"),
        PACK_FILE("migrations/V1__a.with_timescaledb.sql", "SET ROLE x"),
        PACK_FILE("seed.sql", "RESET ROLE"),
    };
    Blueprint *blueprint = NULL;
    const LintFinding *findings = NULL;
    size_t count = 0;
    Err err;
    assert_true(load_files(arena, files, ARRAY_COUNT(files), &blueprint, &err));
    assert_true(blueprint_lint(arena, blueprint, &findings, &count, &err));
    assert_int_equal(count, 4);
    assert_string_equal(findings[0].file, "migrations/V1__a.down.sql");
    assert_string_equal(findings[0].rule, "transaction_control");
    assert_string_equal(findings[2].file, "migrations/V1__a.with_timescaledb.sql");
    assert_string_equal(findings[3].file, "seed");
}

static void a_finding_names_its_subject(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const EmbeddedFile files[] = {MANIFEST(""),
                                  PACK_FILE("migrations/V1__a.sql", "\nCREATE TABLE t (a int)")};
    Blueprint *blueprint = NULL;
    const LintFinding *findings = NULL;
    size_t count = 0;
    Err err;
    assert_true(load_files(arena, files, ARRAY_COUNT(files), &blueprint, &err));
    assert_true(blueprint_lint(arena, blueprint, &findings, &count, &err));
    assert_int_equal(count, 1);
    assert_string_equal(findings[0].file, "migrations/V1__a.sql");
    assert_int_equal(findings[0].line, 2);
    assert_int_equal(findings[0].severity, LINT_ERROR);
    assert_string_equal(findings[0].message,
                        "table \"t\": a table of tenants needs a column tenant_id uuid NOT NULL");
}

static void a_finding_in_a_do_block_has_its_place_in_the_script(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        int line;
        int column;
    } cases[] = {
        {"\n  DO $x$ BEGIN SET ROLE x; END $x$", 2, 16},
        {"SELECT 1; DO '\n\nBEGIN PERFORM ''é''; /* SET */ SET ROLE x; END'", 3, 32},
        {"DO LANGUAGE plpgsql E'BEGIN\\n\\n\\nSET ROLE x; END'", 1, 23},
        {"/* é */ DO $$ BEGIN\n\n\nSET ROLE x; END $$", 4, 1},
        {"DO $$ BEGIN SET ROLE x; END $$; SELECT '\n'", 1, 13},
        {"DO\n$$ BEGIN IF true THEN PERFORM\nset_config('role', 'x', true); END IF; END $$", 2, 23},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        const LintFinding *findings = NULL;
        size_t count = 0;
        Err err = {0};
        assert_true(blueprint_lint_file(arena, "x.sql", cases[i].sql, &findings, &count, &err));
        assert_int_equal(count, 1);
        assert_string_equal(findings[0].rule, "set_role");
        assert_int_equal(findings[0].line, cases[i].line);
        assert_int_equal(findings[0].column, cases[i].column);
    }
}

static void what_cannot_be_parsed_is_an_error(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const EmbeddedFile files[] = {MANIFEST(""),
                                  PACK_FILE("migrations/V1__a.sql", "SELECT 1;\nCREATE TABEL x")};
    Blueprint *blueprint = NULL;
    const LintFinding *findings = NULL;
    size_t count = 0;
    Err err = {0};
    assert_true(load_files(arena, files, ARRAY_COUNT(files), &blueprint, &err));
    assert_false(blueprint_lint(arena, blueprint, &findings, &count, &err));
    assert_int_equal(err.code, ERR_BLUEPRINT_INVALID);
    assert_string_equal(err.message, "migrations/V1__a.sql:2: syntax error at or near \"TABEL\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_of_every_tier_find_what_they_are_for),
        cmocka_unit_test(rules_of_the_row_tier_find_what_they_are_for),
        cmocka_unit_test(changes_of_rows_that_the_row_tier_would_not_see_are_found),
        cmocka_unit_test(foreign_keys_in_a_cycle_are_found_at_the_key_that_closes_it),
        cmocka_unit_test(tables_that_the_manifest_names_must_be_made),
        cmocka_unit_test(columns_of_personal_data_must_be_made),
        cmocka_unit_test(a_variant_may_make_another_kind_of_table),
        cmocka_unit_test(down_files_seed_and_variants_are_checked_too),
        cmocka_unit_test(a_finding_names_its_subject),
        cmocka_unit_test(a_finding_in_a_do_block_has_its_place_in_the_script),
        cmocka_unit_test(what_cannot_be_parsed_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
