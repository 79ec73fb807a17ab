#include "pg/batch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "core/strbuf.h"
#include "pg/internal.h"

typedef struct Statement {
    const char *place; /* or NULL */
    const char *sql;
    PgParams params;
    const char *call; /* of the group that it belongs to, or NULL */
    bool is_commit;
    bool is_fixed;         /* sql is a constant */
    bool is_prepared_here; /* the answer to PREPARE comes before its own */
    bool is_set_up;        /* its one parameter is the connection's lock_timeout */
    PGresult *result;
} Statement;

struct PgBatch {
    Arena *arena;
    Statement *statements;
    size_t count;
    size_t capacity;
    size_t sent;
    size_t answered;
    const char *call; /* of the group that is open, or NULL */
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
    if (batch->call != NULL && params.count > 0) {
        abort(); /* a bug in the caller: a group takes texts alone */
    }
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
        .call = batch->call,
        .params = {.count = params.count, .values = values}};
    return batch->count++;
}

size_t pg_batch_add(PgBatch *batch, const char *sql, PgParams params)
{
    return pg_batch_add_at(batch, NULL, sql, params);
}

size_t pg_batch_add_fixed(PgBatch *batch, const char *sql, PgParams params)
{
    if (batch->call != NULL) {
        abort(); /* a bug in the caller */
    }
    const size_t number = pg_batch_add(batch, "", params);
    batch->statements[number].sql = sql;
    batch->statements[number].is_fixed = true;
    return number;
}

void pg_batch_open_group(PgBatch *batch, const char *call)
{
    batch->call = arena_strdup(batch->arena, call);
}

void pg_batch_close_group(PgBatch *batch)
{
    batch->call = NULL;
}

void pg_batch_add_session_reset(PgBatch *batch)
{
    /* DISCARD TEMP before anything that names a relation: temporary ones may have taken its name.
     * Cursors WITH HOLD would run their queries at COMMIT. */
    static const char *const sql[] = {"CLOSE ALL", "DISCARD TEMP", "UNLISTEN *", "RESET ALL"};
    for (size_t i = 0; i < sizeof sql / sizeof *sql; i++) {
        pg_batch_add(batch, sql[i], PG_NO_PARAMS);
    }
    const size_t set_up = pg_batch_add(batch, pg_session_set_up, PG_PARAMS(""));
    batch->statements[set_up].is_set_up = true;
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

static void add_quoted(StrBuf *list, const char *text)
{
    strbuf_add_char(list, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            strbuf_add_char(list, '\\');
        }
        strbuf_add_char(list, *c);
    }
    strbuf_add_char(list, '"');
}

/* How many statements from here on are one group, which travels as one statement. */
static size_t group_size(const PgBatch *batch, size_t first)
{
    size_t end = first + 1;
    while (end < batch->count && batch->statements[first].call != NULL &&
           batch->statements[end].call == batch->statements[first].call) {
        end++;
    }
    return end - first;
}

/* {{"place","statement"},...} as text[]. */
static const char *group_array(const PgBatch *batch, size_t first)
{
    StrBuf list = strbuf_init(batch->arena);
    const size_t end = first + group_size(batch, first);
    for (size_t i = first; i < end; i++) {
        const Statement *statement = &batch->statements[i];
        strbuf_add(&list, i == first ? "{{" : ",{");
        add_quoted(&list, statement->place == NULL ? "" : statement->place);
        strbuf_add_char(&list, ',');
        add_quoted(&list, statement->sql);
        strbuf_add_char(&list, '}');
    }
    strbuf_add_char(&list, '}');
    return list.text;
}

