/* Saying at which version places stand, without running anything: for those that were moved by
 * hand, or adopted at the wrong version. */
#ifndef TENANTRY_ROLLOUT_BASELINE_H
#define TENANTRY_ROLLOUT_BASELINE_H

#include "job/job.h"
#include "rollout/drift.h"

/* The job. Its arguments: blueprint; version; tenants (slugs, none for all places);
 * allow-drift. Refused (ERR_DRIFT) where a place is not what the version should be, unless
 * allow-drift says to take it as it is; refused (ERR_ROLLOUT) while a rollout is under way. */
extern const JobKind baseline_job;

typedef struct BaselineReport {
    DriftPlace *places; /* compared with the version, .place.version as registered until now */
    size_t count;
    int64_t drifted; /* places that differ */
    const DriftDifference *differences;
    size_t difference_count; /* told */
    int64_t differing;       /* objects that differ, in all */
} BaselineReport;

/* What the job would compare and find: within the caller's transaction, which locks the places'
 * rows of the registry. At most `most` differences are told. */
bool baseline_look(Arena *arena, Store *store, const Json *args, int64_t most,
                   BaselineReport *ret_report, Err *err);

#endif
