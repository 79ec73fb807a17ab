/* What the files of this module share. */
#ifndef TENANTRY_ROLLOUT_ROLLOUT_PARTS_H
#define TENANTRY_ROLLOUT_ROLLOUT_PARTS_H

#include "blueprint/locks.h"
#include "blueprint/place.h"
#include "blueprint/registry.h"
#include "rollout/rollout.h"

/* --- waves.c ---------------------------------------------------------------------------------- */

/* "1,5%,25%,100%" of total places as how many are done at the end of each wave, rising, the last
 * one total. ERR_INPUT_INVALID. */
bool waves_limits(Arena *arena, const char *waves, int64_t total, const int64_t **ret_limits,
                  size_t *ret_count, Err *err);

/* "3" or "2%" (of total, rounded down). */
bool allowance_of(const char *text, int64_t total, int64_t *ret_allowance, Err *err);

/* --- plan_time.c ------------------------------------------------------------------------------ */

/* A lock of a plan whose table is worked on while writers wait. */
typedef struct LockTime {
    const struct LockTime *next;
    Json *row;   /* of the plan's locks: gets largest_bytes, largest_ms and all_ms */
    Json *shown; /* what people see of the statement's locks... */
    size_t at;   /* ...and where in it */
    const char *table;
    int64_t version; /* of the script */
    LockWork work;
} LockTime;

/* Says of each lock how long it would be held in the largest place, and in all that are chosen as
 * for ROLLOUT_VERSIONS; *ret_all_ms: of all locks. By what PostgreSQL last counted. */
bool plan_add_times(Arena *arena, Store *store, const char *blueprint, const char *slugs,
                    const LockTime *times, int64_t *ret_all_ms, Err *err);

/* --- state.c ---------------------------------------------------------------------------------- */

/* ERR_ROLLOUT while another rollout of the blueprint than that of this job ("0": any) has places to
 * move. */
bool rollout_check_alone(Store *store, const char *blueprint, const char *job_id, Err *err);

#define WANTED_STOP "stop" /* a signal */

/* The wish that is in the rollout's row, or NULL. A constant. */
const char *rollout_wish(const char *text);

/* What somebody wants of this rollout now: WANTED_..., or NULL. */
bool rollout_read_wish(JobContext *context, const char **ret_wanted, Err *err);

/* --- preview.c -------------------------------------------------------------------------------- */

/* The parameters of tenantry.rollout_candidates, from a job's arguments. */
typedef struct Candidates {
    const char *blueprint;
    const char *target;
    const char *is_down;
    const char *slugs; /* NULL: all */
    const char *is_retry;
} Candidates;
/* With the tenants that --where chooses at this moment. ERR_INPUT_INVALID. */
bool candidates_of(Arena *arena, Store *store, const Json *args, Candidates *ret_candidates,
                   Err *err);

/* As text[], or NULL for all. */
const char *slug_array(Arena *arena, const Json *slugs);

/* "{1,50,100}" */
const char *waves_array(Arena *arena, const int64_t *limits, size_t count);

/* How many places there are, and at which versions. */
typedef struct CandidateRange {
    int64_t count;
    int64_t oldest;
    int64_t newest;
} CandidateRange;
bool candidates_count(Arena *arena, Store *store, const Json *args, CandidateRange *ret_range,
                      Err *err);

/* A retry goes up: ERR_INPUT_INVALID when a place in quarantine that is chosen is above its
 * version. */
bool rollout_check_retry(Arena *arena, Store *store, const Json *args, Err *err);

/* Nothing is begun that could not be taken back as it was asked for; ERR_NO_WAY_BACK. */
bool rollout_check_way_back(Arena *arena, Store *store, const Json *args,
                            const CandidateRange *range, Err *err);

/* --- place_turn.c ----------------------------------------------------------------------------- */

/* What every place of a rollout is moved with. Read-only while workers run, but for their stores.
 */
