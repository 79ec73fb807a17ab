#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "blueprint/setting.h"
#include "core/array.h"
#include "pack_fixture.h"

static void a_full_manifest_gives_every_field(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    Blueprint *blueprint = NULL;
    Err err;
    assert_true(load_manifest(
        arena,
        MANIFEST_HEAD
        "description: |\n  Two\n  lines\n"
        "extensions: {wanted: [btree_gin], optional: [timescaledb, uuid-ossp]}\n"
        "plans:\n  basic:\n    title: Basic\n    description: Small\n    features: [a, b]\n"
        "    limits: {max_connections: 25, max_api: unlimited, max_x: 0}\n"
        "    settings: {statement_timeout: 30s, work_mem: 16MB}\n"
        "  pro: {title: Pro, default: true, limits: {max_connections: 50}}\n"
        "shared: [country]\nappend_only: [audit_log]\n"
        "partitions:\n  - {table: trade, column: at, every: month, ahead: 3}\nseed: seed.sql\n",
        &blueprint, &err));
    assert_string_equal(blueprint->name, "shop");
    assert_string_equal(blueprint->title, "A shop");
    assert_string_equal(blueprint->description, "Two\nlines");
    assert_string_equal(blueprint->source, "memory");
    assert_int_equal(blueprint->version, 1);
    assert_int_equal(strlen(blueprint->checksum), 64);
    assert_int_equal(blueprint->tiers[0], TIER_SCHEMA);
    assert_true(blueprint_has_tier(blueprint, TIER_ROW));
    assert_false(blueprint_has_tier(blueprint, TIER_CLUSTER));
    assert_string_equal(blueprint->wanted[0], "btree_gin");
    assert_string_equal(blueprint->optional[1], "uuid-ossp");
    assert_string_equal(blueprint->shared[0], "country");
    assert_string_equal(blueprint->append_only[0], "audit_log");
    assert_string_equal(blueprint->seed, "INSERT INTO item (id) VALUES (1);\n");
    assert_null(blueprint->demo);
    assert_int_equal(blueprint->partitions[0].every, EVERY_MONTH);
    assert_int_equal(blueprint->partitions[0].ahead, 3);
    const BlueprintPlan *basic = blueprint_find_plan(blueprint, "basic");
    assert_string_equal(basic->description, "Small");
    assert_string_equal(basic->features[1], "b");
    assert_true(blueprint_find_limit(basic, "max_api")->is_unlimited);
    assert_int_equal(blueprint_find_limit(basic, "max_connections")->value, 25);
    assert_null(blueprint_find_limit(basic, "max_y"));
    assert_string_equal(basic->settings[1].value, "16MB");
    assert_string_equal(blueprint_find_plan(blueprint, NULL)->name, "pro");
    assert_null(blueprint_find_plan(blueprint, "gold"));
}

static void the_only_plan_is_the_default(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    Blueprint *blueprint = NULL;
    Err err;
    assert_true(load_manifest(arena, MANIFEST_HEAD MANIFEST_PLANS, &blueprint, &err));
    assert_string_equal(blueprint_find_plan(blueprint, NULL)->name, "basic");
}

#define AT "p/blueprint.yaml:"
#define PLAN_OPEN MANIFEST_HEAD "plans:\n  basic:\n    title: B\n" /* 6 lines */
#define LIMITS_OK "    limits: {max_connections: 9}\n"
#define ALL_OK MANIFEST_HEAD MANIFEST_PLANS /* 5 lines */
#define PERSONAL(rest) ALL_OK "personal_data:\n  - {table: a, " rest "}\n"
#define PERSONAL_OK "column: b, category: health, reason: r, keep: 1 day after changed, mask: null"

