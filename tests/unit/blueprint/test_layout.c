/* Migration folders of other tools: names, order, duplicates, options, and going on from what is
 * recorded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "blueprint/layout_continue.h"
#include "core/array.h"
#include "pack_fixture.h"

#define BLOCKS "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n"

enum { FILES_MAX = 8 };

/* A file below the folder of the migrations. */
typedef struct TestFile {
    const char *path;
    const char *text; /* NULL: SELECT 1; */
} TestFile;

static bool load(Arena *arena, const char *keys, const TestFile *tests, Blueprint **ret_blueprint,
                 Err *err)
{
    const char *manifest = arena_printf(
        arena, "name: shop\ntitle: A shop\ntiers: [schema]\n" MANIFEST_PLANS "migrations: {%s}\n",
        keys);
    EmbeddedFile files[FILES_MAX + 1] = {{"p/blueprint.yaml", manifest, strlen(manifest)}};
    size_t count = 1;
    for (size_t i = 0; i < FILES_MAX && tests[i].path != NULL; i++) {
        const char *text = tests[i].text == NULL ? "SELECT 1;\n" : tests[i].text;
        files[count++] = (EmbeddedFile){arena_printf(arena, "p/migrations/%s", tests[i].path), text,
                                        strlen(text)};
    }
    return load_files(arena, files, count, ret_blueprint, err);
}

static const char *names_of(Arena *arena, const Blueprint *blueprint)
{
    const char *names = "";
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        const BlueprintMigration *migration = &blueprint->migrations[i];
        assert_int_equal(migration->version, i + 1);
        names = arena_printf(arena, "%s%s%s%s", names, i == 0 ? "" : " ", migration->name,
                             migration->down == NULL ? "" : "-");
    }
    return names;
}

