/* The text of a configuration file. What is accepted has each option at most once, with a value;
 * what is not is an error about the configuration that names the file. */
#include <stdlib.h>
#include <string.h>

#include "config/file.h"
#include "fuzz.h"

static void check_entries(const ConfigFileEntry *entries, size_t count)
{
    bool is_seen[OPTION_COUNT_] = {false};
    for (size_t i = 0; i < count; i++) {
        int64_t number = 0;
        Err err;
        if (is_seen[entries[i].id] || option_kind(entries[i].id)->is_secret) {
            abort();
        }
        is_seen[entries[i].id] = true;
        (void)option_check(entries[i].id, entries[i].text, "file", &number, &err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_arena Arena *arena = arena_new();
    const char *text = arena_strndup(arena, (const char *)data, size);
    ConfigFileEntry entries[OPTION_COUNT_];
    size_t count = 0;
    Err err = {0};
    if (config_file_parse(arena, "fuzz.yaml", text, size, entries, &count, &err)) {
        check_entries(entries, count);
    } else if (err.message[0] == '\0' || strstr(err.message, "fuzz.yaml") == NULL) {
        abort();
    }
    return 0;
}
