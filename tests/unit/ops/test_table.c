#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/builtin.h"
#include "cli/catalog.h"
#include "core/text.h"

static const Catalog *real_catalog(Arena *arena)
{
    size_t op_count = 0;
    size_t builtin_count = 0;
    const Operation *const *ops = op_table(&op_count);
    const Operation *builtins = builtin_table(&builtin_count);
    return catalog_new(arena, ops, op_count, builtins, builtin_count);
}

/* Whether a command line is of this command. */
static bool is_of(const char *line, const CliCommand *command)
{
    if (!text_begins_with(line, command->words)) {
        return false;
    }
    const char end = line[strlen(command->words)];
    return end == '\0' || end == ' ';
}

static void every_operation_has_an_example_of_itself(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const Catalog *catalog = real_catalog(arena);
    for (size_t i = 0; i < catalog->count; i++) {
        const CliCommand *command = &catalog->commands[i];
        const OpExample *example = command->op->examples;
        if (example == NULL || example->command == NULL) {
            fail_msg("\"%s\" has no example", command->words);
            return;
        }
        for (; example->command != NULL; example++) {
            if (!is_of(example->command, command) || *example->what == '\0') {
                fail_msg("\"%s\" is no example of \"%s\"", example->command, command->words);
            }
        }
    }
}

static bool is_query(const Catalog *catalog, const char *line)
{
    for (size_t i = 0; i < catalog->count; i++) {
        if (is_of(line, &catalog->commands[i])) {
            return catalog->commands[i].op->kind == OP_QUERY;
        }
    }
    return false;
}

static void what_tells_an_answer_again_is_a_query(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const Catalog *catalog = real_catalog(arena);
    for (size_t i = 0; i < catalog->count; i++) {
        const Operation *op = catalog->commands[i].op;
        if (op->again != NULL && (op->kind == OP_QUERY || !is_query(catalog, op->again))) {
            fail_msg("\"%s\" is not told again by \"%s\"", op->name, op->again);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_has_an_example_of_itself),
        cmocka_unit_test(what_tells_an_answer_again_is_a_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
