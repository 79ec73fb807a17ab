#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <cmocka.h>

#include "core/array.h"
#include "core/file.h"
#include "core/limits.h"
#include "pack_fixture.h"

#define EXTENSIONS "extensions: {wanted: [hstore], optional: [postgis, timescaledb]}\n"
#define MANIFEST PACK_FILE("blueprint.yaml", MANIFEST_HEAD EXTENSIONS MANIFEST_PLANS)
#define SQL(name) PACK_FILE("migrations/" name, "SELECT 1;\n")
/* A pack of these migrations; the list may end early. */
enum { FILES_MAX = 8 };

static bool load_names(Arena *arena, const char *const names[FILES_MAX], Blueprint **ret_blueprint,
                       Err *err)
{
    EmbeddedFile files[FILES_MAX + 1] = {MANIFEST};
    size_t count = 1;
    for (size_t i = 0; i < FILES_MAX && names[i] != NULL; i++) {
        const char *path = arena_printf(arena, "p/migrations/%s", names[i]);
        files[count++] = (EmbeddedFile){path, path, strlen(path)};
    }
    return load_files(arena, files, count, ret_blueprint, err);
}

static void migrations_are_ordered_with_variants_behind_the_plain_one(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    Blueprint *blueprint = NULL;
    Err err;
    const char *const names[FILES_MAX] = {"V0002__b.with_timescaledb.sql",
                                          "V0001__a.down.sql",
                                          "README.md",
                                          "V0002__b.sql",
                                          "V0002__b.with_postgis.down.sql",
                                          "V0002__b.down.sql",
                                          "V0002__b.with_postgis.sql",
                                          "V0001__a.sql"};
    assert_true(load_names(arena, names, &blueprint, &err));
    static const struct {
        const char *file;
        const char *extension;
        const char *down;
    } wanted[] = {
        {"migrations/V0001__a.sql", NULL, "p/migrations/V0001__a.down.sql"},
        {"migrations/V0002__b.sql", NULL, "p/migrations/V0002__b.down.sql"},
        {"migrations/V0002__b.with_postgis.sql", "postgis",
         "p/migrations/V0002__b.with_postgis.down.sql"},
        {"migrations/V0002__b.with_timescaledb.sql", "timescaledb",
         "p/migrations/V0002__b.down.sql"},
    };
    assert_int_equal(blueprint->version, 2);
    assert_int_equal(blueprint->migration_count, ARRAY_COUNT(wanted));
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
        const BlueprintMigration *migration = &blueprint->migrations[i];
        assert_string_equal(migration->file, wanted[i].file);
        assert_string_equal(migration->down, wanted[i].down);
        assert_int_equal(strlen(migration->sha256), 64);
        if (wanted[i].extension == NULL) {
            assert_null(migration->extension);
        } else {
            assert_string_equal(migration->extension, wanted[i].extension);
        }
    }
}

static void wrong_sets_of_migrations_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *names[FILES_MAX];
        const char *message;
    } cases[] = {
        {{NULL}, "p/migrations: expected at least one migration, found none"},
        {{"README"}, "p/migrations: expected at least one migration, found none"},
        {{"create.sql"}, "p/migrations/create.sql: not the name of a migration"},
        {{"V1_a.sql"}, "p/migrations/V1_a.sql: not the name of a migration"},
        {{"V1__a.SQL"}, "p/migrations/V1__a.SQL: not the name of a migration"},
        {{"V1__a b.sql"}, "p/migrations/V1__a b.sql: not the name of a migration"},
        {{"V1__.sql"}, "p/migrations/V1__.sql: not the name of a migration"},
        {{"V1__a.with_.sql"}, "p/migrations/V1__a.with_.sql: not the name of a migration"},
        {{"V1234567890__a.sql"}, "p/migrations/V1234567890__a.sql: not the name of a migration"},
        {{"V1__a.down.with_hstore.sql"},
         "p/migrations/V1__a.down.with_hstore.sql: not the name of a migration"},
        {{"sub/V1__a.sql"}, "p/migrations/sub/V1__a.sql: not the name of a migration"},
        {{"V0__a.sql"}, "p/migrations/V0__a.sql: versions begin with 1, found 0"},
        {{"V2__a.sql"}, "p/migrations/V2__a.sql: expected version 1 next, found 2"},
        {{"V1__a.sql", "V3__c.sql"}, "p/migrations/V3__c.sql: expected version 2 next, found 3"},
        {{"V1__a.sql", "V01__b.sql"}, NULL},
        {{"V1__a.sql", "V01__a.sql"}, NULL},
        {{"V1__a.sql", "V1__b.down.sql"},
         "p/migrations/V1__b.down.sql: version 1 is also named "
         "\"a\" (V1__a.sql); one version has one name"},
        {{"V1__a.down.sql"},
         "p/migrations/V1__a.down.sql: there is no such file without .down beside it"},
        {{"V1__a.sql", "V1__a.with_postgis.down.sql"},
         "p/migrations/V1__a.with_postgis.down.sql: there is no such file without .down beside it"},
        {{"V1__a.sql", "V1__a.with_citus.sql"},
         "p/migrations/V1__a.with_citus.sql: extension "
         "\"citus\" is not among the manifest's extensions"},
        {{"V1__a.with_postgis.sql"},
         "p/migrations/V1__a.with_postgis.sql: expected a plain "
         "migration beside it, for servers without \"postgis\""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        Blueprint *blueprint = NULL;
        Err err = {0};
        assert_false(load_names(arena, cases[i].names, &blueprint, &err));
        assert_int_equal(err.code, ERR_BLUEPRINT_INVALID);
        if (cases[i].message != NULL) {
            assert_string_equal(err.message, cases[i].message);
        }
        assert_null(blueprint);
    }
}

