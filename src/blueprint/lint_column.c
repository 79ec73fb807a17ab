/* The columns of the tables that the lint follows, for what the manifest says of single columns. */
#include <string.h>

#include "blueprint/lint_made.h"

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

/* 0 when it has none of that index. */
static int64_t type_modifier(const Json *type, size_t index)
{
    const Json *modifier = json_array_get(json_object_get(type, "typmods"), index);
    const Json *number = json_object_get(json_object_get(modifier, "A_Const"), "ival");
    return json_get_int(number, "ival", 0);
}

/* The type of a ColumnDef. */
static void note_type(Lint *lint, LintColumn *column, const Json *definition)
{
    const Json *type = json_object_get(definition, "typeName");
    const char *name = tree_last_text(json_object_get(type, "names"));
    column->type = arena_strdup(lint->arena, name);
    column->is_array = json_object_get(type, "arrayBounds") != NULL;
    column->size = type_modifier(type, 0);
    column->scale = type_modifier(type, 1);
}

static void add_column(Lint *lint, LintTable *table, const Json *definition)
{
    LintColumn *column = ARENA_NEW(lint->arena, LintColumn);
    *column = (LintColumn){
        .next = table->columns,
        .name = arena_strdup(lint->arena, json_get_text(definition, "colname", ""))};
    note_type(lint, column, definition);
    table->columns = column;
}

/* PostgreSQL keeps the rows as they are where a varchar or a numeric has more room afterwards, and
 * where a varchar becomes a text. */
bool lint_is_wider(const LintTable *table, const char *column, const Json *definition)
{
    const LintColumn *from = find_column(table, column);
    LintColumn to = {0};
    scoped_arena Arena *arena = arena_new();
    note_type(&(Lint){.arena = arena}, &to, definition);
    if (from == NULL || from->is_array || to.is_array ||
        json_object_get(definition, "raw_default") != NULL ||
        json_object_get(definition, "collClause") != NULL) {
        return false;
    }
    const bool has_room = to.size == 0 || (from->size > 0 && from->size <= to.size);
    if (strcmp(from->type, "varchar") == 0) {
        return strcmp(to.type, "text") == 0 || (strcmp(to.type, "varchar") == 0 && has_room);
    }
    return strcmp(from->type, "numeric") == 0 && strcmp(to.type, "numeric") == 0 && has_room &&
           (to.size == 0 || from->scale == to.scale);
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
            add_column(lint, table, column);
        }
        table->has_more_columns = table->has_more_columns ||
                                  json_object_get(element, "TableLikeClause") != NULL;
    }
}

void lint_note_column_command(Lint *lint, LintTable *table, const Json *command)
{
    const char *subtype = json_get_text(command, "subtype", "");
    const Json *definition = json_object_get(json_object_get(command, "def"), "ColumnDef");
    LintColumn *column = find_column(table, json_get_text(command, "name", ""));
    if (strcmp(subtype, "AT_AddColumn") == 0) {
        add_column(lint, table, definition);
    } else if (strcmp(subtype, "AT_AlterColumnType") == 0 && column != NULL) {
        note_type(lint, column, definition);
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

const LintColumn *lint_find_column_of_type(const Lint *lint, const char *type,
                                           const LintTable **ret_table)
{
    for (const LintTable *table = lint->tables; table != NULL; table = table->next) {
        const LintColumn *column = table->is_dropped ? NULL : table->columns;
        while (column != NULL && strcmp(column->type, type) != 0) {
            column = column->next;
        }
        if (column != NULL) {
            *ret_table = table;
            return column;
        }
    }
    return NULL;
}

void lint_rename_type(Lint *lint, const char *from, const char *to)
{
    for (LintTable *table = lint->tables; table != NULL; table = table->next) {
        for (LintColumn *column = table->columns; column != NULL; column = column->next) {
            if (strcmp(column->type, from) == 0) {
                column->type = arena_strdup(lint->arena, to);
            }
        }
    }
}
