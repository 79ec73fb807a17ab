/* The tables as the migrations make them: as much of each as the rules of the row tier ask. */
#include "blueprint/lint_made.h"

#include <string.h>
#include <strings.h>

LintTable *lint_find_table(const Lint *lint, const char *name)
{
    for (LintTable *table = lint->tables; table != NULL; table = table->next) {
        if (!table->is_dropped && strcmp(table->name, name) == 0) {
            return table;
        }
    }
    return NULL;
}

bool lint_is_shared(const Lint *lint, const char *name)
{
    for (size_t i = 0; i < lint->blueprint->shared_count; i++) {
        if (strcmp(lint->blueprint->shared[i], name) == 0) {
            return true;
        }
    }
    return false;
}

LintTable *lint_add_table(Lint *lint, const Json *relation)
{
    LintTable *table = ARENA_NEW(lint->arena, LintTable);
    *table = (LintTable){.next = lint->tables,
                         .name = arena_strdup(lint->arena, json_get_text(relation, "relname", "")),
                         .file = lint->file,
                         .line = lint->line,
                         .version = lint->version,
                         .is_inner = lint->is_inner};
    lint->tables = table;
    return table;
}

static void copy_tenant_id(LintTable *table, const LintTable *from)
{
    if (from != NULL && from->has_tenant_id) {
        table->has_tenant_id = true;
        table->is_uuid = from->is_uuid;
        table->is_not_null = from->is_not_null;
        table->has_default = from->has_default;
    }
}

void lint_note_column(LintTable *table, const Json *column)
{
    if (!tree_text_is(column, "colname", TENANT_COLUMN)) {
        return;
    }
    const Json *type = json_object_get(column, "typeName");
    table->has_tenant_id = true;
    table->is_uuid = strcmp(tree_last_text(json_object_get(type, "names")), "uuid") == 0 &&
                     json_object_get(type, "arrayBounds") == NULL;
    const Json *constraints = json_object_get(column, "constraints");
    for (size_t i = 0; i < json_array_size(constraints); i++) {
        const Json *constraint = json_object_get(json_array_get(constraints, i), "Constraint");
        table->is_not_null = table->is_not_null ||
                             tree_text_is(constraint, "contype", "CONSTR_NOTNULL") ||
                             tree_text_is(constraint, "contype", "CONSTR_PRIMARY");
        table->has_default = table->has_default ||
                             tree_text_is(constraint, "contype", "CONSTR_DEFAULT");
    }
}

/* PARTITION BY (column): the column's name; NULL of several columns, or an expression. */
static const char *single_key(Arena *arena, const Json *tree)
{
    const Json *params = json_object_get(json_object_get(tree, "partspec"), "partParams");
    if (json_array_size(params) != 1) {
        return NULL;
    }
    const Json *element = json_object_get(json_array_get(params, 0), "PartitionElem");
    return arena_strdup(arena, json_get_text(element, "name", NULL));
}

/* PARTITION BY RANGE (column): the column's name. */
static const char *range_column(Arena *arena, const Json *tree)
{
    const Json *spec = json_object_get(tree, "partspec");
    const Json *params = json_object_get(spec, "partParams");
    if (spec == NULL || strcasecmp(json_get_text(spec, "strategy", ""), "range") != 0 ||
        json_array_size(params) != 1) {
        return NULL;
    }
    const Json *element = json_object_get(json_array_get(params, 0), "PartitionElem");
    return arena_strdup(arena, json_get_text(element, "name", NULL));
}

LintTable *lint_add_created(Lint *lint, const Json *tree)
{
    LintTable *table = lint_add_table(lint, json_object_get(tree, "relation"));
    table->is_partition = json_object_get(tree, "partbound") != NULL;
    table->is_partitioned = json_object_get(tree, "partspec") != NULL;
    table->partition_column = range_column(lint->arena, tree);
    table->partition_key = single_key(lint->arena, tree);
    const Json *parents = json_object_get(tree, "inhRelations");
    for (size_t i = 0; i < json_array_size(parents); i++) {
        const Json *parent = json_object_get(json_array_get(parents, i), "RangeVar");
        LintTable *found = lint_find_table(lint, json_get_text(parent, "relname", ""));
        copy_tenant_id(table, found);
        table->parent = table->is_partition ? found : NULL;
        if (found != NULL) {
            lint_note_partition(found, json_object_get(tree, "partbound"));
        }
    }
    const Json *elements = json_object_get(tree, "tableElts");
    for (size_t i = 0; i < json_array_size(elements); i++) {
        const Json *element = json_array_get(elements, i);
        const Json *like = json_object_get(json_object_get(element, "TableLikeClause"), "relation");
        copy_tenant_id(table, lint_find_table(lint, json_get_text(like, "relname", "")));
        lint_note_column(table, json_object_get(element, "ColumnDef"));
    }
    lint_note_created_columns(lint, table, tree);
    lint_note_created_keys(lint, table, tree);
    lint_note_created_checks(lint, table, tree);
    return table;
}

