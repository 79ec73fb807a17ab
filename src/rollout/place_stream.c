/* Places that take one transaction each, one after the other on a worker's connection.
 *
 * The server gets the next place while it is still at the one before, and waits for nobody in
 * between. Each transaction is a batch of its own and takes its place first, so that what was
 * queued and has changed since is left alone. When one fails, the server refuses what was sent
 * behind it, up to the rollback. Retries, and whatever takes more than one transaction, are
 * place_turn's. */
#include <string.h>

#include "core/clock.h"
#include "core/fault.h"
#include "rollout/turn.h"

/* A place that takes longer than this is sent alone: another worker may be free before it ends. */
enum { MOST_UNDER_WAY = 2, QUICK_US = 50000 };

typedef enum FlightState {
    FLIGHT_SENT,
    FLIGHT_DONE,
    FLIGHT_ELSEWHERE, /* another session has the place, or moved it since it was queued */
    FLIGHT_STOPPED,   /* it never ran, or nobody knows: its own turn finds out */
    FLIGHT_FAILED,
} FlightState;

/* A place that was sent. */
typedef struct Flight {
    Arena *arena; /* its own */
    Place place;
    PgBatch *batch;
    size_t begin; /* the statements that begin its transaction, and take the place */
    size_t take;
    bool is_quiet; /* its scripts are run by the guard that is there, or not */
    FlightState state;
    Err why; /* when it failed */
} Flight;

struct Stream {
    Worker *worker;
    Flight flights[MOST_UNDER_WAY]; /* in the order in which they were sent */
    size_t count;
    int64_t began_us; /* the server with the first of them */
    bool is_quick;    /* so was the last one that landed */
};

static size_t most_under_way(const Stream *stream)
{
    return stream->is_quick || FAULT_ASKED("TENANTRY_FAULT_AHEAD") ? MOST_UNDER_WAY : 1;
}

Stream *stream_new(Arena *arena, Worker *worker)
{
    Stream *stream = ARENA_NEW(arena, Stream);
    stream->worker = worker;
    return stream;
}

static void drop_first(Stream *stream)
{
    pg_batch_done(stream->flights[0].batch);
    arena_free(stream->flights[0].arena);
    stream->count--;
    memmove(stream->flights, stream->flights + 1, stream->count * sizeof *stream->flights);
}

void stream_done(Stream *stream)
{
    while (stream->count > 0) {
        drop_first(stream);
    }
}

bool stream_is_full(const Stream *stream)
{
    return stream->count >= most_under_way(stream) ||
           (stream->count > 0 && stream->flights[0].state != FLIGHT_SENT);
}

bool stream_is_empty(const Stream *stream)
{
    return stream->count == 0;
}

/* --- sending ---------------------------------------------------------------------------------- */

/* Whether the whole way to the target is one transaction; the worker has it then. */
static bool find_way(Arena *arena, Worker *worker, const Place *place)
{
    Leg leg;
    Err ignored; /* place_turn meets it again */
    const RolloutPlan *plan = worker->plan;
    const int64_t target = plan->target;
    Turn turn = {.arena = arena, .worker = worker, .plan = plan, .place = *place};
    if (plan->is_down ? place->version <= target : place->version >= target) {
        return false;
    }
    return (worker->way.from == place->version && worker->way.to == target) ||
           (turn_next_leg(&turn, target, &leg, &ignored) && leg.steps == NULL &&
            leg.target == target && worker_read_way(worker, place->version, target, &ignored));
}

/* All of the place's transaction. */
static void add_transaction(const RolloutPlan *plan, const PlaceWay *way, Flight *flight)
{
    Arena *arena = flight->arena;
    const Place *place = &flight->place;
    const char *job = pg_int_text(arena, plan->job_id);
    const char *from = pg_int_text(arena, place->version);
    flight->begin = pg_batch_add_fixed(flight->batch, "BEGIN", PG_NO_PARAMS);
    flight->take = store_batch(
        flight->batch, ROLLOUT_TAKE,
        PG_PARAMS(job, place->id, from, plan->lock_timeout, plan->statement_timeout));
    const BlueprintMigration *last = place_add_way(arena, flight->batch, plan->blueprint,
                                                   &plan->extensions, place, way, flight->is_quiet);
    store_batch(flight->batch, ROLLOUT_PLACE_MOVED,
                PG_PARAMS(job, place->id, from, pg_int_text(arena, way->to),
                          last == NULL ? NULL : pg_int_text(arena, last->version),
                          last == NULL ? NULL : last->name, last == NULL ? NULL : last->sha256));
    pg_batch_add_commit(flight->batch, false);
}

