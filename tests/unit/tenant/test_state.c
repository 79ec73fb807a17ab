#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tenant/state.h"

static void assert_refused(const char *state, TenantState to, const char *message, const char *hint)
{
    const Tenant tenant = {.slug = "acme", .state = state};
    Err err = {0};
    assert_false(tenant_move(NULL, &tenant, to, &err));
    assert_int_equal(err.code, ERR_TENANT_STATE);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
}

static void a_move_that_is_not_allowed_names_where_one_comes_from(void **state)
{
    (void)state;
    assert_refused("archived", TENANT_ACTIVE,
                   "tenant \"acme\" is archived and cannot become active",
                   "a tenant becomes active from provisioning or suspended");
    assert_refused("active", TENANT_PURGED, "tenant \"acme\" is active and cannot become purged",
                   "a tenant becomes purged from archived");
}

static void a_move_to_the_same_state_says_that_it_is_there_already(void **state)
{
    (void)state;
    assert_refused("active", TENANT_ACTIVE, "tenant \"acme\" is active already", "");
}

static void ends_lead_nowhere(void **state)
{
    (void)state;
    for (int to = 0; to < TENANT_STATE_COUNT_; to++) {
        assert_false(tenant_may_move(TENANT_PURGED, (TenantState)to));
        assert_false(tenant_may_move(TENANT_FAILED, (TenantState)to));
    }
}

static void every_state_has_a_name_that_leads_back_to_it(void **state)
{
    (void)state;
    for (int i = 0; i < TENANT_STATE_COUNT_; i++) {
        TenantState found = TENANT_STATE_COUNT_;
        assert_true(tenant_state_from_name(tenant_state_name((TenantState)i), &found));
        assert_int_equal(found, i);
    }
    TenantState unused;
    assert_false(tenant_state_from_name("Active", &unused));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_move_that_is_not_allowed_names_where_one_comes_from),
        cmocka_unit_test(a_move_to_the_same_state_says_that_it_is_there_already),
        cmocka_unit_test(ends_lead_nowhere),
        cmocka_unit_test(every_state_has_a_name_that_leads_back_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
