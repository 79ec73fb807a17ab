/* Texts of other tools' migrations, made to run in a place: what is changed, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "blueprint/births.h"
#include "core/array.h"
#include "pack_fixture.h"

#define EXTENSIONS "extensions: {wanted: [citext]}\n"
#define TABLE "CREATE TABLE public.users (id serial, public boolean);\n"

/* One golang-migrate folder of a single migration. */
static bool load(Arena *arena, const char *text, bool is_plain, Blueprint **ret_blueprint, Err *err)
{
    const char *manifest = arena_printf(
        arena,
        "name: shop\ntitle: A shop\ntiers: [schema]\n" EXTENSIONS MANIFEST_PLANS
        "migrations: {layout: golang-migrate%s}\n",
        is_plain ? ", concurrently: plain" : "");
    const EmbeddedFile files[] = {{"p/blueprint.yaml", manifest, strlen(manifest)},
                                  {"p/migrations/1_a.up.sql", text, strlen(text)}};
    return load_files(arena, files, ARRAY_COUNT(files), ret_blueprint, err);
}

/* The text without spaces at the ends of its lines and in rows, which are what is left out. */
static const char *squeeze(Arena *arena, const char *text)
{
    char *out = arena_strdup(arena, text);
    size_t length = 0;
    for (const char *at = text; *at != '\0'; at++) {
        const bool is_gap = *at == ' ' && (length == 0 || strchr(" \n(", out[length - 1]) != NULL);
        if (*at == '\n' && length > 0 && out[length - 1] == ' ') {
            length--;
        }
        if (!is_gap) {
            out[length++] = *at;
        }
    }
    out[length] = '\0';
    return out;
}

static const struct {
    const char *before;
    const char *after;
} left_out[] = {
    {"ALTER TABLE ONLY public.users\n ADD x int;", "ALTER TABLE ONLY users\nADD x int;"},
    {"SELECT u.public, \"public\".users.id FROM \"public\" . \"users\" u, public.users;",
     "SELECT u.public, users.id FROM \"users\" u, users;"},
    {"SELECT 'public.users', 'public'; -- public.users",
     "SELECT 'public.users', 'public'; -- public.users"},
    {"SELECT nextval('public.users_id_seq'::regclass);",
     "SELECT nextval(' users_id_seq'::regclass);"},
    {"SELECT 'public.users'::regclass;", "SELECT ' users'::regclass;"},
    {"SELECT setval ( 'public.users_id_seq', 1);", "SELECT setval (' users_id_seq', 1);"},
    {"ALTER TABLE users ADD name public.citext;", "ALTER TABLE users ADD name citext;"},
    {"SELECT public.x FROM users AS public;", "SELECT public.x FROM users AS public;"},
    {"DROP TABLE IF EXISTS public.nobody;", "DROP TABLE IF EXISTS nobody;"},
    {"DO $$ BEGIN PERFORM 1 FROM public.users; END $$;",
     "DO $$ BEGIN PERFORM 1 FROM users; END $$;"},
    {"DO $$ BEGIN EXECUTE 'DROP TABLE public.users'; RAISE NOTICE 'public.users'; END $$;",
     "DO $$ BEGIN EXECUTE 'DROP TABLE users'; RAISE NOTICE 'public.users'; END $$;"},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT id FROM public.users';",
     "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT id FROM users';"},
    {"DO $$ BEGIN CREATE TABLE public.made (); END $$; SELECT FROM public.made;",
     "DO $$ BEGIN CREATE TABLE made (); END $$; SELECT FROM made;"},
    {"SELECT 1 FROM information_schema.tables WHERE table_schema = 'public';",
     "SELECT 1 FROM information_schema.tables WHERE table_schema = CURRENT_SCHEMA;"},
    {"SELECT 1 FROM information_schema.tables WHERE table_schema IN ('public') AND 'public' = "
     "table_schema;",
     "SELECT 1 FROM information_schema.tables WHERE table_schema IN (CURRENT_SCHEMA) AND "
     "CURRENT_SCHEMA = table_schema;"},
    {"UPDATE users SET schema_name = 'public', kind = 'public';",
     "UPDATE users SET schema_name = 'public', kind = 'public';"},
    {"DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type t JOIN pg_namespace n ON n.oid = "
     "t.typnamespace WHERE 'public' = n.nspname) THEN CREATE TYPE seen AS ENUM ('public'); "
     "END IF; END $$;",
     "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type t JOIN pg_namespace n ON n.oid = "
     "t.typnamespace WHERE CURRENT_SCHEMA = n.nspname) THEN CREATE TYPE seen AS ENUM "
     "('public'); END IF; END $$;"},
    {"DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM pg_tables LOOP IF r.schemaname = "
     "'public' THEN UPDATE users SET x = 'public'; END IF; END LOOP; END $$;",
     "DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM pg_tables LOOP IF r.schemaname = "
     "CURRENT_SCHEMA THEN UPDATE users SET x = 'public'; END IF; END LOOP; END $$;"},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path TO 'public' AS "
     "$$SELECT 1 FROM pg_class$$;",
     "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path FROM CURRENT AS "
     "$$SELECT 1 FROM pg_class$$;"},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = public, pg_temp AS "
     "$$SELECT id FROM public.users$$;",
     "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path FROM CURRENT AS "
     "$$SELECT id FROM users$$;"},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = "
     "pg_catalog, pg_temp AS $$SELECT id FROM public.users$$;",
     "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path FROM "
     "CURRENT AS $$SELECT id FROM users$$;"},
    {"CREATE FUNCTION f() RETURNS oid LANGUAGE sql AS $$SELECT 'public.users'::regclass$$ "
     "SET search_path TO '';",
     "CREATE FUNCTION f() RETURNS oid LANGUAGE sql AS $$SELECT ' users'::regclass$$ "
     "SET search_path FROM CURRENT;"},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = '' AS $$SELECT 1$$;",
     "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = '' AS $$SELECT 1$$;"},
    {"CREATE FUNCTION f(x public.users) RETURNS int LANGUAGE sql SET search_path = other AS "
     "$$SELECT 1$$;",
     "CREATE FUNCTION f(x users) RETURNS int LANGUAGE sql SET search_path = other AS "
     "$$SELECT 1$$;"},
    {"CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS $$SELECT id FROM public.users$$; "
     "ALTER FUNCTION public.f() SET search_path = '';",
     "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT id FROM users$$; "
     "ALTER FUNCTION f() SET search_path FROM CURRENT;"},
    {"SELECT public.f(1); CREATE FUNCTION public.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
     "SELECT f(1); CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'"},
};

