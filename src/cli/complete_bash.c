#include "cli/generate.h"

#include <string.h>

/* Reads the command line up to the cursor: COMMAND is what was named so far ("tenant create"), NTH
 * the number of words behind it. Bash splits at '=', so --name=value is three words. */
static const char prologue[] =
    "# bash completion for " CLI_PROGRAM "\n"
    "_" CLI_PROGRAM "()\n"
    "{\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local i word first='' command='' nth=0\n"
    "    if [[ $cur == = ]]; then\n"
    "        cur=''\n"
    "    elif [[ $prev == = ]]; then\n"
    "        prev=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    fi\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        case $word in\n"
    "            =) ((i++)); continue ;;\n";

static const char word_loop[] = "            -*) continue ;;\n"
                                "        esac\n"
                                "        if [[ -n $command ]]; then\n"
                                "            ((nth++))\n"
                                "        elif [[ -n $first ]]; then\n"
                                "            command=\"$first $word\"\n"
                                "        else\n"
                                "            first=$word\n"
                                "            case $word in\n";

static void write_value_flags(FILE *out, CliFlags flags, const char *separator)
{
    for (size_t i = 0; i < flags.count; i++) {
        const CliFlag *flag = &flags.items[i];
        if (flag->takes_value) {
            fprintf(out, "%s--%s", separator, flag->name);
            separator = "|";
            if (flag->short_flag != '\0') {
                fprintf(out, "|-%c", flag->short_flag);
            }
        }
    }
}

static void write_words(FILE *out, const char *choices)
{
    for (const char *c = choices; *c != '\0'; c++) {
        putc(*c == '|' ? ' ' : *c, out);
    }
}

static void write_values(FILE *out, const CliFlag *flag)
{
    if (flag->choices != NULL) {
        fputs("COMPREPLY=($(compgen -W '", out);
        write_words(out, flag->choices);
        fputs("' -- \"$cur\"))", out);
    } else if (flag->is_path) {
        fputs("compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))", out);
    } else {
        fputs(":", out);
    }
    fputs("; return ;;\n", out);
}

/* case arms "tenant create:--tier" (or "*:--color") for the values of options. */
static void write_value_arms(FILE *out, const char *words, CliFlags flags)
{
    for (size_t i = 0; i < flags.count; i++) {
        const CliFlag *flag = &flags.items[i];
        if (!flag->takes_value) {
            continue;
        }
        if (words == NULL) {
            fprintf(out, "        *:--%s", flag->name);
        } else {
            fprintf(out, "        '%s:--%s'", words, flag->name);
        }
        if (flag->short_flag != '\0') {
            fprintf(out, "|*:-%c", flag->short_flag);
        }
        fputs(") ", out);
        write_values(out, flag);
    }
}

static void write_flag_names(FILE *out, CliFlags flags)
{
    for (size_t i = 0; i < flags.count; i++) {
        fprintf(out, " --%s", flags.items[i].name);
    }
}

static void write_skip_arms(FILE *out, const Catalog *catalog)
{
    fputs("            ", out);
    write_value_flags(out, catalog->globals, "");
    for (size_t i = 0; i < catalog->count; i++) {
        write_value_flags(out, catalog->commands[i].flags, "|");
    }
    fputs(") [[ ${COMP_WORDS[i+1]} == = ]] || ((i++)); continue ;;\n", out);
}

/* "help" takes the words of a command: its completion goes on as if nothing had been typed yet, or
 * only the first of them. */
static void write_word_arms(FILE *out, const Catalog *catalog)
{
    fputs("        help:0) first='' ;;\n        help:1) first=$prev ;;\n", out);
    for (size_t i = 0; i < catalog->count; i++) {
        for (size_t k = 0; k < catalog->commands[i].positionals.count; k++) {
            const CliFlag *flag = &catalog->commands[i].positionals.items[k];
            fprintf(out, "        '%s:%zu') ", catalog->commands[i].words, k);
            write_values(out, flag);
        }
    }
}

static void write_first_words(FILE *out, const Catalog *catalog)
{
    scoped_arena Arena *arena = arena_new();
    fputs("    case $first in\n        '') COMPREPLY=($(compgen -W '", out);
    for (size_t i = 0; i < catalog->noun_count; i++) {
        fprintf(out, "%s%s", i == 0 ? "" : " ", catalog->nouns[i]);
    }
    fputs("' -- \"$cur\")) ;;\n", out);
    for (size_t i = 0; i < catalog->noun_count; i++) {
        size_t count = 0;
        const char *const *verbs = catalog_verbs(arena, catalog, catalog->nouns[i], &count);
        if (count > 0) {
            fprintf(out, "        %s) COMPREPLY=($(compgen -W '", catalog->nouns[i]);
            for (size_t k = 0; k < count; k++) {
                fprintf(out, "%s%s", k == 0 ? "" : " ", verbs[k]);
            }
            fputs("' -- \"$cur\")) ;;\n", out);
        }
    }
    fputs("    esac\n", out);
}

void complete_write_bash(FILE *out, const Catalog *catalog)
{
    fputs(prologue, out);
    write_skip_arms(out, catalog);
    fputs(word_loop, out);
    for (size_t i = 0; i < catalog->count; i++) {
        if (catalog->commands[i].verb == NULL) {
            fprintf(out, "                %s) command=$word ;;\n", catalog->commands[i].words);
        }
    }
    fputs("            esac\n        fi\n    done\n    case $command:$prev in\n", out);
    for (size_t i = 0; i < catalog->count; i++) {
        write_value_arms(out, catalog->commands[i].words, catalog->commands[i].flags);
    }
    write_value_arms(out, NULL, catalog->globals);
    fputs("    esac\n    if [[ $cur == -* ]]; then\n        local flags='", out);
    write_flag_names(out, catalog->globals);
    fputs("'\n        case $command in\n", out);
    for (size_t i = 0; i < catalog->count; i++) {
        if (catalog->commands[i].flags.count > 0) {
            fprintf(out, "            '%s') flags+='", catalog->commands[i].words);
            write_flag_names(out, catalog->commands[i].flags);
            fputs("' ;;\n", out);
        }
    }
    fputs("        esac\n        COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\"))\n        return\n"
          "    fi\n    case $command:$nth in\n",
          out);
    write_word_arms(out, catalog);
    fputs("        ?*:*) return ;;\n    esac\n", out);
    write_first_words(out, catalog);
    fputs("}\ncomplete -F _" CLI_PROGRAM " " CLI_PROGRAM "\n", out);
}
