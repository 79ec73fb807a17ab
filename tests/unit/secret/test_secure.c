#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "secret/internal.h"

enum { NOBODY = 65534 };

/* In a process of its own: what it gives is its exit status. */
static int init_without_locked_memory(void)
{
    const struct rlimit none = {0, 0};
    Err err;
    Password *password = NULL;
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setuid(NOBODY) != 0)) {
        return 2;
    }
    if (!secret_init(&err) || !password_new(&password, &err)) {
        return 3;
    }
    const bool is_secure = CRYPTO_secure_allocated(password) == 1;
    password_free(password);
    return is_secure ? 0 : 4;
}

/* Must be the first test: a child inherits a heap that is set up already. */
static void init_works_when_memory_may_not_be_locked(void **state)
{
    (void)state;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(init_without_locked_memory());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void init_forbids_core_files_and_ptrace_and_may_be_repeated(void **state)
{
    (void)state;
    Err err;
    assert_true(secret_init(&err));
    assert_true(secret_init(&err));
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
    assert_int_equal(limit.rlim_cur, 0);
    assert_int_equal(limit.rlim_max, 0);
#ifndef TENANTRY_SANITIZED
    assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
#endif
}

static void wipe_zeroes_memory(void **state)
{
    (void)state;
    uint8_t memory[8];
    memset(memory, 0xff, sizeof memory);
    secret_wipe(memory, sizeof memory);
    const uint8_t zeroes[8] = {0};
    assert_memory_equal(memory, zeroes, sizeof memory);
}

static void the_secure_heap_holds_hundreds_of_passwords_and_says_when_it_is_full(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    static Password *passwords[MANY];
    Err err = {0};
    size_t count = 0;
    uint8_t byte;
    assert_true(secure_random(&byte, 1, &err)); /* the generator itself uses the heap */
    const size_t used = CRYPTO_secure_used();
    while (count < MANY && password_new(&passwords[count], &err)) {
        count++;
    }
    assert_in_range(count, 1000, MANY - 1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.message, "no secure memory is left for a password (44 bytes)");
    for (size_t i = 0; i < count; i++) {
        passwords[i] = password_free(passwords[i]);
    }
    assert_int_equal(CRYPTO_secure_used(), used);
}

static void random_hex_has_two_lower_case_digits_a_byte(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    Err err;
    const char *one = NULL;
    const char *two = NULL;
    assert_true(secret_random_hex(arena, 16, &one, &err));
    assert_true(secret_random_hex(arena, 16, &two, &err));
    assert_int_equal(strlen(one), 32);
    assert_int_equal(strspn(one, "0123456789abcdef"), 32);
    assert_string_not_equal(one, two);
    assert_true(secret_random_hex(arena, 0, &one, &err));
    assert_string_equal(one, "");
}

static void random_uuid_has_version_4_and_the_variant_of_the_rfc(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    for (int i = 0; i < 64; i++) {
        Err err;
        const char *uuid = NULL;
        assert_true(secret_random_uuid(arena, &uuid, &err));
        assert_int_equal(strlen(uuid), 36);
        assert_int_equal(strspn(uuid, "0123456789abcdef-"), 36);
        assert_true(uuid[8] == '-' && uuid[13] == '-' && uuid[18] == '-' && uuid[23] == '-');
        assert_int_equal(uuid[14], '4');
        assert_non_null(strchr("89ab", uuid[19]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_works_when_memory_may_not_be_locked),
        cmocka_unit_test(init_forbids_core_files_and_ptrace_and_may_be_repeated),
        cmocka_unit_test(wipe_zeroes_memory),
        cmocka_unit_test(the_secure_heap_holds_hundreds_of_passwords_and_says_when_it_is_full),
        cmocka_unit_test(random_hex_has_two_lower_case_digits_a_byte),
        cmocka_unit_test(random_uuid_has_version_4_and_the_variant_of_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
