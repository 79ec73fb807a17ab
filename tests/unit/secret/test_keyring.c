#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "core/array.h"
#include "core/file.h"
#include "secret/internal.h"

#define KEY_A "1111111111111111111111111111111111111111111111111111111111111111"
#define KEY_B "22222222222222222222222222222222222222222222222222222222222222bB"
#define RESTORE_HINT "restore the file from your copy, or set TENANTRY_MASTER_KEY"

typedef struct Fixture {
    Arena *arena;
    char folder[64];
    const char *path; /* of a key file in folder; not there yet */
} Fixture;

/* What the random generator keeps on the secure heap from its first use on. */
static size_t secure_used;

static int init(void **state)
{
    (void)state;
    Err err;
    uint8_t byte;
    const bool is_ready = secret_init(&err) && secure_random(&byte, 1, &err);
    secure_used = CRYPTO_secure_used();
    return is_ready ? 0 : -1;
}

static int set_up(void **state)
{
    Fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->arena = arena_new();
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/tenantry-keyring-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    fixture->path = arena_printf(fixture->arena, "%s/master.key", fixture->folder);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *fixture = *state;
    Err err;
    assert_true(file_remove_tree(fixture->folder, &err));
    arena_free(fixture->arena);
    free(fixture);
    assert_int_equal(CRYPTO_secure_used(), secure_used);
    return 0;
}

static void put_file(const Fixture *fixture, const char *text, mode_t mode)
{
    Err err;
    assert_true(file_write_atomic(fixture->path, text, strlen(text), mode, &err));
}

static const char *get_file(const Fixture *fixture)
{
    Err err;
    const char *text = NULL;
    size_t length = 0;
    assert_true(
        file_read(fixture->arena, fixture->path, LIMIT_KEY_FILE_BYTES, &text, &length, &err));
    return text;
}

static Keyring *open_file(const Fixture *fixture)
{
    Err err = {0};
    Keyring *keyring = NULL;
    if (!keyring_open(&(KeySource){.file = fixture->path}, &keyring, &err)) {
        print_error("%s\n", err.message);
    }
    assert_non_null(keyring);
    return keyring;
}

static void refuse(const KeySource *source, ErrCode code, const char *message, const char *hint)
{
    Err err = {0};
    Keyring *keyring = NULL;
    assert_false(keyring_open(source, &keyring, &err));
    assert_null(keyring);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
    assert_int_equal(err.code, code);
    assert_null(strstr(err.message, "11111111"));
}

static void open_reads_keys_between_blanks_and_comments(void **state)
{
    (void)state;
    Err err;
    Keyring *keyring = NULL;
    const KeySource source = {.text = "# comment\n\n  \t\n \t" KEY_A " # here\r\n" KEY_B};
    assert_true(keyring_open(&source, &keyring, &err));
    assert_int_equal(keyring_count(keyring), 2);
    assert_int_equal(CRYPTO_secure_allocated(keyring), 1);
    assert_int_equal(keyring->keys[0].key.bytes[31], 0x11);
    assert_int_equal(keyring->keys[1].key.bytes[31], 0xbb);
    assert_true(keyring_has(keyring, keyring_id(keyring, 1)));
    assert_false(keyring_has(keyring, "0123456789abcdef"));
    assert_null(keyring_close(keyring));
    assert_null(keyring_close(NULL));
}

/* Fixes the derivation: the database knows its keys by these ids. Computed with another
 * implementation of HKDF. */
static void the_id_of_a_key_never_changes(void **state)
{
    (void)state;
    Err err;
    Keyring *keyring = NULL;
    assert_true(keyring_open(&(KeySource){.text = KEY_A}, &keyring, &err));
    assert_string_equal(keyring_id(keyring, 0), "0ac09cfbe1449937");
    keyring_close(keyring);
}

static void the_variable_wins_over_the_file(void **state)
{
    const Fixture *fixture = *state;
    Err err;
    Keyring *keyring = NULL;
    put_file(fixture, KEY_B "\n", 0600);
    assert_true(keyring_open(&(KeySource){.text = KEY_A, .file = fixture->path}, &keyring, &err));
    assert_int_equal(keyring_count(keyring), 1);
    assert_int_equal(keyring->keys[0].key.bytes[0], 0x11);
    keyring_close(keyring);
}

