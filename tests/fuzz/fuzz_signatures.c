/* Files of signatures and of trusted keys: what parses is written and read again as it is. */
#include <stdlib.h>
#include <string.h>

#include "blueprint/signature.h"
#include "fuzz.h"

static void read_again(Arena *arena, const SignatureList *list)
{
    SignatureList again;
    Err err = {0};
    const char *text = signatures_to_text(arena, list);
    if (!signatures_parse(arena, "again", text, strlen(text), &again, &err) ||
        again.count != list->count || strcmp(signatures_to_text(arena, &again), text) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_arena Arena *arena = arena_new();
    const char *text = arena_strndup(arena, (const char *)data, size);
    SignatureList list;
    TrustedKeys keys;
    Err err = {0};
    if (signatures_parse(arena, "fuzz", text, size, &list, &err)) {
        read_again(arena, &list);
    } else if (err.code != ERR_BLUEPRINT_INVALID) {
        abort();
    }
    if (!trusted_keys_parse(arena, "fuzz", text, size, &keys, &err) &&
        err.code != ERR_CONFIG_INVALID) {
        abort();
    }
    return 0;
}
