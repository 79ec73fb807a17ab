/* Starts real servers, in folders of its own and on Unix sockets (one on a loopback port). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/array.h"
#include "core/clock.h"
#include "core/file.h"
#include "pg/embedded_parts.h"
#include "secret/secret.h"
#include "server_fixture.h"

enum { LOG_MAX_BYTES = 1024 * 1024, DEATH_WAIT_MS = 20000, DEATH_POLL_MS = 5 };

/* The cluster that most tests share: making one takes seconds. */
static Fixture *shared;

static int make_shared(void **state)
{
    (void)state;
    Err err = {0};
    assert_true(secret_init(&err));
    shared = fixture_new();
    return 0;
}

static int free_shared(void **state)
{
    (void)state;
    fixture_free(shared);
    return 0;
}

/* Gone, or waiting for somebody to collect it. */
static bool is_dead(const Fixture *fixture, pid_t pid)
{
    char text[256] = "";
    FILE *file = fopen(arena_printf(fixture->arena, "/proc/%d/stat", (int)pid), "re");
    if (file == NULL) {
        return true;
    }
    const bool is_read = fgets(text, sizeof text, file) != NULL;
    fclose(file);
    return !is_read || strstr(text, ") Z ") != NULL;
}

/* A server counts as stopped from when its process holds no files any more; the process itself may
 * be there for a moment longer. */
static bool dies(const Fixture *fixture, pid_t pid)
{
    const int64_t deadline_us = clock_monotonic_us() + DEATH_WAIT_MS * INT64_C(1000);
    while (!is_dead(fixture, pid)) {
        if (clock_monotonic_us() >= deadline_us) {
            return false;
        }
        clock_sleep_ms(DEATH_POLL_MS);
    }
    return true;
}

static void kill_postmaster(const Fixture *fixture)
{
    assert_true(fixture->status.pid > 1);
    assert_int_equal(kill(fixture->status.pid, SIGKILL), 0);
}

/* A process of the server's user that is no server. */
static pid_t start_other_program(const Fixture *fixture)
{
    ProcessUser user = {0};
    Err err = {0};
    if (geteuid() == 0) {
        assert_true(process_find_user(fixture->arena, "postgres", &user, &err));
    }
    const pid_t pid = fork();
    if (pid == 0) {
        if (user.is_set && (setgid(user.gid) != 0 || setuid(user.uid) != 0)) {
            _exit(1);
        }
        execl("/bin/sleep", "sleep", "1000", (char *)NULL);
        _exit(1);
    }
    /* Until it is what it will be, the system may say anything about it. */
    const char *comm = arena_printf(fixture->arena, "/proc/%d/comm", (int)pid);
    for (int i = 0; i < 500; i++) {
        char text[16] = "";
        FILE *file = fopen(comm, "re");
        assert_non_null(file);
        const bool is_read = fgets(text, sizeof text, file) != NULL;
        fclose(file);
        if (is_read && strcmp(text, "sleep\n") == 0) {
            return pid;
        }
        clock_sleep_ms(10);
    }
    fail();
    return 0;
}

