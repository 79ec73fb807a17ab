/* The columns of the tables that the lint follows, for what the manifest says of single columns. */
#include <string.h>

#include "blueprint/lint_table.h"

static LintColumn *find_column(const LintTable *table, const char *name)
{
    for (LintColumn *column = table->columns; column != NULL; column = column->next) {
        if (strcmp(column->name, name) == 0) {
            return column;
        }
    }
    return NULL;
}

bool lint_has_column(const LintTable *table, const char *name)
{
    return table->has_more_columns || find_column(table, name) != NULL;
}

static void add_column(Lint *lint, LintTable *table, const char *name)
{
    LintColumn *column = ARENA_NEW(lint->arena, LintColumn);
    *column = (LintColumn){.next = table->columns, .name = arena_strdup(lint->arena, name)};
    table->columns = column;
}

static void remove_column(LintTable *table, const char *name)
{
    for (LintColumn **at = &table->columns; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->name, name) == 0) {
            *at = (*at)->next;
            return;
        }
    }
}

/* The columns of what it is LIKE, a partition of or inherits from are its own from now on, and
 * which these get later is not followed. */
void lint_note_created_columns(Lint *lint, LintTable *table, const Json *tree)
{
    const Json *elements = json_object_get(tree, "tableElts");
    table->has_more_columns = json_array_size(json_object_get(tree, "inhRelations")) > 0 ||
                              json_object_get(tree, "ofTypename") != NULL;
    for (size_t i = 0; i < json_array_size(elements); i++) {
        const Json *element = json_array_get(elements, i);
        const Json *column = json_object_get(element, "ColumnDef");
        if (column != NULL) {
            add_column(lint, table, json_get_text(column, "colname", ""));
        }
        table->has_more_columns = table->has_more_columns ||
                                  json_object_get(element, "TableLikeClause") != NULL;
    }
}

void lint_note_column_command(Lint *lint, LintTable *table, const Json *command)
{
    const char *subtype = json_get_text(command, "subtype", "");
    if (strcmp(subtype, "AT_AddColumn") == 0) {
        const Json *column = json_object_get(json_object_get(command, "def"), "ColumnDef");
        add_column(lint, table, json_get_text(column, "colname", ""));
    } else if (strcmp(subtype, "AT_DropColumn") == 0) {
        remove_column(table, json_get_text(command, "name", ""));
    }
}

void lint_rename_column(Lint *lint, LintTable *table, const char *from, const char *to)
{
    LintColumn *column = find_column(table, from);
    if (column != NULL) {
        column->name = arena_strdup(lint->arena, to);
    }
}
