#include "cli/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/strbuf.h"
#include "core/text.h"

static const CliFlag special_flags[] = {
    {CLI_FLAG_HELP, "help", 'h', .help = "Show help about the command and do nothing else."},
    {CLI_FLAG_VERSION, "version", .help = "Print the version and do nothing else."},
};

enum { SPECIAL_FLAG_COUNT = ARRAY_COUNT(special_flags) };

static const char *option_value_name(const OptionKind *kind)
{
    switch (kind->type) {
    case OPTION_BOOL:
        return NULL;
    case OPTION_INT:
        return "N";
    case OPTION_DURATION_MS:
        return "TIME";
    case OPTION_ENUM:
        return kind->choices;
    case OPTION_PATH:
        return "PATH";
    case OPTION_TEXT:
        return "TEXT";
    }
    return NULL;
}

static const char *param_value_name(const Param *param)
{
    switch (param->type) {
    case PARAM_BOOL:
        return NULL;
    case PARAM_INT:
        return "N";
    case PARAM_DURATION_MS:
        return "TIME";
    case PARAM_ENUM:
        return param->choices;
    case PARAM_PATH:
        return "PATH";
    case PARAM_SLUG:
        return "SLUG";
    case PARAM_TEXT:
        return "TEXT";
    }
    return NULL;
}

/* "name" as a positional value is called in usage lines: "NAME". */
static const char *upper_case(Arena *arena, const char *name)
{
    char *upper = arena_strdup(arena, name);
    for (char *c = upper; *c != '\0'; c++) {
        *c = text_upper(*c);
    }
    return upper;
}

static CliFlag flag_of_option(OptionId id)
{
    const OptionKind *kind = option_kind(id);
    return (CliFlag){.kind = CLI_FLAG_OPTION,
                     .name = kind->name,
                     .short_flag = kind->short_flag,
                     .takes_value = kind->type != OPTION_BOOL,
                     .is_path = kind->type == OPTION_PATH,
                     .value_name = option_value_name(kind),
                     .choices = kind->choices,
                     .fallback = kind->type == OPTION_BOOL ? NULL : kind->fallback,
                     .help = kind->help,
                     .option = id};
}

static CliFlag flag_of_param(Arena *arena, const Param *param)
{
    const bool is_false = param->fallback != NULL && strcmp(param->fallback, "false") == 0;
    return (CliFlag){.kind = CLI_FLAG_PARAM,
                     .name = param->name,
                     .takes_value = param->type != PARAM_BOOL,
                     .is_path = param->type == PARAM_PATH,
                     .is_required = param->is_required,
                     .value_name = param->is_positional ? upper_case(arena, param->name)
                                                        : param_value_name(param),
                     .choices = param->type == PARAM_ENUM ? param->choices : NULL,
                     .fallback = param->type == PARAM_BOOL && is_false ? NULL : param->fallback,
                     .help = param->help,
                     .param = param};
}

static CliFlags collect_globals(Arena *arena)
{
    CliFlag *flags = ARENA_ARRAY(arena, CliFlag, OPTION_COUNT_ + SPECIAL_FLAG_COUNT);
    size_t count = 0;
    for (int id = 0; id < OPTION_COUNT_; id++) {
        if (!option_kind((OptionId)id)->is_secret) {
            flags[count++] = flag_of_option((OptionId)id);
        }
    }
    memcpy(flags + count, special_flags, sizeof special_flags);
    return (CliFlags){flags, count + SPECIAL_FLAG_COUNT};
}

static CliFlags collect_params(Arena *arena, const Operation *op, bool is_positional)
{
    size_t count = 0;
    while (op->params != NULL && op->params[count].name != NULL) {
        count++;
    }
    CliFlag *flags = ARENA_ARRAY(arena, CliFlag, count);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (op->params[i].is_positional == is_positional) {
            flags[kept++] = flag_of_param(arena, &op->params[i]);
        }
    }
    return (CliFlags){flags, kept};
}

