/* Whether scripts must be signed, and by whom: the options --require-signed and --trusted-keys. */
#ifndef TENANTRY_OPS_SIGNING_H
#define TENANTRY_OPS_SIGNING_H

#include "blueprint/signature.h"
#include "ops/context.h"

/* The trusted keys; *ret_keys is NULL when scripts need no signature. ERR_CONFIG_INVALID when they
 * need one and no file of keys is named, or it cannot be used. */
bool op_trusted_keys(OpContext *context, const TrustedKeys **ret_keys, Err *err);

/* The scripts of a blueprint up to a version; true when they need no signature. ERR_SIGNATURE. */
bool op_check_signed(OpContext *context, const Blueprint *blueprint, int64_t upto, Err *err);

/* The same for a blueprint that is recorded. */
bool op_check_recorded(OpContext *context, const char *blueprint, int64_t upto, Err *err);

/* The same for the blueprint of a job that is resumed: it may have been begun without. */
bool op_check_job(OpContext *context, int64_t job_id, Err *err);

/* The keys for a job that checks again when it is resumed, as trusted_keys_parse reads them; leaves
 * the arguments alone when scripts need no signature. */
bool op_put_trusted_keys(OpContext *context, Json *job_args, Err *err);

#endif
