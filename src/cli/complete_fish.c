#include "cli/generate.h"

#include <string.h>

#include "core/choices.h"

static void write_escaped(FILE *out, const char *text)
{
    putc('\'', out);
    for (; *text != '\0'; text++) {
        fprintf(out, strchr("'\\", *text) != NULL ? "\\%c" : "%c", *text);
    }
    putc('\'', out);
}

static void write_flag(FILE *out, const char *words, const CliFlag *flag)
{
    fputs("complete -c " CLI_PROGRAM, out);
    if (words != NULL) {
        fprintf(out, " -n '__" CLI_PROGRAM "_at %s'", words);
    }
    fprintf(out, " -l %s", flag->name);
    if (flag->short_flag != '\0') {
        fprintf(out, " -s %c", flag->short_flag);
    }
    if (flag->choices != NULL) {
        scoped_arena Arena *arena = arena_new();
        size_t count = 0;
        const char *const *choices = choices_split(arena, flag->choices, &count);
        fputs(" -x -a '", out);
        for (size_t i = 0; i < count; i++) {
            fprintf(out, "%s%s", i == 0 ? "" : " ", choices[i]);
        }
        putc('\'', out);
    } else if (flag->takes_value) {
        fputs(flag->is_path ? " -r -F" : " -x", out);
    }
    fputs(" -d ", out);
    write_escaped(out, flag->help);
    putc('\n', out);
}

static void write_value_flags(FILE *out, CliFlags flags)
{
    for (size_t i = 0; i < flags.count; i++) {
        if (flags.items[i].takes_value) {
            fprintf(out, " --%s", flags.items[i].name);
            if (flags.items[i].short_flag != '\0') {
                fprintf(out, " -%c", flags.items[i].short_flag);
            }
        }
    }
}

/* The words of the command line without options and their values. */
static void write_functions(FILE *out, const Catalog *catalog)
{
    fputs("function __" CLI_PROGRAM "_words\n    set -l skip 0\n"
          "    for token in (commandline -opc)[2..-1]\n        if test $skip -eq 1\n"
          "            set skip 0\n            continue\n        end\n        switch $token\n"
          "            case",
          out);
    write_value_flags(out, catalog->globals);
    for (size_t i = 0; i < catalog->count; i++) {
        write_value_flags(out, catalog->commands[i].flags);
    }
    fputs("\n                set skip 1\n            case '-*'\n            case '*'\n"
          "                echo $token\n        end\n    end\nend\n\n"
          "function __" CLI_PROGRAM "_at\n    set -l words (__" CLI_PROGRAM "_words)\n"
          "    set -l count (count $argv)\n    test (count $words) -ge $count; or return 1\n"
          "    test \"$words[1..$count]\" = \"$argv\"\nend\n\n"
          "function __" CLI_PROGRAM "_exactly\n    set -l words (__" CLI_PROGRAM "_words)\n"
          "    test \"$words\" = \"$argv\"\nend\n\n"
          "function __" CLI_PROGRAM "_argument\n    set -l words (__" CLI_PROGRAM "_words)\n"
          "    test (count $words) -eq (math (count $argv) - 1 + $argv[1]); or return 1\n"
          "    __" CLI_PROGRAM "_at $argv[2..-1]\nend\n\n",
          out);
}

static void write_argument(FILE *out, const char *words, size_t nth, const CliFlag *flag)
{
    if (flag->choices == NULL && !flag->is_path) {
        return;
    }
    fprintf(out, "complete -c " CLI_PROGRAM " -n '__" CLI_PROGRAM "_argument %zu %s'", nth, words);
    if (flag->is_path) {
        fputs(" -F\n", out);
        return;
    }
    fputs(" -a '", out);
    for (const char *c = flag->choices; *c != '\0'; c++) {
        putc(*c == '|' ? ' ' : *c, out);
    }
    fputs("'\n", out);
}

static void write_command(FILE *out, const CliCommand *command)
{
    fprintf(out, "complete -c " CLI_PROGRAM " -n '__" CLI_PROGRAM "_exactly%s%s' -a %s -d ",
            command->verb == NULL ? "" : " ", command->verb == NULL ? "" : command->noun,
            command->verb == NULL ? command->noun : command->verb);
    write_escaped(out, command->op->summary);
    putc('\n', out);
    for (size_t i = 0; i < command->flags.count; i++) {
        write_flag(out, command->words, &command->flags.items[i]);
    }
    for (size_t i = 0; i < command->positionals.count; i++) {
        write_argument(out, command->words, i, &command->positionals.items[i]);
    }
}

void complete_write_fish(FILE *out, const Catalog *catalog)
{
    fputs("# fish completion for " CLI_PROGRAM "\n\n", out);
    write_functions(out, catalog);
    fputs("complete -c " CLI_PROGRAM " -f\n", out);
    for (size_t i = 0; i < catalog->noun_count; i++) {
        if (catalog_find(catalog, catalog->nouns[i], NULL) == NULL) {
            fprintf(out,
                    "complete -c " CLI_PROGRAM " -n '__" CLI_PROGRAM "_exactly' -a %s -d 'a group "
                    "of commands'\n",
                    catalog->nouns[i]);
        }
    }
    for (size_t i = 0; i < catalog->globals.count; i++) {
        write_flag(out, NULL, &catalog->globals.items[i]);
    }
    for (size_t i = 0; i < catalog->count; i++) {
        write_command(out, &catalog->commands[i]);
    }
}
