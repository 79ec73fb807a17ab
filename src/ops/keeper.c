/* The keeper as a process: who it is, starting and stopping it. */
#include "ops/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/array.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/process.h"

enum {
    STOP_TIMEOUT_MS = 20000, /* a large blueprint's spare takes some seconds, and is finished */
    STOP_POLL_MS = 20,
    START_TIMEOUT_MS = 5000,
    START_POLL_MS = 2,
    LOG_MOST_BYTES = 1024 * 1024,
    MODE_LOCK = 0600, /* who may open a file may lock it, and pose as the keeper */
    PROC_PATH_BYTES = 64,
};

static const char *keeper_path(OpContext *context, const char *name)
{
    return arena_printf(context->arena, "%s/%s", op_data_dir(context), name);
}

static struct flock whole_file(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

/* 0 when nobody has the lock. */
static pid_t find_holder(int fd)
{
    struct flock lock = whole_file();
    return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

/* Whether the process is root's, ours or of the user whose file it is: nobody else is the keeper,
 * though he may have a lock on a file that an older version let everybody open. */
static bool may_be_keeper(int fd, pid_t pid)
{
    char path[PROC_PATH_BYTES];
    struct stat process;
    struct stat file;
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    return stat(path, &process) == 0 && fstat(fd, &file) == 0 &&
           (process.st_uid == 0 || process.st_uid == geteuid() || process.st_uid == file.st_uid);
}

pid_t keeper_find(OpContext *context)
{
    const int fd = open(keeper_path(context, "keeper.pid"), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    const pid_t holder = find_holder(fd);
    const pid_t keeper = holder > 0 && may_be_keeper(fd, holder) ? holder : 0;
    close(fd);
    return keeper;
}

bool keeper_lock(OpContext *context, int *ret_fd, Err *err)
{
    if (!op_check_data_dir(context, err)) {
        return false;
    }
    const char *path = keeper_path(context, "keeper.pid");
    struct flock lock = whole_file();
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, MODE_LOCK);
    if (fd < 0) {
        return ERR_SET(err, ERR_IO, "\"tenantry up\" makes the data directory",
                       "cannot open \"%s\": %s", path, strerror(errno));
    }
    /* Of an older version; what does not belong to us is not ours to change. */
    const bool is_private = fchmod(fd, MODE_LOCK) == 0 || errno == EPERM;
    if (is_private && fcntl(fd, F_SETLK, &lock) != 0) {
        ERR_SET(err, ERR_CONFLICT, NULL, "process %d keeps the spares of \"%s\" already",
                (int)find_holder(fd), op_data_dir(context));
        close(fd);
        err_hint(err, "\"%s up\" with the option spares at 0 stops it", context->program);
        return false;
    }
    if (!is_private || ftruncate(fd, 0) != 0 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
        close(fd);
        return ERR_SET(err, ERR_IO, NULL, "cannot write \"%s\": %s", path, strerror(errno));
    }
    *ret_fd = fd;
    return true;
}

bool keeper_has_lock(const char *data_dir, int fd)
{
    struct stat named;
    struct stat locked;
    scoped_arena Arena *arena = arena_new(); /* asked every second for months */
    return stat(arena_printf(arena, "%s/keeper.pid", data_dir), &named) == 0 &&
           fstat(fd, &locked) == 0 && named.st_dev == locked.st_dev &&
           named.st_ino == locked.st_ino;
}

/* True when it is gone. */
static bool wait_for_end(OpContext *context, pid_t pid, int64_t timeout_ms)
{
    const int64_t deadline_us = clock_monotonic_us() + timeout_ms * 1000;
    while (keeper_find(context) == pid) {
        if (clock_monotonic_us() > deadline_us) {
            return false;
        }
        clock_sleep_ms(STOP_POLL_MS);
    }
    return true;
}

bool keeper_stop(OpContext *context, Err *err)
{
    const pid_t pid = keeper_find(context);
    if (pid <= 0) {
        return true;
    }
    if (kill(pid, SIGTERM) != 0 && errno != ESRCH) {
        return ERR_SET(err, ERR_IO, "run this as the user who started it",
                       "cannot stop the keeper, process %d: %s", (int)pid, strerror(errno));
    }
    if (wait_for_end(context, pid, STOP_TIMEOUT_MS)) {
        return true;
    }
    kill(pid, SIGKILL);
    return wait_for_end(context, pid, STOP_TIMEOUT_MS) ||
           ERR_SET(err, ERR_IO, NULL, "the keeper, process %d, does not end", (int)pid);
}

/* Options that were given, but for those about printing and those that are settled here: the data
 * directory is passed on in any case, and what the configuration file says is among the values, so
 * that the keeper reads none: another one would be the usual one of its own folder and home. */
static bool is_passed_on(const Config *config, OptionId id)
{
    static const OptionId kept_back[] = {OPT_COLOR, OPT_CONFIG, OPT_DATA_DIR,
                                         OPT_JSON,  OPT_QUIET,  OPT_VERBOSE};
    for (size_t i = 0; i < ARRAY_COUNT(kept_back); i++) {
        if (kept_back[i] == id) {
            return false;
        }
    }
    return config_is_given(config, id);
}

/* A path that holds elsewhere too: the keeper works in "/". */
static const char *absolute(OpContext *context, const char *path)
{
    char here[PATH_MAX];
    return *path == '/' || getcwd(here, sizeof here) == NULL
               ? path
               : arena_printf(context->arena, "%s/%s", here, path);
}

/* Whatever this call was told, as variables. Only the master key's is a secret, and came in one. */
static const char *const *make_env(OpContext *context)
{
    Arena *arena = context->arena;
    const char **env = ARENA_ARRAY(arena, const char *, (size_t)OPTION_COUNT_ + 4);
    size_t count = 0;
    for (int id = 0; id < OPTION_COUNT_; id++) {
        const OptionId option = (OptionId)id;
        if (is_passed_on(context->config, option)) {
            const char *text = config_text(context->config, option);
            env[count++] = arena_printf(
                arena, "%s=%s", option_env_name(arena, option),
                option_kind(option)->type == OPTION_PATH ? absolute(context, text) : text);
        }
    }
    env[count++] = arena_printf(arena, "%s=%s", option_env_name(arena, OPT_DATA_DIR),
                                absolute(context, op_data_dir(context)));
    env[count++] = arena_printf(arena, "%s=" CONFIG_FILE_NONE, option_env_name(arena, OPT_CONFIG));
    env[count] = arena_printf(arena, "%s=true", option_env_name(arena, OPT_VERBOSE));
    return env;
}

static void put_large_log_aside(OpContext *context, const char *path)
{
    struct stat log;
    if (stat(path, &log) == 0 && log.st_size > LOG_MOST_BYTES) {
        rename(path, keeper_path(context, "keeper.log.old"));
    }
}

/* So that a "down" right after this finds it. Where another process became the keeper first ("spare
 * keep", run by hand), ours ends and that one it is. */
static bool wait_for_lock(OpContext *context, pid_t *pid, const char *log_path, Err *err)
{
    const int64_t deadline_us = clock_monotonic_us() + START_TIMEOUT_MS * INT64_C(1000);
    for (;;) {
        const bool is_gone = kill(*pid, 0) != 0 && errno == ESRCH;
        const pid_t keeper = keeper_find(context);
        if (keeper == *pid || (is_gone && keeper > 0)) {
            *pid = keeper;
            return true;
        }
        if (is_gone || clock_monotonic_us() > deadline_us) {
            if (!is_gone) {
                kill(*pid, SIGTERM); /* nobody would find it later */
            }
            *pid = 0;
            return ERR_SET(err, ERR_IO, NULL, "the keeper did not start; see \"%s\"", log_path);
        }
        clock_sleep_ms(START_POLL_MS);
    }
}

/* Several "up" at once each put a keeper in place of the one before: one after the other, or one
 * would end the keeper that another waits for. -1: errno says why. */
static int wait_for_turn(OpContext *context)
{
    struct flock lock = whole_file();
    const int fd = open(keeper_path(context, "keeper.start"),
                        O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, MODE_LOCK);
    while (fd >= 0 && fcntl(fd, F_SETLKW, &lock) != 0) {
        if (errno != EINTR) {
            close(fd);
            return -1;
        }
    }
    return fd;
}

static bool replace_keeper(OpContext *context, pid_t *ret_pid, Err *err)
{
    char program[PATH_MAX];
    if (!keeper_stop(context, err)) {
        return false;
    }
    if (config_int(context->config, OPT_SPARES) == 0) {
        return true;
    }
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0) {
        return ERR_SET(err, ERR_IO, NULL, "cannot find this program: %s", strerror(errno));
    }
    program[length] = '\0';
    const char *log_path = keeper_path(context, "keeper.log");
    put_large_log_aside(context, log_path);
    const DaemonOptions options = {
        .argv = (const char *const[]){program, "spare", "keep", "--with-server", NULL},
        .env = make_env(context),
        .log_path = log_path};
    return process_start_daemon(context->arena, &options, ret_pid, err) &&
           wait_for_lock(context, ret_pid, log_path, err);
}

bool keeper_start(OpContext *context, pid_t *ret_pid, Err *err)
{
    *ret_pid = 0;
    const int turn = wait_for_turn(context);
    if (turn < 0) {
        return ERR_SET(err, ERR_IO, NULL, "cannot lock \"%s\": %s",
                       keeper_path(context, "keeper.start"), strerror(errno));
    }
    const bool is_started = replace_keeper(context, ret_pid, err);
    close(turn);
    return is_started;
}
