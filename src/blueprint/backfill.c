#include "blueprint/backfill.h"

#include <string.h>

#include "blueprint/lint.h"
#include "blueprint/manifest_value.h"
#include "blueprint/sql_edit.h"
#include "core/array.h"
#include "core/duration.h"
#include "core/limits.h"
#include "core/strbuf.h"
#include "pg/sql.h"

enum { BATCH_SIZE_USUAL = 1000, BATCH_SIZE_MOST = 1000000, PAUSE_MOST_MS = 3600000, BOUNDS = 2 };

/* --- the statement ---------------------------------------------------------------------------- */

/* Where $1 and $2 stand in a statement. */
typedef struct Bounds {
    SqlEdits *edits;
    const char *table;
    const char *key;
    bool has[BOUNDS];
    bool has_other;
} Bounds;

/* All rows at once: the first and the last key that there is. */
static bool visit_param(void *context, const Json *param)
{
    static const char *const all[BOUNDS] = {"(SELECT k.{} FROM {} k ORDER BY 1 LIMIT 1)",
                                            "(SELECT k.{} FROM {} k ORDER BY 1 DESC LIMIT 1)"};
    Bounds *bounds = context;
    SqlEdits *edits = bounds->edits;
    const int64_t number = json_get_int(param, "number", 0);
    if (number < 1 || number > BOUNDS) {
        bounds->has_other = true;
        return true;
    }
    bounds->has[number - 1] = true;
    sql_edit_add(edits, (size_t)json_get_int(param, "location", 0), strlen("$1"),
                 SQL(edits->arena, all[number - 1], sql_name(edits->arena, bounds->key),
                     sql_name(edits->arena, bounds->table)));
    return true;
}

static bool is_change(const char *node)
{
    return strcmp(node, "UpdateStmt") == 0 || strcmp(node, "InsertStmt") == 0 ||
           strcmp(node, "DeleteStmt") == 0;
}

/* INSERT into the table, and UPDATE of it that sets the key, put rows behind the batch: each makes
 * another one, so that there is no last. In WITH too. */
static bool is_insert_elsewhere(void *context, const Json *tree)
{
    const BlueprintBackfill *backfill = context;
    return !tree_text_is(json_object_get(tree, "relation"), "relname", backfill->table);
}

static bool is_key_kept(void *context, const Json *tree)
{
    const BlueprintBackfill *backfill = context;
    const Json *targets = json_object_get(tree, "targetList");
    bool has_key = false;
    for (size_t i = 0; i < json_array_size(targets); i++) {
        const Json *target = json_object_get(json_array_get(targets, i), "ResTarget");
        has_key = has_key || tree_text_is(target, "name", backfill->key);
    }
    return !has_key || is_insert_elsewhere(context, tree);
}

static bool comes_to_an_end(const SqlStatement *statement, BlueprintBackfill *backfill)
{
    return (strcmp(statement->node, "InsertStmt") != 0 ||
            is_insert_elsewhere(backfill, statement->tree)) &&
           (strcmp(statement->node, "UpdateStmt") != 0 || is_key_kept(backfill, statement->tree)) &&
           sql_tree_visit(statement->tree, "InsertStmt", is_insert_elsewhere, backfill) &&
           sql_tree_visit(statement->tree, "UpdateStmt", is_key_kept, backfill);
}

/* A block ("statement: |") begins on the line behind its key. */
static int first_line(const YamlNode *node, const char *text)
{
    int line = node->line;
    for (int i = 1; i < line; i++) {
        text += strcspn(text, "\n");
        text += *text == '\n' ? 1 : 0;
    }
    size_t width = strcspn(text, "\n");
    while (width > 0 && strchr(" \t\r", text[width - 1]) != NULL) {
        width--;
    }
    const bool is_block = width > 0 && strchr("|>-+", text[width - 1]) != NULL;
    return line + (is_block ? 1 : 0);
}

