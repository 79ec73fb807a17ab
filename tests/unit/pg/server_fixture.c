#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "core/file.h"
#include "pg/embedded_parts.h"

enum { STOP_MS = 20000 };

static void on_progress(void *context, const char *what)
{
    Fixture *fixture = context;
    const size_t length = strlen(fixture->progress);
    snprintf(fixture->progress + length, sizeof fixture->progress - length, "%s\n", what);
}

bool fixture_has_programs(void)
{
    scoped_arena Arena *arena = arena_new();
    const EmbeddedOptions options = {.data_dir = "/tmp"};
    Server server;
    Err err;
    const bool is_found = dir_resolve(arena, &options, &server, &err) && bin_find(&server, 0, &err);
    if (!is_found) {
        print_message("PostgreSQL's server programs are not on this machine: skipped\n");
    }
    return is_found;
}

Fixture *fixture_new(void)
{
    Arena *arena = arena_new();
    Fixture *fixture = ARENA_NEW(arena, Fixture);
    fixture->arena = arena;
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/tenantry-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    assert_int_equal(chmod(fixture->folder, 0755), 0);
    fixture->options = (EmbeddedOptions){
        .data_dir = arena_printf(arena, "%s/data", fixture->folder),
        .server_user = "postgres",
        .on_progress = on_progress,
        .progress_context = fixture,
    };
    return fixture;
}

void fixture_free(Fixture *fixture)
{
    bool is_stopped = false;
    Err err = {0};
    const bool is_down = embedded_down(fixture->arena, &fixture->options, STOP_MS, &is_stopped,
                                       &err);
    if (!is_down) {
        print_error("cannot stop the server: %s\n", err.message);
    }
    file_remove_tree(fixture->folder, &err);
    arena_free(fixture->arena);
}

const char *fixture_path(const Fixture *fixture, const char *name)
{
    return arena_printf(fixture->arena, "%s/%s", fixture->options.data_dir, name);
}

int fixture_setup(void **state)
{
    *state = fixture_new();
    return 0;
}

int fixture_teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

bool fixture_up(Fixture *fixture)
{
    bool is_started = false;
    fixture->progress[0] = '\0';
    if (!embedded_up(fixture->arena, &fixture->options, &fixture->status, &is_started,
                     &fixture->err)) {
        print_error("%s [%s]\n", fixture->err.message, fixture->err.hint);
        fail();
    }
    assert_int_equal(fixture->status.state, EMBEDDED_RUNNING);
    return is_started;
}

void fixture_expect_up_fails(Fixture *fixture, ErrCode code, const char *part_of_message,
                             const char *part_of_hint)
{
    bool is_started = false;
    EmbeddedStatus status;
    fixture->err = (Err){0};
    assert_false(
        embedded_up(fixture->arena, &fixture->options, &status, &is_started, &fixture->err));
    if (fixture->err.code != code || strstr(fixture->err.message, part_of_message) == NULL ||
        strstr(fixture->err.hint, part_of_hint) == NULL) {
        print_error("%s: %s [%s]\n", err_kind(fixture->err.code)->wire, fixture->err.message,
                    fixture->err.hint);
        fail();
    }
}

bool fixture_down(Fixture *fixture)
{
    bool is_stopped = false;
    assert_true(
        embedded_down(fixture->arena, &fixture->options, STOP_MS, &is_stopped, &fixture->err));
    return is_stopped;
}

EmbeddedState fixture_look(Fixture *fixture)
{
    assert_true(
        embedded_status(fixture->arena, &fixture->options, &fixture->status, &fixture->err));
    return fixture->status.state;
}

PGconn *connect_to(const char *conninfo)
{
    PGconn *connection = PQconnectdb(conninfo);
    if (PQstatus(connection) != CONNECTION_OK) {
        print_error("%s", PQerrorMessage(connection));
        PQfinish(connection);
        fail();
    }
    return connection;
}

void expect_answer(PGconn *connection, const char *sql, const char *answer)
{
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        print_error("%s: %s", sql, PQerrorMessage(connection));
    }
    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    assert_string_equal(PQgetvalue(result, 0, 0), answer);
    PQclear(result);
}
