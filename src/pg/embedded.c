#include "pg/embedded.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fault.h"
#include "core/file.h"
#include "core/strbuf.h"
#include "pg/embedded_parts.h"

enum { LOCK_WAIT_MS = 20000 }; /* another process may just be running initdb */

void server_progress(const Server *server, const char *format, ...)
{
    if (server->options->on_progress == NULL) {
        return;
    }
    va_list args;
    va_start(args, format);
    const char *what = arena_vprintf(server->arena, format, args);
    va_end(args);
    server->options->on_progress(server->options->progress_context, what);
}

const char *server_path(const Server *server, const char *name)
{
    return arena_printf(server->arena, "%s/%s", server->data_dir, name);
}

bool server_run(const Server *server, const char *const *argv, const char *input,
                int64_t timeout_ms, ProcessResult *ret_result, Err *err)
{
    const ProcessOptions options = {
        .argv = argv, .user = server->user, .input = input, .timeout_ms = timeout_ms};
    return process_run(server->arena, &options, ret_result, err);
}

/* As a value in libpq's keyword form: in quotes, with quotes and backslashes escaped. */
static void add_quoted(StrBuf *buf, const char *value)
{
    strbuf_add_char(buf, '\'');
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\'' || *c == '\\') {
            strbuf_add_char(buf, '\\');
        }
        strbuf_add_char(buf, *c);
    }
    strbuf_add_char(buf, '\'');
}

static const char *make_conninfo(const Server *server, const char *socket_dir, int port)
{
    StrBuf buf = strbuf_init(server->arena);
    strbuf_add(&buf, "host=");
    add_quoted(&buf, socket_dir);
    strbuf_printf(&buf, " port=%d user=%s dbname=%s passfile=", port, EMBEDDED_CONTROL,
                  EMBEDDED_DATABASE);
    add_quoted(&buf, server->pass_path);
    return buf.text;
}

/* Of a server that runs, the port and the folder are what it was started with, whatever the options
 * say now. */
static bool look(const Server *server, EmbeddedStatus *ret_status, Err *err)
{
    int major = 0;
    PidFile file = {.pid = 0};
    bool is_alive = false;
    if (!dir_read_major(server, &major, err) ||
        (major != 0 && !pid_find_server(server, &file, &is_alive, err))) {
        return false;
    }
    EmbeddedStatus status = {
        .state = major == 0 ? EMBEDDED_ABSENT : EMBEDDED_STOPPED,
        .port = server->port,
        .socket_dir = server->socket_dir,
        .data_dir = server->data_dir,
        .data_version = major == 0 ? NULL : arena_printf(server->arena, "%d", major),
    };
    int socket_port = status.port != 0 ? status.port : EMBEDDED_SOCKET_PORT;
    if (is_alive) {
        status.pid = file.pid;
        status.state = EMBEDDED_STARTING;
        /* The lines are written one by one while the server starts. */
        if (file.port != 0 && *file.socket_dir == '/') {
            socket_port = file.port;
            status.port = file.has_tcp ? file.port : 0;
            status.socket_dir = file.socket_dir;
            if (file.is_ready && start_is_accepting(server, file.socket_dir, file.port)) {
                status.state = EMBEDDED_RUNNING;
            }
        }
    }
    status.conninfo = make_conninfo(server, status.socket_dir, socket_port);
    *ret_status = status;
    return true;
}

static bool check_passwords(const Server *server, Err *err)
{
    struct stat status;
    if (stat(server->pass_path, &status) == 0) {
        return true;
    }
    return ERR_SET(err, ERR_DATA_DIR, "restore the file from a backup",
                   "the password file \"%s\" is missing", server->pass_path);
}

/* The password file without pg/ and without pg.new/ is left by a cluster that was complete (see
 * init_cluster): its folder is not mounted, or was lost. A new, empty one in its place would hide
 * that. */
static bool check_not_lost(const Server *server, Err *err)
{
    if (!file_exists(server->pass_path) || file_exists(server->new_dir)) {
        return true;
    }
    ERR_SET(err, ERR_DATA_DIR, NULL, "the data of the server, folder \"%s\", is missing",
            server->pg_dir);
    err_hint(err,
             "mount or restore that folder; to begin anew without its data, remove \"%s\" "
             "and master.key",
             server->pass_path);
    return false;
}

/* What a start writes: configuration, log, caches, the first WAL segment that is not recycled. A
 * server that starts and then lets nobody in helps nobody. */
