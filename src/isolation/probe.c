#include <stdlib.h>
#include <string.h>

#include "isolation/probe_parts.h"

/* One call of isolation_verify. */
typedef struct Run {
    Arena *arena; /* of the result */
    Store *store;
    const ProbeOptions *options;
    IsolationResult *result;
    ProbeNotes notes;
    ProbeTenants tenants;
    ProbeTargets control;
    int64_t control_pid;
    ProbeCrew *crew;
    int64_t *attempts;  /* by each check */
    const char **tried; /* slugs of tenants */
    size_t tried_count;
    size_t begun; /* turns */
    size_t done;
} Run;

/* --- turns that are done ---------------------------------------------------------------------- */

static void add_notes(Run *run, const ProbeNotes *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        const Unchecked *note = &notes->list[i];
        if (note->untried != NULL) {
            probe_add_untried(&run->notes, note->untried, note->reason);
        } else {
            probe_add_note(&run->notes, note->check_id, note->reason);
        }
    }
}

static void add_attempts(Run *run, const IsolationResult *made)
{
    size_t count = 0;
    (void)isolation_checks(&count);
    for (size_t i = 0; i < count; i++) {
        run->attempts[i] += made->attempts[i];
    }
    run->result->probes += made->probes;
}

/* A login that does not work is noted: the control session decides whether the run can go on. */
static bool take_login(Run *run, ProbeTurn *turn, ProbeLogin *login, Err *err)
{
    const FindingList *list = &login->result.list;
    bool is_meant = false;
    if (!login->is_good && pg_is_alive(run->store->conn) &&
        !probe_look_again(run->store, turn, login, &is_meant, err)) {
        return false;
    }
    add_attempts(run, &login->result);
    add_notes(run, &login->notes);
    for (size_t i = 0; i < list->count; i++) {
        if (!isolation_add_finding(run->result, &list->findings[i], err)) {
            return false;
        }
    }
    if (!login->is_good && !pg_is_alive(run->store->conn)) {
        *err = login->err;
        return false;
    }
    if (!login->is_good && !is_meant) {
        probe_add_untried(&run->notes, arena_printf(login->arena, "login %s", login->role),
                          arena_printf(login->arena, "tenant \"%s\", login %s: %s",
                                       turn->tenant->slug, login->role, login->err.message));
    }
    return true;
}

static void note_tried(Run *run, const ProbeTurn *turn)
{
    int64_t probes = 0;
    for (size_t i = 0; i < turn->login_count; i++) {
        probes += turn->logins[i].result.probes;
    }
    if (probes > 0) {
        run->tried[run->tried_count++] = turn->tenant->slug;
    }
}

/* Takes what came of the oldest turn. In the order of the turns, so that the same run has the same
 * result however fast each was. */
static bool take_turn(Run *run, Err *err)
{
    const ProbeOptions *options = run->options;
    ProbeTurn *turn = probe_crew_wait(run->crew);
    bool is_good = true;
    add_notes(run, &turn->notes);
    turn->crew = NULL;
    for (size_t i = 0; i < turn->login_count; i++) {
        is_good = is_good && take_login(run, turn, &turn->logins[i], err);
    }
    note_tried(run, turn);
    probe_free_turn(turn);
    run->done++;
    if (options->on_progress != NULL) {
        options->on_progress(options->progress_context, (int64_t)run->done,
                             (int64_t)run->tenants.count);
    }
    return is_good;
}

/* --- turns that begin ------------------------------------------------------------------------- */

static bool give_turn(Run *run, Err *err)
{
    Arena *arena = arena_new();
    ProbeTurn *turn = ARENA_NEW(arena, ProbeTurn);
    *turn = (ProbeTurn){.arena = arena,
                        .options = run->options,
                        .tenant = &run->tenants.list[run->begun],
                        .number = run->begun,
                        .crew = run->crew,
                        .control_pid = run->control_pid,
                        .notes = {.arena = arena}};
    if (!probe_begin_turn(run->store, turn, err)) {
        probe_free_turn(turn);
        return false;
    }
    run->begun++;
    probe_crew_add(run->crew, turn);
    turn->is_found = probe_find_for_turn(run->store, &run->control, turn, err);
    probe_crew_go(run->crew, turn, turn->is_found);
    return turn->is_found;
}