static void the_schema_is_left_out_where_it_means_the_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(left_out); i++) {
        scoped_arena Arena *arena = arena_new();
        Blueprint *blueprint = NULL;
        Err err = {0};
        const bool is_loaded = load(arena, arena_printf(arena, TABLE "%s", left_out[i].before),
                                    false, &blueprint, &err);
        assert_string_equal(err.message, "");
        assert_true(is_loaded);
        const char *second = strchr(blueprint->migrations[0].up, '\n') + 1;
        assert_string_equal(squeeze(arena, second), left_out[i].after);
    }
}

static void what_a_place_has_already_is_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *after;
    } cases[] = {
        {"CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;\nSELECT 1;", "\nSELECT 1;"},
        {"CREATE EXTENSION hstore;", "CREATE EXTENSION hstore;"},
        {"COMMENT ON EXTENSION citext IS 'x';", ""},
        {"DROP EXTENSION citext;", ""},
        {"BEGIN;\nSELECT 1;\nCOMMIT;", "\nSELECT 1;\n"},
        {"BEGIN;\nSELECT 1;\nROLLBACK;", "BEGIN;\nSELECT 1;\nROLLBACK;"},
        {"SET search_path = public;", ""},
        {"SET search_path = other;", "SET search_path = other;"},
        {"SET statement_timeout = 0;", ""},
        {"SELECT pg_catalog.set_config('search_path', '', false);", ""},
        {"CREATE SCHEMA IF NOT EXISTS public;", ""},
        {"\xEF\xBB\xBFSELECT 1;", "SELECT 1;"},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        Blueprint *blueprint = NULL;
        Err err = {0};
        assert_true(load(arena, cases[i].before, false, &blueprint, &err));
        assert_string_equal(squeeze(arena, blueprint->migrations[0].up), cases[i].after);
    }
}

