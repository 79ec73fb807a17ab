#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg/internal.h"

/* A statement that is used a few times only costs less when nothing is kept of it; a command seldom
 * uses one so often, a process that stays always does (pgJDBC's prepareThreshold is the same). A
 * long one takes so long to plan that the first use is worth it: keeping it costs next to nothing
 * of that. */
enum { USES_UNPREPARED = 5, LONG_USES_UNPREPARED = 0, LONG_SQL = 4000 };

PgFixed *pg_fixed_use(PgConn *conn, const char *sql)
{
    for (size_t i = 0; i < conn->fixed_count; i++) {
        if (strcmp(conn->fixed[i].sql, sql) == 0) {
            conn->fixed[i].uses++;
            return &conn->fixed[i];
        }
    }
    if (conn->fixed_count == conn->fixed_capacity) {
        conn->fixed_capacity = conn->fixed_capacity * 2 + 32;
        conn->fixed = realloc(conn->fixed, conn->fixed_capacity * sizeof *conn->fixed);
        if (conn->fixed == NULL) {
            abort();
        }
    }
    char *copy = strdup(sql);
    if (copy == NULL) {
        abort();
    }
    PgFixed *fixed = &conn->fixed[conn->fixed_count++];
    *fixed = (PgFixed){.sql = copy,
                       .uses = 1,
                       .uses_unprepared = strlen(sql) < LONG_SQL ? USES_UNPREPARED
                                                                 : LONG_USES_UNPREPARED};
    snprintf(fixed->name, sizeof fixed->name, "tenantry_%zu", conn->fixed_count);
    return fixed;
}

void pg_fixed_done(PgConn *conn)
{
    for (size_t i = 0; i < conn->fixed_count; i++) {
        free(conn->fixed[i].sql);
    }
    free(conn->fixed);
}

bool pg_fixed_is_worth_preparing(const PgConn *conn, const PgFixed *fixed)
{
    return (conn->repeats || fixed->uses > fixed->uses_unprepared) && !conn->is_distrusted;
}

void pg_fixed_trust_again(PgConn *conn)
{
    Err ignored;
    if (!conn->is_distrusted || !pg_query(conn, "DEALLOCATE ALL", PG_NO_PARAMS, NULL, &ignored)) {
        return;
    }
    for (size_t i = 0; i < conn->fixed_count; i++) {
        conn->fixed[i].is_prepared = false;
    }
    conn->is_distrusted = false;
}

static bool prepare(PgConn *conn, PgFixed *fixed, Err *err)
{
    scoped_rows PGresult *result = PQprepare(conn->pq, fixed->name, fixed->sql, 0, NULL);
    fixed->is_prepared = PQresultStatus(result) == PGRES_COMMAND_OK;
    return fixed->is_prepared || pg_fail(err, conn, result);
}

bool pg_query_fixed(PgConn *conn, const char *sql, PgParams params, PgRows **ret_rows, Err *err)
{
    PgFixed *fixed = pg_fixed_use(conn, sql);
    if (!pg_fixed_is_worth_preparing(conn, fixed)) {
        return pg_query(conn, sql, params, ret_rows, err);
    }
    return (fixed->is_prepared || prepare(conn, fixed, err)) &&
           pg_take_result(conn,
                          PQexecPrepared(conn->pq, fixed->name, (int)params.count, params.values,
                                         NULL, NULL, 0),
                          ret_rows, err);
}
