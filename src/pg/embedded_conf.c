#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/array.h"
#include "core/file.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "pg/embedded_parts.h"

enum {
    MB_SHIFT = 20,
    MAX_CONNECTIONS = 300,
    CGROUP_FILE_BYTES = 64,
    CONF_FILE_BYTES = 64 * 1024,
    SERVER_CONF_BYTES = 1024 * 1024, /* initdb's postgresql.conf has 30 kB */
    MODE_CONF = 0644,                /* holds no secrets, and the server's user reads it */
};

/* The settings that do not depend on the machine. */
static const char fixed_settings[] =
    "unix_socket_permissions = 0777\n"
    "password_encryption = 'scram-sha-256'\n"
    "wal_level = logical\n"
    "max_locks_per_transaction = 256    # a stamp locks every table of a tenant\n"
    "max_wal_size = '4GB'\n"
    "min_wal_size = '256MB'\n"
    "checkpoint_timeout = '15min'\n"
    "wal_compression = on\n"
    "random_page_cost = 1.1\n"
    "jit = off\n"
    "huge_pages = try\n"
    "cluster_name = 'tenantry'\n"
    "timezone = 'UTC'\n"
    "log_timezone = 'UTC'\n"
    "lc_messages = 'C'                  # Tenantry reads the log\n"
    "# Statements, their parameters, and the details that quote rows stay out of the log.\n"
    "logging_collector = off\n"
    "log_destination = 'stderr'\n"
    "log_line_prefix = '%m [%p] %q%u@%d '\n"
    "log_statement = 'none'\n"
    "log_min_duration_statement = -1\n"
    "log_min_error_statement = panic\n"
    "log_error_verbosity = terse\n"
    "log_parameter_max_length = 0\n"
    "log_parameter_max_length_on_error = 0\n"
    "log_checkpoints = off\n"
#ifdef __linux__
    /* One call for the whole file system: hundreds of thousands of files of tenants take a minute
     * one by one. */
    "recovery_init_sync_method = syncfs # after a crash, instead of an fsync of each file\n"
#endif
    ;

/* Libraries that are loaded when the server has them, with the settings they bring. */
typedef struct Library {
    const char *name;
    const char *settings;
} Library;

static const Library libraries[] = {
    {"plpgsql", ""}, /* else each session that uses it loads it, which takes a tenth of its start */
    {"pg_stat_statements", "pg_stat_statements.max = 10000\n"
                           "pg_stat_statements.track_utility = off # no DDL of tenants\n"},
    {"timescaledb", "timescaledb.telemetry_level = off\n"},
};

static const char hba_text[] =
    "# Made by Tenantry once; it is yours to change. Passwords only, this machine only.\n"
    "# TYPE  DATABASE     USER      ADDRESS       METHOD\n"
    "local   all          all                     scram-sha-256\n"
    "local   replication  postgres                scram-sha-256\n"
    "host    all          all       127.0.0.1/32  scram-sha-256\n"
    "host    all          all       ::1/128       scram-sha-256\n";

static const char local_text[] = "# Your own settings of the embedded PostgreSQL; they win over "
                                 "tenantry.conf beside this file.\n";

static int clamp_mb(uint64_t bytes, int least_mb, int most_mb)
{
    const uint64_t mb = bytes >> MB_SHIFT;
    return mb < (uint64_t)least_mb ? least_mb : mb > (uint64_t)most_mb ? most_mb : (int)mb;
}

/* Half of the memory is left to Tenantry and to others; a query may take work_mem several times. */
MemorySettings conf_size_memory(uint64_t memory_bytes)
{
    return (MemorySettings){
        .shared_buffers_mb = clamp_mb(memory_bytes / 8, 128, 8 * 1024),
        .effective_cache_size_mb = clamp_mb(memory_bytes / 2, 256, 1024 * 1024),
        .maintenance_work_mem_mb = clamp_mb(memory_bytes / 32, 64, 1024),
        .work_mem_mb = clamp_mb(memory_bytes / 4 / MAX_CONNECTIONS, 4, 64),
    };
}

/* The limit in a control group's file, or most when there is none ("max", no file). */
static uint64_t cgroup_limit(Arena *arena, const char *path, uint64_t most)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return most;
    }
    char *text = arena_alloc(arena, CGROUP_FILE_BYTES);
    const ssize_t length = read(fd, text, CGROUP_FILE_BYTES - 1);
    close(fd);
    if (length <= 0 || *text < '0' || *text > '9') {
        return most;
    }
    const uint64_t limit = strtoull(text, NULL, 10);
    return limit < most ? limit : most;
}

uint64_t conf_machine_memory(void)
{
    scoped_arena Arena *arena = arena_new();
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long page_bytes = sysconf(_SC_PAGESIZE);
    uint64_t memory = pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes : 0;
    memory = cgroup_limit(arena, "/sys/fs/cgroup/memory.max", memory);
    return cgroup_limit(arena, "/sys/fs/cgroup/memory/memory.limit_in_bytes", memory);
}

/* As the value of a setting: in quotes, with quotes doubled. */
static void add_quoted(StrBuf *buf, const char *name, const char *value)
{
    strbuf_printf(buf, "%s = '", name);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\'') {
            strbuf_add_char(buf, '\'');
        }
        strbuf_add_char(buf, *c);
    }
    strbuf_add(buf, "'\n");
}

static bool has_ipv6_loopback(void)
{
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    const struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                         .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const bool is_bound = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return is_bound;
}

