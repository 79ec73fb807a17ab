#include <string.h>

#include "core/clock.h"
#include "core/fault.h"
#include "core/log.h"
#include "rollout/rollout_parts.h"

enum { FIRST_PAUSE_MS = 50, LONGEST_PAUSE_MS = 2000, PAUSE_DOUBLINGS = 5 };

/* One place, while it is this worker's. */
typedef struct Turn {
    Arena *arena;
    Store *store;
    const RolloutPlan *plan;
    int64_t attempt;
    const char *place_id; /* NULL: none was taken yet */
    Place place;
    int64_t from_version;
} Turn;

/* --- taking one ------------------------------------------------------------------------------- */

static void take_row(Turn *turn, const PgRows *rows)
{
    Arena *arena = turn->arena;
    turn->place_id = arena_strdup(arena, pg_rows_text(rows, 0, 0));
    turn->from_version = pg_rows_int(rows, 0, 1);
    turn->place = (Place){.id = turn->place_id,
                          .version = pg_rows_int(rows, 0, 2),
                          .schema_name = arena_strdup(arena, pg_rows_text(rows, 0, 3)),
                          .owner_role = arena_strdup(arena, pg_rows_text(rows, 0, 4)),
                          .app_role = arena_strdup(arena, pg_rows_text(rows, 0, 5)),
                          .readonly_role = arena_strdup(arena, pg_rows_text(rows, 0, 6)),
                          .blueprint = turn->plan->blueprint->name,
                          .tier = arena_strdup(arena, pg_rows_text(rows, 0, 7))};
}

/* Begins the transaction and takes a place that no other worker has; the same one again when it is
 * tried again. */
static bool begin(Turn *turn, int64_t wave, bool *ret_is_taken, Err *err)
{
    Arena *arena = turn->arena;
    const RolloutPlan *plan = turn->plan;
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    pg_batch_add(batch, "BEGIN", PG_NO_PARAMS);
    pg_batch_add_fixed(batch,
                       "SELECT set_config('lock_timeout', $1, true),"
                       " set_config('statement_timeout', $2, true)",
                       PG_PARAMS(plan->lock_timeout, plan->statement_timeout));
    const size_t claim = store_batch(
        batch, plan->is_undo ? ROLLOUT_CLAIM_DONE : ROLLOUT_CLAIM,
        PG_PARAMS(pg_int_text(arena, plan->job_id), pg_int_text(arena, wave), turn->place_id));
    if (!pg_batch_run(turn->store->conn, batch, err)) {
        return false;
    }
    const PgRows *rows = pg_batch_rows(batch, claim);
    *ret_is_taken = pg_rows_count(rows) == 1;
    if (*ret_is_taken) {
        take_row(turn, rows);
    }
    return true;
}

/* --- moving it -------------------------------------------------------------------------------- */

/* Somebody may have moved it there, or beyond, since the rollout was planned. */
static bool is_there(const Turn *turn, int64_t target)
{
    return turn->from_version <= target ? turn->place.version >= target
                                        : turn->place.version <= target;
}

static bool move(Turn *turn, PgBatch *batch, int64_t target, Err *err)
{
    bool has_more = false;
    const RolloutPlan *plan = turn->plan;
    if (!place_add_move(turn->arena, batch, plan->blueprint, &plan->extensions, &turn->place,
                        target, &has_more, err)) {
        return false;
    }
    return !has_more ||
           (pg_batch_run(turn->store->conn, batch, err) &&
            place_ensure_partitions(turn->arena, turn->store, plan->blueprint, &turn->place, err));
}

/* The version, the ledger and the rollout's own row are written in the transaction of the move. It
 * need not wait for the disk: a crash of the server loses it whole, and the end of the wave, which
 * does wait, makes it durable. */
static bool finish(Turn *turn, Err *err)
{
    const RolloutPlan *plan = turn->plan;
    const int64_t target = plan->is_undo ? turn->from_version : plan->target;
    const bool is_done = plan->is_undo ? turn->place.version == target : is_there(turn, target);
    scoped_batch PgBatch *batch = pg_batch_new(turn->arena);
    FAULT("rollout.place.taken");
    if (!is_done && !move(turn, batch, target, err)) {
        return false;
    }
    FAULT("rollout.place.moved");
    store_batch(batch, ROLLOUT_PLACE_DONE,
                PG_PARAMS(pg_int_text(turn->arena, plan->job_id), turn->place_id,
                          plan->is_undo ? "undone" : "done",
                          pg_int_text(turn->arena, turn->attempt + 1)));
    pg_batch_add_commit(batch, false);
    return pg_batch_run(turn->store->conn, batch, err);
}

/* --- failing ---------------------------------------------------------------------------------- */

static bool record_failure(Turn *turn, const Err *why, Err *err)
{
    scoped_json Json *error = json_object();
    json_put_text(error, "code", err_kind(why->code)->wire);
    json_put_text(error, "message", why->message);
    json_put_text(error, "hint", *why->hint != '\0' ? why->hint : NULL);
    json_put_text(error, "sqlstate", *why->sqlstate != '\0' ? why->sqlstate : NULL);
    log_warn("rollout.failed", "schema \"%s\": %s", turn->place.schema_name, why->message);
    return store_query(turn->store, ROLLOUT_PLACE_FAIL,
                       PG_PARAMS(pg_int_text(turn->arena, turn->plan->job_id), turn->place_id,
                                 pg_int_text(turn->arena, turn->attempt + 1),
                                 json_to_text(turn->arena, error)),
                       NULL, err);
}

/* What is no fault of the place: every other one would fail the same way. */
static bool is_of_the_server(const Err *err)
{
    return err->code == ERR_PG_UNAVAILABLE || err->code == ERR_DISK_FULL;
}

/* Longer each time, with jitter, so that workers that collided do not do so again in step. */
static void pause_before(int64_t attempt)
{
    int64_t pause_ms = (int64_t)FIRST_PAUSE_MS
                       << (attempt < PAUSE_DOUBLINGS ? attempt : PAUSE_DOUBLINGS);
    pause_ms = pause_ms < LONGEST_PAUSE_MS ? pause_ms : LONGEST_PAUSE_MS;
    clock_sleep_ms(pause_ms + clock_monotonic_us() % (pause_ms / 2 + 1));
}

bool place_turn(Store *store, const RolloutPlan *plan, int64_t wave, TurnOutcome *ret_outcome,
                Err *err)
{
    scoped_arena Arena *arena = arena_new();
    Turn turn = {.arena = arena, .store = store, .plan = plan};
    for (;; turn.attempt++) {
        bool is_taken = false;
        const bool is_done = begin(&turn, wave, &is_taken, err) &&
                             (!is_taken || finish(&turn, err));
        if (is_done && is_taken) {
            FAULT("rollout.place.committed");
            *ret_outcome = TURN_DONE;
            return true;
        }
        pg_rollback(store->conn);
        if (is_done) {
            /* A place that is tried again and that another worker took meanwhile is its affair. */
            *ret_outcome = turn.place_id == NULL ? TURN_NONE : TURN_DONE;
            return true;
        }
        if (is_of_the_server(err) || !pg_is_alive(store->conn) || turn.place_id == NULL) {
            return false;
        }
        if (!err_kind(err->code)->is_retryable || turn.attempt >= plan->retries) {
            const Err why = *err;
            *ret_outcome = TURN_FAILED;
            return record_failure(&turn, &why, err);
        }
        pause_before(turn.attempt);
    }
}
