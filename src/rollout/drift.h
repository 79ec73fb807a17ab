/* Drift: places that are not what their version should be.
 *
 * The structural fingerprint of every place (blueprint/fingerprint.h) is computed and compared in
 * the server, a few hundred places in a query. What a place should be is the stamp's fingerprint
 * for the newest version of the schema tier, and otherwise that of a place that is made by the
 * migrations of its version and rolled back. Only for places that differ are the objects read.
 *
 * Nothing of a place is changed. A spare that differs is marked, so that no create claims it and
 * whoever keeps spares drops it. Everything blocks; not within a transaction. */
#ifndef TENANTRY_ROLLOUT_DRIFT_H
#define TENANTRY_ROLLOUT_DRIFT_H

#include "blueprint/blueprint.h"
#include "store/store.h"
#include "store/tenants.h"

typedef enum DriftState {
    DRIFT_SAME,
    DRIFT_FOUND,   /* objects are missing, different or not expected */
    DRIFT_GONE,    /* the schema is not there */
    DRIFT_UNKNOWN, /* what it should be cannot be made */
    DRIFT_MOVED,   /* it is being changed at this moment, or was meanwhile: not judged */
} DriftState;

const char *drift_state_name(DriftState state);

/* A place that was compared. */
typedef struct DriftPlace {
    Place place;
    const char *slug;      /* NULL for a spare and for shared tables */
    const char *tenant_id; /* in a baseline only; NULL as slug is */
    bool is_spare;
    bool is_newest;  /* at the newest version of its blueprint */
    bool is_locked;  /* its tenant is suspended, archived, or on the way there */
    bool is_adopted; /* its schema was there before, and has a name that somebody chose */
    DriftState state;
    int64_t differences;
    const char *why; /* of DRIFT_UNKNOWN; else NULL */
} DriftPlace;

/* One object that is not as it should be. */
typedef struct DriftDifference {
    const DriftPlace *place;
    const char *kind;     /* "column" */
    const char *name;     /* "notes.title" */
    const char *expected; /* NULL: not expected */
    const char *found;    /* NULL: missing */
    const char *mend;     /* statements that would mend it, or NULL where none is safe */
} DriftDifference;

typedef struct DriftOptions {
    const char *blueprint; /* NULL: all */
    const char *tenant;    /* a slug; NULL: all. In the row tier: the tables that it shares */
    const char *places;    /* their ids as uuid[]; NULL: all */
    int64_t parallel;      /* connections that compare */
    int64_t most;          /* differences that are told; all are counted */
    void *context;
    void (*progress)(void *context, int64_t done, int64_t total); /* may be NULL */
} DriftOptions;

typedef struct DriftReport {
    int64_t checked;
    const DriftPlace *places; /* all of them, by blueprint, tier, version and schema */
    int64_t difference_count; /* told */
    const DriftDifference *differences;
    int64_t found; /* DRIFT_FOUND and DRIFT_GONE */
    int64_t unknown;
    int64_t moved;
    int64_t spares_dropped; /* marked */
} DriftReport;

/* The whole fleet, or a part of it. */
bool drift_verify(Arena *arena, Store *store, const DriftOptions *options, DriftReport *ret_report,
                  Err *err);

/* --- one place, within the caller's transaction */

/* What a place of this version of a blueprint should be: the fingerprint that is kept with its
 * stamp, and where none is kept, or a place differs from it, a place that is made and rolled back
 * to a savepoint. name: of a schema that is no random word, which is left as it is; or NULL. The
 * blueprint and the name must outlive it. */
typedef struct DriftExpected DriftExpected;
bool drift_expect(Arena *arena, Store *store, const Blueprint *blueprint, Tier tier,
                  const char *name, DriftExpected **ret_expected, Err *err);

typedef enum DriftDepth {
    DRIFT_ALL,
    DRIFT_STRUCTURE, /* without owners, rights and roles: a schema that is no place yet */
} DriftDepth;

/* The objects that differ; at most `most` of them are told, all are counted in place->differences.
 */
bool drift_check(Arena *arena, Store *store, DriftExpected *expected, DriftPlace *place,
                 DriftDepth depth, int64_t most, const DriftDifference **ret_differences, Err *err);

/* "column \"notes.title\" is missing", in the arena. */
const char *drift_difference_text(Arena *arena, const DriftDifference *difference);

#endif
