#include "pg/sql_parse.h"

#include <pg_query.h>
#include <string.h>
#include <strings.h>

#include "core/limits.h"
#include "core/text.h"
#include "pg/sql_lex.h"

enum { SHOWN_ERROR_BYTES = 200 };

/* Counts lines forward through one text, so that a script costs one pass. */
typedef struct LineCounter {
    const char *text;
    size_t offset;
    int line;
    int column;
} LineCounter;

static LineCounter count_from(const char *text)
{
    return (LineCounter){.text = text, .line = 1, .column = 1};
}

static bool begins_char(char c)
{
    return ((unsigned char)c & 0xC0U) != 0x80U;
}

static int line_at(LineCounter *counter, size_t offset)
{
    for (; counter->offset < offset; counter->offset++) {
        const char c = counter->text[counter->offset];
        counter->line += c == '\n' ? 1 : 0;
        counter->column = c == '\n' ? 1 : counter->column + (begins_char(c) ? 1 : 0);
    }
    return counter->line;
}

/* The byte offset of a character's number, from 1; 0 means that the parser did not say. */
static size_t offset_of_char(const char *text, int number)
{
    size_t offset = 0;
    for (int seen = 0; text[offset] != '\0'; offset++) {
        seen += begins_char(text[offset]) ? 1 : 0;
        if (seen >= number) {
            break;
        }
    }
    return offset;
}

static bool fail_at(const char *file, const char *text, size_t offset, ErrCode code,
                    const char *what, Err *err)
{
    LineCounter counter = count_from(text);
    return ERR_SET(err, code, NULL, "%s:%d: %s", file, line_at(&counter, offset), what);
}

static bool fail_syntax(const char *file, const char *text, const PgQueryError *error, ErrCode code,
                        Err *err)
{
    scoped_arena Arena *arena = arena_new();
    const char *message = error->message == NULL ? "it cannot be parsed" : error->message;
    return fail_at(file, text, offset_of_char(text, error->cursorpos), code,
                   text_quote(arena, message, SHOWN_ERROR_BYTES), err);
}

/* The statement's bytes: from its first word to its last. */
static const char *cut_text(Arena *arena, const char *text, size_t start, size_t end)
{
    while (end > start && strchr(" \t\r\n\f\v;", text[end - 1]) != NULL) {
        end--;
    }
    return arena_strndup(arena, text + start, end - start);
}

/* Fills in text and position. width 0: to the end of the text. */
static bool read_position(Arena *arena, const char *text, int64_t location, int64_t width,
                          LineCounter *counter, SqlStatement *ret_statement)
{
    const size_t length = strlen(text);
    if (location < 0 || width < 0 || (size_t)(location + width) > length) {
        return false;
    }
    const size_t start = (size_t)location + sql_lex_space(text + location);
    const size_t end = width == 0 ? length : (size_t)(location + width);
    *ret_statement = (SqlStatement){.text = cut_text(arena, text, start, end),
                                    .line = line_at(counter, start),
                                    .column = counter->column,
                                    .offset = start};
    return true;
}

static bool read_statement(Arena *arena, const char *text, const Json *raw, LineCounter *counter,
                           SqlStatement *ret_statement)
{
    Json *tree = json_object_get(raw, "stmt");
    void *member = json_object_iter(tree);
    if (member == NULL ||
        !read_position(arena, text, json_get_int(raw, "stmt_location", 0),
                       json_get_int(raw, "stmt_len", 0), counter, ret_statement)) {
        return false;
    }
    ret_statement->node = json_object_iter_key(member);
    ret_statement->tree = json_object_iter_value(member);
    return true;
}

static bool read_statements(Arena *arena, const char *text, SqlScript *script, Err *err)
{
    const Json *list = json_object_get(script->root, "stmts");
    const size_t count = json_array_size(list);
    SqlStatement *statements = ARENA_ARRAY(arena, SqlStatement, count);
    LineCounter counter = count_from(text);
    for (size_t i = 0; i < count; i++) {
        if (!read_statement(arena, text, json_array_get(list, i), &counter, &statements[i])) {
            return ERR_SET(err, ERR_INTERNAL, NULL,
                           "%s: the SQL parser gave a tree without statement %zu", script->file, i);
        }
    }
    script->statements = statements;
    script->count = count;
    return true;
}

/* The parser's JSON text as a value. Its reader refuses a depth that the tokens allowed still. */
static bool load_tree(const char *file, const char *json, ErrCode code, Json **ret_root, Err *err)
{
    json_error_t error;
    *ret_root = json_loads(json, 0, &error);
    if (*ret_root != NULL) {
        return true;
    }
    if (json_error_code(&error) == json_error_stack_overflow) {
        return ERR_SET(err, code, NULL, "%s:1: a statement is nested too deeply", file);
    }
    return ERR_SET(err, ERR_INTERNAL, NULL, "%s: the SQL parser's tree cannot be read: %s", file,
                   error.text);
}

