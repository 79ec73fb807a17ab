/* Operators of --where, and the tenants that it chooses. */
#include <string.h>

#include "pg/text_array.h"
#include "rollout/where_parts.h"

static const char *const comparisons[] = {
#define COMPARISON(name) name,
#include "rollout/where.def"
#undef COMPARISON
};

static bool emit(WhereCompiler *compiler, Json *node, WhereKind wanted);

/* --- operators -------------------------------------------------------------------------------- */

static WhereKind known(WhereKind kind, WhereKind otherwise)
{
    return kind == KIND_UNKNOWN ? otherwise : kind;
}

static bool emit_between(WhereCompiler *compiler, Json *body, const char *operator, WhereKind left,
                         WhereKind right)
{
    StrBuf *sql = &compiler->sql;
    strbuf_add_char(sql, '(');
    if (!emit(compiler, json_object_get(body, "lexpr"), left)) {
        return false;
    }
    strbuf_printf(sql, " %s ", operator);
    if (!emit(compiler, json_object_get(body, "rexpr"), right)) {
        return false;
    }
    strbuf_add_char(sql, ')');
    return true;
}

/* Both operands are of the kind of whichever says one. */
static bool emit_pair(WhereCompiler *compiler, Json *body, const char *operator)
{
    const WhereKind left = where_kind_of(json_object_get(body, "lexpr"));
    const WhereKind right = where_kind_of(json_object_get(body, "rexpr"));
    const WhereKind kind = known(left, known(right, KIND_TEXT));
    return emit_between(compiler, body, operator, kind, kind);
}

static bool emit_operator(WhereCompiler *compiler, Json *body)
{
    const char *name = where_only_name(json_object_get(body, "name"));
    const bool is_between = json_object_get(body, "lexpr") != NULL;
    for (size_t i = 0; is_between && i < ARRAY_COUNT(comparisons); i++) {
        if (strcmp(comparisons[i], name) == 0) {
            return emit_pair(compiler, body, comparisons[i]);
        }
    }
    return where_refuse_node(compiler, body,
                             *name == '\0' ? "this operator"
                                           : arena_printf(compiler->arena, "operator %s", name));
}

static bool emit_distinct(WhereCompiler *compiler, Json *body)
{
    return emit_pair(compiler, body, "IS DISTINCT FROM");
}

static bool emit_not_distinct(WhereCompiler *compiler, Json *body)
{
    return emit_pair(compiler, body, "IS NOT DISTINCT FROM");
}

static bool emit_like(WhereCompiler *compiler, Json *body)
{
    static const char *const names[][2] = {
        {"!~~", "NOT LIKE"}, {"!~~*", "NOT ILIKE"}, {"~~", "LIKE"}, {"~~*", "ILIKE"}};
    const char *name = where_only_name(json_object_get(body, "name"));
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (strcmp(names[i][0], name) == 0) {
            return emit_between(compiler, body, names[i][1], KIND_TEXT, KIND_TEXT);
        }
    }
    return where_refuse_node(compiler, body, "this LIKE");
}

/* The elements of a list, the first kind of all that says one. */
static bool emit_list(WhereCompiler *compiler, Json *body, const char *operator,
                      const char * separator, const char *end)
{
    size_t i = 0;
    Json *item = NULL;
    Json *left = json_object_get(body, "lexpr");
    Json *items = json_object_get(json_object_get(json_object_get(body, "rexpr"), "List"), "items");
    WhereKind kind = where_kind_of(left);
    json_array_foreach(items, i, item)
    {
        kind = known(kind, where_kind_of(item));
    }
    kind = known(kind, KIND_TEXT);
    strbuf_add_char(&compiler->sql, '(');
    if (!emit(compiler, left, kind)) {
        return false;
    }
    strbuf_add(&compiler->sql, operator);
    json_array_foreach(items, i, item)
    {
        strbuf_add(&compiler->sql, i == 0 ? "" : separator);
        if (!emit(compiler, item, kind)) {
            return false;
        }
    }
    strbuf_add(&compiler->sql, end);
    return json_array_size(items) > 0 || where_refuse_node(compiler, body, "an empty list");
}