/* The statement with its lines where they are in the file. */
static const char *at_line(Arena *arena, const char *statement, int line)
{
    StrBuf text = strbuf_init(arena);
    for (int i = 1; i < line; i++) {
        strbuf_add_char(&text, '\n');
    }
    strbuf_add(&text, statement);
    return text.text;
}

static bool take_statement(Arena *arena, const Spot *spot, const char *text,
                           BlueprintBackfill *backfill, const char **ret_up, Err *err)
{
    SqlScript script;
    backfill->line = first_line(spot->node, text);
    SqlEdits edits = {.arena = arena, .text = at_line(arena, backfill->statement, backfill->line)};
    Bounds bounds = {.edits = &edits, .table = backfill->table, .key = backfill->key};
    if (!sql_script_parse(arena, spot->node->file, edits.text, ERR_BLUEPRINT_INVALID, &script,
                          err)) {
        return false;
    }
    const bool is_one = script.count == 1 && is_change(script.statements[0].node);
    bool is_finite = false;
    if (is_one) {
        is_finite = comes_to_an_end(&script.statements[0], backfill);
        sql_tree_visit(script.statements[0].tree, "ParamRef", visit_param, &bounds);
        backfill->statement = script.statements[0].text;
    }
    sql_script_done(&script);
    if (!is_one) {
        return spot_fail(spot, err, "expected one UPDATE, INSERT or DELETE");
    }
    if (!bounds.has[0] || !bounds.has[1] || bounds.has_other) {
        return spot_fail(spot, err,
                         "expected $1 and $2, the first and the last key of a batch, as in "
                         "\"WHERE %s BETWEEN $1 AND $2\"",
                         is_plain_identifier(backfill->key)
                             ? backfill->key
                             : sql_ident(arena, backfill->key).quoted);
    }
    if (!is_finite) {
        return spot_fail(spot, err,
                         "expected no INSERT into \"%s\" and no other \"%s\" for its rows, or the "
                         "batches would never end",
                         backfill->table, backfill->key);
    }
    *ret_up = sql_edit_apply(&edits);
    return true;
}

/* --- the file --------------------------------------------------------------------------------- */

static bool is_statement(const char *text)
{
    return *text != '\0';
}

static bool is_pause(const char *text)
{
    int64_t pause_ms = 0;
    return duration_to_ms(text, &pause_ms) && pause_ms >= 0 && pause_ms <= PAUSE_MOST_MS;
}

static bool is_undo(const char *text)
{
    return strcmp(text, "nothing") == 0;
}

static bool read_optional(Arena *arena, const Spot *root, BlueprintBackfill *backfill,
                          BlueprintMigration *migration, Err *err)
{
    const char *text = NULL;
    const Spot size = spot_key(arena, root, "batch_size");
    const Spot pause = spot_key(arena, root, "pause");
    const Spot undo = spot_key(arena, root, "undo");
    backfill->batch_size = BATCH_SIZE_USUAL;
    if (size.node != NULL &&
        !spot_int(arena, &size, 1, BATCH_SIZE_MOST, &backfill->batch_size, err)) {
        return false;
    }
    if (pause.node != NULL) {
        if (!spot_text(arena, &pause, is_pause, "a duration of at most 1h, such as 50ms", &text,
                       err)) {
            return false;
        }
        duration_to_ms(text, &backfill->pause_ms);
    }
    if (undo.node != NULL) {
        if (!spot_text(arena, &undo, is_undo, "nothing, or a .down.sql beside the file", &text,
                       err)) {
            return false;
        }
        migration->down = "SELECT 1 /* a backfill that nothing undoes */;\n";
    }
    return true;
}

