#include "rollout/where.h"

#include <stdlib.h>
#include <string.h>

#include "core/strbuf.h"
#include "core/text.h"
#include "pg/sql.h"
#include "pg/sql_expression.h"

static const char option[] = "--where";
static const char allowed_nodes[] =
    "allowed are columns, texts, whole numbers, true, false, NULL, interval '30 days', date and "
    "timestamp literals, now(), + and - with an interval, = <> < <= > >=, AND, OR, NOT, IN, LIKE, "
    "ILIKE, BETWEEN, IS NULL, IS DISTINCT FROM, and 'x' = ANY (features)";
enum { SHOWN_BYTES = 60 };

typedef enum Kind {
    KIND_UNKNOWN, /* a text in quotes or NULL: what its neighbour is */
    KIND_BOOL,
    KIND_INT,
    KIND_INTERVAL,
    KIND_TEXT,
    KIND_TEXTS,
    KIND_TIME,
} Kind;

static const struct {
    const char *shown;
    const char *type;
    bool takes_text; /* a text in quotes may be one */
} kinds[] = {
    [KIND_UNKNOWN] = {"a text", "text", true},
    [KIND_BOOL] = {"a condition", "boolean", false},
    [KIND_INT] = {"a whole number", "bigint", false},
    [KIND_INTERVAL] = {"an interval", "interval", true},
    [KIND_TEXT] = {"a text", "text", true},
    [KIND_TEXTS] = {"a list", "text[]", false},
    [KIND_TIME] = {"a time", "timestamptz", true},
};

static const struct {
    const char *name;
    Kind kind;
} columns[] =
    {
#define COLUMN(name, kind, help) {name, kind},
#include "rollout/where.def"
#undef COLUMN
},
  literals[] = {
#define LITERAL(type, kind) {type, kind},
#include "rollout/where.def"
#undef LITERAL
};

