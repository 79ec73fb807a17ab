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
