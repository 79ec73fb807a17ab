/* Locks of ALTER TABLE, and the list that locks are gathered in; internal to the module. */
#ifndef TENANTRY_BLUEPRINT_LOCK_ALTER_H
#define TENANTRY_BLUEPRINT_LOCK_ALTER_H

#include "blueprint/locks.h"

typedef struct LockList {
    Arena *arena;
    const Json *command; /* the AlterTableCmd that locks are of, or NULL */
    TableLock *locks;
    size_t count;
    size_t capacity;
} LockList;

/* Adds what the row of locks.def says; nothing when there is no such row, or no table. */
void lock_list_add(LockList *list, const char *table, const char *node, const char *detail);
void lock_list_add_relation(LockList *list, const Json *relation, const char *node,
                            const char *detail);

/* Those of an AlterTableStmt (lock_alter.c). */
void lock_list_add_alter(LockList *list, const Json *tree);

/* Whether a default is computed anew for each row, as far as the text tells: a function that is not
 * known to be the same for all rows of a statement. */
bool expression_is_volatile(const Json *expression);

/* Whether a column's type makes a sequence: serial and its kin. */
bool type_is_serial(const Json *type);

#endif
