/* The configuration file: where it is, and what is in it. Internal to config. */
#ifndef TENANTRY_CONFIG_FILE_H
#define TENANTRY_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

typedef struct ConfigFileEntry {
    OptionId id;
    int line;
    const char *text;
} ConfigFileEntry;

/* The first of the usual files that exists, or NULL. home may be NULL. Blocks. */
const char *config_file_find_usual(Arena *arena, const char *home);

/* Reads the options of a file; entries has room for OPTION_COUNT_. Values are not checked. Errors
 * name file and line. One that nobody named is refused (ERR_CONFIG_INVALID) when another user than
 * root or ourselves could have written it: it names programs that we would run. Blocks. */
bool config_file_read(Arena *arena, const char *path, bool is_named, ConfigFileEntry *entries,
                      size_t *ret_count, Err *err);

/* The same for a text that was read already. Does not block. */
bool config_file_parse(Arena *arena, const char *path, const char *text, size_t length,
                       ConfigFileEntry *entries, size_t *ret_count, Err *err);

#endif
