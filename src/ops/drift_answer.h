/* How a difference from a version is told in an answer. */
#ifndef TENANTRY_OPS_DRIFT_ANSWER_H
#define TENANTRY_OPS_DRIFT_ANSWER_H

#include "ops/op.h"
#include "rollout/drift.h"

extern const Field drift_difference_fields[];

/* The caller's. */
Json *drift_difference_to_json(const DriftDifference *difference);

#endif
