#include "blueprint/inert.h"

#include <string.h>

#include "blueprint/lint.h"
#include "core/array.h"
#include "pg/sql_parse.h"

static bool is_listed(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The parser puts pg_catalog before the types that it knows itself; the others of pg_catalog are
 * found before any of a place, which cannot take their names. */
static bool is_builtin_type(const Json *type)
{
    static const char *const builtin[] = {"bytea", "date", "inet",        "json",
                                          "jsonb", "text", "timestamptz", "uuid"};
    const Json *names = json_object_get(type, "names");
    const size_t count = json_array_size(names);
    return (count == 2 && strcmp(tree_list_text(names, 0), "pg_catalog") == 0) ||
           (count == 1 && is_listed(tree_list_text(names, 0), builtin, ARRAY_COUNT(builtin)));
}

static bool is_constant(const Json *expression)
{
    return expression == NULL || json_object_get(expression, "A_Const") != NULL;
}

static bool is_inert_column(const Json *column)
{
    const Json *constraints = json_object_get(column, "constraints");
    for (size_t i = 0; i < json_array_size(constraints); i++) {
        const Json *constraint = json_object_get(json_array_get(constraints, i), "Constraint");
        const bool is_default = tree_text_is(constraint, "contype", "CONSTR_DEFAULT");
        if (!(is_default && is_constant(json_object_get(constraint, "raw_expr"))) &&
            !tree_text_is(constraint, "contype", "CONSTR_NOTNULL") &&
            !tree_text_is(constraint, "contype", "CONSTR_NULL")) {
            return false;
        }
    }
    return is_builtin_type(json_object_get(column, "typeName"));
}

/* Not SET DEFAULT: reading a literal runs the checks of domains in the column's type. Not SET NOT
 * NULL: PostgreSQL computes constant parts of the table's checks to see whether one implies it. Not
 * DROP NOT NULL: of a partitioned table PostgreSQL 15 computes constant parts of the key. */
static bool is_inert_command(const Json *command)
{
    const Json *definition = json_object_get(command, "def");
    if (tree_text_is(command, "subtype", "AT_AddColumn")) {
        return is_inert_column(json_object_get(definition, "ColumnDef"));
    }
    return tree_text_is(command, "subtype", "AT_ColumnDefault") && definition == NULL;
}

static bool is_inert_alter(const Json *tree)
{
    const Json *commands = json_object_get(tree, "cmds");
    for (size_t i = 0; i < json_array_size(commands); i++) {
        if (!is_inert_command(json_object_get(json_array_get(commands, i), "AlterTableCmd"))) {
            return false;
        }
    }
    return tree_text_is(tree, "objtype", "OBJECT_TABLE");
}

/* Other access methods may call functions that a type of the place names. */
static bool is_confined_index(const Json *tree)
{
    const Json *columns = json_object_get(tree, "indexParams");
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const Json *column = json_object_get(json_array_get(columns, i), "IndexElem");
        if (json_object_get(column, "name") == NULL || json_object_get(column, "opclass") != NULL) {
            return false;
        }
    }
    return tree_text_is(tree, "accessMethod", "btree") &&
           json_object_get(tree, "whereClause") == NULL;
}

static ScriptForce force_of(const SqlStatement *statement)
{
    if (strcmp(statement->node, "IndexStmt") == 0) {
        return is_confined_index(statement->tree) ? SCRIPT_CONFINED : SCRIPT_ACTIVE;
    }
    const bool is_inert = strcmp(statement->node, "CommentStmt") == 0 ||
                          (strcmp(statement->node, "AlterTableStmt") == 0 &&
                           is_inert_alter(statement->tree)) ||
                          (strcmp(statement->node, "DropStmt") == 0 &&
                           tree_text_is(statement->tree, "removeType", "OBJECT_INDEX"));
    return is_inert ? SCRIPT_INERT : SCRIPT_ACTIVE;
}

ScriptForce script_force(Arena *arena, const char *script)
{
    Err ignored;
    SqlScript parsed;
    ScriptForce most = SCRIPT_INERT;
    if (!sql_script_parse(arena, "script", script, ERR_BLUEPRINT_INVALID, &parsed, &ignored)) {
        return SCRIPT_ACTIVE;
    }
    for (size_t i = 0; i < parsed.count; i++) {
        const ScriptForce force = force_of(&parsed.statements[i]);
        most = force > most ? force : most;
    }
    sql_script_done(&parsed);
    return most;
}

/* By its first words, since all scripts of a blueprint are asked for each wave and parsing takes
 * ten times as long: a comment between them is doubt enough. */
static bool is_without_code(const char *statement)
{
    static const char *const begins[] = {
        "ALTER TABLE ",
        "COMMENT ON ",
        "CREATE DOMAIN ",
        "CREATE INDEX ",
        "CREATE POLICY ",
        "CREATE TABLE ",
        "CREATE SEQUENCE ",
        "CREATE TYPE ",
        "CREATE UNIQUE INDEX ",
        "CREATE VIEW ",
        "CREATE STATISTICS ",
        "DROP ",
        "GRANT ",
        "REVOKE ",
    };
    return sql_begins_with_any(statement, begins, ARRAY_COUNT(begins));
}

bool script_has_code(Arena *arena, const char *script)
{
    Err ignored;
    SqlScript split;
    if (!sql_script_split(arena, "script", script, ERR_BLUEPRINT_INVALID, &split, &ignored)) {
        return true;
    }
    for (size_t i = 0; i < split.count; i++) {
        if (!is_without_code(split.statements[i].text)) {
            return true;
        }
    }
    return false;
}
