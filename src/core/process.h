/* Child processes: run to their end, or started to go on without us. */
#ifndef TENANTRY_CORE_PROCESS_H
#define TENANTRY_CORE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "core/arena.h"
#include "core/err.h"

/* Opens those of descriptors 0, 1 and 2 that are closed, so that nothing else (a connection to
 * PostgreSQL) gets such a number and what is printed: on these, reading and writing fail. Before
 * anything else is opened. */
bool process_open_standard(Err *err);

typedef struct ProcessUser {
    bool is_set; /* false: stay who we are */
    uid_t uid;
    gid_t gid;
    const char *name;
} ProcessUser;

typedef struct ProcessOptions {
    const char *const
        *argv; /* argv[0] is the path of the program; ends in NULL. Holds no secrets: ps shows it */
    const char *const *env; /* "NAME=value" added to a minimal environment (PATH, LC_ALL=C, TZ);
                               ends in NULL; may be NULL */
    ProcessUser user;       /* whom to become; groups are set too */
    const char *directory;  /* working directory, or NULL for "/" */
    const char *input;      /* what its standard input holds, a file in memory that it may open as
                               /dev/stdin too; NULL: /dev/null */
    int64_t timeout_ms;     /* it is killed after this; 0: never */
    bool is_error_apart;    /* keeps standard error out of the output */
    /* Asked a few times a second, in the calling thread; true: it is killed. NULL: never. */
    bool (*is_unwanted)(void *context);
    void *context;
    size_t output_limit_bytes; /* kept of the output; 0: LIMIT_CHILD_OUTPUT_BYTES */
} ProcessOptions;

typedef struct ProcessResult {
    int exit_status; /* of the program, or 128 + signal */
    bool is_timeout;
    bool is_unwanted;
    const char *output; /* standard output and error together, up to the limit, in the arena */
    const char *errors; /* standard error when it was kept apart, up to LIMIT_CHILD_OUTPUT_BYTES */
} ProcessResult;

/* Runs a program and waits for it. True when it ran, whatever its exit status; false
 * (ERR_SERVER_BINARY_MISSING when the file is not there, ERR_IO otherwise) when it could not be
 * started. No descriptor but 0, 1, 2 reaches it. It has a session of its own, so that Ctrl-C and
 * the terminal's end do not reach it, and is killed when the calling thread dies; a grandchild (a
 * daemon) is not. A grandchild that keeps the output open does not hold the call up. Blocks. */
bool process_run(Arena *arena, const ProcessOptions *options, ProcessResult *ret_result, Err *err);

typedef struct DaemonOptions {
    const char *const *argv; /* as in ProcessOptions */
    const char *const *env;  /* added to the minimal environment, as in ProcessOptions */
    const char *log_path;
} DaemonOptions;

/* Starts a program that goes on when we end: in a session of its own, as the same user, working in
 * "/", reading nothing, with what it prints appended to log_path (mode 0600). True when the program
 * runs; *ret_pid is its number, and nobody waits for it. Errors as process_run. */
bool process_start_daemon(Arena *arena, const DaemonOptions *options, pid_t *ret_pid, Err *err);

/* Looks a user up. ERR_CONFIG_INVALID when there is none of this name. */
bool process_find_user(Arena *arena, const char *name, ProcessUser *ret_user, Err *err);

/* Whose a file is; not set when there is none, or the user has no name. */
ProcessUser process_find_owner(Arena *arena, const char *path);

/* Whether a group is that of one user alone: his primary one, which has his name. */
bool process_is_own_group(uid_t user, gid_t group);

/* Refuses what every user may write to, or a group other than its owner's own: ERR_CONFIG_INVALID,
 * with a hint. Who the owner is, is the caller's to judge. */
bool process_check_writers(const char *path, const struct stat *status, Err *err);

/* The home of the user whom this process runs as, by the password database; NULL when it knows
 * none. In the arena. */
const char *process_find_home(Arena *arena);

#endif