static void a_variant_of_a_wanted_extension_needs_no_plain_one(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    Blueprint *blueprint = NULL;
    Err err;
    const char *const names[FILES_MAX] = {"V1__a.with_hstore.sql"};
    assert_true(load_names(arena, names, &blueprint, &err));
}

static void sql_that_is_not_utf8_or_has_a_nul_is_refused(void **state)
{
    (void)state;
    const EmbeddedFile bad[] = {
        PACK_FILE("migrations/V1__a.sql", "SELECT 1;\nSELECT '\xff';\n"),
        PACK_FILE("migrations/V1__a.sql", "SELECT 1;\nSELECT '\0';\n"),
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        scoped_arena Arena *arena = arena_new();
        const EmbeddedFile files[] = {MANIFEST, bad[i]};
        Blueprint *blueprint = NULL;
        Err err = {0};
        assert_false(load_files(arena, files, ARRAY_COUNT(files), &blueprint, &err));
        assert_string_equal(err.message,
                            "p/migrations/V1__a.sql:2: the text is not UTF-8, or has a NUL byte");
    }
}

static void a_migration_past_its_limit_is_refused(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    EmbeddedFile files[] = {MANIFEST, SQL("V1__a.sql")};
    files[1].length = LIMIT_MIGRATION_BYTES + 1;
    Blueprint *blueprint = NULL;
    Err err = {0};
    assert_false(load_files(arena, files, ARRAY_COUNT(files), &blueprint, &err));
    assert_string_equal(err.message, "p/migrations/V1__a.sql: the file has 16777217 bytes, "
                                     "16777216 at most are allowed");
}

static void selection_takes_the_variant_that_the_server_can_run(void **state)
{
    (void)state;
    static const struct {
        int64_t after;
        const char *extensions[2];
        const char *files[3];
    } cases[] = {
        {0, {NULL}, {"V1__a.sql", "V2__b.sql", "V3__c.sql"}},
        {0, {"timescaledb"}, {"V1__a.sql", "V2__b.with_timescaledb.sql", "V3__c.sql"}},
        {0, {"postgis"}, {"V1__a.sql", "V2__b.with_postgis.sql", "V3__c.sql"}},
        {0, {"timescaledb", "postgis"}, {"V1__a.sql", "V2__b.with_postgis.sql", "V3__c.sql"}},
        {1, {"citus"}, {"V2__b.sql", "V3__c.sql"}},
        {3, {"postgis"}, {NULL}},
    };
    scoped_arena Arena *arena = arena_new();
    Blueprint *blueprint = NULL;
    Err err;
    const char *const names[FILES_MAX] = {"V1__a.sql", "V2__b.sql", "V2__b.with_postgis.sql",
                                          "V2__b.with_timescaledb.sql", "V3__c.sql"};
    assert_true(load_names(arena, names, &blueprint, &err));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        size_t extension_count = 0;
        while (extension_count < 2 && cases[i].extensions[extension_count] != NULL) {
            extension_count++;
        }
        const BlueprintMigration *const *selected = NULL;
        size_t count = 0;
        blueprint_select_migrations(arena, blueprint, cases[i].after, cases[i].extensions,
                                    extension_count, &selected, &count);
        for (size_t j = 0; j < 3 && cases[i].files[j] != NULL; j++) {
            assert_true(j < count);
            assert_string_equal(selected[j]->file + strlen("migrations/"), cases[i].files[j]);
        }
        assert_true(count == 3 || cases[i].files[count] == NULL);
    }
}

