#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/parse.h"
#include "double.h"

#define PARSE(call, err, ...)                                                                      \
    cli_parse(arena, double_catalog(arena), ARGC(__VA_ARGS__), ARGV(__VA_ARGS__), (call), (err))
#define ARGV(...) ((const char *const[]){"tenantry", __VA_ARGS__})
#define ARGC(...) ((int)(sizeof ARGV(__VA_ARGS__) / sizeof(const char *)))

#define ASSERT_REFUSED(text, hint, ...)                                                            \
    assert_refused((text), (hint), ARGC(__VA_ARGS__), ARGV(__VA_ARGS__))

static void assert_refused(const char *text, const char *hint, int argc, const char *const *argv)
{
    scoped_arena Arena *arena = arena_new();
    CliCall call;
    Err err = {0};
    assert_false(cli_parse(arena, double_catalog(arena), argc, argv, &call, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_string_equal(err.message, text);
    assert_string_equal(err.hint, hint);
}

static void options_and_arguments_are_found_in_any_position(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    CliCall call;
    Err err;
    assert_true(PARSE(&call, &err, "--tier", "row", "-q", "tenant", "--blueprint=x", "create",
                      "--color", "never", "acme", "--json"));
    assert_string_equal(call.command->op->name, "tenant.create");
    scoped_json Json *args = cli_call_args(&call);
    assert_string_equal(json_to_canonical(arena, args),
                        "{\"blueprint\":\"x\",\"slug\":\"acme\",\"tier\":\"row\"}");
    assert_int_equal(call.flag_count, 3);
    assert_int_equal(call.flags[0].id, OPT_QUIET);
    assert_string_equal(call.flags[0].value, "true");
    assert_string_equal(call.flags[1].value, "never");
}

static void a_name_of_the_command_hides_that_of_every_command(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    CliCall call;
    Err err;
    assert_true(PARSE(&call, &err, "--retries", "7", "blueprint", "add", "x"));
    scoped_json Json *args = cli_call_args(&call);
    assert_string_equal(json_to_canonical(arena, args), "{\"folder\":\"x\",\"retries\":\"7\"}");
    assert_int_equal(call.flag_count, 0);
    assert_true(PARSE(&call, &err, "--retries", "7", "status"));
    assert_int_equal(call.flag_count, 1);
    assert_int_equal(call.flags[0].id, OPT_RETRIES);
}

static void an_option_that_may_be_given_again_is_a_list(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    CliCall call;
    Err err;
    assert_true(PARSE(&call, &err, "blueprint", "add", "--tag", "a", "x", "--tag=b"));
    scoped_json Json *args = cli_call_args(&call);
    assert_string_equal(json_to_canonical(arena, args), "{\"folder\":\"x\",\"tag\":[\"a\",\"b\"]}");
}

static void two_hyphens_end_the_options(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    CliCall call;
    Err err;
    assert_true(PARSE(&call, &err, "tenant", "purge", "--", "--yes"));
    assert_int_equal(call.given_count, 1);
    assert_string_equal(call.values[0], "--yes");
}

static void a_bool_can_be_turned_off(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    CliCall call;
    Err err;
    assert_true(PARSE(&call, &err, "status", "--no-json", "--quiet=false"));
    assert_string_equal(call.flags[0].value, "false");
    assert_string_equal(call.flags[1].value, "false");
    ASSERT_REFUSED("option \"--json\" takes no value, got \"maybe\"",
                   "see \"tenantry status --help\"", "status", "--json=maybe");
    ASSERT_REFUSED("there is no option \"--no-color\"",
                   "did you mean \"--color\"? see \"tenantry status --help\"", "status",
                   "--no-color");
}

static void empty_values_are_passed_on_to_the_checks(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    CliCall call;
    Err err;
    assert_true(PARSE(&call, &err, "tenant", "create", "", "--blueprint", ""));
    assert_int_equal(call.given_count, 2);
    assert_string_equal(call.values[0], "");
    assert_string_equal(call.values[1], "");
}

static void negative_numbers_are_values(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    CliCall call;
    Err err;
    assert_true(PARSE(&call, &err, "tenant", "list", "--limit", "-5"));
    assert_string_equal(call.values[0], "-5");
}

static void typing_errors_get_the_nearest_word(void **state)
{
    (void)state;
    ASSERT_REFUSED("there is no command \"tennant\"",
                   "did you mean \"tenant\"? see \"tenantry --help\"", "tennant", "list");
    ASSERT_REFUSED("there is no command \"create\"",
                   "did you mean \"tenant create\"? see \"tenantry tenant --help\"", "create",
                   "tenant");
    ASSERT_REFUSED("there is no command \"zebra\"", "see \"tenantry --help\"", "zebra");
    ASSERT_REFUSED("\"tenant\" has no command \"craete\", expected one of create, list, purge",
                   "did you mean \"tenant create\"? see \"tenantry tenant --help\"", "tenant",
                   "craete");
    ASSERT_REFUSED("there is no option \"--bluprint\"",
                   "did you mean \"--blueprint\"? see \"tenantry tenant create --help\"", "tenant",
                   "create", "acme", "--bluprint", "x");
    ASSERT_REFUSED("there is no option \"-z\"", "see \"tenantry status --help\"", "status", "-z");
}

static void what_is_missing_is_named_with_the_usage(void **state)
{
    (void)state;
    static const char usage[] = "usage: tenantry tenant create SLUG --blueprint TEXT [options]";
    ASSERT_REFUSED("\"tenant create\" needs the argument slug: Slug of the tenant", usage, "tenant",
                   "create");
    ASSERT_REFUSED("\"tenant create\" needs --blueprint: Blueprint's name", usage, "tenant",
                   "create", "acme");
    ASSERT_REFUSED("\"tenantry tenant\" needs one more word, one of create, list, purge",
                   "see \"tenantry tenant --help\"", "tenant");
    ASSERT_REFUSED("option \"--blueprint\" needs a value: TEXT",
                   "see \"tenantry tenant create --help\"", "tenant", "create", "--blueprint",
                   "--json");
    ASSERT_REFUSED("option \"-c\" needs a value: PATH", "see \"tenantry status --help\"", "status",
                   "-c");
}

static void what_is_too_much_is_refused(void **state)
{
    (void)state;
    ASSERT_REFUSED("\"status\" does not take the argument \"now\"",
                   "usage: tenantry status [options]", "status", "now");
    ASSERT_REFUSED("option \"--limit\" is given twice", "see \"tenantry tenant list --help\"",
                   "tenant", "list", "--limit", "1", "--limit", "2");
    ASSERT_REFUSED("\"slug\" is given by its position, not as an option",
                   "usage: tenantry tenant purge SLUG [options]", "tenant", "purge", "--slug", "a");
}

static void a_secret_is_refused_as_a_flag_and_not_repeated(void **state)
{
    (void)state;
    static const char text[] = "--master-key is not accepted on the command line: other users can "
                               "see arguments with ps";
    static const char hint[] = "set TENANTRY_MASTER_KEY in the environment";
    ASSERT_REFUSED(text, hint, "status", "--master-key=0123");
    ASSERT_REFUSED(text, hint, "status", "--master-key", "0123");
    ASSERT_REFUSED(text, hint, "--master-key", "0123", "status");
    ASSERT_REFUSED(text, hint, "tenant", "--master-key", "0123", "list");
    ASSERT_REFUSED(text, hint, "--bogus", "--master-key", "0123", "status");
    ASSERT_REFUSED(text, hint, "--color", "--master-key", "0123", "status");
    ASSERT_REFUSED(text, hint, "status", "--bogus", "--master-key=\xff");
    ASSERT_REFUSED(text, hint, "status", "--", "--master-key", "0123");
    ASSERT_REFUSED(text, hint, "--json", "-master-key=0123", "status");
    ASSERT_REFUSED(text, hint, "--Master_Key", "0123", "status");
    ASSERT_REFUSED(text, hint, "TENANTRY_MASTER_KEY=0123", "status");
}

static void what_may_be_the_value_of_a_mistyped_option_is_not_repeated(void **state)
{
    (void)state;
    ASSERT_REFUSED("there is no option \"--mastr-key\"", "see \"tenantry --help\"", "--mastr-key",
                   "0123", "status");
    ASSERT_REFUSED("there is no option \"--mastr-key\"", "see \"tenantry tenant --help\"", "tenant",
                   "--mastr-key", "0123", "list");
    ASSERT_REFUSED("there is no command \"0123\"", "see \"tenantry --help\"", "--bogus=x", "0123");
}

static void names_that_begin_like_a_secrets_are_not_taken_for_it(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    CliCall call;
    Err err;
    assert_true(PARSE(&call, &err, "tenant", "purge", "master-key", "--master-key-file", "x"));
    assert_string_equal(call.values[0], "master-key");
    assert_int_equal(call.flags[0].id, OPT_MASTER_KEY_FILE);
}

static void arguments_that_are_not_utf8_are_refused(void **state)
{
    (void)state;
    ASSERT_REFUSED("argument 3 is not valid UTF-8: \"a\\xff\\x1b\"",
                   "type it in UTF-8: see how the terminal is set", "tenant", "purge", "a\xff\x1b");
}

static void help_and_version_are_found_anywhere(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    CliCall call;
    Err err;
    assert_true(PARSE(&call, &err, "tenant", "create", "-h"));
    assert_true(call.is_help);
    assert_string_equal(call.command->words, "tenant create");
    assert_true(PARSE(&call, &err, "--help", "tenant"));
    assert_null(call.command);
    assert_string_equal(call.noun, "tenant");
    assert_true(PARSE(&call, &err, "--version"));
    assert_true(call.is_version);
    assert_true(PARSE(&call, &err, "blueprint", "add", "x", "--version", "3"));
    assert_false(call.is_version);
    assert_string_equal(call.values[1], "3");
}

static void nothing_is_a_call_without_a_command(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    CliCall call;
    Err err;
    const char *const argv[] = {"tenantry"};
    assert_true(cli_parse(arena, double_catalog(arena), 1, argv, &call, &err));
    assert_null(call.command);
    assert_true(cli_parse(arena, double_catalog(arena), 0, NULL, &call, &err));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_arguments_are_found_in_any_position),
        cmocka_unit_test(two_hyphens_end_the_options),
        cmocka_unit_test(a_bool_can_be_turned_off),
        cmocka_unit_test(empty_values_are_passed_on_to_the_checks),
        cmocka_unit_test(negative_numbers_are_values),
        cmocka_unit_test(typing_errors_get_the_nearest_word),
        cmocka_unit_test(what_is_missing_is_named_with_the_usage),
        cmocka_unit_test(what_is_too_much_is_refused),
        cmocka_unit_test(a_name_of_the_command_hides_that_of_every_command),
        cmocka_unit_test(an_option_that_may_be_given_again_is_a_list),
        cmocka_unit_test(a_secret_is_refused_as_a_flag_and_not_repeated),
        cmocka_unit_test(what_may_be_the_value_of_a_mistyped_option_is_not_repeated),
        cmocka_unit_test(names_that_begin_like_a_secrets_are_not_taken_for_it),
        cmocka_unit_test(arguments_that_are_not_utf8_are_refused),
        cmocka_unit_test(help_and_version_are_found_anywhere),
        cmocka_unit_test(nothing_is_a_call_without_a_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
