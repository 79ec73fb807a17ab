#include "pg/conn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "pg/internal.h"

static const PgMeaning sqlstates[] = {
#define SQLSTATE(prefix, words, code, hint) {prefix, words, code, hint},
#include "pg/sqlstates.def"
#undef SQLSTATE
};

const PgMeaning *pg_find_meaning(const PgMeaning *rows, size_t count, const char *sqlstate,
                                 const char *message)
{
    for (size_t i = 0; i < count; i++) {
        if (strncmp(sqlstate, rows[i].prefix, strlen(rows[i].prefix)) == 0 &&
            strstr(message, rows[i].words) != NULL) {
            return &rows[i];
        }
    }
    return NULL;
}

void pg_add_first_line(char *buffer, size_t size, const char *text)
{
    const size_t length = strcspn(text, "\n");
    snprintf(buffer, size, "%.*s", (int)length, text);
}

bool pg_fail(Err *err, PgConn *conn, const PGresult *result)
{
    const char *state = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state == NULL) {
        char line[ERR_MESSAGE_SIZE];
        pg_add_first_line(line, sizeof line, PQerrorMessage(conn->pq));
        conn->is_broken = true;
        return ERR_SET(err, ERR_PG_UNAVAILABLE, "check that PostgreSQL runs and try again",
                       "the connection to PostgreSQL failed: %s",
                       *line != '\0' ? line : "it was closed");
    }
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const bool has_detail = detail != NULL && *detail != '\0';
    /* The last row fits whatever there is. */
    const PgMeaning *meaning = pg_find_meaning(sqlstates, ARRAY_COUNT(sqlstates), state,
                                               pg_or_empty(primary));
    ERR_SET(err, meaning->code, *meaning->hint != '\0' ? meaning->hint : hint, "%s%s%s%s",
            primary != NULL ? primary : "PostgreSQL refused a statement", has_detail ? " (" : "",
            has_detail ? detail : "", has_detail ? ")" : "");
    snprintf(err->sqlstate, sizeof err->sqlstate, "%s", state);
    /* invalid_sql_statement_name: somebody took a prepared statement away; a new session has none.
     */
    conn->is_broken = conn->is_broken || strcmp(state, "26000") == 0;
    return false;
}

PgConn *pg_close(PgConn *conn)
{
    if (conn != NULL) {
        PQfinish(conn->pq);
        pg_fixed_done(conn);
        free(conn);
    }
    return NULL;
}

bool pg_take_result(PgConn *conn, PGresult *result, PgRows **ret_rows, Err *err)
{
    const ExecStatusType status = PQresultStatus(result);
    const bool is_good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    if (!is_good) {
        pg_fail(err, conn, result);
    }
    if (is_good && ret_rows != NULL) {
        *ret_rows = result;
    } else {
        PQclear(result);
    }
    return is_good;
}

bool pg_query(PgConn *conn, const char *sql, PgParams params, PgRows **ret_rows, Err *err)
{
    return pg_take_result(
        conn, PQexecParams(conn->pq, sql, (int)params.count, NULL, params.values, NULL, NULL, 0),
        ret_rows, err);
}

bool pg_query_row(PgConn *conn, const char *sql, PgParams params, PgRows **ret_rows, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query(conn, sql, params, &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) != 1) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "a query gave %zu rows, 1 was expected",
                       pg_rows_count(rows));
    }
    *ret_rows = rows;
    rows = NULL;
    return true;
}

bool pg_begin(PgConn *conn, Err *err)
{
    return pg_query(conn, "BEGIN", PG_NO_PARAMS, NULL, err);
}

bool pg_commit(PgConn *conn, bool is_durable, Err *err)
{
    /* One round trip; the answer is that of the last statement, or of the first that failed. */
    scoped_rows PgRows *rows = PQexec(
        conn->pq, is_durable ? "COMMIT" : "SET LOCAL synchronous_commit = off; COMMIT");
    if (PQresultStatus(rows) != PGRES_COMMAND_OK) {
        return pg_fail(err, conn, rows);
    }
    /* COMMIT of a failed transaction answers ROLLBACK and no error: that must not pass for success.
     */
    return strcmp(PQcmdStatus(rows), "COMMIT") == 0 ||
           ERR_SET(err, ERR_INTERNAL, NULL, "a failed transaction was committed");
}

