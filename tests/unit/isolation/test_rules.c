#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/embedded_file.h"
#include "isolation/isolation.h"
#include "pg/sql_parse.h"

#define FOLDER "src/isolation/"

static void every_check_is_found_by_its_id_and_says_why(void **state)
{
    size_t count = 0;
    const IsolationCheck *checks = isolation_checks(&count);
    (void)state;
    assert_true(count > 90);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(isolation_find_check(checks[i].id), &checks[i]);
        assert_true(i == 0 || strcmp(checks[i - 1].id, checks[i].id) < 0);
        assert_true(strlen(checks[i].title) > 10 && strlen(checks[i].why) > 10);
        assert_non_null(severity_name(checks[i].severity));
    }
    assert_null(isolation_find_check("no_such_rule"));
}

static void every_rule_has_one_query_and_every_query_is_a_rule(void **state)
{
    size_t count = 0;
    size_t rules = 0;
    size_t files = 0;
    scoped_arena Arena *arena = arena_new();
    const IsolationCheck *checks = isolation_checks(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_printf(arena, FOLDER "rules/%s.sql", checks[i].id);
        assert_true(checks[i].is_probe || embedded_file_find(path) != NULL);
        rules += checks[i].is_probe ? 0 : 1;
    }
    for (size_t i = 0; i < embedded_file_count; i++) {
        files += strncmp(embedded_files[i].path, FOLDER "rules/", strlen(FOLDER "rules/")) == 0;
    }
    assert_int_equal(rules, files);
}

static void every_query_is_a_single_select(void **state)
{
    (void)state;
    for (size_t i = 0; i < embedded_file_count; i++) {
        const EmbeddedFile *file = &embedded_files[i];
        scoped_arena Arena *arena = arena_new();
        SqlScript script = {0};
        Err err;
        /* Beside the folders of the rules there are the probes, which do more than ask. */
        if (strncmp(file->path, FOLDER, strlen(FOLDER)) != 0 ||
            strchr(file->path + strlen(FOLDER), '/') == NULL) {
            continue;
        }
        if (!sql_script_parse(arena, file->path, file->text, ERR_INTERNAL, &script, &err)) {
            fail_msg("%s", err.message);
        }
        assert_int_equal(script.count, 1);
        assert_string_equal(script.statements[0].node, "SelectStmt");
        sql_script_done(&script);
    }
}

static void a_finding_has_an_id_of_what_it_is_about_and_not_of_its_evidence(void **state)
{
    scoped_arena Arena *arena = arena_new();
    IsolationResult result = {.list = {.arena = arena}};
    Finding finding = {.check = isolation_find_check("grant_table"),
                       .tenant_id = "a",
                       .object = "table t",
                       .evidence = "one"};
    Err err;
    (void)state;
    assert_true(isolation_add_finding(&result, &finding, &err));
    finding.evidence = "another";
    assert_true(isolation_add_finding(&result, &finding, &err));
    finding.other_id = "b";
    assert_true(isolation_add_finding(&result, &finding, &err));
    assert_int_equal(result.list.count, 3);
    assert_string_equal(result.list.findings[0].id, result.list.findings[1].id);
    assert_string_not_equal(result.list.findings[0].id, result.list.findings[2].id);
    assert_int_equal(strlen(result.list.findings[0].id), 16);
}

static void a_list_keeps_its_findings_while_it_grows(void **state)
{
    enum { MANY = 100 };
    scoped_arena Arena *arena = arena_new();
    IsolationResult result = {.list = {.arena = arena}};
    Err err;
    (void)state;
    for (int i = 0; i < MANY; i++) {
        const Finding finding = {.check = isolation_find_check("rls_off"),
                                 .object = arena_printf(arena, "table %d", i)};
        assert_true(isolation_add_finding(&result, &finding, &err));
    }
    assert_int_equal(result.list.count, MANY);
    assert_string_equal(result.list.findings[0].object, "table 0");
    assert_string_equal(result.list.findings[MANY - 1].object, "table 99");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_check_is_found_by_its_id_and_says_why),
        cmocka_unit_test(every_rule_has_one_query_and_every_query_is_a_rule),
        cmocka_unit_test(every_query_is_a_single_select),
        cmocka_unit_test(a_finding_has_an_id_of_what_it_is_about_and_not_of_its_evidence),
        cmocka_unit_test(a_list_keeps_its_findings_while_it_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
