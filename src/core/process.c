#include "core/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/array.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/strbuf.h"

enum {
    REPORT_FD = 3, /* where the child says that it could not become the program */
    POLL_WITHOUT_PIDFD_MS = 20,
    ASK_UNWANTED_MS = 200,
    MEMORY_NOT_EXECUTABLE = 8, /* MFD_NOEXEC_SEAL, which the C library may not know yet */
    CHILD_UMASK = 077,         /* what a program leaves behind is nobody else's to read */
};

/* What is added to nothing: a program must not depend on the shell that started us. */
static const char *const base_env[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "TZ=UTC"};

/* How far the child came before it failed. */
typedef enum ChildStep { STEP_FILES, STEP_USER, STEP_DIRECTORY, STEP_EXEC, STEP_COUNT_ } ChildStep;

static const char *const step_texts[STEP_COUNT_] = {
    [STEP_FILES] = "cannot set up the files of",
    [STEP_USER] = "cannot change the user for",
    [STEP_DIRECTORY] = "cannot enter the working directory of",
    [STEP_EXEC] = "cannot start",
};

typedef struct ChildReport {
    ChildStep step;
    int number; /* errno */
} ChildReport;

/* Everything that the child needs, made before the fork: between fork and exec only
 * async-signal-safe calls are allowed. */
typedef struct Child {
    char **argv;
    char **env;
    const gid_t *groups;
    size_t group_count;
    int input;  /* its standard input */
    int output; /* its standard output */
    int errors; /* its standard error; -1: the same */
    int report;
    pid_t parent;
} Child;

/* The parent's ends; -1 when closed. */
typedef struct Running {
    pid_t pid;
    int pidfd; /* -1 on a kernel without it */
    int output;
    int errors;
    size_t output_limit;
    StrBuf collected;
    StrBuf collected_errors;
    int64_t deadline_us; /* 0: none */
    bool (*ask_unwanted)(void *context);
    void *context;
    bool is_timeout;
    bool is_unwanted;
} Running;

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

/* exec wants char *const *, and promises not to change the strings. */
static char **unconst(Arena *arena, const char *const *first, size_t first_count,
                      const char *const *second, size_t second_count)
{
    char **all = ARENA_ARRAY(arena, char *, first_count + second_count + 1);
    for (size_t i = 0; i < first_count; i++) {
        all[i] = arena_strdup(arena, first[i]);
    }
    for (size_t i = 0; i < second_count; i++) {
        all[first_count + i] = arena_strdup(arena, second[i]);
    }
    return all;
}

static size_t count_strings(const char *const *strings)
{
    size_t count = 0;
    while (strings != NULL && strings[count] != NULL) {
        count++;
    }
    return count;
}

static void find_groups(Arena *arena, const ProcessUser *user, Child *child)
{
    int count = 0;
    getgrouplist(user->name, user->gid, NULL, &count);
    gid_t *groups = ARENA_ARRAY(arena, gid_t, (size_t)count + 1);
    if (getgrouplist(user->name, user->gid, groups, &count) < 0) {
        groups[0] = user->gid; /* the group file changed meanwhile: the primary group is enough */
        count = 1;
    }
    child->groups = groups;
    child->group_count = (size_t)count;
}

static bool set_user(const ProcessUser *user, const Child *child)
{
    if (!user->is_set) {
        return true;
    }
    if (setgroups(child->group_count, child->groups) != 0 ||
        setresgid(user->gid, user->gid, user->gid) != 0 ||
        setresuid(user->uid, user->uid, user->uid) != 0) {
        return false;
    }
    /* Trust nothing: whoever could go back to root would not have left it. */
    if (getuid() != user->uid || geteuid() != user->uid || getgid() != user->gid ||
        (user->uid != 0 && setuid(0) == 0)) {
        errno = EPERM;
        return false;
    }
    return true;
}

static bool set_files(const Child *child)
{
    if (dup2(child->input, STDIN_FILENO) < 0 || dup2(child->output, STDOUT_FILENO) < 0 ||
        dup2(child->errors >= 0 ? child->errors : child->output, STDERR_FILENO) < 0) {
        return false;
    }
    if (child->report != REPORT_FD && dup2(child->report, REPORT_FD) < 0) {
        return false;
    }
    if (fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) != 0) {
        return false;
    }
    if (close_range(REPORT_FD + 1, ~0U, 0) != 0) {
        const long most = sysconf(_SC_OPEN_MAX);
        for (int fd = REPORT_FD + 1; fd < most; fd++) {
            close(fd);
        }
    }
    return true;
}

