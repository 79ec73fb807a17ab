#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"

#include "rollout/rollout_parts.h"

static const BlueprintBackfill fill = {.table = "t", .statement = "UPDATE t SET a = 1"};
static BlueprintMigration migrations[] = {
    {.version = 1,
     .file = "migrations/V1__a.sql",
     .up = "SELECT 1; ALTER TABLE t\n  ADD a int;\n/* \xc3\xa4 */ SELECT 2;\nSELECT 3;",
     .down = "SELECT 4;\nSELECT 5;"},
    {.version = 11, .file = "migrations/V1__a.sql1", .up = "SELECT 6;", .backfill = &fill},
};
static const Blueprint blueprint = {.migrations = migrations, .migration_count = 2};

/* "FILE LINE COLUMN STATEMENT" of a message, or "". */
static const char *found(Arena *arena, const char *message)
{
    Err why = {.code = ERR_PG_FAILED, .sqlstate = "23505"};
    snprintf(why.message, sizeof why.message, "%s", message);
    scoped_json Json *failure = failure_to_json(arena, &blueprint, &why);
    assert_string_equal(json_get_text(failure, "message", ""), message);
    assert_string_equal(json_get_text(failure, "sqlstate", ""), "23505");
    assert_string_equal(json_get_text(failure, "code", ""), "pg_failed");
    const char *file = json_get_text(failure, "file", NULL);
    return file == NULL ? ""
                        : arena_printf(arena, "%s %lld %lld %s", file,
                                       (long long)json_get_int(failure, "line", 0),
                                       (long long)json_get_int(failure, "column", 0),
                                       json_get_text(failure, "statement", ""));
}

static void the_statement_that_failed_is_found_by_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        const char *found;
    } cases[] = {
        {"migrations/V1__a.sql:1: no", "migrations/V1__a.sql 1 1 SELECT 1"},
        {"migrations/V1__a.sql:1:11: no: 2",
         "migrations/V1__a.sql 1 11 ALTER TABLE t\n  ADD a int"},
        {"migrations/V1__a.sql:3:9: no", "migrations/V1__a.sql 3 9 SELECT 2"},
        {"migrations/V1__a.sql:4: no", "migrations/V1__a.sql 4 1 SELECT 3"},
        {"migrations/V1__a.sql, down:2: no", "migrations/V1__a.sql, down 2 1 SELECT 5"},
        {"migrations/V1__a.sql1: no", "migrations/V1__a.sql1 0 0 UPDATE t SET a = 1"},
        {"migrations/V1__a.sql:2: no", ""},
        {"migrations/V1__a.sql", ""},
        {"the place is gone", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        assert_string_equal(found(arena, cases[i].message), cases[i].found);
    }
}

static void a_long_statement_is_cut_between_characters(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    char *text = arena_strdup(arena, arena_printf(arena, "SELECT '%05000d'", 0));
    memcpy(text + 3999, "\xc3\xa4", 2);
    migrations[0].down = text;
    const char *shown = found(arena, "migrations/V1__a.sql, down:1: no");
    const char *statement = strstr(shown, "SELECT");
    assert_int_equal(strlen(statement), 3999 + 3);
    assert_string_equal(statement + 3998, "0...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_statement_that_failed_is_found_by_its_place),
        cmocka_unit_test(a_long_statement_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
