#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const ErrKind kinds[ERR_COUNT_] = {
    [ERR_NONE] = {"ERR_NONE", "none", 200, 0, false, "no error"},
#define ERR(symbol, wire, http, exit_status, retryable, meaning)                                   \
    [symbol] = {#symbol, wire, http, exit_status, retryable, meaning},
#include "core/errors.def"
#undef ERR
};

const ErrKind *err_kind(ErrCode code)
{
    return &kinds[code < ERR_COUNT_ ? code : ERR_INTERNAL];
}

ErrCode err_code_from_wire(const char *wire)
{
    for (int code = 1; code < ERR_COUNT_; code++) {
        if (strcmp(kinds[code].wire, wire) == 0) {
            return (ErrCode)code;
        }
    }
    return ERR_NONE;
}

/* Formats into a fixed buffer; a text that does not fit ends in "..." on a whole UTF-8 character.
 */
__attribute__((format(printf, 3, 0))) static void format_bounded(char *buffer, size_t size,
                                                                 const char *format, va_list args)
{
    const int length = vsnprintf(buffer, size, format, args);
    if (length >= 0 && (size_t)length >= size) {
        size_t end = size - 4;
        while (end > 0 && ((unsigned char)buffer[end] & 0xC0U) == 0x80U) {
            end--;
        }
        memcpy(buffer + end, "...", 4);
    }
}

bool err_set(Err *err, const char *where, ErrCode code, const char *hint, const char *format, ...)
{
    Err filled = {.code = code, .where = where};
    va_list args;
    va_start(args, format);
    format_bounded(filled.message, sizeof filled.message, format, args);
    va_end(args);
    if (hint != NULL) {
        snprintf(filled.hint, sizeof filled.hint, "%s", hint);
    }
    *err = filled;
    return false;
}

void err_hint(Err *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_bounded(err->hint, sizeof err->hint, format, args);
    va_end(args);
}

void err_add(Err *err, const char *format, ...)
{
    char message[ERR_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    format_bounded(message, sizeof message, format, args);
    va_end(args);
    Err whole = *err;
    err_set(&whole, err->where, err->code, NULL, "%s%s", err->message, message);
    memcpy(err->message, whole.message, sizeof err->message);
}

bool err_prefix(Err *err, const char *format, ...)
{
    char prefix[ERR_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    format_bounded(prefix, sizeof prefix, format, args);
    va_end(args);
    char message[ERR_MESSAGE_SIZE];
    memcpy(message, err->message, sizeof message);
    const int length = snprintf(err->message, sizeof err->message, "%s: %s", prefix, message);
    if (length >= (int)sizeof err->message) {
        memcpy(err->message + sizeof err->message - 4, "...", 4);
    }
    return false;
}
