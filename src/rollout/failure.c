/* What is recorded of a place that failed. Which statement it was is told by the error's message
 * alone: it begins with the place that the statement had in its batch (pg/batch.h), whichever way
 * the statement was run. */
#include <string.h>

#include "rollout/rollout_parts.h"

enum { STATEMENT_BYTES = 4000 };

/* Not cut in the middle of a character. */
static const char *shorten(Arena *arena, const char *text)
{
    size_t length = strnlen(text, STATEMENT_BYTES);
    if (text[length] == '\0') {
        return text;
    }
    while (length > 0 && ((unsigned char)text[length] & 0xC0U) == 0x80U) {
        length--;
    }
    return arena_printf(arena, "%.*s...", (int)length, text);
}

static bool is_about(const char *message, const char *place)
{
    const size_t length = strlen(place);
    return strncmp(message, place, length) == 0 &&
           strncmp(message + length, ": ", strlen(": ")) == 0;
}

/* The text is NULL where there is no such script. */
static bool put_statement(Arena *arena, const char *file, const char *text, const char *message,
                          Json *failure)
{
    Err ignored;
    SqlScript script;
    if (text == NULL || strncmp(message, file, strlen(file)) != 0 ||
        !sql_script_split(arena, file, text, ERR_BLUEPRINT_INVALID, &script, &ignored)) {
        return false;
    }
    for (size_t i = 0; i < script.count; i++) {
        const SqlStatement *statement = &script.statements[i];
        if (is_about(message, sql_statement_place(arena, file, statement))) {
            json_put_text(failure, "file", file);
            json_put_int(failure, "line", statement->line);
            json_put_int(failure, "column", statement->column);
            json_put_text(failure, "statement", shorten(arena, statement->text));
            return true;
        }
    }
    return false;
}

static bool put_backfill(Arena *arena, const BlueprintMigration *migration, const char *message,
                         Json *failure)
{
    if (migration->backfill == NULL || !is_about(message, migration->file)) {
        return false;
    }
    json_put_text(failure, "file", migration->file);
    json_put_text(failure, "statement", shorten(arena, migration->backfill->statement));
    return true;
}

Json *failure_to_json(Arena *arena, const Blueprint *blueprint, const Err *why)
{
    Json *failure = json_object();
    bool is_found = false;
    json_put_text(failure, "code", err_kind(why->code)->wire);
    json_put_text(failure, "message", why->message);
    json_put_text(failure, "hint", *why->hint != '\0' ? why->hint : NULL);
    json_put_text(failure, "sqlstate", *why->sqlstate != '\0' ? why->sqlstate : NULL);
    for (size_t i = 0; i < blueprint->migration_count && !is_found; i++) {
        const BlueprintMigration *migration = &blueprint->migrations[i];
        const PlaceStep down = {.migration = migration, .is_down = true};
        is_found = put_backfill(arena, migration, why->message, failure) ||
                   put_statement(arena, migration->file, migration->up, why->message, failure) ||
                   put_statement(arena, place_step_file(arena, &down), migration->down,
                                 why->message, failure);
    }
    return failure;
}
