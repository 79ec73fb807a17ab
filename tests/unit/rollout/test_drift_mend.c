#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rollout/drift_parts.h"

static const Place model = {.schema_name = "trial_0a",
                            .owner_role = "trial_0a_owner",
                            .app_role = "trial_0a_app",
                            .readonly_role = "trial_0a_ro"};
static const Place place = {.schema_name = "tenant_1b",
                            .owner_role = "tenant_1b_owner",
                            .app_role = "tenant_1b_app",
                            .readonly_role = "tenant_1b_ro"};

static const DriftRecipe recipes[] = {
    {"column", "t.a", "ALTER TABLE trial_0a.t ADD COLUMN a text", NULL, "t"},
    {"column", "t.a", "ALTER TABLE trial_0a.t ALTER COLUMN a SET NOT NULL", "2 text", "t"},
    {"function", "f()", "CREATE OR REPLACE FUNCTION trial_0a.f()", "", NULL},
    {"index", "i", "CREATE INDEX i ON trial_0a.t (a)", NULL, "t"},
    {"policy", "t.p", "CREATE POLICY p ON trial_0a.t TO trial_0a_app", NULL, "t"},
    {"table", "t", "ALTER TABLE trial_0a.t ENABLE ROW LEVEL SECURITY", "row security", "t"},
};
static const FingerprintLine expected_lines[] = {{"", "view", "v", ""}};
static const DriftReference reference = {.place = &model,
                                         .lines = expected_lines,
                                         .line_count = 1,
                                         .recipes = recipes,
                                         .recipe_count = sizeof recipes / sizeof *recipes};
static const FingerprintLine lines[] = {{"tenant_1b", "table", "t", ""}};

typedef struct Case {
    const char *kind;
    const char *name;
    const char *expected;
    const char *found;
    const char *mend;
} Case;

static void check(const Case *cases, size_t count, size_t line_count)
{
    scoped_arena Arena *arena = arena_new();
    const DriftContents contents = {.place = &place, .lines = lines, .count = line_count};
    for (size_t i = 0; i < count; i++) {
        const FingerprintLine expected = {"", cases[i].kind, cases[i].name, cases[i].expected};
        const FingerprintLine found = {"", cases[i].kind, cases[i].name, cases[i].found};
        const FingerprintDifference difference = {.expected = cases[i].expected == NULL ? NULL
                                                                                        : &expected,
                                                  .found = cases[i].found == NULL ? NULL : &found};
        const char *mend = drift_mend(arena, &reference, &contents, &difference);
        if (cases[i].mend == NULL) {
            assert_null(mend);
        } else {
            assert_string_equal(mend == NULL ? "" : mend, cases[i].mend);
        }
    }
}
#define CHECK(cases, line_count) check(cases, sizeof cases / sizeof *cases, line_count)

static void what_is_missing_is_made_with_the_names_of_the_place(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"index", "i", "on t", NULL, "CREATE INDEX i ON tenant_1b.t (a)"},
        {"policy", "t.p", "permissive", NULL, "CREATE POLICY p ON tenant_1b.t TO tenant_1b_app"},
        {"column", "t.a", "2 text", NULL, "ALTER TABLE tenant_1b.t ADD COLUMN a text"},
        {"function", "f()", "x", NULL,
         "SET check_function_bodies = off; CREATE OR REPLACE FUNCTION tenant_1b.f(); "
         "RESET check_function_bodies; ALTER ROUTINE \"tenant_1b\".\"f\"() OWNER TO "
         "\"tenant_1b_owner\""},
        {"sequence", "s", "x", NULL, NULL},
        {"table", "t", "row security", NULL, NULL},
    };
    CHECK(cases, 1);
}

static void nothing_is_made_on_a_table_that_is_missing(void **state)
{
    (void)state;
    static const Case cases[] = {{"index", "i", "on t", NULL, NULL},
                                 {"column", "t.a", "2 text", NULL, NULL},
                                 {"grants", "table t", "{app}:SELECT", NULL, NULL}};
    CHECK(cases, 0);
}

