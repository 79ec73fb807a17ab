/* Comparing the fingerprints of many places, a page of them in a query. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "rollout/drift_parts.h"

/* A server process keeps what it learnt of each table (130 KiB for a place of 60 plain tables, ten
 * times as much for one of 109 with checks and functions), and a query reads the catalogue of the
 * whole fleet once. So a page is as many places as a process may keep, a connection lives for one
 * page, and the first pages are small: they tell what a place takes. */
enum { FIRST_PAGE = 60, LEAST_PAGE = 20, MOST_PAGE = 500, PAGE_UNASKED = 100 };
#define MOST_BACKEND_BYTES ((int64_t)128 * 1024 * 1024)

typedef struct Comparison {
    const StoreOptions *target;
    DriftPlace *places;
    size_t count;
    bool is_shared;
    const char *fingerprint;
    const DriftOptions *options;
    pthread_mutex_t mutex;
    size_t page;  /* places in the next one */
    size_t taken; /* places that somebody compares or has compared */
    size_t done;
    bool has_broken;
    Err broken;
} Comparison;

FingerprintSubject drift_subject(const DriftPlace *place, bool is_named)
{
    return (FingerprintSubject){.place = &place->place,
                                .alias = is_named ? place->place.schema_name : NULL,
                                .is_locked = place->is_locked};
}

static DriftState state_of(FingerprintMatch match)
{
    switch (match) {
    case FINGERPRINT_GONE:
        return DRIFT_GONE;
    case FINGERPRINT_SAME:
        return DRIFT_SAME;
    case FINGERPRINT_OTHER:
        break;
    }
    return DRIFT_FOUND;
}

static bool compare_page(const Comparison *comparison, PgConn *conn, size_t first, size_t count,
                         Err *err)
{
    scoped_arena Arena *arena = arena_new();
    FingerprintSubject *subjects = ARENA_ARRAY(arena, FingerprintSubject, count);
    FingerprintMatch *matches = ARENA_ARRAY(arena, FingerprintMatch, count);
    for (size_t i = 0; i < count; i++) {
        subjects[i] = drift_subject(&comparison->places[first + i], comparison->is_shared);
    }
    /* The query is large and each of its parts short: compiling it would take longer than it. */
    const bool is_compared = pg_begin(conn, err) &&
                             pg_query(conn, "SET LOCAL jit = off", PG_NO_PARAMS, NULL, err) &&
                             fingerprint_compare(arena, conn, subjects, count,
                                                 comparison->fingerprint, matches, err);
    pg_rollback(conn);
    for (size_t i = 0; is_compared && i < count; i++) {
        comparison->places[first + i].state = state_of(matches[i]);
    }
    return is_compared;
}

/* The next page that nobody has, or 0 places. */
static size_t take_page(Comparison *comparison, size_t *ret_first)
{
    pthread_mutex_lock(&comparison->mutex);
    const size_t left = comparison->has_broken ? 0 : comparison->count - comparison->taken;
    const size_t count = left < comparison->page ? left : comparison->page;
    *ret_first = comparison->taken;
    comparison->taken += count;
    pthread_mutex_unlock(&comparison->mutex);
    return count;
}

/* How many places a process may look at, by what it says that it keeps of this page; it may not be
 * ours to ask. */
static size_t measure_page(PgConn *conn, size_t count)
{
    scoped_rows PgRows *rows = NULL;
    Err ignored;
    if (!pg_query(conn, store_sql(BACKEND_BYTES), PG_NO_PARAMS, &rows, &ignored)) {
        return PAGE_UNASKED;
    }
    const int64_t bytes = pg_rows_int(rows, 0, 0);
    const int64_t fitting = bytes <= 0 ? MOST_PAGE : (int64_t)count * MOST_BACKEND_BYTES / bytes;
    log_info("drift.backend", "after %zu places the server process holds %lld bytes", count,
             (long long)bytes);
    return fitting < LEAST_PAGE ? LEAST_PAGE : fitting > MOST_PAGE ? MOST_PAGE : (size_t)fitting;
}

static void note_page(Comparison *comparison, size_t count, size_t page)
{
    const DriftOptions *options = comparison->options;
    pthread_mutex_lock(&comparison->mutex);
    comparison->page = page;
    comparison->done += count;
    if (options->progress != NULL) {
        options->progress(options->context, (int64_t)comparison->done, (int64_t)comparison->count);
    }
    pthread_mutex_unlock(&comparison->mutex);
}

static void *run_worker(void *context)
{
    Comparison *comparison = context;
    size_t first = 0;
    size_t count = 0;
    while ((count = take_page(comparison, &first)) > 0) {
        scoped_conn PgConn *conn = NULL;
        Err err;
        if (!store_connect(comparison->target, &conn, &err) ||
            !compare_page(comparison, conn, first, count, &err)) {
            pthread_mutex_lock(&comparison->mutex);
            comparison->has_broken = true;
            comparison->broken = err;
            pthread_mutex_unlock(&comparison->mutex);
            return NULL;
        }
        note_page(comparison, count, measure_page(conn, count));
    }
    return NULL;
}

static bool run_workers(Comparison *comparison, size_t workers, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    pthread_t *threads = ARENA_ARRAY(arena, pthread_t, workers);
    size_t started = 0;
    while (started < workers &&
           pthread_create(&threads[started], NULL, run_worker, comparison) == 0) {
        started++;
    }
    for (size_t i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    if (comparison->has_broken) {
        *err = comparison->broken;
        return false;
    }
    return started > 0 || ERR_SET(err, ERR_INTERNAL, NULL, "no thread could be started");
}

static Comparison begin(Store *store, DriftPlace *places, size_t count, bool is_shared,
                        const char *fingerprint, const DriftOptions *options)
{
    return (Comparison){.target = &store->options,
                        .places = places,
                        .count = count,
                        .is_shared = is_shared,
                        .fingerprint = fingerprint,
                        .options = options,
                        .page = FIRST_PAGE,
                        .mutex = PTHREAD_MUTEX_INITIALIZER};
}

bool drift_compare(Store *store, DriftPlace *places, size_t count, bool is_shared,
                   const char *fingerprint, const DriftOptions *options, Err *err)
{
    Comparison comparison = begin(store, places, count, is_shared, fingerprint, options);
    return count <= FIRST_PAGE ? compare_page(&comparison, store->conn, 0, count, err)
                               : run_workers(&comparison, (size_t)options->parallel, err);
}

bool drift_compare_apart(Store *store, DriftPlace *places, size_t count, bool is_shared,
                         const char *fingerprint, const DriftOptions *options, Err *err)
{
    Comparison comparison = begin(store, places, count, is_shared, fingerprint, options);
    return count == 0 || run_workers(&comparison, (size_t)options->parallel, err);
}
