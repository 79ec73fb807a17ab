#include <errno.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "pg/embedded_parts.h"

enum {
    START_WAIT_S = 2, /* from then on we wait ourselves, and tell what for */
    START_TIMEOUT_MS = (START_WAIT_S + 30) * 1000,
    SILENCE_WAIT_MS = 15 * 60 * 1000, /* of a server that is not ready and does not answer either */
    BEGIN_WAIT_MS = 30000, /* for a pid file, which is written before anything is recovered */
    ORPHAN_WAIT_MS = 30000,
    ORPHAN_PATIENCE_MS = 1000, /* most notice by themselves that their server is gone */
    KILL_WAIT_MS = 15000,      /* an immediate shutdown kills its children after 5 s */
    ORPHAN_POLL_MS = 200,
    POLL_MS = 20,
    UNREACHABLE_MS = 1000, /* longer than the moment between a look at the file and a connection */
    FIRST_NOTE_MS = 1000,
    NOTE_EVERY_MS = 10000,
};

static PGPing ping(const Server *server, const char *socket_dir, int port)
{
    const char *const names[] = {"host", "port", "dbname", "user", "connect_timeout", NULL};
    const char *const values[] = {socket_dir,
                                  arena_printf(server->arena, "%d", port),
                                  EMBEDDED_DATABASE,
                                  EMBEDDED_CONTROL,
                                  "5",
                                  NULL};
    return PQpingParams(names, values, 0);
}

bool start_is_accepting(const Server *server, const char *socket_dir, int port)
{
    const PGPing answer = ping(server, socket_dir, port);
    /* The environment can keep libpq from trying (PGSERVICE); that must not look like recovery. */
    return answer == PQPING_OK || answer == PQPING_NO_ATTEMPT;
}

/* A server that recovers or is full answers too, so this is one whose socket is gone or hangs. */
static bool is_unreachable(const Server *server, const PidFile *file)
{
    return file->is_ready && ping(server, file->socket_dir, file->port) == PQPING_NO_RESPONSE;
}

bool start_is_answering(const Server *server, const char *socket_dir, int port)
{
    const PGPing answer = ping(server, socket_dir, port);
    return answer == PQPING_OK || answer == PQPING_REJECT;
}

static bool is_port_taken(const struct sockaddr *address, socklen_t length)
{
    const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    /* As PostgreSQL does: connections that wind down do not hold the port. */
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    const bool is_taken = (bind(fd, address, length) != 0 || listen(fd, 1) != 0) &&
                          errno == EADDRINUSE;
    close(fd);
    return is_taken;
}

/* PostgreSQL is content when it can listen on one of its addresses; then clients of the other would
 * talk to whoever has it. */
static bool check_port(const Server *server, Err *err)
{
    const in_port_t port = htons((in_port_t)server->port);
    const struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = port, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = port, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    if (server->port == 0 || (!is_port_taken((const struct sockaddr *)&v4, sizeof v4) &&
                              !is_port_taken((const struct sockaddr *)&v6, sizeof v6))) {
        return true;
    }
    return ERR_SET(err, ERR_PORT_IN_USE,
                   "choose another --port, or stop the program that listens there",
                   "port %d is in use by another program", server->port);
}

/* What pg_ctl saw. */
typedef enum StartState {
    START_FAILED, /* the server has ended */
    START_SLOW,   /* the server runs, and may not even have written its pid file */
    START_READY,
} StartState;

static StartState read_start(const ProcessResult *result)
{
    if (result->exit_status == 0) {
        return START_READY;
    }
    /* Its exit status is the same for both. */
    return strstr(result->output, "did not start in time") != NULL ? START_SLOW : START_FAILED;
}

static bool run_pg_ctl(const Server *server, StartState *ret_state, Err *err)
{
    const char *const argv[] = {server->programs.pg_ctl,
                                "start",
                                "--wait",
                                "--silent",
                                arena_printf(server->arena, "--timeout=%d", START_WAIT_S),
                                "--log",
                                server->log_path,
                                "--pgdata",
                                server->pg_dir,
                                NULL};
    ProcessResult result;
    if (!server_run(server, argv, NULL, START_TIMEOUT_MS, &result, err)) {
        return false;
    }
    *ret_state = read_start(&result);
    return true;
}

/* Until the pid file of a server that is slow to begin is there: before, it looks like one that has
 * ended. */
static bool wait_for_pid_file(const Server *server, Err *err)
{
    const int64_t deadline_us = clock_monotonic_us() + (int64_t)BEGIN_WAIT_MS * 1000;
    bool is_told = false;
    for (;;) {
        PidFile file;
        bool is_alive = false;
        if (!pid_find_server(server, &file, &is_alive, err)) {
            return false;
        }
        if (is_alive || clock_monotonic_us() >= deadline_us) {
            return true;
        }
        if (!is_told) {
            server_progress(server, "the server is slow to begin; waiting");
            is_told = true;
        }
        clock_sleep_ms(POLL_MS);
    }
}

/* One attempt; on false ret_verdict tells whether another may help. */
static bool try_start(const Server *server, LogVerdict *ret_verdict, Err *err)
{
    off_t log_offset = 0;
    bool is_up = false;
    StartState state = START_FAILED;
    *ret_verdict = LOG_VERDICT_FAIL;
    if (!log_open(server, &log_offset, err) || !run_pg_ctl(server, &state, err) ||
        (state == START_SLOW && !wait_for_pid_file(server, err))) {
        return false;
    }
    /* A long recovery outlasts the patience of pg_ctl. */
    if (!start_wait_ready(server, &is_up, err)) {
        return false;
    }
    if (!is_up) {
        *ret_verdict = log_explain_failure(server, log_offset, err);
    }
    return is_up;
}

