#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/limits.h"
#include "core/text.h"
#include "pg/embedded_parts.h"

enum {
    VERSION_FILE_BYTES = 64,
    LOCK_POLL_MS = 50,
    PROBE_TIMEOUT_MS = 10000,
    PATH_SHOWN_BYTES = 160,
    USER_BUFFER_BYTES = 4096,
    MODE_SHARED_DIR = 0755, /* the server's user and applications reach run/ through it */
};

/* pg_ctl hands the paths to a shell within double quotes, and a comma separates socket folders. */
static const char unusable_in_paths[] = "\"$`\\,\n\r";

/* what is for the message: where the path comes from ("path"). */
static bool check_usable(Arena *arena, const char *path, const char *what, Err *err)
{
    return (*path != '\0' && strpbrk(path, unusable_in_paths) == NULL && !text_has_control(path)) ||
           ERR_SET(err, ERR_DATA_DIR,
                   "choose a --data-dir in UTF-8 without double quotes, dollar signs, backquotes, "
                   "backslashes, commas and line breaks",
                   "%s \"%s\" cannot be used for a PostgreSQL server", what,
                   text_quote(arena, path, PATH_SHOWN_BYTES));
}

/* What the path begins with when it is relative: "" for an absolute one. */
static bool find_base(Arena *arena, const char *path, const char **ret_base, Err *err)
{
    char current[PATH_MAX];
    *ret_base = "";
    if (*path == '/') {
        return true;
    }
    if (getcwd(current, sizeof current) == NULL) {
        return ERR_SET(err, ERR_DATA_DIR, "give an absolute --data-dir",
                       "cannot tell the working directory: %s", strerror(errno));
    }
    *ret_base = arena_printf(arena, "%s/", strcmp(current, "/") == 0 ? "" : current);
    return check_usable(arena, current, "a path below the working directory", err);
}

static bool make_absolute(Arena *arena, const char *path, const char **ret_path, Err *err)
{
    const char *base = NULL;
    if (!check_usable(arena, path, "path", err) || !find_base(arena, path, &base, err)) {
        return false;
    }
    const char *absolute = arena_printf(arena, "%s%s", base, path);
    /* PostgreSQL cuts trailing slashes off too; the names must compare equal. */
    size_t length = strlen(absolute);
    while (length > 1 && absolute[length - 1] == '/') {
        length--;
    }
    *ret_path = arena_strndup(arena, absolute, length);
    return true;
}

static bool check_socket_path(const Server *server, Err *err)
{
    const int port = server->port != 0 ? server->port : EMBEDDED_SOCKET_PORT;
    const char *path = arena_printf(server->arena, "%s/.s.PGSQL.%d", server->socket_dir, port);
    if (strlen(path) <= LIMIT_SOCKET_PATH_MAX_BYTES) {
        return true;
    }
    return ERR_SET(err, ERR_DATA_DIR, "give a shorter folder with --socket-dir",
                   "the path of the Unix socket, \"%s\", has %zu bytes, the system allows %d",
                   text_quote(server->arena, path, PATH_SHOWN_BYTES), strlen(path),
                   LIMIT_SOCKET_PATH_MAX_BYTES);
}

/* Nothing there is fine; what is there has to be a folder. */
static bool check_is_folder(const char *path, Err *err)
{
    struct stat status;
    const bool is_there = stat(path, &status) == 0;
    if ((is_there && !S_ISDIR(status.st_mode)) || (!is_there && errno == ENOTDIR)) {
        return ERR_SET(err, ERR_DATA_DIR, "choose another --data-dir",
                       "\"%s\" is not a folder, or lies below a file", path);
    }
    if (!is_there && errno != ENOENT) {
        return ERR_SET(err, ERR_DATA_DIR,
                       "choose another --data-dir, or run this as a user who may look there",
                       "cannot look at folder \"%s\": %s", path, strerror(errno));
    }
    return true;
}

