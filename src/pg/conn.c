#include "pg/conn.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/strbuf.h"
#include "pg/internal.h"
#include "pg/sql.h"

enum { OLDEST_SERVER = 150000, FIRST_RETRY_PAUSE_MS = 200 };

static const struct {
    const char *prefix;
    const char *words;
    ErrCode code;
    const char *hint;
} sqlstates[] = {
#define SQLSTATE(prefix, words, code, hint) {prefix, words, code, hint},
#include "pg/sqlstates.def"
#undef SQLSTATE
};

/* The first line of a libpq message, without the level that it begins with. */
static void add_first_line(char *buffer, size_t size, const char *text)
{
    const size_t length = strcspn(text, "\n");
    snprintf(buffer, size, "%.*s", (int)length, text);
}

bool pg_fail(Err *err, PgConn *conn, const PGresult *result)
{
    const char *state = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state == NULL) {
        char line[ERR_MESSAGE_SIZE];
        add_first_line(line, sizeof line, PQerrorMessage(conn->pq));
        conn->is_broken = true;
        return ERR_SET(err, ERR_PG_UNAVAILABLE, "check that PostgreSQL runs and try again",
                       "the connection to PostgreSQL failed: %s",
                       *line != '\0' ? line : "it was closed");
    }
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const bool has_detail = detail != NULL && *detail != '\0';
    size_t row = 0;
    while (strncmp(state, sqlstates[row].prefix, strlen(sqlstates[row].prefix)) != 0 ||
           (primary != NULL && strstr(primary, sqlstates[row].words) == NULL)) {
        row++;
    }
    ERR_SET(err, sqlstates[row].code, *sqlstates[row].hint != '\0' ? sqlstates[row].hint : hint,
            "%s%s%s%s", primary != NULL ? primary : "PostgreSQL refused a statement",
            has_detail ? " (" : "", has_detail ? detail : "", has_detail ? ")" : "");
    snprintf(err->sqlstate, sizeof err->sqlstate, "%s", state);
    /* invalid_sql_statement_name: somebody took a prepared statement away; a new session has none.
     */
    conn->is_broken = conn->is_broken || strcmp(state, "26000") == 0;
    return false;
}

static void on_notice(void *context, const PGresult *result)
{
    (void)context;
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    log_debug("pg.notice", "%s", message != NULL ? message : "");
}

