/* What people may do with a rollout depends on its state, as "migrate status" shows it. */
#include <string.h>

#include "core/array.h"
#include "core/stop.h"
#include "rollout/rollout_parts.h"

/* In the order of how little may still be done with it. */
typedef enum Going { GOING_RUNS, GOING_WAITS, GOING_TAKEN_BACK, GOING_ENDED } Going;

/* Every state of ROLLOUT_LIST. */
static const struct {
    const char *state;
    Going going;
} goings[] = {
    {"running", GOING_RUNS},      {"interrupted", GOING_WAITS}, {"paused", GOING_WAITS},
    {"stopped", GOING_WAITS},     {"aborted", GOING_ENDED},     {"cancelled", GOING_ENDED},
    {"undone", GOING_TAKEN_BACK}, /* a resume tries once more what could not be taken back */
    {"done", GOING_ENDED},
};

typedef struct Standing {
    const char *id;
    const char *blueprint;
    const char *state;
    Going going;
} Standing;

static bool read_standing(Arena *arena, Store *store, const char *id, Standing *ret_standing,
                          Err *err)
{
    scoped_json Json *list = NULL;
    if (!store_query_list(store, ROLLOUT_LIST, PG_PARAMS(NULL, "1", id), &list, err)) {
        return false;
    }
    const Json *row = json_array_get(list, 0);
    if (row == NULL) {
        return ERR_SET(err, ERR_JOB_MISSING, "tenantry migrate status lists them",
                       "there is no rollout %s", id);
    }
    const char *state = json_get_text(row, "state", "");
    *ret_standing = (Standing){id, arena_strdup(arena, json_get_text(row, "blueprint", "")),
                               arena_strdup(arena, state), GOING_ENDED};
    for (size_t i = 0; i < ARRAY_COUNT(goings); i++) {
        if (strcmp(goings[i].state, state) == 0) {
            ret_standing->going = goings[i].going;
        }
    }
    return true;
}

static void hint_going(const Standing *standing, Err *err)
{
    const char *id = standing->id;
    switch (standing->going) {
    case GOING_RUNS:
        err_hint(err, "wait for it, or: tenantry migrate pause %s, or: tenantry migrate abort %s",
                 id, id);
        break;
    case GOING_WAITS:
        err_hint(err,
                 "tenantry migrate resume %s goes on with it, tenantry migrate abort %s ends it",
                 id, id);
        break;
    case GOING_TAKEN_BACK:
    case GOING_ENDED:
        err_hint(err, "tenantry migrate up %s begins another", standing->blueprint);
        break;
    }
}

bool rollout_check_alone(Store *store, const char *blueprint, const char *job_id, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    scoped_rows PgRows *rows = NULL;
    Standing open;
    if (!store_query(store, ROLLOUT_OPEN, PG_PARAMS(blueprint, job_id), &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return true;
    }
    if (!read_standing(arena, store, pg_rows_text(rows, 0, 0), &open, err)) {
        return false;
    }
    ERR_SET(err, ERR_ROLLOUT, NULL,
            "rollout %s of blueprint \"%s\" is %s, and there can be but one at a time", open.id,
            blueprint, open.state);
    hint_going(&open, err);
    return false;
}

static bool require(Store *store, int64_t rollout, Going most, const char *why, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    Standing standing;
    if (!read_standing(arena, store, pg_int_text(arena, rollout), &standing, err)) {
        return false;
    }
    if (standing.going > most) {
        ERR_SET(err, ERR_JOB_STATE, NULL, "rollout %s is %s%s", standing.id, standing.state, why);
        hint_going(&standing, err);
        return false;
    }
    return true;
}

bool rollout_check_not_ended(Store *store, int64_t rollout, Err *err)
{
    return require(store, rollout, GOING_TAKEN_BACK, "", err);
}

bool rollout_check_running(Store *store, int64_t rollout, Err *err)
{
    return require(store, rollout, GOING_RUNS, ", nothing runs that could pause", err);
}

const char *rollout_wish(const char *text)
{
    static const char *const wishes[] = {WANTED_PAUSE, WANTED_ABORT};
    for (size_t i = 0; text != NULL && i < ARRAY_COUNT(wishes); i++) {
        if (strcmp(text, wishes[i]) == 0) {
            return wishes[i];
        }
    }
    return NULL;
}

/* A rollout can take days: memory is this call's. */
bool rollout_read_wish(JobContext *context, const char **ret_wanted, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    scoped_rows PgRows *rollout = NULL;
    if (!store_query(context->store, ROLLOUT_GET, PG_PARAMS(pg_int_text(arena, context->job_id)),
                     &rollout, err)) {
        return false;
    }
    *ret_wanted = stop_is_requested() ? WANTED_STOP : rollout_wish(pg_rows_text(rollout, 0, 3));
    return true;
}
