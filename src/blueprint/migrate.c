/* Bringing a place from one version of its blueprint to another. */
#include <string.h>

#include "blueprint/amend.h"
#include "blueprint/place_parts.h"

bool place_add_migrations(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                          const Extensions *extensions, VersionRange range, bool *ret_has_variant,
                          Err *err)
{
    const BlueprintMigration *const *migrations = NULL;
    size_t count = 0;
    blueprint_select_migrations(arena, blueprint, range.after, extensions->names, extensions->count,
                                &migrations, &count);
    *ret_has_variant = false;
    for (size_t i = 0; i < count && migrations[i]->version <= range.upto; i++) {
        *ret_has_variant = *ret_has_variant || migrations[i]->extension != NULL;
        if (!place_add_script(arena, batch, migrations[i]->file, migrations[i]->up, err)) {
            return false;
        }
    }
    return true;
}

void place_add_ledger(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                      const Extensions *extensions, const Place *place, VersionRange range)
{
    const BlueprintMigration *const *migrations = NULL;
    size_t count = 0;
    blueprint_select_migrations(arena, blueprint, range.after, extensions->names, extensions->count,
                                &migrations, &count);
    for (size_t i = 0; i < count && migrations[i]->version <= range.upto; i++) {
        store_batch(batch, PLACE_MIGRATED,
                    PG_PARAMS(place->id, pg_int_text(arena, migrations[i]->version),
                              migrations[i]->name, migrations[i]->sha256));
    }
}

bool place_check_way_back(const Blueprint *blueprint, int64_t after, int64_t upto, Err *err)
{
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        const BlueprintMigration *migration = &blueprint->migrations[i];
        if (migration->version > after && migration->version <= upto && migration->down == NULL) {
            return ERR_SET(err, ERR_NO_WAY_BACK, "write it, or go on with a migration that mends",
                           "blueprint \"%s\": \"%s\" has no down script, so there is no way back "
                           "before version %lld",
                           blueprint->name, migration->file, (long long)migration->version);
        }
    }
    return true;
}

/* The newest first. Which variant ran is taken from the extensions that are there now. */
static bool add_downs(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                      const Extensions *extensions, VersionRange range, Err *err)
{
    const BlueprintMigration *const *migrations = NULL;
    size_t count = 0;
    if (!place_check_way_back(blueprint, range.after, range.upto, err)) {
        return false;
    }
    blueprint_select_migrations(arena, blueprint, range.after, extensions->names, extensions->count,
                                &migrations, &count);
    for (size_t i = count; i > 0; i--) {
        const BlueprintMigration *migration = migrations[i - 1];
        if (migration->version > range.upto) {
            continue;
        }
        if (!place_add_script(arena, batch, arena_printf(arena, "%s, down", migration->file),
                              migration->down, err)) {
            return false;
        }
    }
    return true;
}

static bool range_has_amends(Arena *arena, const Blueprint *blueprint, VersionRange range,
                             bool is_down)
{
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        const BlueprintMigration *migration = &blueprint->migrations[i];
        const char *script = is_down ? migration->down : migration->up;
        if (migration->version > range.after && migration->version <= range.upto &&
            script != NULL && amends_follow(arena, script)) {
            return true;
        }
    }
    return false;
}

bool place_add_move(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                    const Extensions *extensions, const Place *place, int64_t target,
                    bool *ret_has_more, Err *err)
{
    const bool is_down = target < place->version;
    const bool is_row = strcmp(place->tier, tier_name(TIER_ROW)) == 0;
    const VersionRange range = is_down ? (VersionRange){.after = target, .upto = place->version}
                                       : (VersionRange){.after = place->version, .upto = target};
    bool has_variant = false;
    place_enter_owner(batch, place, place_search_path(arena, extensions, place));
    const bool is_added = is_down ? add_downs(arena, batch, blueprint, extensions, range, err)
                                  : place_add_migrations(arena, batch, blueprint, extensions, range,
                                                         &has_variant, err);
    if (!is_added) {
        return false;
    }
    if (!is_row && range_has_amends(arena, blueprint, range, is_down)) {
        place_add_amends(arena, batch, blueprint, place);
    }
    place_leave_role(batch);
    if (is_down) {
        store_batch(batch, PLACE_UNMIGRATED, PG_PARAMS(place->id, pg_int_text(arena, target)));
    } else {
        place_add_ledger(arena, batch, blueprint, extensions, place, range);
    }
    store_batch(batch, PLACE_SET_VERSION, PG_PARAMS(place->id, pg_int_text(arena, target)));
    *ret_has_more = is_row;
    return true;
}

/* --- steps ------------------------------------------------------------------------------------ */

const char *place_step_file(Arena *arena, const PlaceStep *step)
{
    return step->is_down ? arena_printf(arena, "%s, down", step->migration->file)
                         : step->migration->file;
}

void place_add_step(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                    const Extensions *extensions, const Place *place, const PlaceStep *step,
                    bool *ret_has_more)
{
    const char *file = place_step_file(arena, step);
    *ret_has_more = strcmp(place->tier, tier_name(TIER_ROW)) == 0;
    place_enter_owner(batch, place, place_search_path(arena, extensions, place));
    for (size_t i = 0; i < step->step->count; i++) {
        const SqlStatement *statement = &step->step->statements[i];
        pg_batch_add_at(batch, sql_statement_place(arena, file, statement), statement->text,
                        PG_NO_PARAMS);
    }
    if (!*ret_has_more && step->step->has_amends) {
        place_add_amends(arena, batch, blueprint, place);
    }
    place_leave_role(batch);
}

void place_add_step_done(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                         const Extensions *extensions, const Place *place, const PlaceStep *step)
{
    store_batch(batch, STEP_DONE,
                PG_PARAMS(place->id, pg_int_text(arena, step->migration->version),
                          step->is_down ? "t" : "f", pg_int_text(arena, step->number),
                          pg_int_text(arena, step->total), step->step->what));
    place_add_step_end(arena, batch, blueprint, extensions, place, step);
}

void place_add_step_end(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                        const Extensions *extensions, const Place *place, const PlaceStep *step)
{
    const int64_t version = step->migration->version;
    const int64_t reached = step->is_down ? version - 1 : version;
    if (step->number < step->total) {
        return;
    }
    if (step->is_down) {
        store_batch(batch, PLACE_UNMIGRATED, PG_PARAMS(place->id, pg_int_text(arena, reached)));
    } else {
        place_add_ledger(arena, batch, blueprint, extensions, place,
                         (VersionRange){.after = version - 1, .upto = version});
    }
    store_batch(batch, PLACE_SET_VERSION, PG_PARAMS(place->id, pg_int_text(arena, reached)));
}
