/* What a data directory may hold and what refuses a start; each test has a folder of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "pg/embedded_parts.h"
#include "secret/secret.h"
#include "server_fixture.h"

static void give_to_server(const Fixture *fixture, const char *path)
{
    ProcessUser user;
    Err err = {0};
    if (geteuid() == 0) {
        assert_true(process_find_user(fixture->arena, "postgres", &user, &err));
        assert_int_equal(chown(path, user.uid, user.gid), 0);
    }
}

static void a_folder_without_programs_is_refused(void **state)
{
    Fixture *fixture = *state;
    fixture->options.bin_dir = "/nowhere/bin";
    fixture_expect_up_fails(fixture, ERR_SERVER_BINARY_MISSING,
                            "program \"/nowhere/bin/postgres\" is not there", "--pg-bin-dir");
}

static void a_folder_that_is_no_data_directory_is_refused(void **state)
{
    Fixture *fixture = *state;
    assert_true(file_make_dir(fixture->options.data_dir, 0755, &fixture->err));
    assert_true(file_make_dir(fixture_path(fixture, "pg"), 0700, &fixture->err));
    give_to_server(fixture, fixture_path(fixture, "pg"));
    fixture_expect_up_fails(fixture, ERR_DATA_DIR, "exists but is no PostgreSQL data directory",
                            "--data-dir");
    assert_true(file_remove_tree(fixture_path(fixture, "pg"), &fixture->err));
}

static void data_of_another_user_is_refused_before_anything_is_touched(void **state)
{
    Fixture *fixture = *state;
    if (geteuid() != 0) {
        skip(); /* nobody else can give folders away */
    }
    ProcessUser nobody;
    struct stat status;
    assert_true(process_find_user(fixture->arena, "nobody", &nobody, &fixture->err));
    const char *pg = fixture_path(fixture, "pg");
    const char *run = fixture_path(fixture, "run");
    assert_true(file_make_dir(pg, 0700, &fixture->err));
    assert_true(file_make_dir(run, 0755, &fixture->err));
    assert_int_equal(chown(pg, nobody.uid, nobody.gid), 0);
    assert_int_equal(chown(run, nobody.uid, nobody.gid), 0);
    fixture_expect_up_fails(fixture, ERR_DATA_DIR,
                            "belongs to user \"nobody\", but the server would run as user "
                            "\"postgres\"",
                            "--server-user nobody");
    assert_int_equal(stat(run, &status), 0);
    assert_int_equal(status.st_uid, nobody.uid);
    assert_false(file_exists(fixture_path(fixture, "tenantry.conf")));
    assert_false(file_exists(fixture_path(fixture, "up.lock")));
    assert_int_equal(chown(pg, 0, 0), 0);
    fixture_expect_up_fails(fixture, ERR_DATA_DIR, "belongs to user \"root\"", "chown -R");
    assert_true(file_remove_tree(pg, &fixture->err));
}

