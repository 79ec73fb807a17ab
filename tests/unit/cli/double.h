/* A small table of operations for the tests of the command line: a few rows like the real ones,
 * whose answers are fixed. */
#ifndef TENANTRY_TESTS_UNIT_CLI_DOUBLE_H
#define TENANTRY_TESTS_UNIT_CLI_DOUBLE_H

#include "cli/catalog.h"

/* The rows and the built-in commands. */
const Catalog *double_catalog(Arena *arena);

/* The text that a function writes to a memory stream, to be freed. */
#define CAPTURE(text, ...)                                                                         \
    do {                                                                                           \
        size_t capture_size_ = 0;                                                                  \
        FILE *out = open_memstream(&(text), &capture_size_);                                       \
        assert_non_null(out);                                                                      \
        __VA_ARGS__;                                                                               \
        fclose(out);                                                                               \
    } while (0)

#endif
