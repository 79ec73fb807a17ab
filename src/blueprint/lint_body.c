/* Static SQL in the body of a DO block, which runs with its script: the rules look at it as though
 * it stood there. (A function's body runs later, for whoever calls the function.) PostgreSQL's own
 * parser of PL/pgSQL says which texts are SQL, and in which line each statement begins; of a body
 * that libpg_query cannot read only that is told (lint_dynamic.c). */
#include <string.h>
#include <strings.h>

#include "blueprint/lint.h"
#include "core/array.h"
#include "pg/sql_lex.h"

enum { SEARCHED_BYTES = 4096 /* of a line, for a word */ };

typedef struct Body {
    Arena *arena;
    LintScript *script;
    const char *text; /* of the script */
    size_t start;     /* of the body, in bytes of the script */
    size_t end;
    int first_line; /* of the script, where the body begins */
    int first_column;
    const size_t *lines; /* where each begins, in bytes of the script */
    size_t line_count;
    int outer_line;   /* where the block begins */
    int line;         /* of the PL/pgSQL statement that is being read, in the body, from 1 */
    const char *node; /* the innermost one around what is being read, of PLpgSQL */
} Body;

/* --- where a statement stands ----------------------------------------------------------------- */

static int count_characters(const char *from, const char *to)
{
    int count = 0;
    for (; from < to; from++) {
        count += ((unsigned char)*from & 0xC0U) != 0x80U ? 1 : 0;
    }
    return count;
}

/* Once for the body, which may have as many statements as it has lines. */
static void note_lines(Body *body)
{
    size_t count = 1;
    size_t line_start = body->start;
    for (size_t i = body->start; i < body->end; i++) {
        count += body->text[i] == '\n' ? 1 : 0;
    }
    size_t *lines = ARENA_ARRAY(body->arena, size_t, count);
    lines[0] = body->start;
    body->line_count = 1;
    for (size_t i = body->start; i < body->end; i++) {
        if (body->text[i] == '\n') {
            lines[body->line_count++] = i + 1;
        }
    }
    while (line_start > 0 && body->text[line_start - 1] != '\n') {
        line_start--;
    }
    body->lines = lines;
    body->first_column = 1 + count_characters(body->text + line_start, body->text + body->start);
}

/* Of the statement that is being read: from 0, the last line for what is behind it. */
static size_t line_index(const Body *body)
{
    const size_t index = body->line > 1 ? (size_t)body->line - 1 : 0;
    return index < body->line_count ? index : body->line_count - 1;
}

/* The word in its line, or what the line begins with; of a line that is very long the word is
 * looked for in its beginning. */
static size_t find_word(const Body *body, size_t start, const char *word, size_t width)
{
    size_t first = body->end;
    size_t length = 0;
    for (size_t at = start; at < body->end && at - start < SEARCHED_BYTES; at += length) {
        const SqlTokenKind kind = sql_lex_token(body->text + at, &length);
        if (kind == SQL_TOKEN_SPACE && memchr(body->text + at, '\n', length) != NULL) {
            break;
        }
        if (kind != SQL_TOKEN_SPACE && first == body->end) {
            first = at;
        }
        if (length == width && strncasecmp(body->text + at, word, width) == 0) {
            return at;
        }
    }
    return first == body->end ? start : first;
}

static LintStatement *add_statement(const Body *body, const SqlStatement *statement,
                                    const char *word)
{
    SqlStatement own = *statement;
    size_t width = 0;
    if (*word != '\0') {
        sql_lex_token(word, &width);
    }
    const size_t index = line_index(body);
    const size_t start = body->lines[index];
    own.line = body->first_line + (int)index;
    own.offset = find_word(body, start, word, width);
    own.column = (index == 0 ? body->first_column : 1) +
                 count_characters(body->text + start, body->text + own.offset);
    LintStatement *added = lint_script_add(body->arena, body->script);
    *added = (LintStatement){.sql = own, .outer_line = body->outer_line, .is_inner = true};
    return added;
}

/* --- texts of SQL ----------------------------------------------------------------------------- */

static bool try_parse(const Body *body, const char *text, SqlScript *ret_script)
{
    Err ignored;
    return sql_script_parse(body->arena, "DO", text, ERR_BLUEPRINT_INVALID, ret_script, &ignored);
}

/* Where the text is a statement; elsewhere it is an expression, and "checkpoint" a variable. */
static const struct {
    const char *node;
    const char *member;
} statements[] = {
    {"PLpgSQL_stmt_call", "expr"},           {"PLpgSQL_stmt_execsql", "sqlstmt"},
    {"PLpgSQL_stmt_fors", "query"},          {"PLpgSQL_stmt_open", "query"},
    {"PLpgSQL_stmt_perform", "expr"},        {"PLpgSQL_stmt_return_query", "query"},
    {"PLpgSQL_var", "cursor_explicit_expr"},
};

