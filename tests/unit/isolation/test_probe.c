#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"
#include "isolation/probe_parts.h"
#include "pg/sql_parse.h"

static const ProbeTenant ours = {.id = "11111111-1111-1111-1111-111111111111",
                                 .slug = "ours",
                                 .schema = "our place",
                                 .app_group = "group_app",
                                 .readonly_group = "group_ro",
                                 .app = "our_app",
                                 .readonly = "our_ro"};
static const ProbeTenant theirs = {.id = "22222222-2222-2222-2222-222222222222", .slug = "theirs"};

static const ProbeColumn columns[] = {{.name = "at", .value = "now", .is_time = true},
                                      {.name = "na\"me", .value = "it's"}};

/* Whether a kind is there whoever the neighbours are. */
static bool is_control(int on)
{
    return on == ON_CONTROL_FUNCTION || on == ON_CONTROL_TABLE || on == ON_CONNECTION_LIMIT ||
           on == ON_PLAN_SETTING || on == ON_POWER_ROLE;
}

/* One target of each kind, with names that must be quoted. */
static ProbeTargets every_kind(Arena *arena, bool has_neighbour)
{
    ProbeTargets targets = {.arena = arena};
    for (int on = ON_NOTHING + 1; on < ON_COUNT_; on++) {
        if (is_control(on) == has_neighbour) {
            continue;
        }
        probe_add_target(&targets, &(ProbeTarget){.on = (ProbeOn)on,
                                                  .schema = "their place",
                                                  .name = "a\"b;c'd",
                                                  .number = 4711,
                                                  .arguments = 2,
                                                  .column = "x y",
                                                  .canary = columns,
                                                  .canary_count = 2});
    }
    probe_sort_targets(&targets);
    targets.canary = has_neighbour ? &targets.list[targets.first[ON_SHARED_TABLE]] : NULL;
    return targets;
}

static ProbeSession session_of(bool is_readonly)
{
    return (ProbeSession){.tenant = &ours,
                          .role = is_readonly ? ours.readonly : ours.app,
                          .is_readonly = is_readonly,
                          .control_pid = 42};
}

static void assert_one_statement(Arena *arena, const char *sql)
{
    SqlScript script = {0};
    Err err;
    if (!sql_script_parse(arena, "attempt", sql, ERR_INTERNAL, &script, &err)) {
        fail_msg("%s: %s", sql, err.message);
    }
    assert_int_equal(script.count, 1);
    sql_script_done(&script);
}

static void every_attempt_is_one_statement_that_parses(void **state)
{
    (void)state;
    for (int round = 0; round < 4; round++) {
        scoped_arena Arena *arena = arena_new();
        const ProbeSession session = session_of(round % 2 == 1);
        const ProbeTargets targets = every_kind(arena, round < 2);
        ProbeAttempts attempts;
        probe_make_attempts(arena, &session, round < 2 ? &theirs : NULL, &targets, &attempts);
        assert_true(attempts.count > 20);
        for (size_t i = 0; i < attempts.count; i++) {
            assert_one_statement(arena, attempts.list[i].sql);
            if (attempts.list[i].call != NULL) {
                assert_one_statement(arena, attempts.list[i].call);
            }
            if (attempts.list[i].may != NULL) {
                assert_one_statement(arena, attempts.list[i].may);
            }
            for (const char *const *sql = attempts.list[i].setup; *sql != NULL; sql++) {
                assert_one_statement(arena, *sql);
            }
        }
    }
}

static void every_attempt_belongs_to_a_probe_and_every_probe_has_one(void **state)
{
    (void)state;
    size_t count = 0;
    const IsolationCheck *checks = isolation_checks(&count);
    for (size_t k = 0; k < probe_kind_count; k++) {
        const IsolationCheck *check = isolation_find_check(probe_kinds[k].probe);
        assert_non_null(check);
        assert_true(check->is_probe);
    }
    for (size_t i = 0; i < count; i++) {
        size_t attempts = strcmp(checks[i].id, "probe_pool") == 0 || /* their own code tries */
                          strcmp(checks[i].id, "probe_shared_key") == 0;
        for (size_t k = 0; k < probe_kind_count && checks[i].is_probe; k++) {
            attempts += strcmp(checks[i].id, probe_kinds[k].probe) == 0;
        }
        if (checks[i].is_probe && attempts == 0) {
            fail_msg("nothing is tried for \"%s\"", checks[i].id);
        }
    }
}

static void letters_of_attempts_are_known_and_as_many_as_places(void **state)
{
    (void)state;
    for (size_t k = 0; k < probe_kind_count; k++) {
        const ProbeKind *kind = &probe_kinds[k];
        size_t places = 0;
        for (const char *c = strstr(kind->sql, "{}"); c != NULL; c = strstr(c + 2, "{}")) {
            places++;
        }
        if (*kind->args == '!' || *kind->args == '+') {
            assert_int_equal(places, 0);
            continue;
        }
        assert_int_equal(strspn(kind->args, "0CNRSTabcnopqs"), strlen(kind->args));
        assert_int_equal(places, strlen(kind->args));
        assert_int_equal(strspn(kind->setup, "=cdfgijklmoprstuvwxyz"), strlen(kind->setup));
    }
}

