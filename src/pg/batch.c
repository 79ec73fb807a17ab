#include "pg/batch.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "pg/internal.h"

typedef struct Statement {
    const char *place; /* or NULL */
    const char *sql;
    PgParams params;
    bool is_commit;
    PGresult *result;
} Statement;

struct PgBatch {
    Arena *arena;
    Statement *statements;
    size_t count;
    size_t capacity;
    size_t sent;
    size_t answered;
};

PgBatch *pg_batch_new(Arena *arena)
{
    PgBatch *batch = ARENA_NEW(arena, PgBatch);
    batch->arena = arena;
    return batch;
}

void pg_batch_done(PgBatch *batch)
{
    for (size_t i = 0; batch != NULL && i < batch->count; i++) {
        PQclear(batch->statements[i].result);
        batch->statements[i].result = NULL;
    }
}

size_t pg_batch_add_at(PgBatch *batch, const char *place, const char *sql, PgParams params)
{
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity * 2 + 32;
        Statement *grown = ARENA_ARRAY(batch->arena, Statement, batch->capacity);
        if (batch->count > 0) {
            memcpy(grown, batch->statements, batch->count * sizeof *grown);
        }
        batch->statements = grown;
    }
    const char **values = ARENA_ARRAY(batch->arena, const char *, params.count);
    for (size_t i = 0; i < params.count; i++) {
        values[i] = arena_strdup(batch->arena, params.values[i]);
    }
    batch->statements[batch->count] = (Statement){
        .place = arena_strdup(batch->arena, place),
        .sql = arena_strdup(batch->arena, sql),
        .params = {.count = params.count, .values = values}};
    return batch->count++;
}

size_t pg_batch_add(PgBatch *batch, const char *sql, PgParams params)
{
    return pg_batch_add_at(batch, NULL, sql, params);
}

size_t pg_batch_count(const PgBatch *batch)
{
    return batch->count;
}

const char *pg_batch_statement(const PgBatch *batch, size_t number, PgParams *ret_params)
{
    *ret_params = batch->statements[number].params;
    return batch->statements[number].sql;
}

/* Writes until everything is out, reading meanwhile: a server whose answers nobody takes stops
 * reading too. */
static bool flush_out(PGconn *pq)
{
    for (;;) {
        const int left = PQflush(pq);
        if (left <= 0) {
            return left == 0;
        }
        struct pollfd wait = {.fd = PQsocket(pq), .events = POLLIN | POLLOUT};
        if (poll(&wait, 1, -1) < 0 && errno != EINTR) {
            return false;
        }
        if ((wait.revents & POLLIN) != 0 && !PQconsumeInput(pq)) {
            return false;
        }
    }
}

static bool queue_statements(PGconn *pq, PgBatch *batch)
{
    for (; batch->sent < batch->count; batch->sent++) {
        const Statement *statement = &batch->statements[batch->sent];
        if (!PQsendQueryParams(pq, statement->sql, (int)statement->params.count, NULL,
                               statement->params.values, NULL, NULL, 0)) {
            return false;
        }
    }
    return true;
}

bool pg_batch_send(PgConn *conn, PgBatch *batch, Err *err)
{
    PGconn *pq = conn->pq;
    if (PQpipelineStatus(pq) == PQ_PIPELINE_OFF &&
        (PQsetnonblocking(pq, 1) != 0 || !PQenterPipelineMode(pq))) {
        return pg_fail(err, conn, NULL);
    }
    return (queue_statements(pq, batch) && PQsendFlushRequest(pq) && flush_out(pq)) ||
           pg_fail(err, conn, NULL);
}

void pg_batch_add_commit(PgBatch *batch, bool is_durable)
{
    if (!is_durable) {
        pg_batch_add(batch, "SET LOCAL synchronous_commit = off", PG_NO_PARAMS);
    }
    batch->statements[pg_batch_add(batch, "COMMIT", PG_NO_PARAMS)].is_commit = true;
}

/* COMMIT of a failed transaction answers ROLLBACK and no error: that must not pass for success. */
static bool check_commit(const Statement *statement, Err *err)
{
    return !statement->is_commit || strcmp(PQcmdStatus(statement->result), "COMMIT") == 0 ||
           ERR_SET(err, ERR_INTERNAL, NULL, "a failed transaction was committed");
}

/* Takes the answer of one statement; the first failure of a batch fills err. */
static bool take_answer(PgConn *conn, Statement *statement, bool has_failed, Err *err)
{
    PGconn *pq = conn->pq;
    bool is_good = true;
    for (PGresult *result = PQgetResult(pq); result != NULL; result = PQgetResult(pq)) {
        const ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
            PQclear(statement->result);
            statement->result = result;
            continue;
        }
        if (!has_failed && is_good) {
            pg_fail(err, conn, status == PGRES_PIPELINE_ABORTED ? NULL : result);
            if (statement->place != NULL) {
                err_prefix(err, "%s", statement->place);
            }
        }
        is_good = false;
        PQclear(result);
    }
    return is_good && (statement->result == NULL || has_failed || check_commit(statement, err));
}

/* Takes all answers up to the Sync, and leaves pipeline mode. */
static bool take_answers(PgConn *conn, PgBatch *batch, Err *err)
{
    PGconn *pq = conn->pq;
    bool is_good = true;
    for (; batch->answered < batch->sent && pg_is_alive(conn); batch->answered++) {
        is_good = take_answer(conn, &batch->statements[batch->answered], !is_good, err) && is_good;
    }
    for (PGresult *result = PQgetResult(pq); result != NULL; result = PQgetResult(pq)) {
        const bool is_sync = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        PQclear(result);
        if (is_sync) {
            break;
        }
    }
    if (is_good && !pg_is_alive(conn)) {
        is_good = pg_fail(err, conn, NULL);
    }
    return (PQexitPipelineMode(pq) && PQsetnonblocking(pq, 0) == 0) || !is_good
               ? is_good
               : pg_fail(err, conn, NULL);
}

bool pg_batch_run(PgConn *conn, PgBatch *batch, Err *err)
{
    PGconn *pq = conn->pq;
    if (PQpipelineStatus(pq) == PQ_PIPELINE_OFF &&
        (PQsetnonblocking(pq, 1) != 0 || !PQenterPipelineMode(pq))) {
        return pg_fail(err, conn, NULL);
    }
    if (!queue_statements(pq, batch) || !PQpipelineSync(pq) || !flush_out(pq)) {
        return pg_fail(err, conn, NULL);
    }
    return take_answers(conn, batch, err);
}

bool pg_batch_abandon(PgConn *conn, PgBatch *batch)
{
    Err ignored;
    batch->count = batch->sent;
    if (pg_is_alive(conn) && PQpipelineStatus(conn->pq) != PQ_PIPELINE_OFF) {
        pg_batch_run(conn, batch, &ignored);
    }
    return false;
}

const PgRows *pg_batch_rows(const PgBatch *batch, size_t number)
{
    return batch->statements[number].result;
}
