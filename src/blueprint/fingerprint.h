/* The structural fingerprint of places: what their schemas are made of, without their names.
 *
 * fingerprint.sql says what counts: schema, tables, columns, constraints, indexes, policies,
 * triggers, rules, functions, types, sequences, grants, default privileges, owners, comments. Rows
 * and the date-ranged partitions that Tenantry makes do not. Any number of places is one query.
 * Everything blocks. */
#ifndef TENANTRY_BLUEPRINT_FINGERPRINT_H
#define TENANTRY_BLUEPRINT_FINGERPRINT_H

#include "pg/conn.h"
#include "store/tenants.h"

/* One object of a place. */
typedef struct FingerprintLine {
    const char *schema;
    const char *kind; /* "table", "column", "policy", ... */
    const char *name; /* "positions.symbol" */
    const char *definition;
} FingerprintLine;

/* Every object of the places, by schema, kind and name; in the arena. Reads the catalogue of the
 * database that conn is connected to, within its transaction if there is one. */
bool fingerprint_lines(Arena *arena, PgConn *conn, const Place *places, size_t count,
                       const FingerprintLine **ret_lines, size_t *ret_count, Err *err);

/* SHA-256 over the lines of each place, as hex, in the order of the places; NULL for a place whose
 * schema is not there. In the arena. */
bool fingerprint_places(Arena *arena, PgConn *conn, const Place *places, size_t count,
                        const char *const **ret_fingerprints, Err *err);

/* The first object, in their order, that two lists of lines do not have alike, as
 * "column \"t.c\" is missing"; NULL when there is none. */
const char *fingerprint_difference(Arena *arena, const FingerprintLine *expected,
                                   size_t expected_count, const FingerprintLine *found,
                                   size_t found_count);

#endif
