#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tenant/spare.h"

static void without_demand_the_base_is_kept(void **state)
{
    (void)state;
    assert_int_equal(spare_target(4, 64, 0), 4);
    assert_int_equal(spare_target(4, 64, 3), 4);
    assert_int_equal(spare_target(4, 64, 4), 4);
}

static void demand_raises_the_number_up_to_the_bound(void **state)
{
    (void)state;
    assert_int_equal(spare_target(4, 64, 5), 5);
    assert_int_equal(spare_target(4, 64, 64), 64);
    assert_int_equal(spare_target(4, 64, 65), 64);
    assert_int_equal(spare_target(4, 64, INT64_MAX), 64);
}

static void a_base_of_zero_turns_spares_off_whatever_the_demand(void **state)
{
    (void)state;
    assert_int_equal(spare_target(0, 64, 0), 0);
    assert_int_equal(spare_target(0, 64, 1000), 0);
}

static void a_base_above_the_bound_stays_the_base(void **state)
{
    (void)state;
    assert_int_equal(spare_target(100, 64, 0), 100);
    assert_int_equal(spare_target(100, 64, 1000), 100);
    assert_int_equal(spare_target(1, 0, 10), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_demand_the_base_is_kept),
        cmocka_unit_test(demand_raises_the_number_up_to_the_bound),
        cmocka_unit_test(a_base_of_zero_turns_spares_off_whatever_the_demand),
        cmocka_unit_test(a_base_above_the_bound_stays_the_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
