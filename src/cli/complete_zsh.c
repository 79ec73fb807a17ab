#include "cli/generate.h"

#include <string.h>

/* Text inside single quotes; inside an _arguments specification, brackets and colons too. */
static void write_escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            fputs("'\\''", out);
        } else {
            fprintf(out, strchr("[]:\\", *text) != NULL ? "\\%c" : "%c", *text);
        }
    }
}

/* ":value:action" of a specification. */
static void write_action(FILE *out, const CliFlag *flag)
{
    fprintf(out, ":%s:", flag->name);
    if (flag->choices != NULL) {
        putc('(', out);
        for (const char *c = flag->choices; *c != '\0'; c++) {
            putc(*c == '|' ? ' ' : *c, out);
        }
        putc(')', out);
    } else {
        putc(flag->is_path ? '_' : ' ', out);
        fputs(flag->is_path ? "files" : "", out);
    }
}

static void write_flag(FILE *out, const char *name, const CliFlag *flag)
{
    fprintf(out, "        '%s%s[", name, flag->takes_value && name[1] == '-' ? "=" : "");
    write_escaped(out, flag->help);
    putc(']', out);
    if (flag->takes_value) {
        write_action(out, flag);
    }
    fputs("'\n", out);
}

static void write_flags(FILE *out, CliFlags flags)
{
    scoped_arena Arena *arena = arena_new();
    for (size_t i = 0; i < flags.count; i++) {
        const CliFlag *flag = &flags.items[i];
        write_flag(out, arena_printf(arena, "--%s", flag->name), flag);
        if (flag->short_flag != '\0') {
            write_flag(out, arena_printf(arena, "-%c", flag->short_flag), flag);
        }
    }
}

/* An array of 'word:sentence' for _describe. */
static void write_described(FILE *out, const char *word, const char *help)
{
    fprintf(out, "        '%s:", word);
    write_escaped(out, help);
    fputs("'\n", out);
}

static void write_command_arm(FILE *out, const char *word, const CliCommand *command)
{
    fprintf(out, "    %s)\n        local -a own=(\n", word);
    write_flags(out, command->flags);
    for (size_t i = 0; i < command->positionals.count; i++) {
        fprintf(out, "        '%zu%s", i + 1, command->positionals.items[i].is_required ? "" : ":");
        write_action(out, &command->positionals.items[i]);
        fputs("'\n", out);
    }
    fputs("        )\n        _arguments -s \"$globals[@]\" \"$own[@]\" ;;\n", out);
}

static void write_noun_function(FILE *out, const Catalog *catalog, const char *noun)
{
    fprintf(out, "_" CLI_PROGRAM "_%s() {\n    local -a verbs=(\n", noun);
    for (size_t i = 0; i < catalog->count; i++) {
        const CliCommand *command = &catalog->commands[i];
        if (command->verb != NULL && strcmp(command->noun, noun) == 0) {
            write_described(out, command->verb, command->op->summary);
        }
    }
    fputs("    )\n    _arguments -C \"$globals[@]\" '1: :->verb' '*:: :->rest'\n"
          "    case $state in\n    verb) _describe command verbs; return ;;\n    esac\n"
          "    case $line[1] in\n",
          out);
    for (size_t i = 0; i < catalog->count; i++) {
        const CliCommand *command = &catalog->commands[i];
        if (command->verb != NULL && strcmp(command->noun, noun) == 0) {
            write_command_arm(out, command->verb, command);
        }
    }
    fputs("    esac\n}\n\n", out);
}

static bool has_verbs(const Catalog *catalog, const char *noun)
{
    return catalog_find(catalog, noun, NULL) == NULL;
}

static void write_main(FILE *out, const Catalog *catalog)
{
    fputs("_" CLI_PROGRAM "() {\n    local curcontext=$curcontext state line\n"
          "    local -a globals=(\n",
          out);
    write_flags(out, catalog->globals);
    fputs("    )\n    local -a nouns=(\n", out);
    for (size_t i = 0; i < catalog->noun_count; i++) {
        const CliCommand *single = catalog_find(catalog, catalog->nouns[i], NULL);
        write_described(out, catalog->nouns[i],
                        single != NULL ? single->op->summary : "a group of commands");
    }
    fputs("    )\n    _arguments -C \"$globals[@]\" '1: :->noun' '*:: :->rest'\n"
          "    case $state in\n    noun) _describe command nouns; return ;;\n    esac\n"
          "    case $line[1] in\n",
          out);
    for (size_t i = 0; i < catalog->noun_count; i++) {
        if (has_verbs(catalog, catalog->nouns[i])) {
            fprintf(out, "    %s) _" CLI_PROGRAM "_%s ;;\n", catalog->nouns[i], catalog->nouns[i]);
        } else {
            write_command_arm(out, catalog->nouns[i],
                              catalog_find(catalog, catalog->nouns[i], NULL));
        }
    }
    fputs("    esac\n}\n\n", out);
}

void complete_write_zsh(FILE *out, const Catalog *catalog)
{
    fputs("#compdef " CLI_PROGRAM "\n\n", out);
    for (size_t i = 0; i < catalog->noun_count; i++) {
        if (has_verbs(catalog, catalog->nouns[i])) {
            write_noun_function(out, catalog, catalog->nouns[i]);
        }
    }
    write_main(out, catalog);
    /* Both ways of loading: as an autoloaded file of fpath, and by eval. */
    fputs("if [[ $funcstack[1] == _" CLI_PROGRAM " ]]; then\n    _" CLI_PROGRAM " \"$@\"\n"
          "else\n    compdef _" CLI_PROGRAM " " CLI_PROGRAM "\nfi\n",
          out);
}
