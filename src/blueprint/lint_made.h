/* What the lint follows beside tables, for the rules of what is in use; internal to the module. */
#ifndef TENANTRY_BLUEPRINT_LINT_MADE_H
#define TENANTRY_BLUEPRINT_LINT_MADE_H

#include "blueprint/lint_table.h"

/* Whether tenants may have the relation already: a version before this one made it, or, for a file
 * that is linted alone, this file did not. */
bool lint_is_live(const Lint *lint, const char *name);

/* The same of an enum. */
bool lint_is_live_enum(const Lint *lint, const char *name);

/* The same of a domain, and whether one that is followed has a constraint. */
bool lint_is_live_domain(const Lint *lint, const char *name);
bool lint_is_constrained(const Lint *lint, const char *type);

/* Notes indexes, views, temporary tables, domains, enums and their values. */
void lint_note_made(Lint *lint, const SqlStatement *statement);

/* Constraints by name (lint_check.c): of a CreateStmt and of an AlterTableCmd. */
void lint_note_created_checks(Lint *lint, LintTable *table, const Json *tree);
void lint_note_check_command(Lint *lint, LintTable *table, const Json *command);
/* Whether a valid CHECK says that the column is not null. */
bool lint_is_checked_not_null(const LintTable *table, const char *column);
/* Whether the constraint was added in the version that is being checked. */
bool lint_is_new_check(const Lint *lint, const LintTable *table, const char *name);

/* Whether the column's new type holds all values of its present one as they are stored
 * (lint_column.c). */
bool lint_is_wider(const LintTable *table, const char *column, const Json *definition);

#endif
