/* The statements that the rules look at: those of a script, and those in its DO blocks. */
#include <string.h>

#include "blueprint/lint.h"

enum { STATEMENTS_START = 16 };

LintStatement *lint_script_add(Arena *arena, LintScript *script)
{
    if (script->count == script->capacity) {
        script->capacity = script->capacity == 0 ? STATEMENTS_START : script->capacity * 2;
        LintStatement *grown = ARENA_ARRAY(arena, LintStatement, script->capacity);
        for (size_t i = 0; i < script->count; i++) {
            grown[i] = script->statements[i];
        }
        script->statements = grown;
    }
    return &script->statements[script->count++];
}

bool lint_script_parse(Arena *arena, const char *file, const char *text, LintScript *ret_script,
                       Err *err)
{
    SqlScript parsed;
    LintScript script = {0};
    if (!sql_script_parse(arena, file, text, ERR_BLUEPRINT_INVALID, &parsed, err)) {
        return false;
    }
    script.roots = json_array();
    json_array_append_new(script.roots, parsed.root);
    for (size_t i = 0; i < parsed.count; i++) {
        *lint_script_add(arena, &script) = (LintStatement){.sql = parsed.statements[i],
                                                           .outer_line = parsed.statements[i].line};
        if (strcmp(parsed.statements[i].node, "DoStmt") == 0) {
            lint_script_add_body(arena, &script, text, &parsed.statements[i]);
        }
    }
    *ret_script = script;
    return true;
}

void lint_script_done(LintScript *script)
{
    json_decref(script->roots);
    *script = (LintScript){0};
}
