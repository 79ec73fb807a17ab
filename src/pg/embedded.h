/* The embedded PostgreSQL: Debian's server programs on a data directory of ours.
 *
 * Layout of the data directory:
 *   pg/          PGDATA
 *   pg.new/      an initdb that was interrupted; removed at the next start
 *   run/         the Unix socket (or --socket-dir)
 *   server.log   what the server prints
 *   server.pass  libpq password file (0600) for the two roles below, so that no password travels in
 *                a command line, an environment or SQL text
 *   up.lock      held (flock) by whoever starts or stops the server
 *   tenantry.conf, pg_hba.conf, postgresql.local.conf
 *                settings: ours, rewritten at each start; who may connect, written once; the
 *                operator's, which win
 *
 * pg/ and run/ belong to the server's user, all else to whoever runs Tenantry, who follows no link
 * where another user can put one.
 *
 * Two roles: EMBEDDED_ADMIN is the bootstrap superuser, used once after initdb and then only by a
 * person; EMBEDDED_CONTROL (LOGIN, CREATEROLE, no superuser) owns the database EMBEDDED_DATABASE
 * and is what Tenantry works as. Everything here blocks. Called by one thread of the process. */
#ifndef TENANTRY_PG_EMBEDDED_H
#define TENANTRY_PG_EMBEDDED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/arena.h"
#include "core/err.h"

#define EMBEDDED_ADMIN "postgres"
#define EMBEDDED_CONTROL "tenantry"
#define EMBEDDED_DATABASE "tenantry"
enum {
    EMBEDDED_SOCKET_PORT = 5432, /* names the socket file when there is no TCP port */
    EMBEDDED_PORT_KEPT = -1,     /* no port was asked for */
};

typedef struct EmbeddedOptions {
    const char *data_dir;    /* absolute or relative to the working directory */
    const char *socket_dir;  /* NULL: data_dir/run */
    const char *bin_dir;     /* NULL: look for one */
    const char *server_user; /* only when we are root */
    int port; /* 0: Unix socket only; EMBEDDED_PORT_KEPT: the one of the last start, or none */
    /* Tells a person what goes on ("initialising the data directory"); may be NULL. */
    void (*on_progress)(void *context, const char *what);
    void *progress_context;
} EmbeddedOptions;

typedef enum EmbeddedState {
    EMBEDDED_ABSENT,  /* no data directory was made yet */
    EMBEDDED_STOPPED, /* the data is there, no server runs */
    EMBEDDED_RUNNING,
    EMBEDDED_STARTING, /* a server process runs but does not accept connections yet (recovery,
                          shutdown) */
} EmbeddedState;

typedef struct EmbeddedStatus {
    EmbeddedState state;
    pid_t pid;              /* 0 unless a server runs */
    int port;               /* TCP port, 0 for none */
    const char *socket_dir; /* absolute */
    const char *data_dir;   /* absolute */
    const char
        *conninfo; /* libpq keywords for EMBEDDED_CONTROL: host, port, user, dbname, passfile */
    const char *data_version; /* major version of the data directory ("15"), or NULL */
} EmbeddedStatus;

/* Starts the server, after initdb (checksums, SCRAM only, UTF-8, C.UTF-8) when the directory is
 * new. Already running is success; when it runs with another port or socket folder than was asked
 * for, progress tells so. Recovers by itself from: a stale postmaster.pid (also when its
 * number belongs to another program now), a killed server, an interrupted initdb. Errors, each with
 * a hint: ERR_SERVER_BINARY_MISSING, ERR_PG_UNSUPPORTED (older than 15), ERR_SERVER_VERSION
 * (another major version's data), ERR_PORT_IN_USE, ERR_DISK_FULL, ERR_DATA_DIR (owner, mode,
 * unreachable for the server's user, not a data directory, another server's), ERR_CONFLICT (another
 * process is starting it), ERR_SERVER_FAILED (with the log's last error line). ret_started tells
 * whether this call started it. */
bool embedded_up(Arena *arena, const EmbeddedOptions *options, EmbeddedStatus *ret_status,
                 bool *ret_started, Err *err);

/* Stops it (fast shutdown, then immediate after timeout_ms). ret_stopped is false when none was
 * running. ERR_DATA_DIR when the server there is not Tenantry's, as embedded_status. */
bool embedded_down(Arena *arena, const EmbeddedOptions *options, int64_t timeout_ms,
                   bool *ret_stopped, Err *err);

/* Looks, changes nothing. */
bool embedded_status(Arena *arena, const EmbeddedOptions *options, EmbeddedStatus *ret_status,
                     Err *err);

#endif
