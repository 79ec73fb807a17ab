/* The way of a place through scripts that are not one transaction.
 *
 * Each part of the way ends with a commit that has its rows of the ledger in it, so that after any
 * crash the place goes on with the first part that is not there. */
#include <string.h>

#include "core/fault.h"
#include "isolation/isolation.h"
#include "rollout/turn.h"

bool plan_read_steps(Arena *arena, RolloutPlan *plan, Err *err)
{
    const size_t count = plan->blueprint->migration_count;
    ScriptSteps *ups = ARENA_ARRAY(arena, ScriptSteps, count);
    ScriptSteps *downs = ARENA_ARRAY(arena, ScriptSteps, count);
    for (size_t i = 0; i < count; i++) {
        const BlueprintMigration *migration = &plan->blueprint->migrations[i];
        if (!steps_of_migration(arena, migration, false, &ups[i], err) ||
            !steps_of_migration(arena, migration, true, &downs[i], err)) {
            return false;
        }
    }
    plan->ups = ups;
    plan->downs = downs;
    return true;
}

/* --- legs ------------------------------------------------------------------------------------- */

static bool check_direction(const Turn *turn, bool is_down, Err *err)
{
    if (!turn->is_between || turn->is_between_down == is_down) {
        return true;
    }
    return ERR_SET(err, ERR_ROLLOUT,
                   "tenantry migrate status shows which; go on in that direction first: no script "
                   "undoes a part of another",
                   "the place stands between two steps on its way %s from version %lld",
                   turn->is_between_down ? "down" : "up", (long long)turn->place.version);
}

/* The migrations of the way up in their order; *ret_step_at is how many there are before the first
 * one that has steps. */
static size_t plain_count(const RolloutPlan *plan, const BlueprintMigration *const *migrations,
                          size_t count, int64_t target)
{
    size_t plain = 0;
    while (plain < count && migrations[plain]->version <= target &&
           plan->ups[migrations[plain] - plan->blueprint->migrations].count == 0) {
        plain++;
    }
    return plain;
}

static void find_up(const Turn *turn, int64_t target, Leg *leg)
{
    const RolloutPlan *plan = turn->plan;
    const BlueprintMigration *const *migrations = NULL;
    size_t count = 0;
    blueprint_select_migrations(turn->arena, plan->blueprint, turn->place.version,
                                plan->extensions.names, plan->extensions.count, &migrations,
                                &count);
    const size_t plain = plain_count(plan, migrations, count, target);
    const bool is_plain = plain == count || migrations[plain]->version > target;
    if (is_plain || plain > 0) {
        leg->target = is_plain ? target : migrations[plain - 1]->version;
        return;
    }
    leg->migration = migrations[0];
    leg->target = migrations[0]->version;
    leg->steps = &plan->ups[migrations[0] - plan->blueprint->migrations];
}

static void find_down(const Turn *turn, int64_t target, Leg *leg)
{
    const RolloutPlan *plan = turn->plan;
    const BlueprintMigration *const *migrations = NULL;
    size_t count = 0;
    blueprint_select_migrations(turn->arena, plan->blueprint, target, plan->extensions.names,
                                plan->extensions.count, &migrations, &count);
    while (count > 0 && migrations[count - 1]->version > turn->place.version) {
        count--;
    }
    size_t plain = count;
    while (plain > 0 &&
           plan->downs[migrations[plain - 1] - plan->blueprint->migrations].count == 0) {
        plain--;
    }
    if (plain == 0 || plain < count) {
        leg->target = plain == 0 ? target : migrations[plain - 1]->version;
        return;
    }
    leg->migration = migrations[count - 1];
    leg->target = leg->migration->version - 1;
    leg->steps = &plan->downs[leg->migration - plan->blueprint->migrations];
}

bool turn_next_leg(Turn *turn, int64_t target, Leg *ret_leg, Err *err)
{
    *ret_leg = (Leg){.is_down = target < turn->place.version};
    if (!check_direction(turn, ret_leg->is_down, err)) {
        return false;
    }
    if (ret_leg->is_down) {
        find_down(turn, target, ret_leg);
    } else {
        find_up(turn, target, ret_leg);
    }
    return true;
}

/* --- a step ----------------------------------------------------------------------------------- */

void turn_add_begun(Turn *turn, PgBatch *batch)
{
    if (!turn->plan->is_undo) {
        store_batch(batch, ROLLOUT_PLACE_BEGUN,
                    PG_PARAMS(pg_int_text(turn->arena, turn->plan->job_id), turn->place.id,
                              pg_int_text(turn->arena, turn->place.version)));
    }
}

