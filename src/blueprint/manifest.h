/* blueprint.yaml: all of a blueprint but its SQL files. Internal to the module; docs/blueprints.md
 * describes every key. */
#ifndef TENANTRY_BLUEPRINT_MANIFEST_H
#define TENANTRY_BLUEPRINT_MANIFEST_H

#include "blueprint/blueprint.h"
#include "blueprint/manifest_value.h"

/* Where the migrations are, and of which tool. */
typedef struct ManifestMigrations {
    const struct Layout *layout; /* of another tool (layout.h); NULL: Tenantry's own */
    const char *path;            /* of their folder, below the pack's */
    const char *prefix;          /* of Flyway's versioned migrations; NULL: its own */
    bool has_no_undo;            /* scripts that undo are not read */
    bool has_plain_indexes;      /* CONCURRENTLY is left out, so that it runs in the transaction */
} ManifestMigrations;

/* The files that the manifest names, relative to the pack folder; NULL for none. */
typedef struct ManifestFiles {
    const char *seed;
    const char *demo;
    ManifestMigrations migrations;
} ManifestFiles;

/* Fills what the manifest says into blueprint. file is the path for messages.
 * ERR_BLUEPRINT_INVALID. */
bool manifest_read(Arena *arena, const char *file, const char *text, size_t length,
                   Blueprint *blueprint, ManifestFiles *ret_files, Err *err);

/* The part below "plans" (manifest_plan.c). */
bool manifest_read_plans(Arena *arena, const Spot *plans, Blueprint *blueprint, Err *err);

/* The list "personal_data" (manifest_personal.c); missing gives none. */
bool manifest_read_personal(Arena *arena, const Spot *spot, Blueprint *blueprint, Err *err);

/* The map "migrations" (manifest_migrations.c); missing gives Tenantry's own in "migrations". */
bool manifest_read_migrations(Arena *arena, const Spot *spot, ManifestMigrations *ret_migrations,
                              Err *err);

/* "day", "week", "month", "year". */
const char *partition_every_name(PartitionEvery every);
bool partition_every_from_name(const char *name, PartitionEvery *ret_every);

#endif