static const struct {
    const char *manifest;
    const char *message;
} errors[] = {
    {"", AT "1: key \"name\": expected 2 to 31 of a-z, 0-9 and _, beginning with a "
            "letter, found no such key"},
    {"- a\n", AT "1: expected a map (key: value), found a list"},
    {"nmae: x\n", AT "1: key \"nmae\" is not known here"},
    {"name: Shop\n", AT "1: key \"name\": expected 2 to 31 of a-z, 0-9 and _, beginning with a "
                        "letter, found \"Shop\""},
    {"name: s\n", AT "1: key \"name\": expected 2 to 31 of a-z, 0-9 and _, beginning with a "
                     "letter, found \"s\""},
    {"name: [a]\n", AT "1: key \"name\": expected 2 to 31 of a-z, 0-9 and _, beginning with a "
                       "letter, found a list"},
#define KEPT(name)                                                                                 \
    {                                                                                              \
        "name: " name "\n",                                                                        \
            AT "1: key \"name\": \"" name                                                          \
               "\" is a name that PostgreSQL or Tenantry keeps for its own schemas"                \
    }
    KEPT("pg_x"),
    KEPT("public"),
    KEPT("information_schema"),
    KEPT("tenantry"),
    KEPT("tenantry_ext"),
    KEPT("tenantry_audit"),
    KEPT("tenancy"),
    KEPT("tenancy_kept"),
    KEPT("tenancy_next"),
    KEPT("tenant_0123456789ab"),
    KEPT("shared_0123456789ab"),
    {"name: shop\ntitle:\n",
     AT "2: key \"title\": expected one line of 1 to 200 characters, found nothing"},
    {"name: shop\ntitle: \"a\\u202eb\"\n",
     AT "2: key \"title\": expected one line of 1 to 200 characters, found \"a\\xe2\\x80\\xaeb\""},
    {"name: shop\ntitle: T\ndescription: {}\n",
     AT "3: key \"description\": expected a text of 1 to 2000 characters, found an empty map"},
    {"name: shop\ntitle: T\ndescription: \"\\t\"\n",
     AT "3: key \"description\": expected a text of 1 to 2000 characters, found \"\\x09\""},
    {"name: shop\ntitle: T\n", AT "1: key \"tiers\": expected a list of row and schema, the "
                                  "default first, found no such key"},
    {"name: shop\ntitle: T\ntiers: []\n", AT "3: key \"tiers\": expected a list of row and schema, "
                                             "the default first, found an empty list"},
    {"name: shop\ntitle: T\ntiers: [row,\n  table]\n",
     AT "4: key \"tiers[1]\": expected row or schema, found \"table\""},
    {"name: shop\ntitle: T\ntiers: [row, cluster]\n",
     AT "3: key \"tiers[1]\": the tier \"cluster\" is not supported yet"},
    {"name: shop\ntitle: T\ntiers: [row, row]\n",
     AT "3: key \"tiers\": \"row\" is in the list twice"},
    {MANIFEST_HEAD "extensions: [a]\n",
     AT "4: key \"extensions\": expected a map (key: value), found a list"},
    {MANIFEST_HEAD "extensions: {want: [a]}\n", AT "4: key \"want\" is not known here"},
    {MANIFEST_HEAD "extensions: {wanted: [A]}\n",
     AT "4: key \"extensions.wanted[0]\": expected the name of an extension, found \"A\""},
    {MANIFEST_HEAD "extensions: {wanted: [a], optional: [a]}\n",
     AT "4: key \"extensions.optional[0]\": \"a\" is under extensions.wanted too"},
    {MANIFEST_HEAD, AT "1: key \"plans\": expected a map (key: value), found no such key"},
    {MANIFEST_HEAD "plans: {}\n", AT "4: key \"plans\": expected 1 to 100 plans, found 0"},
    {MANIFEST_HEAD "plans:\n  Gold: {}\n",
     AT "5: key \"plans.Gold\": expected a plan's name of 2 to 31 of a-z, 0-9 and _, beginning "
        "with a letter"},
    {MANIFEST_HEAD "plans:\n  basic: 1\n",
     AT "5: key \"plans.basic\": expected a map (key: value), found \"1\""},
    {MANIFEST_HEAD "plans:\n  basic: {limit: 1}\n", AT "5: key \"limit\" is not known here"},
    {MANIFEST_HEAD "plans:\n  basic: {limits: {max_connections: 9}}\n",
     AT "5: key \"plans.basic.title\": expected one line of 1 to 200 characters, found no such "
        "key"},
    {PLAN_OPEN LIMITS_OK "    default: yes\n",
     AT "8: key \"plans.basic.default\": expected true or false, found \"yes\""},
    {PLAN_OPEN LIMITS_OK "    features: a\n",
     AT "8: key \"plans.basic.features\": expected a list, each a feature's name of a-z, 0-9 and "
        "_, found \"a\""},
    {PLAN_OPEN LIMITS_OK "    features: [a-b]\n",
     AT "8: key \"plans.basic.features[0]\": expected a feature's name of a-z, 0-9 and _, found "
        "\"a-b\""},
    {PLAN_OPEN, AT "6: key \"plans.basic.limits\": expected a map (key: value), found no such key"},
    {PLAN_OPEN "    limits: {a: 1}\n", AT "7: key \"plans.basic.limits.max_connections\": expected "
                                          "a whole number from 2 to 10000, found no such key"},
    {PLAN_OPEN "    limits: {max_connections: unlimited}\n",
     AT "7: key \"plans.basic.limits.max_connections\": expected a whole number from 2 to 10000, "
        "found \"unlimited\""},
    {PLAN_OPEN "    limits: {max_connections: 1}\n",
     AT "7: key \"plans.basic.limits.max_connections\": expected a whole number from 2 to 10000, "
        "found \"1\""},
    {PLAN_OPEN "    limits: {max_connections: \"9\"}\n",
     AT "7: key \"plans.basic.limits.max_connections\": expected a whole number from 2 to 10000, "
        "found \"9\""},
    {PLAN_OPEN "    limits: {a: -1}\n", AT "7: key \"plans.basic.limits.a\": expected a whole "
                                           "number from 0, or the word unlimited, found \"-1\""},
    {PLAN_OPEN "    limits: {a: [1]}\n", AT "7: key \"plans.basic.limits.a\": expected a whole "
                                            "number from 0, or the word unlimited, found a list"},
    {PLAN_OPEN "    limits: {a b: 1}\n",
     AT "7: key \"plans.basic.limits.a b\": expected a limit's name of a-z, 0-9 and _"},
    {PLAN_OPEN LIMITS_OK "    settings: {log_statement: all}\n",
     AT "8: key \"log_statement\" is not known here"},
    {PLAN_OPEN LIMITS_OK "    settings: {work_mem: 1kB}\n",
     AT "8: key \"plans.basic.settings.work_mem\": expected a size from 64 to 2147483647 kB, such "
        "as 16MB, found \"1kB\""},
    {PLAN_OPEN LIMITS_OK "    settings: {lock_timeout: [1]}\n",
     AT "8: key \"plans.basic.settings.lock_timeout\": expected a time from 0 to 2147483647 ms, "
        "such as 30s or 5min, found a list"},
    {MANIFEST_PLANS "  pro: {title: P, limits: {max_connections: 9}}\n" MANIFEST_HEAD,
     AT "2: key \"plans\": expected one plan with default: true, found 0"},
    {MANIFEST_HEAD "plans:\n  aa: {title: A, default: true, limits: {max_connections: 9}}\n"
                   "  bb: {title: B, default: true, limits: {max_connections: 9}}\n",
     AT "5: key \"plans\": expected one plan with default: true, found 2"},
    {ALL_OK "shared: country\n",
     AT "6: key \"shared\": expected a list, each the name of a table, found \"country\""},
    {ALL_OK "shared: [a.b]\n",
     AT "6: key \"shared[0]\": expected the name of a table, found \"a.b\""},
    {ALL_OK "append_only: [a, b, a]\n", AT "6: key \"append_only\": \"a\" is in the list twice"},
    {ALL_OK "partitions: {}\n", AT "6: key \"partitions\": expected a list of maps (table, column, "
                                   "every, ahead), found an empty map"},
    {ALL_OK "partitions:\n  - {tabel: a}\n", AT "7: key \"tabel\" is not known here"},
    {ALL_OK "partitions:\n  - {table: a, column: B}\n",
     AT "7: key \"partitions[0].column\": expected the name of a column, found \"B\""},
    {ALL_OK "partitions:\n  - {table: a, column: b, every: hour}\n",
     AT "7: key \"partitions[0].every\": expected day, week, month or year, found \"hour\""},
    {ALL_OK "partitions:\n  - {table: a, column: b, every: day, ahead: 367}\n",
     AT "7: key \"partitions[0].ahead\": expected a whole number from 1 to 366, found \"367\""},
    {ALL_OK "partitions:\n  - &p {table: a, column: b, every: day, ahead: 1}\n",
     AT "7: anchors (&name) are not allowed; write the value out"},
    {ALL_OK "partitions:\n  - {table: a, column: b, every: day, ahead: 1}\n"
            "  - {table: a, column: c, every: day, ahead: 1}\n",
     AT "8: key \"partitions[1]\": table \"a\" is in the list twice"},
    {ALL_OK "personal_data: {}\n",
     AT "6: key \"personal_data\": expected a list of maps (table, column, category, reason, keep, "
        "mask), found an empty map"},
    {PERSONAL("colum: b"), AT "7: key \"colum\" is not known here"},
    {PERSONAL("column: b"), AT "7: key \"personal_data[0].category\": expected identity, contact, "
                               "financial, location, health, credential, behaviour or document, "
                               "found no such key"},
    {PERSONAL("column: b, category: contact, reason: \"\""),
     AT "7: key \"personal_data[0].reason\": expected one line of 1 to 200 characters, found "
        "nothing"},
    {PERSONAL("column: b, category: contact, reason: r, keep: for ever"),
     AT "7: key \"personal_data[0].keep\": expected a time such as \"5 years after closed\", or "
        "\"until closed\" (or after recorded, changed, dropped), found \"for ever\""},
    {PERSONAL("column: b, category: contact, reason: r, keep: until closed, mask: x"),
     AT "7: key \"personal_data[0].mask\": expected none, hash, partial, email, phone, null or "
        "fixed, found \"x\""},
    {PERSONAL(PERSONAL_OK "}\n  - {table: a, " PERSONAL_OK),
     AT "8: key \"personal_data[1]\": column \"b\" of \"a\" is in the list twice"},
    {ALL_OK "seed: ../x.sql\n", AT "6: key \"seed\": expected the name of a .sql file in the "
                                   "folder, found \"../x.sql\""},
    {ALL_OK "demo: demo.txt\n", AT "6: key \"demo\": expected the name of a .sql file in the "
                                   "folder, found \"demo.txt\""},
    {ALL_OK "demo: none.sql\n", "p/none.sql: the file is missing"},
};

