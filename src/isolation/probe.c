#include <string.h>

#include "isolation/probe_parts.h"
#include "pg/sql.h"
#include "tenant/tenant.h"

/* One call of isolation_probe. */
typedef struct Run {
    Arena *arena; /* of the result */
    Store *store;
    const ProbeOptions *options;
    IsolationResult *result;
    ProbeTargets control;
    int64_t control_pid;
    Unchecked *unchecked;
    size_t unchecked_count;
    size_t unchecked_capacity;
} Run;

/* One tenant's turn; its memory ends with it. */
typedef struct Turn {
    Arena *arena;
    Run *run;
    const ProbeTenant *tenant;
    size_t number; /* of the turn */
    ProbeTenants neighbours;
    ProbeTargets *targets; /* of each neighbour */
    ProbeTargets own;      /* what it may call itself */
} Turn;

static void add_unchecked(Run *run, const char *check_id, const char *reason)
{
    for (size_t i = 0; i < run->unchecked_count; i++) {
        if (strcmp(run->unchecked[i].check_id, check_id) == 0 &&
            strcmp(run->unchecked[i].reason, reason) == 0) {
            return;
        }
    }
    if (run->unchecked_count == run->unchecked_capacity) {
        run->unchecked_capacity = run->unchecked_capacity * 2 + 16;
        Unchecked *grown = ARENA_ARRAY(run->arena, Unchecked, run->unchecked_capacity);
        if (run->unchecked_count > 0) {
            memcpy(grown, run->unchecked, run->unchecked_count * sizeof *grown);
        }
        run->unchecked = grown;
    }
    run->unchecked[run->unchecked_count++] = (Unchecked){
        .check_id = arena_strdup(run->arena, check_id), .reason = arena_strdup(run->arena, reason)};
}

/* --- what came of the attempts
 * ---------------------------------------------------------------------- */

/* Both logins, and several statements of one probe, can find the same: isolation_probe keeps one.
 */
static bool add_finding(Run *run, const char *probe, const Finding *finding, Err *err)
{
    Finding full = *finding;
    full.check = isolation_find_check(probe);
    return isolation_add_finding(run->result, &full, err);
}

/* A canary that could not be made says nothing: another table had one, or report says that none
 * had. */
