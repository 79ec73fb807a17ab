#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pg_query.h>

#include "core/arena.h"
#include "core/array.h"
#include "core/limits.h"
#include "pg/embedded_parts.h"

static const EmbeddedOptions options = {.data_dir = "/srv/tenantry", .port = 6543};

static Server make_server(Arena *arena)
{
    Server server;
    Err err;
    assert_true(dir_resolve(arena, &options, &server, &err));
    return server;
}

typedef struct LogCase {
    const char *log;
    ErrCode code;
    const char *message;
} LogCase;

#define PREFIX "2026-01-01 00:00:00.000 UTC [42] "
#define DID_NOT_START "the embedded PostgreSQL in \"/srv/tenantry\" did not start: "

static const LogCase log_cases[] = {
    {PREFIX "LOG:  could not bind IPv4 address \"127.0.0.1\": Address already in use\n" PREFIX
            "WARNING:  could not create listen socket for \"127.0.0.1\"\n" PREFIX
            "FATAL:  could not create any TCP/IP sockets\n",
     ERR_PORT_IN_USE,
     "port 6543 is in use by another program (the server says: could not bind IPv4 address "
     "\"127.0.0.1\": Address already in use)"},
    {PREFIX "FATAL:  could not create any TCP/IP sockets\n", ERR_PORT_IN_USE,
     "port 6543 is in use by another program (the server says: could not create any TCP/IP "
     "sockets)"},
    {PREFIX "LOG:  could not bind IPv4 address \"127.0.0.1\": Permission denied\n" PREFIX
            "FATAL:  could not create any TCP/IP sockets\n",
     ERR_CONFIG_INVALID,
     DID_NOT_START "could not bind IPv4 address \"127.0.0.1\": Permission denied"},
    {PREFIX "FATAL:  could not write to file \"base/1\": No space left on device\n", ERR_DISK_FULL,
     DID_NOT_START "no space is left on the device"},
    {PREFIX "FATAL:  database files are incompatible with server\n", ERR_SERVER_VERSION,
     DID_NOT_START "database files are incompatible with server"},
    {PREFIX "FATAL:  data directory \"/srv/tenantry/pg\" has group or world access\n", ERR_DATA_DIR,
     DID_NOT_START "data directory \"/srv/tenantry/pg\" has group or world access"},
    {PREFIX "FATAL:  data directory \"/srv/tenantry/pg\" has invalid permissions\n", ERR_DATA_DIR,
     DID_NOT_START "data directory \"/srv/tenantry/pg\" has invalid permissions"},
    {PREFIX "FATAL:  data directory \"/srv/tenantry/pg\" has wrong ownership\n", ERR_DATA_DIR,
     DID_NOT_START "data directory \"/srv/tenantry/pg\" has wrong ownership"},
    {PREFIX "FATAL:  lock file \"postmaster.pid\" already exists\n", ERR_CONFLICT,
     DID_NOT_START "lock file \"postmaster.pid\" already exists"},
    {PREFIX "FATAL:  could not access file \"nothing\": No such file or directory\n",
     ERR_SERVER_FAILED,
     DID_NOT_START "could not access file \"nothing\": No such file or directory"},
    {PREFIX "LOG:  unrecognized configuration parameter \"x\" in file \"f\" line 3\n" PREFIX
            "FATAL:  configuration file \"f\" contains errors\n",
     ERR_CONFIG_INVALID,
     DID_NOT_START "unrecognized configuration parameter \"x\" in file \"f\" line 3"},
    {PREFIX "PANIC:  first\n" PREFIX "LOG:  between\n" PREFIX "FATAL:  last\n", ERR_SERVER_FAILED,
     "the embedded PostgreSQL did not start: last"},
    {PREFIX "FATAL:  could not write init file\n", ERR_DISK_FULL,
     DID_NOT_START "could not write init file"},
    {"postgres: could not find the database system\nExpected to find it in the directory \"x\"\n",
     ERR_SERVER_FAILED,
     "the embedded PostgreSQL did not start: could not find the database system"},
    {"", ERR_SERVER_FAILED, "the embedded PostgreSQL did not start: its log gives no reason"},
};

