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

/* An AlterTableCmd, a RenameStmt, a DropStmt. */
void lint_note_command(LintTable *table, const Json *command);
void lint_note_rename(Lint *lint, const Json *tree);
void lint_note_drop(Lint *lint, const Json *tree);

#endif
