/* The locks of a statement, found in its parse tree and looked up in locks.def. */
#include "blueprint/locks.h"

#include <string.h>

#include "blueprint/lint.h"
#include "blueprint/lock_alter.h"

enum { LOCKS_START = 8 };

static const struct {
    const char *node;
    const char *detail;
    LockMode mode;
    LockWork work;
    const char *what;
} rows[] = {
#define LOCK(node, detail, mode, work, what)                                                       \
    {node, detail, LOCK_MODE_##mode, LOCK_WORK_##work, what},
#include "blueprint/locks.def"
#include "core/array.h"
#undef LOCK
};

static const char *const mode_names[LOCK_MODE_COUNT_] = {
    [LOCK_MODE_NONE] = "none",
    [LOCK_MODE_ACCESS_SHARE] = "ACCESS SHARE",
    [LOCK_MODE_ROW_SHARE] = "ROW SHARE",
    [LOCK_MODE_ROW_EXCLUSIVE] = "ROW EXCLUSIVE",
    [LOCK_MODE_SHARE_UPDATE_EXCLUSIVE] = "SHARE UPDATE EXCLUSIVE",
    [LOCK_MODE_SHARE] = "SHARE",
    [LOCK_MODE_SHARE_ROW_EXCLUSIVE] = "SHARE ROW EXCLUSIVE",
    [LOCK_MODE_EXCLUSIVE] = "EXCLUSIVE",
    [LOCK_MODE_ACCESS_EXCLUSIVE] = "ACCESS EXCLUSIVE",
};

const char *lock_mode_name(LockMode mode)
{
    return mode_names[mode];
}

static const struct {
    const char *name;
    int64_t kib_per_ms; /* 0: at once */
} works[LOCK_WORK_COUNT_] = {
    [LOCK_WORK_NONE] = {NULL, 0},
    [LOCK_WORK_EMPTIES] = {"empties", 0},
    [LOCK_WORK_SCANS] = {"scans", 200},
    [LOCK_WORK_INDEXES] = {"indexes", 40},
    [LOCK_WORK_REWRITES] = {"rewrites", 20},
};

const char *lock_work_name(LockWork work)
{
    return works[work].name;
}

int64_t lock_work_ms(LockWork work, int64_t bytes)
{
    const int64_t rate = works[work].kib_per_ms * 1024;
    return rate == 0 ? 0 : (bytes + rate - 1) / rate;
}

/* --- a list that grows ------------------------------------------------------------------------ */

static TableLock *add_slot(LockList *list)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? LOCKS_START : list->capacity * 2;
        TableLock *grown = ARENA_ARRAY(list->arena, TableLock, list->capacity);
        for (size_t i = 0; i < list->count; i++) {
            grown[i] = list->locks[i];
        }
        list->locks = grown;
    }
    return &list->locks[list->count++];
}

/* The row of this detail; the row without one says what the others of its node do. */
static size_t find_row(const char *node, const char *detail)
{
    size_t found = ARRAY_COUNT(rows);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (strcmp(rows[i].node, node) == 0) {
            if (strcmp(rows[i].detail, detail) == 0) {
                return i;
            }
            found = *rows[i].detail == '\0' ? i : found;
        }
    }
    return found;
}

void lock_list_add(LockList *list, const char *table, const char *node, const char *detail)
{
    const size_t row = find_row(node, detail);
    if (*table != '\0' && row < ARRAY_COUNT(rows)) {
        *add_slot(list) = (TableLock){.table = arena_strdup(list->arena, table),
                                      .mode = rows[row].mode,
                                      .work = rows[row].work,
                                      .node = rows[row].node,
                                      .detail = rows[row].detail,
                                      .what = rows[row].what,
                                      .command = list->command};
    }
}

void lock_list_add_relation(LockList *list, const Json *relation, const char *node,
                            const char *detail)
{
    const char *schema = json_get_text(relation, "schemaname", "");
    if (strcmp(schema, "pg_catalog") != 0 && strcmp(schema, "information_schema") != 0) {
        lock_list_add(list, json_get_text(relation, "relname", ""), node, detail);
    }
}

/* --- tables that are read --------------------------------------------------------------------- */

