/* pg_dump: the schema of a database as SQL, by PostgreSQL's own program. Blocks. */
#ifndef TENANTRY_PG_DUMP_H
#define TENANTRY_PG_DUMP_H

#include "core/process.h"
#include "pg/conn.h"

/* Looks for a pg_dump that can read this server: one of its major version or of the nearest newer
 * one. bin_dir: only there; NULL: in the usual folders, and in PATH when those have none. They are
 * asked as this user. *ret_path is NULL when there is none. */
bool pg_dump_find(Arena *arena, PgConn *conn, const char *bin_dir, const ProcessUser *user,
                  const char **ret_path, Err *err);

typedef struct PgDumpOptions {
    const char *program; /* from pg_dump_find */
    ProcessUser user;    /* whom it runs as */
    const char *schema;
    const char *role; /* logs in, so that nothing that pg_dump runs can become another role */
    const char *password;
    int64_t timeout_ms;
    size_t max_bytes;
} PgDumpOptions;

/* One schema without rows, owners and rights. Connects to where conn does. No secret is in the
 * command line; the password is in the environment, the pass phrase of a client key not even there.
 * ERR_IO with what pg_dump said, ERR_LIMIT. */
bool pg_dump_schema(Arena *arena, const PgConn *conn, const PgDumpOptions *options,
                    const char **ret_sql, Err *err);

#endif
