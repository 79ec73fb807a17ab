#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"
#include "core/duration.h"
#include "ops/op.h"

static const Param params[] = {
    {"slug", PARAM_SLUG, .is_positional = true, .is_required = true},
    {"count", PARAM_INT, .fallback = "3", .least = 1, .most = 10},
    {"folder", PARAM_PATH},
    {"force", PARAM_BOOL, .fallback = "false"},
    {"note", PARAM_TEXT, .least = 2, .most = 5},
    {"tag", PARAM_TEXT, .is_repeated = true, .most = 5},
    {"tier", PARAM_ENUM, .choices = "row|schema"},
    {"wait", PARAM_DURATION_MS, .least = 10, .most = 60000},
    {0},
};
static const Operation op = {.name = "tenant.create", .params = params};

static void assert_checked(const char *raw, const char *expected)
{
    scoped_arena Arena *arena = arena_new();
    scoped_json Json *json = NULL;
    scoped_json Json *args = NULL;
    Err err;
    assert_true(json_parse(raw, "raw", &json, &err));
    assert_true(op_check_args(&op, json, &args, &err));
    assert_string_equal(json_to_canonical(arena, args), expected);
}

static void assert_refused(const char *raw, const char *message, const char *hint)
{
    scoped_json Json *json = NULL;
    Json *args = NULL;
    Err err = {0};
    assert_true(json_parse(raw, "raw", &json, &err));
    assert_false(op_check_args(&op, json, &args, &err));
    assert_null(args);
    assert_int_equal(err.code, ERR_INPUT_INVALID);
    assert_string_equal(err.message, message);
    const bool is_duration = strstr(message, "is not a duration") != NULL;
    assert_string_equal(err.hint, is_duration ? DURATION_HINT : hint);
}

static void defaults_are_filled_in(void **state)
{
    (void)state;
    assert_checked("{\"slug\":\"acme\"}", "{\"count\":3,\"force\":false,\"slug\":\"acme\"}");
    assert_checked("{\"slug\":\"acme\",\"count\":null}",
                   "{\"count\":3,\"force\":false,\"slug\":\"acme\"}");
}

static void text_and_json_give_the_same_values(void **state)
{
    (void)state;
    static const char expected[] =
        "{\"count\":7,\"folder\":\"/x\",\"force\":true,\"note\":\"h\xc3\xa9!\","
        "\"slug\":\"acme\",\"tier\":\"row\",\"wait\":30000}";
    assert_checked("{\"slug\":\"acme\",\"count\":\"7\",\"folder\":\"/x\",\"force\":\"true\","
                   "\"note\":\"h\xc3\xa9!\",\"tier\":\"row\",\"wait\":\"30s\"}",
                   expected);
    assert_checked("{\"slug\":\"acme\",\"count\":7,\"folder\":\"/x\",\"force\":true,"
                   "\"note\":\"h\xc3\xa9!\",\"tier\":\"row\",\"wait\":30000}",
                   expected);
}

static void a_list_is_checked_value_by_value(void **state)
{
    (void)state;
    assert_checked("{\"slug\":\"acme\",\"tag\":[\"a\",\"b\"]}",
                   "{\"count\":3,\"force\":false,\"slug\":\"acme\",\"tag\":[\"a\",\"b\"]}");
    assert_checked("{\"slug\":\"acme\",\"tag\":\"a\"}",
                   "{\"count\":3,\"force\":false,\"slug\":\"acme\",\"tag\":[\"a\"]}");
    assert_refused(
        "{\"slug\":\"acme\",\"tag\":[\"a\",\"abcdef\"]}",
        "parameter \"tag\": \"abcdef\" is not a text of 1 to 5 characters without control "
        "characters",
        "");
    assert_refused("{\"slug\":\"acme\",\"tag\":[[]]}",
                   "parameter \"tag\": \"[]\" is not a text of 1 to 5 characters without control "
                   "characters",
                   "");
}

