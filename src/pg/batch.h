/* Many statements in one round trip: libpq's pipeline mode.
 *
 * The statements run in order; the first that fails stops the rest. A batch does not begin or
 * commit a transaction: the caller does, around it. */
#ifndef TENANTRY_PG_BATCH_H
#define TENANTRY_PG_BATCH_H

#include "pg/conn.h"

typedef struct PgBatch PgBatch;

/* An empty batch in the arena. Release its answers with pg_batch_done. */
PgBatch *pg_batch_new(Arena *arena);
void pg_batch_done(PgBatch *batch);

static inline void pg_batch_done_scoped(PgBatch **batch)
{
    pg_batch_done(*batch);
}
#define scoped_batch __attribute__((cleanup(pg_batch_done_scoped)))

/* Adds a statement; sql and the parameters are copied. Returns its number. */
size_t pg_batch_add(PgBatch *batch, const char *sql, PgParams params);

/* The same for one of few texts, as pg_query_fixed; it is not copied. Not within a group. */
size_t pg_batch_add_fixed(PgBatch *batch, const char *sql, PgParams params);

/* pg_batch_add with a place ("migrations/V0001__tables.sql:12") that goes before the message when
 * it fails; copied. */
size_t pg_batch_add_at(PgBatch *batch, const char *place, const char *sql, PgParams params);

/* Statements that are added from here on, until the group is closed, travel as one: `call` is run
 * with `params` and, after them, a text[] of {place, statement} pairs, and is what runs them and
 * puts the place before the message of one that fails. They have no parameters and give no rows. A
 * group without statements is not sent at all, and a batch is not sent while a group is open. The
 * second takes one of few texts as call, as pg_query_fixed. */
void pg_batch_open_group(PgBatch *batch, const char *call, PgParams params);
void pg_batch_open_group_fixed(PgBatch *batch, const char *call, PgParams params);
void pg_batch_close_group(PgBatch *batch);

/* Adds what makes the session's settings again what pg_open made them, whatever ran in it, until
 * they are set again, also after COMMIT. */
void pg_batch_add_session_reset(PgBatch *batch);

/* Adds the end of the transaction, so that it needs no round trip of its own; as pg_commit. The run
 * fails when the transaction had failed before and was rolled back. What is added after it begins
 * another one, and is not run when the commit fails. */
void pg_batch_add_commit(PgBatch *batch, bool is_durable);

size_t pg_batch_count(const PgBatch *batch);

/* The parameters and their values, in the arena. */
PgParams pg_params_copy(Arena *arena, PgParams params);

/* Text and parameters of statement number, as they were added; borrowed. */
const char *pg_batch_statement(const PgBatch *batch, size_t number, PgParams *ret_params);

/* Sends all statements that were added since the last run and waits for their answers. Blocks. */
bool pg_batch_run(PgConn *conn, PgBatch *batch, Err *err);

/* The two halves of pg_batch_run, so that the server has the next batch when it is done with one:
 * answers are taken in the order in which batches were posted, and nothing else is asked on the
 * connection before all are. A batch that fails in a transaction stops those behind it too, each at
 * its first statement (25P02), until pg_rollback. */
bool pg_batch_post(PgConn *conn, PgBatch *batch, Err *err);
bool pg_batch_await(PgConn *conn, PgBatch *batch, Err *err);

/* Whether that statement, or the first of its group, is what made the run fail. */
bool pg_batch_has_failed_at(const PgBatch *batch, size_t number);

/* Sends without waiting for answers, so that the caller can work while the server does;
 * pg_batch_run then sends what was added meanwhile and waits for everything. */
bool pg_batch_send(PgConn *conn, PgBatch *batch, Err *err);

/* For a caller that sent statements and then failed before the run: takes what is under way off the
 * connection, so that it can roll back. Returns false, so that a caller can `return
 * pg_batch_abandon(...)`. */
bool pg_batch_abandon(PgConn *conn, PgBatch *batch);

/* Answer of statement number; borrowed. Only after a run that succeeded. */
const PgRows *pg_batch_rows(const PgBatch *batch, size_t number);

/* The same for who keeps it longer than the batch; the caller's. */
PgRows *pg_batch_take_rows(PgBatch *batch, size_t number);

#endif