static void every_known_log_line_becomes_its_error(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const Server server = make_server(arena);
    for (size_t i = 0; i < ARRAY_COUNT(log_cases); i++) {
        Err err = {0};
        assert_int_equal(log_explain_text(&server, log_cases[i].log, &err), LOG_VERDICT_FAIL);
        assert_int_equal(err.code, log_cases[i].code);
        assert_string_equal(err.message, log_cases[i].message);
        assert_true(err.hint[0] != '\0');
    }
}

static void an_unknown_failure_names_the_log_file(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const Server server = make_server(arena);
    Err err = {0};
    log_explain_text(&server, PREFIX "FATAL:  the dog ate it\n", &err);
    assert_string_equal(err.message, "the embedded PostgreSQL did not start: the dog ate it");
    assert_string_equal(err.hint, "read the end of \"/srv/tenantry/server.log\"");
}

static void shared_memory_of_a_killed_server_is_worth_another_try(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const Server server = make_server(arena);
    Err err = {0};
    const char *log = PREFIX
        "FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use\n";
    assert_int_equal(log_explain_text(&server, log, &err), LOG_VERDICT_RETRY);
    assert_int_equal(err.code, ERR_SERVER_FAILED);
}

static void a_pid_file_is_read_line_by_line(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    PidFile file;
    assert_true(pid_parse(
        arena, "4711\n/srv/pg\n1700000000\n5433\n/run/x\n127.0.0.1\n  1  2\nready   \n", &file));
    assert_int_equal(file.pid, 4711);
    assert_string_equal(file.data_dir, "/srv/pg");
    assert_int_equal(file.port, 5433);
    assert_string_equal(file.socket_dir, "/run/x");
    assert_true(file.has_tcp);
    assert_true(file.is_ready);
}

static void a_pid_file_of_a_starting_server_has_fewer_lines(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    PidFile file;
    assert_true(pid_parse(arena, "4711\n/srv/pg\n1700000000\n5433\n", &file));
    assert_string_equal(file.socket_dir, "");
    assert_false(file.has_tcp);
    assert_false(file.is_ready);
    assert_true(pid_parse(arena, "7\n/srv/pg\n1\n5433\n/run/x\n\n  1  2\nstopping\n", &file));
    assert_false(file.has_tcp);
    assert_true(file.is_stopping);
    assert_false(file.is_ready);
}

static void rubbish_is_no_pid_file(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    static const char *const texts[] = {
        "", "\n", "x", "0\n/srv\n", "12", "99999999999\n/srv\n", "12\nrelative\n"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        PidFile file;
        assert_false(pid_parse(arena, texts[i], &file));
    }
}

static void the_major_version_is_read_from_every_form(void **state)
{
    (void)state;
    assert_int_equal(bin_parse_major("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"), 15);
    assert_int_equal(bin_parse_major("postgres (PostgreSQL) 18beta1"), 18);
    assert_int_equal(bin_parse_major("postgres (PostgreSQL) 19devel"), 19);
    assert_int_equal(bin_parse_major("postgres (PostgreSQL) 9.6.24"), 9);
    assert_int_equal(bin_parse_major("something else 15"), 0);
    assert_int_equal(bin_parse_major(""), 0);
}

static void memory_settings_stay_within_their_bounds(void **state)
{
    (void)state;
    const uint64_t gib = UINT64_C(1) << 30;
    const MemorySettings small = conf_size_memory(gib / 2);
    assert_int_equal(small.shared_buffers_mb, 128);
    assert_int_equal(small.maintenance_work_mem_mb, 64);
    assert_int_equal(small.work_mem_mb, 4);
    const MemorySettings usual = conf_size_memory(16 * gib);
    assert_int_equal(usual.shared_buffers_mb, 2048);
    assert_int_equal(usual.effective_cache_size_mb, 8192);
    assert_int_equal(usual.maintenance_work_mem_mb, 512);
    assert_int_equal(usual.work_mem_mb, 13);
    const MemorySettings large = conf_size_memory(4096 * gib);
    assert_int_equal(large.shared_buffers_mb, 8192);
    assert_int_equal(large.maintenance_work_mem_mb, 1024);
    assert_int_equal(large.work_mem_mb, 64);
    assert_true(conf_machine_memory() > 0);
}

