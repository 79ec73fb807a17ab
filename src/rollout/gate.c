/* Gates: what is asked between two waves. The table says what; each has an option of its own.
 *
 * A gate that is shut stops the rollout, and is asked again when it is resumed. One that cannot see
 * what it would measure says so and is open: it has nothing against going on. */
#include <string.h>

#include "core/array.h"
#include "core/clock.h"
#include "core/duration.h"
#include "core/process.h"
#include "rollout/drift.h"
#include "rollout/rollout_parts.h"

/* What may be over in a moment is asked again before it stops a rollout. */
enum { COMMAND_TIMEOUT_MS = 600000, ASK_TIMES = 3, ASK_PAUSE_MS = 1000 };

/* A gate that is being asked. */
typedef struct Asked {
    JobContext *context;
    const RolloutPlan *plan;
    int64_t wave;  /* that ended */
    int64_t limit; /* what the option says, where it is a number */
    const char **ret_wanted;
} Asked;

typedef struct Gate {
    const char *name;
    const char *option; /* of the job's arguments; missing or 0: it is not asked */
    bool is_passing;    /* what shuts it may be over in a moment */
    /* *ret_shut: what was measured and what the limit is; NULL: it is open. */
    bool (*ask)(const Asked *asked, const char **ret_shut, Err *err);
    const char *advice; /* where to look */
} Gate;

static void note(const Asked *asked, const char *text)
{
    if (asked->context->progress.note != NULL) {
        asked->context->progress.note(asked->context->progress.context, text);
    }
}

static const char *limit_text(const Asked *asked)
{
    return pg_int_text(asked->context->arena, asked->limit);
}

static const char *in_words(Arena *arena, int64_t ms)
{
    return duration_to_text(arena, ms);
}

/* --- lock waits ------------------------------------------------------------------------------- */

