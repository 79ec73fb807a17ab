/* What a connection string must be before anything connects. libpq quotes the whole string in its
 * messages, password included, and takes a word that is none for the name of a database. */
#include <stdio.h>
#include <string.h>

#include "core/array.h"
#include "core/strbuf.h"
#include "pg/internal.h"

static const char how_to_write[] =
    "write it as postgresql://user@host:port/database, with special characters percent-encoded "
    "(/ is %2F, @ is %40), or as host=... dbname=... user=...";

/* Where libpq's messages begin to quote (its fe-connect.c), and how much of that stays. */
static const struct {
    const char *text;
    size_t kept;
} quotes[] = {{": \"", 0}, {" after \"", 0}, {" option \"", sizeof " option" - 1}};

static bool refuse(const char *reason, Err *err)
{
    return ERR_SET(err, ERR_CONFIG_INVALID, how_to_write, "the database URL cannot be read: %s",
                   reason);
}

static bool refuse_as_libpq_says(const char *message, Err *err)
{
    char reason[ERR_MESSAGE_SIZE];
    snprintf(reason, sizeof reason, "%.*s", (int)strcspn(message, "\n"), message);
    for (size_t i = 0; i < ARRAY_COUNT(quotes); i++) {
        char *quote = strstr(reason, quotes[i].text);
        if (quote != NULL) {
            quote[quotes[i].kept] = '\0';
        }
    }
    return refuse(reason, err);
}

/* The text behind the scheme of a URI; NULL when it is none that libpq knows. */
static const char *after_scheme(const char *conninfo)
{
    static const char *const schemes[] = {"postgresql://", "postgres://"};
    for (size_t i = 0; i < ARRAY_COUNT(schemes); i++) {
        const size_t length = strlen(schemes[i]);
        if (strncmp(conninfo, schemes[i], length) == 0) {
            return conninfo + length;
        }
    }
    return NULL;
}

/* A / in a password ends the host early: what is left of the password is then taken for a port or a
 * database, which messages name. */
static bool has_misplaced_at(const char *rest)
{
    const size_t host_end = strcspn(rest, "/?");
    const size_t path_end = host_end + strcspn(rest + host_end, "?");
    return memchr(rest, '@', host_end) == NULL &&
           memchr(rest + host_end, '@', path_end - host_end) != NULL;
}

static bool check_port(const PQconninfoOption *options, Err *err)
{
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        if (strcmp(option->keyword, "port") == 0 && option->val != NULL &&
            option->val[strspn(option->val, "0123456789,")] != '\0') {
            return refuse("the port is not a number", err);
        }
    }
    return true;
}

bool pg_check_conninfo(const char *conninfo, Err *err)
{
    const char *rest = after_scheme(conninfo);
    if (rest == NULL && strchr(conninfo, '=') == NULL) {
        return refuse("it begins neither with postgresql:// nor with a keyword", err);
    }
    if (rest != NULL && has_misplaced_at(rest)) {
        return refuse("an @ stands behind the host", err);
    }
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &message);
    const bool is_valid = options != NULL
                              ? check_port(options, err)
                              : refuse_as_libpq_says(message == NULL ? "" : message, err);
    PQconninfoFree(options);
    PQfreemem(message);
    return is_valid;
}

/* libpq marks what a form would not show, but for SCRAM keys, which are as good as the password. */
static bool is_secret(const PQconninfoOption *option)
{
    return strchr(option->dispchar, '*') != NULL || strncmp(option->keyword, "scram_", 6) == 0;
}

static void add_keyword(StrBuf *buf, const char *keyword, const char *value)
{
    strbuf_printf(buf, "%s%s='", buf->length == 0 ? "" : " ", keyword);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\'' || *c == '\\') {
            strbuf_add_char(buf, '\\');
        }
        strbuf_add_char(buf, *c);
    }
    strbuf_add_char(buf, '\'');
}

const char *pg_conninfo_without_secrets(Arena *arena, const char *conninfo)
{
    PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
    if (options == NULL) {
        return NULL;
    }
    bool has_secrets = false;
    StrBuf rest = strbuf_init(arena);
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        if (option->val != NULL && is_secret(option)) {
            has_secrets = true;
        } else if (option->val != NULL) {
            add_keyword(&rest, option->keyword, option->val);
        }
    }
    PQconninfoFree(options);
    return has_secrets ? rest.text : conninfo;
}
