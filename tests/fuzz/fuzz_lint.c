/* One migration, linted alone: what parses is linted, and findings and comments are in the text. */
#include <stdlib.h>
#include <string.h>

#include "blueprint/blueprint.h"
#include "core/text.h"
#include "fuzz.h"
#include "pg/sql_parse.h"

typedef struct Walk {
    const char *at; /* behind the last comment */
    int line;
} Walk;

static void on_comment(void *context, const char *comment, size_t length, int line)
{
    Walk *walk = context;
    if (comment < walk->at || length < 2 || strnlen(comment, length) != length ||
        line < walk->line) {
        abort();
    }
    *walk = (Walk){.at = comment + length, .line = line};
}

static int count_lines(const char *text)
{
    int lines = 1;
    for (; *text != '\0'; text++) {
        lines += *text == '\n' ? 1 : 0;
    }
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_arena Arena *arena = arena_new();
    const char *text = arena_strndup(arena, (const char *)data, size);
    const LintFinding *findings = NULL;
    size_t count = 0;
    Err err = {0};
    if (!text_is_utf8(text, strlen(text), NULL)) {
        return 0; /* its callers check that */
    }
    Walk walk = {.at = text, .line = 1};
    sql_comments_visit(text, on_comment, &walk);
    if (!blueprint_lint_file(arena, "fuzz", text, &findings, &count, &err)) {
        if (err.code != ERR_BLUEPRINT_INVALID) {
            abort();
        }
        return 0;
    }
    const int lines = count_lines(text);
    for (size_t i = 0; i < count; i++) {
        if (findings[i].line < 1 || findings[i].line > lines || findings[i].rule == NULL) {
            abort();
        }
    }
    return 0;
}