bool backfill_read(Arena *arena, const char *file, BlueprintMigration *migration, Err *err)
{
    static const char *const keys[] = {"table", "key", "batch_size", "statement", "pause", "undo"};
    BlueprintBackfill *backfill = ARENA_NEW(arena, BlueprintBackfill);
    const char *text = migration->up;
    Spot root = {.path = ""};
    if (!yaml_parse(arena, file, text, strlen(text), LIMIT_MANIFEST_BYTES, ERR_BLUEPRINT_INVALID,
                    &root.node, err) ||
        !spot_map(arena, &root, keys, ARRAY_COUNT(keys), err)) {
        return false;
    }
    const Spot table = spot_key(arena, &root, "table");
    const Spot key = spot_key(arena, &root, "key");
    const Spot statement = spot_key(arena, &root, "statement");
    if (!spot_text(arena, &table, is_catalogue_name, "the name of a table, of at most 63 bytes",
                   &backfill->table, err) ||
        !spot_text(arena, &key, is_catalogue_name, "the name of a column, of at most 63 bytes",
                   &backfill->key, err) ||
        !read_optional(arena, &root, backfill, migration, err) ||
        !spot_text(arena, &statement, is_statement, "a statement of SQL", &backfill->statement,
                   err) ||
        !take_statement(arena, &statement, text, backfill, &migration->up, err)) {
        return false;
    }
    migration->backfill = backfill;
    return true;
}

/* --- a batch ---------------------------------------------------------------------------------- */

/* The batch is the next keys in order; rows that have its last key are all in it, however many.
 * Code of the tenant could write another key into the setting: rows of its own would be passed
 * over. It is the session's, until the reset; one of the transaction would end with the guard. */
static const char batch_body[] =
    "DECLARE tenantry_last {}.{}.{}%TYPE := CASE WHEN {} = 0 THEN NULL ELSE {} END;"
    " tenantry_from {}.{}.{}%TYPE; tenantry_to {}.{}.{}%TYPE; tenantry_rows pg_catalog.int8 := 0;"
    " BEGIN IF NOT (SELECT a.attnotnull FROM pg_catalog.pg_attribute a"
    "  WHERE a.attrelid = {}::pg_catalog.regclass AND a.attname = {}) THEN"
    "  RAISE EXCEPTION USING ERRCODE = 'not_null_violation', MESSAGE ="
    "   'the key of a backfill must be NOT NULL, or rows would be passed over'; END IF;"
    " SELECT t.{} INTO tenantry_from FROM {}.{} t"
    "  WHERE tenantry_last IS NULL OR t.{} > tenantry_last ORDER BY 1 LIMIT 1;"
    " SELECT k.key INTO tenantry_to FROM (SELECT t.{} AS key FROM {}.{} t"
    "  WHERE tenantry_last IS NULL OR t.{} > tenantry_last ORDER BY 1 LIMIT {}) k"
    "  ORDER BY 1 DESC LIMIT 1;"
    " IF tenantry_to IS NOT NULL THEN EXECUTE {} USING tenantry_from, tenantry_to;"
    "  GET DIAGNOSTICS tenantry_rows = ROW_COUNT; END IF;"
    " PERFORM pg_catalog.set_config('tenantry.backfill', pg_catalog.json_build_object("
    "  'key', tenantry_to::pg_catalog.text, 'rows', tenantry_rows)::pg_catalog.text, false); END";

const char *backfill_batch_sql(Arena *arena, const BlueprintBackfill *backfill, const char *schema,
                               const char *last)
{
    const SqlArg place = sql_name(arena, schema);
    const SqlArg table = sql_name(arena, backfill->table);
    const SqlArg key = sql_name(arena, backfill->key);
    const SqlArg name = sql_literal(
        arena_printf(arena, "%s.%s", place.ident.quoted, table.ident.quoted));
    const char *body = SQL(arena, batch_body, place, table, key, sql_int(last == NULL ? 0 : 1),
                           sql_literal(last == NULL ? "" : last), place, table, key, place, table,
                           key, name, sql_literal(backfill->key), key, place, table, key, key,
                           place, table, key, sql_int(backfill->batch_size),
                           sql_literal(backfill->statement));
    return SQL(arena, "DO {}", sql_literal(body));
}
