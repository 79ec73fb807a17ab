/* A sealed secret: format byte, nonce, ciphertext, tag. The format byte names the whole scheme, so
 * that another one can come beside it: 1 is AES-256-GCM under HKDF-SHA256(master key, label and
 * tenant).
 *
 * The nonce is random: 96 bits allow 2^32 secrets per tenant and master key (SP 800-38D section
 * 8.3), which no tenant comes near. */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "secret/internal.h"

enum {
    SEAL_FORMAT = 1,
    SEAL_NONCE_BYTES = 12,
    SEAL_TAG_BYTES = 16,
    SEAL_HEAD_BYTES = 1 + SEAL_NONCE_BYTES,
    SEAL_INFO_SIZE = 128, /* the label and a UUID, with room to spare */
};

_Static_assert(SECRET_SEALED_OVERHEAD == SEAL_HEAD_BYTES + SEAL_TAG_BYTES, "as the header says");

static void cipher_free_scoped(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context); /* wipes the key schedule */
}
#define scoped_cipher __attribute__((cleanup(cipher_free_scoped)))

static bool derive_key(const Keyring *keyring, const char *key_id, const SecretBinding *binding,
                       Key *ret_key, Err *err)
{
    const MasterKey *master = NULL;
    if (!keyring_get(keyring, key_id, &master, err)) {
        return false;
    }
    char info[SEAL_INFO_SIZE];
    const int length = snprintf(info, sizeof info, "tenantry secret key, format %d, tenant %s",
                                SEAL_FORMAT, binding->tenant_id);
    if (length < 0 || (size_t)length >= sizeof info) {
        return ERR_SET(err, ERR_INPUT_INVALID, NULL, "tenant id \"%.40s...\" is not a UUID",
                       binding->tenant_id);
    }
    return hkdf_sha256(&(HkdfInput){.key = master->key.bytes,
                                    .key_length = sizeof master->key.bytes,
                                    .info = (const uint8_t *)info,
                                    .info_length = (size_t)length},
                       ret_key->bytes, sizeof ret_key->bytes, err);
}

/* One field of the additional data: its length as 4 bytes, big-endian, then its bytes. So no two
 * bindings have the same encoding. */
static bool bind_field(EVP_CIPHER_CTX *context, const char *text)
{
    const size_t length = strlen(text);
    if (length > LIMIT_SECRET_BYTES) {
        return false;
    }
    const uint8_t prefix[4] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16),
                               (uint8_t)(length >> 8), (uint8_t)length};
    int done = 0;
    return EVP_CipherUpdate(context, NULL, &done, prefix, sizeof prefix) == 1 &&
           (length == 0 ||
            EVP_CipherUpdate(context, NULL, &done, (const unsigned char *)text, (int)length) == 1);
}

/* Readies a context for one secret: key, nonce, additional data. */
static bool start(EVP_CIPHER_CTX *context, const Key *key, const uint8_t *nonce,
                  const SecretBinding *binding, bool is_seal, Err *err)
{
    if (context == NULL ||
        EVP_CipherInit_ex2(context, EVP_aes_256_gcm(), key->bytes, nonce, is_seal, NULL) != 1 ||
        !bind_field(context, binding->table) || !bind_field(context, binding->row) ||
        !bind_field(context, binding->tenant_id)) {
        return CRYPTO_FAIL(err, "start AES-256-GCM");
    }
    return true;
}

/* EVP_CipherUpdate would take no text at all for the end of additional data; then there is nothing
 * to do. */
static bool crypt_text(EVP_CIPHER_CTX *context, const uint8_t *from, size_t length, uint8_t *ret_to)
{
    int done = 0;
    return length == 0 || (EVP_CipherUpdate(context, ret_to, &done, from, (int)length) == 1 &&
                           (size_t)done == length);
}

