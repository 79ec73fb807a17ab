/* Rules of what tenants use while a migration runs: locks that are held for long, work that grows
 * with the table or with the fleet, and what a running application does not expect. */
#include <string.h>
#include <strings.h>

#include "blueprint/lint_made.h"
#include "blueprint/locks.h"
#include "blueprint/steps.h"
#include "core/array.h"

/* New relations of one version that are too many for each place. */
enum { MANY_RELATIONS = 500 };

static bool is_slow_type(const Lint *lint, const TableLock *lock)
{
    const LintTable *table = lint_find_table(lint, lock->table);
    return table == NULL ||
           !lint_is_wider(table, json_get_text(lock->command, "name", ""),
                          json_object_get(json_object_get(lock->command, "def"), "ColumnDef"));
}

static bool is_unchecked(const Lint *lint, const TableLock *lock)
{
    const LintTable *table = lint_find_table(lint, lock->table);
    return table == NULL ||
           !lint_is_checked_not_null(lint, table, json_get_text(lock->command, "name", ""));
}

static bool is_new_constraint(const Lint *lint, const TableLock *lock)
{
    const char *name = json_get_text(lock->command, "name", "");
    const LintTable *table = lint_find_table(lint, lock->table);
    const LintMade *added = lint->added;
    while (added != NULL && strcmp(added->name, name) != 0) {
        added = added->next;
    }
    return table != NULL ? lint_is_new_check(lint, table, name) : added != NULL;
}

static bool is_of_domain(const Lint *lint, const TableLock *lock)
{
    const Json *definition = json_object_get(json_object_get(lock->command, "def"), "ColumnDef");
    const Json *type = json_object_get(definition, "typeName");
    return json_object_get(type, "arrayBounds") == NULL &&
           lint_is_constrained(lint, tree_last_text(json_object_get(type, "names")));
}

/* A name that is there again at the end of the migration nobody misses: DROP VIEW and CREATE VIEW,
 * or a table that gets another name and a view that gets its own. */
static bool is_missed(const Lint *lint, const TableLock *lock)
{
    return !lint_is_made_again(lint, LINT_SPACE_RELATIONS, lock->table);
}

static bool is_partitioned(const Lint *lint, const TableLock *lock)
{
    const LintTable *table = lint_find_table(lint, lock->table);
    return table != NULL && table->is_partitioned;
}

/* ONLY is for partitioned tables; of others it says nothing. */
static bool is_plain_table(const Lint *lint, const TableLock *lock)
{
    return lint_find_table(lint, lock->table) != NULL && !is_partitioned(lint, lock);
}

/* Whether no valid CHECK can say that the rows of a table that is attached are in their place. What
 * one of its own says keeps nobody from reading the default partition. */
static bool is_unproven(const Lint *lint, const TableLock *lock)
{
    const Json *relation = json_object_get(lint->statement->tree, "relation");
    const LintTable *parent = lint_find_table(lint, json_get_text(relation, "relname", ""));
    const LintTable *table = lint_find_table(lint, lock->table);
    const char *key = parent == NULL ? NULL : parent->partition_key;
    return key == NULL || table == NULL || parent->has_default_partition ||
           !lint_is_checked_before(lint, table, key) ||
           (lint_may_be_null(table, key) && !lint_is_checked_not_null(lint, table, key));
}

/* A primary key makes its columns NOT NULL, and reads the table for that. */
static bool is_key_of_nullable(const Lint *lint, const TableLock *lock)
{
    const Json *constraint = json_object_get(json_object_get(lock->command, "def"), "Constraint");
    const LintTable *table = lint_find_table(lint, lock->table);
    const LintIndex *index = lint_find_index(lint, json_get_text(constraint, "indexname", ""));
    const bool is_known = tree_text_is(constraint, "contype", "CONSTR_PRIMARY") && table != NULL;
    for (size_t i = 0; is_known && index != NULL && i < index->count; i++) {
        if (lint_may_be_null(table, index->columns[i]) &&
            !lint_is_checked_not_null(lint, table, index->columns[i])) {
            return true;
        }
    }
    return false;
}

static bool is_after_lock(const Lint *lint, const TableLock *lock)
{
    (void)lock;
    return lint->locked != NULL;
}

