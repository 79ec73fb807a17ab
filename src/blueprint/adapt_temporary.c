/* Temporary tables: a tenant's roles may make none, since what is in pg_temp outlives the migration
 * and is another tenant's session then. A table that is dropped at the end of the migration, in the
 * same transaction, serves it as well: nobody else ever sees it. It must not be one that is there
 * already, or the tenant's would be dropped. */
#include <string.h>

#include "blueprint/adapt.h"
#include "blueprint/lint.h"
#include "core/array.h"
#include "core/strbuf.h"
#include "pg/sql.h"

static const Json *relation_of(const SqlStatement *statement)
{
    if (strcmp(statement->node, "CreateStmt") == 0) {
        return json_object_get(statement->tree, "relation");
    }
    return strcmp(statement->node, "CreateTableAsStmt") == 0
               ? json_object_get(json_object_get(statement->tree, "into"), "rel")
               : NULL;
}

static bool is_temporary(const Json *relation)
{
    return tree_text_is(relation, "relpersistence", "t");
}

/* Whether the script makes a table of this name that is to stay: the drop at the end would take it.
 */
static bool makes_to_stay(const SqlScript *script, const char *name)
{
    for (size_t i = 0; i < script->count; i++) {
        const SqlStatement *statement = &script->statements[i];
        const Json *relation = relation_of(statement);
        if ((tree_text_is(relation, "relname", name) && !is_temporary(relation)) ||
            (strcmp(statement->node, "RenameStmt") == 0 &&
             tree_text_is(statement->tree, "renameType", "OBJECT_TABLE") &&
             tree_text_is(statement->tree, "newname", name))) {
            return true;
        }
    }
    return false;
}

static bool is_temporary_word(const AdaptToken *token)
{
    return adapt_is_word(token, "temp") || adapt_is_word(token, "temporary") ||
           adapt_is_word(token, "local") || adapt_is_word(token, "global");
}

/* ON COMMIT DROP, ON COMMIT DELETE ROWS, ON COMMIT PRESERVE ROWS: how long it is there is not said
 * of a table that stays. Only the words behind ON are looked at. */
static void leave_out_on_commit(Adapt *adapt, const AdaptToken *on, const char *at, const char *end)
{
    AdaptToken commit = {0};
    AdaptToken action = {0};
    AdaptToken rows = {0};
    if (!adapt_next(&at, end, '\0', &commit) || !adapt_is_word(&commit, "commit") ||
        !adapt_next(&at, end, '\0', &action) ||
        (!adapt_is_word(&action, "drop") && !adapt_next(&at, end, '\0', &rows))) {
        return;
    }
    const AdaptToken *last = rows.text == NULL ? &action : &rows;
    sql_edit_add(&adapt->edits, (size_t)(on->text - adapt->edits.text),
                 (size_t)(last->text + last->length - on->text), "");
}

/* IF NOT EXISTS asks for temporary tables only where the table is one: a plain one that is there is
 * an error now. */
static void leave_out_if_not_exists(Adapt *adapt, const char *at, const char *end)
{
    static const char *const words[] = {"if", "not", "exists"};
    AdaptToken token = {0};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (!adapt_next(&at, end, '\0', &token) || !adapt_is_word(&token, words[i])) {
            return;
        }
        sql_edit_add(&adapt->edits, (size_t)(token.text - adapt->edits.text), token.length, "");
    }
}

static void take_words(Adapt *adapt, const SqlStatement *statement)
{
    const char *at = adapt->edits.text + statement->offset;
    const char *end = at + strlen(statement->text);
    AdaptToken token = {0};
    adapt_next(&at, end, '\0', &token); /* CREATE */
    while (adapt_next(&at, end, '\0', &token) && is_temporary_word(&token)) {
        sql_edit_add(&adapt->edits, (size_t)(token.text - adapt->edits.text), token.length, "");
    }
    if (json_get_bool(statement->tree, "if_not_exists", false)) {
        leave_out_if_not_exists(adapt, at, end);
    }
    while (adapt_next(&at, end, '\0', &token)) {
        if (*token.text != '"' && adapt_is_word(&token, "on")) {
            leave_out_on_commit(adapt, &token, at, end);
        }
    }
}

bool adapt_temporary(Adapt *adapt, const SqlScript *script, Err *err)
{
    StrBuf drops = strbuf_init(adapt->arena);
    for (size_t i = 0; i < script->count; i++) {
        const SqlStatement *statement = &script->statements[i];
        const Json *relation = relation_of(statement);
        const char *name = json_get_text(relation, "relname", NULL);
        if (name == NULL || !is_temporary(relation)) {
            continue;
        }
        if (makes_to_stay(script, name)) {
            return adapt_fail(adapt, statement->offset, err,
                              "\"%s\" is the name of a temporary table and of one that stays; a "
                              "place has no temporary tables, so give them two names",
                              name);
        }
        take_words(adapt, statement);
        strbuf_add(&drops,
                   SQL(adapt->arena, "\n;DROP TABLE IF EXISTS {}", sql_name(adapt->arena, name)));
    }
    if (drops.length > 0) {
        sql_edit_add(&adapt->edits, strlen(adapt->edits.text), 0, drops.text);
    }
    return true;
}