typedef struct RolloutPlan {
    int64_t job_id;
    const Blueprint *blueprint;
    Extensions extensions;
    int64_t target;
    const char *lock_timeout; /* with its unit */
    const char *statement_timeout;
    int64_t retries;
    const ScriptSteps *ups; /* of the scripts of each of the blueprint's migrations; mostly none */
    const ScriptSteps *downs;
    int64_t waves; /* those that were planned */
    bool is_down;
    bool is_undo; /* places that are done go back to the version that they came from */
    int64_t parallel;
    Store **stores; /* one for each worker, kept from wave to wave; NULL until it is needed */
} RolloutPlan;

/* A worker: what it has from one turn to the next. */
typedef struct Worker {
    Store *store;
    const RolloutPlan *plan;
    /* Asked between the steps of a place: it stays where it then stands. */
    bool (*is_stopping)(void *context);
    void *context;
    Arena *arena; /* has the way that the last place went; or NULL */
    PlaceWay way;
} Worker;
void worker_done(Worker *worker);

/* Takes a place, unless somebody else has it or moved it, and moves it, with retries; a connection
 * that is lost meanwhile is opened again, and the place's row says whether the COMMIT was applied.
 * `why` is what its first attempt failed with, or NULL. *ret_has_failed: for good; it is recorded.
 * False only when the rollout cannot go on at all: the server is gone, or its disk is full. */
bool place_turn(Worker *worker, const Place *place, const Err *why, bool *ret_has_failed, Err *err);

/* Takes the scripts of the plan's blueprint apart. */
bool plan_read_steps(Arena *arena, RolloutPlan *plan, Err *err);

/* --- place_queue.c ---------------------------------------------------------------------------- */

enum { UUID_SIZE = 37 }; /* as text */

/* A place that waits for its turn. */
typedef struct QueuedPlace {
    Place place;
    bool is_plain; /* nothing is known of it that takes more than one transaction */
    bool is_quiet; /* the server has no event trigger */
} QueuedPlace;

/* What is left to do of a wave, or of an undo; for several threads. */
typedef struct PlaceQueue PlaceQueue;
PlaceQueue *queue_new(Arena *arena, const RolloutPlan *plan, int64_t wave);
void queue_done(PlaceQueue *queue);

/* Takes the next one; waits while it has to be filled. False when there is none, or it is closed.
 */
bool queue_take(PlaceQueue *queue, Arena *arena, QueuedPlace *ret_queued);

/* Nobody takes another. */
void queue_close(PlaceQueue *queue);

/* Whether it should be filled soon; always from the same thread. */
bool queue_is_short(PlaceQueue *queue);
bool queue_fill(PlaceQueue *queue, Store *store, Err *err);

/* --- place_stream.c --------------------------------------------------------------------------- */

/* Places that take one transaction each, sent to the server while it is still at the one before. */
typedef struct Stream Stream;

Stream *stream_new(Arena *arena, Worker *worker);
void stream_done(Stream *stream);

/* Whether nothing should be added before one has landed; and whether none is under way. */
bool stream_is_full(const Stream *stream);
bool stream_is_empty(const Stream *stream);

/* Sends what moves a place, which is in an arena that is the stream's from then on. False for one
 * that takes more than that: it is the caller's still. */
bool stream_add(Stream *stream, Arena *arena, const QueuedPlace *queued);

/* Takes the answer for the one that was sent first. One that failed has its place_turn; so has one
 * that did not run because of that, unless is_over: then it stays as it is. Errors are those of
 * place_turn. */
bool stream_land(Stream *stream, bool is_over, bool *ret_has_failed, Err *err);

/* --- failure.c -------------------------------------------------------------------------------- */

/* What is recorded of a place that failed: code, message, hint and sqlstate of the error, and where
 * a statement of a script caused it, that statement with its file, line and column (neither line
 * nor column of a backfill's). The caller's. */
Json *failure_to_json(Arena *arena, const Blueprint *blueprint, const Err *why);

/* --- wave_rules.c ----------------------------------------------------------------------------- */

/* A wave, and which tenant of it was found whole before its end. */
typedef struct WaveRules {
    int64_t wave;
    bool waits_for_end;     /* there is nothing to ask before */
    char passed[UUID_SIZE]; /* "": none */
} WaveRules;