static bool is_about_canary(const ProbeAttempt *attempt)
{
    return attempt->kind->setup[0] == 'c' && attempt->phase == 'u';
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

static void note_unknown(Turn *turn, const ProbeSession *session, const ProbeAttempts *attempts,
                         const ProbeAttempt *attempt)
{
    if (is_about_canary(attempt) || is_answered(attempts, attempt)) {
        return;
    }
    add_unchecked(turn->run, attempt->kind->probe,
                  arena_printf(turn->arena,
                               "tenant \"%s\", login %s, %s: SQLSTATE %s says neither that it is "
                               "refused nor that it is not",
                               turn->tenant->slug, session->role,
                               probe_object(turn->arena, session, attempt), attempt->sqlstate));
}

/* The attempts of one login at one neighbour. */
static bool take_attempts(Turn *turn, const ProbeSession *session, const ProbeAttempts *attempts,
                          Err *err)
{
    Arena *arena = turn->arena;
    bool has_touched = false;
    for (size_t i = 0; i < attempts->count; i++) {
        const ProbeAttempt *attempt = &attempts->list[i];
        const ProbeVerdict verdict = probe_judge(attempt);
        turn->run->result->probes++;
        if (verdict == PROBE_UNKNOWN) {
            note_unknown(turn, session, attempts, attempt);
        }
        if (verdict != PROBE_BROKEN || (attempt->kind->on == ON_OWN_DEFINER && has_touched)) {
            continue; /* what one function read counts for those after it too */
        }
        has_touched = has_touched || attempt->kind->on == ON_OWN_DEFINER;
        if (!add_finding(
                turn->run, attempt->kind->probe,
                &(Finding){.tenant_id = turn->tenant->id,
                           .other_id = attempt->neighbour == NULL ? NULL : attempt->neighbour->id,
                           .object = probe_object(arena, session, attempt),
                           .evidence = probe_describe(arena, session, attempt),
                           .mend = probe_mend(arena, session, attempt)},
                err)) {
            return false;
        }
    }
    return true;
}

/* --- one login
 * -------------------------------------------------------------------------------------- */

/* A row of our own makes a leak visible without showing anybody's data. */
static bool prepare_canary(Turn *turn, const ProbeSession *session, ProbeTargets *targets, Err *err)
{
    const size_t tables = targets->first[ON_SHARED_TABLE + 1] - targets->first[ON_SHARED_TABLE];
    if (tables == 0 || session->is_readonly) {
        return true;
    }
    if (!probe_find_canary(turn->arena, session, targets, err)) {
        return false;
    }
    if (targets->canary == NULL) {
        add_unchecked(turn->run, "probe_shared_forged",
                      arena_printf(turn->arena,
                                   "tenant \"%s\": no table of schema %s took a row of its own",
                                   turn->tenant->slug, turn->tenant->schema));
    }
    return true;
}

static bool try_neighbour(Turn *turn, const ProbeSession *session, const ProbeTenant *neighbour,
                          ProbeTargets *targets, Err *err)
{
    ProbeAttempts attempts;
    if (!probe_knock(turn->arena, session, targets, err) ||
        !prepare_canary(turn, session, targets, err)) {
        return false;
    }
    probe_make_attempts(turn->arena, session, neighbour, targets, &attempts);
    return probe_run_attempts(turn->arena, session, &attempts, turn->run->options->pause_ms, err) &&
           take_attempts(turn, session, &attempts, err);
}

/* What there is for every tenant, and what its plan says. */
static bool try_control(Turn *turn, const ProbeSession *session, Err *err)
{
    ProbeTargets targets = {.arena = turn->arena};
    for (size_t i = 0; i < turn->run->control.count; i++) {
        probe_add_target(&targets, &turn->run->control.list[i]);
    }
    if (!probe_find_plan_targets(turn->arena, turn->run->store, turn->tenant, session->is_readonly,
                                 &targets, err)) {
        return false;
    }
    probe_sort_targets(&targets);
    return try_neighbour(turn, session, NULL, &targets, err);
}

static bool try_reuse(Turn *turn, const ProbeSession *session, Err *err)
{
    const char *left = NULL;
    turn->run->result->probes++;
    if (!probe_reuse_session(turn->arena, session, &left, err)) {
        return false;
    }
    return left == NULL ||
           add_finding(
               turn->run, "probe_pool",
               &(Finding){.tenant_id = turn->tenant->id,
                          .object = arena_printf(turn->arena, "login %s", session->role),
                          .evidence = arena_printf(
                              turn->arena, "as role %s, %s was still there after DISCARD ALL",
                              session->role, left)},
               err);
}

static bool try_everything(Turn *turn, const ProbeSession *session, Err *err)
{
    for (size_t i = 0; i < turn->neighbours.count; i++) {
        if (!try_neighbour(turn, session, &turn->neighbours.list[i], &turn->targets[i], err)) {
            return false;
        }
    }
    return try_control(turn, session, err) && try_reuse(turn, session, err);
}

static bool open_session(Turn *turn, const TenantLogin *login, ProbeSession *ret_session, Err *err)
{
    scoped_arena Arena *arena = arena_new(); /* of the password */
    PgTarget target = turn->run->store->options.target;
    target.conninfo = pg_uri(arena, turn->run->store->conn, login->role, login->password->text);
    target.keeps_role_settings = true;
    target.retries = 0;
    *ret_session = (ProbeSession){.tenant = turn->tenant,
                                  .role = login->role,
                                  .is_thorough = turn->run->options->is_all_pairs,
                                  .is_readonly = strcmp(login->kind, "readonly") == 0,
                                  .control_pid = turn->run->control_pid};
    return pg_open(&target, &ret_session->conn, err);
}

/* A login that does not work is reported, and the next one is tried: the control session decides
 * whether the run can go on. */
static bool try_login(Turn *turn, const TenantLogin *login, Err *err)
{
    ProbeSession session = {.conn = NULL};
    const bool is_good = open_session(turn, login, &session, err) &&
                         try_everything(turn, &session, err);
    pg_close(session.conn);
    if (is_good || !pg_is_alive(turn->run->store->conn)) {
        return is_good;
    }
    add_unchecked(turn->run, "probes",
                  arena_printf(turn->arena, "tenant \"%s\", login %s: %s", turn->tenant->slug,
                               login->role, err->message));
    return true;
}

/* --- one tenant
 * ------------------------------------------------------------------------------------- */

/* One pair a turn: of the tenant's own blueprint and of another by turns, where there are both. */
static void choose_one(Turn *turn)
{
    ProbeTenants *neighbours = &turn->neighbours;
    if (neighbours->count > 1 && turn->number % 2 == 1) {
        neighbours->list++;
    }
    neighbours->count = neighbours->count > 0;
}

static bool list_neighbours(Turn *turn, Err *err)
{
    const ProbeOptions *options = turn->run->options;
    const bool is_one = options->tenant_id != NULL;
    const int64_t most = options->is_all_pairs          ? 0
                         : is_one && options->pairs > 0 ? options->pairs
                                                        : 1;
    if (!probe_list_neighbours(turn->arena, turn->run->store, turn->tenant, options->seed, most,
                               &turn->neighbours, err)) {
        return false;
    }
    if (!is_one && options->pairs > 0 && !options->is_all_pairs) {
        choose_one(turn);
    }
    return true;
}

static bool find_neighbours(Turn *turn, Err *err)
{
    const int64_t seed = turn->run->options->seed;
    if (!list_neighbours(turn, err) ||
        !probe_find_own_targets(turn->run->store, turn->tenant, &turn->own, err)) {
        return false;
    }
    turn->targets = ARENA_ARRAY(turn->arena, ProbeTargets, turn->neighbours.count);
    for (size_t i = 0; i < turn->neighbours.count; i++) {
        ProbeTargets *targets = &turn->targets[i];
        if (!probe_find_targets(turn->arena, turn->run->store, turn->tenant,
                                &turn->neighbours.list[i], seed, targets, err)) {
            return false;
        }
        for (size_t j = 0; j < turn->own.count; j++) {
            probe_add_target(targets, &turn->own.list[j]);
        }
        probe_sort_targets(targets);
    }
    if (turn->neighbours.count == 0) {
        add_unchecked(
            turn->run, "probes",
            arena_printf(turn->arena, "tenant \"%s\" has no neighbour", turn->tenant->slug));
    }
    return true;
}

/* The passwords; a tenant whose cannot be opened is reported. */
static bool find_logins(Turn *turn, TenantLogin logins[TENANT_LOGINS], size_t *ret_count, Err *err)
{
    const Tenant tenant = {.id = turn->tenant->id, .slug = turn->tenant->slug};
    *ret_count = 0;
    if (strcmp(turn->tenant->state, "active") != 0) {
        add_unchecked(turn->run, "probes",
                      arena_printf(turn->arena, "tenant \"%s\" is %s: its logins are shut",
                                   turn->tenant->slug, turn->tenant->state));
        return true;
    }
    if (tenant_logins(turn->arena, turn->run->store, &tenant, true, logins, ret_count, err)) {
        return true;
    }
    add_unchecked(turn->run, "probes",
                  arena_printf(turn->arena, "tenant \"%s\": %s", turn->tenant->slug, err->message));
    return pg_is_alive(turn->run->store->conn);
}

static bool take_turn(Run *run, const ProbeTenant *tenant, size_t number, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    Turn turn = {
        .arena = arena, .run = run, .tenant = tenant, .number = number, .own = {.arena = arena}};
    TenantLogin logins[TENANT_LOGINS];
    size_t count = 0;
    if (!find_logins(&turn, logins, &count, err)) {
        return false;
    }
    bool is_good = count == 0 || find_neighbours(&turn, err);
    for (size_t i = 0; i < count; i++) {
        is_good = is_good && try_login(&turn, &logins[i], err);
        logins[i].password = password_free(logins[i].password);
    }
    return is_good;
}

static bool start_run(Run *run, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query_row(run->store->conn, "SELECT pg_backend_pid()", PG_NO_PARAMS, &rows, err) ||
        !probe_find_control_targets(run->arena, run->store, &run->control, err)) {
        return false;
    }
    run->control_pid = pg_rows_int(rows, 0, 0);
    return true;
}

