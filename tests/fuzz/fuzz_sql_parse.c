/* SQL scripts: what parses gives statements that are parts of the text, in order of lines, and that
 * parse to the same node on their own. */
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "fuzz.h"
#include "pg/sql_parse.h"

static bool on_node(void *context, const Json *value)
{
    (void)context;
    return value != NULL;
}

static void check_statement(Arena *arena, const SqlStatement *statement)
{
    SqlScript alone;
    Err err;
    if (!sql_script_parse(arena, "alone", statement->text, ERR_BLUEPRINT_INVALID, &alone, &err) ||
        alone.count != 1 || strcmp(alone.statements[0].node, statement->node) != 0) {
        abort();
    }
    sql_script_done(&alone);
    sql_tree_visit(statement->tree, "RangeVar", on_node, NULL);
}

/* What only splits finds the same statements. */
static void check_split(Arena *arena, const char *text, const SqlScript *script)
{
    SqlScript split;
    Err err;
    if (!sql_script_split(arena, "fuzz", text, ERR_BLUEPRINT_INVALID, &split, &err) ||
        split.count != script->count) {
        abort();
    }
    for (size_t i = 0; i < split.count; i++) {
        if (strcmp(split.statements[i].text, script->statements[i].text) != 0 ||
            split.statements[i].line != script->statements[i].line) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_arena Arena *arena = arena_new();
    const char *text = arena_strndup(arena, (const char *)data, size);
    if (!text_is_utf8(text, strlen(text), NULL)) {
        return 0; /* its callers check that */
    }
    SqlScript script;
    Err err = {0};
    if (!sql_script_parse(arena, "fuzz", text, ERR_BLUEPRINT_INVALID, &script, &err)) {
        if (err.code != ERR_BLUEPRINT_INVALID) {
            abort();
        }
        return 0;
    }
    for (size_t i = 0; i < script.count; i++) {
        if (strstr(text, script.statements[i].text) == NULL ||
            (i > 0 && script.statements[i].line < script.statements[i - 1].line)) {
            abort();
        }
        check_statement(arena, &script.statements[i]);
    }
    check_split(arena, text, &script);
    sql_script_done(&script);
    return 0;
}
