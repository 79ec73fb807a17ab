/* What people see of a rollout while it moves places. */
#include "core/clock.h"
#include "core/duration.h"
#include "rollout/rollout_parts.h"

enum { US_PER_S = 1000000, MS_PER_S = 1000 };

static const char *title_of(Arena *arena, const RolloutPace *pace)
{
    if (pace->plan->is_undo) {
        return "Taking places back";
    }
    if (pace->is_at_gate) {
        return arena_printf(arena, "Asking the gates after wave %lld", (long long)pace->wave - 1);
    }
    return pace->wave > pace->plan->waves
               ? "Moving places, tenants made meanwhile"
               : arena_printf(arena, "Moving places, wave %lld of %lld", (long long)pace->wave,
                              (long long)pace->plan->waves);
}

/* Rate and rest are those of this process since it began with the wave. */
static const char *detail_of(Arena *arena, const RolloutPace *pace, int64_t left, int64_t failed)
{
    const double seconds = (double)(clock_monotonic_us() - pace->began_us) / US_PER_S;
    const double rate = (double)(pace->first_left - left) / seconds;
    const char *failures = failed == 0 ? "" : arena_printf(arena, "%lld failed", (long long)failed);
    if (!(rate > 0)) {
        return failures;
    }
    const int64_t left_s = (int64_t)((double)left / rate) + 1;
    return arena_printf(arena, "%.*f/s, %s left%s%s", rate < 10 ? 1 : 0, rate,
                        duration_to_rough_text(arena, left_s * MS_PER_S), failed == 0 ? "" : ", ",
                        failures);
}

bool rollout_tell(JobContext *context, RolloutPace *pace, Err *err)
{
    RolloutCounts counts;
    scoped_arena Arena *arena = arena_new();
    if (!rollout_counts(context, 0, &counts, err)) {
        return false;
    }
    const int64_t left = pace->plan->is_undo ? counts.to_undo : counts.pending;
    if (pace->began_us == 0) {
        pace->began_us = clock_monotonic_us();
        pace->first_left = left;
    }
    const int64_t total = pace->plan->is_undo ? pace->first_left : counts.total;
    job_tell_more(context, title_of(arena, pace), detail_of(arena, pace, left, counts.failed),
                  total - left, total);
    return true;
}