static void what_is_too_much_is_dropped_unless_rows_go_with_it(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"index", "x", NULL, "on t", "DROP INDEX IF EXISTS \"tenant_1b\".\"x\""},
        {"constraint", "t.c", NULL, "CHECK (a > 0)",
         "ALTER TABLE \"tenant_1b\".\"t\" DROP CONSTRAINT \"c\""},
        {"constraint", "t.c", NULL, "CHECK (a > 0) inherited", NULL},
        {"trigger", "t.x", NULL, "CREATE TRIGGER", "DROP TRIGGER \"x\" ON \"tenant_1b\".\"t\""},
        {"trigger", "t.x.y", NULL, "CREATE TRIGGER", NULL},
        {"function", "g(a integer)", NULL, "x", "DROP ROUTINE \"tenant_1b\".\"g\"(a integer)"},
        {"column", "t.x", NULL, "3 text", NULL},
        {"table", "x", NULL, "", NULL},
    };
    CHECK(cases, 1);
}

static void what_is_different_is_set_where_that_is_known_to_be_all(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"column", "t.a", "2 text not null", "2 text",
         "ALTER TABLE tenant_1b.t ALTER COLUMN a SET NOT NULL"},
        {"column", "t.a", "2 text not null", "2 text[]", NULL},
        {"column", "t.a", "2 text not null", "2 text identity a", NULL},
        {"index", "i", "on t", "unique on t",
         "DROP INDEX IF EXISTS \"tenant_1b\".\"i\"; CREATE INDEX i ON tenant_1b.t (a)"},
        {"table", "t", "row security", "", "ALTER TABLE tenant_1b.t ENABLE ROW LEVEL SECURITY"},
        {"table", "t", "row security", "row security with {fillfactor=50}", NULL},
    };
    CHECK(cases, 1);
}

static void rights_and_owners_are_given_back(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"grants", "table t", "{app}:INSERT,{app}:SELECT",
         "{app}:DELETE,{app}:SELECT,PUBLIC:SELECT",
         "REVOKE DELETE ON TABLE \"tenant_1b\".\"t\" FROM \"tenant_1b_app\"; REVOKE SELECT ON "
         "TABLE "
         "\"tenant_1b\".\"t\" FROM PUBLIC; GRANT INSERT ON TABLE \"tenant_1b\".\"t\" TO "
         "\"tenant_1b_app\""},
        {"grants", "column t.a", NULL, "{app}:UPDATE",
         "REVOKE UPDATE (\"a\") ON TABLE \"tenant_1b\".\"t\" FROM \"tenant_1b_app\""},
        {"grants", "schema", "{app}:USAGE", "",
         "GRANT USAGE ON SCHEMA \"tenant_1b\" TO \"tenant_1b_app\""},
        {"grants", "table x", NULL, "{app}:SELECT", NULL},
        {"owner", "view v", NULL, "postgres",
         "ALTER VIEW \"tenant_1b\".\"v\" OWNER TO \"tenant_1b_owner\""},
        {"owner", "view extra", NULL, "postgres", NULL}, /* it is dropped */
        {"role", "{app}", "member of g", "bypassrls member of a, g",
         "ALTER ROLE \"tenant_1b_app\" NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB "
         "NOREPLICATION INHERIT; REVOKE \"a\" FROM \"tenant_1b_app\""},
        {"partition grants", "t_2026", NULL, "{app}:TRUNCATE",
         "REVOKE TRUNCATE ON TABLE \"tenant_1b\".\"t_2026\" FROM \"tenant_1b_app\""},
    };
    CHECK(cases, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_made_with_the_names_of_the_place),
        cmocka_unit_test(nothing_is_made_on_a_table_that_is_missing),
        cmocka_unit_test(what_is_too_much_is_dropped_unless_rows_go_with_it),
        cmocka_unit_test(what_is_different_is_set_where_that_is_known_to_be_all),
        cmocka_unit_test(rights_and_owners_are_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
