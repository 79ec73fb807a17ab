/* One wave of a rollout: its gates, its places, and what happens when too many fail. */
#include <string.h>

#include "core/clock.h"
#include "core/fault.h"
#include "core/log.h"
#include "rollout/rollout_parts.h"

const char *rollout_id_text(JobContext *context)
{
    return pg_int_text(context->arena, context->job_id);
}

bool rollout_counts(JobContext *context, int64_t wave, RolloutCounts *ret_counts, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, ROLLOUT_COUNTS,
                     PG_PARAMS(pg_int_text(arena, context->job_id),
                               wave == 0 ? NULL : pg_int_text(arena, wave)),
                     &rows, err)) {
        return false;
    }
    *ret_counts = (RolloutCounts){.total = pg_rows_int(rows, 0, 0),
                                  .pending = pg_rows_int(rows, 0, 1),
                                  .failed = pg_rows_int(rows, 0, 2),
                                  .done = pg_rows_int(rows, 0, 3),
                                  .to_undo = pg_rows_int(rows, 0, 4),
                                  .charged = pg_rows_int(rows, 0, 5)};
    return true;
}

bool rollout_fail_stopped(JobContext *context, const char *why, Err *err)
{
    ERR_SET(err, ERR_ROLLOUT, NULL, "rollout %lld stopped: %s", (long long)context->job_id, why);
    err_hint(err,
             "tenantry migrate status shows where; then tenantry migrate resume %lld, or abort "
             "%lld",
             (long long)context->job_id, (long long)context->job_id);
    return false;
}

static bool leave_rest(JobContext *context, Err *err)
{
    return store_query(context->store, ROLLOUT_LEAVE, PG_PARAMS(rollout_id_text(context)), NULL,
                       err);
}

/* Places that were dropped since, so that nobody waits for them. */
static bool leave_gone(JobContext *context, Err *err)
{
    return store_query(context->store, ROLLOUT_MARK_GONE, PG_PARAMS(rollout_id_text(context)), NULL,
                       err);
}

bool rollout_obey(JobContext *context, const char *wanted, Err *err)
{
    if (strcmp(wanted, WANTED_ABORT) == 0) {
        return leave_rest(context, err);
    }
    if (strcmp(wanted, WANTED_STOP) == 0) {
        return store_query(context->store, ROLLOUT_PAUSED, PG_PARAMS(rollout_id_text(context)),
                           NULL, err) &&
               rollout_fail_stopped(context, "it was interrupted, after the places under way", err);
    }
    return rollout_fail_stopped(context, "somebody paused it", err);
}

/* allowance -1: any number may fail. */
static bool is_spent(const RolloutCounts *counts, int64_t allowance)
{
    return allowance >= 0 && counts->charged > allowance;
}

/* Moves the places of a wave until none is left, more than `allowance` failed, or somebody wants
 * something else. A place can be held for a while by another session: that of a killed run whose
 * statement has not ended, or a purge. */
static bool drain(JobContext *context, const RolloutPlan *plan, WaveRules *rules, int64_t allowance,
                  RolloutCounts *ret_counts, const char **ret_wanted, Err *err)
{
    const int64_t wave = rules->wave;
    int64_t held_ms = 0;
    *ret_wanted = NULL;
    if (!leave_gone(context, err) || !rollout_counts(context, wave, ret_counts, err)) {
        return false;
    }
    for (;;) {
        const int64_t left = plan->is_undo ? ret_counts->to_undo : ret_counts->pending;
        if (left == 0 || is_spent(ret_counts, allowance) || *ret_wanted != NULL) {
            return true;
        }
        if (held_ms > HELD_MOST_MS) {
            return rollout_fail_stopped(context, "other sessions hold the places that are left",
                                        err);
        }
        if (!crew_run_wave(context, plan, rules,
                           allowance < 0 ? -1 : allowance - ret_counts->charged, ret_wanted, err) ||
            !leave_gone(context, err) || !rollout_counts(context, wave, ret_counts, err)) {
            return false;
        }
        const int64_t left_now = plan->is_undo ? ret_counts->to_undo : ret_counts->pending;
        held_ms = left_now < left ? 0 : held_ms + HELD_PAUSE_MS;
        if (held_ms > 0) {
            clock_sleep_ms(HELD_PAUSE_MS);
        }
    }
}

static bool undo_places(JobContext *context, RolloutPlan plan, const char **ret_wanted, Err *err)
{
    RolloutCounts counts = {0};
    WaveRules all_waves = {.waits_for_end = true};
    plan.is_undo = true;
    if (!drain(context, &plan, &all_waves, -1, &counts, ret_wanted, err)) {
        return false;
    }
    FAULT("rollout.undone");
    return *ret_wanted != NULL ? rollout_obey(context, *ret_wanted, err) : leave_rest(context, err);
}

/* What came of it, in words. *ret_is_whole: every place is as it was. */
static bool describe_undo(JobContext *context, bool is_aborted, bool *ret_is_whole,
                          const char **ret_text, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, ROLLOUT_CHANGED, PG_PARAMS(rollout_id_text(context)), &rows,
                     err)) {
        return false;
    }
    const int64_t changed = pg_rows_int(rows, 0, 0);
    *ret_is_whole = changed == 0;
    *ret_text = changed == 0
                    ? "the places that it had changed are as they were"
                    : arena_printf(context->arena, "%s: %lld",
                                   is_aborted ? "its undo was aborted, places that stay changed"
                                              : "places that could not be taken back",
                                   (long long)changed);
    return true;
}

