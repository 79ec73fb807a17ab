/* Parts of making a place that have a file of their own. */
#ifndef TENANTRY_BLUEPRINT_PLACE_PARTS_H
#define TENANTRY_BLUEPRINT_PLACE_PARTS_H

#include "blueprint/place.h"

/* Adds the statements that make the current partition of each declared table and those ahead; run
 * as the owner. Names are TABLE_2026_11 (month), TABLE_2026 (year), TABLE_2026_11_21 (day and the
 * Monday of a week); bounds are UTC. */
void partitions_add(Arena *arena, PgBatch *batch, const Blueprint *blueprint, const Place *place);

/* Guards every table of a shared place: row-level security enabled and forced, the two policies,
 * grants to the group roles. Can be run again. ERR_BLUEPRINT_INVALID for a table without tenant_id
 * that is not declared shared. */
bool seal_shared_place(Arena *arena, Store *store, const Blueprint *blueprint, const Place *place,
                       Err *err);

#endif
