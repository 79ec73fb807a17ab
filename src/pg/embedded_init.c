#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/array.h"
#include "core/clock.h"
#include "core/fault.h"
#include "core/file.h"
#include "core/limits.h"
#include "core/strbuf.h"
#include "pg/embedded_parts.h"
#include "secret/secret.h"

enum {
    INITDB_TIMEOUT_MS = 300000,
    SINGLE_TIMEOUT_MS = 120000,
    ORPHAN_POLLS = 250,
    ORPHAN_POLL_MS = 20,
    MODE_DATA = 0700,
    MODE_PASS = 0600,
    PASS_FILE_BYTES = 2 * (LIMIT_IDENTIFIER_MAX_BYTES + SECRET_PASSWORD_SIZE + 16),
};

/* An empty cluster has 40 MB, the first WAL segments 32 MB. */
static const uint64_t need_bytes = UINT64_C(100) << 20;

typedef struct SqlStatement {
    const char *database;
    const char *text;
} SqlStatement;

static const SqlStatement statements[] = {
#define EMBEDDED_SQL(database, statement) {database, statement},
#include "pg/embedded_sql.def"
#undef EMBEDDED_SQL
};

/* A program's last line is its reason. */
static bool fail_program(const Server *server, const char *what, const ProcessResult *result,
                         Err *err)
{
    if (strstr(result->output, "No space left on device") != NULL) {
        return ERR_SET(err, ERR_DISK_FULL, "free some space there, or choose another --data-dir",
                       "%s failed: no space is left below \"%s\"", what, server->data_dir);
    }
    if (result->is_timeout) {
        return ERR_SET(err, ERR_SERVER_FAILED, "look for a slow or hanging disk",
                       "%s did not finish in time", what);
    }
    const char *reason = NULL;
    const char *line = result->output;
    while (*line != '\0') {
        const size_t length = strcspn(line, "\n");
        if (memmem(line, length, "rror:", 5) != NULL || memmem(line, length, "FATAL:", 6) != NULL ||
            memmem(line, length, "PANIC:", 6) != NULL) {
            reason = arena_strndup(server->arena, line, length);
        }
        line += length + (line[length] == '\n');
    }
    return ERR_SET(err, ERR_SERVER_FAILED, "what was made so far is removed at the next try",
                   "%s ended with status %d: %s", what, result->exit_status,
                   reason != NULL ? reason : "it gave no reason");
}

/* A killed initdb leaves the server process that it was feeding, which would write on while we
 * remove its files. */
static void end_interrupted(const Server *server)
{
    Server unfinished = *server;
    unfinished.pg_dir = server->new_dir;
    for (int i = 0; i < ORPHAN_POLLS && pid_signal_all(&unfinished, SIGKILL) > 0; i++) {
        clock_sleep_ms(ORPHAN_POLL_MS);
    }
}

/* The passwords first: as long as they are there without pg.new/, they are those of a cluster that
 * was complete. */
static bool remove_unfinished(const Server *server, Err *err)
{
    return file_remove_tree(server->pass_path, err) && file_remove_tree(server->new_dir, err);
}

static bool make_new_dir(const Server *server, Err *err)
{
    if (file_exists(server->new_dir)) {
        server_progress(server, "removing what an interrupted initialisation left in \"%s\"",
                        server->new_dir);
        end_interrupted(server);
        if (!remove_unfinished(server, err)) {
            return false;
        }
    }
    if (mkdir(server->new_dir, MODE_DATA) != 0) {
        return ERR_SET(err, errno == ENOSPC ? ERR_DISK_FULL : ERR_DATA_DIR, NULL,
                       "cannot make the folder \"%s\": %s", server->new_dir, strerror(errno));
    }
    return dir_give(server, server->new_dir, MODE_DATA, err);
}

/* The superuser gets no password here but a verifier later, so that no file and no pipe ever holds
 * it; until then, nobody is let in. Single-user mode asks nobody. */
static bool run_initdb(const Server *server, Err *err)
{
    const char *const argv[] = {server->programs.initdb, "--pgdata",
                                server->new_dir,         ("--username=" EMBEDDED_ADMIN),
                                "--auth=reject",         "--encoding=UTF8",
                                "--locale=C.UTF-8",      "--data-checksums",
                                "--no-instructions",     NULL};
    ProcessResult result;
    if (!server_run(server, argv, NULL, INITDB_TIMEOUT_MS, &result, err)) {
        return false;
    }
    return result.exit_status == 0 || fail_program(server, "initdb", &result, err);
}