bool stream_add(Stream *stream, Arena *arena, const QueuedPlace *queued)
{
    Worker *worker = stream->worker;
    Flight *flight = &stream->flights[stream->count];
    if (!queued->is_plain || !find_way(arena, worker, &queued->place)) {
        return false;
    }
    *flight = (Flight){.arena = arena,
                       .place = queued->place,
                       .batch = pg_batch_new(arena),
                       .is_quiet = queued->is_quiet && worker->way.is_inert};
    add_transaction(worker->plan, &worker->way, flight);
    FAULT("rollout.place.taken");
    if (!pg_batch_post(worker->store->conn, flight->batch, &flight->why)) {
        flight->state = FLIGHT_STOPPED;
    }
    FAULT("rollout.place.moved");
    stream->began_us = stream->count == 0 ? clock_monotonic_us() : stream->began_us;
    stream->count++;
    return true;
}

/* --- landing ---------------------------------------------------------------------------------- */

static FlightState state_of_failure(const PgConn *conn, const Flight *flight)
{
    if (!pg_is_alive(conn)) {
        return FLIGHT_FAILED;
    }
    if (pg_batch_has_failed_at(flight->batch, flight->begin)) {
        return FLIGHT_STOPPED;
    }
    /* division_by_zero: ROLLOUT_TAKE divides by what it found. */
    if (pg_batch_has_failed_at(flight->batch, flight->take) &&
        strcmp(flight->why.sqlstate, "22012") == 0) {
        return FLIGHT_ELSEWHERE;
    }
    /* undefined_function: the owner has no guard yet, which place_turn makes. */
    return flight->is_quiet && strcmp(flight->why.sqlstate, "42883") == 0 ? FLIGHT_STOPPED
                                                                          : FLIGHT_FAILED;
}

static void take_answer(const Stream *stream, Flight *flight)
{
    if (flight->state != FLIGHT_SENT) {
        return;
    }
    PgConn *conn = stream->worker->store->conn;
    if (pg_batch_await(conn, flight->batch, &flight->why)) {
        flight->state = FLIGHT_DONE;
        FAULT("rollout.place.committed");
    } else {
        flight->state = state_of_failure(conn, flight);
    }
}

/* Behind a place that failed. When the connection was lost, this one is not to blame; its own turn
 * asks whether it ran. */
static void take_answer_behind(const Stream *stream, Flight *flight)
{
    take_answer(stream, flight);
    if (flight->state == FLIGHT_FAILED && !pg_is_alive(stream->worker->store->conn)) {
        flight->state = FLIGHT_STOPPED;
    }
}

static void note_time(Stream *stream)
{
    const int64_t now_us = clock_monotonic_us();
    stream->is_quick = now_us - stream->began_us < QUICK_US;
    stream->began_us = now_us;
}

bool stream_land(Stream *stream, bool is_over, bool *ret_has_failed, Err *err)
{
    bool is_good = true;
    Worker *worker = stream->worker;
    Flight *first = &stream->flights[0];
    *ret_has_failed = false;
    take_answer(stream, first);
    note_time(stream);
    if (first->state != FLIGHT_DONE) {
        for (size_t i = 1; i < stream->count; i++) {
            take_answer_behind(stream, &stream->flights[i]);
        }
        pg_rollback(worker->store->conn);
    }
    if (first->state == FLIGHT_FAILED || (first->state == FLIGHT_STOPPED && !is_over)) {
        is_good = place_turn(worker, &first->place,
                             first->state == FLIGHT_FAILED ? &first->why : NULL, ret_has_failed,
                             err);
    }
    drop_first(stream);
    return is_good;
}
