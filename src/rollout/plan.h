/* What a rollout would do, without doing it. */
#ifndef TENANTRY_ROLLOUT_PLAN_H
#define TENANTRY_ROLLOUT_PLAN_H

#include "store/store.h"

/* The plan of bringing a blueprint's places up to a version (0: its newest), an object, for
 * tenants that are chosen as rollout_check_choice has it:
 *   blueprint, version, places, quarantined, relations (that all places get together),
 *   lock_ms (how long tables of all places would be locked against writers, roughly)
 *   groups      by the version that places are at, the oldest first
 *   scripts     in the order in which they would run in a place of the oldest group
 *   statements  of the scripts, with the locks that each takes on tables that are there
 *   locks       the same, one row for each
 *   hazards     findings of the lint in the scripts
 * ops/migrate_plan_ops.c declares the members of each. ERR_BLUEPRINT_MISSING, ERR_INPUT_INVALID
 * when the blueprint has no such version. */
bool rollout_plan(Arena *arena, Store *store, const char *blueprint, int64_t version,
                  const Json *tenants, const char *where, Json **ret_plan, Err *err);

#endif
