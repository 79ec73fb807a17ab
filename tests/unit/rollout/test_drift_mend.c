#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"

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
    {"column default", "t.a", "ALTER TABLE trial_0a.t ALTER COLUMN a DROP DEFAULT", "2 text", "t"},
    {"column not null", "t.a", "ALTER TABLE trial_0a.t ALTER COLUMN a SET NOT NULL", "2 text", "t"},
    {"column statistics", "t.a", "ALTER TABLE trial_0a.t ALTER COLUMN a SET STATISTICS -1",
     "2 text", "t"},
    {"column storage", "t.a", "ALTER TABLE trial_0a.t ALTER COLUMN a SET STORAGE MAIN", "2 text",
     "t"},
    {"function", "f()", "CREATE OR REPLACE FUNCTION trial_0a.f()", "", NULL},
    {"index", "i", "CREATE INDEX i ON trial_0a.t (a)", NULL, "t"},
    {"policy", "t.p", "CREATE POLICY p ON trial_0a.t TO trial_0a_app", NULL, "t"},
    {"table", "t", "ALTER TABLE trial_0a.t ENABLE ROW LEVEL SECURITY", "row security", "t"},
    {"column default", "v.a", "ALTER VIEW trial_0a.v ALTER COLUMN a SET DEFAULT 1", "1 integer",
     "v"},
    {"column default", "v.b", "ALTER VIEW trial_0a.v ALTER COLUMN b DROP DEFAULT", "2 integer",
     "v"},
    {"comment", "view v", "COMMENT ON VIEW trial_0a.v IS 'v'", NULL, "v"},
    {"rule", "v.r", "CREATE RULE r AS ON DELETE TO trial_0a.v DO INSTEAD NOTHING", NULL, "v"},
    {"rule", "v.s", "CREATE RULE s AS ON UPDATE TO trial_0a.v DO INSTEAD NOTHING", NULL, "v"},
    {"trigger", "v.g", "CREATE TRIGGER g INSTEAD OF INSERT ON trial_0a.v", NULL, "v"},
    {"trigger", "v.h", "CREATE TRIGGER h INSTEAD OF UPDATE ON trial_0a.v", NULL, "v"},
    {"view", "v", "CREATE OR REPLACE VIEW trial_0a.v", "", NULL},
};
static const FingerprintLine expected_lines[] = {
    {"", "column", "v.a", "1 integer default 1"},
    {"", "column", "v.b", "2 integer"},
    {"", "comment", "view v", "'v'"},
    {"", "function", "h(a amount)", ""},
    {"", "grants", "column v.a", "{app}:UPDATE"},
    {"", "grants", "view v", "{app}:SELECT"},
    {"", "rule", "v.r", "on delete"},
    {"", "rule", "v.s", "on update"},
    {"", "trigger", "v.g", "on insert"},
    {"", "trigger", "v.h", "on update"},
    {"", "view", "v", ""},
};
static const DriftLevel expected_levels[] = {
    {"function", "f()", 0, "trial_0a.f()"},
    {"function", "h(a amount)", 0, "trial_0a.h(trial_0a.amount)"},
};
static const DriftLevel levels[] = {
    {"function", "g(a amount)", 0, "tenant_1b.g(tenant_1b.amount)"},
};
static const DriftReference reference = {.place = &model,
                                         .lines = expected_lines,
                                         .line_count = sizeof expected_lines /
                                                       sizeof *expected_lines,
                                         .recipes = recipes,
                                         .recipe_count = ARRAY_COUNT(recipes),
                                         .levels = {expected_levels, 2}};

/* The table alone, or all of it: a view of which a rule is different and a trigger is missing. */
enum { NOTHING = 0, TABLE = 1, ALL = 9 };
static const FingerprintLine lines[ALL] = {
    {"tenant_1b", "table", "t", ""},
    {"tenant_1b", "column", "v.a", "1 integer default 1"},
    {"tenant_1b", "column", "v.b", "2 integer"},
    {"tenant_1b", "column", "v.c", "3 integer"},
    {"tenant_1b", "comment", "view v", "'v'"},
    {"tenant_1b", "rule", "v.r", "on delete"},
    {"tenant_1b", "rule", "v.s", "on insert"},
    {"tenant_1b", "trigger", "v.g", "on insert"},
    {"tenant_1b", "view", "v", "more"},
};

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
    const DriftContents contents = {
        .place = &place, .lines = lines, .count = line_count, .levels = {levels, 1}};
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
#define CHECK(cases, line_count) check(cases, ARRAY_COUNT(cases), line_count)

