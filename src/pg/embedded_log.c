#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/array.h"
#include "core/text.h"
#include "pg/embedded_parts.h"

enum {
    LOG_ROTATE_BYTES = 16 * 1024 * 1024,
    LOG_TAIL_BYTES = 64 * 1024,
    LOG_MODE = 0640,
    LINE_SHOWN_BYTES = 300,
};

/* One row: two texts that a log has when this happened, the error, and what to do. The first row
 * that fits wins. A message of NULL quotes the line that fits. */
typedef struct LogRule {
    const char *text;
    const char *also; /* in the same line; NULL: nothing more */
    ErrCode code;     /* ERR_NONE: try again */
    const char *message;
    const char *hint;
} LogRule;

static const LogRule rules[] = {
    {"No space left on device", NULL, ERR_DISK_FULL, "no space is left on the device",
     "free some space on the file system of the data directory"},
    {"could not write init file", NULL, ERR_DISK_FULL, NULL,
     "free some space on the file system of the data directory"},
    {"pre-existing shared memory block", "still in use", ERR_NONE, NULL,
     "processes of the killed server still run: end the postgres processes of this data directory"},
    {"could not bind", "Address already in use", ERR_PORT_IN_USE, NULL,
     "choose another --port, or stop the program that listens there"},
    {"could not bind", "Permission denied", ERR_CONFIG_INVALID, NULL,
     "choose a --port above 1023 and a --socket-dir that the server's user may write to"},
    {"could not create any TCP/IP sockets", NULL, ERR_PORT_IN_USE, NULL,
     "choose another --port, or stop the program that listens there"},
    {"could not create any Unix-domain sockets", NULL, ERR_DATA_DIR, NULL,
     "check that the server's user may write to the folder of the socket"},
    {"could not create lock file", NULL, ERR_DATA_DIR, NULL,
     "check that the server's user may write to the folder of the socket"},
    {"database files are incompatible with server", NULL, ERR_SERVER_VERSION, NULL,
     "use the programs of the version that made the data (--pg-bin-dir)"},
    {"was initialized by PostgreSQL version", NULL, ERR_SERVER_VERSION, NULL,
     "use the programs of the version that made the data (--pg-bin-dir)"},
    {"has group or world access", NULL, ERR_DATA_DIR, NULL,
     "make the folder pg in the data directory private: chmod 0700"},
    {"invalid permissions", NULL, ERR_DATA_DIR, NULL,
     "make the folder pg in the data directory private: chmod 0700"},
    {"has wrong ownership", NULL, ERR_DATA_DIR, NULL,
     "make the server's user the owner of the folder pg in the data directory: chown -R"},
    {"lock file", "already exists", ERR_CONFLICT, NULL,
     "another server uses this socket or this data: stop it, or choose another --socket-dir"},
    {"could not access file", "No such file", ERR_SERVER_FAILED, NULL,
     "a library that shared_preload_libraries names is missing: install its package, or take it "
     "out of postgresql.local.conf"},
    {"unrecognized configuration parameter", NULL, ERR_CONFIG_INVALID, NULL,
     "correct postgresql.local.conf in the data directory"},
    {"invalid value for parameter", NULL, ERR_CONFIG_INVALID, NULL,
     "correct postgresql.local.conf in the data directory"},
    {"syntax error in file", NULL, ERR_CONFIG_INVALID, NULL, "correct that file"},
    {"could not map anonymous shared memory", NULL, ERR_SERVER_FAILED, NULL,
     "set a smaller shared_buffers in postgresql.local.conf in the data directory"},
    {"could not open file", "Permission denied", ERR_DATA_DIR, NULL,
     "make the server's user the owner of the folder pg in the data directory: chown -R"},
};

/* The first line that has both texts, in the arena; NULL for none. */
static const char *find_line(Arena *arena, const char *log, const char *text, const char *also)
{
    for (const char *line = log; *line != '\0';) {
        const size_t length = strcspn(line, "\n");
        if (memmem(line, length, text, strlen(text)) != NULL &&
            (also == NULL || memmem(line, length, also, strlen(also)) != NULL)) {
            return arena_strndup(arena, line, length);
        }
        line += length + (line[length] == '\n');
    }
    return NULL;
}

/* The last line of a level that ends a server; NULL for none. */
static const char *find_last_fatal(Arena *arena, const char *log)
{
    const char *last = NULL;
    for (const char *line = log; *line != '\0';) {
        const size_t length = strcspn(line, "\n");
        if (memmem(line, length, "FATAL:", 6) != NULL ||
            memmem(line, length, "PANIC:", 6) != NULL) {
            last = arena_strndup(arena, line, length);
        }
        line += length + (line[length] == '\n');
    }
    return last;
}

