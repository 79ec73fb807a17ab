#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "secret/internal.h"

enum {
    /* Room for a few hundred passwords and keys beside the largest key file (OpenSSL rounds every
     * piece up to a power of two), and small enough for the usual RLIMIT_MEMLOCK. */
    SECURE_HEAP_BYTES = 512 * 1024,
    SECURE_HEAP_PIECE_BYTES = 32,
};

bool crypto_fail(Err *err, const char *where, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return err_set(err, where, ERR_INTERNAL, NULL, "the crypto library cannot %s: %s", what,
                   reason != NULL ? reason : "no reason given");
}

/* Keeps the keys out of core files and away from debuggers of the same user. */
static bool forbid_dumps(Err *err)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "cannot forbid core files: %s", strerror(errno));
    }
#ifndef TENANTRY_SANITIZED /* LeakSanitizer stops the process with ptrace to look for leaks */
    if (prctl(PR_SET_DUMPABLE, 0) != 0) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "cannot forbid ptrace: %s", strerror(errno));
    }
#endif
    return true;
}

bool secret_init(Err *err)
{
    /* It gives 2 when the memory could not be locked (RLIMIT_MEMLOCK): a heap that may be swapped
     * is still wiped and left out of core files, so that is no reason to refuse to run. */
    if (CRYPTO_secure_malloc_initialized() == 0 &&
        CRYPTO_secure_malloc_init(SECURE_HEAP_BYTES, SECURE_HEAP_PIECE_BYTES) == 0) {
        return CRYPTO_FAIL(err, "set up secure memory");
    }
    return forbid_dumps(err);
}

void secret_wipe(void *memory, size_t size)
{
    OPENSSL_cleanse(memory, size);
}

bool secure_alloc(size_t size, const char *what, void **ret_memory, Err *err)
{
    void *memory = OPENSSL_secure_zalloc(size);
    if (memory == NULL) {
        ERR_clear_error();
        return ERR_SET(err, ERR_LIMIT, NULL, "no secure memory is left for %s (%zu bytes)", what,
                       size);
    }
    *ret_memory = memory;
    return true;
}

void secure_free(void *memory, size_t size)
{
    OPENSSL_secure_clear_free(memory, size);
}

bool secure_random(void *memory, size_t size, Err *err)
{
    return RAND_priv_bytes_ex(NULL, memory, size, 0) == 1 || CRYPTO_FAIL(err, "give random bytes");
}

void hex_encode(const uint8_t *bytes, size_t size, char *ret_hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        ret_hex[2 * i] = digits[bytes[i] >> 4];
        ret_hex[2 * i + 1] = digits[bytes[i] & 0xfU];
    }
    ret_hex[2 * size] = '\0';
}

bool secret_random_hex(Arena *arena, size_t count, const char **ret_hex, Err *err)
{
    uint8_t *bytes = arena_alloc(arena, count);
    if (!secure_random(bytes, count, err)) {
        return false;
    }
    char *hex = arena_alloc_array(arena, count + 1, 2);
    hex_encode(bytes, count, hex);
    secret_wipe(bytes, count);
    *ret_hex = hex;
    return true;
}

bool secret_random_uuid(Arena *arena, const char **ret_uuid, Err *err)
{
    uint8_t bytes[16];
    if (!secure_random(bytes, sizeof bytes, err)) {
        return false;
    }
    bytes[6] = (uint8_t)((bytes[6] & 0x0fU) | 0x40U); /* version 4 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3fU) | 0x80U); /* variant of RFC 9562 */
    char hex[2 * sizeof bytes + 1];
    hex_encode(bytes, sizeof bytes, hex);
    *ret_uuid = arena_printf(arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                             hex + 20);
    return true;
}
