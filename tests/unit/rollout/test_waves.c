#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"
#include "core/strbuf.h"
#include "rollout/rollout_parts.h"

/* The limits as "1,5,100". */
static const char *limits_of(Arena *arena, const char *waves, int64_t total)
{
    const int64_t *limits = NULL;
    size_t count = 0;
    Err err;
    StrBuf text = strbuf_init(arena);
    if (!waves_limits(arena, waves, total, &limits, &count, &err)) {
        fail_msg("%s: %s", waves, err.message);
    }
    for (size_t i = 0; i < count; i++) {
        strbuf_printf(&text, "%s%lld", i == 0 ? "" : ",", (long long)limits[i]);
    }
    return text.text;
}

static void waves_end_at_numbers_and_shares_of_the_fleet(void **state)
{
    (void)state;
    static const struct {
        const char *waves;
        int64_t total;
        const char *limits;
    } cases[] = {
        {"1,5%,25%,100%", 1000, "1,50,250,1000"},
        {"100%", 7, "7"},
        {"7", 7, "7"},
        {"1,2,3", 3, "1,2,3"},
        {"50%", 10, "5,10"},             /* what is left is one wave more */
        {"1,5%,25%,100%", 10, "1,2,10"}, /* a share that is no place more is no wave */
        {"1,5%,25%,100%", 1, "1"},
        {"10,20,30", 15, "10,15"}, /* no further than the fleet goes */
        {"3,50%", 10, "3,5,10"},
        {"33%,66%", 100, "33,66,100"},
        {"100%", INT32_MAX, "2147483647"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        assert_string_equal(limits_of(arena, cases[i].waves, cases[i].total), cases[i].limits);
    }
}

static void an_empty_fleet_has_no_wave(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const int64_t *limits = NULL;
    size_t count = 1;
    Err err;
    assert_true(waves_limits(arena, "1,5%,100%", 0, &limits, &count, &err));
    assert_int_equal(count, 0);
}

static void a_list_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",     "x",    "1,",      ",1",          "1,,2", "-1",
                                        "101%", "1 ,2", "1%%",     "99999999999", "5 %",  "1;2",
                                        "0",    "0%,9", "50%,10%", "2,1",         "1,1"};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        Err err;
        char message[120];
        assert_false(rollout_check_waves(wrong[i], &err));
        snprintf(message, sizeof message,
                 "waves \"%s\" is no list of rising numbers and percentages, at most 100",
                 wrong[i]);
        assert_int_equal(err.code, ERR_INPUT_INVALID);
        assert_string_equal(err.message, message);
        assert_string_equal(err.hint, "such as 1,5%,25%,100%");
    }
}

static void a_hundred_waves_are_allowed_and_no_more(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    StrBuf waves = strbuf_init(arena);
    const int64_t *limits = NULL;
    size_t count = 0;
    Err err;
    for (int i = 1; i <= 100; i++) {
        strbuf_printf(&waves, "%s%d", i == 1 ? "" : ",", i);
    }
    assert_true(waves_limits(arena, waves.text, 1000, &limits, &count, &err));
    assert_int_equal(count, 101);
    assert_int_equal(limits[100], 1000);
    strbuf_add(&waves, ",101");
    assert_false(waves_limits(arena, waves.text, 1000, &limits, &count, &err));
    assert_int_equal(err.code, ERR_INPUT_INVALID);
}

static void an_allowance_is_a_number_or_a_share_rounded_down(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t total, allowance;
    } cases[] = {{"0", 100, 0}, {"3", 100, 3}, {"2%", 100, 2}, {"2%", 49, 0}, {"100%", 7, 7}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int64_t allowance = -1;
        Err err;
        assert_true(allowance_of(cases[i].text, cases[i].total, &allowance, &err));
        assert_int_equal(allowance, cases[i].allowance);
    }
}

static void an_allowance_that_is_neither_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "few", "-1", "3,4", "101%", "3%x"};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        Err err;
        char message[120];
        assert_false(rollout_check_allowance(wrong[i], &err));
        snprintf(message, sizeof message,
                 "max-failures \"%s\" is neither a number nor a percentage of at most 100%%",
                 wrong[i]);
        assert_int_equal(err.code, ERR_INPUT_INVALID);
        assert_string_equal(err.message, message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waves_end_at_numbers_and_shares_of_the_fleet),
        cmocka_unit_test(an_empty_fleet_has_no_wave),
        cmocka_unit_test(a_list_that_is_none_is_refused),
        cmocka_unit_test(a_hundred_waves_are_allowed_and_no_more),
        cmocka_unit_test(an_allowance_is_a_number_or_a_share_rounded_down),
        cmocka_unit_test(an_allowance_that_is_neither_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
