#include <string.h>

#include "core/array.h"
#include "core/clock.h"
#include "core/fault.h"
#include "core/log.h"
#include "core/text.h"
#include "rollout/turn.h"

#define ROW_DONE "done"
#define ROW_FAILED "failed"
#define ROW_PENDING "pending"

enum { FIRST_PAUSE_MS = 50, LONGEST_PAUSE_MS = 2000, PAUSE_DOUBLINGS = 5 };

/* --- taking it -------------------------------------------------------------------------------- */

static const char *claimed_state(const char *text)
{
    static const char *const states[] = {ROW_DONE, ROW_FAILED, ROW_PENDING};
    for (size_t i = 0; i < ARRAY_COUNT(states); i++) {
        if (text_is_same(states[i], text)) {
            return states[i];
        }
    }
    return NULL;
}

static void take_row(Turn *turn, const PgRows *rows)
{
    turn->way_back = pg_rows_int(rows, 0, 0);
    turn->place.version = pg_rows_int(rows, 0, 1);
    turn->has_begun = pg_rows_bool(rows, 0, 2);
    turn->state = claimed_state(pg_rows_text(rows, 0, 3));
    turn->is_between = pg_rows_text(rows, 0, 4) != NULL;
    turn->is_between_down = turn->is_between && pg_rows_bool(rows, 0, 4);
}

/* Until the end of the transaction; what the scripts set is gone when they end, so it is said again
 * for what follows them. What they locked for the session would be in the way of other workers. */
static void add_timeouts(PgBatch *batch, const RolloutPlan *plan)
{
    pg_batch_add_fixed(batch,
                       "SELECT set_config('lock_timeout', $1, true),"
                       " set_config('statement_timeout', $2, true), pg_advisory_unlock_all()",
                       PG_PARAMS(plan->lock_timeout, plan->statement_timeout));
}

/* Begins a transaction and takes the place, unless another session has it. */
static bool begin(Turn *turn, bool *ret_is_taken, Err *err)
{
    const RolloutPlan *plan = turn->plan;
    scoped_batch PgBatch *batch = pg_batch_new(turn->arena);
    pg_batch_add_fixed(batch, "BEGIN", PG_NO_PARAMS);
    add_timeouts(batch, plan);
    const size_t claim = store_batch(
        batch, plan->is_undo ? ROLLOUT_CLAIM_DONE : ROLLOUT_CLAIM,
        PG_PARAMS(pg_int_text(turn->arena, plan->job_id), turn->place.id));
    if (!pg_batch_run(turn->store->conn, batch, err)) {
        return false;
    }
    *ret_is_taken = pg_rows_count(pg_batch_rows(batch, claim)) == 1;
    if (*ret_is_taken) {
        take_row(turn, pg_batch_rows(batch, claim));
    }
    return true;
}

/* --- moving it -------------------------------------------------------------------------------- */

/* Somebody may have moved it there, or beyond, since the rollout was planned. */
static bool is_there(const Turn *turn, int64_t target)
{
    const int64_t version = turn->place.version;
    if (turn->plan->is_undo) {
        return version == target;
    }
    return turn->plan->is_down ? version <= target : version >= target;
}

bool worker_read_way(Worker *worker, int64_t from, int64_t to, Err *err)
{
    const RolloutPlan *plan = worker->plan;
    if (worker->way.from == from && worker->way.to == to) {
        return true;
    }
    worker->way = (PlaceWay){0};
    arena_free(worker->arena);
    worker->arena = arena_new();
    return place_read_way(worker->arena, plan->blueprint, &plan->extensions, from, to, &worker->way,
                          err);
}

static bool move(Turn *turn, PgBatch *batch, int64_t target, Err *err)
{
    bool has_more = false;
    const RolloutPlan *plan = turn->plan;
    if (!worker_read_way(turn->worker, turn->place.version, target, err)) {
        return false;
    }
    place_add_move(turn->arena, batch, plan->blueprint, &plan->extensions, &turn->place,
                   &turn->worker->way, &has_more);
    if (!has_more) {
        return true;
    }
    add_timeouts(batch, plan);
    return pg_batch_run(turn->store->conn, batch, err) && turn_keep_shared(turn, err);
}

/* The last part of the way: the rollout's own row says so. */
static void add_end(Turn *turn, PgBatch *batch)
{
    Arena *arena = turn->arena;
    const RolloutPlan *plan = turn->plan;
    const char *job = pg_int_text(arena, plan->job_id);
    /* What this rollout does not move itself, it does not take back either. */
    const int64_t way_back = plan->is_undo || turn->has_begun ? turn->way_back
                                                              : turn->place.version;
    /* An undo takes it back all the same, and it stays one that failed. */
    if (text_is_same(turn->state, ROW_FAILED)) {
        store_batch(batch, ROLLOUT_PLACE_RETURNED, PG_PARAMS(job, turn->place.id));
        return;
    }
    store_batch(batch, ROLLOUT_PLACE_DONE,
                PG_PARAMS(job, turn->place.id, plan->is_undo ? "undone" : "done",
                          pg_int_text(arena, turn->attempt + 1), pg_int_text(arena, way_back)));
}

/* The version, the ledger and the rollout's own row are written in the transaction of the move. It
 * need not wait for the disk: a crash of the server loses it whole, and the end of the wave, which
 * does wait, makes it durable. *ret_is_over: the place is where it should be. */