bool start_server(const Server *server, Err *err)
{
    if (!check_port(server, err) || !pid_clear_stale(server, err)) {
        return false;
    }
    server_progress(server, "starting PostgreSQL %d", server->programs.major);
    const int64_t begin_us = clock_monotonic_us();
    LogVerdict verdict;
    Err reason;
    while (!try_start(server, &verdict, &reason)) {
        const int64_t waited_ms = (clock_monotonic_us() - begin_us) / 1000;
        if (verdict == LOG_VERDICT_FAIL || waited_ms > ORPHAN_WAIT_MS) {
            *err = reason;
            return false;
        }
        server_progress(server, "waiting for processes of the server that was killed");
        if (waited_ms > ORPHAN_PATIENCE_MS) {
            pid_signal_all(server, SIGTERM);
        }
        clock_sleep_ms(ORPHAN_POLL_MS);
    }
    return true;
}

/* A wait for a server, in the monotonic clock. */
typedef struct Wait {
    int64_t next_note_us;
    int64_t unreachable_since_us; /* 0: it was reachable, or not ready, when we last looked */
    int64_t last_answer_us;       /* it said that it starts, recovers or stops */
} Wait;

static void tell_wait(const Server *server, const PidFile *file, Wait *wait)
{
    const int64_t now_us = clock_monotonic_us();
    if (now_us >= wait->next_note_us) {
        server_progress(server, "the server is %s; waiting",
                        file->is_stopping ? "shutting down" : "recovering");
        wait->next_note_us = now_us + (int64_t)NOTE_EVERY_MS * 1000;
    }
}

/* False when there is nothing to wait for any more. */
static bool check_wait(const Server *server, const PidFile *file, Wait *wait, Err *err)
{
    if (!is_unreachable(server, file)) {
        wait->unreachable_since_us = 0;
    } else if (wait->unreachable_since_us == 0) {
        wait->unreachable_since_us = clock_monotonic_us();
    }
    const int64_t now_us = clock_monotonic_us();
    /* Recovery takes what it takes. Asked seldom: the server logs every question. */
    if (now_us - wait->last_answer_us > (int64_t)NOTE_EVERY_MS * 1000 &&
        start_is_answering(server, file->socket_dir, file->port)) {
        wait->last_answer_us = now_us;
    }
    if (wait->unreachable_since_us != 0 &&
        now_us - wait->unreachable_since_us >= (int64_t)UNREACHABLE_MS * 1000) {
        return ERR_SET(err, ERR_SERVER_FAILED,
                       "stop it and start it again: tenantry down, then tenantry up",
                       "the server, process %d, runs but does not answer on its socket "
                       "\"%s/.s.PGSQL.%d\"",
                       (int)file->pid, file->socket_dir, file->port);
    }
    if (now_us - wait->last_answer_us > (int64_t)SILENCE_WAIT_MS * 1000) {
        ERR_SET(err, ERR_SERVER_FAILED, NULL, "the server in \"%s\" runs but does not answer",
                server->data_dir);
        err_hint(err, "read the end of \"%s\"", server->log_path);
        return false;
    }
    return true;
}

bool start_wait_ready(const Server *server, bool *ret_is_ready, Err *err)
{
    const int64_t begin_us = clock_monotonic_us();
    Wait wait = {.last_answer_us = begin_us,
                 .next_note_us = begin_us + (int64_t)FIRST_NOTE_MS * 1000};
    for (;;) {
        PidFile file;
        bool is_alive = false;
        if (!pid_find_server(server, &file, &is_alive, err)) {
            return false;
        }
        const bool is_ready = is_alive && file.is_ready &&
                              start_is_accepting(server, file.socket_dir, file.port);
        if (is_ready || !is_alive) {
            *ret_is_ready = is_ready;
            return true;
        }
        if (!check_wait(server, &file, &wait, err)) {
            return false;
        }
        if (wait.unreachable_since_us == 0) {
            tell_wait(server, &file, &wait);
        }
        clock_sleep_ms(POLL_MS);
    }
}

static bool wait_for_end(const Server *server, pid_t pid, int64_t wait_ms)
{
    const int64_t deadline_us = clock_monotonic_us() + wait_ms * 1000;
    while (pid_is_ours(server, pid)) {
        if (clock_monotonic_us() >= deadline_us) {
            return false;
        }
        clock_sleep_ms(POLL_MS);
    }
    return true;
}

/* Signals and not pg_ctl: stopping works with the programs gone, as after an upgrade. */
bool start_stop(const Server *server, pid_t pid, int64_t timeout_ms, Err *err)
{
    if (!pid_signal(server, pid, SIGINT) && errno != ESRCH) {
        return ERR_SET(err, ERR_SERVER_FAILED, "run this as the user who started the server",
                       "cannot stop the server, process %d: %s", (int)pid, strerror(errno));
    }
    if (wait_for_end(server, pid, timeout_ms)) {
        return true;
    }
    server_progress(server, "the server does not stop in time; stopping it at once");
    pid_signal(server, pid, SIGQUIT);
    if (wait_for_end(server, pid, KILL_WAIT_MS)) {
        return true;
    }
    return ERR_SET(err, ERR_SERVER_FAILED, "look for a hanging disk; the process may wait for it",
                   "the server, process %d, does not stop", (int)pid);
}