static void reset_signals(void)
{
    for (int number = 1; number < NSIG; number++) {
        signal(number, SIG_DFL); /* an ignored signal would stay ignored through exec */
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void child_fail(int report_fd, ChildStep step)
{
    const ChildReport report = {.step = step, .number = errno};
    if (write(report_fd, &report, sizeof report) < 0) {
        _exit(126);
    }
    _exit(127);
}

/* In the child. A session of its own keeps Ctrl-C and a hang-up of our terminal away from it (and
 * from a daemon that it starts); the death signal sees to it that it does not go on without us. */
static _Noreturn void child_become(const Child *child, const ProcessOptions *options)
{
    reset_signals();
    setsid();
    umask(CHILD_UMASK);
    if (!set_files(child)) {
        child_fail(child->report, STEP_FILES);
    }
    if (!set_user(&options->user, child)) {
        child_fail(REPORT_FD, STEP_USER);
    }
    if (chdir(options->directory != NULL ? options->directory : "/") != 0) {
        child_fail(REPORT_FD, STEP_DIRECTORY);
    }
    /* After the change of user, which clears it. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != child->parent) {
        _exit(127);
    }
    execve(child->argv[0], child->argv, child->env);
    child_fail(REPORT_FD, STEP_EXEC);
}

/* A descriptor number of 4 or more, so that setting up 0 to 3 in the child overwrites none. */
static bool raise_fd(int *fd)
{
    const int raised = fcntl(*fd, F_DUPFD_CLOEXEC, REPORT_FD + 1);
    close_fd(fd);
    *fd = raised;
    return raised >= 0;
}

/* A file in memory that holds the text: whoever has it as standard input can read it when he likes,
 * and open it by the name /dev/stdin too. -1: errno says why. */
static int open_input(const char *text)
{
    int fd = memfd_create("input", MFD_CLOEXEC | MEMORY_NOT_EXECUTABLE);
    if (fd < 0 && errno == EINVAL) { /* an older kernel */
        fd = memfd_create("input", MFD_CLOEXEC);
    }
    for (size_t left = strlen(text); fd >= 0 && left > 0;) {
        const ssize_t put = write(fd, text, left);
        if (put > 0) {
            text += put;
            left -= (size_t)put;
        } else if (put == 0 || errno != EINTR) {
            close_fd(&fd);
        }
    }
    if (fd >= 0 && lseek(fd, 0, SEEK_SET) != 0) {
        close_fd(&fd);
    }
    return fd;
}

/* ours and theirs are filled in as far as they were made; the caller closes both on failure too. */
static bool open_channels(const ProcessOptions *options, Running *running, Child *child,
                          int *ret_report)
{
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0) {
        return false;
    }
    running->output = pair[0];
    child->output = pair[1];
    if (pipe2(pair, O_CLOEXEC) != 0) {
        return false;
    }
    *ret_report = pair[0];
    child->report = pair[1];
    if (options->is_error_apart) {
        if (pipe2(pair, O_CLOEXEC) != 0) {
            return false;
        }
        running->errors = pair[0];
        child->errors = pair[1];
        if (!raise_fd(&child->errors) || fcntl(running->errors, F_SETFL, O_NONBLOCK) != 0) {
            return false;
        }
    }
    child->input = options->input != NULL ? open_input(options->input)
                                          : open("/dev/null", O_RDONLY | O_CLOEXEC);
    return raise_fd(&child->output) && raise_fd(&child->report) && raise_fd(&child->input) &&
           fcntl(running->output, F_SETFL, O_NONBLOCK) == 0;
}

/* Waits for the exec: true when the program runs. */
static bool read_report(int fd, const char *program, Err *err)
{
    ChildReport report = {.step = STEP_EXEC};
    ssize_t got;
    do {
        got = read(fd, &report, sizeof report);
    } while (got < 0 && errno == EINTR);
    if (got == 0) {
        return true;
    }
    if (report.step == STEP_EXEC && report.number == ENOENT) {
        return ERR_SET(err, ERR_SERVER_BINARY_MISSING, "install the package that has this program",
                       "program \"%s\" is not there", program);
    }
    return ERR_SET(err, ERR_IO, NULL, "%s \"%s\": %s", step_texts[report.step], program,
                   strerror(report.number));
}

/* Takes what is there at this moment, and not what is added meanwhile: who writes as fast as we
 * read would keep us from looking at the clock, or at the end of the program. Closes the descriptor
 * at its end. */
static void read_some(int *fd, StrBuf *collected, size_t limit)
{
    char chunk[16384];
    int left = 0;
    ssize_t got;
    ioctl(*fd, FIONREAD, &left);
    do {
        got = read(*fd, chunk, sizeof chunk);
        if (got > 0) {
            const size_t room = limit - collected->length;
            strbuf_add_bytes(collected, chunk, (size_t)got < room ? (size_t)got : room);
            left -= (int)got;
        }
    } while (got > 0 && left > 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        close_fd(fd);
    }
}

static void read_output(Running *running)
{
    read_some(&running->output, &running->collected, running->output_limit);
}

static void read_errors(Running *running)
{
    read_some(&running->errors, &running->collected_errors, LIMIT_CHILD_OUTPUT_BYTES);
}

static void end_group(const Running *running)
{
    kill(-running->pid, SIGKILL);
    kill(running->pid, SIGKILL);
}

static int64_t least_wait(int64_t a_ms, int64_t b_ms)
{
    return a_ms < 0 || b_ms < a_ms ? b_ms : a_ms;
}

/* How long poll may sleep; ends the group when its time is over, or nobody wants it any more. */
static int next_wait_ms(Running *running)
{
    int64_t wait_ms = -1;
    const bool is_ended = running->is_timeout || running->is_unwanted;
    if (running->deadline_us != 0 && !is_ended) {
        const int64_t left_ms = (running->deadline_us - clock_monotonic_us() + 999) / 1000;
        running->is_timeout = left_ms <= 0;
        wait_ms = least_wait(wait_ms, left_ms);
    }
    if (running->ask_unwanted != NULL && !is_ended && !running->is_timeout) {
        running->is_unwanted = running->ask_unwanted(running->context);
        wait_ms = least_wait(wait_ms, ASK_UNWANTED_MS);
    }
    if (!is_ended && (running->is_timeout || running->is_unwanted)) {
        end_group(running);
        wait_ms = -1;
    }
    if (running->pidfd < 0) {
        wait_ms = least_wait(wait_ms, POLL_WITHOUT_PIDFD_MS);
    }
    return wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms;
}

/* Until the program itself ends: others may hold its output open for ever. */
static bool wait_for_end(Running *running, const char *program, int *ret_status, Err *err)
{
    int status = 0;
    pid_t ended;
    while ((ended = waitpid(running->pid, &status, WNOHANG)) == 0 ||
           (ended < 0 && errno == EINTR)) {
        struct pollfd fds[] = {
            {.fd = running->pidfd, .events = POLLIN},
            {.fd = running->output, .events = POLLIN},
            {.fd = running->errors, .events = POLLIN},
        };
        if (poll(fds, ARRAY_COUNT(fds), next_wait_ms(running)) <= 0) {
            continue;
        }
        if (fds[1].revents != 0) {
            read_output(running);
        }
        if (fds[2].revents != 0) {
            read_errors(running);
        }
    }
    if (ended < 0) {
        return ERR_SET(err, ERR_IO, NULL, "cannot learn how \"%s\" ended: %s", program,
                       strerror(errno));
    }
    if (running->output >= 0) {
        read_output(running); /* what it wrote last */
    }
    if (running->errors >= 0) {
        read_errors(running);
    }
    *ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

static bool start(Child *child, const ProcessOptions *options, Running *running, int report_fd,
                  Err *err)
{
    child->parent = getpid();
    running->pid = fork();
    if (running->pid == 0) {
        child_become(child, options);
    }
    if (running->pid < 0) {
        return ERR_SET(err, ERR_IO, NULL, "cannot fork for \"%s\": %s", options->argv[0],
                       strerror(errno));
    }
    close_fd(&child->report); /* or its end would never be seen */
    close_fd(&child->output);
    close_fd(&child->errors);
    close_fd(&child->input);
    if (!read_report(report_fd, options->argv[0], err)) {
        waitpid(running->pid, NULL, 0);
        return false;
    }
    running->pidfd = pidfd_open(running->pid, 0);
    return true;
}

static void close_channels(Running *running, Child *child, int *report_fd)
{
    close_fd(&running->pidfd);
    close_fd(&running->output);
    close_fd(&running->errors);
    close_fd(&child->input);
    close_fd(&child->output);
    close_fd(&child->errors);
    close_fd(&child->report);
    close_fd(report_fd);
}

bool process_run(Arena *arena, const ProcessOptions *options, ProcessResult *ret_result, Err *err)
{
    Child child = {.input = -1, .output = -1, .errors = -1, .report = -1};
    child.argv = unconst(arena, options->argv, count_strings(options->argv), NULL, 0);
    child.env = unconst(arena, base_env, ARRAY_COUNT(base_env), options->env,
                        count_strings(options->env));
    if (options->user.is_set) {
        find_groups(arena, &options->user, &child);
    }
    Running running = {.pidfd = -1,
                       .output = -1,
                       .errors = -1,
                       .output_limit = options->output_limit_bytes > 0 ? options->output_limit_bytes
                                                                       : LIMIT_CHILD_OUTPUT_BYTES,
                       .ask_unwanted = options->is_unwanted,
                       .context = options->context,
                       .collected = strbuf_init(arena),
                       .collected_errors = strbuf_init(arena)};
    if (options->timeout_ms > 0) {
        running.deadline_us = clock_monotonic_us() + options->timeout_ms * 1000;
    }
    int report_fd = -1;
    bool is_run = false;
    if (!open_channels(options, &running, &child, &report_fd)) {
        ERR_SET(err, ERR_IO, NULL, "cannot make the channels to \"%s\": %s", options->argv[0],
                strerror(errno));
    } else {
        is_run = start(&child, options, &running, report_fd, err);
    }
    if (is_run) {
        int exit_status = 0;
        is_run = wait_for_end(&running, options->argv[0], &exit_status, err);
        *ret_result = (ProcessResult){.exit_status = exit_status,
                                      .is_timeout = running.is_timeout,
                                      .is_unwanted = running.is_unwanted,
                                      .output = running.collected.text,
                                      .errors = running.collected_errors.text};
    }
    close_channels(&running, &child, &report_fd);
    return is_run;
}

/* --- daemons ---------------------------------------------------------------------------------- */

enum { MODE_LOG = 0600 };

static bool open_daemon_channels(const char *log_path, Child *child, int *ret_report)
{
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0) {
        return false;
    }
    *ret_report = pair[0];
    child->report = pair[1];
    child->input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    child->output = open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                         MODE_LOG);
    return child->input >= 0 && child->output >= 0 && raise_fd(&child->output) &&
           raise_fd(&child->report) && raise_fd(&child->input);
}

/* In the child of the child, which is nobody's child a moment later. */
static _Noreturn void daemon_become(const Child *child)
{
    reset_signals();
    umask(CHILD_UMASK);
    if (!set_files(child)) {
        child_fail(child->report, STEP_FILES);
    }
    if (chdir("/") != 0) {
        child_fail(REPORT_FD, STEP_DIRECTORY);
    }
    execve(child->argv[0], child->argv, child->env);
    child_fail(REPORT_FD, STEP_EXEC);
}

/* In the child: it tells the daemon's number and ends, so that nobody has to wait for the daemon.
 */
static _Noreturn void daemon_fork(const Child *child)
{
    setsid();
    const pid_t pid = fork();
    if (pid == 0) {
        daemon_become(child);
    }
    const ChildReport report = {.step = pid > 0 ? STEP_COUNT_ : STEP_EXEC,
                                .number = pid > 0 ? (int)pid : errno};
    _exit(write(child->report, &report, sizeof report) == (ssize_t)sizeof report ? 0 : 1);
}

/* Reads what both tell: the number, in a report without a step, and a failure if there is one. */
static bool read_daemon_reports(int fd, const char *program, pid_t *ret_pid, Err *err)
{
    ChildReport report;
    *ret_pid = 0;
    for (;;) {
        const ssize_t got = read(fd, &report, sizeof report);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got != (ssize_t)sizeof report) {
            return *ret_pid != 0 ||
                   ERR_SET(err, ERR_IO, NULL, "\"%s\" could not be started", program);
        }
        if (report.step != STEP_COUNT_) {
            return ERR_SET(err, ERR_IO, NULL, "%s \"%s\": %s", step_texts[report.step], program,
                           strerror(report.number));
        }
        *ret_pid = report.number;
    }
}

