#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"
#include "core/embedded_file.h"
#include "pg/sql_parse.h"
#include "store/install.h"
#include "store/store.h"

static void every_fixed_statement_is_one_statement_that_parses(void **state)
{
    (void)state;
    for (int id = 0; id < STATEMENT_COUNT_; id++) {
        scoped_arena Arena *arena = arena_new();
        SqlScript script = {0};
        Err err;
        if (!sql_script_parse(arena, "statements.def", store_sql((StatementId)id), ERR_INTERNAL,
                              &script, &err)) {
            fail_msg("statement %d: %s", id, err.message);
        }
        assert_int_equal(script.count, 1);
        sql_script_done(&script);
    }
}

/* The search_path of control sessions is pg_catalog alone, so a table without its schema would not
 * be found; this catches it where no test runs the statement. */
static void every_table_that_a_statement_names_has_a_schema_or_is_in_the_catalogue(void **state)
{
    (void)state;
    static const char *const ours[] = {"tenants", "places", "roles",      "credentials",
                                       "jobs",    "keys",   "blueprints", "plans"};
    for (int id = 0; id < STATEMENT_COUNT_; id++) {
        for (size_t i = 0; i < ARRAY_COUNT(ours); i++) {
            static const char *const clauses[] = {"FROM ", "JOIN ", "INTO ", "UPDATE "};
            for (size_t c = 0; c < ARRAY_COUNT(clauses); c++) {
                char bare[64];
                snprintf(bare, sizeof bare, "%s%s ", clauses[c], ours[i]);
                assert_null(strstr(store_sql((StatementId)id), bare));
            }
        }
    }
}

static void every_control_migration_is_in_the_binary_and_parses(void **state)
{
    (void)state;
    int64_t found = 0;
    for (size_t i = 0; i < embedded_file_count; i++) {
        if (strncmp(embedded_files[i].path, "src/store/migrations/", 21) != 0) {
            continue;
        }
        scoped_arena Arena *arena = arena_new();
        SqlScript script = {0};
        Err err;
        found++;
        assert_true(sql_script_parse(arena, embedded_files[i].path, embedded_files[i].text,
                                     ERR_INTERNAL, &script, &err));
        assert_true(script.count > 0);
        sql_script_done(&script);
    }
    assert_int_equal(found, install_version());
}

static void what_reads_the_structure_of_places_is_one_query_that_parses(void **state)
{
    (void)state;
    static const char *const paths[] = {"src/blueprint/fingerprint.sql",
                                        "src/rollout/drift_level.sql", "src/rollout/drift_mend.sql",
                                        "src/rollout/wave_digest.sql"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        scoped_arena Arena *arena = arena_new();
        const EmbeddedFile *file = embedded_file_find(paths[i]);
        SqlScript script = {0};
        Err err;
        assert_non_null(file);
        assert_true(sql_script_parse(arena, file->path, file->text, ERR_INTERNAL, &script, &err));
        assert_int_equal(script.count, 1);
        assert_string_equal(script.statements[0].node, "SelectStmt");
        sql_script_done(&script);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fixed_statement_is_one_statement_that_parses),
        cmocka_unit_test(every_table_that_a_statement_names_has_a_schema_or_is_in_the_catalogue),
        cmocka_unit_test(every_control_migration_is_in_the_binary_and_parses),
        cmocka_unit_test(what_reads_the_structure_of_places_is_one_query_that_parses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
