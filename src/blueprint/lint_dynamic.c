/* SQL that no rule can read: a function or DO block puts it together when it runs, or the block's
 * body cannot be parsed. Where PL/pgSQL's tree says which statement runs a text, it is told there;
 * else the words of the body tell. */
#include <string.h>
#include <strings.h>

#include "blueprint/lint.h"
#include "pg/sql_lex.h"

/* The text of a body, which a function has as one of a list; NULL when it has none. */
static const char *find_body(const SqlStatement *statement)
{
    const bool is_do = strcmp(statement->node, "DoStmt") == 0;
    if (!is_do && strcmp(statement->node, "CreateFunctionStmt") != 0) {
        return NULL;
    }
    const Json *option = tree_find_option(
        json_object_get(statement->tree, is_do ? "args" : "options"), "as");
    const Json *arg = json_object_get(option, "arg");
    return is_do ? json_get_text(json_object_get(arg, "String"), "sval", NULL)
                 : tree_list_text(json_object_get(json_object_get(arg, "List"), "items"), 0);
}

static bool is_word(const char *token, size_t length, const char *word)
{
    return length == strlen(word) && strncasecmp(token, word, length) == 0;
}

/* EXECUTE runs a text, unless it names a trigger's function or a right. */
static bool runs_text(const char *body)
{
    bool follows_execute = false;
    size_t length = 0;
    for (const char *at = body; *at != '\0'; at += length) {
        const SqlTokenKind kind = sql_lex_token(at, &length);
        if (kind == SQL_TOKEN_SPACE) {
            continue;
        }
        if (follows_execute && kind != SQL_TOKEN_SEPARATOR && !is_word(at, length, "FUNCTION") &&
            !is_word(at, length, "PROCEDURE") && !is_word(at, length, "ON")) {
            return true;
        }
        follows_execute = is_word(at, length, "EXECUTE");
    }
    return false;
}

/* A block in a block is not looked into either. */
static bool is_unread(const LintStatement *statement)
{
    const Json *option = tree_find_option(json_object_get(statement->sql.tree, "args"), "language");
    const char *language = json_get_text(json_object_get(json_object_get(option, "arg"), "String"),
                                         "sval", "plpgsql");
    return strcmp(statement->sql.node, "DoStmt") == 0 && statement->body == NULL &&
           strcmp(language, "plpgsql") == 0;
}

void lint_check_dynamic(Lint *lint, const LintStatement *statement)
{
    const char *body = statement->body == NULL ? find_body(&statement->sql) : NULL;
    if (statement->is_dynamic || (body != NULL && runs_text(body))) {
        lint_report(lint, LINT_RULE_dynamic_sql, NULL);
    }
    if (is_unread(statement)) {
        lint_report(lint, LINT_RULE_unread_body, NULL);
    }
}
