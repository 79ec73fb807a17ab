#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "blueprint/place.h"
#include "core/array.h"
#include "core/strbuf.h"

static const BlueprintMigration migrations[] = {
    {.version = 1, .file = "one", .up = "CREATE TABLE a ()", .down = "DROP TABLE a"},
    {.version = 2, .file = "two", .up = "ALTER TABLE a ADD b int", .down = "SELECT 1;\nSELECT 2"},
    {.version = 2, .file = "two.ext", .extension = "ext", .up = "SELECT 3", .down = "SELECT 4"},
    {.version = 3, .file = "three", .up = "CREATE INDEX i ON a (b)"},
};
static const Blueprint blueprint = {.name = "b",
                                    .version = 3,
                                    .migration_count = ARRAY_COUNT(migrations),
                                    .migrations = migrations};

/* "two 2; one, down 1!": scripts with the number of their statements; "!" when tables may be new.
 */
static const char *way_of(Arena *arena, int64_t from, int64_t to, bool has_extension, Err *err)
{
    PlaceWay way;
    const char *names[] = {"ext"};
    const Extensions extensions = {.count = has_extension ? 1 : 0, .names = names};
    StrBuf list = strbuf_init(arena);
    if (!place_read_way(arena, &blueprint, &extensions, from, to, &way, err)) {
        return NULL;
    }
    for (size_t i = 0; i < way.count; i++) {
        strbuf_printf(&list, "%s%s %zu", i == 0 ? "" : "; ", way.scripts[i].file,
                      way.scripts[i].count);
    }
    strbuf_add(&list, way.has_amends ? "!" : "");
    return list.text;
}

static void a_way_has_the_scripts_between_two_versions_in_their_order(void **state)
{
    (void)state;
    static const struct {
        int64_t from;
        int64_t to;
        bool has_extension;
        const char *way;
    } cases[] = {
        {0, 3, false, "one 1; two 1; three 1!"},
        {1, 3, false, "two 1; three 1"},
        {1, 2, true, "two.ext 1!"},
        {2, 1, false, "two, down 2!"},
        {2, 0, true, "two.ext, down 1; one, down 1!"},
        {1, 0, false, "one, down 1"},
        {3, 3, false, ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        Err err = {0};
        assert_string_equal(way_of(arena, cases[i].from, cases[i].to, cases[i].has_extension, &err),
                            cases[i].way);
    }
}

static void a_way_down_without_its_scripts_is_refused(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    Err err = {0};
    assert_null(way_of(arena, 3, 1, false, &err));
    assert_int_equal(err.code, ERR_NO_WAY_BACK);
    assert_string_equal(err.message,
                        "blueprint \"b\": \"three\" has no down script, so there is no "
                        "way back before version 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_way_has_the_scripts_between_two_versions_in_their_order),
        cmocka_unit_test(a_way_down_without_its_scripts_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
