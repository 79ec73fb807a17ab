/* Keeping spares: what the operations on spares and the keeper's loop share. */
#ifndef TENANTRY_OPS_KEEPER_H
#define TENANTRY_OPS_KEEPER_H

#include "blueprint/registry.h"
#include "ops/context.h"

/* The rows of SPARE_SURVEY, each with its "target"; of one blueprint, or all (NULL). The caller's.
 */
bool spares_survey(OpContext *context, const char *blueprint, Json **ret_rows, Err *err);

#endif
