/* Recomputing the audit chains. Entries come ordered by chain and number, heads ordered by chain:
 * one pass over both. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/audit.h"
#include "store/audit_hash.h"

typedef struct Head {
    const char *chain;
    int64_t seq;         /* 0: there is no head */
    const uint8_t *hash; /* NULL: damaged or none */
} Head;

/* Columns of AUDIT_PAGE. */
enum { AUDIT_PAGE_JOB = 5, AUDIT_PAGE_AT = 9, AUDIT_PAGE_COLUMNS = 10 };

typedef struct Walk {
    Arena *arena; /* of the report */
    Store *store;
    AuditReport *report;
    const Head *heads;
    size_t head_count;
    size_t next_head;
    char chain[40]; /* the one being walked; "" before the first */
    char at[64];    /* of the entry before, as the database writes it */
    int64_t seq;    /* of the entry before */
    uint8_t hash[SECRET_HASH_BYTES];
} Walk;

static void add_finding(Walk *walk, const char *chain, int64_t seq, const char *what)
{
    AuditReport *report = walk->report;
    if (report->finding_count < AUDIT_FINDINGS_MAX) {
        report->findings[report->finding_count++] = (AuditFinding){
            .chain = arena_strdup(walk->arena, chain), .seq = seq, .what = what};
    }
}

/* Compares where the walked chain ended with its head; heads of chains that have no entries at all
 * are passed over on the way, and reported. */
static void check_head(Walk *walk, const Head *head)
{
    if (head->seq == 0) {
        add_finding(walk, head->chain, walk->seq, "the chain's head was removed");
    } else if (head->seq > walk->seq) {
        add_finding(walk, head->chain, walk->seq + 1, "the newest entries were removed");
    } else if (head->seq < walk->seq || head->hash == NULL ||
               memcmp(head->hash, walk->hash, SECRET_HASH_BYTES) != 0) {
        add_finding(walk, head->chain, walk->seq, "the chain's head was changed");
    }
}

static void end_chain(Walk *walk, const char *next_chain)
{
    bool has_head = walk->chain[0] == '\0';
    while (walk->next_head < walk->head_count) {
        const Head *head = &walk->heads[walk->next_head];
        if (next_chain != NULL && strcmp(head->chain, next_chain) >= 0) {
            break;
        }
        walk->next_head++;
        if (strcmp(head->chain, walk->chain) == 0) {
            has_head = true;
            check_head(walk, head);
        } else {
            add_finding(walk, head->chain, head->seq, "the whole chain was removed");
        }
    }
    if (!has_head) {
        add_finding(walk, walk->chain, walk->seq, "the chain's head was removed");
    }
}

static int compare_heads(const void *chain, const void *head)
{
    return strcmp(chain, ((const Head *)head)->chain);
}

/* Holds an entry of the installation that says where a tenant's chain ended against the chain's
 * head. Heads that are there are held against the entries when their chain is walked. */
static bool check_end_note(Walk *walk, Arena *arena, const AuditHashed *entry, Err *err)
{
    scoped_json Json *note = NULL;
    if (strcmp(entry->chain, AUDIT_INSTALLATION) != 0 ||
        strcmp(entry->action, AUDIT_CHAIN_END) != 0) {
        return true;
    }
    if (!json_parse(entry->detail, "the entry's detail", &note, err)) {
        return false;
    }
    const char *chain = json_get_text(note, "chain", "");
    const int64_t seq = json_get_int(note, "seq", 0);
    size_t length = 0;
    const uint8_t *hash = pg_bytea_from_text(arena, json_get_text(note, "hash", ""), &length);
    const Head *head = walk->head_count == 0 ? NULL
                                             : bsearch(chain, walk->heads, walk->head_count,
                                                       sizeof *walk->heads, compare_heads);
    if (head == NULL) {
        add_finding(walk, chain, seq, "the whole chain was removed");
    } else if (head->seq != 0 && head->seq < seq) {
        add_finding(walk, chain, head->seq + 1, "the newest entries were removed");
    } else if (head->seq == seq && head->hash != NULL &&
               (length != SECRET_HASH_BYTES || memcmp(head->hash, hash, length) != 0)) {
        add_finding(walk, chain, seq, "the chain's head was changed");
    }
    return true;
}

static void begin_chain(Walk *walk, const char *chain)
{
    end_chain(walk, chain);
    snprintf(walk->chain, sizeof walk->chain, "%s", chain);
    walk->seq = 0;
    memset(walk->hash, 0, sizeof walk->hash);
    walk->report->chains++;
}