static void a_blueprint_comes_back_from_json_as_it_was(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const EmbeddedFile files[] = {
        PACK_FILE("blueprint.yaml", MANIFEST_HEAD EXTENSIONS
                  "description: D\nplans:\n  basic: {title: B, default: true, features: [x, y], "
                  "limits: {max_connections: 10, a: unlimited, b: 0}, settings: {jit: off}}\n"
                  "  pro: {title: P, description: Q, limits: {max_connections: 20}}\n"
                  "shared: [s]\nappend_only: [l]\n"
                  "partitions: [{table: t, column: c, every: week, ahead: 2}]\n"
                  "personal_data: [{table: t, column: c, category: contact, reason: R, "
                  "keep: 5 years after closed, mask: email}]\n"
                  "seed: seed.sql\ndemo: demo.sql\n"),
        PACK_FILE("seed.sql", "SELECT 1"),
        PACK_FILE("demo.sql", "SELECT '\xc3\xa9'"),
        SQL("V1__a.sql"),
        SQL("V1__a.down.sql"),
        SQL("V1__a.with_hstore.sql"),
    };
    Blueprint *blueprint = NULL;
    Blueprint *again = NULL;
    Err err;
    assert_true(load_files(arena, files, ARRAY_COUNT(files), &blueprint, &err));
    scoped_json Json *json = blueprint_to_json(blueprint);
    assert_true(blueprint_from_json(arena, json, &again, &err));
    scoped_json Json *json_again = blueprint_to_json(again);
    assert_string_equal(json_to_canonical(arena, json), json_to_canonical(arena, json_again));
    assert_string_equal(blueprint->checksum, again->checksum);
    assert_string_equal(blueprint_find_plan(again, NULL)->settings[0].value, "off");
    assert_int_equal(again->partitions[0].every, EVERY_WEEK);
    assert_int_equal(again->personal_count, 1);
    assert_string_equal(again->personal[0].keep, "5 years after closed");
}

static void stored_json_of_another_form_is_refused(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    static const char *const keys[] = {
        "name",       "title",  "version", "checksum",    "tiers",      "wanted",       "plans",
        "partitions", "shared", "source",  "append_only", "migrations", "personal_data"};
    Blueprint *blueprint = NULL;
    Err err = {0};
    assert_true(load_manifest(arena, MANIFEST_HEAD MANIFEST_PLANS, &blueprint, &err));
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        scoped_json Json *json = blueprint_to_json(blueprint);
        json_put_bool(json, keys[i], true);
        Blueprint *again = NULL;
        assert_false(blueprint_from_json(arena, json, &again, &err));
        assert_int_equal(err.code, ERR_BLUEPRINT_INVALID);
        assert_non_null(strstr(
            err.message, arena_printf(arena, "key \"%s\" is missing or of another kind", keys[i])));
    }
}

static void the_checksum_covers_every_file_and_no_place(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    EmbeddedFile files[] = {MANIFEST, SQL("V1__a.sql"), SQL("V1__a.down.sql")};
    Blueprint *one = NULL;
    Blueprint *other = NULL;
    Err err;
    assert_true(load_files(arena, files, ARRAY_COUNT(files), &one, &err));
    const PackSource elsewhere = pack_source_memory("elsewhere", "p", files, ARRAY_COUNT(files));
    assert_true(blueprint_load_source(arena, &elsewhere, &other, &err));
    assert_string_equal(one->checksum, other->checksum);
    files[2].text = "SELECT 2;\n";
    assert_true(load_files(arena, files, ARRAY_COUNT(files), &other, &err));
    assert_string_not_equal(one->checksum, other->checksum);
}

/* A pack folder on disk, below a folder of its own that the caller removes. */
static const char *make_folder(Arena *arena)
{
    char *base = arena_strdup(arena, "/tmp/tenantry-pack-XXXXXX");
    Err err;
    assert_non_null(mkdtemp(base));
    assert_true(file_make_dir(arena_printf(arena, "%s/pack/migrations", base), 0700, &err));
    const struct {
        const char *path;
        const char *text;
    } files[] = {{"pack/blueprint.yaml", MANIFEST_HEAD MANIFEST_PLANS},
                 {"pack/migrations/V0001__a.sql", "SELECT 1;\n"},
                 {"pack/migrations/.hidden", "x"},
                 {"outside.sql", "SELECT 2;\n"}};
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        assert_true(file_write_atomic(arena_printf(arena, "%s/%s", base, files[i].path),
                                      files[i].text, strlen(files[i].text), 0600, &err));
    }
    return base;
}