static const uint64_t start_bytes = UINT64_C(16) << 20;

static bool bring_up(Server *server, Err *err)
{
    int data_major = 0;
    if (!dir_read_major(server, &data_major, err) ||
        (data_major == 0 && !check_not_lost(server, err)) || !bin_find(server, data_major, err) ||
        (data_major != 0 && !dir_check_space(server, "a start", start_bytes, err)) ||
        !conf_write(server, err)) {
        return false;
    }
    if (data_major == 0 && !init_cluster(server, err)) {
        return false;
    }
    FAULT("embedded.before_start");
    return check_passwords(server, err) && start_server(server, err);
}

static const char *port_text(const Server *server, int port)
{
    return port == 0 ? "no TCP port" : arena_printf(server->arena, "port %d", port);
}

/* What was asked for and the server that runs does not have. */
static void tell_kept(const Server *server, const EmbeddedStatus *status)
{
    const EmbeddedOptions *options = server->options;
    if (options->port != EMBEDDED_PORT_KEPT && options->port != status->port) {
        server_progress(server, "the running server keeps %s; down, then up, gives it %s",
                        port_text(server, status->port), port_text(server, options->port));
    }
    if (options->socket_dir != NULL && strcmp(server->socket_dir, status->socket_dir) != 0) {
        server_progress(server,
                        "the running server keeps its socket in \"%s\"; down, then up, "
                        "moves it to \"%s\"",
                        status->socket_dir, server->socket_dir);
    }
}

static bool up_locked(Server *server, EmbeddedStatus *ret_status, bool *ret_started, Err *err)
{
    EmbeddedStatus status;
    if (!look(server, &status, err)) {
        return false;
    }
    const bool was_alive = status.pid != 0;
    bool is_ready = status.state == EMBEDDED_RUNNING;
    /* One that is starting gets ready; one that is stopping goes away, and is started again. */
    if (was_alive && !is_ready && !start_wait_ready(server, &is_ready, err)) {
        return false;
    }
    const bool has_to_start = !is_ready;
    if ((has_to_start && !bring_up(server, err)) || !look(server, &status, err)) {
        return false;
    }
    if (!has_to_start) {
        tell_kept(server, &status);
    }
    *ret_status = status;
    *ret_started = has_to_start;
    return true;
}

/* Before anything is made, stopped or hinted at. */
static bool find_server(Arena *arena, const EmbeddedOptions *options, Server *ret_server, Err *err)
{
    return dir_resolve(arena, options, ret_server, err) && dir_check_ours(ret_server, err);
}

bool embedded_up(Arena *arena, const EmbeddedOptions *options, EmbeddedStatus *ret_status,
                 bool *ret_started, Err *err)
{
    Server server;
    int lock_fd = -1;
    if (!find_server(arena, options, &server, err) || !dir_prepare(&server, err) ||
        !dir_lock(&server, LOCK_WAIT_MS, &lock_fd, err)) {
        return false;
    }
    const bool is_up = up_locked(&server, ret_status, ret_started, err);
    close(lock_fd);
    return is_up;
}

static bool down_locked(const Server *server, int64_t timeout_ms, bool *ret_stopped, Err *err)
{
    EmbeddedStatus status;
    if (!look(server, &status, err)) {
        return false;
    }
    if (status.pid == 0) {
        *ret_stopped = false;
        return true;
    }
    server_progress(server, "stopping the server");
    if (!start_stop(server, status.pid, timeout_ms, err)) {
        return false;
    }
    *ret_stopped = true;
    return true;
}

bool embedded_down(Arena *arena, const EmbeddedOptions *options, int64_t timeout_ms,
                   bool *ret_stopped, Err *err)
{
    Server server;
    int lock_fd = -1;
    if (!find_server(arena, options, &server, err)) {
        return false;
    }
    if (!file_exists(server.data_dir)) {
        *ret_stopped = false;
        return true;
    }
    if (!dir_lock(&server, LOCK_WAIT_MS, &lock_fd, err)) {
        return false;
    }
    const bool is_down = down_locked(&server, timeout_ms, ret_stopped, err);
    close(lock_fd);
    return is_down;
}

bool embedded_status(Arena *arena, const EmbeddedOptions *options, EmbeddedStatus *ret_status,
                     Err *err)
{
    Server server;
    return find_server(arena, options, &server, err) && look(&server, ret_status, err);
}
