/* Temporary tables: a tenant's roles may make none, since what is in pg_temp outlives the migration
 * and is another tenant's session then. A table that is dropped at the end of the migration, in the
 * same transaction, serves it as well: nobody else ever sees it. */
#include <string.h>

#include "blueprint/adapt.h"
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

static void take_words(Adapt *adapt, const SqlStatement *statement)
{
    const char *at = adapt->edits.text + statement->offset;
    const char *end = at + strlen(statement->text);
    AdaptToken token = {0};
    adapt_next(&at, end, '\0', &token); /* CREATE */
    while (adapt_next(&at, end, '\0', &token) && is_temporary_word(&token)) {
        sql_edit_add(&adapt->edits, (size_t)(token.text - adapt->edits.text), token.length, "");
    }
    while (adapt_next(&at, end, '\0', &token)) {
        if (*token.text != '"' && adapt_is_word(&token, "on")) {
            leave_out_on_commit(adapt, &token, at, end);
        }
    }
}

void adapt_temporary(Adapt *adapt, const SqlScript *script)
{
    StrBuf drops = strbuf_init(adapt->arena);
    for (size_t i = 0; i < script->count; i++) {
        const Json *relation = relation_of(&script->statements[i]);
        const char *name = json_get_text(relation, "relname", NULL);
        if (name == NULL || strcmp(json_get_text(relation, "relpersistence", ""), "t") != 0) {
            continue;
        }
        take_words(adapt, &script->statements[i]);
        strbuf_add(&drops,
                   SQL(adapt->arena, "\n;DROP TABLE IF EXISTS {}", sql_name(adapt->arena, name)));
    }
    if (drops.length > 0) {
        sql_edit_add(&adapt->edits, strlen(adapt->edits.text), 0, drops.text);
    }
}
