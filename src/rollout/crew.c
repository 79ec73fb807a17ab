/* Workers of one wave. The job's own connection keeps the job's lock, so places are moved on
 * others, which can be changed for new ones. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/array.h"
#include "core/log.h"
#include "rollout/rollout_parts.h"

/* A server process keeps what it learnt of every table that it touched (SCALE.md has how much): it
 * is changed for a new one when it holds more than this, or, where it may not be asked, after so
 * many places. */
enum { ASK_EVERY = 50, PLACES_UNASKED = 500, WATCH_EVERY_MS = 250 };
#define MOST_BACKEND_BYTES ((int64_t)96 * 1024 * 1024)

typedef struct Crew {
    const RolloutPlan *plan;
    StoreOptions options; /* without the notes, which are the main thread's */
    PlaceQueue *queue;
    RolloutPace pace;  /* the main thread's */
    int64_t allowance; /* -1: any number may fail */
    pthread_mutex_t mutex;
    pthread_cond_t is_less; /* a worker ended, or the queue is short */
    int64_t started;
    int64_t working;
    int64_t failed;
    bool is_over;     /* nobody takes another place */
    bool is_stopping; /* nor goes on with the next step of one */
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

static bool is_stopping(void *context)
{
    Crew *crew = context;
    pthread_mutex_lock(&crew->mutex);
    const bool is_it = crew->is_stopping;
    pthread_mutex_unlock(&crew->mutex);
    return is_it;
}

static void close_when_over(Crew *crew)
{
    if (crew->is_over) {
        queue_close(crew->queue);
    }
}

static void note_outcome(Crew *crew, bool has_failed)
{
    pthread_mutex_lock(&crew->mutex);
    crew->failed += has_failed ? 1 : 0;
    crew->is_stopping = crew->is_stopping ||
                        (crew->allowance >= 0 && crew->failed > crew->allowance);
    crew->is_over = crew->is_over || crew->is_stopping;
    close_when_over(crew);
    pthread_mutex_unlock(&crew->mutex);
}

static void note_broken(Crew *crew, const Err *err)
{
    pthread_mutex_lock(&crew->mutex);
    if (!crew->has_broken) {
        crew->broken = *err;
    }
    crew->has_broken = true;
    crew->is_stopping = true;
    crew->is_over = true;
    close_when_over(crew);
    pthread_mutex_unlock(&crew->mutex);
}

/* Whether the server process has grown too large, by its own word where we may ask. */
static bool is_worn(Store *store, int64_t places)
{
    scoped_rows PgRows *rows = NULL;
    Err ignored;
    if (!store_query(store, BACKEND_BYTES, PG_NO_PARAMS, &rows, &ignored)) {
        return places >= PLACES_UNASKED;
    }
    const int64_t bytes = pg_rows_int(rows, 0, 0);
    log_info("rollout.backend", "the server process holds %lld bytes", (long long)bytes);
    return bytes > MOST_BACKEND_BYTES;
}

/* --- one worker ------------------------------------------------------------------------------- */

static bool land(Crew *crew, Stream *stream, Err *err)
{
    bool has_failed = false;
    if (!stream_land(stream, is_over(crew), &has_failed, err)) {
        return false;
    }
    note_outcome(crew, has_failed);
    return true;
}

/* What takes more than one transaction has the connection to itself. */
static bool take_turn(Crew *crew, Worker *worker, Stream *stream, const Place *place, Err *err)
{
    bool has_failed = false;
    while (!stream_is_empty(stream)) {
        if (!land(crew, stream, err)) {
            return false;
        }
    }
    if (is_over(crew)) {
        return true;
    }
    if (!place_turn(worker, place, NULL, &has_failed, err)) {
        return false;
    }
    note_outcome(crew, has_failed);
    return true;
}

/* Begins with the next place; *ret_is_dry when there is none. */
static bool take_next(Crew *crew, Worker *worker, Stream *stream, bool *ret_is_dry, Err *err)
{
    QueuedPlace queued;
    Arena *arena = arena_new();
    *ret_is_dry = !queue_take(crew->queue, arena, &queued);
    if (queue_is_short(crew->queue)) {
        pthread_mutex_lock(&crew->mutex); /* who has seen that it was not short waits already */
        pthread_cond_signal(&crew->is_less);
        pthread_mutex_unlock(&crew->mutex);
    }
    if (!*ret_is_dry && stream_add(stream, arena, &queued)) {
        return true;
    }
    const bool is_good = *ret_is_dry || take_turn(crew, worker, stream, &queued.place, err);
    arena_free(arena);
    return is_good;
}

/* Takes up to so many places, and ends them. */
static bool work_some(Crew *crew, Worker *worker, Stream *stream, bool *ret_is_dry, Err *err)
{
    int64_t taken = 0;
    for (;;) {
        const bool is_ending = *ret_is_dry || taken == ASK_EVERY || is_over(crew);
        if (is_ending && stream_is_empty(stream)) {
            return true;
        }
        const bool has_room = !is_ending && !stream_is_full(stream);
        if (!(has_room ? take_next(crew, worker, stream, ret_is_dry, err)
                       : land(crew, stream, err))) {
            return false;
        }
        taken += has_room ? 1 : 0;
    }
}

static bool work(Crew *crew, Worker *worker, Stream *stream, Err *err)
{
    bool is_dry = false;
    for (int64_t places = ASK_EVERY;; places += ASK_EVERY) {
        if (!work_some(crew, worker, stream, &is_dry, err)) {
            return false;
        }
        if (is_dry || is_over(crew)) {
            return true;
        }
        if (is_worn(worker->store, places)) {
            places = 0;
            if (!store_reconnect(worker->store, err)) {
                return false;
            }
        }
    }
}

static bool work_with(Crew *crew, Store *store, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    Worker worker = {
        .store = store, .plan = crew->plan, .is_stopping = is_stopping, .context = crew};
    Stream *stream = stream_new(arena, &worker);
    const bool is_good = work(crew, &worker, stream, err);
    stream_done(stream);
    worker_done(&worker);
    return is_good;
}

/* A connection is kept from wave to wave while it lives and is not worn. */
static bool connect_worker(const Crew *crew, Store **store, Err *err)
{
    if (*store == NULL) {
        return store_open(&crew->options, store, err);
    }
    return !is_worn(*store, PLACES_UNASKED) || store_reconnect(*store, err);
}

static void *run_worker(void *context)
{
    Crew *crew = context;
    Err err;
    pthread_mutex_lock(&crew->mutex);
    Store **store = &crew->plan->stores[crew->started++];
    pthread_mutex_unlock(&crew->mutex);
    if (!connect_worker(crew, store, &err) || !work_with(crew, *store, &err)) {
        note_broken(crew, &err);
    }
    pthread_mutex_lock(&crew->mutex);
    crew->working--;
    pthread_cond_signal(&crew->is_less);
    pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

/* --- the one who watches ---------------------------------------------------------------------- */

/* Whatever is done to the time of day. */
static struct timespec soon(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += WATCH_EVERY_MS * 1000000L;
    at.tv_sec += at.tv_nsec / 1000000000L;
    at.tv_nsec %= 1000000000L;
    return at;
}

/* Tells how far the rollout is, and learns whether somebody wants it to stop; also whether the
 * job's connection still lives. */
static bool look(JobContext *context, RolloutPace *pace, const char **ret_wanted, Err *err)
{
    return rollout_tell(context, pace, err) && rollout_read_wish(context, ret_wanted, err);
}

/* Waits until it is time to look, or somebody wants something. Whether it is time. */
static bool wait_for_crew(Crew *crew)
{
    const struct timespec at = soon();
    return pthread_cond_clockwait(&crew->is_less, &crew->mutex, CLOCK_MONOTONIC, &at) == ETIMEDOUT;
}

/* While the workers work: their queue is kept filled, and the rules asked of its first place. */
static bool watch(JobContext *context, Crew *crew, WaveRules *rules, const char **ret_wanted,
                  Err *err)
{
    bool is_good = true;
    pthread_mutex_lock(&crew->mutex);
    while (crew->working > 0) {
        const bool is_short = queue_is_short(crew->queue);
        const bool is_time = !is_short && wait_for_crew(crew);
        const bool may_ask = is_time && !crew->is_over;
        pthread_mutex_unlock(&crew->mutex);
        if (is_time && is_good && *ret_wanted == NULL) {
            is_good = look(context, &crew->pace, ret_wanted, err);
        }
        if (is_short) {
            is_good = queue_fill(crew->queue, context->store, err);
        }
        if (may_ask && is_good && *ret_wanted == NULL) {
            wave_ask_early(context, crew->plan, rules);
        }
        pthread_mutex_lock(&crew->mutex);
        crew->is_stopping = crew->is_stopping || !is_good || *ret_wanted != NULL;
        crew->is_over = crew->is_over || crew->is_stopping;
        close_when_over(crew);
    }
    pthread_mutex_unlock(&crew->mutex);
    return is_good;
}

static int64_t start(Crew *crew, pthread_t *threads)
{
    int64_t started = 0;
    const int64_t parallel = crew->plan->parallel;
    crew->working = parallel;
    while (started < parallel && pthread_create(&threads[started], NULL, run_worker, crew) == 0) {
        started++;
    }
    pthread_mutex_lock(&crew->mutex);
    crew->working -= parallel - started;
    pthread_mutex_unlock(&crew->mutex);
    return started;
}

void crew_go(const RolloutPlan *plan)
{
    for (int64_t i = 0; i < plan->parallel; i++) {
        plan->stores[i] = store_close(plan->stores[i]);
    }
}

bool crew_run_wave(JobContext *context, const RolloutPlan *plan, WaveRules *rules,
                   int64_t allowance, const char **ret_wanted, Err *err)
{
    Crew crew = {.plan = plan,
                 .options = context->store->options,
                 .queue = queue_new(context->arena, plan, rules->wave),
                 .pace = {.plan = plan, .wave = rules->wave},
                 .allowance = allowance,
                 .mutex = PTHREAD_MUTEX_INITIALIZER,
                 .is_less = PTHREAD_COND_INITIALIZER};
    pthread_t *threads = ARENA_ARRAY(context->arena, pthread_t, (size_t)plan->parallel);
    crew.options.target.on_note = NULL;
    crew.options.target.repeats = true;
    *ret_wanted = NULL;
    if (!look(context, &crew.pace, ret_wanted, err) || *ret_wanted != NULL) {
        return *ret_wanted != NULL;
    }
    if (!queue_fill(crew.queue, context->store, err)) {
        return false;
    }
    const int64_t started = start(&crew, threads);
    const bool is_watched = watch(context, &crew, rules, ret_wanted, err);
    for (int64_t i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    queue_done(crew.queue);
    if (started == 0) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "no thread could be started");
    }
    if (is_watched && crew.has_broken) {
        *err = crew.broken;
    }
    return is_watched && !crew.has_broken;
}
