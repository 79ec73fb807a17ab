/* Statements that would mend a difference. They are shown to people; nothing here runs them. */
#include <string.h>

#include "core/array.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "pg/sql.h"
#include "rollout/drift_mend.h"

static const char *replace_all(Arena *arena, const char *text, const char *from, const char *to)
{
    StrBuf out = strbuf_init(arena);
    const size_t length = strlen(from);
    for (const char *at = strstr(text, from); at != NULL; at = strstr(text, from)) {
        strbuf_add_bytes(&out, text, (size_t)(at - text));
        strbuf_add(&out, to);
        text = at + length;
    }
    strbuf_add(&out, text);
    return out.text;
}

/* A statement of the reference for this place: random names, so that replacing them is exact. The
 * roles first, for their names begin with that of the schema. */
const char *mend_for_place(const Mending *mending, const char *statement)
{
    const Place *from = mending->reference->place;
    const Place *to = mending->place;
    const char *const pairs[][2] = {{from->owner_role, to->owner_role},
                                    {from->app_role, to->app_role},
                                    {from->readonly_role, to->readonly_role},
                                    {from->schema_name, to->schema_name}};
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
        statement = replace_all(mending->arena, statement, pairs[i][0], pairs[i][1]);
    }
    return statement;
}

const char *mend_qualified(const Mending *mending, const char *name)
{
    return arena_printf(mending->arena, "%s.%s",
                        sql_ident(mending->arena, mending->place->schema_name).quoted,
                        sql_ident(mending->arena, name).quoted);
}

const char *mend_role_name(const Mending *mending, const char *role)
{
    const Place *place = mending->place;
    const char *const own[][2] = {{"{owner}", place->owner_role},
                                  {"{app}", place->app_role},
                                  {"{readonly}", place->readonly_role}};
    for (size_t i = 0; i < ARRAY_COUNT(own); i++) {
        if (text_is_same(role, own[i][0])) {
            role = own[i][1];
        }
    }
    return text_is_same(role, "PUBLIC") ? role : sql_ident(mending->arena, role).quoted;
}

bool mend_split_name(const Mending *mending, const char *name, const char **ret_table,
                     const char **ret_object)
{
    const char *point = strchr(name, '.');
    if (point == NULL || point == name || point[1] == '\0' || strchr(point + 1, '.') != NULL) {
        return false;
    }
    *ret_table = arena_strndup(mending->arena, name, (size_t)(point - name));
    *ret_object = point + 1;
    return true;
}

/* --- recipes ---------------------------------------------------------------------------------- */

static bool has_recipe_shape(const DriftRecipe *recipe, bool is_missing)
{
    return is_missing ? recipe->shape == NULL || *recipe->shape == '\0' : recipe->shape != NULL;
}

const DriftRecipe *mend_find_recipe(const Mending *mending, const char *kind, bool is_missing)
{
    for (size_t i = 0; i < mending->reference->recipe_count; i++) {
        const DriftRecipe *recipe = &mending->reference->recipes[i];
        if (text_is_same(recipe->kind, kind) && text_is_same(recipe->name, mending->name) &&
            has_recipe_shape(recipe, is_missing)) {
            return recipe;
        }
    }
    return NULL;
}

const FingerprintLine *drift_find_line(const DriftReference *reference, const char *kind,
                                       const char *name)
{
    for (size_t i = 0; i < reference->line_count; i++) {
        if (text_is_same(reference->lines[i].kind, kind) &&
            text_is_same(reference->lines[i].name, name)) {
            return &reference->lines[i];
        }
    }
    return NULL;
}

static bool has_table(const Mending *mending, const char *name)
{
    for (size_t i = 0; i < mending->contents->count; i++) {
        const FingerprintLine *line = &mending->contents->lines[i];
        if (text_is_same(line->name, name) &&
            (text_is_same(line->kind, "table") || text_is_same(line->kind, "view") ||
             text_is_same(line->kind, "materialized view"))) {
            return true;
        }
    }
    return false;
}

/* A view that is missing is made before what is on it. */
static bool has_or_makes(const Mending *mending, const char *name)
{
    const DriftReference *reference = mending->reference;
    for (size_t i = 0; i < reference->recipe_count; i++) {
        if (text_is_same(reference->recipes[i].kind, "view") &&
            text_is_same(reference->recipes[i].name, name)) {
            return true;
        }
    }
    return has_table(mending, name);
}

