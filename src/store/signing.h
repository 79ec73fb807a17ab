/* The installation's key for signatures, Ed25519: made once, at first use, and sealed with the
 * master key in tenantry.secrets like the key of the audit log. */
#ifndef TENANTRY_STORE_SIGNING_H
#define TENANTRY_STORE_SIGNING_H

#include "store/store.h"

/* The private key, on the secure heap: SECRET_SEED_BYTES, to be freed with secret_free. Making it
 * is written to the installation's audit chain. Within no transaction. ERR_KEY_MISSING,
 * ERR_KEY_WRONG, ERR_SECRET_CORRUPT. */
bool store_signing_key(Arena *arena, Store *store, const char *actor, uint8_t **ret_seed, Err *err);

#endif
