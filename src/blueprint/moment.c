/* Statements are told apart by their parse trees, and what runs is read word by word: the texts in
 * it may be SQL that is put together, and libpg_query refuses some bodies that PostgreSQL takes. */
#include "blueprint/moment.h"

#include <string.h>
#include <strings.h>

#include "blueprint/lint.h"
#include "core/array.h"
#include "core/text.h"
#include "pg/sql_lex.h"

enum {
    DEPTH_MAX = 8 /* of bodies in bodies; deeper ones are read without telling comments apart */
};

/* Words that PostgreSQL puts the present into as soon as it reads them in a literal. */
static const char *const literal_words[] = {"now", "today", "tomorrow", "yesterday"};

static const char *const time_words[] = {
    "age",
    "clock_timestamp",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "pg_conf_load_time",
    "pg_postmaster_start_time",
    "statement_timestamp",
    "timeofday",
    "transaction_timestamp",
};

static const char *const chance_words[] = {
    "gen_random_bytes",
    "gen_random_uuid",
    "gen_salt",
    "pg_backend_pid",
    "pg_current_snapshot",
    "pg_current_wal_lsn",
    "pg_current_xact_id",
    "random",
    "random_normal",
    "txid_current",
    "txid_current_snapshot",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
};

/* Statements that run nothing of what they hold. */
static const char *const definitions[] = {
    "AlterDomainStmt",  "AlterPolicyStmt",    "AlterTableStmt",   "CommentStmt",
    "CreateDomainStmt", "CreateFunctionStmt", "CreatePolicyStmt", "CreateStmt",
    "CreateTrigStmt",   "IndexStmt",          "RenameStmt",       "RuleStmt",
    "ViewStmt",
};

/* A statement that runs, or the definition of a function. */
typedef struct Code {
    struct Code *next;
    const char *place; /* "FILE:LINE" */
    const char *text;
    const char *function; /* its name; NULL: a statement */
    bool is_run;
    bool is_read;
} Code;

typedef struct Look {
    Arena *arena;
    bool has_chance; /* what chance decides counts too */
    Code *codes;     /* newest first */
    const char *place;
    const char *found;
} Look;

static bool is_word(const char *word, size_t length, const char *other)
{
    return strncasecmp(word, other, length) == 0 && other[length] == '\0';
}

static bool is_listed(const char *word, size_t length, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_word(word, length, words[i])) {
            return true;
        }
    }
    return false;
}

static void note_found(Look *look, const char *word, size_t length)
{
    if (look->found == NULL) {
        look->found = arena_printf(look->arena, "%s: \"%.*s\"", look->place, (int)length, word);
    }
}

static void read_word(Look *look, const char *word, size_t length)
{
    if (is_listed(word, length, literal_words, ARRAY_COUNT(literal_words)) ||
        is_listed(word, length, time_words, ARRAY_COUNT(time_words)) ||
        (look->has_chance && is_listed(word, length, chance_words, ARRAY_COUNT(chance_words)))) {
        note_found(look, word, length);
    }
    for (Code *code = look->codes; code != NULL; code = code->next) {
        if (code->function != NULL && is_word(word, length, code->function)) {
            code->is_run = true;
        }
    }
}

/* As in an identifier without quotes. */
static bool is_word_char(char c)
{
    return (unsigned char)c >= 0x80 || c == '_' || c == '$' || (c >= '0' && c <= '9') ||
           (text_lower(c) >= 'a' && text_lower(c) <= 'z');
}

static size_t word_length(const char *text, const char *end)
{
    size_t length = 0;
    while (text + length < end && is_word_char(text[length])) {
        length++;
    }
    return length;
}

static void read_words(Look *look, const char *text, size_t length)
{
    const char *end = text + length;
    while (text < end) {
        const size_t word = word_length(text, end);
        if (word > 0) {
            read_word(look, text, word);
        }
        text += word > 0 ? word : 1;
    }
}

/* What is between the dollar quotes of a token, or NULL when it has none. */
static const char *find_dollar_body(Arena *arena, const char *token, size_t length)
{
    const char *tag_end = *token == '$' ? memchr(token + 1, '$', length - 1) : NULL;
    const size_t tag = tag_end == NULL ? 0 : (size_t)(tag_end - token) + 1;
    return tag == 0 || length < 2 * tag ? NULL
                                        : arena_strndup(arena, token + tag, length - 2 * tag);
}

