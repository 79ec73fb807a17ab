/* What the files of this module share. */
#ifndef TENANTRY_PG_INTERNAL_H
#define TENANTRY_PG_INTERNAL_H

#include <libpq-fe.h>

#include "pg/conn.h"

struct PgConn {
    PGconn *pq;
    bool is_broken; /* something failed that was no answer of the server; libpq may call such a
                       connection good until it reads from it again */
};

/* Fills err from a failed answer or, where that has none of the server's (or is NULL), from the
 * connection, which cannot be used any more then. Returns false. */
bool pg_fail(Err *err, PgConn *conn, const PGresult *result);

/* Whether libpq can read a connection string; ERR_CONFIG_INVALID, which never quotes it. */
bool pg_check_conninfo(const char *conninfo, Err *err);

#endif
