#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/array.h"

#include "secret/internal.h"

static int init(void **state)
{
    (void)state;
    Err err;
    return secret_init(&err) ? 0 : -1;
}

static void new_gives_43_characters_of_base64url_on_the_secure_heap(void **state)
{
    (void)state;
    Err err;
    scoped_password Password *one = NULL;
    scoped_password Password *two = NULL;
    assert_true(password_new(&one, &err));
    assert_true(password_new(&two, &err));
    assert_int_equal(CRYPTO_secure_allocated(one), 1);
    assert_int_equal(strlen(one->text), SECRET_PASSWORD_SIZE - 1);
    assert_int_equal(strspn(one->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-_"),
                     SECRET_PASSWORD_SIZE - 1);
    assert_string_not_equal(one->text, two->text);
}

static void from_text_copies_printable_ascii_up_to_its_size(void **state)
{
    (void)state;
    Err err;
    const char *longest = "0123456789 abcdefghijklmnopqrstuvwxyz~!\"#$%";
    scoped_password Password *password = NULL;
    assert_int_equal(strlen(longest), SECRET_PASSWORD_SIZE - 1);
    assert_true(password_from_text(longest, &password, &err));
    assert_string_equal(password->text, longest);
    assert_int_equal(CRYPTO_secure_allocated(password), 1);
}

static void from_text_refuses_what_scram_would_have_to_normalise_or_does_not_fit(void **state)
{
    (void)state;
    const char *const refused[] = {"", "caf\xc3\xa9", "a\tb", "a\x7f",
                                   "0123456789012345678901234567890123456789abcd"};
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        Err err = {0};
        Password *password = NULL;
        assert_false(password_from_text(refused[i], &password, &err));
        assert_null(password);
        assert_int_equal(err.code, ERR_INPUT_INVALID);
        assert_string_equal(err.message, "a password must have 1 to 43 printable ASCII characters");
    }
}

static void free_of_null_gives_null(void **state)
{
    (void)state;
    assert_null(password_free(NULL));
}

/* The exchange of RFC 7677 section 3: user "user", password "pencil". */
static const char rfc_salt[] = "W22ZaJ0SNY7soEsUEjb6gQ==";
static const char rfc_auth_message[] =
    "n=user,r=rOprNGfwEbeRWgbNEkqO,"
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
static const char rfc_client_proof[] = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
static const char rfc_server_signature[] = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

static void decode(const char *base64, size_t length, uint8_t *ret_bytes)
{
    uint8_t padded[64];
    assert_true(length <= 64);
    assert_true(EVP_DecodeBlock(padded, (const unsigned char *)base64, (int)length) > 0);
    memcpy(ret_bytes, padded, length == 24 ? SCRAM_SALT_BYTES : SECRET_HASH_BYTES);
}

static void signature(const uint8_t key[SECRET_HASH_BYTES], uint8_t ret_mac[SECRET_HASH_BYTES])
{
    Err err;
    assert_true(secret_hmac(key, SECRET_HASH_BYTES, rfc_auth_message, strlen(rfc_auth_message),
                            ret_mac, &err));
}

static void the_scram_verifier_checks_the_exchange_of_rfc_7677(void **state)
{
    (void)state;
    Err err;
    uint8_t salt[SCRAM_SALT_BYTES];
    char verifier[SECRET_VERIFIER_SIZE];
    decode(rfc_salt, strlen(rfc_salt), salt);
    assert_true(scram_verifier("pencil", salt, verifier, &err));
    const char head[] = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$";
    assert_int_equal(strncmp(verifier, head, strlen(head)), 0);
    assert_int_equal(strlen(verifier), strlen(head) + 44 + 1 + 44);
    assert_int_equal(verifier[strlen(head) + 44], ':');
    uint8_t stored[SECRET_HASH_BYTES];
    uint8_t server[SECRET_HASH_BYTES];
    decode(verifier + strlen(head), 44, stored);
    decode(verifier + strlen(head) + 45, 44, server);

    uint8_t mac[SECRET_HASH_BYTES];
    uint8_t expected[SECRET_HASH_BYTES];
    signature(server, mac);
    decode(rfc_server_signature, strlen(rfc_server_signature), expected);
    assert_memory_equal(mac, expected, sizeof mac);

    /* ClientProof XOR ClientSignature is the ClientKey, whose hash is the StoredKey. */
    uint8_t client[SECRET_HASH_BYTES];
    signature(stored, mac);
    decode(rfc_client_proof, strlen(rfc_client_proof), client);
    for (size_t i = 0; i < sizeof client; i++) {
        client[i] ^= mac[i];
    }
    assert_true(sha256(client, sizeof client, expected, &err));
    assert_memory_equal(stored, expected, sizeof stored);
}

static void a_password_has_another_salt_in_every_verifier(void **state)
{
    (void)state;
    Err err;
    char one[SECRET_VERIFIER_SIZE];
    char two[SECRET_VERIFIER_SIZE];
    scoped_password Password *password = NULL;
    assert_true(password_new(&password, &err));
    assert_true(password_scram_verifier(password, one, &err));
    assert_true(password_scram_verifier(password, two, &err));
    assert_string_not_equal(one, two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_gives_43_characters_of_base64url_on_the_secure_heap),
        cmocka_unit_test(from_text_copies_printable_ascii_up_to_its_size),
        cmocka_unit_test(from_text_refuses_what_scram_would_have_to_normalise_or_does_not_fit),
        cmocka_unit_test(free_of_null_gives_null),
        cmocka_unit_test(the_scram_verifier_checks_the_exchange_of_rfc_7677),
        cmocka_unit_test(a_password_has_another_salt_in_every_verifier),
    };
    return cmocka_run_group_tests(tests, init, NULL);
}
