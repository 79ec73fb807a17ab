#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/array.h"

#include "blueprint/inert.h"

static const struct {
    const char *script;
    ScriptForce force;
} scripts[] = {
    {"ALTER TABLE t ADD COLUMN a text; CREATE INDEX t_a ON t (a)", SCRIPT_CONFINED},
    {"ALTER TABLE t ADD COLUMN a numeric(10, 2) NOT NULL DEFAULT 0, ADD COLUMN b uuid[]",
     SCRIPT_INERT},
    {"CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a DESC, b)", SCRIPT_CONFINED},
    {"ALTER TABLE t ALTER a DROP DEFAULT", SCRIPT_INERT},
    {"ALTER TABLE t ALTER b DROP NOT NULL", SCRIPT_ACTIVE},
    {"DROP INDEX t_a; COMMENT ON TABLE t IS 'x'", SCRIPT_INERT},
    {"ALTER TABLE t ALTER a SET DEFAULT 'x'", SCRIPT_ACTIVE},
    {"ALTER TABLE t ALTER a SET NOT NULL", SCRIPT_ACTIVE},
    {"ALTER TABLE t ADD COLUMN a own_type", SCRIPT_ACTIVE},
    {"ALTER TABLE t ADD COLUMN a other.text", SCRIPT_ACTIVE},
    {"ALTER TABLE t ADD COLUMN a text DEFAULT f()", SCRIPT_ACTIVE},
    {"ALTER TABLE t ADD COLUMN a text DEFAULT 'x'::own_type", SCRIPT_ACTIVE},
    {"ALTER TABLE t ADD COLUMN a text CHECK (a <> '')", SCRIPT_ACTIVE},
    {"ALTER TABLE t ADD COLUMN a bigint GENERATED ALWAYS AS IDENTITY", SCRIPT_ACTIVE},
    {"ALTER TABLE t ADD COLUMN a text UNIQUE", SCRIPT_ACTIVE},
    {"ALTER TABLE t ALTER a TYPE text", SCRIPT_ACTIVE},
    {"ALTER TABLE t DISABLE ROW LEVEL SECURITY", SCRIPT_ACTIVE},
    {"ALTER TABLE t OWNER TO x", SCRIPT_ACTIVE},
    {"ALTER VIEW v ALTER a SET DEFAULT 1", SCRIPT_ACTIVE},
    {"CREATE INDEX ON t (lower(a))", SCRIPT_ACTIVE},
    {"CREATE INDEX ON t (a) WHERE b > 1", SCRIPT_ACTIVE},
    {"CREATE INDEX ON t (a own_ops)", SCRIPT_ACTIVE},
    {"CREATE INDEX ON t USING gist (a)", SCRIPT_ACTIVE},
    {"DROP TABLE t", SCRIPT_ACTIVE},
    {"ALTER TABLE t ADD COLUMN a text; GRANT SELECT ON t TO PUBLIC", SCRIPT_ACTIVE},
    {"DO $$ BEGIN END $$", SCRIPT_ACTIVE},
    {"INSERT INTO t VALUES (1)", SCRIPT_ACTIVE},
    {"CREATE TABLE t (a int)", SCRIPT_ACTIVE},
    {"SELECT 1", SCRIPT_ACTIVE},
    {"ALTER TABLE", SCRIPT_ACTIVE},
};

static void a_script_is_as_harmless_as_its_worst_statement_is_known_to_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(scripts); i++) {
        scoped_arena Arena *arena = arena_new();
        if (script_force(arena, scripts[i].script) != scripts[i].force) {
            fail_msg("%s", scripts[i].script);
        }
    }
}

static void what_makes_no_function_brings_no_code(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    assert_false(script_has_code(arena,
                                 "CREATE TABLE t (a int CHECK (a > 0)); CREATE INDEX ON t (a);"
                                 " CREATE STATISTICS s ON a, (a + 1) FROM t"));
    assert_true(script_has_code(arena, "CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS int"
                                       " LANGUAGE sql AS 'SELECT 1'"));
    assert_true(script_has_code(arena, "DO $$ BEGIN END $$"));
    assert_true(script_has_code(arena, "SELECT 1"));
    assert_true(script_has_code(arena, "CREATE /* or not */ TABLE t (a int)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_is_as_harmless_as_its_worst_statement_is_known_to_be),
        cmocka_unit_test(what_makes_no_function_brings_no_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