bool process_start_daemon(Arena *arena, const DaemonOptions *options, pid_t *ret_pid, Err *err)
{
    Child child = {.input = -1, .output = -1, .errors = -1, .report = -1};
    int report_fd = -1;
    bool is_started = false;
    child.argv = unconst(arena, options->argv, count_strings(options->argv), NULL, 0);
    child.env = unconst(arena, base_env, ARRAY_COUNT(base_env), options->env,
                        count_strings(options->env));
    const pid_t pid = open_daemon_channels(options->log_path, &child, &report_fd) ? fork() : -1;
    if (pid == 0) {
        daemon_fork(&child);
    }
    if (pid < 0) {
        ERR_SET(err, ERR_IO, NULL, "cannot start \"%s\" with its log in \"%s\": %s",
                options->argv[0], options->log_path, strerror(errno));
    } else {
        close_fd(&child.report);
        is_started = read_daemon_reports(report_fd, options->argv[0], ret_pid, err);
        waitpid(pid, NULL, 0);
    }
    close_fd(&child.input);
    close_fd(&child.output);
    close_fd(&child.report);
    close_fd(&report_fd);
    return is_started;
}

bool process_open_standard(Err *err)
{
    /* As the C library does for programs that run with another user's rights. Not with O_CLOEXEC:
     * what we start needs its own three as much. */
    static const int the_wrong_way[] = {
        [STDIN_FILENO] = O_WRONLY, [STDOUT_FILENO] = O_RDONLY, [STDERR_FILENO] = O_RDONLY};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", the_wrong_way[fd] | O_NOFOLLOW) != fd) {
            return ERR_SET(err, ERR_IO, NULL, "cannot open \"/dev/null\" in place of descriptor %d",
                           fd);
        }
    }
    return true;
}
