/* Key files: outside bytes to keys. Whatever parses must come through a rewrite of the file that
 * keeps its first key alone. */
#include <stdlib.h>

#include "secret/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parses, and stops the fuzzer when the outcome is not the one that must be. */
static void must_hold_one_key(const char *text, size_t length, const Key *key)
{
    Keyring keyring = {0};
    Err err;
    if (!key_text_parse("filtered", text, length, &keyring, &err) || keyring.count != 1) {
        abort();
    }
    for (size_t i = 0; i < sizeof key->bytes; i++) {
        if (keyring.keys[0].key.bytes[i] != key->bytes[i]) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Keyring keyring = {0};
    Err err = {0};
    if (!key_text_parse("fuzz", (const char *)data, size, &keyring, &err)) {
        if (err.code != ERR_KEY_WRONG && err.code != ERR_KEY_MISSING && err.code != ERR_LIMIT) {
            abort();
        }
        return 0;
    }
    char *kept = malloc(size);
    if (kept == NULL) {
        abort();
    }
    Keyring others = keyring;
    others.count--;
    others.keys[0] = keyring.keys[others.count];
    const size_t length = key_text_filter((const char *)data, size, &others, kept);
    must_hold_one_key(kept, length, &keyring.keys[0].key);
    free(kept);
    return 0;
}
