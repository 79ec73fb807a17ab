/* One batch of a backfill. */
#include "blueprint/backfill.h"
#include "core/clock.h"
#include "core/fault.h"
#include "rollout/turn.h"

/* Where the batch says how far it came. */
static const char setting[] = "tenantry.backfill";

typedef struct Batch {
    const char *last; /* NULL: no rows were left */
    int64_t rows;
} Batch;

/* The tenant's code can have written anything there; what it says is a parameter from here on. */
static bool read_answer(Arena *arena, const char *text, Batch *ret_batch, Err *err)
{
    scoped_json Json *answer = NULL;
    if (!json_parse(text == NULL ? "" : text, "the answer of a backfill", &answer, err)) {
        return false;
    }
    const char *last = json_get_text(answer, "key", NULL);
    *ret_batch = (Batch){.last = last == NULL ? NULL : arena_strdup(arena, last),
                         .rows = json_get_int(answer, "rows", 0)};
    return true;
}

static bool change_rows(Turn *turn, const PlaceStep *step, const char *last, Batch *ret_batch,
                        Err *err)
{
    Arena *arena = turn->arena;
    const BlueprintBackfill *backfill = step->migration->backfill;
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    place_enter_owner(batch, &turn->place,
                      place_search_path(arena, &turn->plan->extensions, &turn->place));
    pg_batch_add_at(batch, step->migration->file,
                    backfill_batch_sql(arena, backfill, turn->place.schema_name, last),
                    PG_NO_PARAMS);
    const size_t answer = place_leave_role_asking(batch, setting);
    return pg_batch_run(turn->store->conn, batch, err) &&
           read_answer(arena, pg_rows_text(pg_batch_rows(batch, answer), 0, 0), ret_batch, err);
}

bool turn_run_batch(Turn *turn, const PlaceStep *step, const char *last, Err *err)
{
    Batch done;
    Arena *arena = turn->arena;
    const RolloutPlan *plan = turn->plan;
    const BlueprintBackfill *backfill = step->migration->backfill;
    if (!change_rows(turn, step, last, &done, err)) {
        return false;
    }
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    store_batch(batch, STEP_BATCH,
                PG_PARAMS(turn->place.id, pg_int_text(arena, step->migration->version), "f",
                          pg_int_text(arena, step->number), pg_int_text(arena, step->total),
                          step->step->what, done.last == NULL ? "done" : "started", done.last,
                          pg_int_text(arena, done.rows), turn->place.schema_name, backfill->table));
    if (done.last == NULL) {
        place_add_step_end(arena, batch, plan->blueprint, &plan->extensions, &turn->place, step);
    }
    turn_add_begun(turn, batch);
    pg_batch_add_commit(batch, false);
    FAULT("rollout.batch.made");
    if (!pg_batch_run(turn->store->conn, batch, err)) {
        return false;
    }
    FAULT("rollout.batch.done");
    if (done.last != NULL && backfill->pause_ms > 0) {
        clock_sleep_ms(backfill->pause_ms);
    }
    return true;
}