void pg_rollback(PgConn *conn)
{
    Err ignored;
    if (pg_is_alive(conn) && PQtransactionStatus(conn->pq) != PQTRANS_IDLE) {
        pg_query(conn, "ROLLBACK", PG_NO_PARAMS, NULL, &ignored);
    }
    if (pg_is_alive(conn)) {
        pg_fixed_trust_again(conn);
    }
}

bool pg_is_alive(const PgConn *conn)
{
    return PQstatus(conn->pq) == CONNECTION_OK && !conn->is_broken;
}

const char *pg_conn_user(const PgConn *conn)
{
    return pg_or_empty(PQuser(conn->pq));
}

const char *pg_conn_database(const PgConn *conn)
{
    return pg_or_empty(PQdb(conn->pq));
}

const char *pg_conn_host(const PgConn *conn)
{
    return pg_or_empty(PQhost(conn->pq));
}

int pg_conn_version(const PgConn *conn)
{
    return PQserverVersion(conn->pq);
}

const char *pg_conn_port(const PgConn *conn)
{
    return pg_or_empty(PQport(conn->pq));
}

size_t pg_rows_count(const PgRows *rows)
{
    return (size_t)PQntuples(rows);
}

const char *pg_rows_text(const PgRows *rows, size_t row, size_t column)
{
    return PQgetisnull(rows, (int)row, (int)column) ? NULL
                                                    : PQgetvalue(rows, (int)row, (int)column);
}

int64_t pg_rows_int(const PgRows *rows, size_t row, size_t column)
{
    const char *text = pg_rows_text(rows, row, column);
    return text == NULL ? 0 : strtoll(text, NULL, 10);
}

bool pg_rows_bool(const PgRows *rows, size_t row, size_t column)
{
    const char *text = pg_rows_text(rows, row, column);
    return text != NULL && *text == 't';
}

size_t pg_rows_columns(const PgRows *rows)
{
    return (size_t)PQnfields(rows);
}

const char *pg_rows_name(const PgRows *rows, size_t column)
{
    return PQfname(rows, (int)column);
}

PgKind pg_rows_kind(const PgRows *rows, size_t column)
{
    /* Of pg_type.dat: built-in types never change their number. */
    static const struct {
        Oid type;
        PgKind kind;
    } kinds[] = {{16, PG_KIND_BOOL},    /* boolean */
                 {20, PG_KIND_INT},     /* bigint */
                 {21, PG_KIND_INT},     /* smallint */
                 {23, PG_KIND_INT},     /* integer */
                 {1184, PG_KIND_TIME}}; /* timestamptz */
    const Oid type = PQftype(rows, (int)column);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (kinds[i].type == type) {
            return kinds[i].kind;
        }
    }
    return PG_KIND_TEXT;
}

int64_t pg_rows_affected(const PgRows *rows)
{
    /* PQcmdTuples changes nothing in the result, its parameter merely lacks const. */
    char *count = PQcmdTuples((PGresult *)(uintptr_t)rows);
    return strtoll(count, NULL, 10);
}

PgRows *pg_rows_free(PgRows *rows)
{
    PQclear(rows);
    return NULL;
}

const char *pg_bytea_to_text(Arena *arena, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char *text = arena_alloc(arena, 2 * length + 3);
    text[0] = '\\';
    text[1] = 'x';
    for (size_t i = 0; i < length; i++) {
        text[2 + 2 * i] = digits[bytes[i] >> 4];
        text[3 + 2 * i] = digits[bytes[i] & 15];
    }
    return text;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

uint8_t *pg_bytea_from_text(Arena *arena, const char *text, size_t *ret_length)
{
    const size_t digits = strlen(text);
    if (digits < 2 || digits % 2 != 0 || text[0] != '\\' || text[1] != 'x') {
        return NULL;
    }
    uint8_t *bytes = arena_alloc(arena, digits / 2);
    for (size_t i = 2; i < digits; i += 2) {
        const int high = hex_digit(text[i]);
        const int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) {
            return NULL;
        }
        bytes[i / 2 - 1] = (uint8_t)(high << 4 | low);
    }
    *ret_length = digits / 2 - 1;
    return bytes;
}

const char *pg_int_text(Arena *arena, int64_t value)
{
    return arena_printf(arena, "%" PRId64, value);
}