/* Drives a connection attempt until it is made or the time is over. */
static bool finish_connecting(PGconn *pq, int64_t deadline_us)
{
    for (PostgresPollingStatusType want = PGRES_POLLING_WRITING; want != PGRES_POLLING_OK;
         want = PQconnectPoll(pq)) {
        if (want == PGRES_POLLING_FAILED) {
            return false;
        }
        const int64_t left_ms = (deadline_us - clock_monotonic_us()) / 1000;
        struct pollfd wait = {.fd = PQsocket(pq),
                              .events = want == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        if (left_ms <= 0 || (poll(&wait, 1, (int)left_ms) == 0)) {
            errno = ETIMEDOUT;
            return false;
        }
    }
    return true;
}

/* What a server says when it lets nobody in, however often one asks; libpq gives no SQLSTATE here.
 */
static const struct {
    const char *text;
    ErrCode code;
    const char *hint;
} refusals[] = {
    {"No space left on device", ERR_DISK_FULL, "free some space on the file system of the server"},
    {"could not write init file", ERR_DISK_FULL,
     "free some space on the file system of the server"},
    {"authentication failed", ERR_PG_RIGHT_MISSING,
     "check the user and the password: PGPASSWORD, a passfile, or the one in the database URL"},
    {"no password supplied", ERR_PG_RIGHT_MISSING,
     "check the user and the password: PGPASSWORD, a passfile, or the one in the database URL"},
    {"permission denied for database", ERR_PG_RIGHT_MISSING,
     "as the database's owner, grant the role CONNECT on it"},
    {"no pg_hba.conf entry", ERR_PG_RIGHT_MISSING,
     "add a line for the role and the database to the server's pg_hba.conf"},
    {"is not permitted to log in", ERR_PG_RIGHT_MISSING, "as a superuser, give the role LOGIN"},
};

static bool begins_and_ends(const char *line, const char *begin, const char *end)
{
    const char *found = strstr(line, begin);
    const size_t length = strlen(line);
    return found != NULL && length >= strlen(end) && strcmp(line + length - strlen(end), end) == 0;
}

/* A database or a role that is not there; the hint has the statement that makes it. */
static bool refuse_missing(const PGconn *pq, const char *line, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    const bool is_database = begins_and_ends(line, "FATAL:  database \"", "\" does not exist");
    const bool is_role = begins_and_ends(line, "FATAL:  role \"", "\" does not exist");
    if (!is_database && !is_role) {
        return false;
    }
    ERR_SET(err, is_database ? ERR_CONFIG_INVALID : ERR_PG_RIGHT_MISSING, NULL,
            "cannot connect to PostgreSQL: %s", line);
    if (is_database) {
        err_hint(err, "create it: %s (as a superuser or a role with CREATEDB)",
                 SQL(arena, "CREATE DATABASE {}", sql_name(arena, PQdb(pq))));
    } else {
        err_hint(err, "create it: %s (as a superuser)",
                 SQL(arena, "CREATE ROLE {} LOGIN CREATEROLE", sql_name(arena, PQuser(pq))));
    }
    return true;
}

/* errno is of the attempt. Closes pq. */
static void fail_connecting(PGconn *pq, int64_t timeout_ms, Err *err)
{
    const bool is_late = errno == ETIMEDOUT;
    ErrCode code = ERR_PG_UNAVAILABLE;
    const char *hint = NULL;
    char line[ERR_MESSAGE_SIZE];
    add_first_line(line, sizeof line, PQerrorMessage(pq));
    const bool is_missing = refuse_missing(pq, line, err);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals && hint == NULL; i++) {
        if (strstr(PQerrorMessage(pq), refusals[i].text) != NULL) {
            code = refusals[i].code;
            hint = refusals[i].hint;
        }
    }
    if (strncmp(line, "invalid ", strlen("invalid ")) == 0) {
        code = ERR_CONFIG_INVALID;
        hint = "correct this part of the database URL";
    }
    PQfinish(pq);
    if (is_missing) {
        return;
    }
    if (is_late && hint == NULL) {
        snprintf(line, sizeof line, "no answer within %" PRId64 " ms", timeout_ms);
    }
    ERR_SET(err, code,
            hint != NULL ? hint
                         : "check that PostgreSQL runs there and that the database URL "
                           "names its host, port and database",
            "cannot connect to PostgreSQL: %s", line);
}