static void each_tool_has_its_own_order(void **state)
{
    (void)state;
    static const struct {
        const char *keys;
        TestFile files[FILES_MAX];
        const char *names; /* '-' behind one that can be undone */
    } cases[] = {
        {"layout: flyway",
         {{"V10__j.sql"},
          {"V2__b.sql"},
          {"V1_10__a.sql"},
          {"V1.2__a.sql"},
          {"U2__b.sql"},
          {"R__z_view.sql"},
          {"R__a view.sql"},
          {"sub/V1.2.1__x.sql"}},
         "V1.2__a V1.2.1__x V1_10__a V2__b- V10__j R__a view R__z_view"},
        {"layout: flyway",
         {{"V001__a.sql"}, {"V3.sql"}, {"V2.0.0__b.sql"}, {"notes.md"}},
         "V001__a V2.0.0__b V3"},
        {"layout: flyway, prefix: \"\"",
         {{"20240102__b.sql"}, {"20240101__a.sql"}, {"U20240101__a.sql"}, {"R__r.sql"}},
         "20240101__a- 20240102__b R__r"},
        {"layout: flyway, prefix: Ver", {{"Ver1__a.sql"}}, "Ver1__a"},
        {"layout: diesel",
         {{"2024-01-02-000000_b/up.sql"},
          {"2024-01-02-000000_b/down.sql"},
          {"README.md"},
          {"00000000000000_diesel_initial_setup/up.sql"},
          {"20240101000000_a/up.sql"},
          {"20240101000000_a/metadata.toml", "# a note\r\n run_in_transaction = false # so\r\n"}},
         "00000000000000_diesel_initial_setup 20240101000000_a 2024-01-02-000000_b-"},
        {"layout: prisma",
         {{"20240102_b/migration.sql"},
          {"20240101_a/migration.sql", ""},
          {"20240101_a/down.sql"},
          {"migration_lock.toml", "# x\nprovider = \"postgresql\"\n"}},
         "20240101_a- 20240102_b"},
        {"layout: dbmate",
         {{"20240102_b.sql", "\xef\xbb\xbf" BLOCKS}, {"20240101_a.sql", "-- a note\n\n" BLOCKS}},
         "20240101_a- 20240102_b-"},
        {"layout: dbmate, undo: none", {{"20240101_a.sql", BLOCKS}}, "20240101_a"},
        {"layout: golang-migrate",
         {{"10_c.up.sql"},
          {"9_b.up.sql"},
          {"000001_a.up.sql"},
          {"000001_a.down.sql"},
          {"old/1_a.up.sql"},
          {"seed.go"}},
         "000001_a- 9_b 10_c"},
        {"path: migrations", {{"V1__a.sql"}, {"V2__b.sql"}}, "a b"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        Blueprint *blueprint = NULL;
        Err err = {0};
        const bool is_loaded = load(arena, cases[i].keys, cases[i].files, &blueprint, &err);
        assert_string_equal(err.message, "");
        assert_true(is_loaded);
        assert_string_equal(names_of(arena, blueprint), cases[i].names);
    }
}

static const struct {
    const char *keys;
    TestFile files[FILES_MAX];
    const char *message;
    const char *hint;
} refused[] = {
    {"layout: flyway",
     {{"20240101__a.sql"}},
     "20240101__a.sql: not the name of a migration",
     "Flyway wants V1__what.sql, V1.2__what.sql, U1.2__what.sql or R__what.sql"},
    {"layout: flyway", {{"V1.x__a.sql"}}, "V1.x__a.sql: not the name of a migration", NULL},
    {"layout: flyway", {{"V1..2__a.sql"}}, "V1..2__a.sql: not the name of a migration", NULL},
    {"layout: flyway", {{"R__.sql"}}, "R__.sql: not the name of a migration", NULL},
    {"layout: flyway",
     {{"V1__a.sql"}, {"V1.0__b.sql"}},
     "V1__a.sql: the same version as V1.0__b.sql; Flyway wants one of each",
     NULL},
    {"layout: flyway",
     {{"R__a_b.sql"}, {"R__a b.sql"}},
     "R__a_b.sql: the same description as R__a b.sql; Flyway wants one of each",
     NULL},
    {"layout: flyway",
     {{"V1__a.sql"}, {"U2__b.sql"}},
     "U2__b.sql: there is no migration V2 that it undoes",
     NULL},
    {"layout: flyway",
     {{"V1__a.sql"}, {"V2__Fill.java"}},
     "V2__Fill.java: a migration that is not SQL cannot be run",
     NULL},
    {"layout: flyway",
     {{"V1__a.sql", "SELECT 1;\nSELECT '${schema}';\n"}},
     "V1__a.sql:2: Flyway puts the value of a placeholder in place of \"${\"; write the value "
     "itself, since nothing is replaced here",
     NULL},
    {"layout: flyway",
     {{"V1__a.sql"}, {"V2__b.SQL"}},
     "V2__b.SQL: not the name of a migration",
     "Flyway takes files that end in \".sql\", in lower case"},
    {"layout: flyway",
     {{"V1__\xff.sql"}},
     "V1__\\xff.sql: the name is not UTF-8, or has characters that cannot be seen",
     NULL},
    {"layout: diesel",
     {{"first/up.sql"}},
     "first: not the name of a migration",
     "Diesel wants folders VERSION_NAME, the version in digits and '-'"},
    {"layout: diesel", {{"1_a/down.sql"}}, "1_a: Diesel wants an up.sql in it", NULL},
    {"layout: diesel",
     {{"1_a/up.sql", "\n"}},
     "1_a/up.sql: Diesel refuses to run an empty migration",
     NULL},
    {"layout: diesel",
     {{"1_a/up.sql"}, {"1_a/metadata.toml", "# a note\n\nrun_in_transaction: false\n"}},
     "1_a/metadata.toml:3: not TOML: expected key = value",
     NULL},
    {"layout: diesel",
     {{"1_a/up.sql"}, {"1_a/metadata.toml", "run_in_transaction =\n"}},
     "1_a/metadata.toml:1: not TOML: expected key = value",
     NULL},
    {"layout: diesel",
     {{"1_a/up.sql"}, {"1_a/metadata.toml", "run_in_transaction = \"false\"\n"}},
     "1_a/metadata.toml:1: run_in_transaction is true or false",
     NULL},
    {"layout: diesel",
     {{"2024-01_a/up.sql"}, {"202401_b/up.sql"}},
     "202401_b/up.sql: the same version as 2024-01_a/up.sql; Diesel wants one of each",
     NULL},
    {"layout: prisma",
     {{"20240101_a/up.sql"}},
     "20240101_a: Prisma wants a migration.sql in it",
     NULL},
    {"layout: prisma",
     {{"1_a/migration.sql"}, {"migration_lock.toml", "provider = \"mysql\"\n"}},
     "migration_lock.toml:1: the migrations are for another database; expected provider = "
     "\"postgresql\"",
     NULL},
    {"layout: dbmate",
     {{"first.sql", BLOCKS}},
     "first.sql: not the name of a migration",
     "dbmate wants VERSION_NAME.sql, the version in digits"},
    {"layout: dbmate",
     {{"1_a.sql", BLOCKS}, {"1_b.sql", BLOCKS}},
     "1_b.sql: the same version as 1_a.sql; dbmate wants one of each",
     NULL},
    {"layout: dbmate",
     {{"1_a.sql", "-- migrate:up\nSELECT 1;\n"}},
     "1_a.sql: dbmate wants a block \"-- migrate:down\"",
     NULL},
    {"layout: dbmate",
     {{"1_a.sql", "-- a note\n"}},
     "1_a.sql: dbmate wants a block \"-- migrate:up\"",
     NULL},
    {"layout: dbmate",
     {{"1_a.sql", "SELECT 0;\n" BLOCKS}},
     "1_a.sql:1: dbmate takes no statements before \"-- migrate:up\"",
     NULL},
    {"layout: dbmate",
     {{"1_a.sql", "-- migrate:down\n-- migrate:up\n"}},
     "1_a.sql:1: dbmate wants \"-- migrate:up\" before \"-- migrate:down\"",
     NULL},
    {"layout: dbmate",
     {{"1_a.sql", "-- migrate:up\n-- migrate:up\n-- migrate:down\n"}},
     "1_a.sql:2: dbmate wants a \"-- migrate:down\" behind each \"-- migrate:up\"",
     NULL},
    {"layout: dbmate",
     {{"1_a.sql", BLOCKS "-- migrate:down\n"}},
     "1_a.sql:5: dbmate wants a \"-- migrate:up\" before each \"-- migrate:down\"",
     NULL},
    {"layout: golang-migrate",
     {{"first.up.sql"}},
     "first.up.sql: not the name of a migration",
     "golang-migrate wants VERSION_NAME.up.sql and VERSION_NAME.down.sql, the version in "
     "digits"},
    {"layout: golang-migrate", {{"1_a.sql"}}, "1_a.sql: not the name of a migration", NULL},
    {"layout: golang-migrate",
     {{"1_a.up.sql"}, {"01_b.up.sql"}},
     "1_a.up.sql: the same version and direction as 01_b.up.sql",
     NULL},
    {"layout: golang-migrate",
     {{"1_a.down.sql"}},
     "1_a.down.sql: there is no .up.sql of its version beside it",
     NULL},
};

static void what_the_tool_would_not_take_is_refused_with_its_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        scoped_arena Arena *arena = arena_new();
        Blueprint *blueprint = NULL;
        Err err = {0};
        assert_false(load(arena, refused[i].keys, refused[i].files, &blueprint, &err));
        assert_int_equal(err.code, ERR_BLUEPRINT_INVALID);
        assert_string_equal(err.message,
                            arena_printf(arena, "p/migrations/%s", refused[i].message));
        if (refused[i].hint != NULL) {
            assert_string_equal(err.hint, refused[i].hint);
        }
    }
}

