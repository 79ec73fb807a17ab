/* Operands of --where, and how it is refused. */
#include <string.h>

#include "core/text.h"
#include "pg/sql.h"
#include "rollout/where_parts.h"

static const char allowed_nodes[] =
    "allowed are columns, texts, whole numbers, true, false, NULL, interval '30 days', date and "
    "timestamp literals, now(), + and - with an interval, = <> < <= > >=, AND, OR, NOT, IN, LIKE, "
    "ILIKE, BETWEEN, IS NULL, IS DISTINCT FROM, and 'x' = ANY (features)";
enum { SHOWN_BYTES = 60 };

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
    WhereKind kind;
} columns[] = {
#define COLUMN(name, kind, help) {name, kind},
#include "rollout/where.def"
#undef COLUMN
};

static const struct {
    const char *name;
    WhereKind kind;
} literals[] = {
#define LITERAL(type, kind) {type, kind},
#include "rollout/where.def"
#undef LITERAL
};

/* --- what is wrong ---------------------------------------------------------------------------- */

/* Where a node begins: its own location, or the first below it that has one; -1: none has. */
static int64_t location_of(Json *value)
{
    size_t i = 0;
    const char *key = NULL;
    Json *member = NULL;
    int64_t location = json_get_int(value, "location", -1);
    json_array_foreach(value, i, member)
    {
        location = location < 0 ? location_of(member) : location;
    }
    json_object_foreach(value, key, member)
    {
        location = location < 0 ? location_of(member) : location;
    }
    return location;
}

static bool refuse(WhereCompiler *compiler, Json *node, const char *hint, const char *what)
{
    const int number = sql_expression_char(&compiler->expression, location_of(node));
    return number == 0 ? ERR_SET(compiler->err, ERR_INPUT_INVALID, hint, WHERE_OPTION ": %s", what)
                       : ERR_SET(compiler->err, ERR_INPUT_INVALID, hint,
                                 WHERE_OPTION ": %s, character %d", what, number);
}

bool where_refuse_node(WhereCompiler *compiler, Json *node, const char *name)
{
    return refuse(compiler, node, allowed_nodes,
                  arena_printf(compiler->arena, "%s is not allowed here",
                               text_quote(compiler->arena, name, SHOWN_BYTES)));
}

static bool refuse_kind(WhereCompiler *compiler, Json *node, WhereKind found, WhereKind wanted)
{
    return refuse(compiler, node, NULL,
                  arena_printf(compiler->arena, "expected %s, found %s", kinds[wanted].shown,
                               kinds[found].shown));
}

bool where_check_kind(WhereCompiler *compiler, Json *node, WhereKind found, WhereKind wanted)
{
    return found == wanted || refuse_kind(compiler, node, found, wanted);
}

/* --- the tree --------------------------------------------------------------------------------- */

/* A node is an object with one member, its name. */
Json *where_open_node(Json *node, const char **ret_name)
{
    void *member = json_object_iter(node);
    *ret_name = member == NULL ? "" : json_object_iter_key(member);
    return member == NULL ? NULL : json_object_iter_value(member);
}

/* The n-th of a list of names; "" when there is none. */
static const char *name_at(Json *list, size_t n)
{
    return json_get_text(json_object_get(json_array_get(list, n), "String"), "sval", "");
}

/* The only name of a list, as of a column or an operator; "" when it has more. */
const char *where_only_name(Json *list)
{
    return json_array_size(list) == 1 ? name_at(list, 0) : "";
}

static WhereKind column_kind(Json *body)
{
    const char *name = where_only_name(json_object_get(body, "fields"));
    for (size_t i = 0; i < ARRAY_COUNT(columns); i++) {
        if (strcmp(columns[i].name, name) == 0) {
            return columns[i].kind;
        }
    }
    return KIND_UNKNOWN;
}

/* The type that a literal names, with or without its schema, NULL when it is none of the table. */
static const char *literal_type(Json *body, WhereKind *ret_kind)
{
    Json *type = json_object_get(body, "typeName");
    Json *names = json_object_get(type, "names");
    const size_t count = json_array_size(names);
    const bool is_plain = count == 1 ||
                          (count == 2 && strcmp(name_at(names, 0), "pg_catalog") == 0);
    for (size_t i = 0; is_plain && i < ARRAY_COUNT(literals); i++) {
        if (strcmp(literals[i].name, name_at(names, count - 1)) == 0) {
            *ret_kind = literals[i].kind;
            return literals[i].name;
        }
    }
    return NULL;
}

bool where_is_shift(Json *body)
{
    const char *name = where_only_name(json_object_get(body, "name"));
    return strcmp(json_get_text(body, "kind", ""), "AEXPR_OP") == 0 &&
           (strcmp(name, "+") == 0 || strcmp(name, "-") == 0);
}

