#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"
#include "core/choices.h"
#include "core/duration.h"

static void durations_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    int64_t ms = 7;
    assert_true(duration_to_ms("250ms", &ms));
    assert_int_equal(ms, 250);
    assert_true(duration_to_ms("2min", &ms));
    assert_int_equal(ms, 120000);
    assert_true(duration_to_ms("1h", &ms));
    assert_int_equal(ms, 3600000);
    static const char *const wrong[] = {
        "",
        "5",
        "s",
        "-5s",
        "+5s",
        "5 s",
        "5m",
        "1.5s",
        "5S",
        "5s ",
        "999999999999999999h",
        "99999999999999999999s",
    };
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        assert_false(duration_to_ms(wrong[i], &ms));
    }
}

static void durations_are_written_in_the_largest_whole_unit(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    assert_string_equal(duration_to_text(arena, 0), "0s");
    assert_string_equal(duration_to_text(arena, 1500), "1500ms");
    assert_string_equal(duration_to_text(arena, 60000), "1min");
    assert_string_equal(duration_to_text(arena, 90000), "90s");
    assert_string_equal(duration_to_text(arena, 7200000), "2h");
    assert_string_equal(duration_to_rough_text(arena, 0), "0s");
    assert_string_equal(duration_to_rough_text(arena, 1999), "1999ms");
    assert_string_equal(duration_to_rough_text(arena, 2001), "3s");
    assert_string_equal(duration_to_rough_text(arena, 119001), "2min");
    assert_string_equal(duration_to_rough_text(arena, 120001), "3min");
    assert_string_equal(duration_to_rough_text(arena, 7200001), "3h");
}

static void a_choice_is_one_whole_word(void **state)
{
    (void)state;
    assert_true(choices_has("row|schema", "row"));
    assert_true(choices_has("row|schema", "schema"));
    assert_false(choices_has("row|schema", "sche"));
    assert_false(choices_has("row|schema", "row|schema"));
    assert_false(choices_has("row|schema", ""));
    scoped_arena Arena *arena = arena_new();
    size_t count = 7;
    assert_string_equal(choices_split(arena, "row|schema", &count)[1], "schema");
    assert_int_equal(count, 2);
    choices_split(arena, NULL, &count);
    assert_int_equal(count, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_whole_or_not_at_all),
        cmocka_unit_test(durations_are_written_in_the_largest_whole_unit),
        cmocka_unit_test(a_choice_is_one_whole_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
