#include "blueprint/births.h"

#include <string.h>

#include "blueprint/lint.h"
#include "blueprint/sql_edit.h"
#include "blueprint/steps.h"
#include "core/array.h"
#include "core/strbuf.h"
#include "pg/sql.h"

/* A value: how CREATE TYPE says it, and what it is called now (RENAME VALUE). */
typedef struct EnumValue {
    struct EnumValue *next;
    const char *made_as;
    const char *name;
} EnumValue;

/* An enum that a migration makes. */
typedef struct EnumType {
    struct EnumType *next;
    const char *made_as;
    const char *name; /* now; NULL: it was dropped */
    EnumValue *values;
    bool is_extended;
    SqlEdits *edits; /* of the migration that makes it */
    size_t offset;   /* of its CREATE TYPE */
    size_t length;
} EnumType;

typedef struct Births {
    Arena *arena;
    EnumType *types;
    SqlEdits *edits; /* of the migration that is being read */
} Births;

static EnumType *find_type(const Births *births, const char *name)
{
    for (EnumType *type = births->types; type != NULL; type = type->next) {
        if (type->name != NULL && strcmp(type->name, name) == 0) {
            return type;
        }
    }
    return NULL;
}

static EnumValue **find_value(EnumType *type, const char *name)
{
    EnumValue **slot = &type->values;
    while (*slot != NULL && strcmp((*slot)->name, name) != 0) {
        slot = &(*slot)->next;
    }
    return slot;
}

static bool is_value_made(const EnumType *type, const char *made_as)
{
    for (const EnumValue *value = type->values; value != NULL; value = value->next) {
        if (strcmp(value->made_as, made_as) == 0) {
            return true;
        }
    }
    return false;
}

static void insert_value(Arena *arena, EnumValue **slot, const char *name)
{
    EnumValue *value = ARENA_NEW(arena, EnumValue);
    value->name = value->made_as = arena_strdup(arena, name);
    value->next = *slot;
    *slot = value;
}

static void take_create(Births *births, const SqlStatement *statement)
{
    const Json *values = json_object_get(statement->tree, "vals");
    EnumType *type = ARENA_NEW(births->arena, EnumType);
    type->name = type->made_as = arena_strdup(
        births->arena, tree_last_text(json_object_get(statement->tree, "typeName")));
    type->edits = births->edits;
    type->offset = statement->offset;
    type->length = strlen(statement->text);
    for (size_t i = json_array_size(values); i > 0; i--) {
        insert_value(births->arena, &type->values, tree_list_text(values, i - 1));
    }
    type->next = births->types;
    births->types = type;
}

/* ADD VALUE moves into the CREATE TYPE. One that this cannot be done for stays, and PostgreSQL says
 * what it has against it. */
static void take_value(Births *births, EnumType *type, const SqlStatement *statement)
{
    const char *name = json_get_text(statement->tree, "newVal", "");
    const char *neighbour = json_get_text(statement->tree, "newValNeighbor", NULL);
    EnumValue **slot = find_value(type, neighbour == NULL ? "" : neighbour);
    if (*find_value(type, name) != NULL) {
        if (json_get_bool(statement->tree, "skipIfNewValExists", false)) {
            sql_edit_leave_out(births->edits, statement);
        }
        return;
    }
    if (is_value_made(type, name) || (neighbour != NULL && *slot == NULL)) {
        return;
    }
    if (neighbour != NULL && json_get_bool(statement->tree, "newValIsAfter", false)) {
        slot = &(*slot)->next;
    }
    insert_value(births->arena, slot, name);
    type->is_extended = true;
    sql_edit_leave_out(births->edits, statement);
}

static void take_alter(Births *births, const SqlStatement *statement)
{
    EnumType *type = find_type(births,
                               tree_last_text(json_object_get(statement->tree, "typeName")));
    const char *old = json_get_text(statement->tree, "oldVal", NULL);
    if (type == NULL) {
        return;
    }
    if (old == NULL) {
        take_value(births, type, statement);
        return;
    }
    EnumValue *value = *find_value(type, old);
    if (value != NULL) {
        value->name = arena_strdup(births->arena, json_get_text(statement->tree, "newVal", ""));
    }
}