static bool emit_in(WhereCompiler *compiler, Json *body)
{
    const bool is_not = strcmp(where_only_name(json_object_get(body, "name")), "<>") == 0;
    return emit_list(compiler, body, is_not ? " NOT IN (" : " IN (", ", ", "))");
}

static bool emit_range(WhereCompiler *compiler, Json *body)
{
    return emit_list(compiler, body, " BETWEEN ", " AND ", ")");
}

static bool emit_not_range(WhereCompiler *compiler, Json *body)
{
    return emit_list(compiler, body, " NOT BETWEEN ", " AND ", ")");
}

/* 'x' = ANY (features) */
static bool emit_any(WhereCompiler *compiler, Json *body)
{
    StrBuf *sql = &compiler->sql;
    if (strcmp(where_only_name(json_object_get(body, "name")), "=") != 0) {
        return where_refuse_node(compiler, body, "ANY with another operator than =");
    }
    strbuf_add_char(sql, '(');
    if (!emit(compiler, json_object_get(body, "lexpr"), KIND_TEXT)) {
        return false;
    }
    strbuf_add(sql, " = ANY (");
    Json *list = json_object_get(json_object_get(body, "rexpr"), "ColumnRef");
    if (list == NULL) {
        return where_refuse_node(compiler, body, "ANY of something else than a column");
    }
    if (!where_emit_column(compiler, list, KIND_TEXTS)) {
        return false;
    }
    strbuf_add(sql, "))");
    return true;
}

/* A time and an interval. */
static bool emit_shift(WhereCompiler *compiler, Json *body)
{
    if (json_object_get(body, "lexpr") == NULL) {
        return where_refuse_node(compiler, body, "a sign");
    }
    return emit_between(compiler, body, where_only_name(json_object_get(body, "name")), KIND_TIME,
                        KIND_INTERVAL);
}

static const struct {
    const char *kind;
    bool (*emit)(WhereCompiler *compiler, Json *body);
} operations[] = {
    {"AEXPR_BETWEEN", emit_range},
    {"AEXPR_DISTINCT", emit_distinct},
    {"AEXPR_ILIKE", emit_like},
    {"AEXPR_IN", emit_in},
    {"AEXPR_LIKE", emit_like},
    {"AEXPR_NOT_BETWEEN", emit_not_range},
    {"AEXPR_NOT_DISTINCT", emit_not_distinct},
    {"AEXPR_OP", emit_operator},
    {"AEXPR_OP_ANY", emit_any},
};

static bool emit_operation(WhereCompiler *compiler, Json *body, WhereKind wanted)
{
    const char *kind = json_get_text(body, "kind", "");
    if (where_is_shift(body)) {
        return where_check_kind(compiler, body, KIND_TIME, wanted) && emit_shift(compiler, body);
    }
    for (size_t i = 0; i < ARRAY_COUNT(operations); i++) {
        if (strcmp(operations[i].kind, kind) == 0) {
            return where_check_kind(compiler, body, KIND_BOOL, wanted) &&
                   operations[i].emit(compiler, body);
        }
    }
    return where_refuse_node(compiler, body, "this operator");
}

static bool emit_bool(WhereCompiler *compiler, Json *body, WhereKind wanted)
{
    size_t i = 0;
    Json *arg = NULL;
    const char *operator= json_get_text(body, "boolop", "");
    const bool is_not = strcmp(operator, "NOT_EXPR") == 0;
    if (!where_check_kind(compiler, body, KIND_BOOL, wanted)) {
        return false;
    }
    strbuf_add(&compiler->sql, is_not ? "(NOT " : "(");
    json_array_foreach(json_object_get(body, "args"), i, arg)
    {
        strbuf_add(&compiler->sql, i == 0                              ? ""
                                   : strcmp(operator, "AND_EXPR") == 0 ? " AND "
                                                                       : " OR ");
        if (!emit(compiler, arg, KIND_BOOL)) {
            return false;
        }
    }
    strbuf_add_char(&compiler->sql, ')');
    return true;
}

