/* Cycles of foreign keys. Tables in a cycle have no order in which they can be loaded, restored or
 * emptied, unless one of the keys is checked at the end of the transaction.
 *
 * The keys of all migrations are followed to their final state; each that is not DEFERRABLE is an
 * edge from its table to the one that it references. A key to its own table is no cycle: one
 * statement loads or empties such a table. */
#include <string.h>

#include "blueprint/lint_table.h"
#include "core/strbuf.h"

/* The name that PostgreSQL gives a key without one. */
static const char *default_name(Arena *arena, const LintTable *table, const Json *columns,
                                const char *column)
{
    StrBuf name = strbuf_init(arena);
    strbuf_printf(&name, "%s_", table->name);
    if (column != NULL) {
        strbuf_printf(&name, "%s_", column);
    }
    for (size_t i = 0; column == NULL && i < json_array_size(columns); i++) {
        strbuf_printf(&name, "%s_", tree_list_text(columns, i));
    }
    strbuf_add(&name, "fkey");
    return name.text;
}

static void add_key(Lint *lint, LintTable *table, const Json *constraint, const char *column,
                    bool is_deferrable)
{
    const Json *relation = json_object_get(constraint, "pktable");
    const Json *columns = json_object_get(constraint, "fk_attrs");
    LintTable *target = lint_find_table(lint, json_get_text(relation, "relname", ""));
    const char *name = json_get_text(constraint, "conname", NULL);
    LintKey *key = ARENA_NEW(lint->arena, LintKey);
    *key = (LintKey){.next = lint->keys,
                     .from = table,
                     .to = target,
                     .name = name != NULL ? arena_strdup(lint->arena, name)
                                          : default_name(lint->arena, table, columns, column),
                     .column = column != NULL
                                   ? arena_strdup(lint->arena, column)
                                   : arena_strdup(lint->arena, tree_list_text(columns, 0)),
                     .file = lint->file,
                     .line = lint->line,
                     .is_deferrable = is_deferrable,
                     .is_inner = lint->is_inner};
    lint->keys = key;
}

/* Behind a key of a column the parser puts DEFERRABLE as an item of its own. */
static bool is_followed_by_deferrable(const Json *constraints, size_t i)
{
    for (size_t j = i + 1; j < json_array_size(constraints); j++) {
        const Json *next = json_object_get(json_array_get(constraints, j), "Constraint");
        const char *type = json_get_text(next, "contype", "");
        if (strncmp(type, "CONSTR_ATTR_", strlen("CONSTR_ATTR_")) != 0) {
            return false;
        }
        /* INITIALLY DEFERRED alone implies DEFERRABLE. */
        if (strcmp(type, "CONSTR_ATTR_DEFERRABLE") == 0 ||
            strcmp(type, "CONSTR_ATTR_DEFERRED") == 0) {
            return true;
        }
    }
    return false;
}

/* A ColumnDef or a Constraint of a table. */
static void note_element(Lint *lint, LintTable *table, const Json *element)
{
    const Json *constraint = json_object_get(element, "Constraint");
    const Json *column = json_object_get(element, "ColumnDef");
    const Json *constraints = json_object_get(column, "constraints");
    if (tree_text_is(constraint, "contype", "CONSTR_FOREIGN")) {
        add_key(lint, table, constraint, NULL, json_get_bool(constraint, "deferrable", false));
    }
    for (size_t i = 0; i < json_array_size(constraints); i++) {
        const Json *own = json_object_get(json_array_get(constraints, i), "Constraint");
        if (tree_text_is(own, "contype", "CONSTR_FOREIGN")) {
            add_key(lint, table, own, json_get_text(column, "colname", ""),
                    is_followed_by_deferrable(constraints, i));
        }
    }
}

void lint_note_created_keys(Lint *lint, LintTable *table, const Json *tree)
{
    const Json *elements = json_object_get(tree, "tableElts");
    for (size_t i = 0; i < json_array_size(elements); i++) {
        note_element(lint, table, json_array_get(elements, i));
    }
}

