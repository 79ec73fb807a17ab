#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "blueprint/place_parts.h"
#include "core/array.h"
#include "core/clock.h"

static const int64_t nov_21_us = 1795219200LL * 1000000; /* 2026-11-21, midnight UTC */
static const int64_t day_us = 86400LL * 1000000;

static BlueprintPartition partitions[] = {
    {.table = "trades", .column = "at", .every = EVERY_MONTH, .ahead = 2},
    {.table = "bars", .column = "at", .every = EVERY_DAY, .ahead = 3},
};
static const Blueprint blueprint = {.partitions = partitions,
                                    .partition_count = ARRAY_COUNT(partitions)};
static const Place place = {.schema_name = "tenant_x"};

static void reset_clock(void)
{
    clock_set_wall_us(0);
}

/* The batch makes these partitions, in this order. */
static void assert_made(const PgBatch *batch, const char *const *names, size_t count)
{
    assert_int_equal(pg_batch_count(batch), count);
    for (size_t i = 0; i < count; i++) {
        PgParams params;
        const char *sql = pg_batch_statement(batch, i, &params);
        if (strstr(sql, names[i]) == NULL) {
            fail_msg("expected \"%s\" in: %s", names[i], sql);
        }
    }
}

static void a_new_place_has_the_partitions_that_begin_within_two_days(void **state)
{
    (void)state;
    static const char *const names[] = {"trades_2026_11", "bars_2026_11_21", "bars_2026_11_22",
                                        "bars_2026_11_23"};
    scoped_arena Arena *arena = arena_new();
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    clock_set_wall_us(nov_21_us);
    partitions_add_first(arena, batch, &blueprint, &place);
    reset_clock();
    assert_made(batch, names, ARRAY_COUNT(names));
}

static void a_new_place_has_the_next_month_when_it_is_near(void **state)
{
    (void)state;
    static const char *const names[] = {"trades_2026_11", "trades_2026_12", "bars_2026_11_29",
                                        "bars_2026_11_30", "bars_2026_12_01"};
    scoped_arena Arena *arena = arena_new();
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    clock_set_wall_us(nov_21_us + 8 * day_us);
    partitions_add_first(arena, batch, &blueprint, &place);
    reset_clock();
    assert_made(batch, names, ARRAY_COUNT(names));
}

static void later_all_that_are_declared_ahead_are_made(void **state)
{
    (void)state;
    static const char *const names[] = {"trades_2026_11",  "trades_2026_12",  "trades_2027_01",
                                        "bars_2026_11_21", "bars_2026_11_22", "bars_2026_11_23",
                                        "bars_2026_11_24"};
    scoped_arena Arena *arena = arena_new();
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    clock_set_wall_us(nov_21_us);
    partitions_add(arena, batch, &blueprint, &place);
    reset_clock();
    assert_made(batch, names, ARRAY_COUNT(names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_place_has_the_partitions_that_begin_within_two_days),
        cmocka_unit_test(a_new_place_has_the_next_month_when_it_is_near),
        cmocka_unit_test(later_all_that_are_declared_ahead_are_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