static void what_is_not_allowed_says_what_would_be(void **state)
{
    (void)state;
    static const struct {
        const char *member;
        const char *message;
    } cases[] = {
        {"\"count\":0", "\"count\": \"0\" is not a whole number from 1 to 10"},
        {"\"count\":\"x\"", "\"count\": \"x\" is not a whole number from 1 to 10"},
        {"\"count\":1.5", "\"count\": \"1.5\" is not a whole number from 1 to 10"},
        {"\"count\":\"\"", "\"count\": \"\" is not a whole number from 1 to 10"},
        {"\"folder\":\"\"", "\"folder\": \"\" is not a path of at most 4095 bytes"},
        {"\"force\":1", "\"force\": \"1\" is not true or false"},
        {"\"note\":\"a\"",
         "\"note\": \"a\" is not a text of 2 to 5 characters without control characters"},
        {"\"note\":\"a\\nb\"",
         "\"note\": \"a\\x0ab\" is not a text of 2 to 5 characters without control characters"},
        {"\"note\":\"abcdef\"",
         "\"note\": \"abcdef\" is not a text of 2 to 5 characters without control characters"},
        {"\"tier\":\"cluster\"", "\"tier\": \"cluster\" is not one of row|schema"},
        {"\"tier\":[]", "\"tier\": \"[]\" is not one of row|schema"},
        {"\"wait\":\"30\"", "\"wait\": \"30\" is not a duration from 10ms to 1min"},
        {"\"wait\":1", "\"wait\": \"1\" is not a duration from 10ms to 1min"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char raw[200];
        char message[300];
        snprintf(raw, sizeof raw, "{\"slug\":\"acme\",%s}", cases[i].member);
        snprintf(message, sizeof message, "parameter %s", cases[i].message);
        assert_refused(raw, message, "");
    }
}

static void a_slug_is_checked_for_its_form(void **state)
{
    (void)state;
    scoped_json Json *raw = json_object();
    json_put_text(raw, "slug", "Acme");
    Json *args = NULL;
    Err err = {0};
    assert_false(op_check_args(&op, raw, &args, &err));
    assert_int_equal(err.code, ERR_INPUT_INVALID);
    assert_non_null(
        strstr(err.message, "parameter \"slug\": slug \"Acme\" has upper-case letters"));
    assert_string_equal(err.hint, "write \"acme\"");
    assert_refused("{\"slug\":5}", "parameter \"slug\": \"5\" is not a slug", "");
}

static void what_is_missing_or_unknown_is_named(void **state)
{
    (void)state;
    assert_refused("{}", "parameter \"slug\" is missing: it is a slug", "");
    assert_refused("{\"slug\":\"acme\",\"teir\":\"row\"}",
                   "operation \"tenant.create\" has no parameter \"teir\"",
                   "did you mean \"tier\"?");
    assert_refused("[]", "the parameters of operation \"tenant.create\" are not an object", "");
}

static void a_nul_character_is_refused(void **state)
{
    (void)state;
    scoped_json Json *raw = json_object();
    json_put(raw, "slug", json_stringn("ac\0me", 5));
    Json *args = NULL;
    Err err = {0};
    assert_false(op_check_args(&op, raw, &args, &err));
    assert_string_equal(err.message,
                        "parameter \"slug\" holds a NUL character, expected text without one");
}

static const Field inner_fields[] = {
    {"id", FIELD_UUID}, {"at", FIELD_TIME, .is_nullable = true}, {0}};
static const Field fields[] = {
    {"ok", FIELD_BOOL},
    {"size", FIELD_BYTES},
    {"names", FIELD_TEXTS},
    {"limits", FIELD_MAP},
    {"rows", FIELD_LIST, .fields = inner_fields},
    {"one", FIELD_OBJECT, .is_nullable = true, .fields = inner_fields},
    {0},
};

#define UUID "\"0f8fad5b-d9cb-469f-a165-70867728950e\""

static bool answer_fits(const char *text, Err *err)
{
    scoped_json Json *answer = NULL;
    assert_true(json_parse(text, "answer", &answer, err));
    return op_check_answer(fields, answer, err);
}

static void an_answer_of_the_declared_shape_fits(void **state)
{
    (void)state;
    Err err;
    assert_true(
        answer_fits("{\"ok\":true,\"size\":0,\"names\":[\"a\"],\"limits\":{\"a\":1,\"b\":null},"
                    "\"rows\":[{\"id\":" UUID ",\"at\":null}],"
                    "\"one\":{\"id\":" UUID ",\"at\":\"2026-11-21T01:24:00.123456Z\"}}",
                    &err));
}

static void an_answer_that_does_not_fit_names_the_member(void **state)
{
    (void)state;
#define START "{\"ok\":true,\"size\":0,\"names\":[],\"limits\":{},"
    static const struct {
        const char *answer;
        const char *message;
    } cases[] = {
        {"[]", "the answer is not an object"},
        {"{}", "answer member \"ok\" is missing"},
        {"{\"ok\":1}", "answer member \"ok\" is not a boolean"},
        {"{\"ok\":null}", "answer member \"ok\" is not a boolean"},
        {"{\"ok\":true,\"size\":-1}", "answer member \"size\" is not an integer from 0"},
        {"{\"ok\":true,\"size\":1,\"names\":[1]}",
         "answer member \"names\" is not a list of strings"},
        {"{\"ok\":true,\"size\":1,\"names\":[],\"limits\":{\"a\":[]}}",
         "answer member \"limits\" is not an object of scalars"},
        {START "\"rows\":[{\"id\":" UUID ",\"at\":null},{\"id\":\"X\"}]}",
         "answer member \"rows[1].id\" is not a UUID in lower case"},
        {START "\"rows\":[{\"id\":" UUID ",\"at\":\"yesterday\"}]}",
         "answer member \"rows[0].at\" is not a time such as 2026-11-21T01:24:00.123456+00:00"},
        {START "\"rows\":[1]}", "answer member \"rows[0]\" is not an object"},
        {START "\"rows\":[],\"one\":null,\"more\":1}",
         "answer member \"more\" is not declared by its operation"},
        {START "\"rows\":[{\"id\":" UUID ",\"at\":null,\"x\":1}]}",
         "answer member \"rows[0].x\" is not declared by its operation"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        Err err = {0};
        assert_false(answer_fits(cases[i].answer, &err));
        assert_int_equal(err.code, ERR_INTERNAL);
        assert_string_equal(err.message, cases[i].message);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(text_and_json_give_the_same_values),
        cmocka_unit_test(a_list_is_checked_value_by_value),
        cmocka_unit_test(what_is_not_allowed_says_what_would_be),
        cmocka_unit_test(a_slug_is_checked_for_its_form),
        cmocka_unit_test(what_is_missing_or_unknown_is_named),
        cmocka_unit_test(a_nul_character_is_refused),
        cmocka_unit_test(an_answer_of_the_declared_shape_fits),
        cmocka_unit_test(an_answer_that_does_not_fit_names_the_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
