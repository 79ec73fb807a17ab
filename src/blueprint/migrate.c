/* Bringing a place from one version of its blueprint to another. */
#include <string.h>

#include "blueprint/amend.h"
#include "blueprint/inert.h"
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

static void add_migrated(Arena *arena, PgBatch *batch, const Place *place,
                         const BlueprintMigration *migration)
{
    store_batch(batch, PLACE_MIGRATED,
                PG_PARAMS(place->id, pg_int_text(arena, migration->version), migration->name,
                          migration->sha256));
}

void place_add_ledger(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                      const Extensions *extensions, const Place *place, VersionRange range)
{
    const BlueprintMigration *const *migrations = NULL;
    size_t count = 0;
    blueprint_select_migrations(arena, blueprint, range.after, extensions->names, extensions->count,
                                &migrations, &count);
    for (size_t i = 0; i < count && migrations[i]->version <= range.upto; i++) {
        add_migrated(arena, batch, place, migrations[i]);
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

/* The scripts that a place runs on a way, in that order. Which variant is taken from the extensions
 * that are there now, on the way down too. */
static void select_scripts(Arena *arena, const Blueprint *blueprint, const Extensions *extensions,
                           const PlaceWay *way, const BlueprintMigration ***ret_migrations,
                           size_t *ret_count)
{
    const bool is_down = way->to < way->from;
    const BlueprintMigration *const *migrations = NULL;
    size_t count = 0;
    blueprint_select_migrations(arena, blueprint, is_down ? way->to : way->from, extensions->names,
                                extensions->count, &migrations, &count);
    while (count > 0 && migrations[count - 1]->version > (is_down ? way->from : way->to)) {
        count--;
    }
    const BlueprintMigration **ordered = ARENA_ARRAY(arena, const BlueprintMigration *, count);
    for (size_t i = 0; i < count; i++) {
        ordered[i] = migrations[is_down ? count - 1 - i : i];
    }
    *ret_migrations = ordered;
    *ret_count = count;
}

bool place_read_way(Arena *arena, const Blueprint *blueprint, const Extensions *extensions,
                    int64_t from, int64_t to, PlaceWay *ret_way, Err *err)
{
    PlaceWay way = {.from = from, .to = to, .is_inert = true};
    const bool is_down = to < from;
    const BlueprintMigration **migrations = NULL;
    if (is_down && !place_check_way_back(blueprint, to, from, err)) {
        return false;
    }
    select_scripts(arena, blueprint, extensions, &way, &migrations, &way.count);
    SqlScript *scripts = ARENA_ARRAY(arena, SqlScript, way.count);
    way.down_sums = ARENA_ARRAY(arena, const char *, way.count);
    for (size_t i = 0; i < way.count; i++) {
        const char *file = is_down ? arena_printf(arena, "%s, down", migrations[i]->file)
                                   : migrations[i]->file;
        const char *text = is_down ? migrations[i]->down : migrations[i]->up;
        if (!sql_script_split(arena, file, text, ERR_BLUEPRINT_INVALID, &scripts[i], err) ||
            (is_down && !registry_down_sum(arena, migrations[i], &way.down_sums[i], err))) {
            return false;
        }
        way.has_amends = way.has_amends || amends_follow_script(&scripts[i]);
        way.is_inert = way.is_inert && !way.has_amends &&
                       script_force(arena, text) != SCRIPT_ACTIVE;
    }
    way.scripts = scripts;
    *ret_way = way;
    return true;
}

static bool is_shared(const Place *place)
{
    return strcmp(place->tier, tier_name(TIER_ROW)) == 0;
}

static void add_scripts(Arena *arena, PgBatch *batch, const PlaceWay *way)
{
    for (size_t i = 0; i < way->count; i++) {
        place_add_statements(arena, batch, &way->scripts[i]);
    }
}

/* The registry's rows but the last migration's, which is returned. */
static const BlueprintMigration *add_rows(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                                          const Extensions *extensions, const Place *place,
                                          const PlaceWay *way)
{
    const BlueprintMigration **migrations = NULL;
    size_t count = 0;
    select_scripts(arena, blueprint, extensions, way, &migrations, &count);
    if (way->to < way->from) {
        for (size_t i = 0; i < count; i++) {
            registry_add_down_ran(arena, batch, blueprint, migrations[i], way->down_sums[i]);
        }
        store_batch(batch, PLACE_UNMIGRATED, PG_PARAMS(place->id, pg_int_text(arena, way->to)));
        return NULL;
    }
    for (size_t i = 0; i + 1 < count; i++) {
        add_migrated(arena, batch, place, migrations[i]);
    }
    return count == 0 ? NULL : migrations[count - 1];
}

const BlueprintMigration *place_add_way(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                                        const Extensions *extensions, const Place *place,
                                        const PlaceWay *way, bool is_quiet)
{
    const char *path = place_search_path(arena, extensions, place);
    if (is_quiet && way->is_inert) {
        place_enter_inert(arena, batch, place, path);
        add_scripts(arena, batch, way);
        place_leave_inert(batch);
    } else {
        place_enter_owner(batch, place, path);
        add_scripts(arena, batch, way);
        if (way->has_amends && !is_shared(place)) {
            place_add_amends(arena, batch, blueprint, place);
        }
        place_leave_role(batch);
    }
    return add_rows(arena, batch, blueprint, extensions, place, way);
}

void place_add_move(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                    const Extensions *extensions, const Place *place, const PlaceWay *way,
                    bool *ret_has_more)
{
    const BlueprintMigration *last = place_add_way(arena, batch, blueprint, extensions, place, way,
                                                   false);
    *ret_has_more = is_shared(place);
    if (last != NULL) {
        add_migrated(arena, batch, place, last);
    }
    store_batch(batch, PLACE_SET_VERSION, PG_PARAMS(place->id, pg_int_text(arena, way->to)));
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
    *ret_has_more = is_shared(place);
    place_enter_owner(batch, place, place_search_path(arena, extensions, place));
    place_add_statements(arena, batch,
                         &(SqlScript){.file = file,
                                      .count = step->step->count,
                                      .statements = step->step->statements});
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
    if (step->is_down) {
        registry_add_down_ran(arena, batch, blueprint, step->migration, step->down_sum);
    }
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
