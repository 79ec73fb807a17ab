#include "store/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/array.h"
#include "core/clock.h"
#include "core/strbuf.h"
#include "store/audit_hash.h"

static const uint8_t first_previous[SECRET_HASH_BYTES];

static void add_part(StrBuf *buf, const char *bytes, size_t length)
{
    strbuf_printf(buf, "%zu:", length);
    strbuf_add_bytes(buf, bytes, length);
    strbuf_add_char(buf, ',');
}

bool audit_hash(Arena *arena, const Store *store, const AuditHashed *entry,
                uint8_t ret_hash[SECRET_HASH_BYTES], Err *err)
{
    const char *const parts[] = {
        "tenantry audit 1",
        entry->chain,
        pg_int_text(arena, entry->seq),
        pg_int_text(arena, entry->at_us),
        entry->actor,
        entry->action,
        pg_int_text(arena, entry->job_id),
        entry->detail,
    };
    StrBuf buf = strbuf_init(arena);
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        add_part(&buf, parts[i], strlen(parts[i]));
    }
    add_part(&buf, (const char *)entry->previous, SECRET_HASH_BYTES);
    return secret_hmac(store->audit_key, store->audit_key_length, buf.text, buf.length, ret_hash,
                       err);
}

/* The parameters of AUDIT_APPEND. */
static bool entry_params(Arena *arena, Store *store, const AuditEntry *entry, int64_t seq,
                         const uint8_t *previous, const char *ret_values[9], Err *err)
{
    const char *detail = entry->detail == NULL ? "{}" : json_to_canonical(arena, entry->detail);
    const AuditHashed hashed = {.chain = entry->chain,
                                .seq = seq,
                                .at_us = clock_wall_us(),
                                .actor = entry->actor,
                                .action = entry->action,
                                .job_id = entry->job_id,
                                .detail = detail,
                                .previous = previous};
    uint8_t hash[SECRET_HASH_BYTES];
    if (!store_need_keys(store, err) || !audit_hash(arena, store, &hashed, hash, err)) {
        return false;
    }
    const char *const values[9] = {
        entry->chain,
        pg_int_text(arena, seq),
        pg_int_text(arena, hashed.at_us),
        entry->actor,
        entry->action,
        entry->job_id == 0 ? NULL : pg_int_text(arena, entry->job_id),
        detail,
        pg_bytea_to_text(arena, previous, SECRET_HASH_BYTES),
        pg_bytea_to_text(arena, hash, sizeof hash),
    };
    memcpy(ret_values, values, sizeof values);
    return true;
}

bool audit_add_first(Store *store, PgBatch *batch, const AuditEntry *entry, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    const char *values[9];
    if (!entry_params(arena, store, entry, 1, first_previous, values, err)) {
        return false;
    }
    store_batch(batch, AUDIT_APPEND, (PgParams){.count = 9, .values = values});
    return true;
}

/* A new beginning would hide what is missing. */
static bool fail_broken(const AuditEntry *entry, const char *how, Err *err)
{
    return ERR_SET(err, ERR_AUDIT_BROKEN,
                   "run \"tenantry audit verify\"; nothing is changed until the log is restored",
                   "the head of audit chain \"%s\" is %s", entry->chain, how);
}

/* Where a chain is after an entry. */
typedef struct ChainEnd {
    int64_t seq;
    const char *hash; /* as bytea text, in the arena */
} ChainEnd;

/* Where the chain is now; *ret_previous is the newest entry's hash. */
static bool read_end(Arena *arena, Store *store, const AuditEntry *entry, int64_t *ret_seq,
                     const uint8_t **ret_previous, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if ((strcmp(entry->chain, AUDIT_INSTALLATION) == 0 &&
         !store_query(store, INSTALLATION_LOCK, PG_NO_PARAMS, NULL, err)) ||
        !store_query(store, AUDIT_HEAD, PG_PARAMS(entry->chain), &rows, err)) {
        return false;
    }
    const char *hash = pg_rows_text(rows, 0, 1);
    *ret_seq = 0;
    *ret_previous = first_previous;
    if (hash == NULL) {
        return pg_rows_bool(rows, 0, 2) || fail_broken(entry, "gone", err);
    }
    size_t length = 0;
    *ret_seq = pg_rows_int(rows, 0, 0);
    *ret_previous = pg_bytea_from_text(arena, hash, &length);
    return (*ret_previous != NULL && length == SECRET_HASH_BYTES) ||
           fail_broken(entry, "damaged", err);
}

static bool append(Arena *arena, Store *store, const AuditEntry *entry, ChainEnd *ret_end, Err *err)
{
    int64_t seq = 0;
    const uint8_t *previous = NULL;
    const char *values[9];
    if (!read_end(arena, store, entry, &seq, &previous, err) ||
        !entry_params(arena, store, entry, seq + 1, previous, values, err) ||
        !store_query(store, AUDIT_APPEND, (PgParams){.count = 9, .values = values}, NULL, err)) {
        return false;
    }
    *ret_end = (ChainEnd){.seq = seq + 1, .hash = values[8]};
    return true;
}

bool audit_append(Store *store, const AuditEntry *entry, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    ChainEnd end;
    return append(arena, store, entry, &end, err);
}

bool audit_append_last(Store *store, const AuditEntry *entry, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    ChainEnd end;
    if (!append(arena, store, entry, &end, err)) {
        return false;
    }
    scoped_json Json *detail = json_object();
    json_put_text(detail, "chain", entry->chain);
    json_put_int(detail, "seq", end.seq);
    json_put_text(detail, "hash", end.hash);
    const AuditEntry note = {.chain = AUDIT_INSTALLATION,
                             .actor = entry->actor,
                             .action = AUDIT_CHAIN_END,
                             .job_id = entry->job_id,
                             .detail = detail};
    return append(arena, store, &note, &end, err);
}
