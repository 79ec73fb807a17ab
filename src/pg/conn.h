/* A connection to PostgreSQL: blocking, one thread at a time, for the control plane.
 *
 * libpq is used in this module only. Values travel as parameters; statements that take none (DDL,
 * GRANT) are built by pg/sql.h, where identifiers and literals are types. Every function that talks
 * to the server blocks. */
#ifndef TENANTRY_PG_CONN_H
#define TENANTRY_PG_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"

typedef struct PgConn PgConn;

/* The rows of one answer (libpq's PGresult). */
typedef struct pg_result PgRows;

typedef struct PgTarget {
    const char *conninfo;       /* libpq keywords or a URI */
    int64_t connect_timeout_ms; /* of one attempt */
    int64_t lock_timeout_ms;    /* of every statement of the session */
    int64_t retries;            /* attempts after the first one, with growing pauses */
    bool keeps_role_settings; /* a tenant's own session: search_path and time-outs are its role's */
    const char *options; /* "-c name=value ..."; wins over what role and database say; or NULL */
    bool repeats; /* the same few statements again and again: kept from their first use (fixed.c) */
    void (*on_note)(void *context, const char *text); /* told about retries; may be NULL */
    void *note_context;
} PgTarget;

/* Takes variables of libpq out of this process's environment, once, before there are threads:
 * always those that lead a connection to another server or give its session other settings; with
 * is_all every one, for a server whose connection string says everything. */
void pg_clean_environment(bool is_all);

/* Connects, checks that the server is 15 or newer, and sets the session up: search_path is
 * pg_catalog (temporary relations last), UTC, lock_timeout, application_name "tenantry".
 * ERR_PG_UNAVAILABLE (after the retries), ERR_PG_UNSUPPORTED, ERR_PG_RIGHT_MISSING
 * (authentication). */
bool pg_open(const PgTarget *target, PgConn **ret_conn, Err *err);

/* The same, and asks one statement, a constant, in the round trip that sets the session up, after
 * its settings hold. Not for a session that keeps its role's. */
bool pg_open_asking(const PgTarget *target, const char *question, PgConn **ret_conn,
                    PgRows **ret_rows, Err *err);

/* NULL is allowed. Returns NULL. */
PgConn *pg_close(PgConn *conn);

static inline void pg_close_scoped(PgConn **conn)
{
    *conn = pg_close(*conn);
}
#define scoped_conn __attribute__((cleanup(pg_close_scoped)))

/* Parameters of a statement, all as text; NULL is SQL's NULL. PG_PARAMS("a", NULL, text). */
typedef struct PgParams {
    size_t count;
    const char *const *values;
} PgParams;
#define PG_PARAMS(...)                                                                             \
    ((PgParams){.count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *),        \
                .values = (const char *const[]){__VA_ARGS__}})
#define PG_NO_PARAMS ((PgParams){.count = 0})

/* Runs one statement. ret_rows may be NULL when nobody looks at them. */
bool pg_query(PgConn *conn, const char *sql, PgParams params, PgRows **ret_rows, Err *err);

/* The same for one of few texts: a session that uses it often lets the server keep it parsed and
 * planned. Not for what runs between code of tenants and the proof that follows it
 * (src/blueprint/guard.c). */
bool pg_query_fixed(PgConn *conn, const char *sql, PgParams params, PgRows **ret_rows, Err *err);

/* pg_query that must give exactly one row; ERR_INTERNAL otherwise. */
bool pg_query_row(PgConn *conn, const char *sql, PgParams params, PgRows **ret_rows, Err *err);

/* Transactions. pg_rollback never fails: a connection that is gone has rolled back. Commits wait
 * for the disk unless is_durable is false: then a crash of the server may lose the transaction,
 * whole, and a later durable commit makes it durable too (PostgreSQL documentation, "Asynchronous
 * Commit"). */
bool pg_begin(PgConn *conn, Err *err);
bool pg_commit(PgConn *conn, bool is_durable, Err *err);
void pg_rollback(PgConn *conn);

/* Whether the connection can still be used. */
bool pg_is_alive(const PgConn *conn);

/* What the connection uses, as libpq resolved it: "host", "port", "dbname", "user". Never NULL.
 * Borrowed. */
const char *pg_conn_user(const PgConn *conn);
const char *pg_conn_database(const PgConn *conn);
const char *pg_conn_host(const PgConn *conn);
const char *pg_conn_port(const PgConn *conn);

/* The server's version number, 150020 for 15.20. */
int pg_conn_version(const PgConn *conn);

/* Rows. Text is borrowed from the rows; NULL for SQL's NULL. */
size_t pg_rows_count(const PgRows *rows);
const char *pg_rows_text(const PgRows *rows, size_t row, size_t column);
int64_t pg_rows_int(const PgRows *rows, size_t row, size_t column);
bool pg_rows_bool(const PgRows *rows, size_t row, size_t column);
/* What a column is called and what it holds, for those who do not know the statement. */
typedef enum PgKind { PG_KIND_TEXT, PG_KIND_INT, PG_KIND_BOOL, PG_KIND_TIME } PgKind;
size_t pg_rows_columns(const PgRows *rows);
const char *pg_rows_name(const PgRows *rows, size_t column);
PgKind pg_rows_kind(const PgRows *rows, size_t column);
/* Rows that an INSERT, UPDATE or DELETE touched. */
int64_t pg_rows_affected(const PgRows *rows);
PgRows *pg_rows_free(PgRows *rows);

static inline void pg_rows_free_scoped(PgRows **rows)
{
    *rows = pg_rows_free(*rows);
}
#define scoped_rows __attribute__((cleanup(pg_rows_free_scoped)))

/* bytea in its hex form, both ways, in the arena. from_hex gives NULL when text is none. */
const char *pg_bytea_to_text(Arena *arena, const uint8_t *bytes, size_t length);
uint8_t *pg_bytea_from_text(Arena *arena, const char *text, size_t *ret_length);

/* A number as a parameter, in the arena. */
const char *pg_int_text(Arena *arena, int64_t value);

/* A connection string for a tenant's application: postgresql://role:password@host:port/database (a
 * Unix socket's folder goes into the query), percent-encoded, in the arena, with all the hosts that
 * conn was told and what it was told about TLS and the choice of a host. password may be NULL. */
const char *pg_uri(Arena *arena, const PgConn *conn, const char *role, const char *password);

/* The same for a session of our own, which must be on the server that conn is connected to. */
const char *pg_uri_here(Arena *arena, const PgConn *conn, const char *role, const char *password);

/* What somebody gave to connect with, without its passwords: the text itself when there are none in
 * it, else keywords in the arena. NULL when libpq cannot read it. */
const char *pg_conninfo_without_secrets(Arena *arena, const char *conninfo);

#endif