/* The text of a function's body names what is in its place without a schema, and is not looked
 * into.
 */
const char *mend_make(const Mending *mending)
{
    const DriftRecipe *recipe = mend_find_recipe(mending, mending->kind, true);
    if (recipe == NULL || (recipe->needed != NULL && !has_or_makes(mending, recipe->needed))) {
        return NULL;
    }
    const char *statement = mend_for_place(mending, recipe->statement);
    return text_is_same(mending->kind, "function")
               ? arena_printf(mending->arena,
                              "SET check_function_bodies = off; %s; RESET check_function_bodies",
                              statement)
               : statement;
}

/* --- dropping what is too much, where no rows are in it --------------------------------------- */

const FingerprintLine *mend_find_line(const Mending *mending, const char *kind, const char *name)
{
    for (size_t i = 0; i < mending->contents->count; i++) {
        const FingerprintLine *line = &mending->contents->lines[i];
        if (text_is_same(line->kind, kind) && text_is_same(line->name, name)) {
            return line;
        }
    }
    return NULL;
}

/* A CHECK of a partition or child does not say that it is its parent's; a table of that name that
 * has the same one does. */
static bool is_check_of_parent(const Mending *mending)
{
    const char *table = NULL;
    const char *object = NULL;
    if (!text_is_same(mending->kind, "constraint") ||
        !mend_split_name(mending, mending->name, &table, &object)) {
        return false;
    }
    const FingerprintLine *child = mend_find_line(mending, "table", table);
    const char *parents = child == NULL ? NULL : strstr(child->definition, "child of ");
    for (size_t i = 0; parents != NULL && i < mending->contents->count; i++) {
        const FingerprintLine *line = &mending->contents->lines[i];
        const char *parent = NULL;
        const char *other = NULL;
        if (text_is_same(line->kind, "constraint") &&
            text_is_same(line->definition, mending->found) &&
            mend_split_name(mending, line->name, &parent, &other) && text_is_same(other, object) &&
            !text_is_same(parent, table) && strstr(parents, parent) != NULL) {
            return true;
        }
    }
    return false;
}

/* What a partition or child has of its parent goes and comes with the parent's. */
static bool is_inherited(const Mending *mending)
{
    return strstr(mending->found, " inherited") != NULL ||
           strstr(mending->found, " child of ") != NULL || is_check_of_parent(mending);
}

static const char *drop_of_table(const Mending *mending)
{
    const char *table = NULL;
    const char *object = NULL;
    Arena *arena = mending->arena;
    if (!mend_split_name(mending, mending->name, &table, &object)) {
        return NULL;
    }
    const SqlArg schema = sql_name(arena, mending->place->schema_name);
    const SqlArg on = sql_name(arena, table);
    if (text_is_same(mending->kind, "constraint trigger")) {
        return SQL(arena, "ALTER TABLE {}.{} ENABLE TRIGGER ALL", schema, on);
    }
    const SqlArg name = sql_name(arena, object);
    if (text_is_same(mending->kind, "constraint")) {
        return SQL(arena, "ALTER TABLE {}.{} DROP CONSTRAINT {}", schema, on, name);
    }
    /* Those of a view have gone with it where it was made anew, which comes before them. */
    const char *sql = text_is_same(mending->kind, "policy") ? "DROP POLICY {} ON {}.{}"
                      : text_is_same(mending->kind, "rule") ? "DROP RULE IF EXISTS {} ON {}.{}"
                      : text_is_same(mending->kind, "trigger")
                          ? "DROP TRIGGER IF EXISTS {} ON {}.{}"
                          : NULL;
    return sql == NULL ? NULL : SQL(arena, sql, name, schema, on);
}

const char *mend_function_name(const Mending *mending, const char *name)
{
    static const char kind[] = "function";
    const DriftLevel *wanted = drift_find_level(&mending->reference->levels, kind, name);
    const DriftLevel *found = drift_find_level(&mending->contents->levels, kind, name);
    return wanted != NULL && wanted->routine != NULL ? mend_for_place(mending, wanted->routine)
           : found != NULL                           ? found->routine
                                                     : NULL;
}

