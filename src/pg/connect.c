/* Making connections: what libpq is told, what a refusal means, and the set-up of a session. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/clock.h"
#include "core/log.h"
#include "pg/batch.h"
#include "pg/internal.h"
#include "pg/sql.h"

enum { OLDEST_SERVER = 150000, FIRST_RETRY_PAUSE_MS = 200 };

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

static const char check_password[] =
    "check the user and the password: PGPASSWORD, a passfile, or the one in the database URL";
static const char free_space[] = "free some space on the file system of the server";

/* Why somebody is not let in. The first row counts whose state the server's begins with, and whose
 * words are in the message: those only make a hint more exact, where the server speaks English. */
static const PgMeaning refusals[] = {
    {"", "No space left on device", ERR_DISK_FULL, free_space},
    {"", "could not write init file", ERR_DISK_FULL, free_space},
    {"28000", "no pg_hba.conf entry", ERR_PG_RIGHT_MISSING,
     "add a line for the role and the database to the server's pg_hba.conf"},
    {"28000", "is not permitted to log in", ERR_PG_RIGHT_MISSING,
     "as a superuser, give the role LOGIN"},
    {"28000", "", ERR_PG_RIGHT_MISSING,
     "check that the role exists and has LOGIN, and that the server's pg_hba.conf lets it into the "
     "database from here"},
    {"28", "", ERR_PG_RIGHT_MISSING, check_password},
    {"53100", "", ERR_DISK_FULL, free_space},
    {"53300", "", ERR_PG_UNAVAILABLE, "raise max_connections, or end sessions that are idle"},
    {"57P03", "", ERR_PG_UNAVAILABLE, "PostgreSQL is starting, stopping or recovering; try again"},
    {"", "authentication failed", ERR_PG_RIGHT_MISSING, check_password},
};

/* How a connection failed. */
typedef struct Refusal {
    char line[ERR_MESSAGE_SIZE]; /* what libpq says, without the state */
    char sqlstate[6];            /* "" when no server answered */
    ErrCode code;
    const char *hint; /* or NULL */
} Refusal;