static void read_text(Look *look, const char *text, int depth)
{
    size_t length = 0;
    for (const char *at = text; *at != '\0'; at += length) {
        if (sql_lex_token(at, &length) != SQL_TOKEN_OTHER) {
            continue;
        }
        const char *body = depth < DEPTH_MAX ? find_dollar_body(look->arena, at, length) : NULL;
        if (body != NULL) {
            read_text(look, body, depth + 1);
        } else {
            read_words(look, at, length);
        }
    }
}

/* --- what of a script runs */

static bool read_literal(void *context, const Json *value)
{
    const char *text = json_get_text(json_object_get(value, "sval"), "sval", "");
    Look *look = context;
    for (const char *end = text + strlen(text); text < end;) {
        const size_t length = word_length(text, end);
        if (is_listed(text, length, literal_words, ARRAY_COUNT(literal_words))) {
            note_found(look, text, length);
        }
        text += length > 0 ? length : 1;
    }
    return look->found == NULL;
}

static bool note_expression(void *context, const Json *value)
{
    (void)value;
    static const char what[] = "FOR VALUES";
    note_found(context, what, strlen(what));
    return false;
}

/* The bounds of a partition are computed when it is made or attached. */
static bool read_bounds(void *context, const Json *bounds)
{
    return sql_tree_visit(bounds, "FuncCall", note_expression, context) &&
           sql_tree_visit(bounds, "SQLValueFunction", note_expression, context);
}

/* Literals are read when the definition is: DEFAULT 'today' is the day of the migration. */
static void read_definition(Look *look, const Json *tree)
{
    sql_tree_visit(tree, "A_Const", read_literal, look);
    sql_tree_visit(tree, "partbound", read_bounds, look); /* PARTITION OF */
    sql_tree_visit(tree, "bound", read_bounds, look);     /* ATTACH PARTITION */
}

static void add_code(Look *look, const SqlStatement *statement, const char *function)
{
    Code *code = ARENA_NEW(look->arena, Code);
    *code = (Code){.next = look->codes,
                   .place = look->place,
                   .text = statement->text,
                   .function = function,
                   .is_run = function == NULL};
    /* A name that is written in quotes could be missed among words. */
    if (function != NULL && word_length(function, function + strlen(function)) < strlen(function)) {
        code->is_run = true;
    }
    look->codes = code;
}

static void read_statement(Look *look, const SqlStatement *statement)
{
    const char *node = statement->node;
    if (!is_listed(node, strlen(node), definitions, ARRAY_COUNT(definitions))) {
        add_code(look, statement, NULL);
        return;
    }
    read_definition(look, statement->tree);
    if (strcmp(node, "CreateFunctionStmt") == 0) {
        const Json *names = json_object_get(statement->tree, "funcname");
        add_code(look, statement, arena_strdup(look->arena, tree_last_text(names)));
    }
}

static bool read_script(Look *look, const char *file, const char *text, Err *err)
{
    SqlScript script;
    if (!sql_script_parse(look->arena, file, text, ERR_BLUEPRINT_INVALID, &script, err)) {
        return false;
    }
    for (size_t i = 0; i < script.count && look->found == NULL; i++) {
        look->place = sql_statement_place(look->arena, file, &script.statements[i]);
        read_statement(look, &script.statements[i]);
    }
    sql_script_done(&script);
    return true;
}

/* What runs can call functions, which then run too. */
static void read_codes(Look *look)
{
    bool is_more = true;
    while (is_more && look->found == NULL) {
        is_more = false;
        for (Code *code = look->codes; code != NULL && look->found == NULL; code = code->next) {
            if (code->is_run && !code->is_read) {
                code->is_read = true;
                is_more = true;
                look->place = code->place;
                read_text(look, code->text, 0);
            }
        }
    }
}

bool moment_find(Arena *arena, const Blueprint *blueprint, const Extensions *extensions,
                 MomentQuestion question, const char **ret_found, Err *err)
{
    const BlueprintMigration *const *migrations = NULL;
    size_t count = 0;
    Look look = {.arena = arena, .has_chance = question == MOMENT_OF_STAMP};
    blueprint_select_migrations(arena, blueprint, 0, extensions->names, extensions->count,
                                &migrations, &count);
    for (size_t i = 0; i < count; i++) {
        if (!read_script(&look, migrations[i]->file, migrations[i]->up, err)) {
            return false;
        }
    }
    if (question == MOMENT_OF_SPARE && blueprint->seed != NULL &&
        !read_script(&look, "seed", blueprint->seed, err)) {
        return false;
    }
    read_codes(&look);
    *ret_found = look.found;
    return true;
}
