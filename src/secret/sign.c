/* Ed25519 signatures. The key is made from its seed for each use: that costs some microseconds, and
 * nothing but the seed has to be kept secret. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "secret/internal.h"

enum { FINGERPRINT_GROUPS = 8, FINGERPRINT_GROUP_DIGITS = 4 };

static void key_free_scoped(EVP_PKEY **key)
{
    EVP_PKEY_free(*key); /* wipes the private part */
}
#define scoped_pkey __attribute__((cleanup(key_free_scoped)))

static void context_free_scoped(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}
#define scoped_context __attribute__((cleanup(context_free_scoped)))

static EVP_PKEY *key_of_seed(const uint8_t *seed)
{
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SECRET_SEED_BYTES);
}

bool secret_sign_new(uint8_t **ret_seed, Err *err)
{
    void *seed = NULL;
    if (!secure_alloc(SECRET_SEED_BYTES, "a signing key", &seed, err)) {
        return false;
    }
    if (!secure_random(seed, SECRET_SEED_BYTES, err)) {
        secure_free(seed, SECRET_SEED_BYTES);
        return false;
    }
    *ret_seed = seed;
    return true;
}

bool secret_sign_public(const uint8_t *seed, uint8_t ret_public[SECRET_PUBLIC_BYTES], Err *err)
{
    scoped_pkey EVP_PKEY *key = key_of_seed(seed);
    size_t length = SECRET_PUBLIC_BYTES;
    return (key != NULL && EVP_PKEY_get_raw_public_key(key, ret_public, &length) == 1 &&
            length == SECRET_PUBLIC_BYTES) ||
           CRYPTO_FAIL(err, "compute a public key of Ed25519");
}

bool secret_sign(const uint8_t *seed, const void *bytes, size_t length,
                 uint8_t ret_signature[SECRET_SIGNATURE_BYTES], Err *err)
{
    scoped_pkey EVP_PKEY *key = key_of_seed(seed);
    scoped_context EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t size = SECRET_SIGNATURE_BYTES;
    return (key != NULL && context != NULL &&
            EVP_DigestSignInit_ex(context, NULL, NULL, NULL, NULL, key, NULL) == 1 &&
            EVP_DigestSign(context, ret_signature, &size, bytes, length) == 1 &&
            size == SECRET_SIGNATURE_BYTES) ||
           CRYPTO_FAIL(err, "sign with Ed25519");
}

bool secret_sign_check(const uint8_t public_key[SECRET_PUBLIC_BYTES], const void *bytes,
                       size_t length, const uint8_t signature[SECRET_SIGNATURE_BYTES],
                       bool *ret_is_right, Err *err)
{
    scoped_pkey EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key,
                                                            SECRET_PUBLIC_BYTES);
    scoped_context EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (key == NULL || context == NULL ||
        EVP_DigestVerifyInit_ex(context, NULL, NULL, NULL, NULL, key, NULL) != 1) {
        return CRYPTO_FAIL(err, "check a signature of Ed25519");
    }
    *ret_is_right = EVP_DigestVerify(context, signature, SECRET_SIGNATURE_BYTES, bytes, length) ==
                    1;
    ERR_clear_error(); /* a wrong signature is an answer, not an error */
    return true;
}

const char *secret_to_hex(Arena *arena, const uint8_t *bytes, size_t size)
{
    char *hex = arena_alloc_array(arena, size + 1, 2);
    hex_encode(bytes, size, hex);
    return hex;
}

static int digit_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool secret_from_hex(const char *hex, uint8_t *ret_bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const int high = digit_value(hex[2 * i]);
        const int low = high < 0 ? -1 : digit_value(hex[2 * i + 1]);
        if (low < 0) {
            return false;
        }
        ret_bytes[i] = (uint8_t)(high << 4 | low);
    }
    return hex[2 * size] == '\0';
}

bool secret_sign_fingerprint(Arena *arena, const uint8_t public_key[SECRET_PUBLIC_BYTES],
                             const char **ret_fingerprint, Err *err)
{
    enum { SIZE = FINGERPRINT_GROUPS * (FINGERPRINT_GROUP_DIGITS + 1) };
    const char *hash = NULL;
    if (!secret_sha256_hex(arena, public_key, SECRET_PUBLIC_BYTES, &hash, err)) {
        return false;
    }
    char *text = arena_alloc(arena, SIZE);
    for (size_t i = 0; i < FINGERPRINT_GROUPS; i++) {
        char *group = text + i * (FINGERPRINT_GROUP_DIGITS + 1);
        memcpy(group, hash + i * FINGERPRINT_GROUP_DIGITS, FINGERPRINT_GROUP_DIGITS);
        group[FINGERPRINT_GROUP_DIGITS] = i + 1 < FINGERPRINT_GROUPS ? '-' : '\0';
    }
    *ret_fingerprint = text;
    return true;
}
