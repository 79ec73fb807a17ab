/* The columns of the tables that the lint follows, for what the manifest says of single columns. */
#include <string.h>

#include "blueprint/lint_made.h"
#include "blueprint/lock_alter.h"
#include "core/array.h"

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

static bool is_number(const Json *modifier)
{
    return json_object_get(json_object_get(modifier, "A_Const"), "ival") != NULL;
}

static void note_type(Lint *lint, LintColumn *column, const Json *type)
{
    const Json *modifiers = json_object_get(type, "typmods");
    const bool has_size = json_array_size(modifiers) > 0;
    column->is_unknown = false;
    for (size_t i = 0; i < json_array_size(modifiers); i++) {
        column->is_unknown = column->is_unknown || !is_number(json_array_get(modifiers, i));
    }
    column->type = arena_strdup(lint->arena, tree_last_text(json_object_get(type, "names")));
    column->is_array = json_object_get(type, "arrayBounds") != NULL;
    column->size = has_size ? type_modifier(type, 0) + 1 : 0;
    column->scale = type_modifier(type, 1);
}

static bool is_not_null(const Json *definition)
{
    static const char *const kinds[] = {"CONSTR_IDENTITY", "CONSTR_NOTNULL", "CONSTR_PRIMARY"};
    const Json *constraints = json_object_get(definition, "constraints");
    for (size_t i = 0; i < json_array_size(constraints); i++) {
        const Json *constraint = json_object_get(json_array_get(constraints, i), "Constraint");
        for (size_t j = 0; j < ARRAY_COUNT(kinds); j++) {
            if (tree_text_is(constraint, "contype", kinds[j])) {
                return true;
            }
        }
    }
    return type_is_serial(json_object_get(definition, "typeName"));
}

static void add_column(Lint *lint, LintTable *table, const Json *definition)
{
    LintColumn *column = ARENA_NEW(lint->arena, LintColumn);
    *column = (LintColumn){
        .next = table->columns,
        .name = arena_strdup(lint->arena, json_get_text(definition, "colname", "")),
        .is_not_null = is_not_null(definition)};
    note_type(lint, column, json_object_get(definition, "typeName"));
    table->columns = column;
}

/* --- types whose values are stored alike ------------------------------------------------------ */

typedef enum Widening {
    WIDENING_ANY,   /* whatever their sizes */
    WIDENING_ROOM,  /* to no less room */
    WIDENING_SCALE, /* the same, with as many digits behind the point */
} Widening;

/* What PostgreSQL changes in the catalogue alone. */
static const struct {
    const char *from;
    const char *to;
    Widening widening;
} widenings[] = {
    {"cidr", "inet", WIDENING_ANY},
    {"numeric", "numeric", WIDENING_SCALE},
    {"text", "varchar", WIDENING_ROOM},
    {"time", "time", WIDENING_ROOM},
    {"timestamp", "timestamp", WIDENING_ROOM},
    {"timestamptz", "timestamptz", WIDENING_ROOM},
    {"timetz", "timetz", WIDENING_ROOM},
    {"varbit", "varbit", WIDENING_ROOM},
    {"varchar", "text", WIDENING_ANY},
    {"varchar", "varchar", WIDENING_ROOM},
};

static bool has_room(const LintColumn *from, const LintColumn *to)
{
    return to->size == 0 || (from->size > 0 && from->size <= to->size);
}

static bool is_same_type(const LintColumn *a, const LintColumn *b)
{
    return strcmp(a->type, b->type) == 0 && a->is_array == b->is_array && a->size == b->size &&
           a->scale == b->scale && !a->is_unknown && !b->is_unknown;
}

static bool is_widening(const LintColumn *from, const LintColumn *to)
{
    for (size_t i = 0; i < ARRAY_COUNT(widenings); i++) {
        if (strcmp(from->type, widenings[i].from) == 0 && strcmp(to->type, widenings[i].to) == 0) {
            const bool is_scale_kept = to->size == 0 || from->scale == to->scale;
            return widenings[i].widening == WIDENING_ANY ||
                   (has_room(from, to) &&
                    (widenings[i].widening == WIDENING_ROOM || is_scale_kept));
        }
    }
    return false;
}

/* USING column::type, as object-relational mappers write it, is what is done without it. */
static bool is_plain_using(Lint *lint, const Json *expression, const char *column,
                           const LintColumn *to)
{
    const Json *cast = json_object_get(expression, "TypeCast");
    const Json *reference = json_object_get(json_object_get(cast, "arg"), "ColumnRef");
    LintColumn own = {0};
    note_type(lint, &own, json_object_get(cast, "typeName"));
    return strcmp(tree_last_text(json_object_get(reference, "fields")), column) == 0 &&
           is_same_type(&own, to);
}

bool lint_is_wider(const LintTable *table, const char *column, const Json *definition)
{
    const LintColumn *from = find_column(table, column);
    const Json *expression = json_object_get(definition, "raw_default");
    LintColumn to = {0};
    scoped_arena Arena *arena = arena_new();
    Lint scratch = {.arena = arena};
    note_type(&scratch, &to, json_object_get(definition, "typeName"));
    if (from == NULL || json_object_get(definition, "collClause") != NULL ||
        (expression != NULL && !is_plain_using(&scratch, expression, column, &to))) {
        return false;
    }
    return is_same_type(from, &to) || (!from->is_array && !to.is_array && !from->is_unknown &&
                                       !to.is_unknown && is_widening(from, &to));
}

bool lint_may_be_null(const LintTable *table, const char *column)
{
    const LintColumn *found = find_column(table, column);
    return found != NULL && !found->is_not_null;
}

/* --- what statements do ----------------------------------------------------------------------- */

static void set_not_null(const LintTable *table, const char *name, bool is_set)
{
    LintColumn *column = find_column(table, name);
    if (column != NULL) {
        column->is_not_null = is_set;
    }
}

/* The columns of a primary key are NOT NULL. */
static void note_primary_key(const Lint *lint, const LintTable *table, const Json *constraint)
{
    const Json *keys = json_object_get(constraint, "keys");
    const LintIndex *index = lint_find_index(lint, json_get_text(constraint, "indexname", ""));
    if (!tree_text_is(constraint, "contype", "CONSTR_PRIMARY")) {
        return;
    }
    for (size_t i = 0; i < json_array_size(keys); i++) {
        set_not_null(table, tree_list_text(keys, i), true);
    }
    for (size_t i = 0; index != NULL && i < index->count; i++) {
        set_not_null(table, index->columns[i], true);
    }
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
    for (size_t i = 0; i < json_array_size(elements); i++) {
        const Json *constraint = json_object_get(json_array_get(elements, i), "Constraint");
        note_primary_key(lint, table, constraint);
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
        note_type(lint, column, json_object_get(definition, "typeName"));
    } else if (strcmp(subtype, "AT_SetNotNull") == 0 || strcmp(subtype, "AT_DropNotNull") == 0) {
        set_not_null(table, json_get_text(command, "name", ""),
                     strcmp(subtype, "AT_SetNotNull") == 0);
    } else if (strcmp(subtype, "AT_AddConstraint") == 0) {
        note_primary_key(lint, table,
                         json_object_get(json_object_get(command, "def"), "Constraint"));
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