static void the_port_of_the_last_start_is_read_from_its_configuration(void **state)
{
    (void)state;
    assert_int_equal(conf_parse_port("# x\nlisten_addresses = '127.0.0.1'\nport = 6543\n"), 6543);
    assert_int_equal(conf_parse_port("# x\nlisten_addresses = ''\nport = 5432\n"), 0);
    assert_int_equal(conf_parse_port("# x\nlisten_addresses = '::1'\nport = 99999\n"), 0);
    assert_int_equal(conf_parse_port(""), 0);
}

static void every_statement_of_a_new_cluster_parses_and_is_one_line(void **state)
{
    (void)state;
    static const char *const statements[] = {
#define EMBEDDED_SQL(database, statement) statement,
#include "pg/embedded_sql.def"
#undef EMBEDDED_SQL
    };
    for (size_t i = 0; i < ARRAY_COUNT(statements); i++) {
        PgQueryParseResult result = pg_query_parse(statements[i]);
        assert_null(result.error);
        assert_null(strchr(statements[i], '\n'));
        pg_query_free_parse_result(result);
    }
}

static void a_socket_path_that_is_too_long_is_refused(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    char dir[LIMIT_SOCKET_PATH_MAX_BYTES + 1];
    memset(dir, 'd', sizeof dir - 1);
    dir[0] = '/';
    dir[sizeof dir - 1] = '\0';
    const EmbeddedOptions deep = {.data_dir = dir};
    Server server;
    Err err = {0};
    assert_false(dir_resolve(arena, &deep, &server, &err));
    assert_int_equal(err.code, ERR_DATA_DIR);
    assert_non_null(strstr(err.message, "has 125 bytes, the system allows 107"));
    assert_non_null(strstr(err.hint, "--socket-dir"));
    const EmbeddedOptions elsewhere = {.data_dir = dir, .socket_dir = "/tmp"};
    assert_true(dir_resolve(arena, &elsewhere, &server, &err));
}

static void a_path_that_a_shell_would_read_is_refused(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    static const char *const paths[] = {"", "/a$(b)", "/a\"b", "/a`b`", "/a\\b", "/a\nb", "/a,b"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        const EmbeddedOptions bad = {.data_dir = paths[i]};
        Server server;
        Err err = {0};
        assert_false(dir_resolve(arena, &bad, &server, &err));
        assert_int_equal(err.code, ERR_DATA_DIR);
        assert_non_null(strstr(err.message, "cannot be used for a PostgreSQL server"));
    }
}

static void a_relative_data_dir_becomes_absolute(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const EmbeddedOptions relative = {.data_dir = "data/here//", .socket_dir = "/tmp/"};
    Server server;
    Err err = {0};
    assert_true(dir_resolve(arena, &relative, &server, &err));
    assert_int_equal(server.data_dir[0], '/');
    const char *end = "/data/here";
    assert_string_equal(server.data_dir + strlen(server.data_dir) - strlen(end), end);
    assert_string_equal(server.socket_dir, "/tmp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_known_log_line_becomes_its_error),
        cmocka_unit_test(an_unknown_failure_names_the_log_file),
        cmocka_unit_test(shared_memory_of_a_killed_server_is_worth_another_try),
        cmocka_unit_test(a_pid_file_is_read_line_by_line),
        cmocka_unit_test(a_pid_file_of_a_starting_server_has_fewer_lines),
        cmocka_unit_test(rubbish_is_no_pid_file),
        cmocka_unit_test(the_major_version_is_read_from_every_form),
        cmocka_unit_test(memory_settings_stay_within_their_bounds),
        cmocka_unit_test(the_port_of_the_last_start_is_read_from_its_configuration),
        cmocka_unit_test(every_statement_of_a_new_cluster_parses_and_is_one_line),
        cmocka_unit_test(a_socket_path_that_is_too_long_is_refused),
        cmocka_unit_test(a_path_that_a_shell_would_read_is_refused),
        cmocka_unit_test(a_relative_data_dir_becomes_absolute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
