/* Errors as values.
 *
 * A fallible function returns bool and takes Err *err last. On false it has filled err exactly
 * once, with ERR_SET or by passing on what a callee filled; on true it has left err alone. An Err
 * owns nothing and can be copied.
 *
 * Message: lower case, no full stop, names the thing in quotes, says what was expected. Hint: one
 * sentence that an operator can act on, or "". Neither holds SQL text or secrets. */
#ifndef TENANTRY_CORE_ERR_H
#define TENANTRY_CORE_ERR_H

#include <stdbool.h>

typedef enum ErrCode {
    ERR_NONE = 0,
#define ERR(symbol, wire, http, exit_status, retryable, meaning) symbol,
#include "core/errors.def"
#undef ERR
    ERR_COUNT_
} ErrCode;

enum { ERR_MESSAGE_SIZE = 512, ERR_HINT_SIZE = 512 };

typedef struct Err {
    ErrCode code;
    char sqlstate[6];  /* "" when PostgreSQL was not involved */
    const char *where; /* "file:line" of the call that failed; static storage */
    char message[ERR_MESSAGE_SIZE];
    char hint[ERR_HINT_SIZE];
} Err;

/* One row of errors.def. */
typedef struct ErrKind {
    const char *symbol;
    const char *wire;
    int http_status;
    int exit_status;
    bool is_retryable;
    const char *meaning;
} ErrKind;

/* The row of a code; ERR_NONE gives the wire name "none" and exit status 0. Never NULL. */
const ErrKind *err_kind(ErrCode code);

/* The code whose wire name this is, or ERR_NONE. */
ErrCode err_code_from_wire(const char *wire);

/* Fills err and returns false, so that a caller can `return ERR_SET(...)`. Text that does not fit
 * ends in "...". hint may be NULL. Any thread; does not block. */
bool err_set(Err *err, const char *where, ErrCode code, const char *hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Replaces the hint of an error that is already set (printf format). */
void err_hint(Err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts more behind the message of an error that is already set. */
void err_add(Err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the message of an error that is already set, for the caller that knows the
 * context. Returns false, so that a caller can `return err_prefix(...)`. */
bool err_prefix(Err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* False, and inline, so that compilers and analyzers see what `return ERR_SET(...)` returns. */
static inline bool err_is_set(bool always_false)
{
    (void)always_false;
    return false;
}

#define ERR_LINE_TEXT_(line) #line
#define ERR_LINE_TEXT(line) ERR_LINE_TEXT_(line)
#define ERR_WHERE __FILE__ ":" ERR_LINE_TEXT(__LINE__)

/* ERR_SET(err, ERR_SLUG_TAKEN, "choose another slug", "slug \"%s\" is taken", slug) */
#define ERR_SET(err, code, hint, ...)                                                              \
    err_is_set(err_set((err), ERR_WHERE, (code), (hint), __VA_ARGS__))

#endif
