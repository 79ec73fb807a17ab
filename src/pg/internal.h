/* What the files of this module share. */
#ifndef TENANTRY_PG_INTERNAL_H
#define TENANTRY_PG_INTERNAL_H

#include <libpq-fe.h>

#include "pg/conn.h"

/* A statement of pg_query_fixed, as this session knows it. */
typedef struct PgFixed {
    char *sql;
    char name[32]; /* of the prepared statement */
    int64_t uses;
    int64_t uses_unprepared;
    bool is_prepared;
} PgFixed;

struct PgConn {
    PGconn *pq;
    PgFixed *fixed;
    size_t fixed_count;
    size_t fixed_capacity;
    char lock_timeout[32]; /* with its unit */
    bool repeats;          /* PgTarget */
    size_t posted;         /* batches whose answers are not taken yet */
    bool is_distrusted; /* code of others failed; it may have taken the names of our statements */
    bool is_broken;     /* something failed that was no answer of the server; libpq may call such a
                           connection good until it reads from it again */
};

/* Sets a control session up; its parameter is lock_timeout. Everything in it is qualified, since it
 * also runs where search_path is anybody's. pg_temp comes last: otherwise it is searched first, and
 * a temporary "pg_class" would be taken for the catalogue's. */
extern const char pg_session_set_up[];

/* The first line of a libpq message. */
void pg_add_first_line(char *buffer, size_t size, const char *text);

static inline const char *pg_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* What an error of the server means: a row for the states that begin so, with these words in the
 * message. */
typedef struct PgMeaning {
    const char *prefix; /* of the SQLSTATE */
    const char *words;
    ErrCode code;
    const char *hint;
} PgMeaning;

/* The first row that fits, or NULL. */
const PgMeaning *pg_find_meaning(const PgMeaning *rows, size_t count, const char *sqlstate,
                                 const char *message);

/* Fills err from a failed answer or, where that has none of the server's (or is NULL), from the
 * connection, which cannot be used any more then. Returns false. */
bool pg_fail(Err *err, PgConn *conn, const PGresult *result);

/* Counts one more use of a statement; valid until the next call. */
PgFixed *pg_fixed_use(PgConn *conn, const char *sql);
bool pg_fixed_is_worth_preparing(const PgConn *conn, const PgFixed *fixed);
void pg_fixed_done(PgConn *conn);

/* After a rollback, which takes no PREPARE back: forgets what was prepared, ours too, when code of
 * others failed in this session. */
void pg_fixed_trust_again(PgConn *conn);

/* Takes the answer of one statement: rows to the caller, when ret_rows is not NULL, or an error. */
bool pg_take_result(PgConn *conn, PGresult *result, PgRows **ret_rows, Err *err);

/* Whether libpq can read a connection string; ERR_CONFIG_INVALID, which never quotes it. */
bool pg_check_conninfo(const char *conninfo, Err *err);

#endif
