/* Statements that cannot run in a transaction.
 *
 * They cannot run in the guard (blueprint/guard.c), which is a function. SET ROLE in a session of
 * the control role would not hold: PostgreSQL runs the functions of an index with restrictions
 * that keep them from changing the role, but what a constant's type does while a statement is
 * parsed (the check of a domain in an array) runs without them. So the owner itself logs in: with a
 * password that nobody knows, which is taken away, with the right to log in, before the statement
 * is sent. In that session there are no rights but the owner's.
 *
 * The session ends by itself within a second when this process dies. */
#include <string.h>

#include "core/clock.h"
#include "core/fault.h"
#include "core/log.h"
#include "pg/sql.h"
#include "rollout/turn.h"
#include "secret/secret.h"

enum { STEP_KEYS = 4 };

typedef struct Run {
    Turn *turn;
    const PlaceStep *step;
    const Alone *alone;
    const char *key[STEP_KEYS]; /* of the step's row */
    PgConn *control;            /* what is written here is committed at once */
    PgConn *owner;
} Run;
#define KEY(run) (run)->key[0], (run)->key[1], (run)->key[2], (run)->key[3]

static bool ask(Run *run, StatementId id, PgParams params, PgRows **ret_rows, Err *err)
{
    return pg_query_fixed(run->control, store_sql(id), params, ret_rows, err);
}

/* --- the owner's session ---------------------------------------------------------------------- */

static bool take_login(Run *run, Err *err)
{
    return pg_query(run->control,
                    SQL(run->turn->arena,
                        "ALTER ROLE {} NOLOGIN PASSWORD NULL VALID UNTIL 'infinity'",
                        sql_name(run->turn->arena, run->turn->place.owner_role)),
                    PG_NO_PARAMS, NULL, err);
}

static bool give_login(Run *run, const Password *password, Err *err)
{
    char verifier[SECRET_VERIFIER_SIZE];
    scoped_rows PgRows *until = NULL;
    Arena *arena = run->turn->arena;
    return password_scram_verifier(password, verifier, err) &&
           ask(run, STEP_UNTIL, PG_NO_PARAMS, &until, err) &&
           pg_query(run->control,
                    SQL(arena, "ALTER ROLE {} LOGIN PASSWORD {} VALID UNTIL {}",
                        sql_name(arena, run->turn->place.owner_role), sql_literal(verifier),
                        sql_literal(pg_rows_text(until, 0, 0))),
                    PG_NO_PARAMS, NULL, err);
}

static bool log_in(Run *run, const Password *password, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    PgTarget target = run->turn->store->options.target;
    target.conninfo = pg_uri_here(arena, run->control, run->turn->place.owner_role, password->text);
    target.retries = 0;
    if (pg_open(&target, &run->owner, err)) {
        return true;
    }
    err_prefix(err, "the owner role, which runs what cannot run in a transaction");
    if (err->code == ERR_PG_RIGHT_MISSING) {
        err_hint(err, "let roles of tenants log in with a password from here (pg_hba.conf)");
    }
    return false;
}

static bool set_up(Run *run, Err *err)
{
    Turn *turn = run->turn;
    return pg_query(
        run->owner,
        "SELECT set_config('lock_timeout', $1, false),"
        " set_config('statement_timeout', $2, false),"
        " set_config('client_connection_check_interval', '1s', false),"
        " set_config('search_path', $3, false)",
        PG_PARAMS(turn->plan->lock_timeout, turn->plan->statement_timeout,
                  place_search_path(turn->arena, &turn->plan->extensions, &turn->place)),
        NULL, err);
}

static bool open_owner(Run *run, Err *err)
{
    scoped_password Password *password = NULL;
    Err ignored;
    if (!password_new(&password, err) || !give_login(run, password, err)) {
        return false;
    }
    FAULT("rollout.step.login");
    const bool is_in = log_in(run, password, err);
    return take_login(run, is_in ? err : &ignored) && is_in && set_up(run, err);
}