static bool end_step(Turn *turn, PgBatch *batch, const PlaceStep *step, Err *err)
{
    const RolloutPlan *plan = turn->plan;
    place_add_step_done(turn->arena, batch, plan->blueprint, &plan->extensions, &turn->place, step);
    turn_add_begun(turn, batch);
    pg_batch_add_commit(batch, false);
    if (!pg_batch_run(turn->store->conn, batch, err)) {
        return false;
    }
    FAULT("rollout.step.done");
    return true;
}

bool rollout_require_shared(Arena *arena, Store *store, const char *place_id, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    return store_query(store, PLACE_JOINER, PG_PARAMS(place_id), &rows, err) &&
           (pg_rows_count(rows) == 0 ||
            isolation_require(arena, store, pg_rows_text(rows, 0, 0), err));
}

bool turn_keep_shared(Turn *turn, Err *err)
{
    return place_ensure_partitions(turn->arena, turn->store, turn->plan->blueprint, &turn->place,
                                   err) &&
           rollout_require_shared(turn->arena, turn->store, turn->place.id, err);
}

static bool run_script(Turn *turn, const PlaceStep *step, Err *err)
{
    const RolloutPlan *plan = turn->plan;
    bool has_more = false;
    scoped_batch PgBatch *batch = pg_batch_new(turn->arena);
    place_add_step(turn->arena, batch, plan->blueprint, &plan->extensions, &turn->place, step,
                   &has_more);
    return (!has_more ||
            (pg_batch_run(turn->store->conn, batch, err) && turn_keep_shared(turn, err))) &&
           end_step(turn, batch, step, err);
}

static bool run_alone(Turn *turn, const PlaceStep *step, bool is_new, Err *err)
{
    scoped_batch PgBatch *batch = pg_batch_new(turn->arena);
    return turn_run_alone(turn, step, is_new, err) && end_step(turn, batch, step, err);
}

/* The first step that is not done, and what is known of it. */
typedef struct NextStep {
    int64_t number;
    int64_t total; /* when the way began; 0: it did not */
    bool is_new;
    const char *last_key;
} NextStep;

static bool find_next(Turn *turn, const Leg *leg, NextStep *ret_next, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(turn->store, STEP_NEWEST,
                     PG_PARAMS(turn->place.id, pg_int_text(turn->arena, leg->migration->version),
                               leg->is_down ? "t" : "f"),
                     &rows, err)) {
        return false;
    }
    *ret_next = (NextStep){.number = 1, .is_new = true};
    if (pg_rows_count(rows) == 0) {
        return true;
    }
    const bool is_done = pg_rows_bool(rows, 0, 1);
    const char *last_key = pg_rows_text(rows, 0, 2);
    *ret_next = (NextStep){
        .number = pg_rows_int(rows, 0, 0) + (is_done ? 1 : 0),
        .total = pg_rows_int(rows, 0, 3),
        .is_new = is_done,
        .last_key = is_done || last_key == NULL ? NULL : arena_strdup(turn->arena, last_key)};
    return true;
}

bool turn_run_step(Turn *turn, const Leg *leg, Err *err)
{
    NextStep next;
    const int64_t total = (int64_t)leg->steps->count;
    if (!find_next(turn, leg, &next, err)) {
        return false;
    }
    /* Another variant would be chosen now, or the program took scripts apart otherwise then. */
    if (next.number > total || (next.total != 0 && next.total != total)) {
        return ERR_SET(err, ERR_ROLLOUT,
                       "an extension of the server may have come or gone since: see "
                       "tenantry.place_steps",
                       "the place stands behind step %lld of %lld of \"%s\", which has %lld now",
                       (long long)next.number - 1, (long long)next.total, leg->migration->file,
                       (long long)total);
    }
    const ScriptStep *step = &leg->steps->list[next.number - 1];
    PlaceStep now = {.migration = leg->migration,
                     .step = step,
                     .number = next.number,
                     .total = total,
                     .is_down = leg->is_down};
    if (now.is_down && !registry_down_sum(turn->arena, now.migration, &now.down_sum, err)) {
        return false;
    }
    switch (step->kind) {
    case STEP_ALONE:
        return run_alone(turn, &now, next.is_new, err);
    case STEP_BACKFILL:
        return turn_run_batch(turn, &now, next.last_key, err);
    case STEP_SCRIPT:
        break;
    }
    return run_script(turn, &now, err);
}