static bool emit_null_test(WhereCompiler *compiler, Json *body, WhereKind wanted)
{
    Json *arg = json_object_get(body, "arg");
    const bool is_null = strcmp(json_get_text(body, "nulltesttype", ""), "IS_NULL") == 0;
    strbuf_add_char(&compiler->sql, '(');
    if (!where_check_kind(compiler, body, KIND_BOOL, wanted) ||
        !emit(compiler, arg, known(where_kind_of(arg), KIND_TEXT))) {
        return false;
    }
    strbuf_add(&compiler->sql, is_null ? " IS NULL)" : " IS NOT NULL)");
    return true;
}

/* --- nodes ------------------------------------------------------------------------------------ */

static const struct {
    const char *node;
    bool (*emit)(WhereCompiler *compiler, Json *body, WhereKind wanted);
} nodes[] = {
    {"A_Const", where_emit_constant},
    {"A_Expr", emit_operation},
    {"BoolExpr", emit_bool},
    {"ColumnRef", where_emit_column},
    {"FuncCall", where_emit_call},
    {"NullTest", emit_null_test},
    {"SQLValueFunction", where_emit_value_function},
    {"TypeCast", where_emit_literal},
};

static bool emit(WhereCompiler *compiler, Json *node, WhereKind wanted)
{
    const char *name = NULL;
    Json *body = where_open_node(node, &name);
    for (size_t i = 0; i < ARRAY_COUNT(nodes); i++) {
        if (strcmp(nodes[i].node, name) == 0) {
            return nodes[i].emit(compiler, body, wanted);
        }
    }
    return where_refuse_node(compiler, node, strcmp(name, "SubLink") == 0 ? "a subquery" : "this");
}

bool where_compile(Arena *arena, const char *text, size_t first_param, WhereSql *ret_where,
                   Err *err)
{
    WhereCompiler compiler = {
        .arena = arena, .first_param = first_param, .sql = strbuf_init(arena), .err = err};
    if (!sql_expression_parse(WHERE_OPTION, text, &compiler.expression, err)) {
        err_hint(err, "write one condition, such as: plan = 'free' AND NOT quarantined");
        return false;
    }
    const bool is_emitted = emit(&compiler, compiler.expression.tree, KIND_BOOL);
    sql_expression_done(&compiler.expression);
    if (is_emitted) {
        *ret_where = (WhereSql){
            .sql = compiler.sql.text, .count = compiler.count, .values = compiler.values};
    }
    return is_emitted;
}

/* --- the tenants ------------------------------------------------------------------------------ */

static const char *slugs_of(Arena *arena, const PgRows *rows)
{
    PgArray list = pg_array_init(arena);
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        pg_array_add(&list, pg_rows_text(rows, i, 0));
    }
    return pg_array_end(&list);
}

/* SQLSTATE class 22: a value that is none of its type, such as interval 'soon'. */
static bool explain(Err *err)
{
    if (strncmp(err->sqlstate, "22", 2) == 0) {
        err->code = ERR_INPUT_INVALID;
        err_prefix(err, WHERE_OPTION);
    }
    return false;
}

bool where_slugs(Arena *arena, Store *store, const char *blueprint, const char *text,
                 const char **ret_slugs, Err *err)
{
    WhereSql where;
    scoped_rows PgRows *rows = NULL;
    if (!where_compile(arena, text, 2, &where, err)) {
        return false;
    }
    const char **values = ARENA_ARRAY(arena, const char *, where.count + 1);
    values[0] = blueprint;
    for (size_t i = 0; i < where.count; i++) {
        values[i + 1] = where.values[i];
    }
    const char *sql = arena_printf(arena, "SELECT slug FROM (%s) tenant WHERE %s ORDER BY slug",
                                   store_sql(ROLLOUT_TENANTS), where.sql);
    if (!pg_query(store->conn, sql, (PgParams){.count = where.count + 1, .values = values}, &rows,
                  err)) {
        return explain(err);
    }
    *ret_slugs = slugs_of(arena, rows);
    return true;
}