static void outcomes_are_judged_by_what_was_expected(void **state)
{
    (void)state;
    static const struct {
        ProbeGood good;
        const char *also;
        const char *past;
        char phase;
        const char *sqlstate;
        int64_t rows;
        ProbeVerdict verdict;
    } cases[] = {
        {REFUSED, "", "", 's', "42501", 0, PROBE_HELD},
        {REFUSED, "", "", 'd', "TNROL", 0, PROBE_BROKEN},
        {NO_ROWS, "", "", 'd', "TNROL", 0, PROBE_HELD},
        {NO_ROWS, "", "", 'd', "TNROL", 1, PROBE_BROKEN},
        {NO_ROWS, "", "", 's', "42501", 0, PROBE_HELD},
        {PASSES, "", "55P03", 'd', "TNROL", 1, PROBE_HELD},
        {PASSES, "", "55P03", 's', "55P03", 0, PROBE_BROKEN},
        {PASSES, "", "55P03", 'u', "55P03", 0, PROBE_UNKNOWN},
        {NO_ROWS, "", "", 'u', "42501", 0, PROBE_HELD},
        {REFUSED, "", "", 's', "23502", 0, PROBE_BROKEN},
        {REFUSED, "", "", 'u', "23502", 0, PROBE_UNKNOWN},
        {REFUSED, "", "", 's', "55P03", 0, PROBE_UNKNOWN},
        {REFUSED, "", "55P03", 's', "55P03", 0, PROBE_UNKNOWN},
        {REFUSED, "", "55P03", 'r', "55P03", 0, PROBE_BROKEN},
        {REFUSED, "", "", 'r', "55P03", 0, PROBE_UNKNOWN},
        {REFUSED, "3F000", "", 's', "3F000", 0, PROBE_HELD},
        {REFUSED, "", "*", 's', "22004", 0, PROBE_BROKEN},
        {REFUSED, "", "*", 's', "42883", 0, PROBE_UNKNOWN},
        {REFUSED, "", "*", 0, "", 0, PROBE_UNKNOWN},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const ProbeKind kind = {
            .good = cases[i].good, .also = cases[i].also, .past = cases[i].past};
        ProbeAttempt attempt = {.kind = &kind, .phase = cases[i].phase, .rows = cases[i].rows};
        snprintf(attempt.sqlstate, sizeof attempt.sqlstate, "%s", cases[i].sqlstate);
        assert_int_equal(probe_judge(&attempt), cases[i].verdict);
    }
}

static void what_is_described_has_no_value_of_a_row(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const ProbeSession session = session_of(false);
    const ProbeTargets targets = every_kind(arena, true);
    ProbeAttempts attempts;
    probe_make_attempts(arena, &session, &theirs, &targets, &attempts);
    for (size_t i = 0; i < attempts.count; i++) {
        const char *text = probe_describe(arena, &session, &attempts.list[i]);
        assert_null(strstr(text, "it''s"));
        assert_non_null(strstr(text, "our_app"));
    }
}

static void a_row_that_is_held_and_the_one_beside_it_differ_in_the_tenant_alone(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const ProbeSession session = session_of(false);
    ProbeTargets targets = every_kind(arena, true);
    const char **holds = NULL;
    ProbeAttempts attempts;
    targets.takers = &targets.canary;
    targets.taker_count = 1;
    probe_make_key_attempts(arena, &session, &theirs, &targets, &holds, &attempts);
    assert_int_equal(attempts.count, 1);
    assert_one_statement(arena, holds[0]);
    assert_one_statement(arena, attempts.list[0].sql);
    assert_null(strstr(holds[0], ours.id));
    char *tenant = strstr(arena_strdup(arena, holds[0]), theirs.id);
    assert_non_null(tenant);
    const size_t before = strlen(holds[0]) - strlen(tenant);
    assert_memory_equal(holds[0], attempts.list[0].sql, before);
    assert_memory_equal(attempts.list[0].sql + before, ours.id, strlen(ours.id));
    assert_string_equal(tenant + strlen(theirs.id),
                        attempts.list[0].sql + before + strlen(ours.id));
    assert_null(strstr(probe_describe(arena, &session, &attempts.list[0]), "it''s"));
}

static void the_sql_of_the_probes_parses(void **state)
{
    (void)state;
    static const char *const names[] = {
        "probe_control.sql",    "probe_driver.sql",  "probe_hold.sql",    "probe_large_objects.sql",
        "probe_neighbours.sql", "probe_targets.sql", "probe_tenants.sql", "probe_watch.sql"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        scoped_arena Arena *arena = arena_new();
        assert_one_statement(arena, probe_sql(names[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_attempt_is_one_statement_that_parses),
        cmocka_unit_test(every_attempt_belongs_to_a_probe_and_every_probe_has_one),
        cmocka_unit_test(letters_of_attempts_are_known_and_as_many_as_places),
        cmocka_unit_test(outcomes_are_judged_by_what_was_expected),
        cmocka_unit_test(what_is_described_has_no_value_of_a_row),
        cmocka_unit_test(a_row_that_is_held_and_the_one_beside_it_differ_in_the_tenant_alone),
        cmocka_unit_test(the_sql_of_the_probes_parses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
