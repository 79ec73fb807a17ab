#include "pg/dump.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/array.h"
#include "core/process.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "pg/embedded_parts.h"
#include "pg/internal.h"

#define SERVICE "tenantry"

enum { VERSION_TIMEOUT_MS = 10000, MAJOR_FACTOR = 10000, SHOWN_BYTES = 200 };

/* The best program so far. */
typedef struct Search {
    Arena *arena;
    const ProcessUser *user;
    int server_major;
    int major; /* of the program; 0: none yet */
    const char *path;
} Search;

static void consider(Search *search, const char *dir)
{
    ProcessResult result;
    Err ignored;
    const char *path = arena_printf(search->arena, "%s/pg_dump", dir);
    const ProcessOptions options = {.argv = (const char *const[]){path, "--version", NULL},
                                    .user = *search->user,
                                    .timeout_ms = VERSION_TIMEOUT_MS};
    if (access(path, X_OK) != 0 || !process_run(search->arena, &options, &result, &ignored) ||
        result.exit_status != 0) {
        return;
    }
    const int major = bin_parse_major(result.output);
    if (major >= search->server_major && (search->major == 0 || major < search->major)) {
        search->major = major;
        search->path = path;
    }
}

static void consider_path(Search *search)
{
    const char *path = getenv("PATH");
    char *folders = arena_strdup(search->arena, path != NULL ? path : "/usr/bin");
    char *rest = NULL;
    for (char *dir = strtok_r(folders, ":", &rest); dir != NULL; dir = strtok_r(NULL, ":", &rest)) {
        if (*dir == '/' && search->major != search->server_major) {
            consider(search, dir);
        }
    }
}

bool pg_dump_find(Arena *arena, PgConn *conn, const char *bin_dir, const ProcessUser *user,
                  const char **ret_path, Err *err)
{
    Search search = {
        .arena = arena, .user = user, .server_major = PQserverVersion(conn->pq) / MAJOR_FACTOR};
    *ret_path = NULL;
    if (search.server_major == 0) {
        return pg_fail(err, conn, NULL);
    }
    if (bin_dir != NULL) {
        consider(&search, bin_dir);
        *ret_path = search.path;
        return true;
    }
    /* The folders of one version each come first: what is in PATH may be a wrapper that chooses by
     * settings of its own. */
    for (size_t i = 0; bin_folders[i] != NULL; i++) {
        glob_t found = {0};
        if (glob(bin_folders[i], 0, NULL, &found) == 0) {
            for (size_t k = 0; k < found.gl_pathc; k++) {
                consider(&search, found.gl_pathv[k]);
            }
        }
        globfree(&found);
    }
    if (search.major == 0) {
        consider_path(&search);
    }
    *ret_path = search.path;
    return true;
}

/* What says who logs in; a service could name its own user and win over the environment. A client
 * certificate only does with pg_hba.conf's "cert", where another role cannot log in at all;
 * elsewhere a server may ask for one beside the password. */
static bool is_identity(const char *keyword)
{
    static const char *const identities[] = {"options", "passfile", "password", "service", "user"};
    for (size_t i = 0; i < ARRAY_COUNT(identities); i++) {
        if (strcmp(keyword, identities[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The pass phrase of a client key has no variable, but libpq reads it from a service file: that is
 * what standard input is then, which nobody else can read. NULL without one. Such a file cannot
 * hold every text: with a line break or white space at its end pg_dump says that the key cannot be
 * read. */
static const char *passphrase_service(Arena *arena, const PgConn *conn)
{
    const char *service = NULL;
    PQconninfoOption *options = PQconninfo(conn->pq);
    for (const PQconninfoOption *option = options; option != NULL && option->keyword != NULL;
         option++) {
        if (strcmp(option->keyword, "sslpassword") == 0 && option->val != NULL &&
            *option->val != '\0' && strchr(option->val, '\n') == NULL) {
            service = arena_printf(arena, "[" SERVICE "]\nsslpassword=%s\n", option->val);
        }
    }
    PQconninfoFree(options);
    return service;
}

/* Where conn is connected to and who logs in, as libpq's environment variables, the password too: a
 * command line can be read by everybody, the environment by the same user only. */
static const char *const *connection_env(Arena *arena, const PgConn *conn,
                                         const PgDumpOptions *dump, bool has_service)
{
    /* pg_dump among many schemas chooses a merge join that takes minutes; and what it prints must
     * not depend on settings of the database. */
    static const char settings[] = "PGOPTIONS=-c enable_mergejoin=off -c quote_all_identifiers=off";
    PQconninfoOption *options = PQconninfo(conn->pq);
    size_t count = 0;
    for (const PQconninfoOption *option = options; option != NULL && option->keyword != NULL;
         option++) {
        count++;
    }
    const char **env = ARENA_ARRAY(arena, const char *, count + 6);
    size_t used = 0;
    env[used++] = settings;
    env[used++] = arena_printf(arena, "PGUSER=%s", dump->role);
    env[used++] = arena_printf(arena, "PGPASSWORD=%s", dump->password);
    if (has_service) {
        env[used++] = "PGSERVICE=" SERVICE;
        env[used++] = "PGSERVICEFILE=/dev/stdin";
    }
    for (size_t i = 0; i < count; i++) {
        const PQconninfoOption *option = &options[i];
        if (option->envvar != NULL && option->val != NULL && *option->val != '\0' &&
            !is_identity(option->keyword)) {
            env[used++] = arena_printf(arena, "%s=%s", option->envvar, option->val);
        }
    }
    PQconninfoFree(options);
    return env;
}

static bool check_result(Arena *arena, const PgDumpOptions *options, const ProcessResult *result,
                         Err *err)
{
    if (result->is_timeout) {
        return ERR_SET(err, ERR_IO, NULL, "pg_dump took longer than %lld ms",
                       (long long)options->timeout_ms);
    }
    if (result->exit_status != 0) {
        const char *line = arena_strndup(arena, result->errors, strcspn(result->errors, "\n"));
        return ERR_SET(err, ERR_IO, NULL, "pg_dump failed: %s",
                       text_quote(arena, line, SHOWN_BYTES));
    }
    if (strlen(result->output) >= options->max_bytes) {
        return ERR_SET(err, ERR_LIMIT, NULL, "the dump has more than %zu bytes",
                       options->max_bytes);
    }
    return true;
}

bool pg_dump_schema(Arena *arena, const PgConn *conn, const PgDumpOptions *options,
                    const char **ret_sql, Err *err)
{
    const char *const argv[] = {
        options->program,
        arena_printf(arena, "--schema=%s", options->schema),
        "--schema-only",
        arena_printf(arena, "--lock-wait-timeout=%lld", (long long)options->timeout_ms),
        "--encoding=UTF8",
        "--no-owner",
        "--no-privileges",
        "--no-password",
        "--no-publications",
        "--no-security-labels",
        "--no-subscriptions",
        "--no-tablespaces",
        NULL,
    };
    const char *service = passphrase_service(arena, conn);
    const ProcessOptions run = {.argv = argv,
                                .env = connection_env(arena, conn, options, service != NULL),
                                .user = options->user,
                                .input = service,
                                .timeout_ms = options->timeout_ms,
                                .is_error_apart = true,
                                .output_limit_bytes = options->max_bytes};
    ProcessResult result;
    if (!process_run(arena, &run, &result, err) || !check_result(arena, options, &result, err)) {
        return false;
    }
    *ret_sql = result.output;
    return true;
}
