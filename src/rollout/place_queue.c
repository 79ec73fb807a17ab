/* The places that a crew has still to take, in the order of their ids: two pages of them at most,
 * however many there are. Workers take from it; the one who watches them fills it, since their
 * connections are busy. What was read may have changed by the time that a place is taken. */
#include <pthread.h>
#include <stdio.h>

#include "core/fault.h"
#include "rollout/rollout_parts.h"

/* Enough for the time in which the one who fills asks the rules of isolation. */
enum { PAGE_PLACES = 1024 };

struct PlaceQueue {
    const RolloutPlan *plan;
    const char *wave;   /* NULL: an undo, of all waves */
    size_t page_places; /* that are read at a time */
    pthread_mutex_t mutex;
    pthread_cond_t is_more; /* a page came, or none will */
    PgRows *page;           /* or NULL, when there is no later one either */
    size_t next;            /* row of the page */
    PgRows *later;          /* or NULL */
    bool is_last;           /* there is nothing behind these */
    bool is_closed;
    char last_id[UUID_SIZE];
};

PlaceQueue *queue_new(Arena *arena, const RolloutPlan *plan, int64_t wave)
{
    PlaceQueue *queue = ARENA_NEW(arena, PlaceQueue);
    *queue = (PlaceQueue){.plan = plan,
                          .wave = plan->is_undo ? NULL : pg_int_text(arena, wave),
                          .page_places = FAULT_SIZE("TENANTRY_FAULT_PAGE", PAGE_PLACES),
                          .mutex = PTHREAD_MUTEX_INITIALIZER,
                          .is_more = PTHREAD_COND_INITIALIZER,
                          .last_id = "00000000-0000-0000-0000-000000000000"};
    return queue;
}

void queue_done(PlaceQueue *queue)
{
    queue->page = pg_rows_free(queue->page);
    queue->later = pg_rows_free(queue->later);
}

void queue_close(PlaceQueue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->is_closed = true;
    pthread_cond_broadcast(&queue->is_more);
    pthread_mutex_unlock(&queue->mutex);
}

bool queue_is_short(PlaceQueue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    const bool is_short = queue->later == NULL && !queue->is_last && !queue->is_closed;
    pthread_mutex_unlock(&queue->mutex);
    return is_short;
}

/* Goes on to the later page when the first is used up. */
static void turn_page(PlaceQueue *queue)
{
    if (queue->page == NULL || queue->next == pg_rows_count(queue->page)) {
        pg_rows_free(queue->page);
        queue->page = queue->later;
        queue->later = NULL;
        queue->next = 0;
    }
}

static QueuedPlace read_row(Arena *arena, const char *blueprint, const PgRows *rows, size_t row)
{
    return (QueuedPlace){.place = {.id = arena_strdup(arena, pg_rows_text(rows, row, 0)),
                                   .version = pg_rows_int(rows, row, 1),
                                   .schema_name = arena_strdup(arena, pg_rows_text(rows, row, 2)),
                                   .owner_role = arena_strdup(arena, pg_rows_text(rows, row, 3)),
                                   .app_role = arena_strdup(arena, pg_rows_text(rows, row, 4)),
                                   .readonly_role = arena_strdup(arena, pg_rows_text(rows, row, 5)),
                                   .blueprint = blueprint,
                                   .tier = arena_strdup(arena, pg_rows_text(rows, row, 6))},
                         .is_plain = pg_rows_bool(rows, row, 7),
                         .is_quiet = pg_rows_bool(rows, row, 8)};
}

bool queue_take(PlaceQueue *queue, Arena *arena, QueuedPlace *ret_queued)
{
    pthread_mutex_lock(&queue->mutex);
    turn_page(queue);
    while (queue->page == NULL && !queue->is_last && !queue->is_closed) {
        pthread_cond_wait(&queue->is_more, &queue->mutex);
        turn_page(queue);
    }
    const bool is_there = queue->page != NULL && !queue->is_closed;
    if (is_there) {
        *ret_queued = read_row(arena, queue->plan->blueprint->name, queue->page, queue->next++);
    }
    pthread_mutex_unlock(&queue->mutex);
    return is_there;
}

/* Only who fills the queue writes what is read here without the lock. */
bool queue_fill(PlaceQueue *queue, Store *store, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    scoped_arena Arena *arena = arena_new();
    if (!store_query(store, ROLLOUT_QUEUE,
                     PG_PARAMS(pg_int_text(arena, queue->plan->job_id), queue->wave, queue->last_id,
                               pg_int_text(arena, (int64_t)queue->page_places)),
                     &rows, err)) {
        return false;
    }
    const size_t count = pg_rows_count(rows);
    pthread_mutex_lock(&queue->mutex);
    queue->is_last = count < queue->page_places;
    if (count > 0) {
        snprintf(queue->last_id, sizeof queue->last_id, "%s", pg_rows_text(rows, count - 1, 0));
        queue->later = rows;
        rows = NULL;
        turn_page(queue);
    }
    pthread_cond_broadcast(&queue->is_more);
    pthread_mutex_unlock(&queue->mutex);
    return true;
}
