/* What statements do to the tables that the lint follows; internal to the module. */
#ifndef TENANTRY_BLUEPRINT_LINT_TABLE_H
#define TENANTRY_BLUEPRINT_LINT_TABLE_H

#include "blueprint/lint.h"

#define TENANT_COLUMN "tenant_id"

/* A table that is created here, by its RangeVar; its columns are not known. */
LintTable *lint_add_table(Lint *lint, const Json *relation);

/* The table of a CreateStmt, with what its columns and parents say of tenant_id. */
LintTable *lint_add_created(Lint *lint, const Json *tree);

/* A ColumnDef, which may be any column; NULL is allowed. */
void lint_note_column(LintTable *table, const Json *column);

/* Columns (lint_column.c) and foreign keys (lint_cycle.c) of a CreateStmt, of an AlterTableCmd, and
 * after a RenameStmt. */
void lint_note_created_columns(Lint *lint, LintTable *table, const Json *tree);
void lint_note_column_command(Lint *lint, LintTable *table, const Json *command);
void lint_rename_column(Lint *lint, LintTable *table, const char *from, const char *to);
void lint_note_created_keys(Lint *lint, LintTable *table, const Json *tree);
void lint_note_key_command(Lint *lint, LintTable *table, const Json *command);
void lint_rename_key(Lint *lint, const LintTable *table, const char *from, const char *to);

/* A PartitionBoundSpec of a partition; NULL is allowed. */
void lint_note_partition(LintTable *parent, const Json *bound);

/* An AlterTableCmd, a RenameStmt, a DropStmt. */
void lint_note_command(LintTable *table, const Json *command);
void lint_note_rename(Lint *lint, const Json *tree);
void lint_note_drop(Lint *lint, const Json *tree);

#endif
