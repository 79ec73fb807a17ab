/* Connection strings for other logins, made of what a connection was told. */
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/strbuf.h"
#include "pg/internal.h"

#define DEFAULT_PORT "5432"

/* What holds for whoever connects there. Not: who logs in and with what (user, password, passfile,
 * sslcert, sslkey, sslpassword), settings of the session (options, application_name), and names
 * that mean something on this machine only (service). */
static const struct {
    const char *keyword;
    const char *why;
} carried[] = {
    {"sslmode", "without it a tenant's password could travel in the open"},
    {"sslrootcert", "what the server's certificate is held against"},
    {"sslcrl", "certificates that count no more"},
    {"sslcrldir", "the same"},
    {"ssl_min_protocol_version", "the same protection for all"},
    {"channel_binding", "the same"},
    {"target_session_attrs", "which one of several hosts is meant"},
};

/* Percent-encodes everything but unreserved characters (RFC 3986 section 2.3). */
static void add_encoded(StrBuf *buf, const char *text, size_t length)
{
    static const char kept[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (size_t i = 0; i < length; i++) {
        if (strchr(kept, text[i]) != NULL) {
            strbuf_add_char(buf, text[i]);
        } else {
            strbuf_printf(buf, "%%%02X", (unsigned char)text[i]);
        }
    }
}

/* Nothing where the value is empty. Commas stay, for people who read lists. */
static void add_parameter(StrBuf *buf, const char *keyword, const char *value)
{
    if (*value == '\0') {
        return;
    }
    strbuf_add(buf, strchr(buf->text, '?') == NULL ? "?" : "&");
    strbuf_printf(buf, "%s=", keyword);
    for (const char *part = value;; part++) {
        const size_t length = strcspn(part, ",");
        add_encoded(buf, part, length);
        part += length;
        if (*part == '\0') {
            return;
        }
        strbuf_add_char(buf, ',');
    }
}

/* Element number of a list with commas, not terminated. */
static const char *list_element(const char *list, size_t number, size_t *ret_length)
{
    for (; number > 0 && *list != '\0'; number--) {
        list += strcspn(list, ",");
        list += *list == ',' ? 1 : 0;
    }
    *ret_length = strcspn(list, ",");
    return list;
}

static size_t list_length(const char *list)
{
    size_t count = 1;
    for (const char *c = list; *c != '\0'; c++) {
        count += *c == ',' ? 1 : 0;
    }
    return count;
}

/* Whether every host can stand before the path: a Unix socket's folder, or none, cannot. */
static bool has_names_only(const char *hosts)
{
    for (size_t i = 0; i < list_length(hosts); i++) {
        size_t length = 0;
        const char *host = list_element(hosts, i, &length);
        if (length == 0 || *host == '/' || *host == '@') {
            return false;
        }
    }
    return true;
}

/* host:port,host:port; one port may be that of all. */
static void add_hosts(StrBuf *buf, const char *hosts, const char *ports)
{
    for (size_t i = 0; i < list_length(hosts); i++) {
        size_t length = 0;
        size_t port_length = 0;
        const char *host = list_element(hosts, i, &length);
        const char *port = list_element(ports, list_length(ports) == 1 ? 0 : i, &port_length);
        strbuf_add(buf, i == 0 ? "" : ",");
        if (memchr(host, ':', length) != NULL) { /* IPv6 */
            strbuf_printf(buf, "[%.*s]", (int)length, host);
        } else {
            add_encoded(buf, host, length);
        }
        strbuf_printf(buf, ":%.*s", port_length == 0 ? (int)strlen(DEFAULT_PORT) : (int)port_length,
                      port_length == 0 ? DEFAULT_PORT : port);
    }
}

static const PQconninfoOption *find_option(const PQconninfoOption *options, const char *keyword)
{
    const PQconninfoOption *option = options;
    while (strcmp(option->keyword, keyword) != 0) {
        option++;
        if (option->keyword == NULL) {
            return NULL; /* this libpq is older than the keyword */
        }
    }
    return option;
}

static const char *find_value(const PQconninfoOption *options, const char *keyword)
{
    const PQconninfoOption *option = find_option(options, keyword);
    return option == NULL ? "" : pg_or_empty(option->val);
}

/* What was told, or "" where that is what libpq does anyway. */
static const char *find_told(const PQconninfoOption *options, const char *keyword)
{
    const PQconninfoOption *option = find_option(options, keyword);
    const bool is_default = option == NULL || option->val == NULL ||
                            (option->compiled != NULL &&
                             strcmp(option->val, option->compiled) == 0);
    return is_default ? "" : option->val;
}

static void add_login(StrBuf *uri, const char *role, const char *password)
{
    strbuf_add(uri, "postgresql://");
    add_encoded(uri, role, strlen(role));
    if (password != NULL) {
        strbuf_add_char(uri, ':');
        add_encoded(uri, password, strlen(password));
    }
    strbuf_add_char(uri, '@');
}

/* Lists with commas; "" where nothing was told. */
typedef struct Hosts {
    const char *names;
    const char *addresses; /* one for each name, so that it need not be resolved */
    const char *ports;
} Hosts;

static const char *make_uri(Arena *arena, const PgConn *conn, const PQconninfoOption *options,
                            const Hosts *hosts, const char *role, const char *password)
{
    StrBuf uri = strbuf_init(arena);
    const bool is_named = has_names_only(hosts->names);
    const char *database = pg_conn_database(conn);
    add_login(&uri, role, password);
    if (is_named) {
        add_hosts(&uri, hosts->names, hosts->ports);
    }
    strbuf_add_char(&uri, '/');
    add_encoded(&uri, database, strlen(database));
    if (!is_named) {
        add_parameter(&uri, "host", hosts->names);
        add_parameter(&uri, "port", hosts->ports);
    }
    add_parameter(&uri, "hostaddr", hosts->addresses);
    for (size_t i = 0; i < ARRAY_COUNT(carried); i++) {
        add_parameter(&uri, carried[i].keyword, find_told(options, carried[i].keyword));
    }
    return uri.text;
}

static PQconninfoOption *take_options(const PgConn *conn)
{
    PQconninfoOption *options = PQconninfo(conn->pq);
    if (options == NULL) {
        abort();
    }
    return options;
}

const char *pg_uri(Arena *arena, const PgConn *conn, const char *role, const char *password)
{
    PQconninfoOption *options = take_options(conn);
    Hosts hosts = {.names = find_value(options, "host"),
                   .addresses = find_value(options, "hostaddr"),
                   .ports = find_value(options, "port")};
    if (*hosts.names == '\0' && *hosts.addresses == '\0') {
        hosts.names = pg_conn_host(conn); /* libpq's own folder of sockets */
    }
    const char *uri = make_uri(arena, conn, options, &hosts, role, password);
    PQconninfoFree(options);
    return uri;
}

const char *pg_uri_here(Arena *arena, const PgConn *conn, const char *role, const char *password)
{
    PQconninfoOption *options = take_options(conn);
    const bool has_address = *find_value(options, "hostaddr") != '\0';
    const Hosts hosts = {.names = pg_conn_host(conn),
                         .addresses = has_address ? pg_or_empty(PQhostaddr(conn->pq)) : "",
                         .ports = pg_conn_port(conn)};
    const char *uri = make_uri(arena, conn, options, &hosts, role, password);
    PQconninfoFree(options);
    return uri;
}
