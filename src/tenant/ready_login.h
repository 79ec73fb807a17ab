/* Logins made ahead of the tenants that will have them.
 *
 * PostgreSQL computes the 4096 rounds of a SCRAM verifier again whenever it is given one, to refuse
 * that of an empty password: some milliseconds for each password, most of what a tenant of the row
 * tier costs. Fewer rounds would be safe for a random password of 256 bits, but drivers refuse
 * them. So pairs of roles wait with their passwords, without LOGIN and without any right; a create
 * claims one.
 */
#ifndef TENANTRY_TENANT_READY_LOGIN_H
#define TENANTRY_TENANT_READY_LOGIN_H

#include "store/store.h"

/* Makes pairs until there are `target` whole ones, at most `most` of them now; each in a
 * transaction of its own, so that a crash leaves whole pairs only. Then drops what is left of pairs
 * of which somebody dropped a role, and which no create claims. Blocks for some 10 ms a pair.
 * ret_made may be NULL. */
bool ready_logins_fill(Store *store, int64_t target, int64_t most, int64_t *ret_made, Err *err);

/* Adds the statements that seal the waiting passwords again under the key, a page (500) of them. */
bool ready_logins_add_reseal(Arena *arena, Store *store, PgBatch *batch, const char *key_id,
                             Err *err);

#endif
