/* Log lines for operators: one JSON object per line on standard error. A function logs or returns
 * an error, never both. Secrets and SQL text are never logged. */
#ifndef TENANTRY_CORE_LOG_H
#define TENANTRY_CORE_LOG_H

#include <stdint.h>

typedef enum LogLevel { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG } LogLevel;

/* Lines above this level are dropped; the default is LOG_LEVEL_WARN. Set once at the start. */
void log_set_level(LogLevel level);

/* Written before each line, where a progress bar may stand in its way: what takes that away. Not
 * copied; none is the default. Set once at the start. */
void log_set_eraser(const char *eraser);

/* Writes {"at":...,"level":...,"event":event,"message":...}; event is a fixed dotted word such as
 * "job.retry". */
void log_write(LogLevel level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
