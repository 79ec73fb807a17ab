#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "secret/internal.h"

/* RFC 8032 section 7.1, test 3. */
static const char seed_hex[] = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7";
static const char public_hex[] = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";
static const char signature_hex[] =
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";
static const uint8_t message[] = {0xaf, 0x82};

static void signatures_match_rfc_8032(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    uint8_t seed[SECRET_SEED_BYTES];
    uint8_t public_key[SECRET_PUBLIC_BYTES];
    uint8_t signature[SECRET_SIGNATURE_BYTES];
    Err err;
    assert_true(secret_from_hex(seed_hex, seed, sizeof seed));
    assert_true(secret_sign_public(seed, public_key, &err));
    assert_string_equal(secret_to_hex(arena, public_key, sizeof public_key), public_hex);
    assert_true(secret_sign(seed, message, sizeof message, signature, &err));
    assert_string_equal(secret_to_hex(arena, signature, sizeof signature), signature_hex);
}

static void a_signature_fails_when_any_byte_of_key_text_or_signature_changes(void **state)
{
    (void)state;
    uint8_t bytes[SECRET_PUBLIC_BYTES + SECRET_SIGNATURE_BYTES + sizeof message];
    uint8_t *signature = bytes + SECRET_PUBLIC_BYTES;
    uint8_t *text = signature + SECRET_SIGNATURE_BYTES;
    bool is_right = false;
    Err err;
    assert_true(secret_from_hex(public_hex, bytes, SECRET_PUBLIC_BYTES));
    assert_true(secret_from_hex(signature_hex, signature, SECRET_SIGNATURE_BYTES));
    memcpy(text, message, sizeof message);
    assert_true(secret_sign_check(bytes, text, sizeof message, signature, &is_right, &err));
    assert_true(is_right);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= 1;
        assert_true(secret_sign_check(bytes, text, sizeof message, signature, &is_right, &err));
        assert_false(is_right);
        bytes[i] ^= 1;
    }
    assert_true(secret_sign_check(bytes, text, 1, signature, &is_right, &err));
    assert_false(is_right);
}

static void new_keys_differ(void **state)
{
    (void)state;
    uint8_t *one = NULL;
    uint8_t *other = NULL;
    Err err;
    assert_true(secret_sign_new(&one, &err));
    assert_true(secret_sign_new(&other, &err));
    assert_memory_not_equal(one, other, SECRET_SEED_BYTES);
    secret_free(one, SECRET_SEED_BYTES);
    secret_free(other, SECRET_SEED_BYTES);
}

static void hex_is_lower_case_and_of_the_exact_length(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "0", "00f", "00ff0", "00FF", "00fg", "0 ff", "00ff00"};
    uint8_t bytes[2];
    assert_true(secret_from_hex("00ff", bytes, sizeof bytes));
    assert_int_equal(bytes[1], 0xff);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(secret_from_hex(wrong[i], bytes, sizeof bytes));
    }
}

int main(void)
{
    Err err;
    if (!secret_init(&err)) {
        return 1;
    }
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_match_rfc_8032),
        cmocka_unit_test(a_signature_fails_when_any_byte_of_key_text_or_signature_changes),
        cmocka_unit_test(new_keys_differ),
        cmocka_unit_test(hex_is_lower_case_and_of_the_exact_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
