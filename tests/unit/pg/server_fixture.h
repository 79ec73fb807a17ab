/* A folder of its own with an embedded server in it, for tests. The functions fail the test that
 * calls them when the server does not do as expected. */
#ifndef TENANTRY_TESTS_SERVER_FIXTURE_H
#define TENANTRY_TESTS_SERVER_FIXTURE_H

#include <libpq-fe.h>

#include "core/arena.h"
#include "pg/embedded.h"

enum {
    FIXTURE_PROGRESS_BYTES = 8192,
    EXIT_SKIPPED = 77, /* what Meson takes for "skipped" */
};

/* Whether PostgreSQL's server programs are on this machine; says so when they are not. */
bool fixture_has_programs(void);

/* One folder with one data directory in it. */
typedef struct Fixture {
    Arena *arena;
    char folder[64];
    EmbeddedOptions options;
    EmbeddedStatus status;
    Err err;
    char progress[FIXTURE_PROGRESS_BYTES]; /* all that was told, one a line */
} Fixture;

/* Makes the folder; no server yet. */
Fixture *fixture_new(void);
/* Stops what runs there and removes the folder. */
void fixture_free(Fixture *fixture);
/* The same as setup and teardown of one test. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* A path in the data directory. */
const char *fixture_path(const Fixture *fixture, const char *name);

/* Up, which must succeed; returns whether this call started the server. */
bool fixture_up(Fixture *fixture);
void fixture_expect_up_fails(Fixture *fixture, ErrCode code, const char *part_of_message,
                             const char *part_of_hint);
/* Down, which must succeed; returns whether a server ran. */
bool fixture_down(Fixture *fixture);
EmbeddedState fixture_look(Fixture *fixture);

PGconn *connect_to(const char *conninfo);
/* The first column of the first row. */
void expect_answer(PGconn *connection, const char *sql, const char *answer);

#endif
