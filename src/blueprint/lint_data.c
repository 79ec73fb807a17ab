/* Rows that a migration changes, or copies, in the row tier. Whoever runs it is the owner of the
 * shared tables, which is no tenant: row-level security shows it none of their rows, and a
 * statement that finds none is no error. In the schema tier the same text would do its work. */
#include <string.h>

#include "blueprint/lint_made.h"
#include "core/array.h"

static const int64_t NEVER = INT64_MAX;

/* Only those of the manifest are shared; a partition is what its table is. */
static bool is_of_tenants(const Lint *lint, const LintTable *table)
{
    while (table->parent != NULL) {
        table = table->parent;
    }
    return !lint_is_shared(lint, table->name);
}

/* The version behind which rows of tenants may be in the relation; NEVER: none are. */
static int64_t rows_since(const Lint *lint, const Json *relation)
{
    const char *name = json_get_text(relation, "relname", "");
    if (json_get_text(relation, "schemaname", NULL) != NULL) {
        return NEVER; /* what a migration may name in a schema is no tenant's */
    }
    const LintTable *table = lint_find_table(lint, name);
    if (table != NULL) {
        return is_of_tenants(lint, table) ? table->version : NEVER;
    }
    const LintMade *view = lint->views;
    while (view != NULL && strcmp(view->name, name) != 0) {
        view = view->next;
    }
    return view == NULL ? NEVER : view->version;
}

/* The relation of a statement, or of one within it, whose rows are there the longest. */
typedef struct Oldest {
    const Lint *lint;
    const Json *relation; /* a RangeVar; NULL: none has any */
    int64_t since;
} Oldest;

static bool visit_relation(void *context, const Json *relation)
{
    Oldest *oldest = context;
    const int64_t since = rows_since(oldest->lint, relation);
    if (since < oldest->since) {
        oldest->since = since;
        oldest->relation = relation;
    }
    return true;
}

static bool visit_change(void *context, const Json *change)
{
    return visit_relation(context, json_object_get(change, "relation"));
}

/* An INSERT is none of these: PostgreSQL refuses a row that is nobody's, so that it is not passed
 * over in silence. */
static const char *const changes[] = {"DeleteStmt", "MergeStmt", "UpdateStmt"};

static Oldest find_oldest(const Lint *lint, const Json *tree)
{
    Oldest oldest = {.lint = lint, .since = NEVER};
    sql_tree_visit(tree, "RangeVar", visit_relation, &oldest);
    for (size_t i = 0; i < ARRAY_COUNT(changes); i++) {
        sql_tree_visit(tree, changes[i], visit_change, &oldest);
    }
    return oldest;
}

static bool visit_any(void *context, const Json *value)
{
    (void)context;
    (void)value;
    return false;
}

static bool is_change(const char *node)
{
    size_t i = 0;
    while (i < ARRAY_COUNT(changes) && strcmp(changes[i], node) != 0) {
        i++;
    }
    return i < ARRAY_COUNT(changes);
}

/* A SELECT that keeps what it reads, or has a WITH that changes rows. */
static bool is_writing_select(const Json *tree)
{
    bool is_writing = json_object_get(tree, "intoClause") != NULL ||
                      !sql_tree_visit(tree, "InsertStmt", visit_any, NULL);
    for (size_t i = 0; i < ARRAY_COUNT(changes) && !is_writing; i++) {
        is_writing = !sql_tree_visit(tree, changes[i], visit_any, NULL);
    }
    return is_writing;
}

static bool is_writing(const SqlStatement *statement)
{
    const char *node = statement->node;
    const Json *into = json_object_get(statement->tree, "into");
    return is_change(node) || strcmp(node, "InsertStmt") == 0 ||
           (strcmp(node, "SelectStmt") == 0 && is_writing_select(statement->tree)) ||
           (strcmp(node, "CreateTableAsStmt") == 0 && !json_get_bool(into, "skipData", false));
}

void lint_check_data(Lint *lint, const SqlStatement *statement)
{
    if (!lint->is_row || !is_writing(statement)) {
        return;
    }
    Oldest oldest = find_oldest(lint, statement->tree);
    if (is_change(statement->node)) {
        visit_change(&oldest, statement->tree);
    }
    if (oldest.since < lint->version) {
        lint_report(
            lint, LINT_RULE_row_data_change,
            arena_printf(lint->arena, "\"%s\"", json_get_text(oldest.relation, "relname", "")));
    }
}

/* --- views ------------------------------------------------------------------------------------ */

static void note_view(Lint *lint, const char *name, int64_t since)
{
    LintMade *view = ARENA_NEW(lint->arena, LintMade);
    *view = (LintMade){
        .next = lint->views, .name = arena_strdup(lint->arena, name), .version = since};
    lint->views = view;
}

void lint_note_view(Lint *lint, const Json *tree)
{
    const Oldest oldest = find_oldest(lint, json_object_get(tree, "query"));
    note_view(lint, json_get_text(json_object_get(tree, "view"), "relname", ""), oldest.since);
}

void lint_rename_view(Lint *lint, const Json *tree)
{
    if (tree_text_is(tree, "renameType", "OBJECT_VIEW")) {
        note_view(lint, json_get_text(tree, "newname", ""),
                  rows_since(lint, json_object_get(tree, "relation")));
    }
}