const char *mend_drop(const Mending *mending)
{
    Arena *arena = mending->arena;
    const bool is_code = text_is_same(mending->kind, "function") ||
                         text_is_same(mending->kind, "view");
    if (!is_code && is_inherited(mending)) {
        return NULL;
    }
    /* The index of a constraint has gone with the constraint, which comes before it. */
    if (text_is_same(mending->kind, "index")) {
        return arena_printf(arena, "DROP INDEX IF EXISTS %s",
                            mend_qualified(mending, mending->name));
    }
    if (text_is_same(mending->kind, "statistics")) {
        return arena_printf(arena, "DROP STATISTICS %s", mend_qualified(mending, mending->name));
    }
    if (text_is_same(mending->kind, "view")) {
        return arena_printf(arena, "DROP VIEW %s", mend_qualified(mending, mending->name));
    }
    if (text_is_same(mending->kind, "function")) {
        const char *routine = mend_function_name(mending, mending->name);
        return routine == NULL ? NULL : arena_printf(arena, "DROP ROUTINE %s", routine);
    }
    if (text_is_same(mending->kind, "partition")) {
        return arena_printf(arena,
                            "ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
                            mend_qualified(mending, mending->name));
    }
    return drop_of_table(mending);
}

/* Objects that have an owner of their own get the place's, and a view the defaults of its columns.
 */
const char *mend_missing(const Mending *mending)
{
    static const char *const owned[] = {"function", "statistics", "view"};
    Arena *arena = mending->arena;
    const char *statement = mend_make(mending);
    for (size_t i = 0; statement != NULL && i < ARRAY_COUNT(owned); i++) {
        if (text_is_same(mending->kind, owned[i])) {
            const char *object = mend_object_of(
                mending, arena_printf(arena, "%s %s", mending->kind, mending->name), false);
            return object == NULL ? NULL
                                  : arena_printf(arena, "%s; ALTER %s OWNER TO %s%s", statement,
                                                 object, mend_role_name(mending, "{owner}"),
                                                 mend_view_defaults(mending));
        }
    }
    return statement;
}

/* --- what is different ------------------------------------------------------------------------ */

static bool has_word(const char *definition, const char *word)
{
    return strstr(definition, word) != NULL;
}

/* Row security alone is set by one statement; the rest of a table is not. */
static const char *mend_table(const Mending *mending)
{
    static const char *const words[] = {"row security", "forced"};
    const DriftRecipe *recipe = mend_find_recipe(mending, mending->kind, false);
    for (size_t i = 0; recipe != NULL && i < ARRAY_COUNT(words); i++) {
        if (has_word(mending->expected, words[i]) != has_word(mending->found, words[i])) {
            return mend_for_place(mending, recipe->statement);
        }
    }
    return NULL;
}

static const char *mend_different(const Mending *mending)
{
    if (text_is_same(mending->kind, "table")) {
        return mend_table(mending);
    }
    if (text_is_same(mending->kind, "column")) {
        return mend_column(mending);
    }
    if (text_is_same(mending->kind, "function") || text_is_same(mending->kind, "view")) {
        return mend_code(mending);
    }
    if (text_is_same(mending->kind, "comment")) {
        return mend_make(mending);
    }
    const char *statement = mend_make(mending);
    const char *dropping = statement == NULL ? NULL : mend_drop(mending);
    return dropping == NULL ? NULL
                            : arena_printf(mending->arena, "%s; %s%s", dropping, statement,
                                           mend_comment(mending, mending->kind, mending->name));
}

const char *drift_mend(Arena *arena, const DriftReference *reference, const DriftContents *contents,
                       const FingerprintDifference *difference)
{
    const FingerprintLine *line = difference->expected != NULL ? difference->expected
                                                               : difference->found;
    const Mending mending = {
        .arena = arena,
        .reference = reference,
        .contents = contents,
        .place = contents->place,
        .kind = line->kind,
        .name = line->name,
        .expected = difference->expected == NULL ? NULL : difference->expected->definition,
        .found = difference->found == NULL ? NULL : difference->found->definition};
    if (text_is_same(line->kind, "grants")) {
        return mend_grants(&mending);
    }
    if (text_is_same(line->kind, "partition grants")) {
        return mend_partition_grants(&mending);
    }
    if (text_is_same(line->kind, "owner")) {
        return mend_owner(&mending);
    }
    if (text_is_same(line->kind, "role")) {
        return mend_role(&mending);
    }
    return mending.found == NULL      ? mend_missing(&mending)
           : mending.expected == NULL ? mend_drop(&mending)
                                      : mend_different(&mending);
}