static void add_network(StrBuf *buf, const Server *server)
{
    const int port = server->port;
    const char *addresses = port == 0 ? "" : has_ipv6_loopback() ? "127.0.0.1, ::1" : "127.0.0.1";
    add_quoted(buf, "listen_addresses", addresses);
    strbuf_printf(buf, "port = %d\n", port != 0 ? port : EMBEDDED_SOCKET_PORT);
    add_quoted(buf, "unix_socket_directories", server->socket_dir);
    add_quoted(buf, "hba_file", server_path(server, "pg_hba.conf"));
    strbuf_printf(buf, "max_connections = %d\n", MAX_CONNECTIONS);
}

static void add_memory(StrBuf *buf)
{
    const MemorySettings memory = conf_size_memory(conf_machine_memory());
    strbuf_printf(buf, "shared_buffers = '%dMB'\n", memory.shared_buffers_mb);
    strbuf_printf(buf, "effective_cache_size = '%dMB'\n", memory.effective_cache_size_mb);
    strbuf_printf(buf, "maintenance_work_mem = '%dMB'\n", memory.maintenance_work_mem_mb);
    strbuf_printf(buf, "work_mem = '%dMB'\n", memory.work_mem_mb);
}

static void add_libraries(StrBuf *buf, const Server *server)
{
    StrBuf names = strbuf_init(server->arena);
    for (size_t i = 0; i < ARRAY_COUNT(libraries); i++) {
        if (bin_has_library(server, libraries[i].name)) {
            strbuf_printf(&names, "%s%s", names.length > 0 ? "," : "", libraries[i].name);
            strbuf_add(buf, libraries[i].settings);
        }
    }
    add_quoted(buf, "shared_preload_libraries", names.text);
}

int conf_parse_port(const char *text)
{
    static const char no_address[] = "listen_addresses = ''\n";
    static const char port[] = "\nport = ";
    const char *found = strstr(text, port);
    const bool has_tcp = strstr(text, no_address) == NULL;
    const int number = has_tcp && found != NULL ? text_leading_int(found + strlen(port)) : 0;
    return number <= UINT16_MAX ? number : 0;
}

/* A file that is missing or unreadable keeps nothing; the next start writes it again. */
int conf_read_port(Arena *arena, const char *path)
{
    const char *text = NULL;
    size_t length = 0;
    Err ignored;
    return file_read(arena, path, CONF_FILE_BYTES, &text, &length, &ignored) ? conf_parse_port(text)
                                                                             : 0;
}

/* Who writes these files decides who gets in, and what the server does. */
static bool check_operators(const Server *server, const char *path, const struct stat *status,
                            Err *err)
{
    const bool is_known = status->st_uid == 0 || status->st_uid == geteuid() ||
                          (server->user.is_set && status->st_uid == server->user.uid);
    if (is_known ? process_check_writers(path, status, err)
                 : ERR_SET(err, ERR_DATA_DIR, NULL, "\"%s\" belongs to another user", path)) {
        return true;
    }
    err->code = ERR_DATA_DIR;
    err_hint(err, "look at what it says; if that is what you want, chown it to yourself and chmod "
                  "go-w it");
    return false;
}

/* A file that is the operator's from then on. */
static bool write_once(const Server *server, const char *name, const char *text, Err *err)
{
    struct stat status;
    const char *path = server_path(server, name);
    return stat(path, &status) == 0 ? check_operators(server, path, &status, err)
                                    : file_write_atomic(path, text, strlen(text), MODE_CONF, err);
}

/* The files are in the data directory and not in pg/: that folder belongs to the server's user,
 * and root had better not write where another user can put links. */
bool conf_write(const Server *server, Err *err)
{
    StrBuf buf = strbuf_init(server->arena);
    strbuf_add(&buf, "# Written by Tenantry at every start. Put your own settings into "
                     "postgresql.local.conf\n# in this folder; they win.\n");
    add_network(&buf, server);
    add_memory(&buf);
    strbuf_add(&buf, fixed_settings);
    add_libraries(&buf, server);
    strbuf_add(&buf, "include_if_exists 'postgresql.local.conf'\n");
    if (!file_write_atomic(server_path(server, "tenantry.conf"), buf.text, buf.length, MODE_CONF,
                           err)) {
        return false;
    }
    return write_once(server, "pg_hba.conf", hba_text, err) &&
           write_once(server, "postgresql.local.conf", local_text, err);
}

#define INCLUDED "../tenantry.conf"

bool conf_is_included(const Server *server)
{
    const char *path = arena_printf(server->arena, "%s/postgresql.conf", server->pg_dir);
    const char *text = NULL;
    size_t length = 0;
    Err ignored;
    return file_read(server->arena, path, SERVER_CONF_BYTES, &text, &length, &ignored) &&
           strstr(text, INCLUDED) != NULL;
}

bool conf_include(const Server *server, const char *pg_dir, Err *err)
{
    static const char text[] = "\n# Tenantry's settings; relative, so that the folder can move\n"
                               "include '" INCLUDED "'\n";
    const char *path = arena_printf(server->arena, "%s/postgresql.conf", pg_dir);
    const int fd = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    /* Another name of the same file would be a trap for root, see conf_write. */
    const bool is_written = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                            status.st_nlink == 1 &&
                            write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1 &&
                            fsync(fd) == 0;
    const int number = errno;
    if (fd >= 0) {
        close(fd);
    }
    return is_written || ERR_SET(err, number == ENOSPC ? ERR_DISK_FULL : ERR_IO, NULL,
                                 "cannot add to \"%s\": %s", path, strerror(number));
}