static void a_temporary_table_is_one_that_is_dropped_at_the_end(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *after;
    } cases[] = {
        {"CREATE TEMP TABLE \"T\" (id int) ON COMMIT DROP;\nSELECT 1 -- end",
         "CREATE TABLE \"T\" (id int) ;\nSELECT 1 -- end\n;DROP TABLE IF EXISTS \"T\""},
        {"CREATE LOCAL TEMPORARY TABLE t ON COMMIT PRESERVE ROWS AS SELECT 1 AS temp;",
         "CREATE TABLE t AS SELECT 1 AS temp;\n;DROP TABLE IF EXISTS \"t\""},
        {"CREATE TEMP TABLE IF NOT EXISTS \"if\" (id int);",
         "CREATE TABLE \"if\" (id int);\n;DROP TABLE IF EXISTS \"if\""},
        {"CREATE TEMP TABLE if NOT\nEXISTS t AS SELECT 1;",
         "CREATE TABLE\nt AS SELECT 1;\n;DROP TABLE IF EXISTS \"t\""},
        {"CREATE TEMP TABLE if (not_ int);",
         "CREATE TABLE if (not_ int);\n;DROP TABLE IF EXISTS \"if\""},
        {"CREATE TEMP TABLE t (id int);\nALTER TABLE a RENAME b TO t;",
         "CREATE TABLE t (id int);\nALTER TABLE a RENAME b TO t;\n;DROP TABLE IF EXISTS \"t\""},
        {"CREATE TABLE temp (id int REFERENCES a (id) ON DELETE CASCADE);",
         "CREATE TABLE temp (id int REFERENCES a (id) ON DELETE CASCADE);"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        Blueprint *blueprint = NULL;
        Err err = {0};
        assert_true(load(arena, cases[i].before, false, &blueprint, &err));
        assert_string_equal(squeeze(arena, blueprint->migrations[0].up), cases[i].after);
    }
}

static void concurrently_is_left_out_when_the_manifest_says_so(void **state)
{
    (void)state;
    static const char text[] = "CREATE INDEX CONCURRENTLY i ON users (id);\n"
                               "DROP INDEX CONCURRENTLY i;\nSELECT 'CONCURRENTLY';";
    scoped_arena Arena *arena = arena_new();
    Blueprint *blueprint = NULL;
    Err err = {0};
    assert_true(load(arena, text, false, &blueprint, &err));
    assert_string_equal(blueprint->migrations[0].up, text);
    assert_true(load(arena, text, true, &blueprint, &err));
    assert_string_equal(squeeze(arena, blueprint->migrations[0].up),
                        "CREATE INDEX i ON users (id);\nDROP INDEX i;\nSELECT 'CONCURRENTLY';");
}