/* What this run could not check goes behind what others could not. */
static void merge_unchecked(Run *run)
{
    const size_t before = run->result->unchecked_count;
    Unchecked *all = ARENA_ARRAY(run->arena, Unchecked, before + run->unchecked_count);
    for (size_t i = 0; i < before; i++) {
        all[i] = run->result->unchecked[i];
    }
    for (size_t i = 0; i < run->unchecked_count; i++) {
        all[before + i] = run->unchecked[i];
    }
    run->result->unchecked = all;
    run->result->unchecked_count = before + run->unchecked_count;
}

bool isolation_probe(Arena *arena, Store *store, const ProbeOptions *options,
                     IsolationResult *result, Err *err)
{
    Run run = {.arena = arena, .store = store, .options = options, .result = result};
    ProbeTenants tenants;
    if (!start_run(&run, err) || !probe_list_tenants(arena, store, options, &tenants, err)) {
        return false;
    }
    bool is_good = true;
    for (size_t i = 0; i < tenants.count && is_good; i++) {
        is_good = take_turn(&run, &tenants.list[i], i, err);
        if (options->on_progress != NULL) {
            options->on_progress(options->progress_context, (int64_t)i + 1, (int64_t)tenants.count);
        }
    }
    merge_unchecked(&run);
    isolation_finish_findings(&result->list);
    return is_good;
}