static void open_says_which_line_is_not_a_key_without_showing_it(void **state)
{
    (void)state;
    const char *hint =
        "restore the key from your copy; a key is 64 hex digits on a line of its own";
    static const char short_key[] = "# x\n1111111111111111\n";
    refuse(&(KeySource){.text = short_key}, ERR_KEY_WRONG,
           "line 2 of \"TENANTRY_MASTER_KEY\" has 16 characters, expected 64 hex digits", hint);
    refuse(&(KeySource){.text = KEY_B "\n" KEY_A "1"}, ERR_KEY_WRONG,
           "line 2 of \"TENANTRY_MASTER_KEY\" has 65 characters, expected 64 hex digits", hint);
    refuse(&(KeySource){.text = "1x11111111111111111111111111111111111111111111111111111111111111"},
           ERR_KEY_WRONG,
           "character 2 of the key in line 1 of \"TENANTRY_MASTER_KEY\" is not a hex digit", hint);
    refuse(&(KeySource){.text = "111111111111111111111111111111111111111111111111111111111111111g"},
           ERR_KEY_WRONG,
           "character 64 of the key in line 1 of \"TENANTRY_MASTER_KEY\" is not a hex digit", hint);
    refuse(&(KeySource){.text = KEY_A " " KEY_B}, ERR_KEY_WRONG,
           "line 1 of \"TENANTRY_MASTER_KEY\" has 129 characters, expected 64 hex digits", hint);
}

static void open_refuses_the_same_key_twice(void **state)
{
    (void)state;
    refuse(&(KeySource){.text = KEY_A "\n\n" KEY_A "\n"}, ERR_KEY_WRONG,
           "line 3 of \"TENANTRY_MASTER_KEY\" repeats the key \"0ac09cfbe1449937\"",
           "remove one of the two lines");
}

static void open_refuses_more_keys_than_the_limit(void **state)
{
    const Fixture *fixture = *state;
    char *text = arena_alloc(fixture->arena, (LIMIT_MASTER_KEYS + 1) * 65 + 1);
    for (int i = 0; i <= LIMIT_MASTER_KEYS; i++) {
        snprintf(text + (ptrdiff_t)i * 65, 66, "%064x\n", (unsigned)i);
    }
    refuse(&(KeySource){.text = text}, ERR_LIMIT,
           "line 65 of \"TENANTRY_MASTER_KEY\": there are more than 64 master keys",
           "remove the keys that no secret needs any more");
}

static void open_refuses_a_source_without_a_key(void **state)
{
    const Fixture *fixture = *state;
    refuse(&(KeySource){0}, ERR_KEY_MISSING,
           "there is no master key: neither TENANTRY_MASTER_KEY nor a key file is given",
           "set TENANTRY_MASTER_KEY, or name a key file");
    refuse(&(KeySource){.text = ""}, ERR_KEY_MISSING, "\"TENANTRY_MASTER_KEY\" holds no key",
           "put the 64 hex digits of the key into TENANTRY_MASTER_KEY, or unset it to use the key "
           "file");
    const KeySource source = {.file = fixture->path};
    refuse(&source, ERR_KEY_MISSING,
           arena_printf(fixture->arena, "the key file \"%s\" is not there", fixture->path),
           RESTORE_HINT);
    put_file(fixture, "# nothing but a comment", 0600);
    refuse(&source, ERR_KEY_MISSING,
           arena_printf(fixture->arena, "\"%s\" holds no key", fixture->path), RESTORE_HINT);
}

static void open_refuses_a_file_that_others_may_use(void **state)
{
    const Fixture *fixture = *state;
    const mode_t modes[] = {0640, 0604, 0610, 0602};
    for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
        put_file(fixture, KEY_A "\n", modes[i]);
        refuse(&(KeySource){.file = fixture->path}, ERR_DATA_DIR,
               arena_printf(fixture->arena,
                            "the key file \"%s\" has mode %04o: others than its owner may use it",
                            fixture->path, modes[i]),
               arena_printf(fixture->arena, "chmod 600 %s", fixture->path));
    }
}

static const char other_file[] = "name a key file that this user can read and write";

