#include "pg/batch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "core/strbuf.h"
#include "pg/internal.h"
#include "pg/text_array.h"

/* Statements that travel as one. */
typedef struct Group {
    const char *call;
    PgParams params; /* before the array of the statements */
    bool is_fixed;   /* call is a constant */
} Group;

typedef struct Statement {
    const char *place; /* or NULL */
    const char *sql;
    PgParams params;
    const Group *group; /* that it belongs to, or NULL */
    bool is_commit;
    bool is_fixed;         /* what is sent is a constant */
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
    const Group *group; /* that is open, or NULL */
    size_t failed;      /* the number of the statement that failed first; SIZE_MAX: none */
};

PgBatch *pg_batch_new(Arena *arena)
{
    PgBatch *batch = ARENA_NEW(arena, PgBatch);
    batch->arena = arena;
    batch->failed = SIZE_MAX;
    return batch;
}

void pg_batch_done(PgBatch *batch)
{
    for (size_t i = 0; batch != NULL && i < batch->count; i++) {
        PQclear(batch->statements[i].result);
        batch->statements[i].result = NULL;
    }
}

PgParams pg_params_copy(Arena *arena, PgParams params)
{
    const char **values = ARENA_ARRAY(arena, const char *, params.count);
    for (size_t i = 0; i < params.count; i++) {
        values[i] = arena_strdup(arena, params.values[i]);
    }
    return (PgParams){.count = params.count, .values = values};
}

size_t pg_batch_add_at(PgBatch *batch, const char *place, const char *sql, PgParams params)
{
    if (batch->group != NULL && params.count > 0) {
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
    batch->statements[batch->count] = (Statement){.place = arena_strdup(batch->arena, place),
                                                  .sql = arena_strdup(batch->arena, sql),
                                                  .group = batch->group,
                                                  .is_fixed = batch->group != NULL &&
                                                              batch->group->is_fixed,
                                                  .params = pg_params_copy(batch->arena, params)};
    return batch->count++;
}

size_t pg_batch_add(PgBatch *batch, const char *sql, PgParams params)
{
    return pg_batch_add_at(batch, NULL, sql, params);
}

size_t pg_batch_add_fixed(PgBatch *batch, const char *sql, PgParams params)
{
    if (batch->group != NULL) {
        abort(); /* a bug in the caller */
    }
    const size_t number = pg_batch_add(batch, "", params);
    batch->statements[number].sql = sql;
    batch->statements[number].is_fixed = true;
    return number;
}

static void open_group(PgBatch *batch, Group group)
{
    Group *opened = ARENA_NEW(batch->arena, Group);
    *opened = group;
    opened->params = pg_params_copy(batch->arena, group.params);
    batch->group = opened;
}

void pg_batch_open_group(PgBatch *batch, const char *call, PgParams params)
{
    open_group(batch, (Group){.call = arena_strdup(batch->arena, call), .params = params});
}

void pg_batch_open_group_fixed(PgBatch *batch, const char *call, PgParams params)
{
    open_group(batch, (Group){.call = call, .params = params, .is_fixed = true});
}

void pg_batch_close_group(PgBatch *batch)
{
    batch->group = NULL;
}

void pg_batch_add_session_reset(PgBatch *batch)
{
    pg_batch_add_fixed(batch, "RESET ALL", PG_NO_PARAMS);
    const size_t set_up = pg_batch_add_fixed(batch, pg_session_set_up, PG_PARAMS(""));
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

/* How many statements from here on are one group, which travels as one statement. */
static size_t group_size(const PgBatch *batch, size_t first)
{
    size_t end = first + 1;
    while (end < batch->count && batch->statements[first].group != NULL &&
           batch->statements[end].group == batch->statements[first].group) {
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
        pg_array_quote(&list, statement->place == NULL ? "" : statement->place);
        strbuf_add_char(&list, ',');
        pg_array_quote(&list, statement->sql);
        strbuf_add_char(&list, '}');
    }
    strbuf_add_char(&list, '}');
    return list.text;
}

/* What is sent for a statement: a group's first one stands for all of it. */
static const char *message_sql(const Statement *statement)
{
    return statement->group == NULL ? statement->sql : statement->group->call;
}

static PgParams message_params(const PgConn *conn, const PgBatch *batch)
{
    const Statement *statement = &batch->statements[batch->sent];
    if (statement->group == NULL && !statement->is_set_up) {
        return statement->params;
    }
    const PgParams before = statement->group == NULL ? PG_NO_PARAMS : statement->group->params;
    const char **values = ARENA_ARRAY(batch->arena, const char *, before.count + 1);
    for (size_t i = 0; i < before.count; i++) {
        values[i] = before.values[i];
    }
    values[before.count] = statement->group == NULL ? conn->lock_timeout
                                                    : group_array(batch, batch->sent);
    return (PgParams){.count = before.count + 1, .values = values};
}

/* A constant by its name, when it is worth that; what fails to be prepared fails the batch. */
static bool queue_message(PgConn *conn, Statement *statement, PgParams params)
{
    const char *sql = message_sql(statement);
    PgFixed *fixed = statement->is_fixed ? pg_fixed_use(conn, sql) : NULL;
    if (fixed == NULL || !pg_fixed_is_worth_preparing(conn, fixed)) {
        return PQsendQueryParams(conn->pq, sql, (int)params.count, NULL, params.values, NULL, NULL,
                                 0);
    }
    statement->is_prepared_here = !fixed->is_prepared;
    if (!fixed->is_prepared && !PQsendPrepare(conn->pq, fixed->name, sql, 0, NULL)) {
        return false;
    }
    fixed->is_prepared = true;
    return PQsendQueryPrepared(conn->pq, fixed->name, (int)params.count, params.values, NULL, NULL,
                               0);
}

static bool queue_statements(PgConn *conn, PgBatch *batch)
{
    for (; batch->sent < batch->count; batch->sent += group_size(batch, batch->sent)) {
        if (!queue_message(conn, &batch->statements[batch->sent], message_params(conn, batch))) {
            return false;
        }
    }
    return true;
}

/* A group is sent whole or not at all. */
static bool check_closed(const PgBatch *batch)
{
    if (batch->group != NULL) {
        abort(); /* a bug in the caller */
    }
    return true;
}

void pg_batch_add_commit(PgBatch *batch, bool is_durable)
{
    if (!is_durable) {
        pg_batch_add_fixed(batch, "SET LOCAL synchronous_commit = off", PG_NO_PARAMS);
    }
    batch->statements[pg_batch_add_fixed(batch, "COMMIT", PG_NO_PARAMS)].is_commit = true;
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
            pg_fixed_use(conn, message_sql(statement))->is_prepared = false;
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
            if (statement->place != NULL && statement->group == NULL) {
                err_prefix(err, "%s", statement->place);
            }
        }
        is_good = false;
        PQclear(result);
    }
    return is_good && (statement->result == NULL || has_failed || check_commit(statement, err));
}