/* Nobody else says it where the rollout does not fail. */
static void warn_changed(const JobContext *context, const char *text)
{
    const RolloutFailure *failure = context->lasting;
    log_warn("rollout.changed", "%s%s%s", failure == NULL ? "" : failure->what,
             failure == NULL ? "" : "; ", text);
}

static bool fail_undone(JobContext *context, const RolloutFailure *failure, bool is_whole,
                        const char *text, Err *err)
{
    rollout_fail_stopped(context, arena_printf(context->arena, "%s; %s", failure->what, text), err);
    err_hint(err, "tenantry migrate status shows what failed; tenantry migrate retry %s",
             is_whole ? "tries it" : "lets it out, then tenantry migrate down takes it back");
    err->code = failure->code;
    return false;
}

bool rollout_undo(JobContext *context, RolloutPlan plan, const char **ret_wanted, Err *err)
{
    bool is_whole = false;
    const char *text = NULL;
    const RolloutFailure *failure = context->lasting;
    if (!undo_places(context, plan, ret_wanted, err) ||
        !describe_undo(context, *ret_wanted != NULL, &is_whole, &text, err)) {
        return failure == NULL ? false : err_prefix(err, "%s; undoing", failure->what);
    }
    if (*ret_wanted == NULL && failure != NULL) {
        return fail_undone(context, failure, is_whole, text, err);
    }
    if (failure != NULL || !is_whole) {
        warn_changed(context, text);
    }
    return true;
}

/* A wave that was not good. That the rollout goes back from here is recorded before it does. True
 * only when somebody aborted it then. */
static bool fail_wave(JobContext *context, const RolloutPlan *plan, ErrCode code, const char *what,
                      const char **ret_wanted, Err *err)
{
    if (strcmp(json_get_text(context->args, "on-failure", "stop"), "undo") != 0) {
        rollout_fail_stopped(context, what, err);
        err->code = code;
        return false;
    }
    RolloutFailure *failure = ARENA_NEW(context->arena, RolloutFailure);
    *failure = (RolloutFailure){.code = code, .what = what};
    context->lasting = failure;
    return store_query(context->store, ROLLOUT_UNDO, PG_PARAMS(rollout_id_text(context)), NULL, err)
               ? rollout_undo(context, *plan, ret_wanted, err)
               : err_prefix(err, "%s; undoing", what);
}

/* More failed than the wave allows. */
static bool fail_counts(JobContext *context, const RolloutPlan *plan, int64_t wave,
                        const RolloutCounts *counts, const char **ret_wanted, Err *err)
{
    return fail_wave(context, plan, ERR_PLACES_FAILED,
                     arena_printf(context->arena, "%lld of %lld places failed in wave %lld",
                                  (long long)counts->charged, (long long)counts->total,
                                  (long long)wave),
                     ret_wanted, err);
}

static bool check_isolation(JobContext *context, const RolloutPlan *plan, const WaveRules *rules,
                            const char **ret_wanted, Err *err)
{
    const char *broken = NULL;
    return wave_ask_rules(context, plan, rules, &broken, err) &&
           (broken == NULL || fail_wave(context, plan, ERR_ISOLATION, broken, ret_wanted, err));
}

bool wave_run(JobContext *context, const RolloutPlan *plan, int64_t wave, const char **ret_wanted,
              Err *err)
{
    RolloutCounts counts = {0};
    WaveRules rules = {.wave = wave};
    int64_t allowance = -1;
    const Json *args = context->args;
    const char *on_failure = json_get_text(args, "on-failure", "stop");
    if (!rollout_counts(context, wave, &counts, err) ||
        (strcmp(on_failure, "continue") != 0 &&
         !allowance_of(json_get_text(args, "max-failures", "0"), counts.total, &allowance, err))) {
        return false;
    }
    /* The run that should have stopped here, or begun an undo, was killed. */
    if (is_spent(&counts, allowance)) {
        return fail_counts(context, plan, wave, &counts, ret_wanted, err);
    }
    /* What was moved before the rollout stopped or was killed is held against the rules again. */
    if (counts.pending == 0) {
        return check_isolation(context, plan, &rules, ret_wanted, err);
    }
    RolloutPace pace = {.plan = plan, .wave = wave, .is_at_gate = true};
    if (wave > 1 && (!rollout_tell(context, &pace, err) ||
                     !gates_pass(context, plan, wave - 1, ret_wanted, err))) {
        return false;
    }
    if (*ret_wanted != NULL) {
        return true;
    }
    if (!drain(context, plan, &rules, allowance, &counts, ret_wanted, err)) {
        return false;
    }
    FAULT("rollout.wave.moved");
    if (is_spent(&counts, allowance)) {
        return fail_counts(context, plan, wave, &counts, ret_wanted, err);
    }
    return check_isolation(context, plan, &rules, ret_wanted, err);
}
