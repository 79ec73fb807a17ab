#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/progress.h"
#include "cli/report.h"
#include "double.h"

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static void an_error_for_people_has_a_message_and_a_hint(void **state)
{
    (void)state;
    Err err;
    ERR_SET(&err, ERR_SLUG_TAKEN, "choose another", "slug \"a\" is taken\nlog \x1b[1m");
    char *text = NULL;
    int exit_status = 0;
    CAPTURE(text, exit_status = report_error(out, &(ReportStyle){0}, &err));
    assert_int_equal(exit_status, 73);
    assert_string_equal(text,
                        "tenantry: slug \"a\" is taken\n  log \\x1b[1m\nhint: choose another\n");
    free(text);
    CAPTURE(text, report_error(out, &(ReportStyle){.has_colour = true}, &err));
    assert_memory_equal(text, "\033[31mtenantry:\033[0m slug", 23);
    free(text);
}

static void an_error_as_json_is_one_object(void **state)
{
    (void)state;
    Err err;
    ERR_SET(&err, ERR_PG_FAILED, NULL, "bad byte \xff");
    memcpy(err.sqlstate, "42P01", 6);
    char *text = NULL;
    CAPTURE(text, report_error(out, &(ReportStyle){.is_json = true}, &err));
    assert_string_equal(text, "{\"error\":{\"code\":\"pg_failed\",\"message\":\"bad byte "
                              "\\\\xff\",\"hint\":null,\"sqlstate\":\"42P01\"}}\n");
    free(text);
}

static void colour_is_for_terminals_or_when_asked_for(void **state)
{
    (void)state;
    FILE *out = tmpfile();
    assert_non_null(out);
    assert_true(report_has_colour(out, "always", no_environment));
    assert_false(report_has_colour(out, "never", no_environment));
    assert_false(report_has_colour(out, "auto", no_environment));
    fclose(out);
}

static void each_step_is_one_line_where_there_is_no_terminal(void **state)
{
    (void)state;
    char *text = NULL;
    CAPTURE(text, {
        Progress progress = {.out = out};
        const OpProgress callbacks = progress_callbacks(&progress);
        callbacks.step(&progress, "make roles", NULL, 0, 2);
        callbacks.step(&progress, "make roles", "12/s", 1, 2);
        callbacks.note(&progress, "try\x1b again");
        callbacks.step(&progress, "make schema", NULL, 0, 0);
        progress_done(&progress);
    });
    assert_string_equal(text, "step make roles\ntry\\x1b again\nstep make schema\n");
    free(text);
}

static void a_terminal_gets_a_bar_that_is_taken_away(void **state)
{
    (void)state;
    char *text = NULL;
    CAPTURE(text, {
        Progress progress = {.out = out, .has_bar = true, .columns = 80};
        const OpProgress callbacks = progress_callbacks(&progress);
        callbacks.step(&progress, "rows", NULL, 1, 2);
        callbacks.step(&progress, "rows", "2 failed", 5, 2);
        progress.columns = 32;
        callbacks.step(&progress, "rows", "2 failed", 1, 2);
        callbacks.step(&progress, "rows", "more than there is room for", 5, 2);
        progress_done(&progress);
    });
    assert_string_equal(text, "\r\033[Krows [###############...............] 1/2  50%"
                              "\r\033[Krows [##############################] 5/2 100%  2 failed"
                              "\r\033[Krows [##...] 1/2  50%  2 failed"
                              "\r\033[Krows [###############] 5/2 100%"
                              "\r\033[K");
    free(text);
}

static void a_narrow_terminal_gets_what_fits(void **state)
{
    (void)state;
    char *text = NULL;
    CAPTURE(text, {
        Progress progress = {.out = out, .has_bar = true, .columns = 20};
        const OpProgress callbacks = progress_callbacks(&progress);
        callbacks.step(&progress, "rows", NULL, 1, 2);
        progress.columns = 10;
        callbacks.step(&progress, "rows", NULL, 1, 2);
    });
    assert_string_equal(text, "\r\033[Krows 1/2  50%\r\033[Krows");
    free(text);
}

static void silence_is_kept(void **state)
{
    (void)state;
    char *text = NULL;
    CAPTURE(text, {
        Progress progress = {.out = out, .is_silent = true};
        const OpProgress callbacks = progress_callbacks(&progress);
        callbacks.step(&progress, "rows", NULL, 1, 2);
        callbacks.note(&progress, "again");
    });
    assert_string_equal(text, "");
    free(text);
}

static bool confirmed(const char *typed, const char *expected)
{
    char *text = NULL;
    bool is_confirmed = false;
    CAPTURE(text, {
        char line[32];
        snprintf(line, sizeof line, "%s", typed);
        FILE *in = *typed == '\0' ? NULL : fmemopen(line, strlen(line), "r");
        Progress progress = {.out = out, .in = in};
        is_confirmed = progress_callbacks(&progress).confirm(&progress, "sure?", expected);
        if (in != NULL) {
            fclose(in);
        }
    });
    assert_string_equal(text, *typed == '\0' ? "" : "sure?\ntype acme to confirm: ");
    free(text);
    return is_confirmed;
}

static void a_confirmation_is_the_exact_word_typed_by_a_person(void **state)
{
    (void)state;
    assert_true(confirmed("acme\n", "acme"));
    assert_false(confirmed("acm\n", "acme"));
    assert_false(confirmed("acmee\n", "acme"));
    assert_false(confirmed("", "acme"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_for_people_has_a_message_and_a_hint),
        cmocka_unit_test(an_error_as_json_is_one_object),
        cmocka_unit_test(colour_is_for_terminals_or_when_asked_for),
        cmocka_unit_test(each_step_is_one_line_where_there_is_no_terminal),
        cmocka_unit_test(a_terminal_gets_a_bar_that_is_taken_away),
        cmocka_unit_test(a_narrow_terminal_gets_what_fits),
        cmocka_unit_test(silence_is_kept),
        cmocka_unit_test(a_confirmation_is_the_exact_word_typed_by_a_person),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
