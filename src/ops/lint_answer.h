/* Findings of the lint as answers have them. */
#ifndef TENANTRY_OPS_LINT_ANSWER_H
#define TENANTRY_OPS_LINT_ANSWER_H

#include "ops/op.h"

/* The members of what blueprint_finding_to_json makes. */
extern const Field lint_finding_fields[];

#endif
