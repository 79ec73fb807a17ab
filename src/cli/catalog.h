/* The commands as every part of the command line sees them: the table of operations and the
 * built-in commands together, with their flags in one form, so that parser, help, manual page and
 * completion cannot disagree. Internal to cli. */
#ifndef TENANTRY_CLI_CATALOG_H
#define TENANTRY_CLI_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "core/arena.h"
#include "ops/op.h"

#define CLI_PROGRAM "tenantry" /* the name under which it is installed */

typedef enum CliFlagKind {
    CLI_FLAG_HELP,
    CLI_FLAG_VERSION,
    CLI_FLAG_OPTION, /* an option of every command (options.def) */
    CLI_FLAG_PARAM,  /* a parameter of one operation */
} CliFlagKind;

/* A flag, or a positional parameter. */
typedef struct CliFlag {
    CliFlagKind kind;
    const char *name;
    char short_flag; /* or '\0' */
    bool takes_value;
    bool is_path;
    bool is_required;
    const char *value_name; /* "TEXT", "row|schema"; NULL: takes none */
    const char *choices;    /* "row|schema", or NULL */
    const char *fallback;   /* default worth telling, or NULL */
    const char *help;
    OptionId option;    /* CLI_FLAG_OPTION */
    const Param *param; /* CLI_FLAG_PARAM */
} CliFlag;

typedef struct CliFlags {
    const CliFlag *items;
    size_t count;
} CliFlags;

typedef struct CliCommand {
    const Operation *op;
    const char *words; /* "tenant create", "up" */
    const char *noun;  /* "tenant", "up" */
    const char *verb;  /* "create"; NULL for a command of one word */
    CliFlags flags;    /* its own, not those of every command */
    CliFlags positionals;
    CliFlags globals; /* those of every command but for names that it has itself: on the command
                         line such a name means its own, wherever it stands */
} CliCommand;

typedef struct Catalog {
    const CliCommand *commands; /* sorted by name */
    size_t count;
    const char *const *nouns; /* first words, each once */
    size_t noun_count;
    CliFlags globals; /* flags of every command; secrets are none */
} Catalog;

/* Puts operations and built-in commands together, in the arena. */
const Catalog *catalog_new(Arena *arena, const Operation *const *ops, size_t op_count,
                           const Operation *builtins, size_t builtin_count);

/* The command noun verb (verb NULL: of one word), or NULL. */
const CliCommand *catalog_find(const Catalog *catalog, const char *noun, const char *verb);

/* Whether any command begins with this word. */
bool catalog_has_noun(const Catalog *catalog, const char *noun);

/* The flag of this name or, when short_flag is not '\0', of this letter; NULL when none. */
const CliFlag *flags_find(CliFlags flags, const char *name, char short_flag);

/* The words that may follow a noun. */
const char *const *catalog_verbs(Arena *arena, const Catalog *catalog, const char *noun,
                                 size_t *ret_count);

#endif