/* Single-user mode, and not a server that is started for it: nothing listens meanwhile, and nothing
 * stays behind when we are killed. */
static bool run_single(const Server *server, const char *database, const char *sql, Err *err)
{
    const char *const argv[] = {server->programs.postgres,
                                "--single",
                                "-D",
                                server->new_dir,
                                "-c",
                                "exit_on_error=true",
                                "-c",
                                "log_min_messages=error",
                                database,
                                NULL};
    ProcessResult result;
    if (!server_run(server, argv, sql, SINGLE_TIMEOUT_MS, &result, err)) {
        return false;
    }
    return result.exit_status == 0 ||
           fail_program(server, "setting up the new database", &result, err);
}

/* Not in the arena, which nobody wipes. */
typedef struct PassFile {
    char text[PASS_FILE_BYTES];
    size_t length;
} PassFile;

/* A role's password: the verifier goes to SQL, the text to the password file alone. */
static bool add_password(StrBuf *sql, PassFile *file, const char *role, Err *err)
{
    scoped_password Password *password = NULL;
    char verifier[SECRET_VERIFIER_SIZE];
    if (!password_new(&password, err) || !password_scram_verifier(password, verifier, err)) {
        return false;
    }
    /* A verifier is base64, "$", ":" and "-": it needs no escapes. */
    strbuf_printf(sql, "ALTER ROLE %s PASSWORD '%s'\n", role, verifier);
    const int length = snprintf(file->text + file->length, sizeof file->text - file->length,
                                "*:*:*:%s:%s\n", role, password->text);
    file->length += (size_t)length;
    return true;
}

static void add_statements(StrBuf *sql, const char *database)
{
    for (size_t i = 0; i < ARRAY_COUNT(statements); i++) {
        if (strcmp(statements[i].database, database) == 0) {
            strbuf_printf(sql, "%s\n", statements[i].text);
        }
    }
}

static bool make_roles(const Server *server, Err *err)
{
    StrBuf admin_sql = strbuf_init(server->arena);
    StrBuf control_sql = strbuf_init(server->arena);
    PassFile pass_file = {.length = 0};
    add_statements(&admin_sql, "postgres");
    add_statements(&control_sql, EMBEDDED_DATABASE);
    const bool is_made =
        add_password(&admin_sql, &pass_file, EMBEDDED_ADMIN, err) &&
        add_password(&admin_sql, &pass_file, EMBEDDED_CONTROL, err) &&
        /* Before the data becomes valid: data without its passwords would be of no use. */
        file_write_atomic(server->pass_path, pass_file.text, pass_file.length, MODE_PASS, err) &&
        run_single(server, "postgres", admin_sql.text, err) &&
        run_single(server, EMBEDDED_DATABASE, control_sql.text, err);
    secret_wipe(&pass_file, sizeof pass_file);
    return is_made;
}

static bool sync_dir(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return is_synced;
}

/* From here on the data counts. */
static bool publish(const Server *server, Err *err)
{
    if (rename(server->new_dir, server->pg_dir) != 0 || !sync_dir(server->data_dir)) {
        return ERR_SET(err, errno == ENOSPC ? ERR_DISK_FULL : ERR_IO, NULL,
                       "cannot rename \"%s\" to \"%s\": %s", server->new_dir, server->pg_dir,
                       strerror(errno));
    }
    return true;
}

static bool make_cluster(const Server *server, Err *err)
{
    if (!make_new_dir(server, err) || !run_initdb(server, err)) {
        return false;
    }
    FAULT("embedded.after_initdb");
    if (!conf_include(server, server->new_dir, err) || !make_roles(server, err)) {
        return false;
    }
    FAULT("embedded.before_rename");
    return publish(server, err);
}

bool init_cluster(const Server *server, Err *err)
{
    if (!dir_check_space(server, "a new server", need_bytes, err)) {
        return false;
    }
    server_progress(server, "initialising the data directory \"%s\" with PostgreSQL %d",
                    server->data_dir, server->programs.major);
    if (make_cluster(server, err)) {
        return true;
    }
    /* It may be what fills the disk; the next start would remove it anyway. */
    Err ignored;
    if (file_exists(server->new_dir)) { /* or else it is pg/ already, and needs its passwords */
        remove_unfinished(server, &ignored);
    }
    return false;
}