static void end_child(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* A TCP socket on the loopback; its port in ret_port. */
static int listen_somewhere(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void status_of_nothing_is_absent_and_changes_nothing(void **state)
{
    Fixture *fixture = *state;
    assert_int_equal(fixture_look(fixture), EMBEDDED_ABSENT);
    assert_null(fixture->status.data_version);
    assert_int_equal(fixture->status.pid, 0);
    assert_false(fixture_down(fixture));
    assert_false(file_exists(fixture->options.data_dir));
}

static void up_makes_a_server_and_up_again_finds_it(void **state)
{
    (void)state;
    assert_true(fixture_up(shared));
    assert_non_null(strstr(shared->progress, "initialising the data directory"));
    const pid_t pid = shared->status.pid;
    assert_true(pid > 1);
    assert_false(fixture_up(shared));
    assert_int_equal(shared->status.pid, pid);
    assert_int_equal(fixture_look(shared), EMBEDDED_RUNNING);
    assert_int_equal(shared->status.pid, pid);
    assert_int_equal(shared->status.port, 0);
    assert_non_null(shared->status.data_version);
    assert_string_equal(shared->status.socket_dir, fixture_path(shared, "run"));
}

static void the_server_is_in_no_session_of_ours(void **state)
{
    (void)state;
    fixture_up(shared);
    assert_true(getsid(shared->status.pid) != getsid(0));
    assert_true(getpgid(shared->status.pid) != getpgid(0));
}

static void the_control_role_connects_with_its_password_and_is_no_superuser(void **state)
{
    (void)state;
    fixture_up(shared);
    PGconn *connection = connect_to(shared->status.conninfo);
    assert_true(PQconnectionUsedPassword(connection));
    expect_answer(connection,
                  "SELECT format('%s %s %s %s %s %s', rolname, rolsuper, rolcreaterole, "
                  "rolcreatedb, rolreplication, rolbypassrls) FROM pg_roles WHERE rolname = "
                  "current_user",
                  "tenantry f t f f f");
    expect_answer(connection,
                  "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'tenantry'",
                  "tenantry");
    PQfinish(connection);
}

static void the_public_may_nothing(void **state)
{
    (void)state;
    fixture_up(shared);
    PGconn *connection = connect_to(shared->status.conninfo);
    expect_answer(connection,
                  "SELECT bool_or(has_database_privilege('public', datname, p)) FROM pg_database, "
                  "unnest(array['CONNECT', 'TEMP', 'CREATE']) p WHERE datname <> 'template0'",
                  "f");
    expect_answer(connection,
                  "SELECT has_schema_privilege('public', 'public', 'USAGE') OR "
                  "has_schema_privilege('public', 'monitoring', 'USAGE')",
                  "f");
    PQfinish(connection);
}

static void the_server_is_set_as_the_contract_says(void **state)
{
    (void)state;
    static const char *const settings[][2] = {
        {"data_checksums", "on"},
        {"server_encoding", "UTF8"},
        {"lc_messages", "C"},
        {"wal_level", "logical"},
        {"password_encryption", "scram-sha-256"},
        {"listen_addresses", ""},
        {"log_min_error_statement", "panic"},
        {"log_error_verbosity", "terse"},
        {"cluster_name", "tenantry"},
        {"jit", "off"},
        {"TimeZone", "UTC"},
        {"unix_socket_permissions", "0777"},
    };
    fixture_up(shared);
    PGconn *connection = connect_to(shared->status.conninfo);
    for (size_t i = 0; i < ARRAY_COUNT(settings); i++) {
        expect_answer(connection, arena_printf(shared->arena, "SHOW %s", settings[i][0]),
                      settings[i][1]);
    }
    expect_answer(connection,
                  "SELECT datcollate || ' ' || datctype FROM pg_database WHERE datname = "
                  "'tenantry'",
                  "C.UTF-8 C.UTF-8");
    PQfinish(connection);
}

static void a_wrong_password_and_no_password_are_refused(void **state)
{
    (void)state;
    fixture_up(shared);
    static const char *const users[] = {EMBEDDED_CONTROL, EMBEDDED_ADMIN};
    for (size_t i = 0; i < 2; i++) {
        const char *base = arena_printf(shared->arena, "host='%s' port=%d dbname=%s user=%s",
                                        shared->status.socket_dir, EMBEDDED_SOCKET_PORT,
                                        EMBEDDED_DATABASE, users[i]);
        static const char *const passwords[] = {"passfile=/nowhere", "password=wrong"};
        for (size_t k = 0; k < 2; k++) {
            PGconn *connection = PQconnectdb(
                arena_printf(shared->arena, "%s %s", base, passwords[k]));
            assert_int_equal(PQstatus(connection), CONNECTION_BAD);
            assert_true(PQconnectionNeedsPassword(connection) ||
                        strstr(PQerrorMessage(connection), "password authentication failed"));
            PQfinish(connection);
        }
    }
}

static void files_have_the_owners_and_modes_of_the_contract(void **state)
{
    (void)state;
    fixture_up(shared);
    struct stat status;
    assert_int_equal(stat(fixture_path(shared, "server.pass"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_uid, geteuid());
    assert_int_equal(stat(shared->options.data_dir, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0755);
    assert_int_equal(status.st_uid, geteuid());
    assert_int_equal(stat(fixture_path(shared, "run"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0755);
    const uid_t server_uid = status.st_uid;
    assert_true(geteuid() != 0 || server_uid != 0);
    assert_int_equal(stat(fixture_path(shared, "pg"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(status.st_uid, server_uid);
}

static void statements_and_row_values_stay_out_of_the_log(void **state)
{
    (void)state;
    fixture_up(shared);
    PGconn *connection = connect_to(shared->status.conninfo);
    static const char *const statements[] = {
        "SELECT 'hush-1' FROM nowhere",
        "CREATE TEMP TABLE t (v text PRIMARY KEY); INSERT INTO t VALUES ('hush-2'), ('hush-2')",
        "DO $$ BEGIN PERFORM 'hush-3', 1 / 0; END $$",
        "CREATE ROLE tenantry PASSWORD 'hush-4'",
    };
    for (size_t i = 0; i < ARRAY_COUNT(statements); i++) {
        PGresult *result = PQexec(connection, statements[i]);
        assert_int_equal(PQresultStatus(result), PGRES_FATAL_ERROR);
        PQclear(result);
    }
    PQfinish(connection);
    const char *log = NULL;
    size_t length = 0;
    assert_true(file_read(shared->arena, fixture_path(shared, "server.log"), LOG_MAX_BYTES, &log,
                          &length, &shared->err));
    assert_non_null(strstr(log, "division by zero"));
    assert_null(strstr(log, "hush"));
}

static void down_stops_it_and_down_again_finds_nothing(void **state)
{
    (void)state;
    fixture_up(shared);
    const pid_t pid = shared->status.pid;
    assert_true(fixture_down(shared));
    assert_int_equal(fixture_look(shared), EMBEDDED_STOPPED);
    assert_int_equal(shared->status.pid, 0);
    assert_true(dies(shared, pid));
    assert_false(fixture_down(shared));
    assert_true(fixture_up(shared));
    assert_null(strstr(shared->progress, "initialising"));
}

/* From here on the kernel refuses this call to the process. */
static bool refuse_call(long call, int number)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)number),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = ARRAY_COUNT(filter), .filter = filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Whoever sends a signal to a number may reach another process than the one that it looked at. */
static void
a_server_is_stopped_by_its_pidfd_and_by_its_number_only_where_there_are_none(void **state)
{
    (void)state;
    enum { STOPPED = 10, NOT_STOPPED = 11, NO_FILTER = 12, STOP_MS = 20000 };
    static const struct {
        long call;
        int number;
    } refused[] = {{SYS_kill, EPERM}, {SYS_pidfd_open, ENOSYS}};
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        fixture_up(shared);
        const pid_t child = fork();
        if (child == 0) {
            bool is_stopped = false;
            if (!refuse_call(refused[i].call, refused[i].number)) {
                _exit(NO_FILTER);
            }
            const bool is_down = embedded_down(shared->arena, &shared->options, STOP_MS,
                                               &is_stopped, &shared->err);
            _exit(is_down && is_stopped ? STOPPED : NOT_STOPPED);
        }
        int exit_status = 0;
        assert_int_equal(waitpid(child, &exit_status, 0), child);
        assert_true(WIFEXITED(exit_status));
        if (WEXITSTATUS(exit_status) == NO_FILTER) {
            skip();
        }
        assert_int_equal(WEXITSTATUS(exit_status), STOPPED);
        assert_int_equal(fixture_look(shared), EMBEDDED_STOPPED);
    }
}

static void a_killed_server_is_started_again_though_a_process_of_it_lives(void **state)
{
    (void)state;
    fixture_up(shared);
    PGconn *busy = connect_to(shared->status.conninfo);
    /* Never waits, so that it does not notice by itself that its server is gone. */
    assert_int_equal(PQsendQuery(busy, "DO $$ BEGIN LOOP END LOOP; END $$"), 1);
    assert_int_equal(PQflush(busy), 0);
    const pid_t backend = PQbackendPID(busy);
    kill_postmaster(shared);
    assert_true(fixture_up(shared));
    assert_true(dies(shared, backend));
    PQfinish(busy);
    PQfinish(connect_to(shared->status.conninfo));
}

static void a_server_whose_socket_is_gone_is_told_at_once(void **state)
{
    (void)state;
    fixture_up(shared);
    assert_int_equal(rename(fixture_path(shared, "run"), fixture_path(shared, "away")), 0);
    fixture_expect_up_fails(shared, ERR_SERVER_FAILED, "does not answer on its socket",
                            "tenantry down, then tenantry up");
    assert_true(fixture_down(shared));
    assert_true(fixture_up(shared));
    assert_true(file_remove_tree(fixture_path(shared, "away"), &shared->err));
}

static void a_pid_file_that_names_another_program_is_removed(void **state)
{
    (void)state;
    fixture_up(shared);
    assert_true(fixture_down(shared));
    const pid_t other = start_other_program(shared);
    const char *pid_path = fixture_path(shared, "pg/postmaster.pid");
    const char *lock_path = fixture_path(shared, "run/.s.PGSQL.5432.lock");
    const char *text = arena_printf(shared->arena, "%d\n%s\n1700000000\n5432\n%s\n\n 1 2\nready\n",
                                    (int)other, fixture_path(shared, "pg"),
                                    fixture_path(shared, "run"));
    assert_true(file_write_atomic(pid_path, text, strlen(text), 0600, &shared->err));
    assert_true(file_write_atomic(lock_path, text, strlen(text), 0600, &shared->err));
    assert_int_equal(fixture_look(shared), EMBEDDED_STOPPED);
    assert_false(fixture_down(shared));
    assert_true(fixture_up(shared));
    assert_int_equal(kill(other, 0), 0); /* nobody shot at it */
    end_child(other);
    assert_non_null(strstr(shared->progress, "is not this server"));
}

static void an_empty_pid_file_does_not_stop_the_start(void **state)
{
    (void)state;
    fixture_up(shared);
    assert_true(fixture_down(shared));
    const char *path = fixture_path(shared, "pg/postmaster.pid");
    assert_true(file_write_atomic(path, "", 0, 0600, &shared->err));
    assert_int_equal(fixture_look(shared), EMBEDDED_STOPPED);
    assert_true(fixture_up(shared));
}

static void settings_of_the_operator_win_and_wrong_ones_are_named(void **state)
{
    (void)state;
    fixture_up(shared);
    assert_true(fixture_down(shared));
    const char *path = fixture_path(shared, "postgresql.local.conf");
    const char *wrong = "work_mem = 'plenty'\n";
    assert_true(file_write_atomic(path, wrong, strlen(wrong), 0644, &shared->err));
    fixture_expect_up_fails(shared, ERR_CONFIG_INVALID, "invalid value for parameter \"work_mem\"",
                            "postgresql.local.conf");
    const char *right = "work_mem = '7MB'\n";
    assert_true(file_write_atomic(path, right, strlen(right), 0644, &shared->err));
    assert_true(fixture_up(shared));
    PGconn *connection = connect_to(shared->status.conninfo);
    expect_answer(connection, "SHOW work_mem", "7MB");
    PQfinish(connection);
}

static void a_port_that_is_taken_is_named_and_a_free_one_serves(void **state)
{
    (void)state;
    fixture_up(shared);
    assert_true(fixture_down(shared));
    const int fd = listen_somewhere(&shared->options.port);
    fixture_expect_up_fails(shared, ERR_PORT_IN_USE,
                            arena_printf(shared->arena, "port %d is in use", shared->options.port),
                            "--port");
    close(fd);
    assert_true(fixture_up(shared)); /* the port that was free a moment ago */
    assert_int_equal(shared->status.port, shared->options.port);
    PGconn *connection = connect_to(
        arena_printf(shared->arena, "%s host=127.0.0.1", shared->status.conninfo));
    assert_true(PQconnectionUsedPassword(connection));
    PQfinish(connection);
    const int port = shared->options.port;
    shared->options.port = 0; /* what runs is told, not what is asked for now */
    assert_false(fixture_up(shared));
    assert_int_equal(shared->status.port, port);
    assert_non_null(strstr(shared->progress,
                           arena_printf(shared->arena, "keeps port %d; down, then up", port)));
    assert_true(fixture_down(shared));
    shared->options.port = EMBEDDED_PORT_KEPT;
    assert_true(fixture_up(shared));
    assert_int_equal(shared->status.port, port);
    assert_false(fixture_up(shared));
    assert_string_equal(shared->progress, "");
    assert_true(fixture_down(shared));
    shared->options.port = 0;
}

static void data_of_another_version_is_refused(void **state)
{
    (void)state;
    fixture_up(shared);
    assert_true(fixture_down(shared));
    const char *path = fixture_path(shared, "pg/PG_VERSION");
    const char *version = arena_printf(shared->arena, "%s\n", shared->status.data_version);
    assert_true(file_write_atomic(path, "11\n", 3, 0644, &shared->err));
    fixture_expect_up_fails(shared, ERR_SERVER_VERSION, "is of PostgreSQL 11, the programs in",
                            "postgresql-11");
    assert_true(file_write_atomic(path, version, strlen(version), 0644, &shared->err));
    assert_true(fixture_up(shared));
}

#define OWN(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    if (!fixture_has_programs()) {
        return EXIT_SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        OWN(status_of_nothing_is_absent_and_changes_nothing),
        cmocka_unit_test(up_makes_a_server_and_up_again_finds_it),
        cmocka_unit_test(the_server_is_in_no_session_of_ours),
        cmocka_unit_test(the_control_role_connects_with_its_password_and_is_no_superuser),
        cmocka_unit_test(the_public_may_nothing),
        cmocka_unit_test(the_server_is_set_as_the_contract_says),
        cmocka_unit_test(a_wrong_password_and_no_password_are_refused),
        cmocka_unit_test(files_have_the_owners_and_modes_of_the_contract),
        cmocka_unit_test(statements_and_row_values_stay_out_of_the_log),
        cmocka_unit_test(down_stops_it_and_down_again_finds_nothing),
        cmocka_unit_test(
            a_server_is_stopped_by_its_pidfd_and_by_its_number_only_where_there_are_none),
        cmocka_unit_test(a_killed_server_is_started_again_though_a_process_of_it_lives),
        cmocka_unit_test(a_server_whose_socket_is_gone_is_told_at_once),
        cmocka_unit_test(a_pid_file_that_names_another_program_is_removed),
        cmocka_unit_test(an_empty_pid_file_does_not_stop_the_start),
        cmocka_unit_test(settings_of_the_operator_win_and_wrong_ones_are_named),
        cmocka_unit_test(a_port_that_is_taken_is_named_and_a_free_one_serves),
        cmocka_unit_test(data_of_another_version_is_refused),
    };
    return cmocka_run_group_tests(tests, make_shared, free_shared);
}