static void what_is_missing_is_made_with_the_names_of_the_place(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"index", "i", "on t", NULL, "CREATE INDEX i ON tenant_1b.t (a)"},
        {"policy", "t.p", "permissive", NULL, "CREATE POLICY p ON tenant_1b.t TO tenant_1b_app"},
        {"column", "t.a", "2 text", NULL, "ALTER TABLE tenant_1b.t ADD COLUMN a text"},
        {"function", "f()", "x", NULL,
         "SET check_function_bodies = off; CREATE OR REPLACE FUNCTION tenant_1b.f(); "
         "RESET check_function_bodies; ALTER ROUTINE tenant_1b.f() OWNER TO "
         "\"tenant_1b_owner\""},
        {"sequence", "s", "x", NULL, NULL},
        {"table", "t", "row security", NULL, NULL},
    };
    CHECK(cases, TABLE);
}

static void nothing_is_made_on_a_table_that_is_missing(void **state)
{
    (void)state;
    static const Case cases[] = {{"index", "i", "on t", NULL, NULL},
                                 {"column", "t.a", "2 text", NULL, NULL},
                                 {"grants", "table t", "{app}:SELECT", NULL, NULL}};
    CHECK(cases, NOTHING);
}

static void what_is_too_much_is_dropped_unless_rows_go_with_it(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"index", "x", NULL, "on t", "DROP INDEX IF EXISTS \"tenant_1b\".\"x\""},
        {"constraint", "t.c", NULL, "CHECK (a > 0)",
         "ALTER TABLE \"tenant_1b\".\"t\" DROP CONSTRAINT \"c\""},
        {"constraint", "t.c", NULL, "CHECK (a > 0) inherited", NULL},
        {"trigger", "t.x", NULL, "CREATE TRIGGER",
         "DROP TRIGGER IF EXISTS \"x\" ON \"tenant_1b\".\"t\""},
        {"trigger", "t.x.y", NULL, "CREATE TRIGGER", NULL},
        {"function", "g(a amount)", NULL, "x", "DROP ROUTINE tenant_1b.g(tenant_1b.amount)"},
        {"function", "unknown()", NULL, "x", NULL},
        {"column", "t.x", NULL, "3 text", NULL},
        {"table", "x", NULL, "", NULL},
    };
    CHECK(cases, TABLE);
}

static void what_is_different_is_set_where_that_is_known_to_be_all(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"column", "t.a", "2 text not null", "2 text",
         "ALTER TABLE tenant_1b.t ALTER COLUMN a SET NOT NULL"},
        {"column", "t.a", "2 text not null", "2 text[]", NULL},
        {"column", "t.a", "2 text not null", "2 text identity a", NULL},
        {"column", "t.a", "2 text not null", "2 text collate \"C\"", NULL},
        {"column", "t.a", "2 text", "2 text generated s x", NULL},
        {"column", "t.a", "2 text inherited", "2 text", NULL},
        {"column", "t.a", "2 text storage m", "2 text default now()::timestamp with time zone",
         "ALTER TABLE tenant_1b.t ALTER COLUMN a DROP DEFAULT; "
         "ALTER TABLE tenant_1b.t ALTER COLUMN a SET STORAGE MAIN"},
        {"column", "t.a", "2 text not null default ' storage e'::text storage m",
         "2 text not null default ' storage e'::text statistics 5 inherited", NULL},
        {"column", "t.a", "2 text not null default ' storage e'::text storage m with n_distinct=5",
         "2 text not null default ' storage e'::text statistics 5 with n_distinct=5",
         "ALTER TABLE tenant_1b.t ALTER COLUMN a SET STORAGE MAIN; "
         "ALTER TABLE tenant_1b.t ALTER COLUMN a SET STATISTICS -1"},
        {"index", "i", "on t", "unique on t",
         "DROP INDEX IF EXISTS \"tenant_1b\".\"i\"; CREATE INDEX i ON tenant_1b.t (a)"},
        {"table", "t", "row security", "", "ALTER TABLE tenant_1b.t ENABLE ROW LEVEL SECURITY"},
        {"table", "t", "row security", "row security with {fillfactor=50}", NULL},
    };
    CHECK(cases, TABLE);
}