typedef struct WithName {
    struct WithName *next;
    const char *text; /* the tree's */
} WithName;

typedef struct Reads {
    LockList *list;
    WithName *names; /* of WITH: no tables */
    const char *detail;
} Reads;

static bool visit_with(void *context, const Json *with)
{
    Reads *reads = context;
    WithName *name = ARENA_NEW(reads->list->arena, WithName);
    *name = (WithName){.next = reads->names, .text = json_get_text(with, "ctename", "")};
    reads->names = name;
    return true;
}

static bool visit_read(void *context, const Json *relation)
{
    const Reads *reads = context;
    const bool has_schema = json_object_get(relation, "schemaname") != NULL;
    const WithName *name = has_schema ? NULL : reads->names;
    while (name != NULL && !tree_text_is(relation, "relname", name->text)) {
        name = name->next;
    }
    if (name == NULL) {
        lock_list_add_relation(reads->list, relation, "SelectStmt", reads->detail);
    }
    return true;
}

/* What a statement writes to stands in its tree without a RangeVar around it. */
static void add_reads(LockList *list, const Json *tree, const char *detail)
{
    Reads reads = {.list = list, .detail = detail};
    sql_tree_visit(tree, "CommonTableExpr", visit_with, &reads);
    sql_tree_visit(tree, "RangeVar", visit_read, &reads);
}

/* --- statements ------------------------------------------------------------------------------- */

static void add_constraint_target(LockList *list, const Json *constraint)
{
    lock_list_add_relation(list, json_object_get(constraint, "pktable"), "CreateStmt",
                           "referenced");
}

static void of_create(LockList *list, const SqlStatement *statement)
{
    const Json *tree = statement->tree;
    const char *own = json_get_text(json_object_get(tree, "relation"), "relname", "");
    const bool is_partition = json_object_get(tree, "partbound") != NULL;
    const Json *parents = json_object_get(tree, "inhRelations");
    const Json *elements = json_object_get(tree, "tableElts");
    for (size_t i = 0; i < json_array_size(parents); i++) {
        lock_list_add_relation(list, json_object_get(json_array_get(parents, i), "RangeVar"),
                               statement->node, is_partition ? "partition" : "parent");
    }
    for (size_t i = 0; i < json_array_size(elements); i++) {
        const Json *element = json_array_get(elements, i);
        const Json *like = json_object_get(element, "TableLikeClause");
        const Json *column = json_object_get(element, "ColumnDef");
        const Json *constraints = json_object_get(column, "constraints");
        lock_list_add_relation(list, json_object_get(like, "relation"), statement->node, "like");
        add_constraint_target(list, json_object_get(element, "Constraint"));
        for (size_t j = 0; j < json_array_size(constraints); j++) {
            add_constraint_target(list,
                                  json_object_get(json_array_get(constraints, j), "Constraint"));
        }
    }
    /* A table that points at itself is not there yet. */
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->locks[i].table, own) != 0) {
            list->locks[kept++] = list->locks[i];
        }
    }
    list->count = kept;
}

/* Statements of one relation, which stands under "relation" or "table". */
static void of_relation(LockList *list, const SqlStatement *statement)
{
    const Json *relation = json_object_get(statement->tree, "relation");
    lock_list_add_relation(
        list, relation != NULL ? relation : json_object_get(statement->tree, "table"),
        statement->node, json_get_bool(statement->tree, "concurrent", false) ? "concurrently" : "");
}

static void of_index(LockList *list, const SqlStatement *statement)
{
    const Json *relation = json_object_get(statement->tree, "relation");
    const bool is_concurrent = json_get_bool(statement->tree, "concurrent", false);
    lock_list_add_relation(list, relation, statement->node,
                           is_concurrent                            ? "concurrently"
                           : !json_get_bool(relation, "inh", false) ? "only"
                                                                    : "");
}

static void of_reindex(LockList *list, const SqlStatement *statement)
{
    const Json *option = tree_find_option(json_object_get(statement->tree, "params"),
                                          "concurrently");
    const bool is_index = tree_text_is(statement->tree, "kind", "REINDEX_OBJECT_INDEX");
    const bool is_concurrent = option != NULL && tree_option_is_true(option);
    lock_list_add_relation(list, json_object_get(statement->tree, "relation"), statement->node,
                           is_concurrent ? "concurrently"
                           : is_index    ? "index"
                                         : "");
}

