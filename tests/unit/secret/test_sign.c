#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/array.h"
#include "core/file.h"
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
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        assert_false(secret_from_hex(wrong[i], bytes, sizeof bytes));
    }
}

static void a_fingerprint_is_eight_groups_of_the_keys_hash(void **state)
{
    (void)state;
    static const uint8_t key[SECRET_PUBLIC_BYTES];
    scoped_arena Arena *arena = arena_new();
    const char *text = NULL;
    Err err;
    assert_true(secret_sign_fingerprint(arena, key, &text, &err));
    assert_string_equal(text, "6668-7aad-f862-bd77-6c8f-c18b-8e9f-8e20");
}

/* RFC 8410 section 10.3, and the seed that it holds. */
static const char pem[] = "-----BEGIN PRIVATE KEY-----\n"
                          "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                          "-----END PRIVATE KEY-----\n";
static const char pem_seed[] = "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842";

static void a_private_key_is_read_from_its_file_and_written_to_one(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    char folder[] = "/tmp/sign_XXXXXX";
    uint8_t *seed = NULL;
    uint8_t *again = NULL;
    struct stat status;
    Err err;
    assert_non_null(mkdtemp(folder));
    const char *old_key = arena_printf(arena, "%s/old", folder);
    const char *new_key = arena_printf(arena, "%s/new", folder);
    assert_true(file_write_atomic(old_key, pem, strlen(pem), 0600, &err));
    assert_true(secret_sign_read_file(old_key, &seed, &err));
    assert_string_equal(secret_to_hex(arena, seed, SECRET_SEED_BYTES), pem_seed);
    secret_free(seed, SECRET_SEED_BYTES);
    assert_true(secret_sign_create_file(new_key, &seed, &err));
    assert_int_equal(stat(new_key, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(secret_sign_read_file(new_key, &again, &err));
    assert_memory_equal(seed, again, SECRET_SEED_BYTES);
    secret_free(seed, SECRET_SEED_BYTES);
    secret_free(again, SECRET_SEED_BYTES);
    assert_false(secret_sign_create_file(new_key, &seed, &err));
    assert_int_equal(err.code, ERR_DATA_DIR);
    assert_true(file_remove_tree(folder, &err));
}

static void a_file_that_holds_no_private_key_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ("-----BEGIN PUBLIC "
         "KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
         "-----END PUBLIC KEY-----\n")};
    char path[] = "/tmp/sign_XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        uint8_t *seed = NULL;
        Err err;
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, texts[i], strlen(texts[i]), 0), strlen(texts[i]));
        assert_false(secret_sign_read_file(path, &seed, &err));
        assert_int_equal(err.code, ERR_KEY_WRONG);
        assert_non_null(strstr(err.message, "holds no private key of Ed25519 in PEM"));
    }
    close(fd);
    unlink(path);
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
        cmocka_unit_test(a_fingerprint_is_eight_groups_of_the_keys_hash),
        cmocka_unit_test(a_private_key_is_read_from_its_file_and_written_to_one),
        cmocka_unit_test(a_file_that_holds_no_private_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
