/* What one login tries, and what came of it. */
#include <string.h>

#include "isolation/probe_parts.h"

/* --- what came of the attempts ---------------------------------------------------------------- */

static bool add_finding(ProbeLogin *login, const char *probe, const Finding *finding, Err *err)
{
    Finding full = *finding;
    full.check = isolation_find_check(probe);
    return isolation_add_finding(&login->result, &full, err);
}

/* A canary that could not be made says nothing: another table had one, or report says that none
 * had. In a table that takes one it was made, and what came after it (a temporary table) was
 * refused, which is an answer. */
static bool is_about_canary(const ProbeTargets *targets, const ProbeAttempt *attempt)
{
    if (attempt->kind->setup[0] != 'c' || attempt->phase != 'u') {
        return false;
    }
    bool was_made = false;
    for (size_t i = 0; i < targets->taker_count; i++) {
        was_made = was_made || targets->takers[i]->number == attempt->target->number;
    }
    return !was_made || strcmp(attempt->sqlstate, "42501") != 0;
}

/* Whether another statement of the same probe got an answer about the same target. */
static bool is_answered(const ProbeAttempts *attempts, const ProbeAttempt *attempt)
{
    for (size_t i = 0; i < attempts->count; i++) {
        const ProbeAttempt *other = &attempts->list[i];
        if (other->target == attempt->target && other->target != NULL &&
            strcmp(other->kind->probe, attempt->kind->probe) == 0 &&
            probe_judge(other) != PROBE_UNKNOWN) {
            return true;
        }
    }
    return false;
}

static void count_attempt(ProbeLogin *login, const char *probe)
{
    size_t count = 0;
    login->result.attempts[isolation_find_check(probe) - isolation_checks(&count)]++;
    login->result.probes++;
}

static void note_unknown(ProbeLogin *login, const ProbeSession *session,
                         const ProbeAttempts *attempts, const ProbeAttempt *attempt)
{
    if (is_answered(attempts, attempt)) {
        return;
    }
    probe_add_note(&login->notes, attempt->kind->probe,
                   arena_printf(login->arena,
                                "tenant \"%s\", login %s, %s: SQLSTATE %s says neither that it is "
                                "refused nor that it is not",
                                session->tenant->slug, session->role,
                                probe_object(login->arena, session, attempt), attempt->sqlstate));
}

/* The attempts of one login at one neighbour. */
static bool take_attempts(ProbeLogin *login, const ProbeSession *session,
                          const ProbeTargets *targets, const ProbeAttempts *attempts, Err *err)
{
    Arena *arena = login->arena;
    bool has_touched = false;
    for (size_t i = 0; i < attempts->count; i++) {
        const ProbeAttempt *attempt = &attempts->list[i];
        const ProbeVerdict verdict = probe_judge(attempt);
        if (is_about_canary(targets, attempt)) {
            continue;
        }
        count_attempt(login, attempt->kind->probe);
        if (verdict == PROBE_UNKNOWN) {
            note_unknown(login, session, attempts, attempt);
        }
        if (verdict != PROBE_BROKEN || (attempt->kind->on == ON_OWN_DEFINER && has_touched)) {
            continue; /* what one function read counts for those after it too */
        }
        has_touched = has_touched || attempt->kind->on == ON_OWN_DEFINER;
        const ProbeTenant *other = attempt->neighbour;
        if (!add_finding(login, attempt->kind->probe,
                         &(Finding){.tenant_id = session->tenant->id,
                                    .other_id = other == NULL ? NULL : other->id,
                                    .object = probe_object(arena, session, attempt),
                                    .evidence = probe_describe(arena, session, attempt),
                                    .mend = probe_mend(arena, session, attempt)},
                         err)) {
            return false;
        }
    }
    return true;
}

/* --- what is tried ---------------------------------------------------------------------------- */

/* A row of our own makes a leak visible without showing anybody's data. */
static bool prepare_canary(ProbeLogin *login, const ProbeSession *session, ProbeTargets *targets,
                           Err *err)
{
    const size_t tables = targets->first[ON_SHARED_TABLE + 1] - targets->first[ON_SHARED_TABLE];
    if (tables == 0 || session->is_readonly) {
        return true;
    }
    if (!probe_find_canary(login->arena, session, targets, err)) {
        return false;
    }
    if (targets->canary == NULL) {
        probe_add_note(&login->notes, "probe_shared_forged",
                       arena_printf(login->arena,
                                    "tenant \"%s\": no table of schema %s took a row of its own",
                                    session->tenant->slug, session->tenant->schema));
    }
    return true;
}

static bool open_session(const ProbeTurn *turn, const char *conninfo, PgConn **ret_conn, Err *err)
{
    PgTarget target = turn->target;
    target.conninfo = conninfo;
    return pg_open(&target, ret_conn, err);
}

