#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "secret/internal.h"

enum {
    PASSWORD_RANDOM_BYTES = 32,
    /* Characters of n bytes in padded base64, with the NUL that EVP_EncodeBlock puts. */
    BASE64_HASH_SIZE = (SECRET_HASH_BYTES + 2) / 3 * 4 + 1,
    BASE64_SALT_SIZE = (SCRAM_SALT_BYTES + 2) / 3 * 4 + 1,
};

_Static_assert(SECRET_PASSWORD_SIZE == BASE64_HASH_SIZE - 1,
               "a password is the base64 of 32 bytes without the padding");

static bool password_alloc(Password **ret_password, Err *err)
{
    void *memory = NULL;
    if (!secure_alloc(sizeof(Password), "a password", &memory, err)) {
        return false;
    }
    *ret_password = memory;
    return true;
}

/* base64url without padding, RFC 4648 section 5. */
static void encode_password(const Key *bits, char ret_text[SECRET_PASSWORD_SIZE])
{
    char base64[BASE64_HASH_SIZE];
    EVP_EncodeBlock((unsigned char *)base64, bits->bytes, sizeof bits->bytes);
    for (size_t i = 0; i + 1 < SECRET_PASSWORD_SIZE; i++) {
        const char c = base64[i];
        ret_text[i] = (char)(c == '+' ? '-' : c == '/' ? '_' : c);
    }
    ret_text[SECRET_PASSWORD_SIZE - 1] = '\0';
    secret_wipe(base64, sizeof base64);
}

bool password_new(Password **ret_password, Err *err)
{
    scoped_key Key bits = {0};
    scoped_password Password *password = NULL;
    if (!secure_random(bits.bytes, sizeof bits.bytes, err) || !password_alloc(&password, err)) {
        return false;
    }
    encode_password(&bits, password->text);
    *ret_password = password;
    password = NULL;
    return true;
}

bool password_from_text(const char *text, Password **ret_password, Err *err)
{
    const size_t length = strnlen(text, SECRET_PASSWORD_SIZE);
    bool is_allowed = length > 0 && length < SECRET_PASSWORD_SIZE;
    for (size_t i = 0; i < length; i++) {
        is_allowed = is_allowed && text[i] >= ' ' && text[i] <= '~';
    }
    if (!is_allowed) {
        return ERR_SET(err, ERR_INPUT_INVALID, NULL,
                       "a password must have 1 to %d printable ASCII characters",
                       SECRET_PASSWORD_SIZE - 1);
    }
    Password *password = NULL;
    if (!password_alloc(&password, err)) {
        return false;
    }
    memcpy(password->text, text, length);
    *ret_password = password;
    return true;
}

Password *password_free(Password *password)
{
    secure_free(password, sizeof *password);
    return NULL;
}

/* StoredKey = H(HMAC(SaltedPassword, "Client Key")), ServerKey = HMAC(SaltedPassword, "Server
 * Key"), RFC 5802 section 3. */
static bool scram_keys(const Key *salted, uint8_t ret_stored[SECRET_HASH_BYTES],
                       uint8_t ret_server[SECRET_HASH_BYTES], Err *err)
{
    static const char client_label[] = "Client Key";
    static const char server_label[] = "Server Key";
    scoped_key Key client = {0};
    return secret_hmac(salted->bytes, sizeof salted->bytes, client_label, sizeof client_label - 1,
                       client.bytes, err) &&
           sha256(client.bytes, sizeof client.bytes, ret_stored, err) &&
           secret_hmac(salted->bytes, sizeof salted->bytes, server_label, sizeof server_label - 1,
                       ret_server, err);
}

bool scram_verifier(const char *text, const uint8_t salt[SCRAM_SALT_BYTES],
                    char ret_verifier[SECRET_VERIFIER_SIZE], Err *err)
{
    scoped_key Key salted = {0};
    if (PKCS5_PBKDF2_HMAC(text, (int)strlen(text), salt, SCRAM_SALT_BYTES, SCRAM_ITERATIONS,
                          EVP_sha256(), sizeof salted.bytes, salted.bytes) != 1) {
        return CRYPTO_FAIL(err, "compute PBKDF2");
    }
    uint8_t stored[SECRET_HASH_BYTES];
    scoped_key Key server = {0}; /* whoever has it can pose as the server */
    if (!scram_keys(&salted, stored, server.bytes, err)) {
        return false;
    }
    char salt_text[BASE64_SALT_SIZE];
    char stored_text[BASE64_HASH_SIZE];
    char server_text[BASE64_HASH_SIZE];
    EVP_EncodeBlock((unsigned char *)salt_text, salt, SCRAM_SALT_BYTES);
    EVP_EncodeBlock((unsigned char *)stored_text, stored, sizeof stored);
    EVP_EncodeBlock((unsigned char *)server_text, server.bytes, sizeof server.bytes);
    snprintf(ret_verifier, SECRET_VERIFIER_SIZE, "SCRAM-SHA-256$%d:%s$%s:%s", SCRAM_ITERATIONS,
             salt_text, stored_text, server_text);
    secret_wipe(server_text, sizeof server_text);
    return true;
}

bool password_scram_verifier(const Password *password, char ret_verifier[SECRET_VERIFIER_SIZE],
                             Err *err)
{
    uint8_t salt[SCRAM_SALT_BYTES];
    return secure_random(salt, sizeof salt, err) &&
           scram_verifier(password->text, salt, ret_verifier, err);
}
