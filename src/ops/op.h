/* The table of operations: one row is one thing that the product can do. From the row come the
 * command line with its help and completion, the REST route, the OpenAPI document, the MCP tool,
 * the permission check and the audit entry. No face has logic of its own. */
#ifndef TENANTRY_OPS_OP_H
#define TENANTRY_OPS_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "core/arena.h"
#include "core/err.h"
#include "core/json.h"

/* The least role that may call an operation over the network; the command line is OPERATOR. */
typedef enum Access { ACCESS_PUBLIC, ACCESS_VIEWER, ACCESS_OPERATOR, ACCESS_ADMIN } Access;

typedef enum OpKind {
    OP_QUERY,   /* changes nothing */
    OP_COMMAND, /* changes something outside the control schema (the embedded server, files) */
    OP_JOB,     /* changes something; runs as a durable job */
} OpKind;

typedef enum ParamType {
    PARAM_TEXT, /* valid UTF-8, at most `most` characters */
    PARAM_SLUG, /* a tenant's slug, looked up: checked only for its form */
    PARAM_INT,  /* least..most */
    PARAM_BOOL, /* a flag without value */
    PARAM_ENUM, /* one of choices */
    PARAM_PATH,
    PARAM_DURATION_MS, /* "30s" */
} ParamType;

typedef struct Param {
    const char *name; /* "blueprint": option --blueprint, JSON member blueprint */
    ParamType type;
    bool is_positional; /* on the command line; positional ones come first in the table, in order */
    bool is_required;
    bool is_repeated;     /* an option that may be given again; the operation gets a list */
    const char *fallback; /* default as text, or NULL */
    int64_t least, most;
    const char *choices; /* "row|schema" */
    const char *help;    /* one sentence */
} Param;

typedef enum FieldType {
    FIELD_TEXT,
    FIELD_INT,
    FIELD_NUMBER,
    FIELD_BOOL,
    FIELD_TIME, /* RFC 3339, UTC, "2026-11-21T01:24:00.123456+00:00", fraction optional */
    FIELD_UUID,
    FIELD_BYTES,  /* an int that people see as MiB */
    FIELD_TEXTS,  /* list of strings */
    FIELD_LINES,  /* list of strings, which people see one below the other */
    FIELD_SQL,    /* the text of a script, of which people see lines too */
    FIELD_MAP,    /* object with free keys; values are scalars */
    FIELD_OBJECT, /* object with `fields` */
    FIELD_LIST,   /* list of objects with `fields` */
} FieldType;

typedef struct Field {
    const char *name;
    FieldType type;
    bool is_nullable;
    bool is_wide; /* people see it with -v only; JSON always has it */
    bool is_rare; /* of what is no single line: people see it only when it is not empty */
    bool is_long; /* of a list: too long for a column, a line of its own */
    const struct Field *fields; /* FIELD_OBJECT, FIELD_LIST; ends with {0} */
    const char *help;
} Field;

typedef struct HttpBinding {
    const char *method; /* "POST"; NULL: not offered over HTTP */
    const char *path;   /* "/v1/tenants/{slug}" */
} HttpBinding;

typedef struct OpExample {
    const char *command; /* without the program's name: "tenant create acme --blueprint trading" */
    const char *what;
} OpExample;

typedef struct OpContext OpContext;

typedef struct Operation {
    const char
        *name; /* "tenant.create": CLI "tenant create", MCP tool, audit action; "up": CLI "up" */
    const char
        *summary; /* the sentence in help, OpenAPI and the tool description; ends in a full stop */
    const char *description; /* a paragraph more for help and man page, or NULL */
    Access access;
    OpKind kind;
    HttpBinding http;
    const Param *params;       /* ends with {0} */
    const Field *result;       /* the members of the answer, always an object; ends with {0} */
    const OpExample *examples; /* ends with {0} */
    const char *done; /* sentence for people when it worked, members in braces: "tenant {slug} is
                         active"; or NULL */
    /* args is an object with every parameter that was given or has a default, checked. *ret_answer
     * is a new object that fits result. */
    bool (*run)(OpContext *context, const Json *args, Json **ret_answer, Err *err);
    const char *document; /* a member whose text, when it has one, is all that people see: it has a
                             form of its own; or NULL */
    const char *again;    /* the command that tells again what the answer told, for who lost that,
                             members in braces: "tenant credentials {slug}"; or NULL */
} Operation;

/* What a face tells while an operation runs. All members may be NULL. */
typedef struct OpProgress {
    void *context;
    /* A job's step begins or advances. detail: what changes all the time, such as a rate, for who
     * shows the present moment only; or NULL. */
    void (*step)(void *context, const char *title, const char *detail, int64_t done, int64_t total);
    void (*note)(void *context, const char *text); /* a sentence for people, such as a retry */
    /* What a person answers for, before it is done: told with --quiet and --json too. */
    void (*show)(void *context, const char *text);
    /* Asks a person to type expected; false when they do not or when there is nobody to ask. */
    bool (*confirm)(void *context, const char *question, const char *expected);
} OpProgress;

/* What an operation works with. The face makes it; the operation opens the database when it needs
 * it. */
struct OpContext {
    Arena *arena; /* lives as long as the call */
    const Config *config;
    const char *program; /* what a person typed to start us, for hints that name a command */
    const char *actor;   /* who calls, for the audit log: "os:root" */
    OpProgress progress;
    /* What an operation leaves to be done once the caller has its answer; NULL: nothing. What fails
     * in it is logged: the operation itself was done. */
    void (*after)(OpContext *context);
    struct Store *store; /* opened at first use (ops/context.h); closed by op_context_done */
};

/* Releases what the operation opened. */
void op_context_done(OpContext *context);

/* The table that the program put together, sorted by name. */
const Operation *const *op_table(size_t *ret_count);

/* Checks args against the operation's parameters and fills in defaults: *ret_args is a new object.
 * Values may be JSON of the right type or text (as the command line has them). ERR_INPUT_INVALID
 * names the parameter, what was expected and, for an unknown parameter, the nearest known one. */
bool op_check_args(const Operation *op, const Json *raw, Json **ret_args, Err *err);

/* Checks an answer against a declared shape; the tests hold every real answer against it, and debug
 * builds every answer. ERR_INTERNAL names the member. */
bool op_check_answer(const Field *fields, const Json *answer, Err *err);

#endif
