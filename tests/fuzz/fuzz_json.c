/* JSON from outside: what is accepted can be written, read again, and is the same value. */
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "fuzz.h"

static void check_round_trip(const Json *value)
{
    scoped_arena Arena *arena = arena_new();
    const char *text = json_to_canonical(arena, value);
    Err err;
    scoped_json Json *again = NULL;
    if (!json_parse(text, "canonical text", &again, &err)) {
        abort();
    }
    if (strcmp(text, json_to_canonical(arena, again)) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_arena Arena *arena = arena_new();
    char *text = arena_alloc(arena, size + 1);
    memcpy(text, data, size);
    Err err;
    scoped_json Json *value = NULL;
    if (json_parse(text, "fuzz input", &value, &err)) {
        check_round_trip(value);
    }
    return 0;
}
