#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/text.h"
#include "pg/embedded_parts.h"

enum { PID_FILE_BYTES = 8192, PROC_PATH_BYTES = 64, COMM_BYTES = 32 };

/* The lines of postmaster.pid (miscadmin.h of PostgreSQL); a socket's lock file has the first five.
 */
typedef enum PidLine {
    PID_LINE_PID,
    PID_LINE_DATA_DIR,
    PID_LINE_START_TIME,
    PID_LINE_PORT,
    PID_LINE_SOCKET_DIR,
    PID_LINE_LISTEN_ADDRESS,
    PID_LINE_SHARED_MEMORY,
    PID_LINE_STATUS,
    PID_LINE_COUNT_
} PidLine;

bool pid_parse(Arena *arena, const char *text, PidFile *ret_file)
{
    const char *lines[PID_LINE_COUNT_];
    for (size_t i = 0; i < PID_LINE_COUNT_; i++) {
        const size_t length = strcspn(text, "\n");
        lines[i] = arena_strndup(arena, text, length);
        text += length + (text[length] == '\n');
    }
    /* A negative number is that of a single-user server. */
    const char *number = lines[PID_LINE_PID];
    const int pid = text_leading_int(*number == '-' ? number + 1 : number);
    if (pid == 0 || *lines[PID_LINE_DATA_DIR] != '/') {
        return false;
    }
    *ret_file = (PidFile){
        .pid = pid,
        .data_dir = lines[PID_LINE_DATA_DIR],
        .port = text_leading_int(lines[PID_LINE_PORT]),
        .socket_dir = lines[PID_LINE_SOCKET_DIR],
        .has_tcp = *lines[PID_LINE_LISTEN_ADDRESS] != '\0',
        .is_ready = strncmp(lines[PID_LINE_STATUS], "ready", strlen("ready")) == 0,
        .is_stopping = strncmp(lines[PID_LINE_STATUS], "stopping", strlen("stopping")) == 0,
    };
    return true;
}

