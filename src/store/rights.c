#include <string.h>

#include "pg/sql.h"
#include "store/store.h"

bool store_check_rights(Arena *arena, PgConn *conn, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query_row(conn,
                      "SELECT rolsuper, rolcreaterole,"
                      " has_database_privilege(current_database(), 'CREATE')"
                      " FROM pg_roles WHERE rolname = current_user",
                      PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    const bool is_super = pg_rows_bool(rows, 0, 0);
    const char *user = pg_conn_user(conn);
    const char *database = pg_conn_database(conn);
    if (!is_super && !pg_rows_bool(rows, 0, 1)) {
        ERR_SET(err, ERR_PG_RIGHT_MISSING, NULL, "role \"%s\" lacks CREATEROLE", user);
        err_hint(err, "as a superuser: %s; it need not be superuser itself",
                 SQL(arena, "ALTER ROLE {} CREATEROLE", sql_name(arena, user)));
        return false;
    }
    if (!is_super && !pg_rows_bool(rows, 0, 2)) {
        ERR_SET(err, ERR_PG_RIGHT_MISSING, NULL, "role \"%s\" lacks CREATE on database \"%s\"",
                user, database);
        err_hint(err, "as the database's owner: %s",
                 SQL(arena, "GRANT CREATE ON DATABASE {} TO {}", sql_name(arena, database),
                     sql_name(arena, user)));
        return false;
    }
    return true;
}

/* Others have no room for what UTF-8 says, and SQL_ASCII keeps any bytes and gives them back as if
 * they were UTF-8. */
bool store_check_encoding(Arena *arena, PgConn *conn, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query_row(conn, "SELECT current_setting('server_encoding')", PG_NO_PARAMS, &rows,
                      err)) {
        return false;
    }
    const char *encoding = pg_rows_text(rows, 0, 0);
    const char *database = pg_conn_database(conn);
    if (strcmp(encoding, "UTF8") == 0) {
        return true;
    }
    ERR_SET(err, ERR_CONFIG_INVALID, NULL, "database \"%s\" has the encoding %s, UTF8 was expected",
            database, encoding);
    err_hint(err,
             "under another name, or when this one was renamed: %s; where the server's own locale "
             "has another encoding, with LOCALE 'C.UTF-8'",
             SQL(arena, "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'",
                 sql_name(arena, database)));
    return false;
}
