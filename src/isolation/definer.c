#include "isolation/definer.h"

#include <ctype.h>
#include <string.h>

#include "core/array.h"
#include "core/json.h"
#include "core/strbuf.h"
#include "pg/sql_parse.h"

enum { NAMES_SHOWN = 4 };

typedef struct Look {
    Arena *arena;
    const char *schema; /* the function's own */
    StrBuf outside;
    int names;
    const char *other_schema;
    const char *unknown;
    const Json *open;   /* the tables of its shared place that all tenants read; NULL: of no such */
    const Json *hidden; /* what of it has no tenant_id, and is read by such code alone */
    const char *unheld;
} Look;

static void note_unknown(Look *look, const char *why)
{
    look->unknown = look->unknown == NULL ? why : look->unknown;
}

static void note_unheld(Look *look, const char *what)
{
    look->unheld = look->unheld == NULL ? what : look->unheld;
}

/* --- names ------------------------------------------------------------------------------------ */

static bool is_word_of(const char *word, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(word, *words) == 0) {
            return true;
        }
    }
    return false;
}

/* PostgreSQL's own, the extensions' and what is there for all tenants. */
static bool is_inside(const Look *look, const char *schema)
{
    static const char *const shared[] = {"information_schema", "pg_catalog", "pg_temp", "tenancy",
                                         "tenantry_ext",       NULL};
    return strcmp(schema, look->schema) == 0 || is_word_of(schema, shared);
}

static void note_name(Look *look, const char *schema, const char *name)
{
    if (*schema == '\0' || is_inside(look, schema)) {
        return;
    }
    if (look->other_schema == NULL) {
        look->other_schema = arena_strdup(look->arena, schema);
    }
    if (look->names < NAMES_SHOWN) {
        strbuf_printf(&look->outside, "%s%s.%s", look->names == 0 ? "it uses " : ", ", schema,
                      name);
    } else if (look->names == NAMES_SHOWN) {
        strbuf_printf(&look->outside, " and more");
    }
    look->names++;
}

static bool on_table(void *context, const Json *value)
{
    note_name(context, json_get_text(value, "schemaname", ""), json_get_text(value, "relname", ""));
    return true;
}

static const char *name_part(const Json *names, size_t i)
{
    return json_get_text(json_object_get(json_array_get(names, i), "String"), "sval", "");
}

/* These run SQL that they are given as text, or change what names mean: PostgreSQL's, and those of
 * the extensions that come with it. A "*" stands for the rest of a family's names. */
static bool runs_text(const char *function)
{
    static const char *const words[] = {
        "connectby",     "crosstab*",     "cursor_to_xml*", "database_to_xml*",
        "dblink*",       "query_to_xml*", "schema_to_xml*", "set_config",
        "table_to_xml*", "ts_rewrite",    "ts_stat",        "xpath_table",
    };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        const size_t length = strcspn(words[i], "*");
        if (strncmp(function, words[i], length) == 0 &&
            (words[i][length] == '*' || function[length] == '\0')) {
            return true;
        }
    }
    return false;
}

static bool on_function(void *context, const Json *value)
{
    Look *look = context;
    const Json *names = json_object_get(value, "funcname");
    const size_t count = json_array_size(names);
    if (count == 0) {
        return true;
    }
    if (runs_text(name_part(names, count - 1))) {
        note_unknown(look, "it calls a function that runs SQL given as text");
    }
    if (look->open != NULL && strcmp(name_part(names, count - 1), "setval") == 0) {
        note_unheld(look, "it sets a sequence, which is of all tenants");
    }
    if (count > 1) {
        note_name(look, name_part(names, count - 2),
                  arena_printf(look->arena, "%s()", name_part(names, count - 1)));
    }
    return true;
}

/* Owners are held by the policies of what has tenant_id; what has none they write for all, and one
 * tenant reads there what another left. A row that is only added is seen by nobody for that. */
static bool is_listed(const Look *look, const Json *table, const Json *names)
{
    const char *name = json_get_text(table, "relname", "");
    for (size_t i = 0; i < json_array_size(names); i++) {
        if (strcmp(name, json_string_value(json_array_get(names, i))) == 0) {
            return strcmp(json_get_text(table, "schemaname", look->schema), look->schema) == 0;
        }
    }
    return false;
}

static bool on_read(void *context, const Json *value)
{
    Look *look = context;
    if (is_listed(look, value, look->hidden)) {
        note_unheld(look, arena_printf(look->arena, "it reads %s, whose content is of no tenant",
                                       json_get_text(value, "relname", "")));
    }
    return true;
}

static bool on_insert(void *context, const Json *value)
{
    Look *look = context;
    const Json *table = json_object_get(value, "relation");
    if (is_listed(look, table, look->open)) {
        note_unheld(look, arena_printf(look->arena, "it writes table %s, which all tenants read",
                                       json_get_text(table, "relname", "")));
    }
    /* What it does about a row that is there tells that it is. */
    return json_object_get(value, "onConflictClause") == NULL || on_read(look, table);
}

