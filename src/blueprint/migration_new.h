/* The next migration of a pack folder. */
#ifndef TENANTRY_BLUEPRINT_MIGRATION_NEW_H
#define TENANTRY_BLUEPRINT_MIGRATION_NEW_H

#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"

typedef struct MigrationNew {
    int64_t version;
    const char *up; /* "migrations/V0003__more.sql" */
    const char *down;
} MigrationNew;

/* Makes the up and the down file of the version after the newest one in a folder with a
 * blueprint.yaml, each with a comment and no statement. A file that is there is never written to.
 * ERR_INPUT_INVALID for a name of another form than migrations have, ERR_BLUEPRINT_INVALID when
 * there is no pack, ERR_IO. Blocks. */
bool migration_new(Arena *arena, const char *folder, const char *name, MigrationNew *ret_new,
                   Err *err);

#endif
