/* Backfills: a change of all rows of a table, declared so that it is made in batches.
 *
 * A file of migrations named V0007__fill_total.backfill.yaml; docs/rollout-steps.md describes its
 * keys. A place that exists is changed batch by batch (rollout/place_batch.c); a new one has few
 * rows, and gets them all at once. */
#ifndef TENANTRY_BLUEPRINT_BACKFILL_H
#define TENANTRY_BLUEPRINT_BACKFILL_H

#include "blueprint/blueprint.h"

/* Reads the text that is in migration->up; puts what it says there instead: backfill, up for new
 * places, and down where the file says that nothing need be undone. ERR_BLUEPRINT_INVALID:
 * "FILE:LINE: key "x": what was expected". */
bool backfill_read(Arena *arena, const char *file, BlueprintMigration *migration, Err *err);

/* The statement that makes one batch in a place, after the key `last` (NULL: the first one): a DO
 * that leaves "{"key": ..., "rows": ...}" in the setting tenantry.backfill, with "key" null when
 * there are no rows left. Run as the owner. */
const char *backfill_batch_sql(Arena *arena, const BlueprintBackfill *backfill, const char *schema,
                               const char *last);

#endif
