/* A key that all tenants share tells which values the others have: a row with such a value waits
 * until the one who was first commits or rolls back. Nothing of that shows in one session. */
#include "isolation/probe_parts.h"

/* The two sessions of a try. */
typedef struct KeyTry {
    Arena *arena;
    const ProbeSession *session;
    PgConn *holder;
} KeyTry;

/* Without pauses: others of the neighbour's may wait for its rows meanwhile. */
static bool run_beside(const KeyTry *try, const char *const *holds, ProbeAttempts *attempts,
                       bool *ret_is_held, Err *err)
{
    if (!probe_hold_rows(try->arena, try->holder, holds, attempts->count, ret_is_held, err)) {
        return false;
    }
    const bool is_good = probe_run_attempts(try->arena, try->session, attempts, 0, err);
    pg_rollback(try->holder);
    return is_good;
}

/* Somebody else may have made ours wait. It was the neighbour's row when ours passes without it,
 * and waits with it once more. */
static bool confirm(const KeyTry *try, const char *hold, ProbeAttempt *attempt, Err *err)
{
    bool is_held = false;
    ProbeAttempts one = {.list = attempt, .count = 1};
    if (!probe_run_attempts(try->arena, try->session, &one, 0, err)) {
        return false;
    }
    if (probe_judge(attempt) == PROBE_HELD) {
        return run_beside(try, &hold, &one, &is_held, err);
    }
    attempt->phase = 'u'; /* says nothing */
    return true;
}

bool probe_try_keys(Arena *arena, const ProbeSession *session, const ProbeTenant *neighbour,
                    const ProbeTargets *targets, PgConn *holder, ProbeAttempts *ret_attempts,
                    Err *err)
{
    const KeyTry try = {.arena = arena, .session = session, .holder = holder};
    const char **holds = NULL;
    ProbeAttempts attempts;
    probe_make_key_attempts(arena, session, neighbour, targets, &holds, &attempts);
    bool *is_held = ARENA_ARRAY(arena, bool, attempts.count);
    if (!run_beside(&try, holds, &attempts, is_held, err)) {
        return false;
    }
    size_t kept = 0;
    for (size_t i = 0; i < attempts.count; i++) {
        ProbeAttempt *attempt = &attempts.list[i];
        if (is_held[i] && probe_judge(attempt) == PROBE_BROKEN &&
            !confirm(&try, holds[i], attempt, err)) {
            return false;
        }
        if (is_held[i]) {
            attempts.list[kept++] = *attempt;
        }
    }
    attempts.count = kept;
    *ret_attempts = attempts;
    return true;
}
