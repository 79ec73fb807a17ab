/* The keeper's loop. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "isolation/isolation.h"
#include "ops/keeper.h"
#include "tenant/spare.h"

enum {
    KEEPER_NICE = 19,
    POLL_MS = 1000, /* between two looks at what there is */
    YIELD_MS = 50,  /* between two spares */
    SLICE_MS = 50,  /* how long a signal waits at most */
    BUSY_MS = 2000, /* how long creates may hold up one spare: when they never pause, they are who
                       needs it */
    RENEW_PAUSE_MS = 60000,
    DROP_PAUSE_MS = 10000,
    FIRST_PAUSE_MS = 1000,
    LONGEST_PAUSE_MS = 30000,
    STOPPED_TRIES = 3, /* a server that is restarted has no pid file for a moment */
};

static volatile sig_atomic_t wants_stop;

static void on_stop(int number)
{
    (void)number;
    wants_stop = 1;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_flags = SA_RESTART};
    action.sa_handler = on_stop;
    sigemptyset(&action.sa_mask);
    wants_stop = 0;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

static void pause_ms(int64_t duration_ms)
{
    for (int64_t left_ms = duration_ms; left_ms > 0 && !wants_stop; left_ms -= SLICE_MS) {
        clock_sleep_ms(left_ms < SLICE_MS ? left_ms : SLICE_MS);
    }
}

/* own is the operation's context with the memory of one connection: a keeper lives long. */
typedef struct Keeper {
    OpContext *context;
    OpContext own;
    KeeperReport *report;
    const char *data_dir;
    bool is_with_server; /* ends when the embedded server was stopped */
    int lock_fd;         /* -1: an external database has no lock */
    int64_t renew_again_us;
    int64_t drop_again_us;
    int64_t stopped_tries;
} Keeper;

static void disconnect(Keeper *keeper)
{
    op_context_done(&keeper->own);
    keeper->own.arena = arena_free(keeper->own.arena);
}

static void connect_anew(Keeper *keeper)
{
    if (keeper->own.store == NULL) {
        disconnect(keeper);
        keeper->own = *keeper->context;
        keeper->own.store = NULL;
        keeper->own.arena = arena_new();
    }
}

/* Creates first: waits until none is under way. */
static bool wait_for_creates(Store *store, Err *err)
{
    for (int64_t waited_ms = 0; waited_ms < BUSY_MS && !wants_stop; waited_ms += SLICE_MS) {
        scoped_rows PgRows *rows = NULL;
        if (!store_query(store, SPARE_BUSY, PG_NO_PARAMS, &rows, err)) {
            return false;
        }
        if (!pg_rows_bool(rows, 0, 0)) {
            return true;
        }
        pause_ms(SLICE_MS);
    }
    return true;
}

/* What people read in "spare list". A key file is read anew when a key is not at hand; the
 * environment stays what it was when the keeper was started, whatever was rotated since. */
static const char *failure_text(Arena *arena, const Keeper *keeper, const Store *store,
                                const Err *why)
{
    const bool is_key = why->code == ERR_KEY_MISSING || why->code == ERR_KEY_WRONG;
    if (!is_key || store->options.keys.text == NULL) {
        return why->message;
    }
    const char *cure = keeper->is_with_server ? "run \"tenantry up\" again with the key of now"
                                              : "start it again with the key of now";
    return arena_printf(arena, "%s; the keeper has the master key that it was started with: %s",
                        why->message, cure);
}

/* A failure is the blueprint's and not the keeper's: it is noted where people see it, and tried
 * again later. Only a lost connection goes up. */
static bool note_failure(const Keeper *keeper, Store *store, const Json *row, const Err *why,
                         Err *err)
{
    scoped_arena Arena *arena = arena_new();
    const char *blueprint = json_get_text(row, "blueprint", "");
    if (why->code == ERR_PG_UNAVAILABLE || !pg_is_alive(store->conn)) {
        *err = *why;
        return false;
    }
    const char *text = failure_text(arena, keeper, store, why);
    log_warn("spare.failed", "a spare of blueprint \"%s\": %s", blueprint, text);
    return store_query(store, SPARE_FAILED,
                       PG_PARAMS(blueprint, json_get_text(row, "checksum", ""), text), NULL, err);
}

/* Not noted with the blueprint: what cannot be dropped now keeps no other from being made. */
static bool note_failed_drop(Keeper *keeper, const Store *store, const char *blueprint,
                             const Err *why, Err *err)
{
    keeper->drop_again_us = clock_monotonic_us() + DROP_PAUSE_MS * INT64_C(1000);
    log_warn("spare.failed", "dropping a spare of blueprint \"%s\": %s", blueprint, why->message);
    *err = *why;
    return why->code != ERR_PG_UNAVAILABLE && pg_is_alive(store->conn);
}

