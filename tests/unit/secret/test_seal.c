#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "core/array.h"

#include "secret/internal.h"

static const SecretBinding binding = {
    .tenant_id = "6f1c2f0e-3a51-4d6e-9a0e-0b8b6a7d1c11", .table = "credentials", .row = "42"};
static const char plain_text[] = "correct horse battery staple";

typedef struct Fixture {
    Arena *arena;
    Keyring *keyring;
    uint8_t *sealed;
    size_t length;
} Fixture;

static int init(void **state)
{
    (void)state;
    Err err;
    return secret_init(&err) ? 0 : -1;
}

/* Two keys; plain_text sealed with the first. */
static int set_up(void **state)
{
    Fixture *fixture = calloc(1, sizeof *fixture);
    Err err;
    assert_non_null(fixture);
    fixture->arena = arena_new();
    const char *keys = "1111111111111111111111111111111111111111111111111111111111111111\n"
                       "2222222222222222222222222222222222222222222222222222222222222222\n";
    assert_true(keyring_open(&(KeySource){.text = keys}, &fixture->keyring, &err));
    assert_true(secret_seal(fixture->arena, fixture->keyring, keyring_id(fixture->keyring, 0),
                            &binding, plain_text, strlen(plain_text), &fixture->sealed,
                            &fixture->length, &err));
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *fixture = *state;
    keyring_close(fixture->keyring);
    arena_free(fixture->arena);
    free(fixture);
    return 0;
}

/* Opens what must not open. */
static void refuse(const Fixture *fixture, const char *key_id, const SecretBinding *bound,
                   size_t length, Err *ret_err)
{
    uint8_t *plain = NULL;
    size_t plain_length = 0;
    *ret_err = (Err){0};
    assert_false(secret_open(fixture->keyring, key_id, bound, fixture->sealed, length, &plain,
                             &plain_length, ret_err));
    assert_null(plain);
}

static void assert_unauthentic(const Err *err, const char *row)
{
    assert_int_equal(err->code, ERR_SECRET_CORRUPT);
    assert_non_null(strstr(err->message, row));
    assert_non_null(strstr(err->message, "fails authentication: it was changed, moved from another "
                                         "row, or sealed with another key"));
    assert_string_equal(err->hint, "restore the row from a backup, or set the secret anew");
}

static void open_gives_what_was_sealed_in_secure_memory(void **state)
{
    const Fixture *fixture = *state;
    Err err;
    uint8_t *plain = NULL;
    size_t length = 0;
    assert_int_equal(fixture->length, strlen(plain_text) + SECRET_SEALED_OVERHEAD);
    assert_int_equal(fixture->sealed[0], 1);
    assert_true(secret_open(fixture->keyring, keyring_id(fixture->keyring, 0), &binding,
                            fixture->sealed, fixture->length, &plain, &length, &err));
    assert_int_equal(length, strlen(plain_text));
    assert_string_equal((const char *)plain, plain_text);
    assert_int_equal(CRYPTO_secure_allocated(plain), 1);
    secret_free(plain, length);
}

static void the_same_secret_is_sealed_differently_each_time(void **state)
{
    Fixture *fixture = *state;
    Err err;
    uint8_t *again = NULL;
    size_t length = 0;
    assert_true(secret_seal(fixture->arena, fixture->keyring, keyring_id(fixture->keyring, 0),
                            &binding, plain_text, strlen(plain_text), &again, &length, &err));
    assert_memory_not_equal(again + 1, fixture->sealed + 1, 12);
    assert_memory_not_equal(again + 13, fixture->sealed + 13, length - 13);
}

/* Fixes the format: secrets that are in databases must open for ever. */
static void open_reads_format_1_as_it_was_first_written(void **state)
{
    Fixture *fixture = *state;
    Err err;
    static const uint8_t written[] = {
        0x01, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0xa6, 0xb5,
        0x81, 0x91, 0xd2, 0x70, 0xd5, 0xce, 0xcf, 0x06, 0xa5, 0xb0, 0x30, 0x98, 0xc3, 0xb4, 0xfa,
        0x2e, 0xff, 0x6f, 0x3e, 0x2c, 0x92, 0x6f, 0x20, 0xd3, 0xcb, 0xa1, 0x5d, 0x74, 0xb6, 0x41,
        0x4c, 0xa4, 0x05, 0x67, 0xed, 0x8a, 0x2f, 0x98, 0xcf, 0xa2, 0x7f, 0xdb,
    };
    uint8_t *plain = NULL;
    size_t length = 0;
    assert_true(secret_open(fixture->keyring, keyring_id(fixture->keyring, 0), &binding, written,
                            sizeof written, &plain, &length, &err));
    assert_string_equal((const char *)plain, plain_text);
    secret_free(plain, length);
}

static void an_empty_and_the_largest_secret_open_again(void **state)
{
    Fixture *fixture = *state;
    const size_t lengths[] = {0, LIMIT_SECRET_BYTES};
    for (size_t i = 0; i < 2; i++) {
        const char *id = keyring_id(fixture->keyring, 1);
        const uint8_t *secret = arena_alloc(fixture->arena, lengths[i]);
        Err err;
        uint8_t *sealed = NULL;
        uint8_t *plain = NULL;
        size_t length = 0;
        assert_true(secret_seal(fixture->arena, fixture->keyring, id, &binding, secret, lengths[i],
                                &sealed, &length, &err));
        assert_true(
            secret_open(fixture->keyring, id, &binding, sealed, length, &plain, &length, &err));
        assert_int_equal(length, lengths[i]);
        assert_memory_equal(plain, secret, length);
        secret_free(plain, length);
    }
}

