#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "core/clock.h"
#include "core/json.h"

static LogLevel max_level = LOG_LEVEL_WARN;
static const char *line_eraser = "";

void log_set_level(LogLevel level)
{
    max_level = level;
}

void log_set_eraser(const char *eraser)
{
    line_eraser = eraser;
}

void log_write(LogLevel level, const char *event, const char *format, ...)
{
    if (level > max_level) {
        return;
    }
    static const char *const names[] = {"error", "warn", "info", "debug"};
    scoped_arena Arena *arena = arena_new();
    va_list args;
    va_start(args, format);
    const char *message = arena_vprintf(arena, format, args);
    va_end(args);
    const int64_t now_us = clock_wall_us();
    const time_t seconds = now_us / 1000000;
    struct tm utc;
    char at[40];
    gmtime_r(&seconds, &utc);
    const size_t length = strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(at + length, sizeof at - length, ".%03dZ", (int)(now_us / 1000 % 1000));
    scoped_json Json *line = json_object();
    json_put_text(line, "at", at);
    json_put_text(line, "level", names[level]);
    json_put_text(line, "event", event);
    Json *text = json_string(message); /* NULL when a library put bytes in it that are not UTF-8 */
    json_put(line, "message", text != NULL ? text : json_string("(message is not UTF-8)"));
    fprintf(stderr, "%s%s\n", line_eraser, json_to_text(arena, line));
}