static bool drop_stale(Keeper *keeper, Store *store, const Json *row, bool *is_busy, Err *err)
{
    Err why;
    bool is_dropped = false;
    const SpareChoice choice = {.blueprint = json_get_text(row, "blueprint", "")};
    if (json_get_int(row, "stale", 0) == 0 || clock_monotonic_us() < keeper->drop_again_us) {
        return true;
    }
    if (!spare_drop_one(store, &choice, &is_dropped, &why)) {
        return note_failed_drop(keeper, store, choice.blueprint, &why, err);
    }
    keeper->report->dropped += is_dropped ? 1 : 0;
    *is_busy = *is_busy || is_dropped;
    if (is_dropped) {
        log_info("spare.dropped", "one of an older %s", choice.blueprint);
    }
    return true;
}

/* One between two pauses: there is no haste. */
static bool drop_surplus(Keeper *keeper, Store *store, const Json *row, Err *err)
{
    Err why;
    bool is_dropped = false;
    const char *blueprint = json_get_text(row, "blueprint", "");
    const int64_t most = json_get_int(row, "most", 0);
    if (json_get_int(row, "ready", 0) <= most || clock_monotonic_us() < keeper->drop_again_us) {
        return true;
    }
    if (!wait_for_creates(store, err)) {
        return false;
    }
    if (!spare_drop_surplus(store, blueprint, most, &is_dropped, &why)) {
        return note_failed_drop(keeper, store, blueprint, &why, err);
    }
    keeper->report->dropped += is_dropped ? 1 : 0;
    if (is_dropped) {
        log_info("spare.dropped", "one of %s that was more than %" PRId64, blueprint, most);
    }
    return true;
}

/* A spare is made the way that costs least, once that is known. In an arena of its own: a keeper
 * lives long. */
static void ensure_stamp(const Keeper *keeper, const char *blueprint)
{
    scoped_arena Arena *arena = arena_new();
    OpContext context = keeper->own;
    context.arena = arena;
    op_note_stamp(&context, blueprint);
}

/* What a blueprint's code has locked for the session would stay with it, also where it failed; the
 * keeper has no advisory locks of its own. A session that is gone has none. */
static bool unlock_session(Store *store, Err *err)
{
    return !pg_is_alive(store->conn) ||
           pg_query(store->conn, "SELECT pg_advisory_unlock_all()", PG_NO_PARAMS, NULL, err);
}

static bool make_missing(Keeper *keeper, Store *store, const Json *row, bool *is_busy, Err *err)
{
    Err why;
    SpareOutcome outcome = SPARE_ENOUGH;
    const int64_t target = json_get_int(row, "target", 0);
    const char *blueprint = json_get_text(row, "blueprint", "");
    if (json_get_int(row, "ready", 0) >= target) {
        return true;
    }
    if (!wait_for_creates(store, err)) {
        return false;
    }
    const int64_t begun_us = clock_monotonic_us();
    ensure_stamp(keeper, blueprint);
    const bool is_tried = spare_make(store, blueprint, target, isolation_require_spare, &outcome,
                                     &why);
    if (!unlock_session(store, err)) {
        return false;
    }
    if (!is_tried) {
        return note_failure(keeper, store, row, &why, err);
    }
    if (outcome == SPARE_MADE) {
        keeper->report->made++;
        *is_busy = true;
        log_info("spare.made", "one of %s after %" PRId64 " ms, %" PRId64 " are kept", blueprint,
                 (clock_monotonic_us() - begun_us) / 1000, target);
    }
    return true;
}

static bool renew(Keeper *keeper, Store *store, bool *is_busy, Err *err)
{
    Err why;
    bool is_renewed = false;
    if (clock_monotonic_us() < keeper->renew_again_us) {
        return true;
    }
    const bool is_tried = spare_renew_one(store, isolation_renew_place, &is_renewed, &why);
    if (!unlock_session(store, err)) {
        return false;
    }
    if (!is_tried) {
        /* Locked by somebody, or broken: when its day is over it is dropped like an old one. */
        keeper->renew_again_us = clock_monotonic_us() + RENEW_PAUSE_MS * INT64_C(1000);
        log_warn("spare.failed", "partitions of a spare: %s", why.message);
        *err = why;
        return why.code != ERR_PG_UNAVAILABLE && pg_is_alive(store->conn);
    }
    keeper->report->renewed += is_renewed ? 1 : 0;
    *is_busy = *is_busy || is_renewed;
    return true;
}

