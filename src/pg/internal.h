/* What the files of this module share. */
#ifndef TENANTRY_PG_INTERNAL_H
#define TENANTRY_PG_INTERNAL_H

#include <libpq-fe.h>

#include "pg/conn.h"

struct PgConn {
    PGconn *pq;
    char lock_timeout[32]; /* with its unit */
    bool is_broken; /* something failed that was no answer of the server; libpq may call such a
                       connection good until it reads from it again */
};

/* Sets a control session up; its parameter is lock_timeout. Everything in it is qualified, since it
 * also runs where search_path is anybody's. pg_temp comes last: otherwise it is searched first, and
 * a temporary "pg_class" would be taken for the catalogue's. */
extern const char pg_session_set_up[];

/* Fills err from a failed answer or, where that has none of the server's (or is NULL), from the
 * connection, which cannot be used any more then. Returns false. */
bool pg_fail(Err *err, PgConn *conn, const PGresult *result);

/* Whether libpq can read a connection string; ERR_CONFIG_INVALID, which never quotes it. */
bool pg_check_conninfo(const char *conninfo, Err *err);

#endif
