/* Workers of one wave. The job's own connection keeps the job's lock, so places are moved on
 * others, which can be changed for new ones. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/log.h"
#include "rollout/rollout_parts.h"

/* A server process keeps what it learnt of every table that it touched (SCALE.md has how much): it
 * is changed for a new one when it holds more than this, or, where it may not be asked, after so
 * many places. */
enum { ASK_EVERY = 50, PLACES_UNASKED = 500, WATCH_EVERY_MS = 250 };
#define MOST_BACKEND_BYTES ((int64_t)96 * 1024 * 1024)

typedef struct Crew {
    const RolloutPlan *plan;
    const StoreOptions *options;
    int64_t wave;
    int64_t allowance; /* -1: any number may fail */
    pthread_mutex_t mutex;
    pthread_cond_t is_less; /* a worker ended */
    int64_t working;
    int64_t done;
    int64_t failed;
    bool is_over; /* nobody takes another place */
    bool has_broken;
    Err broken;
} Crew;

/* --- one worker ------------------------------------------------------------------------------- */

static bool is_over(Crew *crew)
{
    pthread_mutex_lock(&crew->mutex);
    const bool is_it = crew->is_over;
    pthread_mutex_unlock(&crew->mutex);
    return is_it;
}

static void note_outcome(Crew *crew, TurnOutcome outcome)
{
    pthread_mutex_lock(&crew->mutex);
    crew->done += outcome == TURN_DONE ? 1 : 0;
    crew->failed += outcome == TURN_FAILED ? 1 : 0;
    crew->is_over = crew->is_over || outcome == TURN_NONE ||
                    (crew->allowance >= 0 && crew->failed > crew->allowance);
    pthread_mutex_unlock(&crew->mutex);
}

static void note_broken(Crew *crew, const Err *err)
{
    pthread_mutex_lock(&crew->mutex);
    if (!crew->has_broken) {
        crew->broken = *err;
    }
    crew->has_broken = true;
    crew->is_over = true;
    pthread_mutex_unlock(&crew->mutex);
}

/* Whether the server process has grown too large, by its own word where we may ask. */
static bool is_worn(Store *store, int64_t places)
{
    scoped_rows PgRows *rows = NULL;
    Err ignored;
    if (places % ASK_EVERY != 0) {
        return false;
    }
    if (!store_query(store, BACKEND_BYTES, PG_NO_PARAMS, &rows, &ignored)) {
        return places >= PLACES_UNASKED;
    }
    const int64_t bytes = pg_rows_int(rows, 0, 0);
    log_info("rollout.backend", "after %lld places the server process holds %lld bytes",
             (long long)places, (long long)bytes);
    return bytes > MOST_BACKEND_BYTES;
}

static bool work(Crew *crew, Store *store, Err *err)
{
    TurnOutcome outcome = TURN_DONE;
    for (int64_t places = 1; outcome != TURN_NONE && !is_over(crew); places++) {
        if (!place_turn(store, crew->plan, crew->wave, &outcome, err)) {
            return false;
        }
        note_outcome(crew, outcome);
        if (outcome != TURN_NONE && is_worn(store, places)) {
            if (!store_reconnect(store, err)) {
                return false;
            }
            places = 0;
        }
    }
    return true;
}

static void *run_worker(void *context)
{
    Crew *crew = context;
    Store *store = NULL;
    Err err;
    if (!store_open(crew->options, &store, &err) || !work(crew, store, &err)) {
        note_broken(crew, &err);
    }
    store_close(store);
    pthread_mutex_lock(&crew->mutex);
    crew->working--;
    pthread_cond_signal(&crew->is_less);
    pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

/* --- the one who watches ---------------------------------------------------------------------- */

static struct timespec soon(void)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += WATCH_EVERY_MS * 1000000L;
    at.tv_sec += at.tv_nsec / 1000000000L;
    at.tv_nsec %= 1000000000L;
    return at;
}

/* Whether somebody wants the rollout to stop; also whether the job's connection still lives. */
static bool read_wanted(JobContext *context, const char **ret_wanted, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, ROLLOUT_GET,
                     PG_PARAMS(pg_int_text(context->arena, context->job_id)), &rows, err)) {
        return false;
    }
    *ret_wanted = arena_strdup(context->arena, pg_rows_text(rows, 0, 3));
    return true;
}

static bool tell(JobContext *context, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, ROLLOUT_COUNTS,
                     PG_PARAMS(pg_int_text(context->arena, context->job_id), NULL), &rows, err)) {
        return false;
    }
    job_tell(context, pg_rows_int(rows, 0, 0) - pg_rows_int(rows, 0, 1), pg_rows_int(rows, 0, 0));
    return true;
}

static bool watch(JobContext *context, Crew *crew, const char **ret_wanted, Err *err)
{
    bool is_good = true;
    pthread_mutex_lock(&crew->mutex);
    while (crew->working > 0) {
        const struct timespec at = soon();
        const bool is_time = pthread_cond_timedwait(&crew->is_less, &crew->mutex, &at) == ETIMEDOUT;
        pthread_mutex_unlock(&crew->mutex);
        if (is_time && is_good) {
            is_good = tell(context, err) && read_wanted(context, ret_wanted, err);
        }
        pthread_mutex_lock(&crew->mutex);
        crew->is_over = crew->is_over || !is_good || *ret_wanted != NULL;
    }
    pthread_mutex_unlock(&crew->mutex);
    return is_good;
}

static int64_t start(Crew *crew, pthread_t *threads, int64_t parallel)
{
    int64_t started = 0;
    crew->working = parallel;
    while (started < parallel && pthread_create(&threads[started], NULL, run_worker, crew) == 0) {
        started++;
    }
    pthread_mutex_lock(&crew->mutex);
    crew->working -= parallel - started;
    pthread_mutex_unlock(&crew->mutex);
    return started;
}

bool crew_run_wave(JobContext *context, const RolloutPlan *plan, int64_t wave, int64_t parallel,
                   int64_t allowance, const char **ret_wanted, Err *err)
{
    Crew crew = {.plan = plan,
                 .options = &context->store->options,
                 .wave = wave,
                 .allowance = allowance,
                 .mutex = PTHREAD_MUTEX_INITIALIZER,
                 .is_less = PTHREAD_COND_INITIALIZER};
    pthread_t *threads = ARENA_ARRAY(context->arena, pthread_t, (size_t)parallel);
    *ret_wanted = NULL;
    const int64_t started = start(&crew, threads, parallel);
    const bool is_watched = watch(context, &crew, ret_wanted, err);
    for (int64_t i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    if (started == 0) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "no thread could be started");
    }
    if (is_watched && crew.has_broken) {
        *err = crew.broken;
    }
    return is_watched && !crew.has_broken;
}