/* By its name when it is worth that; what fails to be prepared fails the batch. */
static bool queue_fixed(PgConn *conn, Statement *statement)
{
    PgFixed *fixed = pg_fixed_use(conn, statement->sql);
    const PgParams *params = &statement->params;
    if (!pg_fixed_is_worth_preparing(fixed)) {
        return PQsendQueryParams(conn->pq, statement->sql, (int)params->count, NULL, params->values,
                                 NULL, NULL, 0);
    }
    statement->is_prepared_here = !fixed->is_prepared;
    if (!fixed->is_prepared && !PQsendPrepare(conn->pq, fixed->name, statement->sql, 0, NULL)) {
        return false;
    }
    fixed->is_prepared = true;
    return PQsendQueryPrepared(conn->pq, fixed->name, (int)params->count, params->values, NULL,
                               NULL, 0);
}

static bool queue_statements(PgConn *conn, PgBatch *batch)
{
    for (; batch->sent < batch->count; batch->sent += group_size(batch, batch->sent)) {
        Statement *statement = &batch->statements[batch->sent];
        if (statement->is_fixed) {
            if (!queue_fixed(conn, statement)) {
                return false;
            }
            continue;
        }
        const bool is_group = statement->call != NULL;
        const char *own = is_group ? group_array(batch, batch->sent) : conn->lock_timeout;
        const PgParams params = is_group || statement->is_set_up
                                    ? (PgParams){.count = 1, .values = &own}
                                    : statement->params;
        if (!PQsendQueryParams(conn->pq, is_group ? statement->call : statement->sql,
                               (int)params.count, NULL, params.values, NULL, NULL, 0)) {
            return false;
        }
    }
    return true;
}

/* A group is sent whole or not at all. */
static bool check_closed(const PgBatch *batch)
{
    if (batch->call != NULL) {
        abort(); /* a bug in the caller */
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
    return (check_closed(batch) && queue_statements(conn, batch) && PQsendFlushRequest(pq) &&
            flush_out(pq)) ||
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

/* The answer to PREPARE. Without it the name means nothing. */
static bool take_prepared(PgConn *conn, const Statement *statement, bool has_failed, Err *err)
{
    bool is_good = true;
    for (PGresult *result = PQgetResult(conn->pq); result != NULL; result = PQgetResult(conn->pq)) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK) {
            pg_fixed_use(conn, statement->sql)->is_prepared = false;
            if (!has_failed && is_good) {
                pg_fail(err, conn,
                        PQresultStatus(result) == PGRES_PIPELINE_ABORTED ? NULL : result);
            }
            is_good = false;
        }
        PQclear(result);
    }
    return is_good;
}

/* Takes the answer of one statement; the first failure of a batch fills err. */
static bool take_answer(PgConn *conn, Statement *statement, bool has_failed, Err *err)
{
    PGconn *pq = conn->pq;
    bool is_good = !statement->is_prepared_here || take_prepared(conn, statement, has_failed, err);
    for (PGresult *result = PQgetResult(pq); result != NULL; result = PQgetResult(pq)) {
        const ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
            PQclear(statement->result);
            statement->result = result;
            continue;
        }
        if (!has_failed && is_good) {
            pg_fail(err, conn, status == PGRES_PIPELINE_ABORTED ? NULL : result);
            if (statement->place != NULL && statement->call == NULL) {
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
    for (; batch->answered < batch->sent && pg_is_alive(conn);
         batch->answered += group_size(batch, batch->answered)) {
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
    if (!check_closed(batch) || !queue_statements(conn, batch) || !PQpipelineSync(pq) ||
        !flush_out(pq)) {
        return pg_fail(err, conn, NULL);
    }
    return take_answers(conn, batch, err);
}

bool pg_batch_abandon(PgConn *conn, PgBatch *batch)
{
    Err ignored;
    batch->count = batch->sent;
    batch->call = NULL;
    if (pg_is_alive(conn) && PQpipelineStatus(conn->pq) != PQ_PIPELINE_OFF) {
        pg_batch_run(conn, batch, &ignored);
    }
    return false;
}

const PgRows *pg_batch_rows(const PgBatch *batch, size_t number)
{
    return batch->statements[number].result;
}