static void of_rename(LockList *list, const SqlStatement *statement)
{
    lock_list_add_relation(list, json_object_get(statement->tree, "relation"), statement->node,
                           json_get_text(statement->tree, "renameType", ""));
}

static void of_relations(LockList *list, const SqlStatement *statement)
{
    const Json *relations = json_object_get(statement->tree, "relations");
    const int64_t mode = json_get_int(statement->tree, "mode", 0);
    for (size_t i = 0; i < json_array_size(relations); i++) {
        const size_t before = list->count;
        lock_list_add_relation(list, json_object_get(json_array_get(relations, i), "RangeVar"),
                               statement->node, "");
        if (list->count > before && mode > LOCK_MODE_NONE && mode < LOCK_MODE_COUNT_) {
            list->locks[before].mode = (LockMode)mode; /* LOCK TABLE says it itself */
        }
    }
}

static void of_vacuum(LockList *list, const SqlStatement *statement)
{
    const Json *option = tree_find_option(json_object_get(statement->tree, "options"), "full");
    const bool is_full = option != NULL && tree_option_is_true(option);
    const Json *relations = json_object_get(statement->tree, "rels");
    for (size_t i = 0; i < json_array_size(relations); i++) {
        const Json *relation = json_object_get(json_array_get(relations, i), "VacuumRelation");
        lock_list_add_relation(list, json_object_get(relation, "relation"), statement->node,
                               is_full ? "full" : "");
    }
}

