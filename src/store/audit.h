/* The audit log: append-only, one hash chain per tenant and one for the installation.
 *
 * An entry's hash is HMAC-SHA-256, with a key that only holders of the master key have, over the
 * entry and the hash before it; so nobody who can write the table, not even a superuser, can
 * change, remove or reorder an entry without `audit verify` noticing. (Cutting the newest entries
 * off together with the chain's head is noticed only by comparing with a head that was noted
 * elsewhere: docs/security.md.) */
#ifndef TENANTRY_STORE_AUDIT_H
#define TENANTRY_STORE_AUDIT_H

#include "store/store.h"

#define AUDIT_INSTALLATION "00000000-0000-0000-0000-000000000000"

typedef struct AuditEntry {
    const char *chain; /* a tenant's UUID, or AUDIT_INSTALLATION */
    const char *actor;
    const char *action; /* "tenant.create" */
    int64_t job_id;     /* 0: none */
    const Json *detail; /* an object without secrets; NULL: {} */
} AuditEntry;

/* Adds the first entry of a new chain to a batch: no round trip. */
bool audit_add_first(Store *store, PgBatch *batch, const AuditEntry *entry, Err *err);

/* Appends within the caller's transaction. ERR_CONFLICT when another session continued the chain:
 * roll back, retry. The chain of the installation, which many want at once, is waited for instead,
 * until the other transaction ends: append to it last. */
bool audit_append(Store *store, const AuditEntry *entry, Err *err);

/* Appends the entry with which a tenant's chain ends, and where that is to the chain of the
 * installation (AUDIT_CHAIN_END): then `audit verify` misses the chain also when the registry no
 * longer says that there must be one. */
bool audit_append_last(Store *store, const AuditEntry *entry, Err *err);

/* The action of that note; its detail holds the chain, its last entry's number and hash. */
#define AUDIT_CHAIN_END "audit.chain.end"

typedef struct AuditFinding {
    const char *chain; /* NULL: of a row that names none */
    int64_t seq;       /* 0: of a row that has none */
    const char *what;  /* "the entry was changed" */
} AuditFinding;

enum { AUDIT_FINDINGS_MAX = 100 };

typedef struct AuditReport {
    int64_t chains;
    int64_t entries;
    size_t finding_count; /* at most AUDIT_FINDINGS_MAX */
    AuditFinding findings[AUDIT_FINDINGS_MAX];
} AuditReport;

/* Recomputes every chain (or one), reading the log in pages from one snapshot. True when the log
 * could be read, whatever was found. */
bool audit_verify(Arena *arena, Store *store, AuditReport *ret_report, Err *err);

#endif