/* The session of a run that was killed may not have ended. */
static bool wait_for_owner(Run *run, Err *err)
{
    for (int64_t held_ms = 0;; held_ms += HELD_PAUSE_MS) {
        scoped_rows PgRows *rows = NULL;
        if (!ask(run, STEP_SESSIONS, PG_PARAMS(run->turn->place.owner_role), &rows, err)) {
            return false;
        }
        if (pg_rows_int(rows, 0, 0) == 0) {
            return true;
        }
        if (held_ms > HELD_MOST_MS) {
            return ERR_SET(err, ERR_ROLLOUT, "look at pg_stat_activity, then resume the rollout",
                           "role \"%s\" still runs what an interrupted rollout began",
                           run->turn->place.owner_role);
        }
        clock_sleep_ms(HELD_PAUSE_MS);
    }
}

/* --- what an interrupted statement left ------------------------------------------------------- */

static bool leaves_indexes(const Run *run)
{
    return run->alone->kind == ALONE_CREATE_INDEX || run->alone->kind == ALONE_REINDEX;
}

/* Indexes that are not valid, and were not there, or were valid, when the statement began. */
static bool find_left(Run *run, PgRows **ret_rows, Err *err)
{
    return ask(run, STEP_LEFT,
               PG_PARAMS(KEY(run), run->turn->place.schema_name, run->alone->relation), ret_rows,
               err);
}

static bool drop_left(Run *run, Err *err)
{
    scoped_rows PgRows *left = NULL;
    Arena *arena = run->turn->arena;
    if (!leaves_indexes(run)) {
        return true;
    }
    if (!find_left(run, &left, err)) {
        return false;
    }
    for (size_t i = 0; i < pg_rows_count(left); i++) {
        const char *name = pg_rows_text(left, i, 1);
        log_info("rollout.left", "index \"%s\" of schema \"%s\" is not valid and is dropped", name,
                 pg_rows_text(left, i, 0));
        if (!pg_query(run->owner,
                      SQL(arena, "DROP INDEX CONCURRENTLY IF EXISTS {}.{}",
                          sql_name(arena, pg_rows_text(left, i, 0)), sql_name(arena, name)),
                      PG_NO_PARAMS, NULL, err)) {
            return err_prefix(err, "index \"%s\", which an interrupted statement left", name);
        }
    }
    return true;
}

/* Of a partition: whether it is none any more, or the first half of DETACH is done. */
static bool look_at_partition(Run *run, bool *ret_is_gone, bool *ret_is_pending, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!ask(run, STEP_DETACHED,
             PG_PARAMS(run->turn->place.schema_name, run->alone->relation, run->alone->partition),
             &rows, err)) {
        return false;
    }
    *ret_is_gone = pg_rows_count(rows) == 0;
    *ret_is_pending = !*ret_is_gone && pg_rows_bool(rows, 0, 0);
    return true;
}

/* Of an index: whether it is gone, or the first half of DROP is done. */
static bool look_at_index(Run *run, bool *ret_is_gone, bool *ret_is_pending, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!ask(run, STEP_INDEX, PG_PARAMS(run->turn->place.schema_name, run->alone->relation), &rows,
             err)) {
        return false;
    }
    *ret_is_gone = pg_rows_count(rows) == 0;
    *ret_is_pending = !*ret_is_gone && !pg_rows_bool(rows, 0, 0);
    return true;
}

static bool look_for_made(Run *run, bool *ret_is_made, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!ask(run, STEP_MADE,
             PG_PARAMS(KEY(run), run->turn->place.schema_name, run->alone->relation), &rows, err)) {
        return false;
    }
    *ret_is_made = pg_rows_int(rows, 0, 0) > 0;
    return true;
}

/* Whether a statement that was begun came to its end, or half of it did. VACUUM and REINDEX are
 * done again. */
static bool look(Run *run, bool *ret_is_done, bool *ret_is_half, Err *err)
{
    *ret_is_done = *ret_is_half = false;
    switch (run->alone->kind) {
    case ALONE_CREATE_INDEX:
        return look_for_made(run, ret_is_done, err);
    case ALONE_DETACH:
        return look_at_partition(run, ret_is_done, ret_is_half, err);
    case ALONE_DROP_INDEX:
        return look_at_index(run, ret_is_done, ret_is_half, err);
    case ALONE_REINDEX:
    case ALONE_VACUUM:
    case ALONE_COUNT_:
        break;
    }
    return true;
}