/* Once the wave has moved its first place, holds that against the rules of isolation while the wave
 * goes on, where its scripts leave one kind of place. What is wrong is told by wave_ask_rules,
 * which asks again. */
void wave_ask_early(JobContext *context, const RolloutPlan *plan, WaveRules *rules);

/* Holds what a wave moved against the rules. *ret_broken: which tenant breaks which, or NULL. */
bool wave_ask_rules(JobContext *context, const RolloutPlan *plan, const WaveRules *rules,
                    const char **ret_broken, Err *err);

/* --- pace.c ----------------------------------------------------------------------------------- */

/* How far it was when this process began with a wave, or with an undo. */
typedef struct RolloutPace {
    const RolloutPlan *plan;
    int64_t wave;
    bool is_at_gate;  /* before it: those after the wave before are asked */
    int64_t began_us; /* 0: nothing was told yet */
    int64_t first_left;
} RolloutPace;

/* Tells people how far the rollout is: wave, places, and how fast, how long still, how many failed.
 */
bool rollout_tell(JobContext *context, RolloutPace *pace, Err *err);

/* --- crew.c ----------------------------------------------------------------------------------- */

/* The places of a wave, the plan's `parallel` at a time, each worker on a connection of its own.
 * Ends when none can be taken, when more than `allowance` failed (-1: never) or when somebody wants
 * the rollout to stop (*ret_wanted: WANTED_..., or NULL). */
bool crew_run_wave(JobContext *context, const RolloutPlan *plan, WaveRules *rules,
                   int64_t allowance, const char **ret_wanted, Err *err);

/* Closes the connections that the workers kept. */
void crew_go(const RolloutPlan *plan);

/* --- gate.c ----------------------------------------------------------------------------------- */

/* Asks the gates between this wave, which ended, and the next one, until somebody wants the rollout
 * to stop (*ret_wanted: WANTED_..., or NULL): whoever resumes it asks them again. ERR_GATE. */
bool gates_pass(JobContext *context, const RolloutPlan *plan, int64_t wave, const char **ret_wanted,
                Err *err);

/* --- wave.c ----------------------------------------------------------------------------------- */

/* Places and creates that another session holds are asked for again this often, and given up when
 * nothing changed for so long. */
enum { HELD_PAUSE_MS = 200, HELD_MOST_MS = 60000 };

typedef struct RolloutCounts {
    int64_t total;
    int64_t pending;
    int64_t failed;
    int64_t done;
    int64_t to_undo; /* those that are done, and what failed behind its first version */
    int64_t charged; /* failed ones that count against what a wave allows */
} RolloutCounts;

/* Of one wave; 0: of all. */
bool rollout_counts(JobContext *context, int64_t wave, RolloutCounts *ret_counts, Err *err);

/* The job's number as a parameter. */
const char *rollout_id_text(JobContext *context);

/* ERR_ROLLOUT, with how to go on. Returns false. */
bool rollout_fail_stopped(JobContext *context, const char *why, Err *err);

/* What is wanted of the rollout happens: it ends here, or stops so that it can be resumed. */
bool rollout_obey(JobContext *context, const char *wanted, Err *err);

/* Moves the places of a wave. One that has places left is entered through the gates, also when the
 * rollout is resumed. */
bool wave_run(JobContext *context, const RolloutPlan *plan, int64_t wave, const char **ret_wanted,
              Err *err);

/* What a rollout goes back for: with that it fails in the end, however often its undo is begun
 * again. */
typedef struct RolloutFailure {
    ErrCode code;
    const char *what;
} RolloutFailure;

/* Places that this rollout moved go back to where they came from; those that it had not reached
 * stay there. Then the rollout fails with its RolloutFailure, context->lasting; one that was
 * resumed has none, and ends well. So does one that was aborted meanwhile: *ret_wanted is
 * WANTED_ABORT, otherwise NULL. */
bool rollout_undo(JobContext *context, RolloutPlan plan, const char **ret_wanted, Err *err);

#endif