static bool on_change(void *context, const Json *value)
{
    return on_insert(context, value) && on_read(context, json_object_get(value, "relation"));
}

static bool on_hidden(void *context, const Json *value)
{
    (void)value;
    note_unknown(context, "it runs a statement whose text is elsewhere");
    return true;
}

/* --- SQL -------------------------------------------------------------------------------------- */

static void look_at_tree(Look *look, const Json *tree)
{
    static const struct {
        const char *node;
        bool (*visit)(void *context, const Json *value);
    } visits[] = {
        /* A field that can be nothing else than a table has no node of its own; it is what a
         * statement writes. */
        {"RangeVar", on_table},    {"RangeVar", on_read},     {"rel", on_table},
        {"relation", on_table},    {"view", on_table},        {"FuncCall", on_function},
        {"funccall", on_function}, {"DoStmt", on_hidden},     {"ExecuteStmt", on_hidden},
        {"InsertStmt", on_insert}, {"UpdateStmt", on_change}, {"DeleteStmt", on_change},
        {"MergeStmt", on_change},
    };
    for (size_t i = 0; i < ARRAY_COUNT(visits); i++) {
        sql_tree_visit(tree, visits[i].node, visits[i].visit, look);
    }
}

static bool try_parse(Look *look, const char *sql, SqlScript *ret_script)
{
    Err ignored;
    return sql_script_parse(look->arena, "body", sql, ERR_INPUT_INVALID, ret_script, &ignored);
}

/* A temporary table is of the caller's session. */
static bool is_temporary(const Json *tree)
{
    const Json *relation = json_object_get(tree, "relation");
    const Json *into = json_object_get(json_object_get(tree, "into"), "rel");
    return strcmp(json_get_text(relation, "relpersistence", ""), "t") == 0 ||
           strcmp(json_get_text(into, "relpersistence", ""), "t") == 0;
}

/* Row-level security holds rows, so of a shared place's code everything else is told. */
static void look_at_statement(Look *look, const SqlStatement *statement)
{
    static const char *const held[] = {"CallStmt",
                                       "ConstraintsSetStmt",
                                       "DeallocateStmt",
                                       "DeleteStmt",
                                       "DoStmt",
                                       "ExecuteStmt",
                                       "ExplainStmt",
                                       "InsertStmt",
                                       "ListenStmt",
                                       "MergeStmt",
                                       "NotifyStmt",
                                       "PLAssignStmt",
                                       "PrepareStmt",
                                       "ReturnStmt",
                                       "SelectStmt",
                                       "TransactionStmt",
                                       "UnlistenStmt",
                                       "UpdateStmt",
                                       "VariableSetStmt",
                                       "VariableShowStmt",
                                       NULL};
    size_t length = 0;
    if (look->open == NULL || is_word_of(statement->node, held) || is_temporary(statement->tree)) {
        return;
    }
    while (isalpha((unsigned char)statement->text[length])) {
        length++;
    }
    note_unheld(look, arena_printf(look->arena, "it runs %.*s", (int)length, statement->text));
}

/* Releases the script. */
static void look_at_script(Look *look, SqlScript *script)
{
    look_at_tree(look, script->root);
    for (size_t i = 0; i < script->count; i++) {
        look_at_statement(look, &script->statements[i]);
    }
    sql_script_done(script);
}

static void look_at_sql(Look *look, const char *sql)
{
    SqlScript script;
    if (try_parse(look, sql, &script)) {
        look_at_script(look, &script);
    } else {
        note_unknown(look, "a statement of it cannot be parsed");
    }
}

/* A CREATE FUNCTION whose body is BEGIN ATOMIC, or a CREATE RULE: it has the trees of statements,
 * which can be about rows only. */
static void look_at_definition(Look *look, const char *sql)
{
    SqlScript script;
    if (try_parse(look, sql, &script)) {
        look_at_tree(look, script.root);
        sql_script_done(&script);
    } else {
        note_unknown(look, "its definition cannot be parsed");
    }
}

/* --- PL/pgSQL --------------------------------------------------------------------------------- */

/* A statement, an expression, or an assignment. */
static bool parse_expression(Look *look, const char *text, SqlScript *ret_script)
{
    const char *assign = strstr(text, ":=");
    if (try_parse(look, text, ret_script) ||
        try_parse(look, arena_printf(look->arena, "SELECT %s", text), ret_script)) {
        return true;
    }
    return assign != NULL &&
           try_parse(look,
                     arena_printf(look->arena, "SELECT %.*s, %s", (int)(assign - text), text,
                                  assign + strlen(":=")),
                     ret_script);
}

