#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <locale.h>

#include "cli/render.h"
#include "cli/screen.h"
#include "core/array.h"
#include "double.h"

static const Field item_fields[] = {
    {"slug", FIELD_TEXT},       {"name", FIELD_TEXT, .is_nullable = true},
    {"size", FIELD_BYTES},      {"tenant_id", FIELD_TEXT, .is_wide = true},
    {"created_at", FIELD_TIME}, {0},
};
static const Field list_fields[] = {{"tenants", FIELD_LIST, .fields = item_fields}, {0}};
static const Operation list_op = {.name = "tenant.list", .result = list_fields};

#define ITEM(slug, name, size)                                                                     \
    "{\"slug\":\"" slug "\",\"name\":" name ",\"size\":" size                                      \
    ",\"tenant_id\":\"u\",\"created_at\":\"2026-11-21T01:24:00.123456Z\"}"

static char *rendered(const Operation *op, const char *answer, bool is_wide)
{
    Err err;
    scoped_json Json *json = NULL;
    assert_true(json_parse(answer, "answer", &json, &err));
    char *text = NULL;
    CAPTURE(text, render_answer(out, op, json, is_wide));
    return text;
}

static void assert_rendered(const Operation *op, const char *answer, bool is_wide,
                            const char *expected)
{
    char *text = rendered(op, answer, is_wide);
    assert_string_equal(text, expected);
    free(text);
}

static void a_list_is_a_table_aligned_by_what_terminals_show(void **state)
{
    (void)state;
    assert_rendered(&list_op,
                    "{\"tenants\":[" ITEM("acme", "\"東京\"", "1536") "," ITEM(
                        "b", "\"e\\u0301x\"", "10") "," ITEM("c", "null", "0") "]}",
                    false,
                    "SLUG  NAME     SIZE  CREATED AT\n"
                    "acme  東京  1.5 KiB  2026-11-21 01:24:00Z\n"
                    "b     e\xcc\x81x       10 B  2026-11-21 01:24:00Z\n"
                    "c     -         0 B  2026-11-21 01:24:00Z\n");
}

static void wide_columns_show_only_when_asked_for(void **state)
{
    (void)state;
    assert_rendered(&list_op, "{\"tenants\":[" ITEM("a", "\"n\"", "1") "]}", true,
                    "SLUG  NAME  SIZE  TENANT ID  CREATED AT\n"
                    "a     n      1 B  u          2026-11-21 01:24:00Z\n");
}

static void what_is_too_long_for_a_column_has_a_line_of_its_own(void **state)
{
    (void)state;
    static const Field logins[] = {
        {"login", FIELD_TEXT}, {"uri", FIELD_TEXT, .is_long = true}, {"role", FIELD_TEXT}, {0}};
    static const Field fields[] = {{"connections", FIELD_LIST, .fields = logins}, {0}};
    static const Operation op = {.name = "tenant.show", .result = fields};
    assert_rendered(&op,
                    "{\"connections\":[{\"login\":\"app\",\"role\":\"t_app\",\"uri\":\"u1\"},"
                    "{\"login\":\"readonly\",\"role\":\"t_ro\",\"uri\":\"u2\"}]}",
                    false, "app  t_app\n  u1\nreadonly  t_ro\n  u2\n");
    assert_rendered(&op, "{\"connections\":[]}", false, "none\n");
}

static void an_empty_list_says_none(void **state)
{
    (void)state;
    assert_rendered(&list_op, "{\"tenants\":[]}", false, "none\n");
}

static void a_tenants_name_cannot_attack_the_terminal(void **state)
{
    (void)state;
    char *text = rendered(&list_op,
                          "{\"tenants\":[" ITEM("a", "\"\\u001b[2J\\n\\u202ex\"", "1") "]}", false);
    assert_null(strchr(text, '\x1b'));
    assert_null(strstr(text, "\xe2\x80\xae"));
    assert_non_null(strstr(text, "\\x1b[2J\\x0a\\xe2\\x80\\xaex"));
    free(text);
}

