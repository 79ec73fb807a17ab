/* What the files of the embedded server share. Nobody outside src/pg includes it. */
#ifndef TENANTRY_PG_EMBEDDED_PARTS_H
#define TENANTRY_PG_EMBEDDED_PARTS_H

#include "core/process.h"
#include "pg/embedded.h"

enum { EMBEDDED_OLDEST_MAJOR = 15 };

/* The programs of one PostgreSQL installation. */
typedef struct ServerPrograms {
    const char *dir;
    const char *initdb;
    const char *pg_ctl;
    const char *postgres;
    int major;
} ServerPrograms;

/* One embedded server: its options made absolute. Lives in its arena. */
typedef struct Server {
    Arena *arena;
    const EmbeddedOptions *options;
    ProcessUser user; /* whom its programs run as; not set when we are no root */
    ServerPrograms programs;
    const char *data_dir;
    const char *socket_dir;
    int port;            /* 0: Unix socket only */
    const char *pg_dir;  /* PGDATA */
    const char *new_dir; /* PGDATA while it is made */
    const char *log_path;
    const char *pass_path;
} Server;

void server_progress(const Server *server, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A path below the data directory. */
const char *server_path(const Server *server, const char *name);

/* Runs one of the server's programs as the server's user. */
bool server_run(const Server *server, const char *const *argv, const char *input,
                int64_t timeout_ms, ProcessResult *ret_result, Err *err);

/* embedded_dir.c: paths, folders, the lock */

bool dir_resolve(Arena *arena, const EmbeddedOptions *options, Server *ret_server, Err *err);
/* Finds the server's user and makes the folders that are missing. One that is there must not be
 * PGDATA itself, nor be open to others to write. */
bool dir_prepare(Server *server, Err *err);
/* Holds data_dir/up.lock until ret_fd is closed. ERR_CONFLICT after wait_ms. */
bool dir_lock(const Server *server, int64_t wait_ms, int *ret_fd, Err *err);
/* ERR_DISK_FULL when fewer bytes than need_bytes are free below the data directory; what needs them
 * is for the message ("a new server"). */
bool dir_check_space(const Server *server, const char *what, uint64_t need_bytes, Err *err);
/* ERR_DATA_DIR when pg/ is a server's that Tenantry did not make. */
bool dir_check_ours(const Server *server, Err *err);
/* The major version in PG_VERSION; 0 when there is no data yet. */
bool dir_read_major(const Server *server, int *ret_major, Err *err);
/* Makes path the property of the server's user (when we are root). */
bool dir_give(const Server *server, const char *path, mode_t mode, Err *err);

/* embedded_bin.c: finding and checking programs */

/* data_major: the version that the data needs, 0 for any. */
bool bin_find(Server *server, int data_major, Err *err);
/* The major number in the output of `postgres --version`, or 0. */
int bin_parse_major(const char *version);
/* Patterns of the usual folders of PostgreSQL's programs; ends in NULL. */
extern const char *const bin_folders[];
/* Whether the server can load this library ("pg_stat_statements"). */
bool bin_has_library(const Server *server, const char *name);

/* embedded_conf.c: configuration files */

typedef struct MemorySettings {
    int shared_buffers_mb;
    int effective_cache_size_mb;
    int maintenance_work_mem_mb;
    int work_mem_mb;
} MemorySettings;

MemorySettings conf_size_memory(uint64_t memory_bytes);
/* Memory of the machine, or of the control group when that is less. */
uint64_t conf_machine_memory(void);
/* Writes tenantry.conf, and what is the operator's when it is not there; ERR_DATA_DIR when such a
 * file is another user's, or could have been written by one. */
bool conf_write(const Server *server, Err *err);
/* The TCP port that tenantry.conf was last written with; 0 for none. */
int conf_read_port(Arena *arena, const char *path);
/* The same for its text; pure. */
int conf_parse_port(const char *text);
/* Whether postgresql.conf in pg/ reads tenantry.conf, as it does since init_cluster. */
bool conf_is_included(const Server *server);
/* Makes postgresql.conf below pg_dir read tenantry.conf. */
bool conf_include(const Server *server, const char *pg_dir, Err *err);

/* embedded_init.c: initdb, the two roles, the database */

bool init_cluster(const Server *server, Err *err);

/* embedded_log.c: what the server's log says */

/* What to do about a start that failed. */
typedef enum LogVerdict {
    LOG_VERDICT_FAIL,  /* err is set */
    LOG_VERDICT_RETRY, /* processes of a killed server still hold the data */
} LogVerdict;

/* Size of the log, after putting a large one aside. */
bool log_open(const Server *server, off_t *ret_offset, Err *err);
/* Turns what was logged since offset into an error. */
LogVerdict log_explain_failure(const Server *server, off_t offset, Err *err);
/* The same for a text; pure. */
LogVerdict log_explain_text(const Server *server, const char *text, Err *err);

/* embedded_pid.c: postmaster.pid and who is alive */

typedef struct PidFile {
    pid_t pid;
    const char *data_dir;
    int port;
    const char *socket_dir;
    bool has_tcp;
    bool is_ready; /* it says that it accepts connections */
    bool is_stopping;
} PidFile;

/* False when text is not one (truncated, empty). */
bool pid_parse(Arena *arena, const char *text, PidFile *ret_file);
/* Reads postmaster.pid; ret_is_alive tells whether a postgres of this data directory has the
 * number. ret_file->pid is 0 when there is no file. */
bool pid_find_server(const Server *server, PidFile *ret_file, bool *ret_is_alive, Err *err);
/* Whether this number is a postgres that works in the data directory, or is very like one where
 * that cannot be told. */
bool pid_is_ours(const Server *server, pid_t pid);
/* Sends a signal, when the process surely works in the data directory. errno is ESRCH when it does
 * not, EACCES when that cannot be told. */
bool pid_signal(const Server *server, pid_t pid, int number);
/* Removes postmaster.pid and the socket's lock file when they name a process that is not ours. */
bool pid_clear_stale(const Server *server, Err *err);
/* Sends a signal to every process that surely works in the data directory, for when its server is
 * gone; returns how many were there to get it, also where we may not send it. Signal 0 only counts.
 */
int pid_signal_all(const Server *server, int number);

/* embedded_start.c: starting, waiting, stopping */

bool start_server(const Server *server, Err *err);
/* Waits until a server that is alive accepts connections, or is gone: ret_is_ready tells which.
 * ERR_SERVER_FAILED at once for one that calls itself ready but cannot be reached. */
bool start_wait_ready(const Server *server, bool *ret_is_ready, Err *err);
bool start_stop(const Server *server, pid_t pid, int64_t timeout_ms, Err *err);
/* Whether connections are accepted on this socket folder and port; true when libpq cannot tell, for
 * a server whose pid file says that it is ready. */
bool start_is_accepting(const Server *server, const char *socket_dir, int port);
/* Whether a server, ready or not, is there at all. */
bool start_is_answering(const Server *server, const char *socket_dir, int port);

#endif
