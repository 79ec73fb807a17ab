/* Bringing the places of a blueprint to another version, in waves.
 *
 * A rollout is a job (job/job.h): interrupted at any point, it is resumed by its number. Each place
 * is one transaction as its owner role, in a guard, with the registry's version and ledger in it,
 * so that a place is at the old or at the new version and the ledger says which. A place that fails
 * is rolled back, recorded and quarantined; the others go on until more have failed in a wave than
 * it allows. */
#ifndef TENANTRY_ROLLOUT_ROLLOUT_H
#define TENANTRY_ROLLOUT_ROLLOUT_H

#include "job/job.h"

/* The steps of a rollout. The job's arguments, an object:
 *   blueprint         its name
 *   version           the version to reach
 *   down              bool: to an older version, by down scripts
 *   tenants           slugs, or null for all places
 *   where             an expression that chooses tenants (rollout/where.h), or null
 *   retry             bool: the places in quarantine instead of the others
 *   waves             "1,5%,25%,100%": how many places, in all, each wave ends with
 *   parallel          places at a time
 *   max-failures      "0", "3" or "2%": failed places that a wave allows
 *   lock-timeout, statement-timeout (milliseconds), retries
 *   on-failure        "stop", "continue" or "undo"
 *   trusted-keys      public keys, one of which must have signed each script; missing: no matter
 *   gate              a command that is run between waves, or null
 *   gate-drift, gate-lag, gate-lock-wait, gate-wal   what the other gates allow; 0: not asked */
extern const JobKind rollout_job, rollout_down_job, rollout_retry_job;

/* What a rollout with these arguments would do, without doing it: a list of objects with wave,
 * tier, from_version, to_version, places, files. The caller's. Refuses what the rollout would
 * refuse before it begins, but for another rollout that is under way. */
bool rollout_preview(Arena *arena, Store *store, const Json *args, Json **ret_list, Err *err);

/* The rules of isolation for a shared place whose scripts were run in the caller's transaction: one
 * may have given rights away where the lint cannot read it (EXECUTE in a DO block), and that must
 * not be committed. True where nobody has rows there yet. ERR_ISOLATION. */
bool rollout_require_shared(Arena *arena, Store *store, const char *place_id, Err *err);

/* Refuses a choice of tenants that cannot be one, before there is a job: slugs (NULL or empty:
 * all), which must be tenants with tables of their own, or an expression (NULL: none), which is
 * tried; whom it chooses is asked when the waves are planned. ERR_INPUT_INVALID,
 * ERR_TENANT_MISSING. */
bool rollout_check_choice(Arena *arena, Store *store, const char *blueprint, const Json *tenants,
                          const char *where, Err *err);

/* Checks the texts of waves and max_failures; ERR_INPUT_INVALID. */
bool rollout_check_waves(const char *waves, Err *err);
bool rollout_check_allowance(const char *max_failures, Err *err);

/* Whether a rollout may be resumed or aborted, and whether it runs and could be paused.
 * ERR_JOB_STATE, which says how it is and what may be done with it; ERR_JOB_MISSING. */
bool rollout_check_not_ended(Store *store, int64_t rollout, Err *err);
bool rollout_check_running(Store *store, int64_t rollout, Err *err);

/* What somebody wants of a rollout while it runs, or wanted: a column of its row. */
#define WANTED_PAUSE "pause"
#define WANTED_ABORT "abort"

#endif