/* Takes the state out of "FATAL:  28P01: ...", whatever the language. */
static bool take_sqlstate(char *line, char *ret_sqlstate)
{
    static const char of_state[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (char *at = strstr(line, ":  "); at != NULL; at = strstr(at + 1, ":  ")) {
        char *state = at + 3;
        if (strspn(state, of_state) == 5 && strncmp(state + 5, ": ", 2) == 0) {
            snprintf(ret_sqlstate, 6, "%.5s", state);
            memmove(state, state + 7, strlen(state + 7) + 1);
            return true;
        }
    }
    return false;
}

/* The first line; but where a server answered, what the last one said: libpq goes on to another
 * host while there is one, and the error of the connection is that of where it ended. */
static void read_failure(const PGconn *pq, Refusal *ret_refusal)
{
    const char *text = PQerrorMessage(pq);
    pg_add_first_line(ret_refusal->line, sizeof ret_refusal->line, text);
    for (const char *line = text; *line != '\0'; line += strspn(line, "\n")) {
        char found[ERR_MESSAGE_SIZE];
        pg_add_first_line(found, sizeof found, line);
        if (take_sqlstate(found, ret_refusal->sqlstate)) {
            memcpy(ret_refusal->line, found, sizeof found);
        }
        line += strcspn(line, "\n");
    }
}

static bool begins_and_ends(const char *line, const char *begin, const char *end)
{
    const char *found = strstr(line, begin);
    const size_t length = strlen(line);
    return found != NULL && length >= strlen(end) && strcmp(line + length - strlen(end), end) == 0;
}

/* Where PUBLIC may not connect, the control role has to pass CONNECT on to those of tenants. */
static const char *grant_connect(Arena *arena, const PGconn *pq, bool is_tenant)
{
    return arena_printf(arena, "%s%s",
                        SQL(arena, "GRANT CONNECT ON DATABASE {} TO {}", sql_name(arena, PQdb(pq)),
                            sql_name(arena, PQuser(pq))),
                        is_tenant ? "" : " WITH GRANT OPTION");
}

/* A database, a role or its right that is not there; the hint has the statement that makes it. */
static bool refuse_missing(const PGconn *pq, const Refusal *refusal, bool is_tenant, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    const bool is_database = strcmp(refusal->sqlstate, "3D000") == 0;
    const bool is_role = begins_and_ends(refusal->line, "FATAL:  role \"", "\" does not exist");
    const bool is_right = strcmp(refusal->sqlstate, "42501") == 0;
    if (!is_database && !is_role && !is_right) {
        return false;
    }
    ERR_SET(err, is_database ? ERR_CONFIG_INVALID : ERR_PG_RIGHT_MISSING, NULL,
            "cannot connect to PostgreSQL: %s", refusal->line);
    if (is_database) {
        err_hint(err, "create it: %s (as a superuser or a role with CREATEDB)",
                 SQL(arena, "CREATE DATABASE {}", sql_name(arena, PQdb(pq))));
    } else if (is_right) {
        err_hint(err, "as the database's owner: %s", grant_connect(arena, pq, is_tenant));
    } else {
        err_hint(err, "create it: %s (as a superuser)",
                 SQL(arena, "CREATE ROLE {} LOGIN CREATEROLE", sql_name(arena, PQuser(pq))));
    }
    return true;
}

static void judge(const PGconn *pq, Refusal *refusal)
{
    const PgMeaning *meaning = pg_find_meaning(refusals, ARRAY_COUNT(refusals), refusal->sqlstate,
                                               PQerrorMessage(pq));
    if (meaning != NULL) {
        refusal->code = meaning->code;
        refusal->hint = meaning->hint;
    } else if (*refusal->sqlstate != '\0') {
        refusal->hint = "PostgreSQL runs there and answers, but let nobody in: look at its log";
    } else if (PQconnectionNeedsPassword(pq)) {
        refusal->code = ERR_PG_RIGHT_MISSING;
        refusal->hint = check_password;
    } else if (strncmp(refusal->line, "invalid ", strlen("invalid ")) == 0) {
        refusal->code = ERR_CONFIG_INVALID;
        refusal->hint = "correct this part of the database URL";
    }
}

/* errno is of the attempt. err gets no SQLSTATE: those are of statements (blueprint_blame). Closes
 * pq. */
static void fail_connecting(PGconn *pq, const PgTarget *target, Err *err)
{
    const bool is_late = errno == ETIMEDOUT;
    Refusal refusal = {.code = ERR_PG_UNAVAILABLE};
    read_failure(pq, &refusal);
    if (!refuse_missing(pq, &refusal, target->keeps_role_settings, err)) {
        judge(pq, &refusal);
        if (is_late && refusal.hint == NULL) {
            snprintf(refusal.line, sizeof refusal.line, "no answer within %" PRId64 " ms",
                     target->connect_timeout_ms);
        }
        ERR_SET(err, refusal.code,
                refusal.hint != NULL ? refusal.hint
                                     : "check that PostgreSQL runs there and that the database URL "
                                       "names its host, port and database",
                "cannot connect to PostgreSQL: %s", refusal.line);
    }
    PQfinish(pq);
}

void pg_clean_environment(bool is_all)
{
    static const char *const leading_away[] = {
        "PGAPPNAME", "PGCLIENTENCODING",     "PGCONNECT_TIMEOUT", "PGDATESTYLE",
        "PGGEQO",    "PGHOSTADDR",           "PGOPTIONS",         "PGSERVICE",
        "PGTZ",      "PGTARGETSESSIONATTRS", "PGSERVICEFILE",
    };
    for (size_t i = 0; i < ARRAY_COUNT(leading_away); i++) {
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

static bool open_once(const PgTarget *target, PgConn **ret_conn, Err *err)
{
    const char *const keys[] = {"dbname", "fallback_application_name", "client_encoding", "options",
                                NULL};
    const char *const values[] = {target->conninfo, "tenantry", "UTF8", target->options, NULL};
    PGconn *pq = PQconnectStartParams(keys, values, 1);
    if (pq == NULL) {
        abort();
    }
    /* The only way to a SQLSTATE while connecting; a message is in the server's language. */
    PQsetErrorVerbosity(pq, PQERRORS_VERBOSE);
    /* Before the connection is made: a server that dies meanwhile must not write to our output. */
    PQsetNoticeReceiver(pq, on_notice, NULL);
    log_info("pg.connect", "connecting to database \"%s\" as \"%s\" at \"%s\", port %s",
             pg_or_empty(PQdb(pq)), pg_or_empty(PQuser(pq)), pg_or_empty(PQhost(pq)),
             pg_or_empty(PQport(pq)));
    errno = 0;
    const int64_t deadline_us = clock_monotonic_us() + target->connect_timeout_ms * 1000;
    if (PQstatus(pq) == CONNECTION_BAD || !finish_connecting(pq, deadline_us)) {
        fail_connecting(pq, target, err);
        return false;
    }
    PQsetErrorVerbosity(pq, PQERRORS_DEFAULT);
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
    "SELECT"
#define SESSION(name, value, why) " pg_catalog.set_config('" name "', '" value "', false),"
#define SESSION_SINCE(version, name, value, why)                                                   \
    " CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4"                 \
    " OPERATOR(pg_catalog.>=) " #version " THEN pg_catalog.set_config('" name "', '" value         \
    "', false) END,"
#include "pg/session.def"
#undef SESSION
#undef SESSION_SINCE
    " pg_catalog.set_config('lock_timeout', $1::pg_catalog.text, false)";

/* Only a superuser may set it, so only one can set it right; without triggers no key is checked. */
static bool check_replication_role(const PgConn *conn, const PgRows *rows, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    if (strcmp(pg_rows_text(rows, 0, 0), "replica") != 0) {
        return true;
    }
    ERR_SET(err, ERR_CONFIG_INVALID, NULL,
            "sessions of role \"%s\" in database \"%s\" run no triggers: "
            "session_replication_role is replica",
            pg_conn_user(conn), pg_conn_database(conn));
    err_hint(err, "as a superuser: %s; or ALTER DATABASE, where it is set for the database",
             SQL(arena, "ALTER ROLE {} RESET session_replication_role",
                 sql_name(arena, pg_conn_user(conn))));
    return false;
}

static bool set_up_session(const PgTarget *target, PgConn *conn, const char *question,
                           PgRows **ret_rows, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    scoped_batch PgBatch *batch = pg_batch_new(arena);
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
    /* ALTER ROLE ... SET role. RESET ALL leaves it alone, so it is no part of the set-up. */
    pg_batch_add_fixed(batch, "SET ROLE NONE", PG_NO_PARAMS);
    pg_batch_add_fixed(batch, pg_session_set_up, PG_PARAMS(conn->lock_timeout));
    const size_t triggers = pg_batch_add_fixed(
        batch, "SELECT pg_catalog.current_setting('session_replication_role')", PG_NO_PARAMS);
    const size_t answer = question == NULL ? 0 : pg_batch_add_fixed(batch, question, PG_NO_PARAMS);
    if (!pg_batch_run(conn, batch, err) ||
        !check_replication_role(conn, pg_batch_rows(batch, triggers), err)) {
        return false;
    }
    if (question != NULL) {
        *ret_rows = pg_batch_take_rows(batch, answer);
    }
    return true;
}

bool pg_open(const PgTarget *target, PgConn **ret_conn, Err *err)
{
    return pg_open_asking(target, NULL, ret_conn, NULL, err);
}

bool pg_open_asking(const PgTarget *target, const char *question, PgConn **ret_conn,
                    PgRows **ret_rows, Err *err)
{
    int64_t pause_ms = FIRST_RETRY_PAUSE_MS;
    if (!pg_check_conninfo(target->conninfo, err)) {
        return false;
    }
    for (int64_t attempt = 0;; attempt++, pause_ms *= 2) {
        PgConn *conn = NULL;
        if (open_once(target, &conn, err)) {
            if (set_up_session(target, conn, question, ret_rows, err)) {
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
