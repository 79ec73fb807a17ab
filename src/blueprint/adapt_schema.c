/* References to the schema "public". */
#include <string.h>

#include "blueprint/adapt.h"
#include "blueprint/lint.h"
#include "core/array.h"

static const char own_schema[] = "public";

/* Functions whose first argument is the name of a relation, as text. */
static const char *const name_functions[] = {
    "currval", "lastval", "nextval", "pg_get_serial_sequence", "setval", "to_regclass",
};

/* Tables that extensions bring. */
static const struct {
    const char *table;
    const char *extension;
} extension_tables[] = {
    {"geography_columns", "postgis"},
    {"geometry_columns", "postgis"},
    {"pg_stat_statements", "pg_stat_statements"},
    {"spatial_ref_sys", "postgis"},
};

static bool is_listed(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether a statement names public.NAME as a table, wherever in its tree. */
static bool search_tables(const Json *tree, const char *name)
{
    if (json_is_object(tree)) {
        if (strcmp(json_get_text(tree, "relname", ""), name) == 0 &&
            strcmp(json_get_text(tree, "schemaname", ""), own_schema) == 0) {
            return true;
        }
        const char *key = NULL;
        Json *member = NULL;
        /* The iterator takes an object that it does not change. */
        json_object_foreach((Json *)(uintptr_t)tree, key, member)
        {
            if (search_tables(member, name)) {
                return true;
            }
        }
    }
    for (size_t i = 0; i < json_array_size(tree); i++) {
        if (search_tables(json_array_get(tree, i), name)) {
            return true;
        }
    }
    return false;
}

static bool has_extension(const Blueprint *blueprint, const char *name)
{
    return is_listed(name, blueprint->wanted, blueprint->wanted_count) ||
           is_listed(name, blueprint->optional, blueprint->optional_count);
}

/* Whether public.NAME may be left to an extension of the blueprint. */
static bool is_of_extension(const Blueprint *blueprint, const char *name, bool is_table)
{
    for (size_t i = 0; i < ARRAY_COUNT(extension_tables); i++) {
        if (strcmp(name, extension_tables[i].table) == 0) {
            return has_extension(blueprint, extension_tables[i].extension);
        }
    }
    return !is_table && blueprint->wanted_count + blueprint->optional_count > 0;
}

/* What is known of a statement while its tokens are looked at. */
typedef struct SchemaWalk {
    Adapt *adapt;
    const SqlStatement *statement;
    bool is_body;       /* tokens of a function's or DO block's text, which has no tree */
    bool may_be_gone;   /* DROP ... IF EXISTS */
    bool has_catalogue; /* the text names the catalogue */
    bool is_catalogue;  /* the statement at hand does; of a body it is one of many */
} SchemaWalk;

static bool check_reference(const SchemaWalk *walk, const char *at, const char *name,
                            bool is_called, Err *err)
{
    const Adapt *adapt = walk->adapt;
    const bool is_table = walk->is_body ? !is_called : search_tables(walk->statement->tree, name);
    if (adapt_has(adapt->own, name) || walk->may_be_gone ||
        is_of_extension(adapt->blueprint, name, is_table)) {
        return true;
    }
    adapt_fail(adapt, (size_t)(at - adapt->edits.text), err,
               "\"public.%s\": no migration here makes it, so that it would be shared by all "
               "tenants",
               name);
    err_hint(err, "make it in a migration (and name it under \"shared\" when tenants only read "
                  "it), or name the extension that it belongs to in the manifest");
    return false;
}

static void edit(SchemaWalk *walk, const char *at, size_t length, const char *text)
{
    Adapt *adapt = walk->adapt;
    sql_edit_add(&adapt->edits, (size_t)(at - adapt->edits.text), length, text);
    adapt->is_body_changed = adapt->is_body_changed || walk->is_body;
}

/* public . name: leaves out the first two when it may. token is "public"; *at is behind it. */
static bool take_qualifier(SchemaWalk *walk, const AdaptToken *token, const char **at,
                           const char *end, Err *err)
{
    AdaptToken dot = {0};
    AdaptToken name = {0};
    AdaptToken next = {0};
    const char *behind = *at;
    if (!adapt_next(&behind, end, '\0', &dot) || *dot.text != '.' ||
        !adapt_next(&behind, end, '.', &name)) {
        return true;
    }
    const char *word = adapt_name(walk->adapt->arena, &name);
    if (word == NULL) {
        return adapt_fail(walk->adapt, (size_t)(token->text - walk->adapt->edits.text), err,
                          "\"public.\" before a name that is put in when it runs; write the name "
                          "alone");
    }
    const char *peek = behind;
    const bool is_called = adapt_next(&peek, end, '\0', &next) && *next.text == '(';
    if (!check_reference(walk, token->text, word, is_called, err)) {
        return false;
    }
    edit(walk, token->text, token->length, "");
    edit(walk, dot.text, 1, "");
    *at = behind;
    return true;
}

/* 'public.name', the whole of it a name: a constant that means a relation. */
static bool take_constant(SchemaWalk *walk, const AdaptToken *token, Err *err)
{
    const char *inside = token->text + 1;
    const char *end = token->text + token->length - 1;
    AdaptToken schema = {0};
    AdaptToken dot = {0};
    AdaptToken name = {0};
    const char *at = inside;
    const char *word = NULL;
    if (token->length < 2 || !adapt_next(&at, end, '\0', &schema) ||
        !adapt_is_word(&schema, own_schema) || !adapt_next(&at, end, '\0', &dot) ||
        *dot.text != '.' || !adapt_next(&at, end, '.', &name) ||
        (word = adapt_name(walk->adapt->arena, &name)) == NULL || at != end) {
        return true;
    }
    if (!check_reference(walk, schema.text, word, false, err)) {
        return false;
    }
    edit(walk, inside, (size_t)(name.text - inside), "");
    return true;
}

static bool walk_tokens(SchemaWalk *walk, const char *at, const char *end, Err *err);

/* SQL in quotes, between bytes that are not part of it. */
static bool walk_inside(SchemaWalk *walk, const AdaptToken *token, size_t quote, Err *err)
{
    if (token->length < 2 * quote) {
        return true;
    }
    SchemaWalk inner = *walk;
    const char *start = token->text + quote;
    const char *end = token->text + token->length - quote;
    inner.is_body = true;
    inner.has_catalogue = walk->has_catalogue ||
                          adapt_names_catalogue(walk->adapt->arena, start, end, true);
    return walk_tokens(&inner, start, end, err);
}

static bool is_last_word(const AdaptBefore *before, const char *word)
{
    return before->last.text != NULL && adapt_is_word(&before->last, word);
}

/* Whether a constant is SQL: the text of a function or a DO block, in dollar or in single quotes,
 * or what such a text runs by EXECUTE. */
static bool is_sql_constant(const SchemaWalk *walk, const AdaptBefore *before,
                            const AdaptToken *token)
{
    const bool is_do = strcmp(walk->statement->node, "DoStmt") == 0;
    const bool is_function = strcmp(walk->statement->node, "CreateFunctionStmt") == 0;
    if (walk->is_body) {
        return adapt_is_run(before, token);
    }
    return (*token->text == '$' && token->length > 2 && (is_do || is_function)) ||
           (*token->text == '\'' &&
            ((is_do && is_last_word(before, "do")) || (is_function && is_last_word(before, "as"))));
}

/* The constant 'public'. Where its statement looks into the catalogue nothing would be found, and
 * what depends on it would be passed over in every place without a word. */
static bool take_public(SchemaWalk *walk, const AdaptBefore *before, const AdaptToken *token,
                        const char *behind, const char *end, Err *err)
{
    if (walk->has_catalogue &&
        adapt_is_schema_value(walk->adapt->arena, before, token, behind, end)) {
        edit(walk, token->text, token->length, "CURRENT_SCHEMA");
        return true;
    }
    if (!walk->is_catalogue) {
        return true;
    }
    adapt_fail(walk->adapt, (size_t)(token->text - walk->adapt->edits.text), err,
               "'public' in a look into the catalogue: a tenant's schema has another name");
    err_hint(err,
             "write CURRENT_SCHEMA; only table_schema = 'public' and table_schema IN ('public') "
             "are changed, and other columns like it");
    return false;
}

/* Whether a constant names a relation: it is cast to regclass and the like, or given to a function
 * that takes such a name. */
static bool is_name_constant(Arena *arena, const AdaptBefore *before, const char *behind,
                             const char *end)
{
    const char *function = before->second.text == NULL ? NULL : adapt_name(arena, &before->second);
    AdaptToken colon = {0};
    AdaptToken type = {0};
    if (function != NULL && *before->last.text == '(' &&
        is_listed(function, name_functions, ARRAY_COUNT(name_functions))) {
        return true;
    }
    return adapt_next(&behind, end, '\0', &colon) && *colon.text == ':' &&
           adapt_next(&behind, end, '\0', &colon) && *colon.text == ':' &&
           adapt_next(&behind, end, '\0', &type) && type.length > 3 &&
           strncmp(type.text, "reg", 3) == 0;
}

static bool take_token(SchemaWalk *walk, const AdaptBefore *before, const AdaptToken *token,
                       const char **at, const char *end, Err *err)
{
    Arena *arena = walk->adapt->arena;
    if (is_sql_constant(walk, before, token)) {
        const size_t quote = *token->text == '$' ? strcspn(token->text + 1, "$") + 2 : 1;
        return walk_inside(walk, token, quote, err);
    }
    if (adapt_is_public(before, token, *at, end)) {
        return take_public(walk, before, token, *at, end, err);
    }
    if (*token->text == '\'' && is_name_constant(arena, before, *at, end)) {
        return take_constant(walk, token, err);
    }
    return token->before == '.' || !adapt_is_word(token, own_schema) ||
           take_qualifier(walk, token, at, end, err);
}

static bool walk_tokens(SchemaWalk *walk, const char *at, const char *end, Err *err)
{
    AdaptBefore before = {0};
    AdaptToken token = {0};
    char last = '\0';
    for (const char *part = at; adapt_next(&at, end, last, &token);) {
        if (token.text >= part) {
            part = walk->is_body ? adapt_part_end(token.text, end) : end;
            walk->is_catalogue = walk->has_catalogue &&
                                 adapt_names_catalogue(walk->adapt->arena, token.text, part,
                                                       walk->is_body);
        }
        if (!take_token(walk, &before, &token, &at, end, err)) {
            return false;
        }
        adapt_shift(&before, &token);
        last = at[-1];
    }
    return true;
}

static bool is_public_alias(void *context, const Json *alias)
{
    (void)context;
    return !tree_text_is(alias, "aliasname", own_schema);
}

bool adapt_schema(Adapt *adapt, const SqlStatement *statement, Err *err)
{
    adapt->is_body_changed = false;
    /* FROM x AS public: then "public." is that x. */
    if (!sql_tree_visit(statement->tree, "alias", is_public_alias, NULL)) {
        return true;
    }
    SchemaWalk walk = {.adapt = adapt,
                       .statement = statement,
                       .may_be_gone = strcmp(statement->node, "DropStmt") == 0 &&
                                      json_get_bool(statement->tree, "missing_ok", false)};
    const char *start = adapt->edits.text + statement->offset;
    const char *end = start + strlen(statement->text);
    walk.has_catalogue = adapt_names_catalogue(adapt->arena, start, end, false);
    return walk_tokens(&walk, start, end, err);
}