static bool finish(Turn *turn, bool *ret_is_over, Err *err)
{
    Leg leg = {0};
    const RolloutPlan *plan = turn->plan;
    const int64_t target = plan->is_undo ? turn->way_back : plan->target;
    const bool is_at_end = is_there(turn, target);
    scoped_batch PgBatch *batch = pg_batch_new(turn->arena);
    FAULT("rollout.place.taken");
    if (!is_at_end && !turn_next_leg(turn, target, &leg, err)) {
        return false;
    }
    *ret_is_over = is_at_end || (leg.steps == NULL && leg.target == target);
    if (leg.steps != NULL) {
        return turn_run_step(turn, &leg, err);
    }
    if (!is_at_end && !move(turn, batch, leg.target, err)) {
        return false;
    }
    FAULT("rollout.place.moved");
    if (*ret_is_over) {
        add_end(turn, batch);
    } else {
        turn_add_begun(turn, batch);
    }
    pg_batch_add_commit(batch, false);
    return pg_batch_run(turn->store->conn, batch, err);
}

/* --- failing ---------------------------------------------------------------------------------- */

/* *ret_has_failed is false when it did not after all: the answer to its COMMIT was lost. */
static bool record_failure(Turn *turn, const Err *why, bool *ret_has_failed, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    scoped_json Json *error = failure_to_json(turn->arena, turn->plan->blueprint, why);
    if (!store_query(turn->store, ROLLOUT_PLACE_FAIL,
                     PG_PARAMS(pg_int_text(turn->arena, turn->plan->job_id), turn->place.id,
                               pg_int_text(turn->arena, turn->attempt + 1),
                               json_to_text(turn->arena, error),
                               turn->state != NULL   ? turn->state
                               : turn->plan->is_undo ? ROW_DONE
                                                     : ROW_PENDING),
                     &rows, err)) {
        return false;
    }
    *ret_has_failed = pg_rows_int(rows, 0, 0) == 1;
    log_info("rollout.failed", "schema \"%s\": %s", turn->place.schema_name, why->message);
    return true;
}

/* A lock, a deadlock, a serialisation failure, a lost connection. Not a script that took too long:
 * it would again. */
static bool may_try_again(const Turn *turn, const Err *why)
{
    return turn->attempt < turn->plan->retries && err_kind(why->code)->is_retryable &&
           strcmp(why->sqlstate, "57014") != 0;
}

/* Longer each time, with jitter, so that workers that collided do not do so again in step. */
static void pause_before(int64_t attempt)
{
    int64_t pause_ms = (int64_t)FIRST_PAUSE_MS
                       << (attempt < PAUSE_DOUBLINGS ? attempt : PAUSE_DOUBLINGS);
    pause_ms = pause_ms < LONGEST_PAUSE_MS ? pause_ms : LONGEST_PAUSE_MS;
    clock_sleep_ms(pause_ms + clock_monotonic_us() % (pause_ms / 2 + 1));
}

/* One transaction of the turn; *ret_is_over when it was the last one. A place that is not there to
 * take was moved by a COMMIT whose answer was lost, is another session's, or is gone. */
static bool try_once(Turn *turn, bool *ret_is_over, Err *err)
{
    bool is_taken = false;
    if (turn->why != NULL) {
        *err = *turn->why;
        turn->why = NULL;
        return false;
    }
    if (!begin(turn, &is_taken, err) || (is_taken && !finish(turn, ret_is_over, err))) {
        return false;
    }
    if (is_taken) {
        FAULT("rollout.place.committed");
    } else {
        pg_rollback(turn->store->conn);
        *ret_is_over = true;
    }
    return true;
}

/* Tries until a transaction is committed or there is no use in trying. */
static bool try_hard(Turn *turn, bool *ret_is_over, bool *ret_has_failed, Err *err)
{
    for (;; turn->attempt++) {
        Err why;
        scoped_arena Arena *arena = arena_new();
        turn->arena = arena;
        if (try_once(turn, ret_is_over, &why)) {
            return true;
        }
        if (pg_is_alive(turn->store->conn)) {
            pg_rollback(turn->store->conn);
        } else if (!store_reconnect(turn->store, err)) {
            return false;
        }
        const bool is_last = !may_try_again(turn, &why);
        /* A full disk is no fault of the place: every other one would fail the same way. */
        if (is_last && why.code == ERR_DISK_FULL) {
            *err = why;
            return false;
        }
        if (is_last) {
            *ret_is_over = true;
            tenants_tell_lock_holders(turn->store, turn->place.schema_name, NULL, &why);
            return record_failure(turn, &why, ret_has_failed, err);
        }
        pause_before(turn->attempt);
    }
}

bool place_turn(Worker *worker, const Place *place, const Err *why, bool *ret_has_failed, Err *err)
{
    Turn turn = {.worker = worker,
                 .store = worker->store,
                 .plan = worker->plan,
                 .why = why,
                 .place = *place};
    bool is_over = false;
    *ret_has_failed = false;
    /* One that was lost before is no attempt of this place. */
    if (why == NULL && !pg_is_alive(turn.store->conn) && !store_reconnect(turn.store, err)) {
        return false;
    }
    while (!is_over) {
        turn.attempt = 0;
        if (!try_hard(&turn, &is_over, ret_has_failed, err)) {
            return false;
        }
        is_over = is_over || worker->is_stopping(worker->context);
    }
    return true;
}

void worker_done(Worker *worker)
{
    worker->arena = arena_free(worker->arena);
}
