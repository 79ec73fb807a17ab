/* blueprint.yaml: all of a blueprint but its SQL files. Internal to the module; docs/blueprints.md
 * describes every key. */
#ifndef TENANTRY_BLUEPRINT_MANIFEST_H
#define TENANTRY_BLUEPRINT_MANIFEST_H

#include "blueprint/blueprint.h"
#include "blueprint/manifest_value.h"

/* The files that the manifest names, relative to the pack folder; NULL for none. */
typedef struct ManifestFiles {
    const char *seed;
    const char *demo;
} ManifestFiles;

/* Fills what the manifest says into blueprint. file is the path for messages.
 * ERR_BLUEPRINT_INVALID. */
bool manifest_read(Arena *arena, const char *file, const char *text, size_t length,
                   Blueprint *blueprint, ManifestFiles *ret_files, Err *err);

/* The part below "plans" (manifest_plan.c). */
bool manifest_read_plans(Arena *arena, const Spot *plans, Blueprint *blueprint, Err *err);

/* The list "personal_data" (manifest_personal.c); missing gives none. */
bool manifest_read_personal(Arena *arena, const Spot *spot, Blueprint *blueprint, Err *err);

/* "day", "week", "month", "year". */
const char *partition_every_name(PartitionEvery every);
bool partition_every_from_name(const char *name, PartitionEvery *ret_every);

#endif