bool dir_resolve(Arena *arena, const EmbeddedOptions *options, Server *ret_server, Err *err)
{
    Server server = {.arena = arena, .options = options};
    if (!make_absolute(arena, options->data_dir, &server.data_dir, err) ||
        !check_is_folder(server.data_dir, err)) {
        return false;
    }
    if (options->socket_dir == NULL) {
        server.socket_dir = server_path(&server, "run");
    } else if (!make_absolute(arena, options->socket_dir, &server.socket_dir, err)) {
        return false;
    }
    server.port = options->port != EMBEDDED_PORT_KEPT
                      ? options->port
                      : conf_read_port(arena, server_path(&server, "tenantry.conf"));
    if (!check_socket_path(&server, err)) {
        return false;
    }
    server.pg_dir = server_path(&server, "pg");
    server.new_dir = server_path(&server, "pg.new");
    server.log_path = server_path(&server, "server.log");
    server.pass_path = server_path(&server, "server.pass");
    *ret_server = server;
    return true;
}

/* A server of ours has both since it was made, and may have lost one: that is told elsewhere. */
bool dir_check_ours(const Server *server, Err *err)
{
    const char *version = arena_printf(server->arena, "%s/PG_VERSION", server->pg_dir);
    return !file_exists(version) || file_exists(server->pass_path) || conf_is_included(server) ||
           ERR_SET(err, ERR_DATA_DIR,
                   "choose another --data-dir, or use that server with --database-url; if it is "
                   "Tenantry's, restore server.pass beside it",
                   "folder \"%s\" is the data directory of another PostgreSQL server",
                   server->pg_dir);
}

static bool find_user(Server *server, Err *err)
{
    if (geteuid() != 0) {
        return true;
    }
    const char *name = server->options->server_user;
    if (name == NULL || !process_find_user(server->arena, name, &server->user, err)) {
        if (name == NULL) {
            ERR_SET(err, ERR_CONFIG_INVALID, NULL, "no user is given for the embedded server");
        }
        err_hint(err, "PostgreSQL does not run as root: name an unprivileged user with "
                      "--server-user, or install the user \"postgres\" with the server");
        return false;
    }
    if (server->user.uid == 0) {
        return ERR_SET(err, ERR_CONFIG_INVALID, "name an unprivileged user with --server-user",
                       "PostgreSQL does not run as root, but the server's user is \"%s\"", name);
    }
    return true;
}

static const char *user_name(Arena *arena, uid_t uid)
{
    char buffer[USER_BUFFER_BYTES];
    struct passwd entry;
    struct passwd *found = NULL;
    const bool is_known = getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 &&
                          found != NULL;
    return is_known ? arena_strdup(arena, entry.pw_name) : arena_printf(arena, "%u", (unsigned)uid);
}

/* Before anything is touched: files that are given to a user who cannot start the server lock out
 * the one who could. */
static bool check_owner(const Server *server, Err *err)
{
    struct stat status;
    const uid_t uid = server->user.is_set ? server->user.uid : geteuid();
    if (stat(server->pg_dir, &status) != 0 || status.st_uid == uid) {
        return true;
    }
    const char *owner = user_name(server->arena, status.st_uid);
    const char *runner = user_name(server->arena, uid);
    ERR_SET(err, ERR_DATA_DIR, NULL,
            "folder \"%s\" belongs to user \"%s\", but the server would run as user \"%s\"",
            server->pg_dir, owner, runner);
    if (status.st_uid == 0) {
        err_hint(err, "PostgreSQL does not run as root: give the folder back to the server's user "
                      "with chown -R");
    } else if (server->user.is_set) {
        err_hint(err, "use --server-user %s, or run this as user %s", owner, owner);
    } else {
        err_hint(err, "run this as user %s, or as root with --server-user %s", owner, owner);
    }
    return false;
}

static bool may_enter(const Server *server, const char *dir, bool *ret_may, Err *err)
{
    ProcessResult result;
    if (!server_run(server, (const char *const[]){"/usr/bin/test", "-x", dir, NULL}, NULL,
                    PROBE_TIMEOUT_MS, &result, err)) {
        return false;
    }
    *ret_may = result.exit_status == 0;
    return true;
}