bool probe_open_holder(const ProbeTurn *turn, size_t neighbour, PgConn **ret_conn, Err *err)
{
    return open_session(turn, turn->holders[neighbour], ret_conn, err);
}

/* With a second session, of a neighbour in the same place. What becomes of that one does not keep
 * ours from going on. */
static bool try_keys(ProbeLogin *login, const ProbeSession *session, size_t number,
                     const ProbeTargets *targets, Err *err)
{
    Err why;
    ProbeAttempts attempts;
    const ProbeTurn *turn = login->turn;
    const ProbeTenant *neighbour = &turn->neighbours.list[number];
    scoped_conn PgConn *holder = NULL;
    const bool is_ahead = number == 0 && turn->crew != NULL;
    if ((is_ahead ? probe_crew_take_holder(turn->crew, turn, &holder, &why)
                  : probe_open_holder(turn, number, &holder, &why)) &&
        probe_try_keys(login->arena, session, neighbour, targets, holder, &attempts, &why)) {
        return take_attempts(login, session, targets, &attempts, err);
    }
    if (!pg_is_alive(session->conn)) {
        *err = why;
        return false;
    }
    probe_add_note(&login->notes, "probe_shared_key",
                   arena_printf(login->arena, "tenant \"%s\", neighbour \"%s\": %s",
                                session->tenant->slug, neighbour->slug, why.message));
    return true;
}

/* What there is at a neighbour, or, when that is NULL, whoever the neighbours are. The targets are
 * this login's own: whether they are shut, and its canary, become known here. */
static bool try_targets(ProbeLogin *login, const ProbeSession *session,
                        const ProbeTenant *neighbour, ProbeTargets *targets, Err *err)
{
    ProbeAttempts attempts;
    if (!probe_knock(login->arena, session, targets, err) ||
        !prepare_canary(login, session, targets, err)) {
        return false;
    }
    probe_make_attempts(login->arena, session, neighbour, targets, &attempts);
    return probe_run_attempts(login->arena, session, &attempts, login->turn->options->pause_ms,
                              err) &&
           take_attempts(login, session, targets, &attempts, err);
}

static bool try_neighbour(ProbeLogin *login, const ProbeSession *session, size_t number, Err *err)
{
    const ProbeTurn *turn = login->turn;
    ProbeTargets targets = turn->targets[number];
    return try_targets(login, session, &turn->neighbours.list[number], &targets, err) &&
           (turn->holders[number] == NULL || targets.canary == NULL ||
            try_keys(login, session, number, &targets, err));
}

static bool try_reuse(ProbeLogin *login, const ProbeSession *session, Err *err)
{
    const char *left = NULL;
    count_attempt(login, "probe_pool");
    if (!probe_reuse_session(login->arena, session, &left, err)) {
        return false;
    }
    return left == NULL ||
           add_finding(
               login, "probe_pool",
               &(Finding){.tenant_id = session->tenant->id,
                          .object = arena_printf(login->arena, "login %s", session->role),
                          .evidence = arena_printf(
                              login->arena, "as role %s, %s was still there after DISCARD ALL",
                              session->role, left)},
               err);
}

bool probe_open_login(ProbeLogin *login, PgConn **ret_conn, Err *err)
{
    if (!open_session(login->turn, login->conninfo, ret_conn, err)) {
        return false;
    }
    login->conninfo = NULL;
    login->secrets = arena_free(login->secrets);
    return true;
}

/* Why it did not try everything: words of Tenantry's, since the last error may be an attempt's own.
 */
static bool give_up(const PgConn *conn, Err *err)
{
    const Err why = *err;
    if (!pg_is_alive(conn)) {
        return ERR_SET(err, ERR_PG_UNAVAILABLE, NULL,
                       "its session was ended before everything was tried");
    }
    return *why.sqlstate != '\0' &&
           ERR_SET(err, why.code, NULL, "what tries was refused with SQLSTATE %s", why.sqlstate);
}

static bool try_everything(ProbeLogin *login, PgConn *conn, Err *err)
{
    const ProbeTurn *turn = login->turn;
    const ProbeSession session = {.conn = conn,
                                  .tenant = turn->tenant,
                                  .role = login->role,
                                  .is_readonly = login->is_readonly,
                                  .is_thorough = turn->options->is_all_pairs,
                                  .control_pid = turn->control_pid};
    for (size_t i = 0; i < turn->neighbours.count; i++) {
        if (!try_neighbour(login, &session, i, err)) {
            return false;
        }
    }
    return try_targets(login, &session, NULL, &login->control, err) &&
           try_reuse(login, &session, err);
}

bool probe_try_login(ProbeLogin *login, PgConn *conn, Err *err)
{
    return try_everything(login, conn, err) || give_up(conn, err);
}