/* libpg_query recurses over the tree without looking at the stack. */
static bool check_depth(const char *file, const char *text, ErrCode code, Err *err)
{
    size_t offset = 0;
    return sql_lex_is_shallow(text, LIMIT_SQL_RUN_TOKENS, &offset) ||
           fail_at(file, text, offset, code, "the statement is nested too deeply", err);
}

bool sql_script_parse(Arena *arena, const char *file, const char *text, ErrCode code,
                      SqlScript *ret_script, Err *err)
{
    if (!check_depth(file, text, code, err)) {
        return false;
    }
    const PgQueryParseResult result = pg_query_parse(text);
    SqlScript script = {.file = file};
    const bool is_parsed = result.error != NULL
                               ? fail_syntax(file, text, result.error, code, err)
                               : load_tree(file, result.parse_tree, code, &script.root, err);
    pg_query_free_parse_result(result);
    if (!is_parsed) {
        return false;
    }
    if (!read_statements(arena, text, &script, err)) {
        sql_script_done(&script);
        return false;
    }
    *ret_script = script;
    return true;
}

void sql_script_done(SqlScript *script)
{
    json_decref(script->root);
    *script = (SqlScript){.file = script->file};
}

static bool read_split(Arena *arena, const char *text, const PgQuerySplitResult *split,
                       SqlScript *script, Err *err)
{
    const size_t count = (size_t)split->n_stmts;
    SqlStatement *statements = ARENA_ARRAY(arena, SqlStatement, count);
    LineCounter counter = count_from(text);
    for (size_t i = 0; i < count; i++) {
        if (!read_position(arena, text, split->stmts[i]->stmt_location, split->stmts[i]->stmt_len,
                           &counter, &statements[i])) {
            return ERR_SET(err, ERR_INTERNAL, NULL,
                           "%s: the SQL parser put statement %zu outside the text", script->file,
                           i);
        }
    }
    script->statements = statements;
    script->count = count;
    return true;
}

bool sql_script_split(Arena *arena, const char *file, const char *text, ErrCode code,
                      SqlScript *ret_script, Err *err)
{
    if (!check_depth(file, text, code, err)) {
        return false;
    }
    const PgQuerySplitResult result = pg_query_split_with_parser(text);
    SqlScript script = {.file = file};
    const bool is_split = result.error != NULL ? fail_syntax(file, text, result.error, code, err)
                                               : read_split(arena, text, &result, &script, err);
    pg_query_free_split_result(result);
    if (is_split) {
        *ret_script = script;
    }
    return is_split;
}

#ifdef __SANITIZE_ADDRESS__
/* Of the sanitizers' own header. */
void __lsan_disable(void);
void __lsan_enable(void);
#endif

/* libpg_query 15-4.0.0 loses one byte with each body that it refuses; the leak check of the
 * sanitizers would end the program for it. */
static PgQueryPlpgsqlParseResult parse_plpgsql(const char *definition)
{
#ifdef __SANITIZE_ADDRESS__
    __lsan_disable();
    const PgQueryPlpgsqlParseResult result = pg_query_parse_plpgsql(definition);
    __lsan_enable();
    return result;
#else
    return pg_query_parse_plpgsql(definition);
#endif
}

bool sql_plpgsql_parse(const char *definition, const char *body, ErrCode code, Json **ret_tree,
                       Err *err)
{
    static const char file[] = "PL/pgSQL";
    if (!check_depth(file, definition, code, err) || !check_depth(file, body, code, err)) {
        return false;
    }
    const PgQueryPlpgsqlParseResult result = parse_plpgsql(definition);
    const bool is_parsed = result.error != NULL
                               ? fail_syntax(file, definition, result.error, code, err)
                               : load_tree(file, result.plpgsql_funcs, code, ret_tree, err);
    pg_query_free_plpgsql_parse_result(result);
    return is_parsed;
}

static bool visit_object(const Json *object, const char *node,
                         bool (*visit)(void *context, const Json *value), void *context)
{
    const Json *value = json_object_get(object, node);
    if (value != NULL && !visit(context, value)) {
        return false;
    }
    const char *key = NULL;
    Json *member = NULL;
    /* The iterator takes an object that it does not change. */
    json_object_foreach((Json *)(uintptr_t)object, key, member)
    {
        if (!sql_tree_visit(member, node, visit, context)) {
            return false;
        }
    }
    return true;
}

bool sql_tree_visit(const Json *tree, const char *node,
                    bool (*visit)(void *context, const Json *value), void *context)
{
    if (json_is_object(tree)) {
        return visit_object(tree, node, visit, context);
    }
    for (size_t i = 0; i < json_array_size(tree); i++) {
        if (!sql_tree_visit(json_array_get(tree, i), node, visit, context)) {
            return false;
        }
    }
    return true;
}

bool sql_begins_with_any(const char *statement, const char *const *beginnings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strncasecmp(statement, beginnings[i], strlen(beginnings[i])) == 0) {
            return true;
        }
    }
    return false;
}

const char *sql_statement_place(Arena *arena, const char *file, const SqlStatement *statement)
{
    return statement->column == 1
               ? arena_printf(arena, "%s:%d", file, statement->line)
               : arena_printf(arena, "%s:%d:%d", file, statement->line, statement->column);
}