static void open_refuses_a_folder_a_fifo_and_a_file_past_the_limit(void **state)
{
    const Fixture *fixture = *state;
    const KeySource source = {.file = fixture->path};
    const char *message = arena_printf(fixture->arena, "the key file \"%s\" is not a regular file",
                                       fixture->path);
    refuse(
        &(KeySource){.file = fixture->folder}, ERR_DATA_DIR,
        arena_printf(fixture->arena, "the key file \"%s\" is not a regular file", fixture->folder),
        other_file);
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    refuse(&source, ERR_DATA_DIR, message, other_file);
    char *text = arena_alloc(fixture->arena, LIMIT_KEY_FILE_BYTES + 2);
    memset(text, '#', LIMIT_KEY_FILE_BYTES + 1);
    put_file(fixture, text, 0600);
    refuse(&source, ERR_LIMIT,
           arena_printf(fixture->arena, "\"%s\" has 65537 bytes, 65536 at most are allowed",
                        fixture->path),
           other_file);
    refuse(&(KeySource){.text = text}, ERR_LIMIT,
           "\"TENANTRY_MASTER_KEY\" has 65537 bytes, 65536 at most are allowed", "");
}

static void create_writes_one_key_that_only_the_owner_may_read(void **state)
{
    const Fixture *fixture = *state;
    Err err;
    assert_true(keyring_create_file(fixture->path, &err));
    struct stat status;
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_mode & 07777U, 0600);
    assert_int_equal(status.st_nlink, 1);
    assert_int_equal(strncmp(get_file(fixture), key_text_header, strlen(key_text_header)), 0);
    Keyring *keyring = open_file(fixture);
    assert_int_equal(keyring_count(keyring), 1);
    assert_non_null(strstr(get_file(fixture), keyring_id(keyring, 0)));
    keyring_close(keyring);
}

static void create_refuses_a_file_that_exists_and_leaves_it(void **state)
{
    const Fixture *fixture = *state;
    Err err = {0};
    put_file(fixture, KEY_A "\n", 0600);
    assert_false(keyring_create_file(fixture->path, &err));
    assert_int_equal(err.code, ERR_DATA_DIR);
    assert_string_equal(err.message,
                        arena_printf(fixture->arena, "the key file \"%s\" exists", fixture->path));
    assert_string_equal(err.hint, "use the keys in it, or move it away");
    assert_string_equal(get_file(fixture), KEY_A "\n");
    assert_int_equal(rmdir(fixture->folder), -1);
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(rmdir(fixture->folder), 0); /* nothing else was left there */
}

static void create_says_when_the_folder_is_missing(void **state)
{
    const Fixture *fixture = *state;
    Err err = {0};
    assert_false(
        keyring_create_file(arena_printf(fixture->arena, "%s/no/key", fixture->folder), &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "No such file or directory"));
}

static void add_appends_a_key_and_keeps_what_is_in_the_file(void **state)
{
    const Fixture *fixture = *state;
    Err err;
    const char *id = NULL;
    put_file(fixture, "# mine\n" KEY_A " # old", 0600);
    Keyring *keyring = open_file(fixture);
    assert_true(keyring_add_to_file(keyring, fixture->path, &id, &err));
    assert_int_equal(keyring_count(keyring), 2);
    assert_string_equal(keyring_id(keyring, 1), id);
    const char *text = get_file(fixture);
    const char *kept = "# mine\n" KEY_A " # old\n";
    assert_int_equal(strncmp(text, kept, strlen(kept)), 0);
    Keyring *again = open_file(fixture);
    assert_int_equal(keyring_count(again), 2);
    assert_memory_equal(&again->keys[1], &keyring->keys[1], sizeof again->keys[1]);
    keyring_close(again);
    keyring_close(keyring);
}