static void seal_refuses_a_secret_past_the_limit(void **state)
{
    Fixture *fixture = *state;
    Err err = {0};
    uint8_t *sealed = NULL;
    size_t length = 0;
    const uint8_t *secret = arena_alloc(fixture->arena, LIMIT_SECRET_BYTES + 1);
    assert_false(secret_seal(fixture->arena, fixture->keyring, keyring_id(fixture->keyring, 0),
                             &binding, secret, LIMIT_SECRET_BYTES + 1, &sealed, &length, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.message, "a secret has 16385 bytes, 16384 at most are allowed");
}

static void open_refuses_every_flipped_bit(void **state)
{
    const Fixture *fixture = *state;
    for (size_t bit = 0; bit < 8 * fixture->length; bit++) {
        Err err;
        const uint8_t mask = (uint8_t)(1U << bit % 8);
        fixture->sealed[bit / 8] ^= mask;
        refuse(fixture, keyring_id(fixture->keyring, 0), &binding, fixture->length, &err);
        fixture->sealed[bit / 8] ^= mask;
        assert_int_equal(err.code, ERR_SECRET_CORRUPT);
        if (bit < 8) {
            assert_string_equal(err.message, "the secret of row \"42\" of \"credentials\" has a "
                                             "format that is not known here");
        } else {
            assert_unauthentic(&err, "\"42\"");
        }
    }
}

static void open_refuses_every_shorter_length_and_one_past_the_limit(void **state)
{
    const Fixture *fixture = *state;
    Err err;
    for (size_t length = 0; length < fixture->length; length++) {
        refuse(fixture, keyring_id(fixture->keyring, 0), &binding, length, &err);
        assert_int_equal(err.code, ERR_SECRET_CORRUPT);
    }
    refuse(fixture, keyring_id(fixture->keyring, 0), &binding,
           LIMIT_SECRET_BYTES + SECRET_SEALED_OVERHEAD + 1, &err);
    assert_int_equal(err.code, ERR_SECRET_CORRUPT);
    assert_string_equal(err.message,
                        "the secret of row \"42\" of \"credentials\" has a length that "
                        "no sealed secret has");
}

static void open_refuses_another_row_table_or_tenant(void **state)
{
    const Fixture *fixture = *state;
    const SecretBinding others[] = {
        {.tenant_id = binding.tenant_id, .table = binding.table, .row = "43"},
        {.tenant_id = binding.tenant_id, .table = "tokens", .row = binding.row},
        {.tenant_id = "6f1c2f0e-3a51-4d6e-9a0e-0b8b6a7d1c12", binding.table, binding.row},
        {.tenant_id = "", .table = binding.table, .row = binding.row},
        /* The same letters, divided differently. */
        {.tenant_id = binding.tenant_id, .table = "credentials4", .row = "2"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        Err err;
        refuse(fixture, keyring_id(fixture->keyring, 0), &others[i], fixture->length, &err);
        assert_unauthentic(&err, others[i].row);
    }
}

static void open_refuses_another_key(void **state)
{
    const Fixture *fixture = *state;
    Err err;
    refuse(fixture, keyring_id(fixture->keyring, 1), &binding, fixture->length, &err);
    assert_unauthentic(&err, "\"42\"");
}

static void seal_and_open_say_which_key_is_missing(void **state)
{
    Fixture *fixture = *state;
    Err err;
    refuse(fixture, "0123456789abcdef", &binding, fixture->length, &err);
    assert_int_equal(err.code, ERR_KEY_MISSING);
    assert_string_equal(err.message, "there is no master key with the id \"0123456789abcdef\"");
    assert_string_equal(err.hint, "restore the key file from the copy that holds this key, or put "
                                  "the key into TENANTRY_MASTER_KEY");
    uint8_t *sealed = NULL;
    size_t length = 0;
    assert_false(secret_seal(fixture->arena, fixture->keyring, "0123456789abcdef", &binding, "x", 1,
                             &sealed, &length, &err));
    assert_int_equal(err.code, ERR_KEY_MISSING);
}

static void seal_refuses_a_tenant_id_that_is_no_uuid(void **state)
{
    Fixture *fixture = *state;
    char id[201];
    memset(id, 'a', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    const SecretBinding bad = {.tenant_id = id, .table = "credentials", .row = "1"};
    Err err = {0};
    uint8_t *sealed = NULL;
    size_t length = 0;
    assert_false(secret_seal(fixture->arena, fixture->keyring, keyring_id(fixture->keyring, 0),
                             &bad, "x", 1, &sealed, &length, &err));
    assert_int_equal(err.code, ERR_INPUT_INVALID);
    assert_string_equal(err.message,
                        "tenant id \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\" is not a UUID");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(open_gives_what_was_sealed_in_secure_memory),
        TEST(the_same_secret_is_sealed_differently_each_time),
        TEST(open_reads_format_1_as_it_was_first_written),
        TEST(an_empty_and_the_largest_secret_open_again),
        TEST(seal_refuses_a_secret_past_the_limit),
        TEST(open_refuses_every_flipped_bit),
        TEST(open_refuses_every_shorter_length_and_one_past_the_limit),
        TEST(open_refuses_another_row_table_or_tenant),
        TEST(open_refuses_another_key),
        TEST(seal_and_open_say_which_key_is_missing),
        TEST(seal_refuses_a_tenant_id_that_is_no_uuid),
    };
    return cmocka_run_group_tests(tests, init, NULL);
}
