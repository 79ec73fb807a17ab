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

/* Columns of AUDIT_WALK. */
enum {
    WALK_SEQ = 1,
    WALK_AT = 2,
    WALK_JOB = 5,
    WALK_PREVIOUS = 7,
    WALK_HASH = 8,
    WALK_COLUMNS = 9
};

typedef struct Walk {
    Arena *arena; /* of the report */
    Store *store;
    AuditReport *report;
    const Head *heads;
    size_t head_count;
    size_t next_head;
    char chain[40]; /* the one being walked; "" before the first */
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

/* NULL: it is damaged. */
static const uint8_t *read_hash(Arena *arena, const PgRows *rows, size_t row, size_t column)
{
    size_t length = 0;
    const char *text = pg_rows_text(rows, row, column);
    const uint8_t *hash = text == NULL ? NULL : pg_bytea_from_text(arena, text, &length);
    return length == SECRET_HASH_BYTES ? hash : NULL;
}

/* Whether a row is written as append writes it. Others would hash alike: NULL as 0, 1.5 as 1. */
static bool is_as_appended(Arena *arena, const PgRows *rows, size_t row)
{
    for (size_t column = 0; column < WALK_COLUMNS; column++) {
        const char *text = pg_rows_text(rows, row, column);
        const int64_t number = pg_rows_int(rows, row, column);
        const bool is_number = column == WALK_SEQ || column == WALK_AT || column == WALK_JOB;
        if (text == NULL && column == WALK_JOB) {
            continue;
        }
        if (text == NULL || (is_number && strcmp(text, pg_int_text(arena, number)) != 0) ||
            (number == 0 && column == WALK_JOB)) {
            return false;
        }
    }
    return true;
}

/* An entry that has its place in the chain that is walked. */
static bool check_entry(Walk *walk, Arena *arena, const PgRows *rows, size_t row, Err *err)
{
    const uint8_t *previous = read_hash(arena, rows, row, WALK_PREVIOUS);
    const uint8_t *hash = read_hash(arena, rows, row, WALK_HASH);
    const AuditHashed hashed = {.chain = pg_rows_text(rows, row, 0),
                                .seq = pg_rows_int(rows, row, WALK_SEQ),
                                .at_us = pg_rows_int(rows, row, WALK_AT),
                                .actor = pg_rows_text(rows, row, 3),
                                .action = pg_rows_text(rows, row, 4),
                                .job_id = pg_rows_int(rows, row, WALK_JOB),
                                .detail = pg_rows_text(rows, row, 6),
                                .previous = previous};
    if (hashed.seq == walk->seq) {
        add_finding(walk, walk->chain, hashed.seq, "the entry is there twice");
        return true;
    }
    if (hashed.seq != walk->seq + 1) {
        add_finding(walk, walk->chain, walk->seq + 1, "the entry was removed");
    }
    uint8_t expected[SECRET_HASH_BYTES];
    const bool is_whole = previous != NULL && hash != NULL && is_as_appended(arena, rows, row);
    if (is_whole && !audit_hash(arena, walk->store, &hashed, expected, err)) {
        return false;
    }
    if (!is_whole || memcmp(expected, hash, SECRET_HASH_BYTES) != 0) {
        add_finding(walk, walk->chain, hashed.seq, "the entry was changed");
    } else if (!check_end_note(walk, arena, &hashed, err)) {
        return false;
    } else if (hashed.seq == walk->seq + 1 &&
               memcmp(previous, walk->hash, SECRET_HASH_BYTES) != 0) {
        add_finding(walk, walk->chain, hashed.seq, "the entry does not follow the one before it");
    }
    walk->seq = hashed.seq;
    if (hash != NULL) {
        memcpy(walk->hash, hash, SECRET_HASH_BYTES);
    }
    return true;
}

/* Who took the table's constraints away can have written rows that are in no chain at all: they
 * are told and leave the walk where it is. */
static bool check_row(Walk *walk, Arena *arena, const PgRows *rows, size_t row, Err *err)
{
    const char *chain = pg_rows_text(rows, row, 0);
    walk->report->entries++;
    if (chain == NULL) {
        add_finding(walk, NULL, pg_rows_int(rows, row, WALK_SEQ), "an entry belongs to no chain");
        return true;
    }
    if (strcmp(chain, walk->chain) != 0) {
        begin_chain(walk, chain);
    }
    if (pg_rows_text(rows, row, WALK_SEQ) == NULL) {
        add_finding(walk, chain, 0, "an entry has no number");
        return true;
    }
    return check_entry(walk, arena, rows, row, err);
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
        const Head head = {.chain = arena_strdup(walk->arena, pg_rows_text(rows, i, 0)),
                           .seq = pg_rows_int(rows, i, 1),
                           .hash = read_hash(walk->arena, rows, i, 2)};
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
    if (!store_query(walk->store, AUDIT_WALK, PG_NO_PARAMS, NULL, err)) {
        return false;
    }
    for (bool is_more = true; is_more;) {
        scoped_arena Arena *arena = arena_new();
        scoped_rows PgRows *rows = NULL;
        if (!store_query(walk->store, AUDIT_PAGE, PG_NO_PARAMS, &rows, err)) {
            return false;
        }
        const size_t count = pg_rows_count(rows);
        for (size_t i = 0; i < count; i++) {
            if (!check_row(walk, arena, rows, i, err)) {
                return false;
            }
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
