#include "cli/report.h"

#include <string.h>
#include <unistd.h>

#include "cli/catalog.h"
#include "cli/screen.h"
#include "core/json.h"
#include "core/text.h"

#define RED "\033[31m"
#define CYAN "\033[36m"
#define RESET "\033[0m"

bool report_has_colour(FILE *out, const char *color, const char *(*environ_get)(const char *name))
{
    if (strcmp(color, "auto") != 0) {
        return strcmp(color, "always") == 0;
    }
    const char *no_color = environ_get("NO_COLOR");
    const char *term = environ_get("TERM");
    const bool is_refused = no_color != NULL && *no_color != '\0';
    const bool is_dumb = term == NULL || *term == '\0' || strcmp(term, "dumb") == 0;
    return !is_refused && !is_dumb && isatty(fileno(out)) == 1;
}

static void put_text_or_null(Arena *arena, Json *object, const char *key, const char *text)
{
    const bool is_utf8 = text_is_utf8(text, strlen(text), NULL);
    const char *valid = is_utf8 ? text : screen_safe(arena, text);
    json_put_text(object, key, *text == '\0' ? NULL : valid);
}

static void write_json(FILE *out, Arena *arena, const Err *err)
{
    scoped_json Json *reply = json_object();
    Json *error = json_object();
    json_put_text(error, "code", err_kind(err->code)->wire);
    put_text_or_null(arena, error, "message", err->message);
    put_text_or_null(arena, error, "hint", err->hint);
    put_text_or_null(arena, error, "sqlstate", err->sqlstate);
    json_put(reply, "error", error);
    fprintf(out, "%s\n", json_to_text(arena, reply));
}

/* A message may quote the log of a server, which has lines: each is made safe by itself and stands
 * under the first. */
static void write_lines(FILE *out, Arena *arena, const char *text)
{
    const char *margin = "";
    for (char *rest = arena_strdup(arena, text), *line = NULL; (line = strsep(&rest, "\n")) != NULL;
         margin = "  ") {
        fprintf(out, "%s%s\n", margin, screen_safe(arena, line));
    }
}

int report_error(FILE *out, const ReportStyle *style, const Err *err)
{
    scoped_arena Arena *arena = arena_new();
    const int exit_status = err_kind(err->code)->exit_status;
    if (style->is_json) {
        write_json(out, arena, err);
        return exit_status;
    }
    const char *reset = style->has_colour ? RESET : "";
    fprintf(out, "%s%s:%s ", style->has_colour ? RED : "", CLI_PROGRAM, reset);
    write_lines(out, arena, err->message);
    if (*err->hint != '\0') {
        fprintf(out, "%shint:%s ", style->has_colour ? CYAN : "", reset);
        write_lines(out, arena, err->hint);
    }
    return exit_status;
}