static void a_folder_loads_as_the_same_files_in_memory_do(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const char *base = make_folder(arena);
    const EmbeddedFile files[] = {PACK_FILE("blueprint.yaml", MANIFEST_HEAD MANIFEST_PLANS),
                                  SQL("V0001__a.sql")};
    Blueprint *folder = NULL;
    Blueprint *memory = NULL;
    Err err;
    assert_true(blueprint_load_folder(arena, arena_printf(arena, "%s/pack/", base), &folder, &err));
    assert_true(load_files(arena, files, ARRAY_COUNT(files), &memory, &err));
    assert_string_equal(folder->checksum, memory->checksum);
    assert_string_equal(folder->source, arena_printf(arena, "%s/pack", base));
    assert_true(file_remove_tree(base, &err));
}

static void a_link_out_of_the_folder_is_refused(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const char *base = make_folder(arena);
    Blueprint *blueprint = NULL;
    Err err;
    assert_int_equal(
        symlink("../../outside.sql", arena_printf(arena, "%s/pack/migrations/V0002__b.sql", base)),
        0);
    assert_false(
        blueprint_load_folder(arena, arena_printf(arena, "%s/pack", base), &blueprint, &err));
    assert_int_equal(err.code, ERR_BLUEPRINT_INVALID);
    assert_string_equal(err.message,
                        arena_printf(arena,
                                     "%s/pack/migrations/V0002__b.sql: a link that leaves the "
                                     "pack's folder",
                                     base));
    assert_true(file_remove_tree(base, &err));
}

static void what_is_no_pack_folder_is_refused(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const char *base = make_folder(arena);
    Blueprint *blueprint = NULL;
    Err err;
    assert_false(blueprint_load_folder(arena, "/nowhere/pack", &blueprint, &err));
    assert_int_equal(err.code, ERR_BLUEPRINT_INVALID);
    assert_string_equal(err.message, "/nowhere/pack: No such file or directory");
    const char *file = arena_printf(arena, "%s/outside.sql", base);
    assert_false(blueprint_load_folder(arena, file, &blueprint, &err));
    assert_string_equal(err.message, arena_printf(arena, "%s: not a folder", file));
    assert_false(blueprint_load_folder(arena, base, &blueprint, &err));
    assert_string_equal(err.message,
                        arena_printf(arena, "%s/blueprint.yaml: the file is missing", base));
    assert_string_equal(err.hint, "give the path of a folder that has a blueprint.yaml");
    assert_true(file_make_dir(arena_printf(arena, "%s/pack/migrations/sub", base), 0700, &err));
    assert_false(
        blueprint_load_folder(arena, arena_printf(arena, "%s/pack", base), &blueprint, &err));
    assert_string_equal(
        err.message,
        arena_printf(arena, "%s/pack/migrations/sub/: not the name of a migration", base));
    assert_true(file_remove_tree(base, &err));
}

static void every_embedded_pack_loads_and_has_no_lint_error(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const char *const *names = NULL;
    size_t count = 0;
    Err err;
    blueprint_embedded_names(arena, &names, &count);
    for (size_t i = 0; i < count; i++) {
        Blueprint *blueprint = NULL;
        const LintFinding *findings = NULL;
        size_t finding_count = 0;
        assert_true(blueprint_load_embedded(arena, names[i], &blueprint, &err));
        assert_string_equal(blueprint->source, "embedded");
        assert_true(blueprint_lint(arena, blueprint, &findings, &finding_count, &err));
        for (size_t j = 0; j < finding_count; j++) {
            assert_int_equal(findings[j].severity, LINT_WARNING);
        }
    }
    Blueprint *blueprint = NULL;
    assert_false(blueprint_load_embedded(arena, "none", &blueprint, &err));
    assert_int_equal(err.code, ERR_BLUEPRINT_MISSING);
    assert_string_equal(err.message, "no blueprint is named \"none\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(migrations_are_ordered_with_variants_behind_the_plain_one),
        cmocka_unit_test(wrong_sets_of_migrations_are_refused),
        cmocka_unit_test(a_variant_of_a_wanted_extension_needs_no_plain_one),
        cmocka_unit_test(sql_that_is_not_utf8_or_has_a_nul_is_refused),
        cmocka_unit_test(a_migration_past_its_limit_is_refused),
        cmocka_unit_test(selection_takes_the_variant_that_the_server_can_run),
        cmocka_unit_test(a_blueprint_comes_back_from_json_as_it_was),
        cmocka_unit_test(stored_json_of_another_form_is_refused),
        cmocka_unit_test(the_checksum_covers_every_file_and_no_place),
        cmocka_unit_test(a_folder_loads_as_the_same_files_in_memory_do),
        cmocka_unit_test(a_link_out_of_the_folder_is_refused),
        cmocka_unit_test(what_is_no_pack_folder_is_refused),
        cmocka_unit_test(every_embedded_pack_loads_and_has_no_lint_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
