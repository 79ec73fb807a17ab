#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "secret/internal.h"

bool sha256(const void *bytes, size_t length, uint8_t ret_hash[SECRET_HASH_BYTES], Err *err)
{
    return EVP_Digest(bytes, length, ret_hash, NULL, EVP_sha256(), NULL) == 1 ||
           CRYPTO_FAIL(err, "compute SHA-256");
}

bool secret_sha256_hex(Arena *arena, const void *bytes, size_t length, const char **ret_hex,
                       Err *err)
{
    uint8_t hash[SECRET_HASH_BYTES];
    if (!sha256(bytes, length, hash, err)) {
        return false;
    }
    char *hex = arena_alloc(arena, 2 * sizeof hash + 1);
    hex_encode(hash, sizeof hash, hex);
    *ret_hex = hex;
    return true;
}

bool secret_hmac(const uint8_t *key, size_t key_length, const void *bytes, size_t length,
                 uint8_t ret_mac[SECRET_HASH_BYTES], Err *err)
{
    /* A NULL key means "keep the last one" to OpenSSL; an empty key is a key. */
    static const uint8_t empty[1];
    size_t mac_length = 0;
    const unsigned char *mac = EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL,
                                         key_length > 0 ? key : empty, key_length, bytes, length,
                                         ret_mac, SECRET_HASH_BYTES, &mac_length);
    return (mac != NULL && mac_length == SECRET_HASH_BYTES) ||
           CRYPTO_FAIL(err, "compute HMAC-SHA-256");
}

/* An OSSL_PARAM is for reading and writing, so that its pointer is not const; setting a parameter
 * of a KDF only reads. */
static OSSL_PARAM octets_param(const char *name, const uint8_t *bytes, size_t length)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)bytes, length);
}

static bool hkdf_derive(EVP_KDF_CTX *context, const HkdfInput *input, uint8_t *ret_output,
                        size_t length)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[5] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        octets_param(OSSL_KDF_PARAM_KEY, input->key, input->key_length),
        octets_param(OSSL_KDF_PARAM_INFO, input->info, input->info_length),
        OSSL_PARAM_construct_end(),
        OSSL_PARAM_construct_end(),
    };
    if (input->salt != NULL) {
        params[3] = octets_param(OSSL_KDF_PARAM_SALT, input->salt, input->salt_length);
    }
    return EVP_KDF_derive(context, ret_output, length, params) == 1;
}

bool hkdf_sha256(const HkdfInput *input, uint8_t *ret_output, size_t length, Err *err)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf); /* gives NULL for NULL */
    const bool is_derived = context != NULL && hkdf_derive(context, input, ret_output, length);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return is_derived || CRYPTO_FAIL(err, "derive a key with HKDF");
}
