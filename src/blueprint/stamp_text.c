/* From a dump to the statements of a stamp, and from those to a place's. */
#include <string.h>

#include "blueprint/stamp_parts.h"
#include "core/array.h"
#include "core/strbuf.h"
#include "pg/sql_parse.h"

static const char dump_name[] = "the dump";

/* pg_dump guards its scripts against the psql that reads them with two meta-commands, on lines of
 * their own before and after all SQL. They are replaced by blanks, so that lines keep their
 * numbers.
 */
static const char *without_meta_commands(Arena *arena, const char *dump)
{
    static const char *const commands[] = {"\n\\restrict ", "\n\\unrestrict "};
    char *text = arena_strdup(arena, dump);
    char *first = strstr(text, commands[0]);
    char *last = NULL;
    for (char *found = strstr(text, commands[1]); found != NULL;
         found = strstr(found + 1, commands[1])) {
        last = found;
    }
    char *const lines[] = {first, last};
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        if (lines[i] != NULL) {
            memset(lines[i] + 1, ' ', strcspn(lines[i] + 1, "\n"));
        }
    }
    return text;
}

/* The only SELECT in a dump without rows sets the search_path of psql's session. */
static bool is_kept(const SqlStatement *statement)
{
    static const char *const dropped[] = {"CreateSchemaStmt", "SelectStmt", "VariableSetStmt"};
    for (size_t i = 0; i < ARRAY_COUNT(dropped); i++) {
        if (strcmp(statement->node, dropped[i]) == 0) {
            return false;
        }
    }
    return true;
}

static const char *relation_name(const SqlStatement *statement)
{
    return json_get_text(json_object_get(statement->tree, "relation"), "relname", "");
}

/* "CONSTRAINT x PRIMARY KEY (y)" of a statement that adds a key and nothing else, or NULL. */
static const char *added_key(const SqlStatement *statement)
{
    static const char add[] = " ADD ";
    const Json *commands = json_object_get(statement->tree, "cmds");
    if (strcmp(statement->node, "AlterTableStmt") != 0 || json_array_size(commands) != 1) {
        return NULL;
    }
    const Json *command = json_object_get(json_array_get(commands, 0), "AlterTableCmd");
    const Json *constraint = json_object_get(json_object_get(command, "def"), "Constraint");
    const char *type = json_get_text(constraint, "contype", "");
    if (strcmp(json_get_text(command, "subtype", ""), "AT_AddConstraint") != 0 ||
        (strcmp(type, "CONSTR_PRIMARY") != 0 && strcmp(type, "CONSTR_UNIQUE") != 0) ||
        json_object_get(constraint, "indexname") != NULL) {
        return NULL;
    }
    const char *found = strstr(statement->text, add);
    return found == NULL ? NULL : found + strlen(add);
}

/* Puts the key into the CREATE TABLE among texts, when that is there. */
static bool fold_key(Arena *arena, const SqlScript *script, size_t alter, const char **texts)
{
    const char *key = added_key(&script->statements[alter]);
    for (size_t i = 0; i < alter && key != NULL; i++) {
        const SqlStatement *statement = &script->statements[i];
        if (texts[i] != NULL && strcmp(statement->node, "CreateStmt") == 0 &&
            strcmp(relation_name(statement), relation_name(&script->statements[alter])) == 0) {
            const char *folded = sql_add_to_list(arena, texts[i], key);
            texts[i] = folded == NULL ? texts[i] : folded;
            return folded != NULL;
        }
    }
    return false;
}

bool stamp_flatten(Arena *arena, const char *dump, const char *const **ret_statements,
                   int64_t *ret_count, Err *err)
{
    SqlScript script = {0};
    if (!sql_script_parse(arena, dump_name, without_meta_commands(arena, dump),
                          ERR_BLUEPRINT_INVALID, &script, err)) {
        return false;
    }
    const char **texts = ARENA_ARRAY(arena, const char *, script.count);
    for (size_t i = 0; i < script.count; i++) {
        const SqlStatement *statement = &script.statements[i];
        if (is_kept(statement) && !fold_key(arena, &script, i, texts)) {
            texts[i] = statement->text;
        }
    }
    size_t count = 0;
    for (size_t i = 0; i < script.count; i++) {
        if (texts[i] != NULL) {
            texts[count++] = texts[i];
        }
    }
    sql_script_done(&script);
    *ret_statements = texts;
    *ret_count = (int64_t)count;
    return true;
}

bool stamp_statement(Arena *arena, const Stamp *stamp, size_t number, const char *place_name,
                     const char **ret_sql, Err *err)
{
    /* The token stands in the text without quotes, and so must what takes its place. */
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    if (*place_name < 'a' || *place_name > 'z' || place_name[strspn(place_name, plain)] != '\0') {
        return ERR_SET(err, ERR_INTERNAL, NULL, "the place's name \"%s\" would need quotes",
                       place_name);
    }
    const size_t width = strlen(stamp->token);
    const char *rest = stamp->statements[number];
    StrBuf sql = strbuf_init(arena);
    for (const char *found = strstr(rest, stamp->token); found != NULL;
         found = strstr(rest, stamp->token)) {
        strbuf_add_bytes(&sql, rest, (size_t)(found - rest));
        strbuf_add(&sql, place_name);
        rest = found + width;
    }
    strbuf_add(&sql, rest);
    *ret_sql = sql.text;
    return true;
}