/* What an operand is, before it is checked. */
WhereKind where_kind_of(Json *node)
{
    const char *name = NULL;
    WhereKind kind = KIND_UNKNOWN;
    Json *body = where_open_node(node, &name);
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
        (strcmp(name, "A_Expr") == 0 && where_is_shift(body))) {
        return KIND_TIME;
    }
    return KIND_BOOL;
}

/* --- operands --------------------------------------------------------------------------------- */

static bool add_value(WhereCompiler *compiler, const char *value, const char *type)
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

bool where_emit_column(WhereCompiler *compiler, Json *body, WhereKind wanted)
{
    const char *name = where_only_name(json_object_get(body, "fields"));
    const WhereKind kind = column_kind(body);
    if (kind == KIND_UNKNOWN) {
        StrBuf list = strbuf_init(compiler->arena);
        for (size_t i = 0; i < ARRAY_COUNT(columns); i++) {
            strbuf_printf(&list, "%s%s", i == 0 ? "columns: " : ", ", columns[i].name);
        }
        return refuse(compiler, body, list.text,
                      *name == '\0' ? "a column has one name"
                                    : arena_printf(compiler->arena, "there is no column \"%s\"",
                                                   text_quote(compiler->arena, name, SHOWN_BYTES)));
    }
    if (!where_check_kind(compiler, body, kind, wanted)) {
        return false;
    }
    strbuf_add(&compiler->sql, sql_ident(compiler->arena, name).quoted);
    return true;
}

/* The parser's JSON leaves a negative number out as it does a zero; no column has any. */
static bool emit_number(WhereCompiler *compiler, Json *body)
{
    Json *value = json_object_get(body, "ival");
    const char *at = sql_expression_at(&compiler->expression, location_of(body));
    if (value == NULL || at == NULL || *at < '0' || *at > '9') {
        return refuse(compiler, body, NULL, "expected a whole number from 0 to 2147483647");
    }
    return add_value(
        compiler, arena_printf(compiler->arena, "%lld", (long long)json_get_int(value, "ival", 0)),
        kinds[KIND_INT].type);
}

bool where_emit_constant(WhereCompiler *compiler, Json *body, WhereKind wanted)
{
    Json *text = json_object_get(body, "sval");
    Json *truth = json_object_get(body, "boolval");
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
        return where_check_kind(compiler, body, KIND_BOOL, wanted) &&
               add_value(compiler, json_get_bool(truth, "boolval", false) ? "true" : "false",
                         kinds[KIND_BOOL].type);
    }
    if (json_object_get(body, "ival") == NULL && json_object_get(body, "fval") == NULL) {
        return where_refuse_node(compiler, body, "a bit string");
    }
    return where_check_kind(compiler, body, KIND_INT, wanted) && emit_number(compiler, body);
}

bool where_emit_literal(WhereCompiler *compiler, Json *body, WhereKind wanted)
{
    WhereKind kind = KIND_UNKNOWN;
    const char *type = literal_type(body, &kind);
    Json *type_name = json_object_get(body, "typeName");
    Json *text = json_object_get(json_object_get(json_object_get(body, "arg"), "A_Const"), "sval");
    if (type == NULL || text == NULL || json_object_get(type_name, "typmods") != NULL ||
        json_object_get(type_name, "arrayBounds") != NULL) {
        return where_refuse_node(compiler, type_name, "this cast");
    }
    return where_check_kind(compiler, type_name, kind, wanted) &&
           add_value(compiler, json_get_text(text, "sval", ""), type);
}

bool where_emit_call(WhereCompiler *compiler, Json *body, WhereKind wanted)
{
    const char *name = where_only_name(json_object_get(body, "funcname"));
    /* now() has these three members and no more: no arguments, no FILTER, no OVER. */
    if (strcmp(name, "now") != 0 || json_object_size(body) != 3) {
        return where_refuse_node(
            compiler, body,
            *name == '\0' ? "this function" : arena_printf(compiler->arena, "function %s", name));
    }
    strbuf_add(&compiler->sql, "now()");
    return where_check_kind(compiler, body, KIND_TIME, wanted);
}

bool where_emit_value_function(WhereCompiler *compiler, Json *body, WhereKind wanted)
{
    if (strcmp(json_get_text(body, "op", ""), "SVFOP_CURRENT_TIMESTAMP") != 0) {
        return where_refuse_node(compiler, body, "this function");
    }
    strbuf_add(&compiler->sql, "now()");
    return where_check_kind(compiler, body, KIND_TIME, wanted);
}
