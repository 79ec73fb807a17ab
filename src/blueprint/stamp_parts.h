/* Parts of taking a stamp. Internal to the module. */
#ifndef TENANTRY_BLUEPRINT_STAMP_PARTS_H
#define TENANTRY_BLUEPRINT_STAMP_PARTS_H

#include "blueprint/fingerprint.h"
#include "blueprint/stamp.h"

/* The statements of a dump that make the objects of its schema: without session settings
 * and the schema itself; keys that pg_dump adds to a table later are put into its CREATE TABLE. */
bool stamp_flatten(Arena *arena, const char *dump, const char *const **ret_statements,
                   int64_t *ret_count, Err *err);

/* What a place holds: its structure, and whether there is more. */
typedef struct StampContents {
    const FingerprintLine *lines;
    size_t line_count;
    const char *fingerprint;
    const char *filled; /* a table with rows or a sequence that was moved, or NULL */
} StampContents;

/* Reads a place within the caller's transaction. */
bool stamp_read_contents(Arena *arena, PgConn *conn, const Place *place,
                         StampContents *ret_contents, Err *err);

/* Why two places are not the same, or NULL. */
const char *stamp_difference(Arena *arena, const StampContents *expected,
                             const StampContents *found);

/* Drops what this process, or one that was killed, committed for pg_dump; under the lock. What
 * somebody holds on to is told in the log and left for another time: any tenant can keep a role
 * that it sees from being dropped, and that is no reason to do without stamps. */
bool stamp_drop_committed(Arena *arena, Store *store, Err *err);

/* Takes a new stamp; the caller holds the lock and is in no transaction. */
bool stamp_take(Arena *arena, Store *store, const Blueprint *blueprint,
                const Extensions *extensions, const StampOptions *options, Stamp **ret_stamp,
                Err *err);

#endif
