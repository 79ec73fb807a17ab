#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"
#include "tenant/state.h"
#include "tenant/tenant.h"

static void every_state_has_a_name_that_leads_back_to_it(void **state)
{
    (void)state;
    for (int s = 0; s < TENANT_STATE_COUNT_; s++) {
        TenantState found = TENANT_STATE_COUNT_;
        assert_true(tenant_state_from_name(tenant_state_name((TenantState)s), &found));
        assert_int_equal(found, s);
    }
    TenantState found = TENANT_ACTIVE;
    assert_false(tenant_state_from_name("asleep", &found));
    assert_int_equal(found, TENANT_ACTIVE);
}

/* The whole table, written out a second time on purpose. */
static void only_the_moves_of_the_life_cycle_are_allowed(void **state)
{
    (void)state;
    static const struct {
        TenantState from, to;
    } moves[] = {
        {TENANT_REQUESTED, TENANT_PROVISIONING}, {TENANT_REQUESTED, TENANT_FAILED},
        {TENANT_REQUESTED, TENANT_ACTIVE},       {TENANT_PROVISIONING, TENANT_ACTIVE},
        {TENANT_PROVISIONING, TENANT_FAILED},    {TENANT_ACTIVE, TENANT_SUSPENDED},
        {TENANT_ACTIVE, TENANT_DRAINING},        {TENANT_SUSPENDED, TENANT_ACTIVE},
        {TENANT_SUSPENDED, TENANT_DRAINING},     {TENANT_DRAINING, TENANT_ARCHIVED},
        {TENANT_ARCHIVED, TENANT_PURGED},
    };
    for (int from = 0; from < TENANT_STATE_COUNT_; from++) {
        for (int to = 0; to < TENANT_STATE_COUNT_; to++) {
            bool is_listed = false;
            for (size_t i = 0; i < ARRAY_COUNT(moves); i++) {
                is_listed = is_listed || ((int)moves[i].from == from && (int)moves[i].to == to);
            }
            assert_int_equal(tenant_may_move((TenantState)from, (TenantState)to), is_listed);
        }
    }
}

static void a_move_that_is_not_allowed_says_from_where_it_would_be(void **state)
{
    (void)state;
    Tenant tenant = {.id = "x", .slug = "acme", .state = "active"};
    Err err;
    assert_false(tenant_move(NULL, &tenant, TENANT_PURGED, &err));
    assert_int_equal(err.code, ERR_TENANT_STATE);
    assert_string_equal(err.message, "tenant \"acme\" is active and cannot become purged");
    assert_string_equal(err.hint, "a tenant becomes purged from archived");
    assert_false(tenant_move(NULL, &tenant, TENANT_FAILED, &err));
    assert_string_equal(err.hint, "a tenant becomes failed from requested or provisioning");
}

static void a_move_to_the_same_state_says_that_it_is_there_already(void **state)
{
    (void)state;
    Tenant tenant = {.id = "x", .slug = "acme", .state = "active"};
    Err err = {0};
    assert_false(tenant_move(NULL, &tenant, TENANT_ACTIVE, &err));
    assert_int_equal(err.code, ERR_TENANT_STATE);
    assert_string_equal(err.message, "tenant \"acme\" is active already");
    assert_string_equal(err.hint, "");
}

static void names_are_checked_for_length_controls_and_encoding(void **state)
{
    (void)state;
    Err err;
    char long_name[202] = "";
    memset(long_name, 'x', 201);
    static const char *const refused[] = {"",
                                          "   ",
                                          "a\nb",
                                          "a\x1b[2J",
                                          "\xff\xfe",
                                          ("a\xe2\x80\xae"
                                           "b")};
    assert_true(tenant_check_name("Padaria S\xc3\xa3o Jos\xc3\xa9 & Filhos", &err));
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        assert_false(tenant_check_name(refused[i], &err));
        assert_int_equal(err.code, ERR_INPUT_INVALID);
        assert_string_equal(err.message, "name: this is not a name for a tenant");
    }
    assert_false(tenant_check_name(long_name, &err));
    long_name[200] = '\0';
    assert_true(tenant_check_name(long_name, &err));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_has_a_name_that_leads_back_to_it),
        cmocka_unit_test(only_the_moves_of_the_life_cycle_are_allowed),
        cmocka_unit_test(a_move_that_is_not_allowed_says_from_where_it_would_be),
        cmocka_unit_test(a_move_to_the_same_state_says_that_it_is_there_already),
        cmocka_unit_test(names_are_checked_for_length_controls_and_encoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