/* The rules of single locks: of these rows of locks.def, where the last column, if any, agrees. */
static const struct {
    const char *node;
    const char *detail;
    LintRule rule;
    bool (*applies)(const Lint *lint, const TableLock *lock);
} hazards[] = {
    {"AlterTableStmt", "AT_AddColumn", LINT_RULE_add_domain_column, is_of_domain},
    {"AlterTableStmt", "AT_AddColumn default", LINT_RULE_add_domain_column, is_of_domain},
    {"AlterTableStmt", "AT_AddColumn default", LINT_RULE_fleet_catalog_scan, NULL},
    {"AlterTableStmt", "AT_AddColumn generated", LINT_RULE_add_generated_column, NULL},
    {"AlterTableStmt", "AT_AddColumn identity", LINT_RULE_add_identity_column, NULL},
    {"AlterTableStmt", "AT_AddColumn required", LINT_RULE_add_required_column, NULL},
    {"AlterTableStmt", "AT_AddColumn volatile", LINT_RULE_add_volatile_default, NULL},
    {"AlterTableStmt", "AT_AddConstraint check", LINT_RULE_add_check, NULL},
    {"AlterTableStmt", "AT_AddConstraint exclusion", LINT_RULE_add_exclusion, NULL},
    {"AlterTableStmt", "AT_AddConstraint foreign", LINT_RULE_add_foreign_key, NULL},
    {"AlterTableStmt", "AT_AddConstraint key", LINT_RULE_add_key, NULL},
    {"AlterTableStmt", "AT_AddConstraint key of index", LINT_RULE_add_key_of_nullable,
     is_key_of_nullable},
    {"AlterTableStmt", "AT_AlterColumnType", LINT_RULE_alter_column_type, is_slow_type},
    {"AlterTableStmt", "AT_AttachPartition child", LINT_RULE_attach_partition, is_unproven},
    {"AlterTableStmt", "AT_DetachPartition", LINT_RULE_detach_partition, NULL},
    {"AlterTableStmt", "AT_DropColumn", LINT_RULE_drop_column, NULL},
    {"AlterTableStmt", "AT_SetAccessMethod", LINT_RULE_rewrite_table, NULL},
    {"AlterTableStmt", "AT_SetLogged", LINT_RULE_rewrite_table, NULL},
    {"AlterTableStmt", "AT_SetNotNull", LINT_RULE_set_not_null, is_unchecked},
    {"AlterTableStmt", "AT_SetUnLogged", LINT_RULE_rewrite_table, NULL},
    {"AlterTableStmt", "AT_Trigger off", LINT_RULE_disable_trigger, NULL},
    {"AlterTableStmt", "AT_ValidateConstraint", LINT_RULE_validate_same_transaction,
     is_new_constraint},
    {"ClusterStmt", "", LINT_RULE_cluster_table, NULL},
    {"CreateStmt", "partition", LINT_RULE_create_partition, NULL},
    {"DeleteStmt", "", LINT_RULE_write_under_lock, is_after_lock},
    {"DeleteStmt", "all", LINT_RULE_delete_all_rows, NULL},
    {"DropStmt", "index", LINT_RULE_drop_index, NULL},
    {"DropStmt", "table", LINT_RULE_drop_table, NULL},
    {"DropStmt", "view", LINT_RULE_drop_view, is_missed},
    {"IndexStmt", "", LINT_RULE_create_index, NULL},
    {"IndexStmt", "concurrently", LINT_RULE_concurrent_index_of_partitions, is_partitioned},
    {"IndexStmt", "only", LINT_RULE_create_index, is_plain_table},
    {"InsertStmt", "select", LINT_RULE_write_under_lock, is_after_lock},
    {"LockStmt", "", LINT_RULE_lock_table, NULL},
    {"MergeStmt", "", LINT_RULE_write_under_lock, is_after_lock},
    {"RefreshMatViewStmt", "", LINT_RULE_refresh_view, NULL},
    {"ReindexStmt", "", LINT_RULE_reindex, NULL},
    {"ReindexStmt", "index", LINT_RULE_reindex, NULL},
    {"RenameStmt", "OBJECT_COLUMN", LINT_RULE_rename_column, NULL},
    {"RenameStmt", "OBJECT_MATVIEW", LINT_RULE_rename_view, is_missed},
    {"RenameStmt", "OBJECT_TABLE", LINT_RULE_rename_table, is_missed},
    {"RenameStmt", "OBJECT_VIEW", LINT_RULE_rename_view, is_missed},
    {"TruncateStmt", "", LINT_RULE_truncate_table, NULL},
    {"UpdateStmt", "", LINT_RULE_write_under_lock, is_after_lock},
    {"UpdateStmt", "all", LINT_RULE_update_all_rows, NULL},
    {"VacuumStmt", "full", LINT_RULE_vacuum_full, NULL},
};

/* table "orders", column "orders.total" */
static const char *subject_of(const Lint *lint, const TableLock *lock)
{
    const char *column = json_get_text(lock->command, "name", NULL);
    if (strcmp(lock->detail, "index") == 0) {
        return arena_printf(lint->arena, "index \"%s\"", lock->table);
    }
    if (strcmp(lock->node, "RefreshMatViewStmt") == 0 || strstr(lock->detail, "VIEW") != NULL ||
        strcmp(lock->detail, "view") == 0) {
        return arena_printf(lint->arena, "view \"%s\"", lock->table);
    }
    if (strncmp(lock->detail, "AT_AddColumn", strlen("AT_AddColumn")) == 0) {
        const Json *definition = json_object_get(lock->command, "def");
        column = json_get_text(json_object_get(definition, "ColumnDef"), "colname", NULL);
    }
    return column == NULL || strcmp(lock->detail, "AT_Trigger off") == 0
               ? arena_printf(lint->arena, "table \"%s\"", lock->table)
               : arena_printf(lint->arena, "\"%s.%s\"", lock->table, column);
}