static void add_follows_a_link_to_the_file(void **state)
{
    const Fixture *fixture = *state;
    Err err;
    const char *id = NULL;
    const char *link_path = arena_printf(fixture->arena, "%s/link", fixture->folder);
    put_file(fixture, KEY_A "\n", 0600);
    assert_int_equal(symlink("master.key", link_path), 0);
    Keyring *keyring = open_file(fixture);
    assert_true(keyring_add_to_file(keyring, link_path, &id, &err));
    struct stat status;
    assert_int_equal(lstat(link_path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_non_null(strstr(get_file(fixture), id));
    keyring_close(keyring);
}

static void add_without_a_file_leaves_the_keyring_alone(void **state)
{
    const Fixture *fixture = *state;
    Err err = {0};
    Keyring *keyring = NULL;
    const char *id = NULL;
    assert_true(keyring_open(&(KeySource){.text = KEY_A}, &keyring, &err));
    assert_false(keyring_add_to_file(keyring, fixture->path, &id, &err));
    assert_int_equal(err.code, ERR_KEY_MISSING);
    assert_string_equal(
        err.message,
        arena_printf(fixture->arena, "the key file \"%s\" is not there", fixture->path));
    assert_string_equal(err.hint, RESTORE_HINT);
    assert_int_equal(keyring_count(keyring), 1);
    keyring_close(keyring);
}

static void add_refuses_a_file_that_would_pass_the_limit(void **state)
{
    const Fixture *fixture = *state;
    Err err = {0};
    const char *id = NULL;
    char *text = arena_alloc(fixture->arena, LIMIT_KEY_FILE_BYTES + 1);
    memset(text, '#', LIMIT_KEY_FILE_BYTES);
    memcpy(text, KEY_A, strlen(KEY_A));
    put_file(fixture, text, 0600);
    Keyring *keyring = open_file(fixture);
    assert_false(keyring_add_to_file(keyring, fixture->path, &id, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.message, "would have 65621 bytes, 65536 at most are allowed"));
    assert_string_equal(err.hint, "remove comments from it");
    assert_int_equal(keyring_count(keyring), 1);
    assert_string_equal(get_file(fixture), text);
    keyring_close(keyring);
}

static int add_keys(const Fixture *fixture, int count)
{
    Err err;
    const char *id = NULL;
    Keyring *keyring = NULL;
    bool is_ok = keyring_open(&(KeySource){.file = fixture->path}, &keyring, &err);
    for (int i = 0; is_ok && i < count; i++) {
        is_ok = keyring_add_to_file(keyring, fixture->path, &id, &err);
    }
    keyring_close(keyring);
    return is_ok ? 0 : 1;
}

static void no_key_is_lost_when_processes_add_at_the_same_time(void **state)
{
    const Fixture *fixture = *state;
    enum { PROCESSES = 3, KEYS = 8 };
    pid_t children[PROCESSES];
    put_file(fixture, KEY_A "\n", 0600);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            _exit(add_keys(fixture, KEYS));
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    Keyring *keyring = open_file(fixture);
    assert_int_equal(keyring_count(keyring), 1 + PROCESSES * KEYS);
    keyring_close(keyring);
}

static void add_refuses_a_file_that_its_owner_made_read_only(void **state)
{
    const Fixture *fixture = *state;
    Err err = {0};
    const char *id = NULL;
    put_file(fixture, KEY_A "\n", 0400);
    assert_false(keyring_may_write_file(fixture->path));
    Keyring *keyring = open_file(fixture);
    assert_false(keyring_add_to_file(keyring, fixture->path, &id, &err));
    assert_int_equal(err.code, ERR_DATA_DIR);
    assert_string_equal(
        err.message,
        arena_printf(fixture->arena, "the key file \"%s\" may not be written", fixture->path));
    assert_int_equal(keyring_count(keyring), 1);
    assert_string_equal(get_file(fixture), KEY_A "\n");
    keyring_close(keyring);
    put_file(fixture, KEY_A "\n", 0600);
    assert_true(keyring_may_write_file(fixture->path));
}

static void put_writes_a_key_that_was_made_before_once(void **state)
{
    const Fixture *fixture = *state;
    Err err;
    const char *id = NULL;
    put_file(fixture, KEY_A "\n", 0600);
    Keyring *keyring = open_file(fixture);
    assert_true(keyring_make(keyring, &id, &err));
    assert_string_equal(get_file(fixture), KEY_A "\n");
    assert_true(keyring_put_in_file(keyring, fixture->path, id, &err));
    assert_true(keyring_put_in_file(keyring, fixture->path, id, &err));
    Keyring *again = open_file(fixture);
    assert_int_equal(keyring_count(again), 2);
    assert_memory_equal(&again->keys[1], &keyring->keys[1], sizeof again->keys[1]);
    keyring_close(again);
    keyring_close(keyring);
}

static void drop_takes_the_named_keys_and_leaves_the_others_and_the_comments(void **state)
{
    const Fixture *fixture = *state;
    Err err;
    const char *id = NULL;
    put_file(fixture, "# mine\n" KEY_A " # old\n" KEY_B "# theirs\n# end", 0600);
    Keyring *keyring = open_file(fixture);
    const char *old[] = {arena_strdup(fixture->arena, keyring_id(keyring, 0)), "0123456789abcdef"};
    const char *theirs = arena_strdup(fixture->arena, keyring_id(keyring, 1));
    assert_true(keyring_add_to_file(keyring, fixture->path, &id, &err));
    const char *active = arena_strdup(fixture->arena, id);
    assert_true(keyring_drop_from_file(keyring, fixture->path, active, old, 2, &err));
    assert_int_equal(keyring_count(keyring), 2);
    assert_string_equal(keyring_id(keyring, 0), theirs);
    assert_string_equal(keyring_id(keyring, 1), active);
    const char *text = get_file(fixture);
    const char *kept = "# mine\n" KEY_B "# theirs\n# end\n";
    assert_int_equal(strncmp(text, kept, strlen(kept)), 0);
    Keyring *again = open_file(fixture);
    assert_int_equal(keyring_count(again), 2);
    assert_memory_equal(again->keys, keyring->keys, 2 * sizeof again->keys[0]);
    keyring_close(again);
    keyring_close(keyring);
}

static void drop_leaves_a_key_that_came_in_the_meantime(void **state)
{
    const Fixture *fixture = *state;
    Err err = {0};
    put_file(fixture, KEY_B "\n", 0600);
    Keyring *keyring = open_file(fixture);
    const char *old = arena_strdup(fixture->arena, keyring_id(keyring, 0));
    put_file(fixture, KEY_B "\n" KEY_A "\n", 0600);
    assert_true(keyring_drop_from_file(keyring, fixture->path, "0ac09cfbe1449937", &old, 1, &err));
    assert_string_equal(get_file(fixture), KEY_A "\n");
    keyring_close(keyring);
}

static void drop_refuses_while_the_file_lacks_the_active_key(void **state)
{
    const Fixture *fixture = *state;
    Err err = {0};
    put_file(fixture, KEY_A "\n", 0600);
    Keyring *keyring = open_file(fixture);
    const char *old = arena_strdup(fixture->arena, keyring_id(keyring, 0));
    assert_false(keyring_drop_from_file(keyring, fixture->path, "0123456789abcdef", &old, 1, &err));
    assert_int_equal(err.code, ERR_KEY_MISSING);
    assert_string_equal(err.message, "there is no master key with the id \"0123456789abcdef\"");
    assert_false(keyring_drop_from_file(keyring, fixture->path, old, &old, 1, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_string_equal(get_file(fixture), KEY_A "\n");
    keyring_close(keyring);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(open_reads_keys_between_blanks_and_comments),
        TEST(the_id_of_a_key_never_changes),
        TEST(the_variable_wins_over_the_file),
        TEST(open_says_which_line_is_not_a_key_without_showing_it),
        TEST(open_refuses_the_same_key_twice),
        TEST(open_refuses_more_keys_than_the_limit),
        TEST(open_refuses_a_source_without_a_key),
        TEST(open_refuses_a_file_that_others_may_use),
        TEST(open_refuses_a_folder_a_fifo_and_a_file_past_the_limit),
        TEST(create_writes_one_key_that_only_the_owner_may_read),
        TEST(create_refuses_a_file_that_exists_and_leaves_it),
        TEST(create_says_when_the_folder_is_missing),
        TEST(add_appends_a_key_and_keeps_what_is_in_the_file),
        TEST(add_follows_a_link_to_the_file),
        TEST(add_without_a_file_leaves_the_keyring_alone),
        TEST(add_refuses_a_file_that_would_pass_the_limit),
        TEST(no_key_is_lost_when_processes_add_at_the_same_time),
        TEST(add_refuses_a_file_that_its_owner_made_read_only),
        TEST(put_writes_a_key_that_was_made_before_once),
        TEST(drop_takes_the_named_keys_and_leaves_the_others_and_the_comments),
        TEST(drop_leaves_a_key_that_came_in_the_meantime),
        TEST(drop_refuses_while_the_file_lacks_the_active_key),
    };
    return cmocka_run_group_tests(tests, init, NULL);
}
