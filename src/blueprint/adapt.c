#include "blueprint/adapt.h"

#include <string.h>

#include "blueprint/lint.h"
#include "core/array.h"

/* Settings that dumps begin with; they mean nothing in a place, or would outlive the migration. */
static const char *const dump_settings[] = {
    "client_encoding",    "client_min_messages", "default_table_access_method",
    "default_tablespace", "default_with_oids",   "idle_in_transaction_session_timeout",
    "lock_timeout",       "row_security",        "standard_conforming_strings",
    "statement_timeout",  "transaction_timeout", "xmloption",
};

bool adapt_fail(const Adapt *adapt, size_t offset, Err *err, const char *format, ...)
{
    scoped_arena Arena *arena = arena_new();
    int line = 1;
    for (size_t i = 0; i < offset; i++) {
        line += adapt->edits.text[i] == '\n' ? 1 : 0;
    }
    va_list args;
    va_start(args, format);
    const char *what = arena_vprintf(arena, format, args);
    va_end(args);
    return ERR_SET(err, ERR_BLUEPRINT_INVALID, NULL, "%s:%d: %s", adapt->file, line, what);
}

/* --- statements that are left out ------------------------------------------------------------- */

static bool names_extension(const Adapt *adapt, const char *name)
{
    const Blueprint *blueprint = adapt->blueprint;
    for (size_t i = 0; i < blueprint->wanted_count; i++) {
        if (strcmp(blueprint->wanted[i], name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < blueprint->optional_count; i++) {
        if (strcmp(blueprint->optional[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_extension_known(const Adapt *adapt, const SqlStatement *statement)
{
    return names_extension(adapt, json_get_text(statement->tree, "extname", ""));
}

/* "public" alone or with the tenant's own name; an empty one is what dumps set. */
static bool is_public_path(const Json *value)
{
    const char *text = json_get_text(json_object_get(json_object_get(value, "A_Const"), "sval"),
                                     "sval", NULL);
    return text != NULL && (*text == '\0' || strcmp(text, "public") == 0 ||
                            strcmp(text, "$user") == 0 || strcmp(text, "pg_catalog") == 0);
}

static bool is_setting_left_out(const Adapt *adapt, const SqlStatement *statement)
{
    (void)adapt;
    const char *name = json_get_text(statement->tree, "name", "");
    const Json *values = json_object_get(statement->tree, "args");
    for (size_t i = 0; i < ARRAY_COUNT(dump_settings); i++) {
        if (strcmp(name, dump_settings[i]) == 0) {
            return true;
        }
    }
    if (strcmp(name, "search_path") != 0) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(values); i++) {
        if (!is_public_path(json_array_get(values, i))) {
            return false;
        }
    }
    return true;
}

/* SELECT pg_catalog.set_config('search_path', '', false), and nothing else. */
static bool is_dump_select(const Adapt *adapt, const SqlStatement *statement)
{
    (void)adapt;
    const Json *targets = json_object_get(statement->tree, "targetList");
    const Json *target = json_object_get(json_array_get(targets, 0), "ResTarget");
    const Json *call = json_object_get(json_object_get(target, "val"), "FuncCall");
    const Json *args = json_object_get(call, "args");
    const Json *name = json_object_get(json_object_get(json_array_get(args, 0), "A_Const"), "sval");
    return json_array_size(targets) == 1 &&
           json_object_get(statement->tree, "fromClause") == NULL &&
           strcmp(tree_last_text(json_object_get(call, "funcname")), "set_config") == 0 &&
           tree_text_is(name, "sval", "search_path") && is_public_path(json_array_get(args, 1));
}

/* COMMENT ON EXTENSION and SCHEMA public, as dumps have them. */
static bool is_comment_left_out(const Adapt *adapt, const SqlStatement *statement)
{
    const Json *object = json_object_get(json_object_get(statement->tree, "object"), "String");
    const char *name = json_get_text(object, "sval", "");
    return (tree_text_is(statement->tree, "objtype", "OBJECT_EXTENSION") &&
            names_extension(adapt, name)) ||
           (tree_text_is(statement->tree, "objtype", "OBJECT_SCHEMA") &&
            strcmp(name, "public") == 0);
}

/* CREATE SCHEMA IF NOT EXISTS public */
static bool is_schema_left_out(const Adapt *adapt, const SqlStatement *statement)
{
    (void)adapt;
    return tree_text_is(statement->tree, "schemaname", "public") &&
           json_get_bool(statement->tree, "if_not_exists", false);
}

/* DROP EXTENSION of one that the place keeps. */
static bool is_drop_left_out(const Adapt *adapt, const SqlStatement *statement)
{
    const Json *objects = json_object_get(statement->tree, "objects");
    bool is_left_out = tree_text_is(statement->tree, "removeType", "OBJECT_EXTENSION");
    for (size_t i = 0; i < json_array_size(objects); i++) {
        is_left_out = is_left_out && names_extension(adapt, tree_list_text(objects, i));
    }
    return is_left_out;
}

static const struct {
    const char *node;
    bool (*is_left_out)(const Adapt *adapt, const SqlStatement *statement);
} left_out[] = {
    {"CommentStmt", is_comment_left_out},     {"CreateExtensionStmt", is_extension_known},
    {"CreateSchemaStmt", is_schema_left_out}, {"DropStmt", is_drop_left_out},
    {"SelectStmt", is_dump_select},           {"VariableSetStmt", is_setting_left_out},
};

static bool try_leave_out(Adapt *adapt, const SqlStatement *statement)
{
    for (size_t i = 0; i < ARRAY_COUNT(left_out); i++) {
        if (strcmp(statement->node, left_out[i].node) == 0 &&
            left_out[i].is_left_out(adapt, statement)) {
            sql_edit_leave_out(&adapt->edits, statement);
            return true;
        }
    }
    return false;
}

/* --- transactions ----------------------------------------------------------------------------- */

static bool is_begin(const SqlStatement *statement)
{
    return tree_text_is(statement->tree, "kind", "TRANS_STMT_BEGIN") ||
           tree_text_is(statement->tree, "kind", "TRANS_STMT_START");
}

/* BEGIN and COMMIT by turns, around statements: all of them are in one transaction anyway. Anything
 * else stays, and the lint refuses it. */
static void leave_out_transactions(Adapt *adapt, const SqlScript *script)
{
    bool is_open = false;
    for (size_t i = 0; i < script->count; i++) {
        const SqlStatement *statement = &script->statements[i];
        if (strcmp(statement->node, "TransactionStmt") != 0) {
            continue;
        }
        const bool is_end = tree_text_is(statement->tree, "kind", "TRANS_STMT_COMMIT");
        if (is_open ? !is_end : !is_begin(statement)) {
            return;
        }
        is_open = !is_open;
    }
    for (size_t i = 0; i < script->count && !is_open; i++) {
        if (strcmp(script->statements[i].node, "TransactionStmt") == 0) {
            sql_edit_leave_out(&adapt->edits, &script->statements[i]);
        }
    }
}

/* --- words ------------------------------------------------------------------------------------ */

void adapt_leave_out_concurrently(SqlEdits *edits, const SqlStatement *statement)
{
    const char *at = edits->text + statement->offset;
    const char *end = at + strlen(statement->text);
    AdaptToken token = {0};
    while (adapt_next(&at, end, '\0', &token)) {
        if (*token.text != '"' && adapt_is_word(&token, "concurrently")) {
            sql_edit_add(edits, (size_t)(token.text - edits->text), token.length, "");
        }
    }
}

/* Only statements whose tree says that they are concurrent have the word as a keyword. */
static bool may_be_concurrent(const SqlStatement *statement)
{
    return json_get_bool(statement->tree, "concurrent", false) ||
           strcmp(statement->node, "ReindexStmt") == 0 ||
           strcmp(statement->node, "AlterTableStmt") == 0;
}

/* --- texts ------------------------------------------------------------------------------------ */

/* psql's own commands are not SQL, and what follows some of them is not either. */
static bool check_psql(const Adapt *adapt, Err *err)
{
    const char *end = adapt->edits.text + strlen(adapt->edits.text);
    AdaptToken token = {0};
    for (const char *at = adapt->edits.text; adapt_next(&at, end, '\0', &token);) {
        if (*token.text == '\\') {
            return adapt_fail(adapt, (size_t)(token.text - adapt->edits.text), err,
                              "\"%.*s\" is a command of psql, not SQL",
                              (int)(1 + strcspn(token.text + 1, " \t\r\n;")), token.text);
        }
    }
    return true;
}

static bool take_statement(Adapt *adapt, const SqlStatement *statement, Err *err)
{
    if (try_leave_out(adapt, statement)) {
        return true;
    }
    if (adapt->has_plain_indexes && may_be_concurrent(statement)) {
        adapt_leave_out_concurrently(&adapt->edits, statement);
    }
    const bool has_path = strcmp(statement->node, "CreateFunctionStmt") == 0 ||
                          strcmp(statement->node, "AlterFunctionStmt") == 0;
    return adapt_schema(adapt, statement, err) &&
           (!has_path || adapt_function(adapt, statement, err));
}

static bool adapt_text(Adapt *adapt, const char **text, Err *err)
{
    SqlScript script;
    scoped_arena Arena *scratch = arena_new();
    if (!sql_script_parse(scratch, adapt->file, adapt->edits.text, ERR_BLUEPRINT_INVALID, &script,
                          err)) {
        return false;
    }
    leave_out_transactions(adapt, &script);
    bool is_taken = adapt_temporary(adapt, &script, err);
    for (size_t i = 0; i < script.count && is_taken; i++) {
        is_taken = strcmp(script.statements[i].node, "TransactionStmt") == 0 ||
                   take_statement(adapt, &script.statements[i], err);
    }
    sql_script_done(&script);
    if (is_taken) {
        *text = sql_edit_apply(&adapt->edits);
    }
    return is_taken;
}

static bool collect(AdaptNames *names, const Adapt *adapt, Err *err)
{
    SqlScript script;
    scoped_arena Arena *scratch = arena_new();
    if (!check_psql(adapt, err) || !sql_script_parse(scratch, adapt->file, adapt->edits.text,
                                                     ERR_BLUEPRINT_INVALID, &script, err)) {
        return false;
    }
    adapt_collect(names, &script);
    sql_script_done(&script);
    return true;
}

/* A byte order mark is no SQL. */
static const char *without_mark(Arena *arena, const char *text)
{
    static const char mark[] = "\xEF\xBB\xBF";
    return strncmp(text, mark, strlen(mark)) == 0
               ? arena_printf(arena, "   %s", text + strlen(mark))
               : text;
}

bool adapt_migrations(Arena *arena, const Blueprint *blueprint, BlueprintMigration *migrations,
                      bool has_plain_indexes, Err *err)
{
    AdaptNames names = {.arena = arena};
    const Adapt base = {.arena = arena,
                        .edits = {.arena = arena},
                        .blueprint = blueprint,
                        .own = &names,
                        .has_plain_indexes = has_plain_indexes};
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        Adapt adapt = base;
        adapt.file = migrations[i].file;
        adapt.edits.text = migrations[i].up = without_mark(arena, migrations[i].up);
        if (!collect(&names, &adapt, err)) {
            return false;
        }
    }
    adapt_sort(&names);
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        Adapt up = base;
        up.file = migrations[i].file;
        up.edits.text = migrations[i].up;
        if (!adapt_text(&up, &migrations[i].up, err)) {
            return false;
        }
        if (migrations[i].down == NULL) {
            continue;
        }
        Adapt down = base;
        down.file = migrations[i].down_file;
        down.edits.text = migrations[i].down = without_mark(arena, migrations[i].down);
        if (!check_psql(&down, err) || !adapt_text(&down, &migrations[i].down, err)) {
            err_hint(err,
                     "it is a script that undoes; mend it, or say \"migrations: {undo: none}\" "
                     "in the manifest to read none of them");
            return false;
        }
    }
    return true;
}