/* The system itself is asked, as the server's user, since mode bits alone do not tell (ACLs, mount
 * options). Only a refusal makes us walk the parents, to name the one that refuses. */
static bool check_reachable(const Server *server, const char *dir, Err *err)
{
    bool may = false;
    if (!server->user.is_set) {
        return true;
    }
    if (!may_enter(server, dir, &may, err)) {
        return false;
    }
    char *partial = arena_strdup(server->arena, dir);
    for (char *slash = partial + 1; !may; slash++) {
        slash = strchrnul(slash, '/');
        const char kept = *slash;
        *slash = '\0';
        bool may_this = false;
        if (!may_enter(server, partial, &may_this, err)) {
            return false;
        }
        if (!may_this || kept == '\0') {
            return ERR_SET(err, ERR_DATA_DIR,
                           "choose a --data-dir that this user can reach, such as "
                           "/var/lib/tenantry, or let others enter that folder (chmod o+x)",
                           "user \"%s\", whom the server runs as, cannot enter folder \"%s\"",
                           server->user.name, partial);
        }
        *slash = kept;
    }
    return true;
}

bool dir_give(const Server *server, const char *path, mode_t mode, Err *err)
{
    /* Without following links: the folder may be the server's user's, who is less than we are. */
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    const bool is_given = fd >= 0 && fchmod(fd, mode) == 0 &&
                          (!server->user.is_set ||
                           fchown(fd, server->user.uid, server->user.gid) == 0);
    const int number = errno;
    if (fd >= 0) {
        close(fd);
    }
    return is_given || ERR_SET(err, ERR_DATA_DIR, "check who owns it",
                               "cannot set owner and mode of \"%s\": %s", path, strerror(number));
}

/* The nearest folder above the data directory that is there: asked before the rest is made, so that
 * a refusal leaves nothing behind. */
static const char *find_existing(const Server *server)
{
    char *path = arena_strdup(server->arena, server->data_dir);
    for (char *slash = strrchr(path, '/'); !file_exists(path); slash = strrchr(path, '/')) {
        if (slash == path) {
            return "/";
        }
        *slash = '\0';
    }
    return path;
}

/* A folder that a person made may be anything: the data of another server, or a place where others
 * could put a pg_hba.conf of theirs. */
static bool check_found_dir(const Server *server, const struct stat *status, Err *err)
{
    if (file_exists(server_path(server, "PG_VERSION"))) {
        return ERR_SET(
            err, ERR_DATA_DIR, "choose another --data-dir, or use its server with --database-url",
            "folder \"%s\" is the data directory of another PostgreSQL server", server->data_dir);
    }
    if (!process_check_writers(server->data_dir, status, err)) {
        err->code = ERR_DATA_DIR;
        err_hint(err,
                 "choose another --data-dir, such as a new folder in it; if it is for Tenantry "
                 "alone: chmod go-w");
        return false;
    }
    return true;
}

static bool make_data_dir(const Server *server, Err *err)
{
    struct stat status;
    const bool is_new = stat(server->data_dir, &status) != 0;
    if (!is_new && !check_found_dir(server, &status, err)) {
        return false;
    }
    if (!file_make_dir(server->data_dir, MODE_SHARED_DIR, err)) {
        err->code = err->code == ERR_IO ? ERR_DATA_DIR : err->code;
        err_hint(err, "give a --data-dir that you may write to");
        return false;
    }
    /* The umask may have taken bits away; a folder that a person made keeps its mode. */
    if (is_new && chmod(server->data_dir, MODE_SHARED_DIR) != 0) {
        return ERR_SET(err, ERR_DATA_DIR, NULL, "cannot set the mode of \"%s\": %s",
                       server->data_dir, strerror(errno));
    }
    if (access(server->data_dir, W_OK | X_OK) != 0) {
        return ERR_SET(err, ERR_DATA_DIR, "give a --data-dir that you may write to",
                       "cannot write to folder \"%s\": %s", server->data_dir, strerror(errno));
    }
    return true;
}