static void scalars_are_lines_and_the_rest_stands_below(void **state)
{
    (void)state;
    static const Field place_fields[] = {{"schema", FIELD_TEXT}, {0}};
    static const Field fields[] = {
        {"slug", FIELD_TEXT},
        {"is_active", FIELD_BOOL},
        {"roles", FIELD_TEXTS},
        {"limits", FIELD_MAP},
        {"place", FIELD_OBJECT, .fields = place_fields},
        {"jobs", FIELD_LIST, .fields = place_fields},
        {0},
    };
    static const Operation op = {
        .name = "tenant.show", .result = fields, .done = "tenant {slug} in {place.schema}{none}"};
    assert_rendered(
        &op,
        "{\"slug\":\"acme\",\"is_active\":true,\"roles\":[\"a\",\"b\"],"
        "\"limits\":{\"rows\":5,\"x\":null},\"place\":{\"schema\":\"t_1\"},\"jobs\":[]}",
        false,
        "tenant acme in t_1-\n"
        "slug       acme\n"
        "is active  yes\n"
        "roles      a, b\n"
        "\n"
        "limits\n"
        "  rows  5\n"
        "  x     -\n"
        "\n"
        "place\n"
        "  schema  t_1\n"
        "\n"
        "jobs\n"
        "  none\n");
}

static void bytes_are_written_in_the_unit_that_fits(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    static const struct {
        int64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {1048575, "1.0 MiB"},
        {INT64_C(5) << 40, "5.0 TiB"},
        {INT64_MAX, "8.0 EiB"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_json Json *value = json_integer(cases[i].bytes);
        assert_string_equal(render_scalar(arena, FIELD_BYTES, value), cases[i].text);
    }
}

static void times_are_shortened_when_they_are_utc(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    static const char *const cases[][2] = {
        {"2026-11-21T01:24:00.123456Z", "2026-11-21 01:24:00Z"},
        {"2026-11-21T01:24:00.12+00:00", "2026-11-21 01:24:00Z"},
        {"2026-11-21T01:24:00Z", "2026-11-21 01:24:00Z"},
        {"2026-11-21T01:24:00+02:00", "2026-11-21T01:24:00+02:00"},
        {"yesterday\n", "yesterday\\x0a"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_json Json *value = json_string(cases[i][0]);
        assert_string_equal(render_scalar(arena, FIELD_TIME, value), cases[i][1]);
    }
}

static void json_is_one_line_or_indented(void **state)
{
    (void)state;
    scoped_json Json *json = json_object();
    json_put_int(json, "a", 1);
    char *text = NULL;
    CAPTURE(text, render_json(out, json, false));
    assert_string_equal(text, "{\"a\":1}\n");
    free(text);
    CAPTURE(text, render_json(out, json, true));
    assert_string_equal(text, "{\n  \"a\": 1\n}\n");
    free(text);
}

/* Longer than the piece in which it is written, and as long as what is left of one. */
static void long_json_is_written_whole(void **state)
{
    (void)state;
    static const size_t lengths[] = {16381, 16382, 16383, 16384, 16385, 50000};
    for (size_t i = 0; i < ARRAY_COUNT(lengths); i++) {
        scoped_arena Arena *arena = arena_new();
        char *text = arena_alloc(arena, lengths[i] + 1);
        memset(text, 'x', lengths[i]);
        text[lengths[i]] = '\0';
        Json *json = json_pack("[s, s, s]", "a", text, "b");
        char *written = NULL;
        CAPTURE(written, render_json(out, json, false));
        assert_string_equal(written, arena_printf(arena, "[\"a\",\"%s\",\"b\"]\n", text));
        free(written);
        json_decref(json);
    }
}

static void long_text_is_wrapped_between_words(void **state)
{
    (void)state;
    char *text = NULL;
    CAPTURE(text, screen_wrap(out, "one two three fourteen", 2, 9));
    assert_string_equal(text, "one two\n  three\n  fourteen\n");
    free(text);
}

static int set_locale(void **state)
{
    (void)state;
    return setlocale(LC_CTYPE, "C.UTF-8") == NULL;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_a_table_aligned_by_what_terminals_show),
        cmocka_unit_test(wide_columns_show_only_when_asked_for),
        cmocka_unit_test(what_is_too_long_for_a_column_has_a_line_of_its_own),
        cmocka_unit_test(an_empty_list_says_none),
        cmocka_unit_test(a_tenants_name_cannot_attack_the_terminal),
        cmocka_unit_test(scalars_are_lines_and_the_rest_stands_below),
        cmocka_unit_test(bytes_are_written_in_the_unit_that_fits),
        cmocka_unit_test(times_are_shortened_when_they_are_utc),
        cmocka_unit_test(json_is_one_line_or_indented),
        cmocka_unit_test(long_json_is_written_whole),
        cmocka_unit_test(long_text_is_wrapped_between_words),
    };
    return cmocka_run_group_tests(tests, set_locale, NULL);
}
