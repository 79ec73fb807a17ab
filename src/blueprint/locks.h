/* What a statement locks: which tables, in which mode, and whether it rewrites or scans them
 * meanwhile. From the table locks.def alone: nothing here talks to a database. What a function or a
 * DO block does is not seen, nor what no text names: a default partition, the parent of a partition
 * that is dropped, the table of an index. Any thread; does not block. */
#ifndef TENANTRY_BLUEPRINT_LOCKS_H
#define TENANTRY_BLUEPRINT_LOCKS_H

#include "pg/sql_parse.h"

/* Weakest first, with PostgreSQL's own numbers. */
typedef enum LockMode {
    LOCK_MODE_NONE,
    LOCK_MODE_ACCESS_SHARE,
    LOCK_MODE_ROW_SHARE,
    LOCK_MODE_ROW_EXCLUSIVE,
    LOCK_MODE_SHARE_UPDATE_EXCLUSIVE,
    LOCK_MODE_SHARE,
    LOCK_MODE_SHARE_ROW_EXCLUSIVE,
    LOCK_MODE_EXCLUSIVE,
    LOCK_MODE_ACCESS_EXCLUSIVE,
    LOCK_MODE_COUNT_
} LockMode;

/* What the table goes through while it is locked; what takes longest is last. */
typedef enum LockWork {
    LOCK_WORK_NONE,
    LOCK_WORK_EMPTIES,
    LOCK_WORK_SCANS,
    LOCK_WORK_INDEXES,
    LOCK_WORK_REWRITES,
    LOCK_WORK_COUNT_
} LockWork;

const char *lock_mode_name(LockMode mode); /* "ACCESS EXCLUSIVE" */
const char *lock_work_name(LockWork work); /* "empties", "scans"...; NULL for none */

/* Roughly how many milliseconds a table of so many bytes goes through it, on a small machine
 * (docs/rollout-lint.md, migrate plan, has what the rates come from). */
int64_t lock_work_ms(LockWork work, int64_t bytes);

typedef struct TableLock {
    const char *table; /* or an index or a view, as the statement names it */
    LockMode mode;
    LockWork work;
    const char *node; /* the row of locks.def */
    const char *detail;
    const char *what;
    const Json *command; /* of ALTER TABLE: its AlterTableCmd; else NULL */
} TableLock;

/* One lock for each table and sub-command, in the order of the text; the table that a statement
 * creates is not among them, nor is anything in pg_catalog or information_schema. In the arena;
 * trees are the statement's. */
void locks_of_statement(Arena *arena, const SqlStatement *statement, const TableLock **ret_locks,
                        size_t *ret_count);

/* The strongest lock of each table, with the heaviest work. */
void locks_merge(Arena *arena, const TableLock *locks, size_t count, const TableLock **ret_merged,
                 size_t *ret_count);

/* Whether what it locks cannot be known: DO, CALL. */
bool locks_are_unknown(const SqlStatement *statement);

/* How many relations (tables, their TOAST, indexes, sequences, views) a statement adds, at least:
 * what a place of each tenant weighs more afterwards. A partition counts without what it inherits.
 */
int64_t relations_added(const SqlStatement *statement);

#endif