/* The text of the one constant that the script selects, or NULL. */
static const char *find_constant(const SqlScript *script)
{
    if (script->count != 1 || strcmp(script->statements[0].node, "SelectStmt") != 0) {
        return NULL;
    }
    const Json *targets = json_object_get(script->statements[0].tree, "targetList");
    const Json *target = json_object_get(json_array_get(targets, 0), "ResTarget");
    const Json *constant = json_object_get(json_object_get(target, "val"), "A_Const");
    return json_array_size(targets) == 1
               ? json_get_text(json_object_get(constant, "sval"), "sval", NULL)
               : NULL;
}

static void look_at_expression(Look *look, const char *text, bool is_dynamic)
{
    SqlScript script;
    if (!parse_expression(look, text, &script)) {
        note_unknown(look, "a part of it cannot be parsed");
        return;
    }
    const char *constant = is_dynamic ? find_constant(&script) : NULL;
    if (constant != NULL) {
        look_at_sql(look, constant);
    } else if (is_dynamic) {
        note_unknown(look, "it runs SQL that it puts together");
    }
    look_at_script(look, &script);
}

static void walk(Look *look, const Json *tree, bool is_dynamic);

static void walk_member(Look *look, const char *key, const Json *value, bool is_dynamic)
{
    static const char *const dynamic[] = {"PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors", NULL};
    if (strcmp(key, "PLpgSQL_expr") == 0) {
        look_at_expression(look, json_get_text(value, "query", ""), is_dynamic);
        return;
    }
    if (!is_word_of(key, dynamic)) {
        walk(look, value, strcmp(key, "dynquery") == 0);
        return;
    }
    const char *part = NULL;
    Json *member = NULL;
    json_object_foreach((Json *)(uintptr_t)value, part, member)
    {
        walk(look, member, strcmp(part, "query") == 0);
    }
}

/* is_dynamic: the expression right below tree is SQL to be run. */
static void walk(Look *look, const Json *tree, bool is_dynamic)
{
    const char *key = NULL;
    Json *member = NULL;
    for (size_t i = 0; i < json_array_size(tree); i++) {
        walk(look, json_array_get(tree, i), false);
    }
    if (json_is_object(tree)) {
        /* The iterator takes an object that it does not change. */
        json_object_foreach((Json *)(uintptr_t)tree, key, member)
        {
            walk_member(look, key, member, is_dynamic);
        }
    }
}

static void look_at_plpgsql(Look *look, const char *definition, const char *source)
{
    scoped_json Json *functions = NULL;
    Err ignored;
    if (sql_plpgsql_parse(definition, source, ERR_INPUT_INVALID, &functions, &ignored)) {
        walk(look, functions, false);
    } else {
        note_unknown(look, "its body cannot be parsed");
    }
}

/* --- a function ------------------------------------------------------------------------------- */

/* Whoever may make things in `public` is another rule's question. */
static void look_at_path(Look *look, const Json *path)
{
    for (size_t i = 0; i < json_array_size(path); i++) {
        const char *word = json_string_value(json_array_get(path, i));
        if (strcmp(word, "public") != 0 && strcmp(word, "$user") != 0) {
            note_name(look, word, "* by its search_path");
        }
    }
}

bool definer_judge(Arena *arena, const char *body, DefinerVerdict *ret_verdict, Err *err)
{
    scoped_json Json *function = NULL;
    if (!json_parse(body, "the body of a function", &function, err)) {
        return false;
    }
    const char *language = json_get_text(function, "language", "");
    const char *definition = json_get_text(function, "definition", "");
    const char *source = json_get_text(function, "source", "");
    Look look = {.arena = arena,
                 .schema = json_get_text(function, "schema", ""),
                 .outside = strbuf_init(arena),
                 .open = json_object_get(function, "open"),
                 .hidden = json_object_get(function, "hidden")};
    look_at_path(&look, json_object_get(function, "path"));
    if (strcmp(language, "plpgsql") == 0) {
        look_at_plpgsql(&look, definition, source);
    } else if (strcmp(language, "sql") == 0 && *source == '\0') {
        look_at_definition(&look, definition);
    } else if (strcmp(language, "sql") == 0) {
        look_at_sql(&look, source);
    } else {
        note_unknown(&look, arena_printf(arena, "its language is %s", language));
    }
    *ret_verdict = (DefinerVerdict){
        .outside = look.names == 0 ? NULL : look.outside.text,
        .other_id = look.other_schema == NULL
                        ? NULL
                        : arena_strdup(arena, json_get_text(json_object_get(function, "tenants"),
                                                            look.other_schema, NULL)),
        .unknown = look.unknown == NULL
                       ? NULL
                       : arena_printf(arena,
                                      "%s, with the rights of %s: what it touches cannot be told",
                                      look.unknown, json_get_text(function, "owner", "")),
        .unheld = look.unheld};
    return true;
}
