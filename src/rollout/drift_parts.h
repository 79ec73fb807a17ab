/* What the files of drift share. */
#ifndef TENANTRY_ROLLOUT_DRIFT_PARTS_H
#define TENANTRY_ROLLOUT_DRIFT_PARTS_H

#include "blueprint/fingerprint.h"
#include "blueprint/registry.h"
#include "rollout/drift.h"

/* --- drift_reference.c ------------------------------------------------------------------------ */

/* How an object of the reference is made again; see drift_mend.sql. */
typedef struct DriftRecipe {
    const char *kind;
    const char *name;
    const char *statement; /* with the reference's names */
    const char *shape;
    const char *needed; /* the table that it is on, or NULL */
} DriftRecipe;

/* What a view or function stands on; see drift_level.sql. */
typedef struct DriftLevel {
    const char *kind;
    const char *name;
    int64_t level;
    const char *routine; /* a function with schema and types, as statements name it; or NULL */
    bool is_held;        /* something stands on it that does not go by itself */
} DriftLevel;

typedef struct DriftLevels {
    const DriftLevel *list;
    size_t count;
} DriftLevels;

/* What places of one blueprint, tier and version should be. */
typedef struct DriftReference {
    const char *fingerprint;
    const Place *place; /* that was made and rolled back; NULL: only the fingerprint is known */
    const FingerprintLine *lines;
    size_t line_count;
    const DriftRecipe *recipes; /* by kind and name */
    size_t recipe_count;
    DriftLevels levels;
} DriftReference;

/* Makes a place of the blueprint's version, reads all of it and rolls it back. alias: the name of
 * the shared schema, in the row tier. */
bool drift_reference_make(Arena *arena, Store *store, const Blueprint *blueprint, Tier tier,
                          const char *alias, DriftReference *ret_reference, Err *err);

/* The same within the caller's transaction, which is afterwards as it was. */
bool drift_reference_make_within(Arena *arena, Store *store, const Blueprint *blueprint, Tier tier,
                                 const char *alias, DriftReference *ret_reference, Err *err);

/* Whether a word is part of any name or definition, so that taking it out of the text of a place
 * (its schema has this name) could make a difference that is none. */
bool drift_reference_mentions(const DriftReference *reference, const char *word);

/* --- drift_compare.c -------------------------------------------------------------------------- */

/* Sets the state of each place, sorted by schema, by its fingerprint: DRIFT_SAME, DRIFT_FOUND or
 * DRIFT_GONE. is_shared: they are the shared place of a row tier. `parallel` connections of their
 * own, each changed for a new one before its server process has grown large. */
bool drift_compare(Store *store, DriftPlace *places, size_t count, bool is_shared,
                   const char *fingerprint, const DriftOptions *options, Err *err);

/* The same on connections of its own, however few they are: for a caller within a transaction. */
bool drift_compare_apart(Store *store, DriftPlace *places, size_t count, bool is_shared,
                         const char *fingerprint, const DriftOptions *options, Err *err);

/* A place as it is compared; is_named: the name of its schema is no random word and stays. */
FingerprintSubject drift_subject(const DriftPlace *place, bool is_named);

/* --- drift_check.c ---------------------------------------------------------------------------- */

struct DriftExpected {
    const Blueprint *blueprint;
    Tier tier;
    const char *name;
    DriftReference reference; /* its place is NULL while only the stamp's fingerprint is known */
};

/* Makes the reference, unless it was made. */
bool drift_expect_made(Arena *arena, Store *store, DriftExpected *expected, Err *err);

/* --- drift_mend.c ----------------------------------------------------------------------------- */

/* All of a place that differs. */
typedef struct DriftContents {
    const Place *place;
    const FingerprintLine *lines;
    size_t count;
    DriftLevels levels; /* empty where they were not asked for */
} DriftContents;

/* Statements, with semicolons between, that would mend a difference of the place, for its owner or
 * a superuser; NULL where none is known that surely loses no rows. In the arena. */
const char *drift_mend(Arena *arena, const DriftReference *reference, const DriftContents *contents,
                       const FingerprintDifference *difference);

/* --- drift_order.c ---------------------------------------------------------------------------- */

/* The levels in a schema, in the arena; alias as in FingerprintSubject. gone: the views and
 * functions that will be dropped, as a JSON list; or NULL. */
bool drift_read_levels(Arena *arena, PgConn *conn, const char *schema, const char *alias,
                       const char *gone, DriftLevels *ret_levels, Err *err);

/* What is known of a view or function by its name in lines; NULL where it is not known. */
const DriftLevel *drift_find_level(const DriftLevels *levels, const char *kind, const char *name);

/* The levels of a place that differs, which are needed only where a view or function is there that
 * should not be. */
bool drift_read_contents_levels(Arena *arena, PgConn *conn, const char *alias,
                                const DriftReference *reference, DriftContents *contents, Err *err);

/* All that differs, in the order in which statements that mend it can run: what is too much goes,
 * dependents first; then what is missing is made, what others stand on first; then go views and
 * functions that what was changed stood on. In the arena. */
void drift_differences(Arena *arena, const DriftReference *reference, const DriftContents *contents,
                       const FingerprintDifference **ret_differences, size_t *ret_count);

#endif