/* A folder that was there already (/tmp, /run/postgresql) stays as it is. */
static bool make_socket_dir(const Server *server, Err *err)
{
    const bool is_ours = server->options->socket_dir == NULL;
    if (!is_ours && file_exists(server->socket_dir)) {
        return check_reachable(server, server->socket_dir, err);
    }
    return file_make_dir(server->socket_dir, MODE_SHARED_DIR, err) &&
           dir_give(server, server->socket_dir, MODE_SHARED_DIR, err) &&
           check_reachable(server, server->socket_dir, err);
}

bool dir_prepare(Server *server, Err *err)
{
    return find_user(server, err) && check_owner(server, err) &&
           check_reachable(server, find_existing(server), err) && make_data_dir(server, err) &&
           check_reachable(server, server->data_dir, err) && make_socket_dir(server, err);
}

bool dir_lock(const Server *server, int64_t wait_ms, int *ret_fd, Err *err)
{
    const char *path = server_path(server, "up.lock");
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == ENOSPC) {
        return ERR_SET(err, ERR_DISK_FULL, "free some space there", "cannot open \"%s\": %s", path,
                       strerror(errno));
    }
    if (fd < 0) {
        return ERR_SET(err, ERR_DATA_DIR, "run this as the user who started the server",
                       "cannot open \"%s\": %s", path, strerror(errno));
    }
    const int64_t deadline_us = clock_monotonic_us() + wait_ms * 1000;
    bool is_told = false;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK || clock_monotonic_us() >= deadline_us) {
            close(fd);
            return ERR_SET(err, ERR_CONFLICT, "try again when it has finished",
                           "another process is starting or stopping the server in \"%s\"",
                           server->data_dir);
        }
        if (!is_told) {
            server_progress(server, "waiting for another process that starts or stops the server");
            is_told = true;
        }
        clock_sleep_ms(LOCK_POLL_MS);
    }
    *ret_fd = fd;
    return true;
}

bool dir_check_space(const Server *server, const char *what, uint64_t need_bytes, Err *err)
{
    struct statvfs space;
    if (statvfs(server->data_dir, &space) != 0) {
        return ERR_SET(err, ERR_IO, NULL, "cannot tell the free space of \"%s\": %s",
                       server->data_dir, strerror(errno));
    }
    const uint64_t free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
    if (free_bytes >= need_bytes) {
        return true;
    }
    return ERR_SET(err, ERR_DISK_FULL,
                   "free some space there, or choose another --data-dir on a larger file system",
                   "the file system of \"%s\" has %" PRIu64 " MB free, %s needs %" PRIu64 " MB",
                   server->data_dir, free_bytes >> 20, what, need_bytes >> 20);
}

bool dir_read_major(const Server *server, int *ret_major, Err *err)
{
    struct stat status;
    *ret_major = 0;
    if (stat(server->pg_dir, &status) != 0 && errno == ENOENT) {
        return true;
    }
    const char *path = arena_printf(server->arena, "%s/PG_VERSION", server->pg_dir);
    const char *text = NULL;
    size_t length = 0;
    if (!file_read(server->arena, path, VERSION_FILE_BYTES, &text, &length, err)) {
        const bool is_denied = access(path, F_OK) != 0 && errno == EACCES;
        *err = (Err){0};
        return ERR_SET(err, ERR_DATA_DIR,
                       is_denied ? "run this as root, or as the user who owns the folder"
                                 : "choose another --data-dir, or restore the folder from a backup",
                       "folder \"%s\" %s", server->pg_dir,
                       is_denied ? "belongs to another user"
                                 : "exists but is no PostgreSQL data directory");
    }
    *ret_major = text_leading_int(text);
    if (*ret_major <= 0) {
        return ERR_SET(err, ERR_DATA_DIR, "restore the folder from a backup",
                       "\"%s\" holds no version number", path);
    }
    return true;
}
