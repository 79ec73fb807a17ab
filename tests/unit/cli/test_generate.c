#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/builtin.h"
#include "cli/generate.h"
#include "cli/help.h"
#include "core/array.h"
#include "double.h"

static void assert_lines_at_most(const char *text, size_t most)
{
    while (*text != '\0') {
        const size_t length = strcspn(text, "\n");
        assert_in_range(length, 0, most);
        text += length + (text[length] == '\n');
    }
}

static void overview_lists_every_command_with_its_sentence(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    char *text = NULL;
    CAPTURE(text, help_write_overview(out, double_catalog(arena)));
    assert_lines_at_most(text, 100);
    assert_non_null(strstr(text, "\ntenant:\n  tenant create"));
    assert_non_null(strstr(text, "\n  status           Show what runs.\n"));
    assert_non_null(strstr(text, "-c, --config PATH"));
    assert_null(strstr(text, "--master-key "));
    free(text);
}

static void help_of_a_command_has_all_that_is_in_its_row(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const Catalog *catalog = double_catalog(arena);
    char *text = NULL;
    CAPTURE(text, help_write_command(out, catalog_find(catalog, "tenant", "create")));
    assert_lines_at_most(text, 100);
    static const char *const parts[] = {
        "usage: tenantry tenant create SLUG --blueprint TEXT [options]\n",
        "Create a tenant.\n",
        "Makes its place",
        "arguments:\n  SLUG  Slug of the tenant. [required]\n",
        "--tier row|schema",
        "[default: schema]",
        "examples:\n  tenantry tenant create acme --blueprint trading\n",
        "exit status:\n  0   It worked.\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        assert_non_null(strstr(text, parts[i]));
    }
    free(text);
}

static void help_names_an_option_that_the_command_hides_once(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    char *text = NULL;
    CAPTURE(text, help_write_command(out, catalog_find(double_catalog(arena), "blueprint", "add")));
    const char *own = strstr(text, "--retries N");
    assert_non_null(own);
    assert_null(strstr(own + 1, "--retries N"));
    assert_non_null(strstr(text, "A word for it. [may be given again]"));
    free(text);
}

static void help_of_a_noun_has_its_commands_alone(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    char *text = NULL;
    CAPTURE(text, help_write_noun(out, double_catalog(arena), "tenant"));
    assert_non_null(strstr(text, "tenant purge"));
    assert_null(strstr(text, "blueprint add"));
    free(text);
}

static void help_about_nothing_known_is_an_error(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const Catalog *catalog = double_catalog(arena);
    scoped_json Json *args = json_object();
    json_put_text(args, "noun", "tenant");
    json_put_text(args, "verb", "zap");
    Err err = {0};
    char *text = NULL;
    const Operation *help = catalog_find(catalog, "help", NULL)->op;
    CAPTURE(text, assert_false(builtin_print(out, catalog, help, args, false, &err)));
    assert_int_equal(err.code, ERR_USAGE);
    assert_string_equal(err.message, "there is no command \"tenant zap\"");
    free(text);
}

static void reference_names_every_option_and_error(void **state)
{
    (void)state;
    char *text = NULL;
    CAPTURE(text, {
        docs_write_options(out);
        docs_write_errors(out);
    });
    assert_non_null(strstr(text, "| `--config`, `-c` | `TENANTRY_CONFIG` | path |"));
    assert_non_null(strstr(text, "| auto\\|always\\|never | auto |"));
    assert_non_null(
        strstr(text, "| `slug_taken` | a tenant with this slug exists | 73 | 409 | no |"));
    free(text);
}

static void reference_of_a_command_has_its_answer_and_example(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    char *text = NULL;
    CAPTURE(text, docs_write_operations(out, double_catalog(arena)));
    static const char *const parts[] = {
        "## tenant list\n\n    tenantry tenant list [options]\n",
        "Answer with `--json`:\n\n- `tenants` (list of objects): The tenants.\n"
        "  - `slug` (text): Slug.\n  - `rows` (integer): Rows.\n",
        "\nExample, in a schema of its own:\n\n"
        "    tenantry tenant create acme --blueprint trading\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        assert_non_null(strstr(text, parts[i]));
    }
    free(text);
}

static void manual_page_has_its_sections_and_no_stray_requests(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    char *text = NULL;
    CAPTURE(text, man_write(out, double_catalog(arena)));
    static const char *const sections[] = {
        ".SH NAME\n",        ".SH SYNOPSIS\n", ".SH DESCRIPTION\n",     ".SH OPERATIONS\n",
        ".SH OPTIONS\n",     ".SH FILES\n",    ".SH \"EXIT STATUS\"\n", ".SH EXAMPLES\n",
        ".SH ENVIRONMENT\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(sections); i++) {
        assert_non_null(strstr(text, sections[i]));
    }
    assert_non_null(strstr(text, "\\-\\-blueprint TEXT"));
    free(text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(overview_lists_every_command_with_its_sentence),
        cmocka_unit_test(help_of_a_command_has_all_that_is_in_its_row),
        cmocka_unit_test(help_names_an_option_that_the_command_hides_once),
        cmocka_unit_test(help_of_a_noun_has_its_commands_alone),
        cmocka_unit_test(help_about_nothing_known_is_an_error),
        cmocka_unit_test(reference_names_every_option_and_error),
        cmocka_unit_test(reference_of_a_command_has_its_answer_and_example),
        cmocka_unit_test(manual_page_has_its_sections_and_no_stray_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