static bool check_entry(Walk *walk, Arena *arena, const PgRows *rows, size_t row, Err *err)
{
    const char *chain = pg_rows_text(rows, row, 0);
    if (strcmp(chain, walk->chain) != 0) {
        begin_chain(walk, chain);
    }
    for (size_t column = 0; column < AUDIT_PAGE_COLUMNS; column++) {
        if (pg_rows_text(rows, row, column) == NULL && column != AUDIT_PAGE_JOB) {
            walk->report->entries++;
            walk->seq = pg_rows_int(rows, row, 1);
            add_finding(walk, chain, walk->seq, "the entry was changed");
            return true;
        }
    }
    size_t previous_length = 0;
    size_t hash_length = 0;
    const uint8_t *previous = pg_bytea_from_text(arena, pg_rows_text(rows, row, 7),
                                                 &previous_length);
    const uint8_t *hash = pg_bytea_from_text(arena, pg_rows_text(rows, row, 8), &hash_length);
    const AuditHashed hashed = {.chain = chain,
                                .seq = pg_rows_int(rows, row, 1),
                                .at_us = pg_rows_int(rows, row, 2),
                                .actor = pg_rows_text(rows, row, 3),
                                .action = pg_rows_text(rows, row, 4),
                                .job_id = pg_rows_int(rows, row, 5),
                                .detail = pg_rows_text(rows, row, 6),
                                .previous = previous};
    walk->report->entries++;
    if (hashed.seq == walk->seq) {
        add_finding(walk, chain, hashed.seq, "the entry is there twice");
        return true;
    }
    if (hashed.seq != walk->seq + 1) {
        add_finding(walk, chain, walk->seq + 1, "the entry was removed");
    }
    uint8_t expected[SECRET_HASH_BYTES];
    const bool is_whole = previous_length == SECRET_HASH_BYTES && hash_length == SECRET_HASH_BYTES;
    if (is_whole && !audit_hash(arena, walk->store, &hashed, expected, err)) {
        return false;
    }
    if (!is_whole || memcmp(expected, hash, SECRET_HASH_BYTES) != 0) {
        add_finding(walk, chain, hashed.seq, "the entry was changed");
    } else if (!check_end_note(walk, arena, &hashed, err)) {
        return false;
    } else if (hashed.seq == walk->seq + 1 &&
               memcmp(previous, walk->hash, SECRET_HASH_BYTES) != 0) {
        add_finding(walk, chain, hashed.seq, "the entry does not follow the one before it");
    }
    walk->seq = hashed.seq;
    if (hash_length == SECRET_HASH_BYTES) {
        memcpy(walk->hash, hash, SECRET_HASH_BYTES);
    }
    return true;
}

static Head read_head(Arena *arena, const PgRows *rows, size_t row)
{
    size_t length = 0;
    const char *text = pg_rows_text(rows, row, 2);
    const uint8_t *hash = text == NULL ? NULL : pg_bytea_from_text(arena, text, &length);
    return (Head){.chain = arena_strdup(arena, pg_rows_text(rows, row, 0)),
                  .seq = pg_rows_int(rows, row, 1),
                  .hash = length == SECRET_HASH_BYTES ? hash : NULL};
}

/* Keeps one head of each chain. Who took the table's constraints away can have left others. */
static bool read_heads(Walk *walk, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(walk->store, AUDIT_HEADS, PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    const size_t count = pg_rows_count(rows);
    Head *heads = ARENA_ARRAY(walk->arena, Head, count);
    for (size_t i = 0; i < count; i++) {
        const Head head = read_head(walk->arena, rows, i);
        const Head *last = walk->head_count == 0 ? NULL : &heads[walk->head_count - 1];
        if (head.chain == NULL) {
            add_finding(walk, NULL, head.seq, "a head belongs to no chain");
        } else if (last != NULL && strcmp(last->chain, head.chain) == 0) {
            add_finding(walk, head.chain, head.seq, "the chain's head is there twice");
        } else {
            heads[walk->head_count++] = head;
        }
    }
    walk->heads = heads;
    return true;
}

static bool read_entries(Walk *walk, Err *err)
{
    for (bool is_more = true; is_more;) {
        scoped_arena Arena *arena = arena_new();
        scoped_rows PgRows *rows = NULL;
        const bool is_first = walk->chain[0] == '\0';
        if (!store_query(walk->store, AUDIT_PAGE,
                         PG_PARAMS(is_first ? AUDIT_INSTALLATION : walk->chain,
                                   pg_int_text(arena, is_first ? INT64_MIN : walk->seq),
                                   is_first ? "-infinity" : walk->at),
                         &rows, err)) {
            return false;
        }
        const size_t count = pg_rows_count(rows);
        for (size_t i = 0; i < count; i++) {
            if (!check_entry(walk, arena, rows, i, err)) {
                return false;
            }
            snprintf(walk->at, sizeof walk->at, "%s", pg_rows_text(rows, i, AUDIT_PAGE_AT));
        }
        is_more = count > 0;
    }
    end_chain(walk, NULL);
    return true;
}

bool audit_verify(Arena *arena, Store *store, AuditReport *ret_report, Err *err)
{
    *ret_report = (AuditReport){0};
    Walk walk = {.arena = arena, .store = store, .report = ret_report};
    const bool is_read = store_need_keys(store, err) &&
                         pg_query(store->conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                                  PG_NO_PARAMS, NULL, err) &&
                         read_heads(&walk, err) && read_entries(&walk, err);
    pg_rollback(store->conn);
    return is_read;
}