/* One spare per blueprint at most; *ret_is_busy tells that there may be more to do. */
static bool do_round(Keeper *keeper, bool *ret_is_busy, Err *err)
{
    Store *store = NULL;
    scoped_json Json *rows = NULL;
    size_t i = 0;
    const Json *row = NULL;
    *ret_is_busy = false;
    if (!op_store(&keeper->own, &store, err) || !renew(keeper, store, ret_is_busy, err) ||
        !spares_survey(&keeper->own, NULL, &rows, err)) {
        return false;
    }
    json_array_foreach(rows, i, row)
    {
        if (wants_stop) {
            break;
        }
        if (!drop_stale(keeper, store, row, ret_is_busy, err) ||
            !drop_surplus(keeper, store, row, err) ||
            (json_get_bool(row, "may_try", true) &&
             !make_missing(keeper, store, row, ret_is_busy, err))) {
            return false;
        }
    }
    return true;
}

/* The embedded server was stopped by other means than "down": it is not running, and has left no
 * pid file as it does when it is killed. "up" starts a new keeper with it. */
static bool was_server_stopped(Keeper *keeper, const Err *err)
{
    if (!keeper->is_with_server || keeper->lock_fd < 0) {
        return false;
    }
    scoped_arena Arena *arena = arena_new();
    const char *pid_file = arena_printf(arena, "%s/pg/postmaster.pid", keeper->data_dir);
    const bool is_stopped = err->code == ERR_SERVER_DOWN && !file_exists(pid_file);
    keeper->stopped_tries = is_stopped ? keeper->stopped_tries + 1 : 0;
    return keeper->stopped_tries >= STOPPED_TRIES;
}

static bool check_data_dir(const Keeper *keeper, Err *err)
{
    return keeper->lock_fd < 0 || keeper_has_lock(keeper->data_dir, keeper->lock_fd) ||
           ERR_SET(err, ERR_DATA_DIR, "start the keeper of the data directory that is meant",
                   "the data directory \"%s\" was removed, or another is in its place",
                   keeper->data_dir);
}

/* Waits after a round that failed, longer each time. */
static void wait_for_retry(Keeper *keeper, const Err *why, int64_t *pause)
{
    log_warn("keeper.retry", "%s; trying again in %" PRId64 " ms", why->message, *pause);
    disconnect(keeper);
    pause_ms(*pause);
    *pause = *pause * 2 < LONGEST_PAUSE_MS ? *pause * 2 : LONGEST_PAUSE_MS;
}

/* False when there is nothing to keep any more, though nobody asked for the end. */
static bool keep(Keeper *keeper, Err *err)
{
    int64_t failed_pause_ms = FIRST_PAUSE_MS;
    bool is_kept = true;
    bool is_over = false;
    while (!wants_stop && is_kept && !is_over) {
        Err why = {0};
        bool is_busy = false;
        connect_anew(keeper);
        if (do_round(keeper, &is_busy, &why)) {
            failed_pause_ms = FIRST_PAUSE_MS;
            pause_ms(is_busy ? YIELD_MS : POLL_MS);
        } else {
            wait_for_retry(keeper, &why, &failed_pause_ms);
        }
        is_kept = wants_stop || check_data_dir(keeper, err);
        is_over = was_server_stopped(keeper, &why);
        if (keeper->stopped_tries > 0) {
            failed_pause_ms = FIRST_PAUSE_MS; /* soon it is clear whether it was a restart */
        }
    }
    disconnect(keeper);
    return is_kept;
}

bool keeper_run(OpContext *context, bool is_with_server, KeeperReport *ret_report, Err *err)
{
    *ret_report = (KeeperReport){0};
    Keeper keeper = {.context = context,
                     .report = ret_report,
                     .data_dir = op_data_dir(context),
                     .is_with_server = is_with_server,
                     .lock_fd = -1};
    catch_signals();
    if (!op_has_external_database(context) && !keeper_lock(context, &keeper.lock_fd, err)) {
        return false;
    }
    /* The process yields to all others. The back end keeps its priority: one that waits for a
     * processor while it holds a lock of the catalogue would hold up creates. */
    setpriority(PRIO_PROCESS, 0, KEEPER_NICE);
    const bool is_kept = keep(&keeper, err);
    if (keeper.lock_fd >= 0) {
        close(keeper.lock_fd);
    }
    return is_kept;
}