static bool is_statement(const char *node, const char *member)
{
    for (size_t i = 0; i < ARRAY_COUNT(statements); i++) {
        if (strcmp(node, statements[i].node) == 0 && strcmp(member, statements[i].member) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_dynamic(const char *node, const char *member)
{
    const bool is_query = strcmp(node, "PLpgSQL_stmt_dynexecute") == 0 ||
                          strcmp(node, "PLpgSQL_stmt_dynfors") == 0;
    return strcmp(member, is_query ? "query" : "dynquery") == 0;
}

/* An expression, or an assignment. */
static bool parse_expression(const Body *body, const char *text, SqlScript *ret_script)
{
    const char *assign = strstr(text, ":=");
    return try_parse(body, arena_printf(body->arena, "SELECT %s", text), ret_script) ||
           (assign != NULL &&
            try_parse(body, arena_printf(body->arena, "SELECT %s", assign + strlen(":=")),
                      ret_script));
}

static void add_text(const Body *body, const char *member, const char *text)
{
    SqlScript script;
    const char *word = strcmp(body->node, "PLpgSQL_stmt_perform") == 0 ? "PERFORM" : text;
    if (is_dynamic(body->node, member)) {
        word = "EXECUTE";
        add_statement(body, &(SqlStatement){.text = "", .node = ""}, word)->is_dynamic = true;
    }
    if (is_statement(body->node, member) ? !try_parse(body, text, &script)
                                         : !parse_expression(body, text, &script)) {
        return;
    }
    for (size_t i = 0; i < script.count; i++) {
        add_statement(body, &script.statements[i], word);
    }
    json_array_append_new(body->script->roots, script.root);
}

/* --- the tree of PL/pgSQL --------------------------------------------------------------------- */

static void walk(Body *body, const char *owner, const Json *tree);

/* owner is the key that the object with this member is under. */
static void walk_member(Body *body, const char *owner, const char *key, const Json *value)
{
    const char *node = body->node;
    const bool is_end = strcmp(key, "PLpgSQL_stmt_commit") == 0 ||
                        strcmp(key, "PLpgSQL_stmt_rollback") == 0;
    if (strcmp(key, "PLpgSQL_expr") == 0) {
        add_text(body, owner, json_get_text(value, "query", ""));
    } else if (is_end) {
        body->line = (int)json_get_int(value, "lineno", body->line);
        add_statement(body, &(SqlStatement){.text = "", .node = "TransactionStmt", .tree = value},
                      key + strlen("PLpgSQL_stmt_"));
    } else {
        body->node = strncmp(key, "PLpgSQL_", strlen("PLpgSQL_")) == 0 ? key : node;
        walk(body, key, value);
        body->node = node;
    }
}

/* As deep as the parser's tree may be (core/json.h). */
static void walk(Body *body, const char *owner, const Json *tree)
{
    const char *key = NULL;
    Json *member = NULL;
    for (size_t i = 0; i < json_array_size(tree); i++) {
        walk(body, owner, json_array_get(tree, i));
    }
    if (json_is_object(tree)) {
        const int line = body->line;
        body->line = (int)json_get_int(tree, "lineno", line);
        /* The iterator takes an object that it does not change. */
        json_object_foreach((Json *)(uintptr_t)tree, key, member)
        {
            walk_member(body, owner, key, member);
        }
        body->line = line;
    }
}

/* --- the block -------------------------------------------------------------------------------- */

/* How many bytes the quote before a body has: $$, $tag$, ', E'. */
static size_t quote_width(const char *text)
{
    const char *end = *text == '$' ? strchr(text + 1, '$') : strchr(text, '\'');
    return end == NULL ? 0 : (size_t)(end - text) + 1;
}

void lint_script_add_body(Arena *arena, LintScript *script, const char *text,
                          const SqlStatement *block)
{
    Json *functions = NULL;
    Err ignored;
    const Json *option = tree_find_option(json_object_get(block->tree, "args"), "as");
    const char *source = json_get_text(json_object_get(json_object_get(option, "arg"), "String"),
                                       "sval", "");
    const Json *language = tree_find_option(json_object_get(block->tree, "args"), "language");
    const char *name = json_get_text(json_object_get(json_object_get(language, "arg"), "String"),
                                     "sval", "plpgsql");
    const int64_t location = json_get_int(option, "location", -1);
    const size_t end = block->offset + strlen(block->text);
    if (strcmp(name, "plpgsql") != 0 || location < (int64_t)block->offset ||
        (size_t)location >= end ||
        !sql_plpgsql_parse(block->text, source, ERR_BLUEPRINT_INVALID, &functions, &ignored)) {
        return;
    }
    json_array_append_new(script->roots, functions);
    const size_t start = (size_t)location + quote_width(text + location);
    Body body = {.arena = arena,
                 .script = script,
                 .text = text,
                 .start = start < end ? start : end,
                 .end = end,
                 .first_line = block->line,
                 .outer_line = block->line,
                 .line = 1,
                 .node = ""};
    for (size_t i = block->offset; i < body.start; i++) {
        body.first_line += text[i] == '\n' ? 1 : 0;
    }
    note_lines(&body);
    LintStatement *outer = &script->statements[script->count - 1];
    outer->body = arena_strdup(arena, source);
    outer->body_line = body.first_line;
    walk(&body, "", functions);
}