bool secret_seal(Arena *arena, const Keyring *keyring, const char *key_id,
                 const SecretBinding *binding, const void *plain, size_t length,
                 uint8_t **ret_sealed, size_t *ret_length, Err *err)
{
    if (length > LIMIT_SECRET_BYTES) {
        return ERR_SET(err, ERR_LIMIT, NULL, "a secret has %zu bytes, %d at most are allowed",
                       length, LIMIT_SECRET_BYTES);
    }
    scoped_key Key key = {0};
    if (!derive_key(keyring, key_id, binding, &key, err)) {
        return false;
    }
    uint8_t *sealed = arena_alloc(arena, length + SECRET_SEALED_OVERHEAD);
    uint8_t *nonce = sealed + 1;
    uint8_t *text = sealed + SEAL_HEAD_BYTES;
    uint8_t *tag = text + length;
    sealed[0] = SEAL_FORMAT;
    scoped_cipher EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (!secure_random(nonce, SEAL_NONCE_BYTES, err) ||
        !start(context, &key, nonce, binding, true, err)) {
        return false;
    }
    int done = 0;
    if (!crypt_text(context, plain, length, text) || EVP_CipherFinal_ex(context, tag, &done) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES, tag) != 1) {
        return CRYPTO_FAIL(err, "encrypt with AES-256-GCM");
    }
    *ret_sealed = sealed;
    *ret_length = length + SECRET_SEALED_OVERHEAD;
    return true;
}

static bool fail_corrupt(Err *err, const SecretBinding *binding, const char *why)
{
    ERR_clear_error();
    return ERR_SET(err, ERR_SECRET_CORRUPT, "restore the row from a backup, or set the secret anew",
                   "the secret of row \"%s\" of \"%s\" %s", binding->row, binding->table, why);
}

/* Decrypts into plain and checks the tag; plain is not to be used when it fails. */
static bool open_text(const Key *key, const SecretBinding *binding, const uint8_t *sealed,
                      uint8_t *ret_plain, size_t length, Err *err)
{
    const uint8_t *text = sealed + SEAL_HEAD_BYTES;
    uint8_t tag[SEAL_TAG_BYTES];
    memcpy(tag, text + length, sizeof tag);
    scoped_cipher EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (!start(context, key, sealed + 1, binding, false, err)) {
        return false;
    }
    int done = 0;
    if (!crypt_text(context, text, length, ret_plain) ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) != 1) {
        return CRYPTO_FAIL(err, "decrypt with AES-256-GCM");
    }
    return EVP_CipherFinal_ex(context, ret_plain + length, &done) == 1 ||
           fail_corrupt(err, binding,
                        "fails authentication: it was changed, moved from another row, or sealed "
                        "with another key");
}

bool secret_open(const Keyring *keyring, const char *key_id, const SecretBinding *binding,
                 const uint8_t *sealed, size_t length, uint8_t **ret_plain, size_t *ret_length,
                 Err *err)
{
    scoped_key Key key = {0};
    if (!derive_key(keyring, key_id, binding, &key, err)) {
        return false;
    }
    if (length < SECRET_SEALED_OVERHEAD || length > LIMIT_SECRET_BYTES + SECRET_SEALED_OVERHEAD) {
        return fail_corrupt(err, binding, "has a length that no sealed secret has");
    }
    if (sealed[0] != SEAL_FORMAT) {
        return fail_corrupt(err, binding, "has a format that is not known here");
    }
    const size_t plain_length = length - SECRET_SEALED_OVERHEAD;
    void *plain = NULL;
    if (!secure_alloc(plain_length + 1, "a secret", &plain, err)) {
        return false;
    }
    if (!open_text(&key, binding, sealed, plain, plain_length, err)) {
        secret_free(plain, plain_length);
        return false;
    }
    *ret_plain = plain;
    *ret_length = plain_length;
    return true;
}

void secret_free(uint8_t *plain, size_t length)
{
    secure_free(plain, length + 1);
}
