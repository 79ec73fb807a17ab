#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/array.h"
#include "core/file.h"
#include "core/text.h"
#include "pg/embedded_parts.h"

enum { VERSION_TIMEOUT_MS = 10000, CANDIDATES_MAX = 64 };

/* Where the packages of distributions and a build from source put the programs. */
const char *const bin_folders[] = {
    "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/usr/local/bin", NULL,
};

typedef struct Candidates {
    ServerPrograms items[CANDIDATES_MAX];
    size_t count;
} Candidates;

int bin_parse_major(const char *version)
{
    static const char word[] = "(PostgreSQL) ";
    const char *found = strstr(version, word);
    return found == NULL ? 0 : text_leading_int(found + sizeof word - 1);
}

/* Runs a program for its answer of one line; NULL when it cannot tell. */
static const char *ask(const Server *server, const char *program, const char *question)
{
    ProcessResult result;
    Err ignored;
    if (!server_run(server, (const char *const[]){program, question, NULL}, NULL,
                    VERSION_TIMEOUT_MS, &result, &ignored) ||
        result.exit_status != 0) {
        return NULL;
    }
    return arena_strndup(server->arena, result.output, strcspn(result.output, "\n"));
}

static ServerPrograms programs_in(Arena *arena, const char *dir)
{
    return (ServerPrograms){
        .dir = dir,
        .initdb = arena_printf(arena, "%s/initdb", dir),
        .pg_ctl = arena_printf(arena, "%s/pg_ctl", dir),
        .postgres = arena_printf(arena, "%s/postgres", dir),
    };
}

/* The program that is not there, or NULL when all three are. */
static const char *find_missing(const ServerPrograms *programs)
{
    const char *const all[] = {programs->postgres, programs->initdb, programs->pg_ctl};
    for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
        if (access(all[i], X_OK) != 0) {
            return all[i];
        }
    }
    return NULL;
}

static bool read_version(const Server *server, ServerPrograms *programs)
{
    const char *version = ask(server, programs->postgres, "--version");
    programs->major = version == NULL ? 0 : bin_parse_major(version);
    return programs->major > 0;
}

static void add_candidate(const Server *server, Candidates *candidates, const char *dir)
{
    ServerPrograms programs = programs_in(server->arena, arena_strdup(server->arena, dir));
    if (candidates->count < CANDIDATES_MAX && find_missing(&programs) == NULL &&
        read_version(server, &programs)) {
        candidates->items[candidates->count++] = programs;
    }
}

static int compare_newest_first(const void *a, const void *b)
{
    const ServerPrograms *left = a;
    const ServerPrograms *right = b;
    return (right->major > left->major) - (right->major < left->major);
}

/* pg_config says what the person who set PATH means; it is asked as the server's user. */
static void add_pg_config(const Server *server, Candidates *candidates)
{
    const char *path = getenv("PATH");
    char *folders = arena_strdup(server->arena, path != NULL ? path : "/usr/bin");
    char *rest = NULL;
    for (char *dir = strtok_r(folders, ":", &rest); dir != NULL; dir = strtok_r(NULL, ":", &rest)) {
        const char *program = arena_printf(server->arena, "%s/pg_config", dir);
        if (*dir == '/' && access(program, X_OK) == 0) {
            const char *bin_dir = ask(server, program, "--bindir");
            if (bin_dir != NULL) {
                add_candidate(server, candidates, bin_dir);
            }
            return;
        }
    }
}

static void collect(const Server *server, Candidates *candidates)
{
    add_pg_config(server, candidates);
    for (size_t i = 0; bin_folders[i] != NULL; i++) {
        const size_t first = candidates->count;
        glob_t found = {0};
        if (glob(bin_folders[i], 0, NULL, &found) == 0) {
            for (size_t k = 0; k < found.gl_pathc; k++) {
                add_candidate(server, candidates, found.gl_pathv[k]);
            }
        }
        globfree(&found);
        qsort(candidates->items + first, candidates->count - first, sizeof candidates->items[0],
              compare_newest_first);
    }
}

static bool collect_one(const Server *server, Candidates *candidates, Err *err)
{
    ServerPrograms programs = programs_in(server->arena, server->options->bin_dir);
    const char *missing = find_missing(&programs);
    if (missing != NULL) {
        return ERR_SET(err, ERR_SERVER_BINARY_MISSING,
                       "give the folder that has postgres, initdb and pg_ctl with --pg-bin-dir, or "
                       "leave it out and install the server (apt-get install postgresql)",
                       "program \"%s\" is not there", missing);
    }
    if (!read_version(server, &programs)) {
        return ERR_SET(err, ERR_SERVER_BINARY_MISSING,
                       "check that the server's user may run it: postgres --version",
                       "\"%s\" does not tell its version", programs.postgres);
    }
    candidates->items[candidates->count++] = programs;
    return true;
}

static bool fail_version(const Server *server, int data_major, const ServerPrograms *other,
                         Err *err)
{
    ERR_SET(err, ERR_SERVER_VERSION, NULL,
            "the data in \"%s\" is of PostgreSQL %d, the programs in \"%s\" are PostgreSQL %d",
            server->pg_dir, data_major, other->dir, other->major);
    err_hint(err,
             "install the programs of that version (apt-get install postgresql-%d), or bring the "
             "data to version %d with pg_upgrade",
             data_major, other->major);
    return false;
}

static bool choose(Server *server, const Candidates *candidates, int data_major, Err *err)
{
    const ServerPrograms *chosen = &candidates->items[0];
    for (size_t i = 0; i < candidates->count; i++) {
        const ServerPrograms *item = &candidates->items[i];
        if (item->major == data_major ||
            (data_major == 0 && item->major >= EMBEDDED_OLDEST_MAJOR)) {
            chosen = item;
            break;
        }
    }
    if (data_major != 0 && chosen->major != data_major) {
        return fail_version(server, data_major, chosen, err);
    }
    if (chosen->major < EMBEDDED_OLDEST_MAJOR) {
        return ERR_SET(err, ERR_PG_UNSUPPORTED,
                       "install PostgreSQL 15 or newer (apt-get install postgresql)",
                       "the programs in \"%s\" are PostgreSQL %d, Tenantry needs %d or newer",
                       chosen->dir, chosen->major, EMBEDDED_OLDEST_MAJOR);
    }
    server->programs = *chosen;
    return true;
}

bool bin_find(Server *server, int data_major, Err *err)
{
    Candidates candidates = {.count = 0};
    if (server->options->bin_dir != NULL) {
        return collect_one(server, &candidates, err) &&
               choose(server, &candidates, data_major, err);
    }
    collect(server, &candidates);
    if (candidates.count == 0) {
        return ERR_SET(err, ERR_SERVER_BINARY_MISSING,
                       "install the server (apt-get install postgresql), name its folder with "
                       "--pg-bin-dir, or use another server with --database-url",
                       "no PostgreSQL server programs (postgres, initdb, pg_ctl) are on this "
                       "machine");
    }
    return choose(server, &candidates, data_major, err);
}

bool bin_has_library(const Server *server, const char *name)
{
    const char *dir = NULL;
    const char *pg_config = arena_printf(server->arena, "%s/pg_config", server->programs.dir);
    if (access(pg_config, X_OK) == 0) {
        dir = ask(server, pg_config, "--pkglibdir");
    }
    if (dir == NULL) {
        dir = arena_printf(server->arena, "%s/../lib", server->programs.dir);
    }
    return file_exists(arena_printf(server->arena, "%s/%s.so", dir, name));
}
