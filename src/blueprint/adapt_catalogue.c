/* Looks into the catalogue for the schema "public", which must look for the place's. A constant
 * 'public' may be data of the application as well, so it counts only where the catalogue is named.
 */
#include <string.h>

#include "blueprint/adapt.h"
#include "core/array.h"

/* Columns of the catalogue that hold the name of a schema. */
static const char *const schema_columns[] = {
    "constraint_schema", "event_object_schema", "nspname",      "routine_schema", "schema_name",
    "schemaname",        "sequence_schema",     "table_schema", "trigger_schema", "udt_schema",
};

/* Schemas, whose names are before those of functions and types too. */
static const char *const no_relations[] = {"pg_catalog", "pg_temp"};

static bool is_listed(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

void adapt_shift(AdaptBefore *before, const AdaptToken *token)
{
    *before = (AdaptBefore){.last = *token, .second = before->last, .third = before->second};
}

static bool was(const AdaptToken *token, const char *word)
{
    return token->text != NULL && adapt_is_word(token, word);
}

bool adapt_is_run(const AdaptBefore *before, const AdaptToken *token)
{
    return *token->text == '\'' && (was(&before->last, "execute") ||
                                    (was(&before->last, "(") && was(&before->second, "format")));
}

static bool is_catalogue(Arena *arena, const AdaptToken *token, const char *behind, const char *end)
{
    AdaptToken next = {0};
    if (strchr("iIpP\"", *token->text) == NULL) {
        return false; /* most tokens, without a copy of them */
    }
    const char *name = adapt_name(arena, token);
    const bool is_called = adapt_next(&behind, end, '\0', &next) && *next.text == '(';
    return name != NULL && (strcmp(name, "information_schema") == 0 ||
                            (strncmp(name, "pg_", strlen("pg_")) == 0 && !is_called &&
                             !is_listed(name, no_relations, ARRAY_COUNT(no_relations))));
}

bool adapt_names_catalogue(Arena *arena, const char *at, const char *end, bool is_body)
{
    AdaptBefore before = {0};
    AdaptToken token = {0};
    while (adapt_next(&at, end, '\0', &token)) {
        const char *inner_end = token.text + token.length - 1;
        if (is_catalogue(arena, &token, at, end) ||
            (is_body && token.length > 2 && adapt_is_run(&before, &token) &&
             adapt_names_catalogue(arena, token.text + 1, inner_end, true))) {
            return true;
        }
        adapt_shift(&before, &token);
    }
    return false;
}

/* Whether a statement of PL/pgSQL begins behind the word; not in CASE of an expression. */
static bool begins_statement(const AdaptToken *token)
{
    return adapt_is_word(token, "begin") || adapt_is_word(token, "else") ||
           adapt_is_word(token, "loop") || adapt_is_word(token, "then");
}

const char *adapt_part_end(const char *at, const char *end)
{
    AdaptToken token = {0};
    for (int cases = 0; adapt_next(&at, end, '\0', &token);) {
        if (*token.text == ';' || (cases == 0 && begins_statement(&token))) {
            return at;
        }
        cases += adapt_is_word(&token, "case") ? 1 : 0;
        cases -= cases > 0 && adapt_is_word(&token, "end") ? 1 : 0;
    }
    return end;
}

bool adapt_is_public(const AdaptBefore *before, const AdaptToken *token, const char *behind,
                     const char *end)
{
    AdaptToken next = {0};
    static const char constant[] = "'public'";
    if (token->length == strlen(constant) && strncmp(token->text, constant, token->length) == 0) {
        return true;
    }
    /* ''public'' of a text in quotes */
    return *token->text == 'p' && was(token, "public") && was(&before->last, "''") &&
           adapt_next(&behind, end, '\0', &next) && strncmp(next.text, "''", next.length) == 0;
}

static bool is_schema_column(Arena *arena, const AdaptToken *token)
{
    const char *name = token->text == NULL ? NULL : adapt_name(arena, token);
    return name != NULL && is_listed(name, schema_columns, ARRAY_COUNT(schema_columns));
}

/* 'public' = n.nspname */
static bool is_column_behind(Arena *arena, const char *behind, const char *end)
{
    AdaptToken sign = {0};
    AdaptToken name = {0};
    if (!adapt_next(&behind, end, '\0', &sign) || *sign.text != '=') {
        return false;
    }
    do {
        if (!adapt_next(&behind, end, '\0', &name)) {
            return false;
        }
    } while (adapt_next(&behind, end, '\0', &sign) && *sign.text == '.');
    return is_schema_column(arena, &name);
}

bool adapt_is_schema_value(Arena *arena, const AdaptBefore *before, const AdaptToken *token,
                           const char *behind, const char *end)
{
    return *token->text == '\'' &&
           ((was(&before->last, "=") && is_schema_column(arena, &before->second)) ||
            (was(&before->last, "(") && was(&before->second, "in") &&
             is_schema_column(arena, &before->third)) ||
            is_column_behind(arena, behind, end));
}