/* The flags of a list whose names another one lacks. */
static CliFlags leave_out(Arena *arena, CliFlags flags, CliFlags others)
{
    CliFlag *left = ARENA_ARRAY(arena, CliFlag, flags.count);
    size_t count = 0;
    for (size_t i = 0; i < flags.count; i++) {
        if (flags_find(others, flags.items[i].name, '\0') == NULL) {
            left[count++] = flags.items[i];
        }
    }
    return (CliFlags){left, count};
}

static CliCommand make_command(Arena *arena, CliFlags globals, const Operation *op)
{
    const CliFlags own = collect_params(arena, op, false);
    const char *dot = strchr(op->name, '.');
    char *words = arena_strdup(arena, op->name);
    if (dot != NULL) {
        words[dot - op->name] = ' ';
    }
    return (CliCommand){
        .op = op,
        .words = words,
        .noun = dot == NULL ? op->name : arena_strndup(arena, op->name, (size_t)(dot - op->name)),
        .verb = dot == NULL ? NULL : dot + 1,
        .flags = own,
        .positionals = collect_params(arena, op, true),
        .globals = leave_out(arena, globals, own),
    };
}

static int compare_commands(const void *left, const void *right)
{
    return strcmp(((const CliCommand *)left)->op->name, ((const CliCommand *)right)->op->name);
}

const Catalog *catalog_new(Arena *arena, const Operation *const *ops, size_t op_count,
                           const Operation *builtins, size_t builtin_count)
{
    const size_t count = op_count + builtin_count;
    CliCommand *commands = ARENA_ARRAY(arena, CliCommand, count);
    const CliFlags globals = collect_globals(arena);
    for (size_t i = 0; i < count; i++) {
        commands[i] = make_command(arena, globals, i < op_count ? ops[i] : &builtins[i - op_count]);
    }
    qsort(commands, count, sizeof *commands, compare_commands);
    const char **nouns = ARENA_ARRAY(arena, const char *, count);
    size_t noun_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (noun_count == 0 || strcmp(nouns[noun_count - 1], commands[i].noun) != 0) {
            nouns[noun_count++] = commands[i].noun;
        }
    }
    Catalog *catalog = ARENA_NEW(arena, Catalog);
    *catalog = (Catalog){commands, count, nouns, noun_count, globals};
    return catalog;
}

const CliCommand *catalog_find(const Catalog *catalog, const char *noun, const char *verb)
{
    for (size_t i = 0; i < catalog->count; i++) {
        const CliCommand *command = &catalog->commands[i];
        if (strcmp(command->noun, noun) == 0 && (command->verb == NULL) == (verb == NULL) &&
            (verb == NULL || strcmp(command->verb, verb) == 0)) {
            return command;
        }
    }
    return NULL;
}

bool catalog_has_noun(const Catalog *catalog, const char *noun)
{
    for (size_t i = 0; i < catalog->noun_count; i++) {
        if (strcmp(catalog->nouns[i], noun) == 0) {
            return true;
        }
    }
    return false;
}

const CliFlag *flags_find(CliFlags flags, const char *name, char short_flag)
{
    for (size_t i = 0; i < flags.count; i++) {
        const CliFlag *flag = &flags.items[i];
        if (short_flag != '\0' ? flag->short_flag == short_flag : strcmp(flag->name, name) == 0) {
            /* cppcheck-suppress returnDanglingLifetime ; items is borrowed, not in flags */
            return flag;
        }
    }
    return NULL;
}

const char *const *catalog_verbs(Arena *arena, const Catalog *catalog, const char *noun,
                                 size_t *ret_count)
{
    const char **verbs = ARENA_ARRAY(arena, const char *, catalog->count);
    size_t count = 0;
    for (size_t i = 0; i < catalog->count; i++) {
        if (catalog->commands[i].verb != NULL && strcmp(catalog->commands[i].noun, noun) == 0) {
            verbs[count++] = catalog->commands[i].verb;
        }
    }
    *ret_count = count;
    return verbs;
}