/* --- running ---------------------------------------------------------------------------------- */

/* The second half of DETACH has a statement of its own; DROP INDEX is the same one again. */
static const char *statement_of(const Run *run, bool is_half)
{
    Arena *arena = run->turn->arena;
    const SqlArg schema = sql_name(arena, run->turn->place.schema_name);
    if (run->alone->kind == ALONE_DETACH && is_half) {
        return SQL(arena, "ALTER TABLE {}.{} DETACH PARTITION {}.{} FINALIZE", schema,
                   sql_name(arena, run->alone->relation), schema,
                   sql_name(arena, run->alone->partition));
    }
    return run->step->step->statements[0].text;
}

/* The statement failed. When it left nothing, the place is as it was before the step. */
static void clean_up(Run *run)
{
    Err ignored;
    bool is_done = false;
    bool is_half = false;
    scoped_rows PgRows *left = NULL;
    if (!pg_is_alive(run->owner) || !drop_left(run, &ignored) ||
        !look(run, &is_done, &is_half, &ignored) || is_half ||
        (leaves_indexes(run) && (!find_left(run, &left, &ignored) || pg_rows_count(left) > 0))) {
        return;
    }
    ask(run, STEP_FORGET, PG_PARAMS(KEY(run)), NULL, &ignored);
}

static bool run_statement(Run *run, bool is_half, Err *err)
{
    if (pg_query(run->owner, statement_of(run, is_half), PG_NO_PARAMS, NULL, err)) {
        FAULT("rollout.step.ran");
        return true;
    }
    err_prefix(err, "%s",
               sql_statement_place(run->turn->arena, place_step_file(run->turn->arena, run->step),
                                   run->step->step->statements));
    clean_up(run);
    return false;
}

static bool begin(Run *run, Err *err)
{
    Arena *arena = run->turn->arena;
    if (!ask(run, STEP_START,
             PG_PARAMS(KEY(run), pg_int_text(arena, run->step->total), run->step->step->what,
                       run->turn->place.schema_name, run->alone->relation),
             NULL, err)) {
        return false;
    }
    FAULT("rollout.step.started");
    return true;
}

/* Nothing was run where the owner cannot log in. */
static bool open_first(Run *run, Err *err)
{
    if (open_owner(run, err)) {
        return true;
    }
    Err ignored;
    ask(run, STEP_FORGET, PG_PARAMS(KEY(run)), NULL, &ignored);
    return false;
}

static bool run_all(Run *run, bool is_new, Err *err)
{
    bool is_done = false;
    bool is_half = false;
    if (is_new) {
        return begin(run, err) && open_first(run, err) && run_statement(run, false, err);
    }
    if (!take_login(run, err) || !wait_for_owner(run, err) || !look(run, &is_done, &is_half, err)) {
        return false;
    }
    return is_done ||
           (open_owner(run, err) && drop_left(run, err) && run_statement(run, is_half, err));
}

/* The turn's own transaction waits meanwhile. Its newest answer would keep a snapshot, for whose
 * end CREATE INDEX CONCURRENTLY waits: a statement without one takes its place. */
static bool hold_still(Turn *turn, Err *err)
{
    return pg_query(turn->store->conn, "SET LOCAL idle_in_transaction_session_timeout = 0",
                    PG_NO_PARAMS, NULL, err);
}

bool turn_run_alone(Turn *turn, const PlaceStep *step, bool is_new, Err *err)
{
    Run run = {.turn = turn,
               .step = step,
               .alone = &step->step->alone,
               .key = {turn->place.id, pg_int_text(turn->arena, step->migration->version),
                       step->is_down ? "t" : "f", pg_int_text(turn->arena, step->number)}};
    const bool is_done = hold_still(turn, err) &&
                         store_connect(&turn->store->options, &run.control, err) &&
                         run_all(&run, is_new, err);
    run.owner = pg_close(run.owner);
    run.control = pg_close(run.control);
    return is_done;
}
