#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "secret/internal.h"

static void sha256_matches_fips_180(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    Err err;
    const char *hex = NULL;
    assert_true(secret_sha256_hex(arena, "abc", 3, &hex, &err));
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(secret_sha256_hex(arena, "", 0, &hex, &err));
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static const char *hmac_hex(const char *key, size_t key_length, const char *bytes, char hex[65])
{
    uint8_t mac[SECRET_HASH_BYTES];
    Err err;
    assert_true(secret_hmac((const uint8_t *)key, key_length, bytes, strlen(bytes), mac, &err));
    hex_encode(mac, sizeof mac, hex);
    return hex;
}

static void hmac_matches_rfc_4231(void **state)
{
    (void)state;
    char hex[65];
    char key[131];
    memset(key, 0x0b, 20);
    assert_string_equal(hmac_hex(key, 20, "Hi There", hex),
                        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_string_equal(hmac_hex("Jefe", 4, "what do ya want for nothing?", hex),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, 131);
    assert_string_equal(
        hmac_hex(key, 131, "Test Using Larger Than Block-Size Key - Hash Key First", hex),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void hmac_takes_an_empty_key_and_an_empty_text(void **state)
{
    (void)state;
    char hex[65];
    assert_string_equal(hmac_hex(NULL, 0, "", hex),
                        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void hkdf_matches_rfc_5869_case_1(void **state)
{
    (void)state;
    uint8_t key[22];
    memset(key, 0x0b, sizeof key);
    const uint8_t salt[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const uint8_t info[] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9};
    uint8_t output[42];
    Err err;
    assert_true(hkdf_sha256(&(HkdfInput){key, sizeof key, salt, sizeof salt, info, sizeof info},
                            output, sizeof output, &err));
    char hex[2 * sizeof output + 1];
    hex_encode(output, sizeof output, hex);
    assert_string_equal(hex, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007"
                             "208d5b887185865");
}

static void hkdf_matches_rfc_5869_case_3_without_salt_and_info(void **state)
{
    (void)state;
    uint8_t key[22];
    memset(key, 0x0b, sizeof key);
    uint8_t output[42];
    Err err;
    assert_true(hkdf_sha256(&(HkdfInput){.key = key, .key_length = sizeof key}, output,
                            sizeof output, &err));
    char hex[2 * sizeof output + 1];
    hex_encode(output, sizeof output, hex);
    assert_string_equal(hex, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201"
                             "395faa4b61a96c8");
}

static void hkdf_says_what_failed(void **state)
{
    (void)state;
    static uint8_t output[255 * SECRET_HASH_BYTES + 1]; /* one more than RFC 5869 allows */
    const uint8_t key[SECRET_KEY_BYTES] = {1};
    Err err = {0};
    assert_false(hkdf_sha256(&(HkdfInput){.key = key, .key_length = sizeof key}, output,
                             sizeof output, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_non_null(strstr(err.message, "the crypto library cannot derive a key with HKDF: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_matches_fips_180),
        cmocka_unit_test(hmac_matches_rfc_4231),
        cmocka_unit_test(hmac_takes_an_empty_key_and_an_empty_text),
        cmocka_unit_test(hkdf_matches_rfc_5869_case_1),
        cmocka_unit_test(hkdf_matches_rfc_5869_case_3_without_salt_and_info),
        cmocka_unit_test(hkdf_says_what_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