static void every_manifest_error_names_file_line_and_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(errors); i++) {
        scoped_arena Arena *arena = arena_new();
        Blueprint *blueprint = NULL;
        Err err = {0};
        assert_false(load_manifest(arena, errors[i].manifest, &blueprint, &err));
        assert_int_equal(err.code, ERR_BLUEPRINT_INVALID);
        assert_string_equal(err.message, errors[i].message);
        assert_null(blueprint);
    }
}

static void an_unknown_key_comes_with_what_was_meant(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    Blueprint *blueprint = NULL;
    Err err;
    assert_false(load_manifest(arena, PLAN_OPEN LIMITS_OK "    settings: {workmem: 1MB}\n",
                               &blueprint, &err));
    assert_string_equal(err.message, AT "8: key \"workmem\" is not known here");
    assert_string_equal(err.hint, "did you mean \"work_mem\"?");
}

static void the_time_of_keeping_is_a_duration_after_an_event(void **state)
{
    (void)state;
    static const struct {
        const char *keep;
        bool is_accepted;
    } cases[] = {
        {"until closed", true},
        {"until dropped", true},
        {"1 day after recorded", true},
        {"1000 weeks after changed", true},
        {"5 years after closed", true},
        {"until tomorrow", false},
        {"until", false},
        {"0 days after closed", false},
        {"-1 days after closed", false},
        {"1001 days after closed", false},
        {"5 decades after closed", false},
        {"5 years after  closed", false},
        {"5 years", false},
        {"5 years after", false},
        {"5 years after birth", false},
        {"years after closed", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        Blueprint *blueprint = NULL;
        Err err;
        const char *manifest = arena_printf(
            arena,
            ALL_OK "personal_data:\n  - {table: a, column: b, category: contact, reason: r, "
                   "mask: none, keep: %s}\n",
            cases[i].keep);
        assert_int_equal(load_manifest(arena, manifest, &blueprint, &err), cases[i].is_accepted);
        assert_true(!cases[i].is_accepted ||
                    strcmp(blueprint->personal[0].keep, cases[i].keep) == 0);
    }
}

static void settings_are_read_as_postgresql_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *value;
        bool is_accepted;
    } cases[] = {
        {"statement_timeout", "30s", true},
        {"statement_timeout", "1.5 min", true},
        {"statement_timeout", "0", true},
        {"statement_timeout", "24d", true},
        {"statement_timeout", "25d", false},
        {"statement_timeout", "-1", false},
        {"statement_timeout", "30S", false},
        {"statement_timeout", "1.2.3s", false},
        {"statement_timeout", "", false},
        {"statement_timeout", "s", false},
        {"statement_timeout", "30s ", false},
        {"work_mem", "64", true},
        {"work_mem", "63", false},
        {"work_mem", "64kB", true},
        {"work_mem", "64KB", false},
        {"work_mem", "2TB", false},
        {"temp_buffers", "800kB", true},
        {"temp_buffers", "799kB", true},
        {"temp_buffers", "790kB", false},
        {"temp_buffers", "100", true},
        {"max_parallel_workers", "1024", true},
        {"max_parallel_workers", "1025", false},
        {"max_parallel_workers", "1MB", false},
        {"jit", "OFF", true},
        {"jit", "maybe", false},
        {"jit", "", false},
        {"synchronous_commit", "local", true},
        {"synchronous_commit", "lo", false},
        {"default_transaction_isolation", "repeatable read", true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const Setting *setting = setting_find(cases[i].name);
        assert_non_null(setting);
        assert_int_equal(setting_accepts(setting, cases[i].value), cases[i].is_accepted);
    }
    assert_null(setting_find("search_path"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_manifest_gives_every_field),
        cmocka_unit_test(the_only_plan_is_the_default),
        cmocka_unit_test(every_manifest_error_names_file_line_and_key),
        cmocka_unit_test(an_unknown_key_comes_with_what_was_meant),
        cmocka_unit_test(the_time_of_keeping_is_a_duration_after_an_event),
        cmocka_unit_test(settings_are_read_as_postgresql_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