static void check_lock(Lint *lint, const TableLock *lock)
{
    for (size_t i = 0; i < ARRAY_COUNT(hazards); i++) {
        if (strcmp(lock->node, hazards[i].node) == 0 &&
            strcmp(lock->detail, hazards[i].detail) == 0 &&
            (hazards[i].applies == NULL || hazards[i].applies(lint, lock))) {
            lint_report(lint, hazards[i].rule, subject_of(lint, lock));
        }
    }
}

/* --- what holds for the migration as a whole -------------------------------------------------- */

static bool is_locked(const LintMade *locked, const char *name)
{
    while (locked != NULL && strcmp(locked->name, name) != 0) {
        locked = locked->next;
    }
    return locked != NULL;
}

static LintMade *push_name(Arena *arena, LintMade *list, const char *name)
{
    LintMade *made = ARENA_NEW(arena, LintMade);
    *made = (LintMade){.next = list, .name = arena_strdup(arena, name)};
    return made;
}

/* Tables that one statement locks together it must lock; another statement need not. An index is
 * locked with a table whose name is not told. */
static void note_locks(Lint *lint, const TableLock *locks, size_t count)
{
    LintMade *before = lint->locked;
    for (size_t i = 0; i < count; i++) {
        const char *name = locks[i].table;
        if (locks[i].mode != LOCK_MODE_ACCESS_EXCLUSIVE || !lint_is_live(lint, name) ||
            is_locked(lint->locked, name) || strstr(locks[i].detail, "index") != NULL) {
            continue;
        }
        if (before != NULL) {
            lint_report(lint, LINT_RULE_locks_several_tables,
                        arena_printf(lint->arena, "table \"%s\" after \"%s\"", name, before->name));
        }
        lint->locked = push_name(lint->arena, lint->locked, name);
    }
}

/* The lock of a table stays when its name does not. */
static void note_renamed_lock(Lint *lint, const SqlStatement *statement)
{
    const Json *relation = json_object_get(statement->tree, "relation");
    if (strcmp(statement->node, "RenameStmt") == 0 &&
        tree_text_is(statement->tree, "renameType", "OBJECT_TABLE") &&
        is_locked(lint->locked, json_get_text(relation, "relname", ""))) {
        lint->locked = push_name(lint->arena, lint->locked,
                                 json_get_text(statement->tree, "newname", ""));
    }
}

/* What runs outside of a transaction ends the one before it, and with that its locks. */
static void note_step(Lint *lint, const SqlStatement *statement)
{
    Alone alone = {0};
    if (lint->may_step && !lint->is_inner && alone_judge(statement, &alone) == ALONE_YES) {
        lint->locked = NULL;
    }
}

static void note_relations(Lint *lint, const SqlStatement *statement)
{
    const int64_t added = relations_added(statement);
    if (lint->relations <= MANY_RELATIONS && lint->relations + added > MANY_RELATIONS &&
        (lint->is_alone || lint->version > 1)) {
        lint_report(lint, LINT_RULE_many_relations,
                    arena_printf(lint->arena, "more than %d", MANY_RELATIONS));
    }
    lint->relations += added;
}

/* Of a file alone nothing else is known of a table than what stands in it. */
static void note_constraint(Lint *lint, const TableLock *lock)
{
    const Json *constraint = json_object_get(json_object_get(lock->command, "def"), "Constraint");
    const char *name = json_get_text(constraint, "conname", NULL);
    if (name != NULL) {
        lint->added = push_name(lint->arena, lint->added, name);
    }
}

/* --- statements that lock nothing ------------------------------------------------------------- */

static void check_timeout(Lint *lint, const char *setting)
{
    static const char *const settings[] = {"idle_in_transaction_session_timeout", "lock_timeout",
                                           "statement_timeout", "transaction_timeout"};
    for (size_t i = 0; i < ARRAY_COUNT(settings); i++) {
        if (strcasecmp(setting, settings[i]) == 0 && (lint->is_alone || lint->version > 1)) {
            lint_report(lint, LINT_RULE_own_timeout, settings[i]);
        }
    }
}

static bool visit_call(void *context, const Json *call)
{
    check_timeout(context, tree_config_name(call));
    return true;
}

void lint_check_live(Lint *lint, const SqlStatement *statement)
{
    const TableLock *locks = NULL;
    size_t count = 0;
    note_step(lint, statement);
    locks_of_statement(lint->arena, statement, &locks, &count);
    for (size_t i = 0; i < count; i++) {
        if (lint_is_live(lint, locks[i].table)) {
            check_lock(lint, &locks[i]);
        }
        note_constraint(lint, &locks[i]);
    }
    note_locks(lint, locks, count);
    note_renamed_lock(lint, statement);
    note_relations(lint, statement);
    lint_check_types(lint, statement);
    if (strcmp(statement->node, "VariableSetStmt") == 0) {
        check_timeout(lint, json_get_text(statement->tree, "name", ""));
    }
    /* What a function sets when it is called is its own affair. */
    if (strcmp(statement->node, "CreateFunctionStmt") != 0) {
        sql_tree_visit(statement->tree, "FuncCall", visit_call, lint);
    }
}
