/* What the lint follows beside tables, for the rules of what is in use; internal to the module. */
#ifndef TENANTRY_BLUEPRINT_LINT_MADE_H
#define TENANTRY_BLUEPRINT_LINT_MADE_H

#include "blueprint/lint_table.h"

/* Whether tenants may have the relation already: a version before this one made it, or, for a file
 * that is linted alone, this file did not. */
bool lint_is_live(const Lint *lint, const char *name);

/* The same of a type. */
bool lint_is_live_type(const Lint *lint, const char *name);

/* Whether it is a domain that is followed and has a constraint. */
bool lint_is_constrained(const Lint *lint, const char *type);

/* Whether a later statement of the migration makes something of that name: at its end the name is
 * there, as it was. Between the two that begin and end what is known of a script. */
bool lint_is_made_again(const Lint *lint, LintSpace space, const char *name);
void lint_begin_makers(Lint *lint, const LintScript *script);
void lint_end_makers(Lint *lint);

/* Notes relations and types that are made, or get another name. */
void lint_note_made(Lint *lint, const SqlStatement *statement);

/* A column of a table that has the type, or an array of it; NULL when none is followed. *ret_table
 * is its table (lint_column.c). */
const LintColumn *lint_find_column_of_type(const Lint *lint, const char *type,
                                           const LintTable **ret_table);
void lint_rename_type(Lint *lint, const char *from, const char *to);

/* Drops, renames and changes of types (lint_type.c). */
void lint_check_types(Lint *lint, const SqlStatement *statement);

/* Indexes by name (lint_index.c): of an IndexStmt, which one a name is, or NULL. */
void lint_note_index(Lint *lint, const Json *tree);
void lint_rename_index(Lint *lint, const char *from, const char *to);
const LintIndex *lint_find_index(const Lint *lint, const char *name);

/* Constraints by name (lint_check.c): of a CreateStmt and of an AlterTableCmd. */
void lint_note_created_checks(Lint *lint, LintTable *table, const Json *tree);
void lint_note_check_command(Lint *lint, LintTable *table, const Json *command);
/* Whether a valid CHECK that the statement at hand does not drop says that the column is not null.
 */
bool lint_is_checked_not_null(const Lint *lint, const LintTable *table, const char *column);
/* Whether a valid CHECK of an earlier version names this column alone. */
bool lint_is_checked_before(const Lint *lint, const LintTable *table, const char *column);
/* Whether the constraint was added in the version that is being checked. */
bool lint_is_new_check(const Lint *lint, const LintTable *table, const char *name);

/* Whether the column's new type holds all values of its present one as they are stored
 * (lint_column.c). */
bool lint_is_wider(const LintTable *table, const char *column, const Json *definition);

/* Whether the column is followed, and may be null as far as NOT NULL tells. */
bool lint_may_be_null(const LintTable *table, const char *column);

#endif
