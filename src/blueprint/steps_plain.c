/* Scripts without CONCURRENTLY, for places that nobody uses yet. */
#include "blueprint/adapt.h"
#include "blueprint/steps.h"

static bool make_plain(Arena *arena, const char *file, const char **text, bool *is_changed,
                       Err *err)
{
    SqlScript script;
    SqlEdits edits = {.arena = arena, .text = *text};
    if (*text == NULL ||
        (!steps_may_have(*text, "concurrently") && !steps_may_have(*text, "vacuum"))) {
        return true;
    }
    if (!sql_script_parse(arena, file, *text, ERR_BLUEPRINT_INVALID, &script, err)) {
        return false;
    }
    for (size_t i = 0; i < script.count; i++) {
        Alone alone = {0};
        if (alone_judge(&script.statements[i], &alone) != ALONE_YES) {
            continue;
        }
        if (alone.kind == ALONE_VACUUM || alone.kind == ALONE_REINDEX) {
            sql_edit_leave_out(&edits, &script.statements[i]);
        } else {
            adapt_leave_out_concurrently(&edits, &script.statements[i]);
        }
        *is_changed = true;
    }
    sql_script_done(&script);
    *text = sql_edit_apply(&edits);
    return true;
}

bool steps_make_plain(Arena *arena, const Blueprint *blueprint, const Blueprint **ret_plain,
                      Err *err)
{
    const size_t count = blueprint->migration_count;
    BlueprintMigration *migrations = ARENA_ARRAY(arena, BlueprintMigration, count);
    bool is_changed = false;
    for (size_t i = 0; i < count; i++) {
        migrations[i] = blueprint->migrations[i];
        if (!make_plain(arena, migrations[i].file, &migrations[i].up, &is_changed, err) ||
            !make_plain(arena, migrations[i].file, &migrations[i].down, &is_changed, err)) {
            return false;
        }
    }
    *ret_plain = blueprint;
    if (is_changed) {
        Blueprint *plain = ARENA_NEW(arena, Blueprint);
        *plain = *blueprint;
        plain->migrations = migrations;
        *ret_plain = plain;
    }
    return true;
}
