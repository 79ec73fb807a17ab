#include "cli/help.h"

#include <string.h>

#include "cli/parse.h"
#include "cli/screen.h"

enum { HELP_COLUMNS = 90, INDENT = 2, GAP = 2, TITLE_MAX = 28 };

const char *help_flag_title(Arena *arena, const CliFlag *flag)
{
    const bool is_positional = flag->param != NULL && flag->param->is_positional;
    if (is_positional) {
        return flag->value_name;
    }
    const char *space = flag->value_name == NULL ? "" : " ";
    const char *value = flag->value_name == NULL ? "" : flag->value_name;
    return flag->short_flag == '\0'
               ? arena_printf(arena, "--%s%s%s", flag->name, space, value)
               : arena_printf(arena, "-%c, --%s%s%s", flag->short_flag, flag->name, space, value);
}

const char *help_flag_text(Arena *arena, const CliFlag *flag)
{
    if (flag->fallback != NULL) {
        return arena_printf(arena, "%s [default: %s]", flag->help, flag->fallback);
    }
    if (flag->param != NULL && flag->param->is_repeated) {
        return arena_printf(arena, "%s [may be given again]", flag->help);
    }
    return flag->is_required ? arena_printf(arena, "%s [required]", flag->help) : flag->help;
}

/* "  title      text text text"; a long title has its line to itself. */
static void write_entry(FILE *out, const char *entry_title, const char *text, size_t column)
{
    screen_pad(out, INDENT);
    fputs(entry_title, out);
    const size_t end = INDENT + strlen(entry_title);
    if (end + GAP > column) {
        putc('\n', out);
        screen_pad(out, column);
    } else {
        screen_pad(out, column - end);
    }
    screen_wrap(out, text, column, HELP_COLUMNS);
}

/* The column where texts begin, when no title is longer than fits. */
static size_t text_column(size_t longest)
{
    return INDENT + GAP + (longest > TITLE_MAX ? TITLE_MAX : longest);
}

static void write_flags(FILE *out, const char *heading, CliFlags flags)
{
    if (flags.count == 0) {
        return;
    }
    scoped_arena Arena *arena = arena_new();
    size_t longest = 0;
    for (size_t i = 0; i < flags.count; i++) {
        const size_t length = strlen(help_flag_title(arena, &flags.items[i]));
        longest = length > longest && length <= TITLE_MAX ? length : longest;
    }
    fprintf(out, "\n%s:\n", heading);
    for (size_t i = 0; i < flags.count; i++) {
        write_entry(out, help_flag_title(arena, &flags.items[i]),
                    help_flag_text(arena, &flags.items[i]), text_column(longest));
    }
}

static size_t commands_column(const Catalog *catalog)
{
    size_t longest = 0;
    for (size_t i = 0; i < catalog->count; i++) {
        const size_t length = strlen(catalog->commands[i].words);
        longest = length > longest ? length : longest;
    }
    return text_column(longest);
}

/* The commands that have two words and begin with noun, or those of one word when noun is NULL. */
static void write_commands(FILE *out, const Catalog *catalog, const char *noun)
{
    for (size_t i = 0; i < catalog->count; i++) {
        const CliCommand *command = &catalog->commands[i];
        const bool is_wanted = noun == NULL
                                   ? command->verb == NULL
                                   : command->verb != NULL && strcmp(command->noun, noun) == 0;
        if (is_wanted) {
            write_entry(out, command->words, command->op->summary, commands_column(catalog));
        }
    }
}

void help_write_overview(FILE *out, const Catalog *catalog)
{
    fputs("Tenantry: a multi-tenant platform for PostgreSQL\n\n"
          "usage: " CLI_PROGRAM " [options] <noun> <verb> [arguments] [options]\n\ncommands:\n",
          out);
    write_commands(out, catalog, NULL);
    for (size_t i = 0; i < catalog->noun_count; i++) {
        if (catalog_find(catalog, catalog->nouns[i], NULL) == NULL) {
            fprintf(out, "\n%s:\n", catalog->nouns[i]);
            write_commands(out, catalog, catalog->nouns[i]);
        }
    }
    write_flags(out, "options of every command", catalog->globals);
    fputs("\nMore about one command: " CLI_PROGRAM " <noun> <verb> --help\n", out);
}

void help_write_noun(FILE *out, const Catalog *catalog, const char *noun)
{
    fprintf(out, "usage: %s %s <verb> [arguments] [options]\n\ncommands:\n", CLI_PROGRAM, noun);
    write_commands(out, catalog, noun);
    fprintf(out, "\nMore about one command: %s %s <verb> --help\n", CLI_PROGRAM, noun);
}

static void write_examples(FILE *out, const OpExample *examples)
{
    if (examples == NULL || examples->command == NULL) {
        return;
    }
    fputs("\nexamples:\n", out);
    for (const OpExample *example = examples; example->command != NULL; example++) {
        fprintf(out, "  %s %s\n", CLI_PROGRAM, example->command);
        if (example->what != NULL) {
            screen_pad(out, INDENT + INDENT);
            screen_wrap(out, example->what, INDENT + INDENT, HELP_COLUMNS);
        }
    }
}

void help_write_command(FILE *out, const CliCommand *command)
{
    scoped_arena Arena *arena = arena_new();
    fputs("usage: ", out);
    screen_wrap(out, cli_usage(arena, command), strlen("usage: "), HELP_COLUMNS);
    putc('\n', out);
    screen_wrap(out, command->op->summary, 0, HELP_COLUMNS);
    if (command->op->description != NULL) {
        putc('\n', out);
        screen_wrap(out, command->op->description, 0, HELP_COLUMNS);
    }
    write_flags(out, "arguments", command->positionals);
    write_flags(out, "options", command->flags);
    write_flags(out, "options of every command", command->globals);
    write_examples(out, command->op->examples);
    fputs("\nexit status:\n", out);
    write_entry(out, "0", "It worked.", text_column(2));
    write_entry(out, "64", "The command line or a parameter is wrong.", text_column(2));
    if (command->op->access != ACCESS_PUBLIC) {
        write_entry(out, "69", "PostgreSQL cannot be reached, or a part of the system is missing.",
                    text_column(2));
        write_entry(out, "75",
                    "Not now: a lock, another session or the state of the thing stood "
                    "in the way.",
                    text_column(2));
    }
    fputs("\nAll of them: " CLI_PROGRAM " docs errors\n", out);
}