static bool ask_lock_wait(const Asked *asked, const char **ret_shut, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    Arena *arena = asked->context->arena;
    if (!store_query(asked->context->store, GATE_LOCK_WAITS, PG_PARAMS(limit_text(asked)), &rows,
                     err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return true;
    }
    *ret_shut = arena_printf(
        arena,
        "%s of the database's sessions wait for a lock for longer than %s, process %s (role "
        "\"%s\") for %s, behind process %s",
        pg_rows_text(rows, 0, 0), in_words(arena, asked->limit), pg_rows_text(rows, 0, 1),
        pg_rows_text(rows, 0, 2), in_words(arena, pg_rows_int(rows, 0, 3)),
        pg_rows_text(rows, 0, 4));
    return true;
}

/* --- replication ------------------------------------------------------------------------------ */

static bool ask_lag(const Asked *asked, const char **ret_shut, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    Store *store = asked->context->store;
    Arena *arena = asked->context->arena;
    if (!store_query(store, GATE_REPLICATION, PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return true;
    }
    if (!pg_rows_bool(rows, 0, 0)) {
        note(asked, arena_printf(arena,
                                 "the gate \"lag\" cannot see how far the standbys (%zu) are "
                                 "behind: GRANT pg_read_all_stats TO \"%s\"",
                                 pg_rows_count(rows), pg_conn_user(store->conn)));
        return true;
    }
    /* The one that is furthest behind comes first. */
    const int64_t lag_ms = pg_rows_int(rows, 0, 2);
    if (lag_ms > asked->limit) {
        *ret_shut = arena_printf(arena, "standby \"%s\" is %s behind, the limit is %s",
                                 pg_rows_text(rows, 0, 1), in_words(arena, lag_ms),
                                 in_words(arena, asked->limit));
    }
    return true;
}

static bool ask_wal(const Asked *asked, const char **ret_shut, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(asked->context->store, GATE_SLOTS, PG_PARAMS(limit_text(asked)), &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) > 0) {
        *ret_shut = arena_printf(
            asked->context->arena,
            "the replication slot \"%s\", which %s, keeps %s MiB of WAL, the limit is %s MiB",
            pg_rows_text(rows, 0, 0),
            pg_rows_bool(rows, 0, 1) ? "is read from" : "nobody reads from",
            pg_rows_text(rows, 0, 2), limit_text(asked));
    }
    return true;
}

/* --- drift ------------------------------------------------------------------------------------ */

static const char *tell_difference(Arena *arena, const DriftDifference *difference)
{
    const DriftPlace *place = difference->place;
    return arena_printf(arena, "%s \"%s\" of %s \"%s\" %s", difference->kind, difference->name,
                        place->slug == NULL ? "schema" : "tenant",
                        place->slug == NULL ? place->place.schema_name : place->slug,
                        difference->expected == NULL ? "is not expected"
                        : difference->found == NULL  ? "is missing"
                                                     : "is another");
}

static void tell_drift(const Asked *asked, const DriftReport *report, const char **ret_shut)
{
    Arena *arena = asked->context->arena;
    if (report->unknown > 0) {
        note(asked,
             arena_printf(arena, "the gate \"drift\" cannot tell what version %lld should be",
                          (long long)asked->plan->target));
    }
    if (report->found > 0) {
        *ret_shut = arena_printf(
            arena, "%lld of %lld places that were looked at differ from %s%s%s",
            (long long)report->found, (long long)report->checked, "what their version should be",
            report->difference_count > 0 ? ", first: " : "",
            report->difference_count > 0 ? tell_difference(arena, &report->differences[0]) : "");
    }
}

/* Other places in each rollout, the same ones each time that one is resumed. */
static bool ask_drift(const Asked *asked, const char **ret_shut, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    DriftReport report;
    Arena *arena = asked->context->arena;
    Store *store = asked->context->store;
    if (!store_query(store, GATE_SAMPLE,
                     PG_PARAMS(rollout_id_text(asked->context), pg_int_text(arena, asked->wave),
                               limit_text(asked)),
                     &rows, err)) {
        return false;
    }
    const char *places = pg_rows_text(rows, 0, 0);
    if (places == NULL) {
        return true;
    }
    if (!drift_verify(arena, store,
                      &(DriftOptions){.blueprint = asked->plan->blueprint->name,
                                      .places = places,
                                      .parallel = 1,
                                      .most = 1},
                      &report, err)) {
        return false;
    }
    tell_drift(asked, &report, ret_shut);
    return true;
}

/* --- a command -------------------------------------------------------------------------------- */

/* What it prints is for people, line by line. */
static void note_lines(const Asked *asked, const char *text)
{
    while (*text != '\0') {
        const size_t length = strcspn(text, "\n");
        const size_t shown = length > 0 && text[length - 1] == '\r' ? length - 1 : length;
        note(asked, arena_strndup(asked->context->arena, text, shown));
        text += length + (text[length] == '\n' ? 1 : 0);
    }
}

/* Where the wish cannot be read, the next statement says why. */
static bool is_unwanted(void *opaque)
{
    Err ignored;
    const Asked *asked = opaque;
    return rollout_read_wish(asked->context, asked->ret_wanted, &ignored) &&
           *asked->ret_wanted != NULL;
}

static bool ask_command(const Asked *asked, const char **ret_shut, Err *err)
{
    Arena *arena = asked->context->arena;
    const char *command = json_get_text(asked->context->args, "gate", NULL);
    const char *const argv[] = {"/bin/sh", "-c", command, NULL};
    const char *const env[] = {
        arena_printf(arena, "TENANTRY_ROLLOUT=%lld", (long long)asked->context->job_id),
        arena_printf(arena, "TENANTRY_WAVE=%lld", (long long)asked->wave), NULL};
    Asked mine = *asked;
    ProcessResult result = {0};
    if (!process_run(arena,
                     &(ProcessOptions){.argv = argv,
                                       .env = env,
                                       .timeout_ms = COMMAND_TIMEOUT_MS,
                                       .is_unwanted = is_unwanted,
                                       .context = &mine},
                     &result, err)) {
        return false;
    }
    note_lines(asked, result.output);
    if (result.is_unwanted) {
        return true;
    }
    if (result.is_timeout) {
        *ret_shut = arena_printf(arena, "the command did not end within %s",
                                 in_words(arena, COMMAND_TIMEOUT_MS));
    } else if (result.exit_status != 0) {
        *ret_shut = arena_printf(arena, "the command ended with %d", result.exit_status);
    }
    return true;
}

/* --- all of them ------------------------------------------------------------------------------ */

/* The cheapest first; the user's command last, since it may do something. */
static const Gate gates[] = {
    {"lock-wait", "gate-lock-wait", true, ask_lock_wait,
     "pg_stat_activity and pg_blocking_pids() show who waits for whom"},
    {"lag", "gate-lag", true, ask_lag, "pg_stat_replication shows the standbys"},
    {"wal", "gate-wal", true, ask_wal,
     "pg_replication_slots shows it; one that nobody needs fills the disk: drop it"},
    {"drift", "gate-drift", false, ask_drift, "tenantry migrate verify shows all differences"},
    {"command", "gate", false, ask_command, "it is the command of --gate"},
};

static bool is_asked(const Json *args, const Gate *gate, int64_t *ret_limit)
{
    *ret_limit = json_get_int(args, gate->option, 0);
    return *ret_limit > 0 || json_get_text(args, gate->option, NULL) != NULL;
}

static bool ask(const Gate *gate, const Asked *asked, const char **ret_shut, Err *err)
{
    for (int i = 0; i < ASK_TIMES; i++) {
        *ret_shut = NULL;
        if (!gate->ask(asked, ret_shut, err) ||
            !rollout_read_wish(asked->context, asked->ret_wanted, err)) {
            return err_prefix(err, "the gate \"%s\" after wave %lld", gate->name,
                              (long long)asked->wave);
        }
        if (*ret_shut == NULL || !gate->is_passing || *asked->ret_wanted != NULL) {
            return true;
        }
        if (i + 1 < ASK_TIMES) {
            clock_sleep_ms(ASK_PAUSE_MS);
        }
    }
    return true;
}

bool gates_pass(JobContext *context, const RolloutPlan *plan, int64_t wave, const char **ret_wanted,
                Err *err)
{
    const long long id = (long long)context->job_id;
    Asked asked = {.context = context, .plan = plan, .wave = wave, .ret_wanted = ret_wanted};
    for (size_t i = 0; i < ARRAY_COUNT(gates) && *ret_wanted == NULL; i++) {
        const char *shut = NULL;
        if (!is_asked(context->args, &gates[i], &asked.limit)) {
            continue;
        }
        if (!ask(&gates[i], &asked, &shut, err)) {
            return false;
        }
        if (shut != NULL && *ret_wanted == NULL) {
            ERR_SET(err, ERR_GATE, NULL,
                    "rollout %lld stopped: the gate \"%s\" after wave %lld is shut: %s", id,
                    gates[i].name, (long long)wave, shut);
            err_hint(err,
                     "%s; then tenantry migrate resume %lld asks again, or tenantry migrate abort "
                     "%lld",
                     gates[i].advice, id, id);
            return false;
        }
    }
    return true;
}
