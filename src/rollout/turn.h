/* One place while it is a worker's, and what its turn is made of. Internal to the module. */
#ifndef TENANTRY_ROLLOUT_TURN_H
#define TENANTRY_ROLLOUT_TURN_H

#include "rollout/rollout_parts.h"

typedef struct Turn {
    Arena *arena; /* for one transaction of it */
    Worker *worker;
    Store *store;
    const RolloutPlan *plan;
    int64_t attempt;
    const Err *why; /* the first attempt was made, and failed; or NULL */
    Place place;
    int64_t way_back;  /* the version that an undo goes to; once it has begun, where it came from */
    bool has_begun;    /* a part of its way was committed */
    const char *state; /* of its row; NULL: it was never taken */
    bool is_between;   /* it stands between two steps, on the way up or down: */
    bool is_between_down;
} Turn;

/* --- place_turn.c ----------------------------------------------------------------------------- */

/* The way from one version to another, kept until another one is wanted: most places of a fleet go
 * the same. */
bool worker_read_way(Worker *worker, int64_t from, int64_t to, Err *err);

/* --- place_steps.c ---------------------------------------------------------------------------- */

/* What a transaction of the turn does: brings the place to another version, through scripts that
 * have no steps; or a step of the next script. */
typedef struct Leg {
    int64_t target;
    const BlueprintMigration *migration; /* NULL: the first kind */
    const ScriptSteps *steps;
    bool is_down;
} Leg;

/* The first leg of the way to target. ERR_ROLLOUT when the place stands between two steps of a way
 * in the other direction. */
bool turn_next_leg(Turn *turn, int64_t target, Leg *ret_leg, Err *err);

/* Does the next step of a leg that has steps and commits. */
bool turn_run_step(Turn *turn, const Leg *leg, Err *err);

/* Ends what was done to the shared tables of the row tier, in the caller's transaction: partitions,
 * and rollout_require_shared. */
bool turn_keep_shared(Turn *turn, Err *err);

/* Adds what is committed with each part of a way: the rollout's row knows that there is a way back,
 * and the session's time-outs, which the scripts may have set. */
void turn_add_begun(Turn *turn, PgBatch *batch);

/* --- place_alone.c ---------------------------------------------------------------------------- */

/* Runs a statement that cannot run in a transaction, in a session that is logged in as the owner:
 * whatever code of the tenant it sets off has nobody else's rights there. The turn's own
 * transaction stays open and keeps the place. is_new is false for one that was begun before and
 * did not come to its end: what that left behind is taken away first. */
bool turn_run_alone(Turn *turn, const PlaceStep *step, bool is_new, Err *err);

/* --- place_batch.c ---------------------------------------------------------------------------- */

/* Makes the batch of a backfill that comes after the key `last` (NULL: the first) and commits;
 * then the pause. */
bool turn_run_batch(Turn *turn, const PlaceStep *step, const char *last, Err *err);

#endif