void lint_note_partition(LintTable *parent, const Json *bound)
{
    parent->has_default_partition = parent->has_default_partition ||
                                    json_get_bool(bound, "is_default", false);
}

void lint_note_command(LintTable *table, const Json *command)
{
    const Json *partition = json_object_get(json_object_get(command, "def"), "PartitionCmd");
    lint_note_partition(table, json_object_get(partition, "bound"));
    if (tree_text_is(command, "subtype", "AT_AddColumn")) {
        lint_note_column(table, json_object_get(json_object_get(command, "def"), "ColumnDef"));
    }
    if (!tree_text_is(command, "name", TENANT_COLUMN)) {
        return;
    }
    const char *subtype = json_get_text(command, "subtype", "");
    if (strcmp(subtype, "AT_DropColumn") == 0) {
        table->has_tenant_id = false;
    } else if (strcmp(subtype, "AT_DropNotNull") == 0) {
        table->is_not_null = false;
    } else if (strcmp(subtype, "AT_SetNotNull") == 0) {
        table->is_not_null = true;
    } else if (strcmp(subtype, "AT_ColumnDefault") == 0) {
        table->has_default = json_object_get(command, "def") != NULL;
    } else if (strcmp(subtype, "AT_AlterColumnType") == 0) {
        const Json *column = json_object_get(json_object_get(command, "def"), "ColumnDef");
        const Json *type = json_object_get(column, "typeName");
        table->is_uuid = strcmp(tree_last_text(json_object_get(type, "names")), "uuid") == 0;
    }
}

/* In a body the table may keep its name: that one stays known, as of a table that is dropped. */
static void note_old_name(Lint *lint, const char *name)
{
    if (lint->is_inner) {
        LintTable *table = ARENA_NEW(lint->arena, LintTable);
        *table = (LintTable){
            .next = lint->tables, .name = name, .is_dropped = true, .is_inner = true};
        lint->tables = table;
    }
}

void lint_note_rename(Lint *lint, const Json *tree)
{
    const Json *relation = json_object_get(tree, "relation");
    LintTable *table = lint_find_table(lint, json_get_text(relation, "relname", ""));
    if (table == NULL) {
        return;
    }
    const char *name = json_get_text(tree, "newname", "");
    table->is_inner = table->is_inner || lint->is_inner;
    if (tree_text_is(tree, "renameType", "OBJECT_TABLE")) {
        note_old_name(lint, table->name);
        table->name = arena_strdup(lint->arena, name);
    } else if (tree_text_is(tree, "renameType", "OBJECT_TABCONSTRAINT")) {
        lint_rename_key(lint, table, json_get_text(tree, "subname", ""), name);
    } else if (tree_text_is(tree, "renameType", "OBJECT_COLUMN")) {
        lint_rename_column(lint, table, json_get_text(tree, "subname", ""), name);
        /* What a column of another name was is not known: it counts as right. */
        if (strcmp(name, TENANT_COLUMN) == 0) {
            table->has_tenant_id = table->is_uuid = table->is_not_null = table->has_default = true;
        } else if (tree_text_is(tree, "subname", TENANT_COLUMN)) {
            table->has_tenant_id = false;
        }
    }
}

void lint_note_drop(Lint *lint, const Json *tree)
{
    if (!tree_text_is(tree, "removeType", "OBJECT_TABLE")) {
        return;
    }
    const Json *objects = json_object_get(tree, "objects");
    for (size_t i = 0; i < json_array_size(objects); i++) {
        const Json *list = json_object_get(json_array_get(objects, i), "List");
        LintTable *table = lint_find_table(lint, tree_last_text(json_object_get(list, "items")));
        if (table != NULL) {
            table->is_dropped = true;
            table->is_inner = table->is_inner || lint->is_inner;
        }
    }
}