void pg_clean_environment(bool is_all)
{
    static const char *const leading_away[] = {
        "PGAPPNAME", "PGCLIENTENCODING",     "PGCONNECT_TIMEOUT", "PGDATESTYLE",
        "PGGEQO",    "PGHOSTADDR",           "PGOPTIONS",         "PGSERVICE",
        "PGTZ",      "PGTARGETSESSIONATTRS", "PGSERVICEFILE",
    };
    for (size_t i = 0; i < sizeof leading_away / sizeof *leading_away; i++) {
        unsetenv(leading_away[i]);
    }
    PQconninfoOption *options = is_all ? PQconndefaults() : NULL;
    for (const PQconninfoOption *option = options; option != NULL && option->keyword != NULL;
         option++) {
        if (option->envvar != NULL) {
            unsetenv(option->envvar);
        }
    }
    PQconninfoFree(options);
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static bool open_once(const PgTarget *target, PgConn **ret_conn, Err *err)
{
    const char *const keys[] = {"dbname", "fallback_application_name", "client_encoding", NULL};
    const char *const values[] = {target->conninfo, "tenantry", "UTF8", NULL};
    PGconn *pq = PQconnectStartParams(keys, values, 1);
    if (pq == NULL) {
        abort();
    }
    /* Before the connection is made: a server that dies meanwhile must not write to our output. */
    PQsetNoticeReceiver(pq, on_notice, NULL);
    log_info("pg.connect", "connecting to database \"%s\" as \"%s\" at \"%s\", port %s",
             or_empty(PQdb(pq)), or_empty(PQuser(pq)), or_empty(PQhost(pq)), or_empty(PQport(pq)));
    errno = 0;
    const int64_t deadline_us = clock_monotonic_us() + target->connect_timeout_ms * 1000;
    if (PQstatus(pq) == CONNECTION_BAD || !finish_connecting(pq, deadline_us)) {
        fail_connecting(pq, target->connect_timeout_ms, err);
        return false;
    }
    PgConn *conn = calloc(1, sizeof *conn);
    if (conn == NULL) {
        abort();
    }
    conn->pq = pq;
    conn->repeats = target->repeats;
    *ret_conn = conn;
    return true;
}

const char pg_session_set_up[] =
    "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false),"
    " pg_catalog.set_config('timezone', 'UTC', false),"
    " pg_catalog.set_config('lock_timeout', $1::pg_catalog.text, false),"
    " pg_catalog.set_config('client_min_messages', 'warning', false),"
    " pg_catalog.set_config('standard_conforming_strings', 'on', false),"
    " pg_catalog.set_config('application_name', 'tenantry', false)";

static bool set_up_session(const PgTarget *target, PgConn *conn, Err *err)
{
    if (PQserverVersion(conn->pq) < OLDEST_SERVER) {
        return ERR_SET(err, ERR_PG_UNSUPPORTED, "upgrade the server, or use the embedded one",
                       "PostgreSQL %d at \"%s\" is too old, 15 or newer was expected",
                       PQserverVersion(conn->pq) / 10000, pg_conn_host(conn));
    }
    if (target->keeps_role_settings) {
        return true;
    }
    snprintf(conn->lock_timeout, sizeof conn->lock_timeout, "%" PRId64 "ms",
             target->lock_timeout_ms);
    return pg_query(conn, pg_session_set_up, PG_PARAMS(conn->lock_timeout), NULL, err);
}

bool pg_open(const PgTarget *target, PgConn **ret_conn, Err *err)
{
    int64_t pause_ms = FIRST_RETRY_PAUSE_MS;
    if (!pg_check_conninfo(target->conninfo, err)) {
        return false;
    }
    for (int64_t attempt = 0;; attempt++, pause_ms *= 2) {
        PgConn *conn = NULL;
        if (open_once(target, &conn, err)) {
            if (set_up_session(target, conn, err)) {
                *ret_conn = conn;
                return true;
            }
            pg_close(conn);
        }
        if (attempt >= target->retries || !err_kind(err->code)->is_retryable) {
            return false;
        }
        if (target->on_note != NULL) {
            char note[ERR_MESSAGE_SIZE + 64];
            snprintf(note, sizeof note, "%s; trying again in %" PRId64 " ms", err->message,
                     pause_ms);
            target->on_note(target->note_context, note);
        }
        clock_sleep_ms(pause_ms);
    }
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
    return or_empty(PQuser(conn->pq));
}

const char *pg_conn_database(const PgConn *conn)
{
    return or_empty(PQdb(conn->pq));
}

const char *pg_conn_host(const PgConn *conn)
{
    return or_empty(PQhost(conn->pq));
}

int pg_conn_version(const PgConn *conn)
{
    return PQserverVersion(conn->pq);
}

const char *pg_conn_port(const PgConn *conn)
{
    return or_empty(PQport(conn->pq));
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
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
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

/* Percent-encodes everything but unreserved characters (RFC 3986 section 2.3). */
static void add_encoded(StrBuf *buf, const char *text)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (const char *c = text; *c != '\0'; c++) {
        if (strchr(unreserved, *c) != NULL) {
            strbuf_add_char(buf, *c);
        } else {
            strbuf_printf(buf, "%%%02X", (unsigned char)*c);
        }
    }
}

const char *pg_uri(Arena *arena, const PgConn *conn, const char *role, const char *password)
{
    StrBuf uri = strbuf_init(arena);
    strbuf_add(&uri, "postgresql://");
    add_encoded(&uri, role);
    if (password != NULL) {
        strbuf_add_char(&uri, ':');
        add_encoded(&uri, password);
    }
    strbuf_add_char(&uri, '@');
    const char *host = pg_conn_host(conn);
    const bool is_socket = *host == '/' || *host == '@';
    if (!is_socket) {
        const bool is_ipv6 = strchr(host, ':') != NULL;
        strbuf_add(&uri, is_ipv6 ? "[" : "");
        if (is_ipv6) {
            strbuf_add(&uri, host);
        } else {
            add_encoded(&uri, host);
        }
        strbuf_printf(&uri, "%s:%s", is_ipv6 ? "]" : "", pg_conn_port(conn));
    }
    strbuf_add_char(&uri, '/');
    add_encoded(&uri, pg_conn_database(conn));
    if (is_socket) {
        strbuf_add(&uri, "?host=");
        add_encoded(&uri, host);
        strbuf_printf(&uri, "&port=%s", pg_conn_port(conn));
    }
    return uri.text;
}