/* What the program says before it has a log: "postgres: could not find the database system". */
static const char program_prefix[] = "postgres: ";

static const char *find_program_line(Arena *arena, const char *log)
{
    for (const char *line = log; *line != '\0';) {
        const size_t length = strcspn(line, "\n");
        if (strncmp(line, program_prefix, strlen(program_prefix)) == 0) {
            return arena_strndup(arena, line + strlen(program_prefix),
                                 length - strlen(program_prefix));
        }
        line += length + (line[length] == '\n');
    }
    return NULL;
}

/* "2026-... [12] FATAL:  could not" -> "could not", in printable characters. */
static const char *line_message(Arena *arena, const char *line)
{
    static const char *const levels[] = {"FATAL:", "PANIC:", "LOG:", "WARNING:", "ERROR:"};
    for (size_t i = 0; i < ARRAY_COUNT(levels); i++) {
        const char *found = strstr(line, levels[i]);
        if (found != NULL) {
            found += strlen(levels[i]);
            return text_quote(arena, found + strspn(found, " "), LINE_SHOWN_BYTES);
        }
    }
    return text_quote(arena, line, LINE_SHOWN_BYTES);
}

static bool fail_rule(const Server *server, const LogRule *rule, const char *line, Err *err)
{
    const char *message = rule->message != NULL ? rule->message : line_message(server->arena, line);
    if (rule->code == ERR_PORT_IN_USE) {
        return ERR_SET(err, rule->code, rule->hint,
                       "port %d is in use by another program (the server says: %s)", server->port,
                       message);
    }
    return ERR_SET(err, rule->code == ERR_NONE ? ERR_SERVER_FAILED : rule->code, rule->hint,
                   "the embedded PostgreSQL in \"%s\" did not start: %s", server->data_dir,
                   message);
}

LogVerdict log_explain_text(const Server *server, const char *text, Err *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
        const char *line = find_line(server->arena, text, rules[i].text, rules[i].also);
        if (line != NULL) {
            fail_rule(server, &rules[i], line, err);
            return rules[i].code == ERR_NONE ? LOG_VERDICT_RETRY : LOG_VERDICT_FAIL;
        }
    }
    const char *fatal = find_last_fatal(server->arena, text);
    if (fatal == NULL) {
        fatal = find_program_line(server->arena, text);
    }
    ERR_SET(err, ERR_SERVER_FAILED, NULL, "the embedded PostgreSQL did not start: %s",
            fatal != NULL ? line_message(server->arena, fatal) : "its log gives no reason");
    err_hint(err, "read the end of \"%s\"", server->log_path);
    return LOG_VERDICT_FAIL;
}

static const char *read_since(const Server *server, off_t offset)
{
    char *text = arena_alloc(server->arena, LOG_TAIL_BYTES + 1);
    const int fd = open(server->log_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat status;
    if (fd >= 0 && fstat(fd, &status) == 0) {
        const off_t tail = status.st_size - LOG_TAIL_BYTES;
        const ssize_t got = pread(fd, text, LOG_TAIL_BYTES, tail > offset ? tail : offset);
        text[got > 0 ? got : 0] = '\0';
    }
    if (fd >= 0) {
        close(fd);
    }
    return text;
}

LogVerdict log_explain_failure(const Server *server, off_t offset, Err *err)
{
    return log_explain_text(server, read_since(server, offset), err);
}

/* The log is made here, since the server's user may not make files in the data directory. */
bool log_open(const Server *server, off_t *ret_offset, Err *err)
{
    struct stat status;
    if (lstat(server->log_path, &status) == 0 && status.st_size > LOG_ROTATE_BYTES) {
        rename(server->log_path, arena_printf(server->arena, "%s.old", server->log_path));
    }
    const int fd = open(server->log_path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
                        LOG_MODE);
    const bool is_open = fd >= 0 && fstat(fd, &status) == 0;
    const int number = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (!is_open) {
        return ERR_SET(err, number == ENOSPC ? ERR_DISK_FULL : ERR_DATA_DIR, NULL,
                       "cannot open the log \"%s\": %s", server->log_path, strerror(number));
    }
    *ret_offset = status.st_size;
    return dir_give(server, server->log_path, LOG_MODE, err);
}
