#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "blueprint/inert.h"

static const struct {
    const char *script;
    bool is_inert;
} scripts[] = {
    {"ALTER TABLE t ADD COLUMN a text; CREATE INDEX t_a ON t (a)", true},
    {"ALTER TABLE t ADD COLUMN a numeric(10, 2) NOT NULL DEFAULT 0, ADD COLUMN b uuid[]", true},
    {"CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a DESC, b)", true},
    {"ALTER TABLE t ALTER a DROP DEFAULT, ALTER b DROP NOT NULL", true},
    {"DROP INDEX t_a; COMMENT ON TABLE t IS 'x'", true},
    {"ALTER TABLE t ALTER a SET DEFAULT 'x'", false},
    {"ALTER TABLE t ALTER a SET NOT NULL", false},
    {"ALTER TABLE t ADD COLUMN a own_type", false},
    {"ALTER TABLE t ADD COLUMN a other.text", false},
    {"ALTER TABLE t ADD COLUMN a text DEFAULT f()", false},
    {"ALTER TABLE t ADD COLUMN a text DEFAULT 'x'::own_type", false},
    {"ALTER TABLE t ADD COLUMN a text CHECK (a <> '')", false},
    {"ALTER TABLE t ADD COLUMN a bigint GENERATED ALWAYS AS IDENTITY", false},
    {"ALTER TABLE t ADD COLUMN a text UNIQUE", false},
    {"ALTER TABLE t ALTER a TYPE text", false},
    {"ALTER TABLE t DISABLE ROW LEVEL SECURITY", false},
    {"ALTER TABLE t OWNER TO x", false},
    {"ALTER VIEW v ALTER a SET DEFAULT 1", false},
    {"CREATE INDEX ON t (lower(a))", false},
    {"CREATE INDEX ON t (a) WHERE b > 1", false},
    {"CREATE INDEX ON t (a own_ops)", false},
    {"CREATE INDEX ON t USING gist (a)", false},
    {"DROP TABLE t", false},
    {"ALTER TABLE t ADD COLUMN a text; GRANT SELECT ON t TO PUBLIC", false},
    {"DO $$ BEGIN END $$", false},
    {"INSERT INTO t VALUES (1)", false},
    {"CREATE TABLE t (a int)", false},
    {"SELECT 1", false},
    {"ALTER TABLE", false},
};

static void a_script_is_inert_when_all_of_it_is_known_to_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        scoped_arena Arena *arena = arena_new();
        if (script_is_inert(arena, scripts[i].script) != scripts[i].is_inert) {
            fail_msg("%s", scripts[i].script);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_is_inert_when_all_of_it_is_known_to_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
