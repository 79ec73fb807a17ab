/* Recording the blueprints that the binary holds. */
#ifndef TENANTRY_OPS_REGISTER_H
#define TENANTRY_OPS_REGISTER_H

#include "ops/context.h"

/* Records every embedded blueprint that is not recorded as it is, each by a job; *ret_changed
 * counts them. */
bool register_embedded_blueprints(OpContext *context, int64_t *ret_changed, Err *err);

#endif