/* DROP CONSTRAINT, DROP COLUMN (which takes its keys along), ALTER CONSTRAINT. */
void lint_note_key_command(Lint *lint, LintTable *table, const Json *command)
{
    const char *subtype = json_get_text(command, "subtype", "");
    const char *name = json_get_text(command, "name", "");
    const Json *definition = json_object_get(command, "def");
    const Json *constraint = json_object_get(definition, "Constraint");
    if (strcmp(subtype, "AT_AddColumn") == 0 || strcmp(subtype, "AT_AddConstraint") == 0) {
        note_element(lint, table, definition);
        return;
    }
    for (LintKey *key = lint->keys; key != NULL; key = key->next) {
        if (key->from != table) {
            continue;
        }
        if (strcmp(subtype, "AT_AlterConstraint") == 0 &&
            tree_text_is(constraint, "conname", key->name)) {
            key->is_deferrable = json_get_bool(constraint, "deferrable", false);
            key->is_inner = key->is_inner || lint->is_inner;
        }
        key->is_dropped = key->is_dropped ||
                          (strcmp(subtype, "AT_DropConstraint") == 0 &&
                           strcmp(key->name, name) == 0) ||
                          (strcmp(subtype, "AT_DropColumn") == 0 && strcmp(key->column, name) == 0);
    }
}

void lint_rename_key(Lint *lint, const LintTable *table, const char *from, const char *to)
{
    for (LintKey *key = lint->keys; key != NULL; key = key->next) {
        if (key->from == table && strcmp(key->name, from) == 0) {
            key->name = arena_strdup(lint->arena, to);
        }
    }
}

static bool is_edge(const LintKey *key)
{
    return key->to != NULL && key->from != key->to && !key->is_deferrable && !key->is_dropped;
}

static LintTable *topmost(LintTable *table)
{
    while (table->parent != NULL) {
        table = table->parent;
    }
    return table;
}

/* Rows of a partition come and go with those of the table that it is part of, so its keys are that
 * table's. */
static void lift_key(LintKey *key)
{
    if (key->to == NULL) {
        return;
    }
    key->is_dropped = key->is_dropped || key->from->is_dropped || key->to->is_dropped;
    key->from = topmost(key->from);
    key->to = topmost(key->to);
}

/* Goes along the edges from start, and notes on each table from which one it was reached first. */
static void spread(LintTable *start)
{
    LintTable *last = start;
    start->is_reached = true;
    start->next_in_walk = NULL;
    for (LintTable *at = start; at != NULL; at = at->next_in_walk) {
        for (const LintKey *edge = at->edges; edge != NULL; edge = edge->next_edge) {
            if (!edge->to->is_reached) {
                edge->to->is_reached = true;
                edge->to->reached_from = at;
                edge->to->next_in_walk = NULL;
                last->next_in_walk = edge->to;
                last = edge->to;
            }
        }
    }
}

/* "a" -> "b" -> "a": the key goes from a to b, and the walk that began at b reached a. */
static void report_cycle(Lint *lint, const LintKey *closing)
{
    const char *path = arena_printf(lint->arena, "\"%s\"", closing->from->name);
    for (const LintTable *at = closing->from; at != closing->to; at = at->reached_from) {
        path = arena_printf(lint->arena, "\"%s\" -> %s", at->reached_from->name, path);
    }
    lint_report_at(lint, LINT_RULE_foreign_key_cycle,
                   arena_printf(lint->arena, "tables \"%s\" -> %s", closing->from->name, path),
                   closing->file, closing->line, closing->is_inner);
}

static LintKey *reverse(LintKey *keys)
{
    LintKey *first = NULL;
    while (keys != NULL) {
        LintKey *next = keys->next;
        keys->next = first;
        first = keys;
        keys = next;
    }
    return first;
}

static void add_edge(Lint *lint, LintKey *key)
{
    for (LintTable *table = lint->tables; table != NULL; table = table->next) {
        table->is_reached = false;
    }
    spread(key->to);
    if (key->from->is_reached) {
        report_cycle(lint, key);
    } else {
        key->next_edge = key->from->edges;
        key->from->edges = key;
    }
}

/* Keys become edges in the order of the migrations, those of bodies last: a cycle that one of them
 * is part of may never come about. One from whose target the edges so far lead back to its table
 * closes a cycle: it is reported and left out, so that each further cycle is found by a key of its
 * own. */
void lint_check_cycles(Lint *lint)
{
    lint->keys = reverse(lint->keys); /* they were put in front of one another */
    for (LintKey *key = lint->keys; key != NULL; key = key->next) {
        lift_key(key);
    }
    for (int pass = 0; pass < 2; pass++) {
        for (LintKey *key = lint->keys; key != NULL; key = key->next) {
            if (key->is_inner == (pass == 1) && is_edge(key)) {
                add_edge(lint, key);
            }
        }
    }
}
