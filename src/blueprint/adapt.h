/* Texts of another tool's migrations, made to run in a tenant's place. Internal to the module.
 *
 * Those tools run in a database of their own, whose schema is "public"; a place has another name
 * and its search_path leads there. What is changed is found on the parse tree and by its tokens,
 * and lines stay where they are:
 * - "public." before what the migrations make, and before what belongs to an extension (a place's
 *   search_path leads to extensions too), is left out; before anything else it is refused;
 * - a function's path that names "public", or that leads nowhere while its body named "public.",
 *   becomes the place's;
 * - a look into the catalogue for the schema 'public' asks for CURRENT_SCHEMA, or is refused;
 * - statements that a place has behind it already are left out: CREATE EXTENSION of one that the
 *   manifest names, BEGIN and COMMIT around everything, search_path = public, a dump's settings;
 * - a temporary table is a plain one that is dropped at the end;
 * - CONCURRENTLY is left out where the manifest says so.
 * What else a migration may not do is the lint's to say. */
#ifndef TENANTRY_BLUEPRINT_ADAPT_H
#define TENANTRY_BLUEPRINT_ADAPT_H

#include "blueprint/blueprint.h"
#include "blueprint/sql_edit.h"

/* Changes up and down of all migrations of the blueprint. ERR_BLUEPRINT_INVALID. */
bool adapt_migrations(Arena *arena, const Blueprint *blueprint, BlueprintMigration *migrations,
                      bool has_plain_indexes, Err *err);

/* --- parts ------------------------------------------------------------------------------------ */

/* Names of what migrations make. */
typedef struct AdaptNames {
    Arena *arena;
    const char **names;
    size_t count;
    size_t capacity;
} AdaptNames;

/* Adds the names that a script makes in "public" or wherever its search_path leads
 * (adapt_names.c). */
void adapt_collect(AdaptNames *names, const SqlScript *script);
/* Once, before the first adapt_has. */
void adapt_sort(AdaptNames *names);
/* Whether it is made, or belongs to a table that is: its key's index, its column's sequence. */
bool adapt_has(const AdaptNames *names, const char *name);

/* One text that is being changed. */
typedef struct Adapt {
    Arena *arena;
    const Blueprint *blueprint;
    const AdaptNames *own;
    bool has_plain_indexes;
    const char *file;
    SqlEdits edits;
    bool is_body_changed; /* of the statement at hand: its text finds things by the path now */
} Adapt;

bool adapt_fail(const Adapt *adapt, size_t offset, Err *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The references to "public" in a statement (adapt_schema.c); sets is_body_changed. */
bool adapt_schema(Adapt *adapt, const SqlStatement *statement, Err *err);

/* The path of CREATE and ALTER FUNCTION, behind adapt_schema (adapt_function.c). */
bool adapt_function(Adapt *adapt, const SqlStatement *statement, Err *err);

/* Leaves the word out of a statement that has it as a keyword. */
void adapt_leave_out_concurrently(SqlEdits *edits, const SqlStatement *statement);

/* Makes plain tables of temporary ones, dropped where the script ends (adapt_temporary.c). */
bool adapt_temporary(Adapt *adapt, const SqlScript *script, Err *err);

/* Tokens (adapt_token.c). A cursor over the tokens of a text that are no space. */
typedef struct AdaptToken {
    const char *text; /* in the script */
    size_t length;
    char before; /* the last byte of the token before it, '\0': none */
} AdaptToken;

/* The next token from *at, before end; false at the end. Moves *at behind it. */
bool adapt_next(const char **at, const char *end, char before, AdaptToken *ret_token);
/* Whether it is this word (lower case), in whatever case or in double quotes. */
bool adapt_is_word(const AdaptToken *token, const char *word);
/* The name that an identifier means, folded or unquoted; NULL when it is none. */
const char *adapt_name(Arena *arena, const AdaptToken *token);

/* The last words before a token, for what only they can tell; text NULL: there is none. */
typedef struct AdaptBefore {
    AdaptToken last;
    AdaptToken second;
    AdaptToken third;
} AdaptBefore;

void adapt_shift(AdaptBefore *before, const AdaptToken *token);
/* Whether a constant in a body is SQL that EXECUTE runs. */
bool adapt_is_run(const AdaptBefore *before, const AdaptToken *token);

/* Looks into the catalogue (adapt_catalogue.c). Whether a text names a relation of it; is_body:
 * also in what it runs. */
bool adapt_names_catalogue(Arena *arena, const char *at, const char *end, bool is_body);
/* Behind the statement that begins at at, in a body. */
const char *adapt_part_end(const char *at, const char *end);
/* Whether a token is the constant 'public'. behind it there is text until end. */
bool adapt_is_public(const AdaptBefore *before, const AdaptToken *token, const char *behind,
                     const char *end);
/* Whether that constant is compared with a column of the catalogue, so that CURRENT_SCHEMA can
 * stand there: column = 'public', column IN ('public'), 'public' = column. */
bool adapt_is_schema_value(Arena *arena, const AdaptBefore *before, const AdaptToken *token,
                           const char *behind, const char *end);

#endif