static void the_manifest_says_where_and_what(void **state)
{
    (void)state;
    static const struct {
        const char *keys;
        const char *message;
    } cases[] = {
        {"layout: liquibase", "p/blueprint.yaml:6: key \"migrations.layout\": expected tenantry, "
                              "dbmate, diesel, flyway, golang-migrate or prisma, found "
                              "\"liquibase\""},
        {"path: ../x", "p/blueprint.yaml:6: key \"migrations.path\": expected the path of a folder "
                       "below this one, found \"../x\""},
        {"path: /etc", "p/blueprint.yaml:6: key \"migrations.path\": expected the path of a folder "
                       "below this one, found \"/etc\""},
        {"undo: none", "p/blueprint.yaml:6: key \"migrations.undo\": it is for layouts of other "
                       "tools"},
        {"layout: prisma, prefix: V",
         "p/blueprint.yaml:6: key \"migrations.prefix\": it is for the layout flyway"},
        {"concurrently: plain", "p/blueprint.yaml:6: key \"migrations.concurrently\": it is for "
                                "layouts of other tools"},
        {"layout: prisma, path: db", "p/db: expected at least one migration of Prisma, found none"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        Blueprint *blueprint = NULL;
        Err err = {0};
        assert_false(load(arena, cases[i].keys, (const TestFile[FILES_MAX]){{"V1__a.sql"}},
                          &blueprint, &err));
        assert_string_equal(err.message, cases[i].message);
    }
}

/* The statements of a text, without the spaces that stand for other blocks. */
static const char *first_word(const char *text)
{
    return text + strspn(text, " \n");
}

static void blocks_of_dbmate_keep_the_lines_of_the_file(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    Blueprint *blueprint = NULL;
    Err err = {0};
    assert_true(load(arena, "layout: dbmate", (const TestFile[FILES_MAX]){{"1_a.sql", BLOCKS}},
                     &blueprint, &err));
    const BlueprintMigration *migration = &blueprint->migrations[0];
    assert_string_equal(migration->up, "-- migrate:up\nSELECT 1;");
    assert_string_equal(migration->down, "             \n         \n-- migrate:down\nSELECT 2;\n");
    assert_string_equal(migration->down_file, "migrations/1_a.sql");
}

static void several_blocks_of_dbmate_are_undone_from_the_last_to_the_first(void **state)
{
    (void)state;
    static const char text[] = BLOCKS "-- migrate:up\nSELECT 3;\n-- migrate:down\nSELECT 4;\n";
    scoped_arena Arena *arena = arena_new();
    Blueprint *blueprint = NULL;
    Err err = {0};
    assert_true(load(arena, "layout: dbmate", (const TestFile[FILES_MAX]){{"1_a.sql", text}},
                     &blueprint, &err));
    const BlueprintMigration *migration = &blueprint->migrations[0];
    assert_string_equal(first_word(strstr(migration->up, "SELECT 1;") + strlen("SELECT 1;")),
                        "-- migrate:up\nSELECT 3;");
    assert_non_null(strstr(strstr(migration->down, "SELECT 4;"), "SELECT 2;"));
}

/* What is recorded, then the folder as it is now. */
static bool go_on(Arena *arena, const TestFile *before, const TestFile *after,
                  Blueprint **ret_blueprint, Err *err)
{
    Blueprint *old = NULL;
    assert_true(load(arena, "layout: flyway", before, &old, err));
    assert_true(load(arena, "layout: flyway", after, ret_blueprint, err));
    return layout_continue(arena, old, *ret_blueprint, err);
}

static void a_repeatable_that_changed_is_a_new_version_at_the_end(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    Blueprint *blueprint = NULL;
    Err err = {0};
    assert_true(go_on(
        arena,
        (const TestFile[FILES_MAX]){{"V1__a.sql"}, {"R__x.sql", "SELECT 'old';"}, {"R__y.sql"}},
        (const TestFile[FILES_MAX]){{"V1__a.sql"},
                                    {"V2__b.sql"},
                                    {"R__x.sql", "SELECT 'new';"},
                                    {"R__y.sql"},
                                    {"R__w.sql"}},
        &blueprint, &err));
    assert_string_equal(names_of(arena, blueprint), "V1__a R__x R__y V2__b R__w R__x");
    assert_string_equal(blueprint->migrations[1].up, "SELECT 'old';");
    assert_string_equal(blueprint->migrations[5].up, "SELECT 'new';");
    assert_int_equal(blueprint->version, 6);
}

static void the_same_folder_again_is_the_same_blueprint(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    Blueprint *first = NULL;
    Blueprint *again = NULL;
    Err err = {0};
    const TestFile files[FILES_MAX] = {{"V1__a.sql"}, {"R__x.sql"}};
    assert_true(load(arena, "layout: flyway", files, &first, &err));
    assert_true(go_on(arena, files, files, &again, &err));
    assert_string_equal(again->checksum, first->checksum);
    /* A repeatable that is gone has run nevertheless. */
    assert_true(go_on(arena, files, (const TestFile[FILES_MAX]){{"V1__a.sql"}}, &again, &err));
    assert_string_equal(names_of(arena, again), "V1__a R__x");
}

static void a_migration_before_a_recorded_one_is_refused(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    Blueprint *blueprint = NULL;
    Err err = {0};
    assert_false(go_on(arena, (const TestFile[FILES_MAX]){{"V1__a.sql"}, {"V2__b.sql"}},
                       (const TestFile[FILES_MAX]){
                           {"V1__a.sql"}, {"V1.5__late.sql"}, {"V2__b.sql"}, {"V3__c.sql"}},
                       &blueprint, &err));
    assert_int_equal(err.code, ERR_BLUEPRINT_EXISTS);
    assert_string_equal(err.message,
                        "blueprint \"shop\": migration \"migrations/V1.5__late.sql\" comes before "
                        "\"migrations/V2__b.sql\", which is recorded (Flyway, outOfOrder=false: a "
                        "new version is higher than every one that ran)");
}

static void a_recorded_migration_that_is_gone_is_named(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    Blueprint *blueprint = NULL;
    Err err = {0};
    assert_false(go_on(arena, (const TestFile[FILES_MAX]){{"V1__a.sql"}, {"V2__b.sql"}},
                       (const TestFile[FILES_MAX]){{"V2__b.sql"}, {"V3__c.sql"}}, &blueprint,
                       &err));
    assert_int_equal(err.code, ERR_BLUEPRINT_EXISTS);
    assert_string_equal(err.message, "blueprint \"shop\": migration \"migrations/V1__a.sql\" was "
                                     "recorded and is gone now");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_tool_has_its_own_order),
        cmocka_unit_test(what_the_tool_would_not_take_is_refused_with_its_rule),
        cmocka_unit_test(the_manifest_says_where_and_what),
        cmocka_unit_test(blocks_of_dbmate_keep_the_lines_of_the_file),
        cmocka_unit_test(several_blocks_of_dbmate_are_undone_from_the_last_to_the_first),
        cmocka_unit_test(a_repeatable_that_changed_is_a_new_version_at_the_end),
        cmocka_unit_test(the_same_folder_again_is_the_same_blueprint),
        cmocka_unit_test(a_migration_before_a_recorded_one_is_refused),
        cmocka_unit_test(a_recorded_migration_that_is_gone_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
