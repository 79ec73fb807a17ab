/* What the hash of an audit entry covers; shared by appending and verifying. */
#ifndef TENANTRY_STORE_AUDIT_HASH_H
#define TENANTRY_STORE_AUDIT_HASH_H

#include "store/store.h"

typedef struct AuditHashed {
    const char *chain;
    int64_t seq;
    int64_t at_us;
    const char *actor;
    const char *action;
    int64_t job_id;
    const char *detail;      /* the JSON text as stored */
    const uint8_t *previous; /* SECRET_HASH_BYTES */
} AuditHashed;

/* HMAC-SHA-256 with the installation's audit key over the parts, each as a netstring
 * ("LENGTH:BYTES,"), so that no two entries give the same bytes. The store's keys are loaded. */
bool audit_hash(Arena *arena, const Store *store, const AuditHashed *entry,
                uint8_t ret_hash[SECRET_HASH_BYTES], Err *err);

#endif