static void a_view_that_is_made_anew_keeps_what_is_on_it(void **state)
{
    (void)state;
    static const Case anew[] = {
        {"view", "v", "", "more",
         "DROP VIEW \"tenant_1b\".\"v\"; CREATE OR REPLACE VIEW tenant_1b.v; "
         "ALTER VIEW \"tenant_1b\".\"v\" OWNER TO \"tenant_1b_owner\"; "
         "ALTER VIEW tenant_1b.v ALTER COLUMN a SET DEFAULT 1; "
         "GRANT UPDATE (\"a\") ON TABLE \"tenant_1b\".\"v\" TO \"tenant_1b_app\"; "
         "REVOKE ALL ON TABLE \"tenant_1b\".\"v\" FROM PUBLIC; "
         "GRANT SELECT ON TABLE \"tenant_1b\".\"v\" TO \"tenant_1b_app\"; "
         "CREATE TRIGGER g INSTEAD OF INSERT ON tenant_1b.v; "
         "CREATE RULE r AS ON DELETE TO tenant_1b.v DO INSTEAD NOTHING; "
         "COMMENT ON VIEW tenant_1b.v IS 'v'"},
        {"trigger", "v.h", "on update", NULL, "CREATE TRIGGER h INSTEAD OF UPDATE ON tenant_1b.v"},
        {"rule", "v.s", "on update", "on insert",
         "DROP RULE IF EXISTS \"s\" ON \"tenant_1b\".\"v\"; "
         "CREATE RULE s AS ON UPDATE TO tenant_1b.v DO INSTEAD NOTHING"},
        {"grants", "column v.c", NULL, "{app}:UPDATE", NULL}, /* the column goes with the view */
    };
    static const Case replaced[] = {
        {"view", "v", "", "other",
         "CREATE OR REPLACE VIEW tenant_1b.v; "
         "ALTER VIEW tenant_1b.v ALTER COLUMN a SET DEFAULT 1"},
    };
    CHECK(anew, ALL);
    CHECK(replaced, TABLE);
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
        {"grants", "function total(a integer)", "{app}:EXECUTE", NULL, NULL}, /* an aggregate */
        {"grants", "table x", NULL, "{app}:SELECT", NULL},
        {"grants", "function h(a amount)", "{app}:EXECUTE", "{app}:EXECUTE,PUBLIC:EXECUTE",
         "REVOKE EXECUTE ON ROUTINE tenant_1b.h(tenant_1b.amount) FROM PUBLIC"},
        {"owner", "function h(a amount)", NULL, "postgres",
         "ALTER ROUTINE tenant_1b.h(tenant_1b.amount) OWNER TO \"tenant_1b_owner\""},
        {"owner", "view v", NULL, "postgres",
         "ALTER VIEW \"tenant_1b\".\"v\" OWNER TO \"tenant_1b_owner\""},
        {"owner", "view extra", NULL, "postgres", NULL}, /* it is dropped */
        {"role", "{app}", "member of g", "bypassrls member of a, g",
         "ALTER ROLE \"tenant_1b_app\" NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB "
         "NOREPLICATION INHERIT; REVOKE \"a\" FROM \"tenant_1b_app\""},
        {"partition grants", "t_2026", NULL, "{app}:TRUNCATE",
         "REVOKE TRUNCATE ON TABLE \"tenant_1b\".\"t_2026\" FROM \"tenant_1b_app\""},
    };
    CHECK(cases, TABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_made_with_the_names_of_the_place),
        cmocka_unit_test(nothing_is_made_on_a_table_that_is_missing),
        cmocka_unit_test(what_is_too_much_is_dropped_unless_rows_go_with_it),
        cmocka_unit_test(what_is_different_is_set_where_that_is_known_to_be_all),
        cmocka_unit_test(a_view_that_is_made_anew_keeps_what_is_on_it),
        cmocka_unit_test(rights_and_owners_are_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