static void a_data_directory_that_is_a_file_is_refused(void **state)
{
    Fixture *fixture = *state;
    bool is_stopped = false;
    const char *data_dir = fixture->options.data_dir;
    assert_true(file_write_atomic(data_dir, "", 0, 0644, &fixture->err));
    fixture_expect_up_fails(fixture, ERR_DATA_DIR, "is not a folder", "--data-dir");
    assert_false(embedded_down(fixture->arena, &fixture->options, 0, &is_stopped, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_DATA_DIR);
    assert_non_null(strstr(fixture->err.message, "is not a folder"));
    assert_int_equal(unlink(data_dir), 0);
}

static void an_interrupted_initialisation_is_begun_again(void **state)
{
    Fixture *fixture = *state;
    assert_true(file_make_dir(fixture->options.data_dir, 0755, &fixture->err));
    assert_true(file_make_dir(fixture_path(fixture, "pg.new/base/1"), 0700, &fixture->err));
    assert_true(file_write_atomic(fixture_path(fixture, "pg.new/PG_VERSION"), "15\n", 3, 0600,
                                  &fixture->err));
    assert_true(
        file_write_atomic(fixture_path(fixture, "server.pass"), "old", 3, 0600, &fixture->err));
    assert_int_equal(fixture_look(fixture), EMBEDDED_ABSENT);
    assert_true(fixture_up(fixture));
    assert_non_null(strstr(fixture->progress, "interrupted"));
    assert_false(file_exists(fixture_path(fixture, "pg.new")));
    PQfinish(connect_to(fixture->status.conninfo));
}

static void data_that_went_away_is_not_replaced_by_an_empty_server(void **state)
{
    Fixture *fixture = *state;
    assert_true(file_make_dir(fixture->options.data_dir, 0755, &fixture->err));
    assert_true(
        file_write_atomic(fixture_path(fixture, "server.pass"), "old", 3, 0600, &fixture->err));
    fixture_expect_up_fails(fixture, ERR_DATA_DIR, "is missing", "mount or restore that folder");
    assert_false(file_exists(fixture_path(fixture, "pg")));
    assert_true(file_exists(fixture_path(fixture, "server.pass")));
}

static void of_two_at_once_one_starts_the_server_and_both_have_it(void **state)
{
    Fixture *fixture = *state;
    enum { STARTED = 10, FOUND = 11, FAILED = 12 };
    const pid_t child = fork();
    if (child == 0) {
        bool is_started = false;
        EmbeddedStatus status;
        const bool is_up = embedded_up(fixture->arena, &fixture->options, &status, &is_started,
                                       &fixture->err);
        _exit(!is_up ? FAILED : is_started ? STARTED : FOUND);
    }
    const bool is_started = fixture_up(fixture);
    int exit_status = 0;
    assert_int_equal(waitpid(child, &exit_status, 0), child);
    assert_true(WIFEXITED(exit_status));
    assert_int_equal(WEXITSTATUS(exit_status), is_started ? FOUND : STARTED);
}

static void a_lock_that_stays_held_is_a_conflict(void **state)
{
    Fixture *fixture = *state;
    Server server;
    Err err = {0};
    int held = -1;
    int other = -1;
    assert_true(file_make_dir(fixture->options.data_dir, 0755, &err));
    assert_true(dir_resolve(fixture->arena, &fixture->options, &server, &err));
    assert_true(dir_lock(&server, 0, &held, &err));
    assert_false(dir_lock(&server, 0, &other, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_non_null(strstr(err.message, "another process is starting or stopping the server"));
    close(held);
    assert_true(dir_lock(&server, 0, &other, &err));
    close(other);
}

static void a_user_that_does_not_exist_is_refused(void **state)
{
    Fixture *fixture = *state;
    if (geteuid() != 0) {
        skip(); /* nobody else changes the user */
    }
    fixture->options.server_user = "no-such-user-here";
    fixture_expect_up_fails(fixture, ERR_CONFIG_INVALID, "there is no user \"no-such-user-here\"",
                            "--server-user");
    fixture->options.server_user = "root";
    fixture_expect_up_fails(fixture, ERR_CONFIG_INVALID, "PostgreSQL does not run as root",
                            "--server-user");
}

static void a_folder_that_the_servers_user_cannot_enter_is_named(void **state)
{
    Fixture *fixture = *state;
    if (geteuid() != 0) {
        skip(); /* the server's user is we */
    }
    const char *closed = arena_printf(fixture->arena, "%s/closed", fixture->folder);
    assert_true(file_make_dir(closed, 0700, &fixture->err));
    fixture->options.data_dir = arena_printf(fixture->arena, "%s/data", closed);
    fixture_expect_up_fails(fixture, ERR_DATA_DIR,
                            arena_printf(fixture->arena, "cannot enter folder \"%s\"", closed),
                            "--data-dir");
    assert_false(file_exists(fixture->options.data_dir));
}

/* Of the programs that a server without data would get. */
static int newest_major(const Fixture *fixture)
{
    Server server;
    Err err;
    assert_true(dir_resolve(fixture->arena, &fixture->options, &server, &err));
    assert_true(bin_find(&server, 0, &err));
    return server.programs.major;
}

static void a_file_system_that_is_too_small_is_refused_with_the_number(void **state)
{
    Fixture *fixture = *state;
    const char *data_dir = fixture->options.data_dir;
    assert_true(file_make_dir(data_dir, 0755, &fixture->err));
    /* In a mount namespace of our own, so that nothing stays mounted whatever happens. */
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", data_dir, "tmpfs", 0, "size=20m,mode=0755") != 0) {
        skip();
    }
    fixture_expect_up_fails(fixture, ERR_DISK_FULL, "a new server needs 100 MB", "--data-dir");
    assert_non_null(strstr(fixture->err.message, " 19 MB free"));
    assert_false(file_exists(fixture_path(fixture, "pg.new")));
    assert_int_equal(umount(data_dir), 0);
    /* Data that is there needs less, but something. */
    assert_int_equal(mount("tmpfs", data_dir, "tmpfs", 0, "size=10m,mode=0755"), 0);
    const char *pg = fixture_path(fixture, "pg");
    const char *version = arena_printf(fixture->arena, "%d\n", newest_major(fixture));
    assert_true(file_make_dir(pg, 0700, &fixture->err));
    assert_true(file_write_atomic(fixture_path(fixture, "pg/PG_VERSION"), version, strlen(version),
                                  0600, &fixture->err));
    assert_true(
        file_write_atomic(fixture_path(fixture, "server.pass"), "old", 3, 0600, &fixture->err));
    give_to_server(fixture, pg);
    fixture_expect_up_fails(fixture, ERR_DISK_FULL, "a start needs 16 MB", "free some space");
    assert_int_equal(umount(data_dir), 0);
}
#define OWN(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

static int set_up_secrets(void **state)
{
    (void)state;
    Err err = {0};
    assert_true(secret_init(&err));
    return 0;
}

int main(void)
{
    if (!fixture_has_programs()) {
        return EXIT_SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        OWN(a_folder_without_programs_is_refused),
        OWN(a_folder_that_is_no_data_directory_is_refused),
        OWN(data_of_another_user_is_refused_before_anything_is_touched),
        OWN(a_data_directory_that_is_a_file_is_refused),
        OWN(an_interrupted_initialisation_is_begun_again),
        OWN(data_that_went_away_is_not_replaced_by_an_empty_server),
        OWN(of_two_at_once_one_starts_the_server_and_both_have_it),
        OWN(a_lock_that_stays_held_is_a_conflict),
        OWN(a_user_that_does_not_exist_is_refused),
        OWN(a_folder_that_the_servers_user_cannot_enter_is_named),
        OWN(a_file_system_that_is_too_small_is_refused_with_the_number),
    };
    return cmocka_run_group_tests(tests, set_up_secrets, NULL);
}