static bool read_comm(pid_t pid, char comm[COMM_BYTES])
{
    char path[PROC_PATH_BYTES];
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t length = fd >= 0 ? read(fd, comm, COMM_BYTES - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    comm[length > 0 ? length : 0] = '\0';
    return length > 0;
}

typedef enum Kinship { KINSHIP_NONE, KINSHIP_LIKELY, KINSHIP_SURE } Kinship;

/* As the user of a process, who may look at it where root may not. Of this thread only, and cheaper
 * than a child: a wait looks many times. Without the right to it nothing changes. */
static bool stat_as(const struct stat *user, const char *path, struct stat *ret_status)
{
    setfsgid(user->st_gid);
    setfsuid(user->st_uid);
    const bool is_seen = stat(path, ret_status) == 0;
    setfsuid(geteuid());
    setfsgid(getegid());
    return is_seen;
}

static Kinship compare_folders(const struct stat *cwd, const struct stat *pg_dir)
{
    const bool is_same = cwd->st_dev == pg_dir->st_dev && cwd->st_ino == pg_dir->st_ino;
    return is_same ? KINSHIP_SURE : KINSHIP_NONE;
}

/* A server and its processes are called postgres and work in their data directory. The directory is
 * compared by what it is and not by name: it may have been renamed. Root may not look at it in
 * containers without CAP_SYS_PTRACE, but as the server's user it may. Where that is refused too,
 * the name and the owner make a likeness: enough to leave files alone, not to send a signal. */
static Kinship find_kinship(const Server *server, pid_t pid)
{
    char path[PROC_PATH_BYTES];
    char comm[COMM_BYTES];
    struct stat cwd;
    struct stat pg_dir;
    struct stat process;
    if (!read_comm(pid, comm) || strncmp(comm, "postgres", strlen("postgres")) != 0 ||
        stat(server->pg_dir, &pg_dir) != 0) {
        return KINSHIP_NONE;
    }
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    const bool is_same_user = stat(path, &process) == 0 && process.st_uid == pg_dir.st_uid;
    snprintf(path, sizeof path, "/proc/%d/cwd", (int)pid);
    if (stat(path, &cwd) == 0) {
        return compare_folders(&cwd, &pg_dir);
    }
    if (errno != EACCES || !is_same_user) {
        return KINSHIP_NONE;
    }
    return stat_as(&process, path, &cwd) ? compare_folders(&cwd, &pg_dir) : KINSHIP_LIKELY;
}

bool pid_is_ours(const Server *server, pid_t pid)
{
    return find_kinship(server, pid) != KINSHIP_NONE;
}

bool pid_signal(const Server *server, pid_t pid, int number)
{
    /* Opened before it is looked at: whoever gets the number afterwards does not get the signal. A
     * kernel before 5.3 cannot, nor can a container that refuses it. */
    const int fd = pidfd_open(pid, 0);
    if (fd < 0 && errno == ESRCH) {
        return false;
    }
    const Kinship kinship = find_kinship(server, pid);
    bool is_sent = false;
    int reason = kinship == KINSHIP_LIKELY ? EACCES : ESRCH;
    if (kinship == KINSHIP_SURE) {
        is_sent = (fd >= 0 ? pidfd_send_signal(fd, number, NULL, 0) : kill(pid, number)) == 0;
        reason = errno;
    }
    if (fd >= 0) {
        close(fd);
    }
    errno = reason;
    return is_sent;
}

/* ret_file->pid is 0 when there is no such file, or only the beginning of one. */
static bool read_pid_file(const Server *server, const char *path, PidFile *ret_file, Err *err)
{
    *ret_file = (PidFile){.pid = 0};
    if (!file_exists(path)) {
        return true;
    }
    const char *text = NULL;
    size_t length = 0;
    if (!file_read(server->arena, path, PID_FILE_BYTES, &text, &length, err)) {
        if (!file_exists(path)) { /* the server ended this moment */
            *err = (Err){0};
            return true;
        }
        return false;
    }
    pid_parse(server->arena, text, ret_file);
    return true;
}

static const char *pid_path(const Server *server)
{
    return arena_printf(server->arena, "%s/postmaster.pid", server->pg_dir);
}

bool pid_find_server(const Server *server, PidFile *ret_file, bool *ret_is_alive, Err *err)
{
    if (!read_pid_file(server, pid_path(server), ret_file, err)) {
        return false;
    }
    *ret_is_alive = ret_file->pid != 0 && pid_is_ours(server, ret_file->pid);
    return true;
}

int pid_signal_all(const Server *server, int number)
{
    int count = 0;
    DIR *proc = opendir("/proc");
    if (proc == NULL) {
        return 0;
    }
    const struct dirent *entry;
    while ((entry = readdir(proc)) != NULL) {
        const pid_t pid = text_leading_int(entry->d_name);
        /* One that we may not signal is there all the same, and holds the data. */
        count += pid > 1 && (pid_signal(server, pid, number) || errno == EPERM);
    }
    closedir(proc);
    return count;
}

static bool remove_file(const Server *server, const char *path, const char *why, Err *err)
{
    server_progress(server, "removing \"%s\": %s", path, why);
    if (unlink(path) != 0 && errno != ENOENT) {
        return ERR_SET(err, ERR_DATA_DIR, NULL, "cannot remove \"%s\": %s", path, strerror(errno));
    }
    return true;
}

/* Whether it lies in a folder that others may share (/tmp): there it can be of a server that is not
 * ours. */
static bool is_shared(const Server *server, const char *path)
{
    const size_t length = strlen(server->data_dir);
    return strncmp(path, server->data_dir, length) != 0 || path[length] != '/';
}

/* A crash while the file was written; a server of ours that is writing it now is seen at work. */
static bool clear_broken_file(const Server *server, const char *path, Err *err)
{
    if (is_shared(server, path) || !file_exists(path) || pid_signal_all(server, 0) > 0) {
        return true;
    }
    return remove_file(server, path, "it names no process", err);
}

/* PostgreSQL removes a file of a dead process itself, but not of a live one, whatever that is. */
static bool clear_file(const Server *server, const char *path, Err *err)
{
    PidFile file;
    if (!read_pid_file(server, path, &file, err)) {
        return false;
    }
    if (file.pid == 0) {
        return clear_broken_file(server, path, err);
    }
    /* What lies in our own folder is ours by any name: the folder may have been moved, or another
     * container may have it under a path of its own. */
    const bool is_named = strcmp(file.data_dir, server->pg_dir) == 0;
    if (pid_is_ours(server, file.pid) || (!is_named && is_shared(server, path))) {
        return true;
    }
    /* The process may be one that we cannot see, in another container that shares the folder: then
     * the server answers all the same. Where the folder was moved from, another may answer now. */
    if (start_is_answering(server, is_named ? file.socket_dir : server->socket_dir, file.port)) {
        return ERR_SET(err, ERR_CONFLICT, "stop the server where it was started",
                       "a server that does not run on this machine uses \"%s\"", server->pg_dir);
    }
    return remove_file(server, path,
                       arena_printf(server->arena, "process %d is not this server", (int)file.pid),
                       err);
}

bool pid_clear_stale(const Server *server, Err *err)
{
    const int port = server->port != 0 ? server->port : EMBEDDED_SOCKET_PORT;
    const char *socket_lock = arena_printf(server->arena, "%s/.s.PGSQL.%d.lock", server->socket_dir,
                                           port);
    return clear_file(server, pid_path(server), err) && clear_file(server, socket_lock, err);
}