static void what_would_be_shared_by_all_tenants_is_refused_at_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"SELECT 1;\nSELECT * FROM\n public.plans;",
         "migrations/1_a.up.sql:3: \"public.plans\": no migration here makes it, so that it would "
         "be shared by all tenants"},
        {"DO $$\nBEGIN PERFORM 1 FROM public.plans; END $$;",
         "migrations/1_a.up.sql:2: \"public.plans\": no migration here makes it, so that it would "
         "be shared by all tenants"},
        {"DO $$\nBEGIN EXECUTE format('DROP TABLE public.%I', 'x'); END $$;",
         "migrations/1_a.up.sql:2: \"public.\" before a name that is put in when it runs; write "
         "the "
         "name alone"},
        {"CREATE FUNCTION f() RETURNS int LANGUAGE sql\nSET search_path = pg_catalog, other AS\n"
         "$$SELECT id FROM public.made$$; CREATE TABLE made (id int);",
         "migrations/1_a.up.sql:2: the function names tables in \"public\", and its search_path "
         "leads elsewhere"},
        {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET SCHEMA 'public' AS 'SELECT 1';",
         "migrations/1_a.up.sql:1: write the path of the function as SET search_path = ..."},
        {"SELECT 1;\nCREATE TEMP TABLE x (id int);\nDROP TABLE x;\nCREATE TABLE x (id int);",
         "migrations/1_a.up.sql:2: \"x\" is the name of a temporary table and of one that stays; a "
         "place has no temporary tables, so give them two names"},
        {"CREATE TEMP TABLE x (id int);\nALTER TABLE y RENAME TO x;",
         "migrations/1_a.up.sql:1: \"x\" is the name of a temporary table and of one that stays; a "
         "place has no temporary tables, so give them two names"},
        {"SELECT 1;\n\\connect postgres\n",
         "migrations/1_a.up.sql:2: \"\\connect\" is a command of psql, not SQL"},
        {"SELECT 1;\nSELEC 2;", "migrations/1_a.up.sql:2: syntax error at or near \"SELEC\""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        Blueprint *blueprint = NULL;
        Err err = {0};
        assert_false(load(arena, cases[i].text, false, &blueprint, &err));
        assert_int_equal(err.code, ERR_BLUEPRINT_INVALID);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void a_look_for_public_that_would_find_nothing_is_refused_at_its_line(void **state)
{
    (void)state;
    static const char *const looks[] = {
        "SELECT 1 FROM pg_tables WHERE\nschemaname = ANY (ARRAY['public'])",
        "SELECT 1 FROM pg_tables WHERE\nschemaname <> 'public'",
        "SELECT 1 FROM pg_tables WHERE\nschemaname LIKE 'public'",
        "SELECT 1 FROM pg_class WHERE\nrelnamespace = 'public'::regnamespace",
        "DO $$ BEGIN IF EXISTS (SELECT FROM information_schema.columns WHERE\ntable_schema LIKE "
        "'public') THEN NULL; END IF; END $$",
        "DO $$ BEGIN EXECUTE format('SELECT 1 FROM information_schema.tables WHERE table_schema = "
        "%L',\n'public'); END $$",
        "DO $$ BEGIN EXECUTE 'SELECT 1 FROM pg_tables WHERE\nschemaname = ''public'' AND true'; "
        "END "
        "$$",
        "DO $$ BEGIN PERFORM CASE WHEN true THEN 1 END FROM pg_tables WHERE\nschemaname <> "
        "'public'; "
        "END $$",
    };
    for (size_t i = 0; i < ARRAY_COUNT(looks); i++) {
        scoped_arena Arena *arena = arena_new();
        Blueprint *blueprint = NULL;
        Err err = {0};
        assert_false(load(arena, looks[i], false, &blueprint, &err));
        assert_int_equal(err.code, ERR_BLUEPRINT_INVALID);
        assert_string_equal(err.message, "migrations/1_a.up.sql:2: 'public' in a look into the "
                                         "catalogue: a tenant's schema has another name");
        assert_non_null(strstr(err.hint, "CURRENT_SCHEMA"));
    }
}

static void a_new_place_gets_an_enum_with_all_its_values_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *after;
    } cases[] = {
        {"CREATE TYPE a AS ENUM ('x');\nALTER TYPE a ADD VALUE 'y';\nSELECT 'y'::a;",
         "CREATE TYPE \"a\" AS ENUM ('x', 'y');\n\nSELECT 'y'::a;"},
        {"CREATE TYPE a AS ENUM ('x', 'z');\nALTER TYPE a ADD  VALUE 'y' BEFORE 'z';\n"
         "ALTER TYPE a ADD VALUE IF NOT EXISTS 'y';\nALTER TYPE a ADD VALUE 'w' AFTER 'x';",
         "CREATE TYPE \"a\" AS ENUM ('x', 'w', 'y', 'z');\n\n\n"},
        {"CREATE TYPE a AS ENUM ('x');\nALTER TYPE a RENAME TO b;\nALTER TYPE b ADD VALUE 'y';",
         "CREATE TYPE \"a\" AS ENUM ('x', 'y');\nALTER TYPE a RENAME TO b;\n"},
        {"CREATE TYPE a AS ENUM ('x');\nALTER TYPE a RENAME VALUE 'x' TO 'z';\n"
         "ALTER TYPE a ADD VALUE 'x';",
         "CREATE TYPE a AS ENUM ('x');\nALTER TYPE a RENAME VALUE 'x' TO 'z';\n"
         "ALTER TYPE a ADD VALUE 'x';"},
        {"CREATE TYPE a AS ENUM ('x');\nDROP TYPE a;\nALTER TYPE a ADD VALUE 'y';",
         "CREATE TYPE a AS ENUM ('x');\nDROP TYPE a;\nALTER TYPE a ADD VALUE 'y';"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        const BlueprintMigration migration = {
            .version = 1, .name = "a", .file = "a.sql", .up = cases[i].before};
        const Blueprint blueprint = {.name = "a", .migrations = &migration, .migration_count = 1};
        const Blueprint *born = NULL;
        Err err = {0};
        assert_true(births_prepare(arena, &blueprint, &born, &err));
        assert_string_equal(squeeze(arena, born->migrations[0].up), cases[i].after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schema_is_left_out_where_it_means_the_place),
        cmocka_unit_test(what_a_place_has_already_is_left_out),
        cmocka_unit_test(a_temporary_table_is_one_that_is_dropped_at_the_end),
        cmocka_unit_test(concurrently_is_left_out_when_the_manifest_says_so),
        cmocka_unit_test(what_would_be_shared_by_all_tenants_is_refused_at_its_line),
        cmocka_unit_test(a_look_for_public_that_would_find_nothing_is_refused_at_its_line),
        cmocka_unit_test(a_new_place_gets_an_enum_with_all_its_values_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
