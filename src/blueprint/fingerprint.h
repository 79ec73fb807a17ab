/* The structural fingerprint of places: what their schemas are made of, without their names.
 *
 * fingerprint.sql says what counts: schema, tables, columns, constraints, indexes, policies,
 * triggers, rules, functions, types, sequences, grants, default privileges, owners that are not the
 * place's, what the place's roles may do, comments. Rows and the date-ranged partitions that
 * Tenantry makes do not. Any number of places is one query. Everything blocks. */
#ifndef TENANTRY_BLUEPRINT_FINGERPRINT_H
#define TENANTRY_BLUEPRINT_FINGERPRINT_H

#include "pg/conn.h"
#include "store/tenants.h"

/* A place as it is looked at. */
typedef struct FingerprintSubject {
    const Place *place;
    /* Row tier: the name of the shared schema, which is no random token and is left as it is; for
     * a place of another name that is compared with it, the name that stands for its own. NULL:
     * the name is taken out. */
    const char *alias;
    bool is_locked; /* the tenant is not active: its logins may have lost the right to enter the
                       schema */
} FingerprintSubject;

/* One object of a place. */
typedef struct FingerprintLine {
    const char *schema;
    const char *kind; /* "table", "column", "policy", ... */
    const char *name; /* "positions.symbol" */
    const char *definition;
} FingerprintLine;

/* Every object of the places, by schema, kind and name; in the arena. Reads the catalogue of the
 * database that conn is connected to, within its transaction if there is one. */
bool fingerprint_lines(Arena *arena, PgConn *conn, const FingerprintSubject *subjects, size_t count,
                       const FingerprintLine **ret_lines, size_t *ret_count, Err *err);

/* SHA-256 over the lines of one place, as hex, in the arena; NULL when its schema is not there. */
bool fingerprint_place(Arena *arena, PgConn *conn, const FingerprintSubject *subject,
                       const char **ret_fingerprint, Err *err);

typedef enum FingerprintMatch {
    FINGERPRINT_GONE, /* there is no such schema */
    FINGERPRINT_SAME,
    FINGERPRINT_OTHER,
} FingerprintMatch;

/* Which of the places have this fingerprint, one match per subject; computed and compared in the
 * server. The subjects are in the order of their schemas' names (strcmp). A server process keeps
 * what it read of the catalogue, 130 KiB and more for each place. */
bool fingerprint_compare(Arena *arena, PgConn *conn, const FingerprintSubject *subjects,
                         size_t count, const char *expected, FingerprintMatch *ret_matches,
                         Err *err);

/* How one object of two lists of lines differs. */
typedef struct FingerprintDifference {
    const FingerprintLine *expected; /* NULL: not expected */
    const FingerprintLine *found;    /* NULL: missing */
} FingerprintDifference;

/* Where an ordered walk through two lists is. */
typedef struct FingerprintWalk {
    const FingerprintLine *expected;
    const FingerprintLine *found;
    size_t expected_count;
    size_t found_count;
    size_t expected_at;
    size_t found_at;
} FingerprintWalk;

/* The next object that the two lists do not have alike, in their order; false when there is none
 * left. */
bool fingerprint_next(FingerprintWalk *walk, FingerprintDifference *ret_difference);

/* The first of them, as "column \"t.c\" is missing"; NULL when there is none. */
const char *fingerprint_difference(Arena *arena, const FingerprintLine *expected,
                                   size_t expected_count, const FingerprintLine *found,
                                   size_t found_count);

#endif
