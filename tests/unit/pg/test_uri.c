#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"

#include "pg/internal.h"

/* What a connection was told is known before it is made. */
static const struct {
    const char *told;
    const char *all;
    const char *here; /* NULL: it depends on who answers */
} rows[] = {
    {"postgresql://op@127.0.0.1:1/a", "postgresql://t:p%40@127.0.0.1:1/a",
     "postgresql://t:p%40@127.0.0.1:1/a"},
    {"postgresql://op:word@127.0.0.1:1,[::1]:2/a%20b",
     "postgresql://t:p%40@127.0.0.1:1,[::1]:2/a%20b", NULL},
    {"host=127.0.0.1,127.0.0.2,127.0.0.3 port=1,,3 dbname=a",
     "postgresql://t:p%40@127.0.0.1:1,127.0.0.2:5432,127.0.0.3:3/a", NULL},
    {"host=127.0.0.1,127.0.0.2 port=1 dbname=a", "postgresql://t:p%40@127.0.0.1:1,127.0.0.2:1/a",
     NULL},
    {"host=db.invalid hostaddr=127.0.0.1 port=1 dbname=a sslmode=verify-full sslrootcert=/c,d.pem",
     "postgresql://t:p%40@db.invalid:1/a?hostaddr=127.0.0.1&sslmode=verify-full"
     "&sslrootcert=%2Fc,d.pem",
     "postgresql://t:p%40@db.invalid:1/a?hostaddr=127.0.0.1&sslmode=verify-full"
     "&sslrootcert=%2Fc,d.pem"},
    {"host=/nothing,/there port=1 dbname=a sslmode=prefer target_session_attrs=any",
     "postgresql://t:p%40@/a?host=%2Fnothing,%2Fthere&port=1",
     "postgresql://t:p%40@/a?host=%2Fthere&port=1"},
};

static void a_tenant_gets_all_hosts_and_a_session_of_ours_the_one_that_is_used(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        scoped_arena Arena *arena = arena_new();
        PgConn conn = {.pq = PQconnectStart(rows[i].told)};
        assert_non_null(conn.pq);
        assert_string_equal(pg_uri(arena, &conn, "t", "p@"), rows[i].all);
        if (rows[i].here != NULL) {
            assert_string_equal(pg_uri_here(arena, &conn, "t", "p@"), rows[i].here);
        }
        PQfinish(conn.pq);
    }
}

/* What a person may be shown of a database URL, and type again. */
static const struct {
    const char *given;
    const char *shown; /* NULL: as it was given */
} shown_rows[] = {
    {"postgresql://op@[::1]:1,db/a%20b?sslmode=verify-full", NULL},
    {"host=db user=op passfile=/p sslkey=/k", NULL},
    {"postgresql://op:se:cr%40et@db/a%20b?sslkey=%2Fk",
     "user='op' dbname='a b' host='db' sslkey='/k'"},
    {"postgresql:///a?password=secret&host=db", "dbname='a' host='db'"},
    {"host=db password=secret user='o\\'p'", "user='o\\'p' host='db'"},
    {"host=db sslpassword=secret", "host='db'"},
};

static void what_is_shown_of_a_database_url_has_no_password(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(shown_rows); i++) {
        scoped_arena Arena *arena = arena_new();
        const char *given = shown_rows[i].given;
        const char *shown = pg_conninfo_without_secrets(arena, given);
        assert_non_null(shown);
        if (shown_rows[i].shown == NULL) {
            assert_ptr_equal(shown, given);
            continue;
        }
        assert_string_equal(shown, shown_rows[i].shown);
    }
    scoped_arena Arena *arena = arena_new();
    assert_null(pg_conninfo_without_secrets(arena, "postgresql://op:secret@db:x y/?z"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tenant_gets_all_hosts_and_a_session_of_ours_the_one_that_is_used),
        cmocka_unit_test(what_is_shown_of_a_database_url_has_no_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