static void take_rename(Births *births, const SqlStatement *statement)
{
    const Json *object = json_object_get(json_object_get(statement->tree, "object"), "List");
    if (tree_text_is(statement->tree, "renameType", "OBJECT_TYPE")) {
        EnumType *type = find_type(births, tree_last_text(json_object_get(object, "items")));
        if (type != NULL) {
            type->name = arena_strdup(births->arena, json_get_text(statement->tree, "newname", ""));
        }
    }
}

static void take_drop(Births *births, const SqlStatement *statement)
{
    const Json *objects = json_object_get(statement->tree, "objects");
    if (!tree_text_is(statement->tree, "removeType", "OBJECT_TYPE")) {
        return;
    }
    for (size_t i = 0; i < json_array_size(objects); i++) {
        const Json *name = json_object_get(json_array_get(objects, i), "TypeName");
        EnumType *type = find_type(births, tree_last_text(json_object_get(name, "names")));
        if (type != NULL) {
            type->name = NULL;
        }
    }
}

static const struct {
    const char *node;
    void (*take)(Births *births, const SqlStatement *statement);
} takers[] = {
    {"AlterEnumStmt", take_alter},
    {"CreateEnumStmt", take_create},
    {"DropStmt", take_drop},
    {"RenameStmt", take_rename},
};

static bool read_migration(Births *births, const BlueprintMigration *migration, Err *err)
{
    SqlScript script;
    if (!sql_script_parse(births->arena, migration->file, migration->up, ERR_BLUEPRINT_INVALID,
                          &script, err)) {
        return false;
    }
    for (size_t i = 0; i < script.count; i++) {
        for (size_t j = 0; j < ARRAY_COUNT(takers); j++) {
            if (strcmp(script.statements[i].node, takers[j].node) == 0) {
                takers[j].take(births, &script.statements[i]);
            }
        }
    }
    sql_script_done(&script);
    return true;
}

static void write_types(const Births *births)
{
    for (const EnumType *type = births->types; type != NULL; type = type->next) {
        if (!type->is_extended) {
            continue;
        }
        StrBuf text = strbuf_init(births->arena);
        const char *comma = "";
        strbuf_add(&text, SQL(births->arena, "CREATE TYPE {} AS ENUM (",
                              sql_name(births->arena, type->made_as)));
        for (const EnumValue *value = type->values; value != NULL; value = value->next) {
            strbuf_printf(&text, "%s%s", comma,
                          SQL(births->arena, "{}", sql_literal(value->made_as)));
            comma = ", ";
        }
        strbuf_add(&text, ")");
        sql_edit_add(type->edits, type->offset, type->length, text.text);
    }
}

/* Nearly all blueprints have none of it, and need not be parsed for that.
 * Variants replace migrations, so that which values there are depends on the server. */
static bool is_concerned(const Blueprint *blueprint)
{
    bool has_values = false;
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        if (blueprint->migrations[i].extension != NULL) {
            return false;
        }
        has_values = has_values || steps_may_have(blueprint->migrations[i].up, "add value");
    }
    return has_values;
}

bool births_prepare(Arena *arena, const Blueprint *blueprint, const Blueprint **ret_born, Err *err)
{
    const size_t count = blueprint->migration_count;
    if (!steps_make_plain(arena, blueprint, &blueprint, err)) {
        return false;
    }
    if (!is_concerned(blueprint)) {
        *ret_born = blueprint;
        return true;
    }
    Births births = {.arena = arena};
    SqlEdits *edits = ARENA_ARRAY(arena, SqlEdits, count);
    BlueprintMigration *migrations = ARENA_ARRAY(arena, BlueprintMigration, count);
    for (size_t i = 0; i < count; i++) {
        migrations[i] = blueprint->migrations[i];
        edits[i] = (SqlEdits){.arena = arena, .text = migrations[i].up};
        births.edits = &edits[i];
        if (!read_migration(&births, &migrations[i], err)) {
            return false;
        }
    }
    write_types(&births);
    for (size_t i = 0; i < count; i++) {
        migrations[i].up = sql_edit_apply(&edits[i]);
    }
    Blueprint *born = ARENA_NEW(arena, Blueprint);
    *born = *blueprint;
    born->migrations = migrations;
    *ret_born = born;
    return true;
}