/* Kinds of object of DROP and COMMENT whose name begins with that of their table. */
static bool is_part_of_table(const char *kind)
{
    static const char *const parts[] = {"OBJECT_COLUMN", "OBJECT_POLICY", "OBJECT_RULE",
                                        "OBJECT_TABCONSTRAINT", "OBJECT_TRIGGER"};
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (strcmp(kind, parts[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const char *drop_detail(const Json *tree)
{
    static const struct {
        const char *kind;
        const char *detail;
    } kinds[] = {{"OBJECT_INDEX", "index"},
                 {"OBJECT_MATVIEW", "view"},
                 {"OBJECT_TABLE", "table"},
                 {"OBJECT_VIEW", "view"}};
    const char *kind = json_get_text(tree, "removeType", "");
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (strcmp(kind, kinds[i].kind) == 0) {
            return json_get_bool(tree, "concurrent", false) ? "index concurrently"
                                                            : kinds[i].detail;
        }
    }
    return is_part_of_table(kind) ? "part" : NULL;
}

static void of_drop(LockList *list, const SqlStatement *statement)
{
    const char *detail = drop_detail(statement->tree);
    const Json *objects = json_object_get(statement->tree, "objects");
    for (size_t i = 0; detail != NULL && i < json_array_size(objects); i++) {
        const Json *items = json_object_get(json_object_get(json_array_get(objects, i), "List"),
                                            "items");
        const size_t count = json_array_size(items);
        const bool is_part = strcmp(detail, "part") == 0;
        lock_list_add(
            list, is_part && count > 1 ? tree_list_text(items, count - 2) : tree_last_text(items),
            statement->node, detail);
    }
}

/* PostgreSQL locks the table of a comment only where it is the table's or a column's. */
static void of_comment(LockList *list, const SqlStatement *statement)
{
    const char *kind = json_get_text(statement->tree, "objtype", "");
    const Json *object = json_object_get(json_object_get(statement->tree, "object"), "List");
    const Json *items = json_object_get(object, "items");
    const size_t count = json_array_size(items);
    if (strcmp(kind, "OBJECT_TABLE") == 0) {
        lock_list_add(list, tree_last_text(items), statement->node, "");
    } else if (strcmp(kind, "OBJECT_COLUMN") == 0 && count > 1) {
        lock_list_add(list, tree_list_text(items, count - 2), statement->node, "");
    }
}

/* A constant's value, wherever in the text it stands. */
static bool is_same_constant(const Json *a, const Json *b)
{
    static const char *const values[] = {"boolval", "bsval", "fval", "ival", "sval"};
    const bool is_null = json_object_get(a, "isnull") != NULL ||
                         json_object_get(b, "isnull") != NULL;
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        const Json *left = json_object_get(a, values[i]);
        const Json *right = json_object_get(b, values[i]);
        if ((left == NULL) != (right == NULL) || (left != NULL && !json_equal(left, right))) {
            return false;
        }
    }
    return a != NULL && b != NULL && !is_null;
}

/* 1 = 1 */
static bool is_same_on_both_sides(const Json *expression)
{
    const Json *left = json_object_get(expression, "lexpr");
    const Json *right = json_object_get(expression, "rexpr");
    return tree_text_is(expression, "kind", "AEXPR_OP") &&
           strcmp(tree_last_text(json_object_get(expression, "name")), "=") == 0 &&
           is_same_constant(json_object_get(left, "A_Const"), json_object_get(right, "A_Const"));
}

static bool is_always_true(const Json *condition);

/* AND of what is always true; OR of anything that is. */
static bool is_always_true_of(const Json *operation)
{
    const bool is_and = tree_text_is(operation, "boolop", "AND_EXPR");
    const Json *args = json_object_get(operation, "args");
    for (size_t i = 0; i < json_array_size(args); i++) {
        if (is_always_true(json_array_get(args, i)) != is_and) {
            return !is_and;
        }
    }
    return is_and;
}

/* As far as constants tell. As deep as the parser's tree may be (core/json.h). */
static bool is_always_true(const Json *condition)
{
    const Json *constant = json_object_get(condition, "A_Const");
    const Json *operation = json_object_get(condition, "BoolExpr");
    if (operation != NULL && !tree_text_is(operation, "boolop", "NOT_EXPR")) {
        return is_always_true_of(operation);
    }
    return json_get_bool(json_object_get(constant, "boolval"), "boolval", false) ||
           is_same_on_both_sides(json_object_get(condition, "A_Expr"));
}

static bool has_no_filter(const Json *tree)
{
    const Json *where = json_object_get(tree, "whereClause");
    return json_object_get(tree, "fromClause") == NULL &&
           json_object_get(tree, "usingClause") == NULL && (where == NULL || is_always_true(where));
}

static void add_changed(LockList *list, const SqlStatement *statement)
{
    lock_list_add_relation(list, json_object_get(statement->tree, "relation"), statement->node,
                           has_no_filter(statement->tree) ? "all" : "");
}

static void of_change(LockList *list, const SqlStatement *statement)
{
    add_changed(list, statement);
    add_reads(list, statement->tree, "");
}

/* generate_series and unnest give many rows without a FROM. */
static bool visit_single(void *context, const Json *call)
{
    const char *name = tree_last_text(json_object_get(call, "funcname"));
    (void)context;
    return strcmp(name, "generate_series") != 0 && strcmp(name, "unnest") != 0;
}

/* VALUES, and SELECT 'a' WHERE NOT EXISTS (...), which people write for a row that may be there. */
static bool is_of_few_rows(const Json *select)
{
    return select == NULL || json_object_get(select, "valuesLists") != NULL ||
           (json_object_get(select, "fromClause") == NULL &&
            json_object_get(select, "larg") == NULL &&
            sql_tree_visit(json_object_get(select, "targetList"), "FuncCall", visit_single, NULL));
}

static void add_inserted(LockList *list, const SqlStatement *statement)
{
    const Json *select = json_object_get(json_object_get(statement->tree, "selectStmt"),
                                         "SelectStmt");
    lock_list_add_relation(list, json_object_get(statement->tree, "relation"), statement->node,
                           is_of_few_rows(select) ? "" : "select");
}

static void of_insert(LockList *list, const SqlStatement *statement)
{
    add_inserted(list, statement);
    add_reads(list, statement->tree, "");
}

static void of_query(LockList *list, const SqlStatement *statement)
{
    add_reads(list, statement->tree,
              json_object_get(statement->tree, "lockingClause") != NULL ? "for update" : "");
}

/* CREATE VIEW, CREATE TABLE AS: what they make stands beside the query. */
static void of_view(LockList *list, const SqlStatement *statement)
{
    if (json_get_bool(statement->tree, "replace", false)) {
        lock_list_add_relation(list, json_object_get(statement->tree, "view"), statement->node,
                               "replace");
    }
    add_reads(list, json_object_get(statement->tree, "query"), "");
}

static void of_alter(LockList *list, const SqlStatement *statement)
{
    lock_list_add_alter(list, statement->tree);
}

static const struct {
    const char *node;
    void (*find)(LockList *list, const SqlStatement *statement);
} finders[] = {
    {"AlterPolicyStmt", of_relation},
    {"AlterTableStmt", of_alter},
    {"ClusterStmt", of_relation},
    {"CommentStmt", of_comment},
    {"CreatePolicyStmt", of_relation},
    {"CreateStatsStmt", of_relations},
    {"CreateStmt", of_create},
    {"CreateTableAsStmt", of_view},
    {"CreateTrigStmt", of_relation},
    {"DeleteStmt", of_change},
    {"DropStmt", of_drop},
    {"IndexStmt", of_index},
    {"InsertStmt", of_insert},
    {"LockStmt", of_relations},
    {"MergeStmt", of_change},
    {"RefreshMatViewStmt", of_relation},
    {"ReindexStmt", of_reindex},
    {"RenameStmt", of_rename},
    {"RuleStmt", of_relation},
    {"SelectStmt", of_query},
    {"TruncateStmt", of_relations},
    {"UpdateStmt", of_change},
    {"VacuumStmt", of_vacuum},
    {"ViewStmt", of_view},
};

static void find_locks(LockList *list, const SqlStatement *statement)
{
    for (size_t i = 0; i < ARRAY_COUNT(finders); i++) {
        if (strcmp(statement->node, finders[i].node) == 0) {
            finders[i].find(list, statement);
        }
    }
}

/* What changes rows, and how to find the table alone that it changes. */
static const struct {
    const char *node;
    void (*add)(LockList *list, const SqlStatement *statement);
} changes[] = {
    {"DeleteStmt", add_changed},
    {"InsertStmt", add_inserted},
    {"MergeStmt", add_changed},
    {"UpdateStmt", add_changed},
};

/* WITH x AS (DELETE ...): what is read there the statement around it has told already, and it knows
 * which names are those of its WITH. */
static bool visit_with_query(void *context, const Json *query)
{
    for (size_t i = 0; i < ARRAY_COUNT(changes); i++) {
        const Json *tree = json_object_get(query, changes[i].node);
        if (tree != NULL) {
            changes[i].add(context, &(SqlStatement){.node = changes[i].node, .tree = tree});
        }
    }
    return true;
}

/* The WITH of a function's body changes nothing where the function is made. */
static bool runs_queries(const char *node)
{
    bool is_change = strcmp(node, "SelectStmt") == 0;
    for (size_t i = 0; i < ARRAY_COUNT(changes); i++) {
        is_change = is_change || strcmp(node, changes[i].node) == 0;
    }
    return is_change;
}

void locks_of_statement(Arena *arena, const SqlStatement *statement, const TableLock **ret_locks,
                        size_t *ret_count)
{
    LockList list = {.arena = arena};
    find_locks(&list, statement);
    if (runs_queries(statement->node)) {
        sql_tree_visit(statement->tree, "ctequery", visit_with_query, &list);
    }
    *ret_locks = list.locks;
    *ret_count = list.count;
}

void locks_merge(Arena *arena, const TableLock *locks, size_t count, const TableLock **ret_merged,
                 size_t *ret_count)
{
    TableLock *merged = ARENA_ARRAY(arena, TableLock, count);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < kept && strcmp(merged[at].table, locks[i].table) != 0) {
            at++;
        }
        if (at == kept) {
            merged[kept++] = locks[i];
            continue;
        }
        merged[at].mode = locks[i].mode > merged[at].mode ? locks[i].mode : merged[at].mode;
        merged[at].work = locks[i].work > merged[at].work ? locks[i].work : merged[at].work;
    }
    *ret_merged = merged;
    *ret_count = kept;
}

bool locks_are_unknown(const SqlStatement *statement)
{
    return strcmp(statement->node, "DoStmt") == 0 || strcmp(statement->node, "CallStmt") == 0;
}