static bool enter_pipeline(PgConn *conn)
{
    return PQpipelineStatus(conn->pq) != PQ_PIPELINE_OFF ||
           (PQsetnonblocking(conn->pq, 1) == 0 && PQenterPipelineMode(conn->pq));
}

static bool leave_pipeline(PgConn *conn)
{
    return conn->posted > 0 || (PQexitPipelineMode(conn->pq) && PQsetnonblocking(conn->pq, 0) == 0);
}

bool pg_batch_send(PgConn *conn, PgBatch *batch, Err *err)
{
    return (check_closed(batch) && enter_pipeline(conn) && queue_statements(conn, batch) &&
            PQsendFlushRequest(conn->pq) && flush_out(conn->pq)) ||
           pg_fail(err, conn, NULL);
}

bool pg_batch_post(PgConn *conn, PgBatch *batch, Err *err)
{
    if (!check_closed(batch) || !enter_pipeline(conn) || !queue_statements(conn, batch) ||
        !PQpipelineSync(conn->pq) || !flush_out(conn->pq)) {
        return pg_fail(err, conn, NULL);
    }
    conn->posted++;
    return true;
}

/* Takes the answers up to the Sync. */
bool pg_batch_await(PgConn *conn, PgBatch *batch, Err *err)
{
    PGconn *pq = conn->pq;
    bool is_good = true;
    for (; batch->answered < batch->sent && pg_is_alive(conn);
         batch->answered += group_size(batch, batch->answered)) {
        Statement *statement = &batch->statements[batch->answered];
        const bool is_answered = take_answer(conn, statement, !is_good, err);
        batch->failed = is_good && !is_answered ? batch->answered : batch->failed;
        is_good = is_good && is_answered;
        conn->is_distrusted = conn->is_distrusted || (!is_good && statement->group != NULL);
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
    conn->posted--;
    const bool has_left = leave_pipeline(conn);
    conn->is_broken = conn->is_broken || !has_left; /* it takes no other statement any more */
    return is_good && (has_left || pg_fail(err, conn, NULL));
}

bool pg_batch_run(PgConn *conn, PgBatch *batch, Err *err)
{
    return pg_batch_post(conn, batch, err) && pg_batch_await(conn, batch, err);
}

bool pg_batch_abandon(PgConn *conn, PgBatch *batch)
{
    Err ignored;
    batch->count = batch->sent;
    batch->group = NULL;
    if (pg_is_alive(conn) && PQpipelineStatus(conn->pq) != PQ_PIPELINE_OFF) {
        pg_batch_run(conn, batch, &ignored);
    }
    return false;
}

bool pg_batch_has_failed_at(const PgBatch *batch, size_t number)
{
    return batch->failed == number;
}

const PgRows *pg_batch_rows(const PgBatch *batch, size_t number)
{
    return batch->statements[number].result;
}

PgRows *pg_batch_take_rows(PgBatch *batch, size_t number)
{
    PGresult *result = batch->statements[number].result;
    batch->statements[number].result = NULL;
    return result;
}