static const char *const comparisons[] = {
#define COMPARISON(name) name,
#include "rollout/where.def"
#undef COMPARISON
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

typedef struct Compiler {
    Arena *arena;
    SqlExpression expression;
    size_t first_param;
    size_t count;
    size_t room;
    const char **values;
    StrBuf sql;
    Err *err;
} Compiler;

static bool emit(Compiler *compiler, const Json *node, Kind wanted);

/* --- what is wrong ---------------------------------------------------------------------------- */

/* Where a node begins: its own location, or the first below it that has one. */
static int64_t location_of(const Json *value)
{
    const char *key = NULL;
    size_t i = 0;
    Json *member = NULL;
    int64_t location = json_get_int(value, "location", -1);
    json_array_foreach(value, i, member)
    {
        location = location < 0 ? location_of(member) : location;
    }
    void *at = location < 0 ? json_object_iter((Json *)(uintptr_t)value) : NULL;
    for (; at != NULL && location < 0; at = json_object_iter_next((Json *)(uintptr_t)value, at)) {
        key = json_object_iter_key(at);
        member = json_object_iter_value(at);
        location = strcmp(key, "location") == 0 ? -1 : location_of(member);
    }
    return location;
}

static bool refuse(Compiler *compiler, const Json *node, const char *hint, const char *what)
{
    const int number = sql_expression_char(&compiler->expression, location_of(node));
    return number == 0 ? ERR_SET(compiler->err, ERR_INPUT_INVALID, hint, "%s: %s", option, what)
                       : ERR_SET(compiler->err, ERR_INPUT_INVALID, hint, "%s: %s, character %d",
                                 option, what, number);
}

static bool refuse_node(Compiler *compiler, const Json *node, const char *name)
{
    return refuse(compiler, node, allowed_nodes,
                  arena_printf(compiler->arena, "%s is not allowed here",
                               text_quote(compiler->arena, name, SHOWN_BYTES)));
}

static bool refuse_kind(Compiler *compiler, const Json *node, Kind found, Kind wanted)
{
    return refuse(compiler, node, NULL,
                  arena_printf(compiler->arena, "expected %s, found %s", kinds[wanted].shown,
                               kinds[found].shown));
}

static bool check_kind(Compiler *compiler, const Json *node, Kind found, Kind wanted)
{
    return found == wanted || refuse_kind(compiler, node, found, wanted);
}

/* --- the tree --------------------------------------------------------------------------------- */

/* A node is an object with one member, its name. */
static const Json *open_node(const Json *node, const char **ret_name)
{
    void *member = json_object_iter((Json *)(uintptr_t)node);
    *ret_name = member == NULL ? "" : json_object_iter_key(member);
    return member == NULL ? NULL : json_object_iter_value(member);
}

static const Json *find_node(const Json *node, const char *name)
{
    return json_object_get(node, name);
}

/* The n-th of a list of names; "" when there is none. */
static const char *name_at(const Json *list, size_t n)
{
    return json_get_text(json_object_get(json_array_get(list, n), "String"), "sval", "");
}

/* The only name of a list, as of a column or an operator; "" when it has more. */
static const char *only_name(const Json *list)
{
    return json_array_size(list) == 1 ? name_at(list, 0) : "";
}

static Kind column_kind(const Json *body)
{
    const char *name = only_name(json_object_get(body, "fields"));
    for (size_t i = 0; i < COUNT(columns); i++) {
        if (strcmp(columns[i].name, name) == 0) {
            return columns[i].kind;
        }
    }
    return KIND_UNKNOWN;
}

/* The type that a literal names, with or without its schema, NULL when it is none of the table. */
static const char *literal_type(const Json *body, Kind *ret_kind)
{
    const Json *type = json_object_get(body, "typeName");
    const Json *names = json_object_get(type, "names");
    const size_t count = json_array_size(names);
    const bool is_plain = count == 1 ||
                          (count == 2 && strcmp(name_at(names, 0), "pg_catalog") == 0);
    for (size_t i = 0; is_plain && i < COUNT(literals); i++) {
        if (strcmp(literals[i].name, name_at(names, count - 1)) == 0) {
            *ret_kind = literals[i].kind;
            return literals[i].name;
        }
    }
    return NULL;
}

static bool is_shift(const Json *body)
{
    const char *name = only_name(json_object_get(body, "name"));
    return strcmp(json_get_text(body, "kind", ""), "AEXPR_OP") == 0 &&
           (strcmp(name, "+") == 0 || strcmp(name, "-") == 0);
}

/* What an operand is, before it is checked. */
static Kind kind_of(const Json *node)
{
    const char *name = NULL;
    Kind kind = KIND_UNKNOWN;
    const Json *body = open_node(node, &name);
    if (strcmp(name, "ColumnRef") == 0) {
        return column_kind(body);
    }
    if (strcmp(name, "A_Const") == 0) {
        return json_object_get(body, "boolval") != NULL ? KIND_BOOL
               : json_object_get(body, "ival") != NULL || json_object_get(body, "fval") != NULL
                   ? KIND_INT
                   : KIND_UNKNOWN;
    }
    if (strcmp(name, "TypeCast") == 0) {
        literal_type(body, &kind);
        return kind;
    }
    if (strcmp(name, "FuncCall") == 0 || strcmp(name, "SQLValueFunction") == 0 ||
        (strcmp(name, "A_Expr") == 0 && is_shift(body))) {
        return KIND_TIME;
    }
    return KIND_BOOL;
}

/* --- operands --------------------------------------------------------------------------------- */

static bool add_value(Compiler *compiler, const char *value, const char *type)
{
    if (compiler->count == compiler->room) {
        const size_t room = compiler->room == 0 ? 16 : 2 * compiler->room;
        const char **values = ARENA_ARRAY(compiler->arena, const char *, room);
        for (size_t i = 0; i < compiler->count; i++) {
            values[i] = compiler->values[i];
        }
        compiler->values = values;
        compiler->room = room;
    }
    compiler->values[compiler->count] = arena_strdup(compiler->arena, value);
    strbuf_printf(&compiler->sql, "$%zu::%s", compiler->first_param + compiler->count, type);
    compiler->count++;
    return true;
}

static bool emit_column(Compiler *compiler, const Json *body, Kind wanted)
{
    const char *name = only_name(json_object_get(body, "fields"));
    const Kind kind = column_kind(body);
    if (kind == KIND_UNKNOWN) {
        StrBuf list = strbuf_init(compiler->arena);
        for (size_t i = 0; i < COUNT(columns); i++) {
            strbuf_printf(&list, "%s%s", i == 0 ? "columns: " : ", ", columns[i].name);
        }
        return refuse(compiler, body, list.text,
                      *name == '\0' ? "a column has one name"
                                    : arena_printf(compiler->arena, "there is no column \"%s\"",
                                                   text_quote(compiler->arena, name, SHOWN_BYTES)));
    }
    if (!check_kind(compiler, body, kind, wanted)) {
        return false;
    }
    strbuf_add(&compiler->sql, sql_ident(compiler->arena, name).quoted);
    return true;
}

/* The parser's JSON leaves a negative number out as it does a zero; no column has any. */
static bool emit_number(Compiler *compiler, const Json *body)
{
    const Json *value = json_object_get(body, "ival");
    const char *at = sql_expression_at(&compiler->expression, location_of(body));
    if (value == NULL || at == NULL || *at < '0' || *at > '9') {
        return refuse(compiler, body, NULL, "expected a whole number from 0 to 2147483647");
    }
    return add_value(
        compiler, arena_printf(compiler->arena, "%lld", (long long)json_get_int(value, "ival", 0)),
        kinds[KIND_INT].type);
}

static bool emit_constant(Compiler *compiler, const Json *body, Kind wanted)
{
    const Json *text = json_object_get(body, "sval");
    const Json *truth = json_object_get(body, "boolval");
    if (json_get_bool(body, "isnull", false)) {
        strbuf_printf(&compiler->sql, "NULL::%s", kinds[wanted].type);
        return true;
    }
    if (text != NULL) {
        return kinds[wanted].takes_text
                   ? add_value(compiler, json_get_text(text, "sval", ""), kinds[wanted].type)
                   : refuse_kind(compiler, body, KIND_TEXT, wanted);
    }
    if (truth != NULL) {
        return check_kind(compiler, body, KIND_BOOL, wanted) &&
               add_value(compiler, json_get_bool(truth, "boolval", false) ? "true" : "false",
                         kinds[KIND_BOOL].type);
    }
    if (json_object_get(body, "ival") == NULL && json_object_get(body, "fval") == NULL) {
        return refuse_node(compiler, body, "a bit string");
    }
    return check_kind(compiler, body, KIND_INT, wanted) && emit_number(compiler, body);
}

static bool emit_literal(Compiler *compiler, const Json *body, Kind wanted)
{
    Kind kind = KIND_UNKNOWN;
    const char *type = literal_type(body, &kind);
    const Json *type_name = json_object_get(body, "typeName");
    const Json *text = json_object_get(find_node(json_object_get(body, "arg"), "A_Const"), "sval");
    if (type == NULL || text == NULL || json_object_get(type_name, "typmods") != NULL ||
        json_object_get(type_name, "arrayBounds") != NULL) {
        return refuse_node(compiler, type_name, "this cast");
    }
    return check_kind(compiler, type_name, kind, wanted) &&
           add_value(compiler, json_get_text(text, "sval", ""), type);
}

static bool emit_call(Compiler *compiler, const Json *body, Kind wanted)
{
    const char *name = only_name(json_object_get(body, "funcname"));
    /* now() has these three members and no more: no arguments, no FILTER, no OVER. */
    if (strcmp(name, "now") != 0 || json_object_size(body) != 3) {
        return refuse_node(compiler, body,
                           *name == '\0' ? "this function"
                                         : arena_printf(compiler->arena, "function %s", name));
    }
    strbuf_add(&compiler->sql, "now()");
    return check_kind(compiler, body, KIND_TIME, wanted);
}

static bool emit_value_function(Compiler *compiler, const Json *body, Kind wanted)
{
    if (strcmp(json_get_text(body, "op", ""), "SVFOP_CURRENT_TIMESTAMP") != 0) {
        return refuse_node(compiler, body, "this function");
    }
    strbuf_add(&compiler->sql, "now()");
    return check_kind(compiler, body, KIND_TIME, wanted);
}

/* --- operators -------------------------------------------------------------------------------- */

static Kind known(Kind kind, Kind otherwise)
{
    return kind == KIND_UNKNOWN ? otherwise : kind;
}

static bool emit_between(Compiler *compiler, const Json *body, const char *operator, Kind left,
                         Kind right)
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
static bool emit_pair(Compiler *compiler, const Json *body, const char *operator)
{
    const Kind left = kind_of(json_object_get(body, "lexpr"));
    const Kind right = kind_of(json_object_get(body, "rexpr"));
    const Kind kind = known(left, known(right, KIND_TEXT));
    return emit_between(compiler, body, operator, kind, kind);
}

static bool emit_operator(Compiler *compiler, const Json *body)
{
    const char *name = only_name(json_object_get(body, "name"));
    if (json_object_get(body, "lexpr") == NULL) {
        return refuse_node(compiler, body, arena_printf(compiler->arena, "operator %s", name));
    }
    for (size_t i = 0; i < COUNT(comparisons); i++) {
        if (strcmp(comparisons[i], name) == 0) {
            return emit_pair(compiler, body, comparisons[i]);
        }
    }
    return refuse_node(compiler, body, arena_printf(compiler->arena, "operator %s", name));
}

static bool emit_distinct(Compiler *compiler, const Json *body)
{
    return emit_pair(compiler, body, "IS DISTINCT FROM");
}

static bool emit_not_distinct(Compiler *compiler, const Json *body)
{
    return emit_pair(compiler, body, "IS NOT DISTINCT FROM");
}

static bool emit_like(Compiler *compiler, const Json *body)
{
    static const char *const names[][2] = {
        {"!~~", "NOT LIKE"}, {"!~~*", "NOT ILIKE"}, {"~~", "LIKE"}, {"~~*", "ILIKE"}};
    const char *name = only_name(json_object_get(body, "name"));
    for (size_t i = 0; i < COUNT(names); i++) {
        if (strcmp(names[i][0], name) == 0) {
            return emit_between(compiler, body, names[i][1], KIND_TEXT, KIND_TEXT);
        }
    }
    return refuse_node(compiler, body, "this LIKE");
}

/* The elements of a list, the first kind of all that says one. */
static bool emit_list(Compiler *compiler, const Json *body, const char *operator,
                      const char * separator, const char *end)
{
    size_t i = 0;
    const Json *item = NULL;
    const Json *left = json_object_get(body, "lexpr");
    const Json *items = json_object_get(find_node(json_object_get(body, "rexpr"), "List"), "items");
    Kind kind = kind_of(left);
    json_array_foreach(items, i, item)
    {
        kind = known(kind, kind_of(item));
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
    return json_array_size(items) > 0 || refuse_node(compiler, body, "an empty list");
}

static bool emit_in(Compiler *compiler, const Json *body)
{
    const bool is_not = strcmp(only_name(json_object_get(body, "name")), "<>") == 0;
    return emit_list(compiler, body, is_not ? " NOT IN (" : " IN (", ", ", "))");
}

static bool emit_range(Compiler *compiler, const Json *body)
{
    return emit_list(compiler, body, " BETWEEN ", " AND ", ")");
}

static bool emit_not_range(Compiler *compiler, const Json *body)
{
    return emit_list(compiler, body, " NOT BETWEEN ", " AND ", ")");
}

/* 'x' = ANY (features) */
static bool emit_any(Compiler *compiler, const Json *body)
{
    StrBuf *sql = &compiler->sql;
    if (strcmp(only_name(json_object_get(body, "name")), "=") != 0) {
        return refuse_node(compiler, body, "ANY with another operator than =");
    }
    strbuf_add_char(sql, '(');
    if (!emit(compiler, json_object_get(body, "lexpr"), KIND_TEXT)) {
        return false;
    }
    strbuf_add(sql, " = ANY (");
    const Json *list = find_node(json_object_get(body, "rexpr"), "ColumnRef");
    if (list == NULL) {
        return refuse_node(compiler, body, "ANY of something else than a column");
    }
    if (!emit_column(compiler, list, KIND_TEXTS)) {
        return false;
    }
    strbuf_add(sql, "))");
    return true;
}

/* A time and an interval. */
static bool emit_shift(Compiler *compiler, const Json *body)
{
    if (json_object_get(body, "lexpr") == NULL) {
        return refuse_node(compiler, body, "a sign");
    }
    return emit_between(compiler, body, only_name(json_object_get(body, "name")), KIND_TIME,
                        KIND_INTERVAL);
}

static const struct {
    const char *kind;
    bool (*emit)(Compiler *compiler, const Json *body);
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

static bool emit_operation(Compiler *compiler, const Json *body, Kind wanted)
{
    const char *kind = json_get_text(body, "kind", "");
    if (is_shift(body)) {
        return check_kind(compiler, body, KIND_TIME, wanted) && emit_shift(compiler, body);
    }
    for (size_t i = 0; i < COUNT(operations); i++) {
        if (strcmp(operations[i].kind, kind) == 0) {
            return check_kind(compiler, body, KIND_BOOL, wanted) &&
                   operations[i].emit(compiler, body);
        }
    }
    return refuse_node(compiler, body, "this operator");
}

static bool emit_bool(Compiler *compiler, const Json *body, Kind wanted)
{
    size_t i = 0;
    const Json *arg = NULL;
    const char *operator= json_get_text(body, "boolop", "");
    const bool is_not = strcmp(operator, "NOT_EXPR") == 0;
    if (!check_kind(compiler, body, KIND_BOOL, wanted)) {
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

static bool emit_null_test(Compiler *compiler, const Json *body, Kind wanted)
{
    const Json *arg = json_object_get(body, "arg");
    const bool is_null = strcmp(json_get_text(body, "nulltesttype", ""), "IS_NULL") == 0;
    strbuf_add_char(&compiler->sql, '(');
    if (!check_kind(compiler, body, KIND_BOOL, wanted) ||
        !emit(compiler, arg, known(kind_of(arg), KIND_TEXT))) {
        return false;
    }
    strbuf_add(&compiler->sql, is_null ? " IS NULL)" : " IS NOT NULL)");
    return true;
}

/* --- nodes ------------------------------------------------------------------------------------ */

static const struct {
    const char *node;
    bool (*emit)(Compiler *compiler, const Json *body, Kind wanted);
} nodes[] = {
    {"A_Const", emit_constant},
    {"A_Expr", emit_operation},
    {"BoolExpr", emit_bool},
    {"ColumnRef", emit_column},
    {"FuncCall", emit_call},
    {"NullTest", emit_null_test},
    {"SQLValueFunction", emit_value_function},
    {"TypeCast", emit_literal},
};

static bool emit(Compiler *compiler, const Json *node, Kind wanted)
{
    const char *name = NULL;
    const Json *body = open_node(node, &name);
    for (size_t i = 0; i < COUNT(nodes); i++) {
        if (strcmp(nodes[i].node, name) == 0) {
            return nodes[i].emit(compiler, body, wanted);
        }
    }
    return refuse_node(compiler, node, strcmp(name, "SubLink") == 0 ? "a subquery" : "this");
}

bool where_compile(Arena *arena, const char *text, size_t first_param, WhereSql *ret_where,
                   Err *err)
{
    Compiler compiler = {
        .arena = arena, .first_param = first_param, .sql = strbuf_init(arena), .err = err};
    if (!sql_expression_parse(option, text, &compiler.expression, err)) {
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

/* "{a,b}": slugs need no quoting. */
static const char *slugs_of(Arena *arena, const PgRows *rows)
{
    StrBuf list = strbuf_init(arena);
    strbuf_add_char(&list, '{');
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        strbuf_printf(&list, "%s%s", i == 0 ? "" : ",", pg_rows_text(rows, i, 0));
    }
    strbuf_add_char(&list, '}');
    return list.text;
}

/* SQLSTATE class 22: a value that is none of its type, such as interval 'soon'. */
static bool explain(Err *err)
{
    if (strncmp(err->sqlstate, "22", 2) == 0) {
        err->code = ERR_INPUT_INVALID;
        err_prefix(err, "%s", option);
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