/* As many as may be under way. */
static bool give_turns(Run *run, Err *err)
{
    bool is_good = true;
    while (is_good && run->begun < run->tenants.count &&
           run->begun - run->done < PROBE_MOST_TURNS) {
        is_good = give_turn(run, err);
    }
    return is_good;
}

static bool take_turns(Run *run, Err *err)
{
    bool is_good = true;
    while (is_good && run->done < run->begun) {
        is_good = take_turn(run, err) && give_turns(run, err);
    }
    return is_good;
}

/* After a failure the turns that have begun still end. */
static void drain_turns(Run *run)
{
    Err other;
    while (run->done < run->begun) {
        (void)take_turn(run, &other);
    }
}

/* --- the run ---------------------------------------------------------------------------------- */

static bool start_run(Run *run, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    /* With a pause there is one attempt at a time in all. */
    const size_t sessions = run->options->pause_ms > 0 ? 1 : PROBE_SESSIONS;
    if (!pg_query_row(run->store->conn, "SELECT pg_backend_pid()", PG_NO_PARAMS, &rows, err) ||
        !probe_list_tenants(run->arena, run->store, run->options, &run->tenants, err) ||
        !probe_find_control_targets(run->arena, run->store, &run->control, err)) {
        return false;
    }
    if (run->tenants.count == 0 && run->options->pairs > 0) {
        probe_add_note(&run->notes, "probes", "no tenant is active: nobody could log in");
    }
    size_t checks = 0;
    (void)isolation_checks(&checks);
    run->attempts = ARENA_ARRAY(run->arena, int64_t, checks);
    run->tried = ARENA_ARRAY(run->arena, const char *, run->tenants.count);
    run->control_pid = pg_rows_int(rows, 0, 0);
    return probe_crew_start(run->arena, sessions, &run->crew, err);
}

/* What this run could not check goes behind what others could not. */
static void merge_unchecked(Run *run)
{
    const size_t before = run->result->unchecked_count;
    Unchecked *all = ARENA_ARRAY(run->arena, Unchecked, before + run->notes.count);
    for (size_t i = 0; i < before; i++) {
        all[i] = run->result->unchecked[i];
    }
    for (size_t i = 0; i < run->notes.count; i++) {
        all[before + i] = run->notes.list[i];
    }
    run->result->unchecked = all;
    run->result->unchecked_count = before + run->notes.count;
}

static int compare_slugs(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* At the end, since the rules fill the result anew. */
static void add_counts(Run *run)
{
    if (run->tried_count > 0) {
        qsort(run->tried, run->tried_count, sizeof *run->tried, compare_slugs);
    }
    run->result->attempts = run->attempts;
    run->result->tried = run->tried;
    run->result->tried_count = run->tried_count;
}

/* The logins of the first turns connect and try while this session asks the rules. */
static bool run_beside_rules(Run *run, Err *err)
{
    const bool is_good = give_turns(run, err) &&
                         isolation_check_rules(run->arena, run->store, run->options->tenant_id,
                                               run->result, err) &&
                         take_turns(run, err);
    drain_turns(run);
    probe_crew_stop(run->crew);
    return is_good;
}

bool isolation_verify(Arena *arena, Store *store, const ProbeOptions *options,
                      IsolationResult *ret_result, Err *err)
{
    IsolationResult result = {.list = {.arena = arena}};
    Run run = {.arena = arena,
               .store = store,
               .options = options,
               .result = &result,
               .notes = {.arena = arena}};
    if (!start_run(&run, err) || !run_beside_rules(&run, err)) {
        return false;
    }
    merge_unchecked(&run);
    add_counts(&run);
    isolation_finish_findings(&result.list);
    *ret_result = result;
    return true;
}
