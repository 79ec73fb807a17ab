#include "cli/generate.h"

#include <string.h>

#include "cli/help.h"
#include "cli/parse.h"
#include "core/err.h"

#define PAGE_DATE                                                                                  \
    "2026-11-21" /* when the words of the page that are not in a table last changed                \
                  */

/* Text that roff shows as it is: no requests at the start of a line, real minus signs. */
static void write_text(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'') {
        fputs("\\&", out);
    }
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '\\':
            fputs("\\e", out);
            break;
        case '-':
            fputs("\\-", out);
            break;
        case '~':
            fputs("\\(ti", out);
            break;
        case '\n':
            putc(' ', out);
            break;
        default:
            putc(*text, out);
        }
    }
}

static void write_line(FILE *out, const char *text)
{
    write_text(out, text);
    putc('\n', out);
}

/* A tagged paragraph: a bold term and its text. */
static void write_entry(FILE *out, const char *term, const char *text)
{
    fputs(".TP\n\\fB", out);
    write_text(out, term);
    fputs("\\fR\n", out);
    write_line(out, text);
}

static void write_flags(FILE *out, CliFlags flags)
{
    scoped_arena Arena *arena = arena_new();
    for (size_t i = 0; i < flags.count; i++) {
        write_entry(out, help_flag_title(arena, &flags.items[i]),
                    help_flag_text(arena, &flags.items[i]));
    }
}

static void write_operations(FILE *out, const Catalog *catalog)
{
    scoped_arena Arena *arena = arena_new();
    fputs(".SH OPERATIONS\n", out);
    for (size_t i = 0; i < catalog->count; i++) {
        const CliCommand *command = &catalog->commands[i];
        fputs(".SS ", out);
        write_line(out, command->words);
        fputs("\\fB", out);
        write_text(out, cli_usage(arena, command));
        fputs("\\fR\n.PP\n", out);
        write_line(out, command->op->summary);
        if (command->op->description != NULL) {
            fputs(".PP\n", out);
            write_line(out, command->op->description);
        }
        write_flags(out, command->positionals);
        write_flags(out, command->flags);
    }
}

static void write_environment(FILE *out)
{
    scoped_arena Arena *arena = arena_new();
    fputs(".SH ENVIRONMENT\nA variable that is set to the empty string counts as not set.\n", out);
    for (int id = 0; id < OPTION_COUNT_; id++) {
        const OptionKind *kind = option_kind((OptionId)id);
        write_entry(out, option_env_name(arena, (OptionId)id),
                    kind->is_secret ? kind->help : arena_printf(arena, "As --%s.", kind->name));
    }
    write_entry(out, "NO_COLOR", "When set and not empty, output is not coloured.");
}

static void write_files(FILE *out)
{
    fputs(".SH FILES\nThe first of these that exists is read, unless \\-\\-config names another. "
          "It is a YAML map of option names and values; options that are secrets are not accepted "
          "in it.\n",
          out);
    write_entry(out, "./tenantry.yaml", "The folder where the program is started.");
    write_entry(out, "~/.config/tenantry/tenantry.yaml", "The user's own.");
    write_entry(out, "/etc/tenantry/tenantry.yaml", "The machine's.");
}

static bool is_first_of_status(int code)
{
    for (int other = 1; other < code; other++) {
        if (err_kind((ErrCode)other)->exit_status == err_kind((ErrCode)code)->exit_status) {
            return false;
        }
    }
    return true;
}

/* One entry for each exit status, with all the errors that have it. */
static void write_exit_statuses(FILE *out)
{
    scoped_arena Arena *arena = arena_new();
    fputs(".SH \"EXIT STATUS\"\n", out);
    write_entry(out, "0", "It worked.");
    enum { EXIT_STATUS_MAX = 255 };
    for (int status = 1; status <= EXIT_STATUS_MAX; status++) {
        for (int code = 1; code < ERR_COUNT_; code++) {
            const ErrKind *kind = err_kind((ErrCode)code);
            if (kind->exit_status != status) {
                continue;
            }
            const char *text = arena_printf(arena, "%s: %s.", kind->wire, kind->meaning);
            if (is_first_of_status(code)) {
                write_entry(out, arena_printf(arena, "%d", status), text);
            } else {
                fputs(".br\n", out);
                write_line(out, text);
            }
        }
    }
}

static void write_examples(FILE *out, const Catalog *catalog)
{
    scoped_arena Arena *arena = arena_new();
    fputs(".SH EXAMPLES\n", out);
    for (size_t i = 0; i < catalog->count; i++) {
        const OpExample *example = catalog->commands[i].op->examples;
        for (; example != NULL && example->command != NULL; example++) {
            write_entry(out, arena_printf(arena, "%s %s", CLI_PROGRAM, example->command),
                        example->what == NULL ? catalog->commands[i].op->summary : example->what);
        }
    }
}

void man_write(FILE *out, const Catalog *catalog)
{
    fputs(".TH TENANTRY 1 " PAGE_DATE " \"Tenantry " TENANTRY_VERSION "\" \"Tenantry\"\n"
          ".SH NAME\ntenantry \\- a multi\\-tenant platform for PostgreSQL\n"
          ".SH SYNOPSIS\n\\fBtenantry\\fR [\\fIoptions\\fR] \\fInoun\\fR \\fIverb\\fR "
          "[\\fIarguments\\fR] [\\fIoptions\\fR]\n"
          ".SH DESCRIPTION\n"
          "Tenantry makes tenants in PostgreSQL from blueprints and keeps them apart. Without "
          "\\-\\-database\\-url it runs a PostgreSQL of its own in its data directory.\n.PP\n"
          "Answers go to standard output, everything else to standard error. With \\-\\-json the "
          "answer is one JSON value; an error is then one JSON object on standard error. What "
          "looked and found something wrong, as audit verify and blueprint lint do, prints both: "
          "the answer and the error. Options may stand anywhere; \\-\\- ends them. "
          "\\-\\-no\\-NAME turns an option without value off.\n",
          out);
    write_operations(out, catalog);
    fputs(".SH OPTIONS\nThese belong to every command. Values come from the flag, else the "
          "environment, else the configuration file, else the default.\n",
          out);
    write_flags(out, catalog->globals);
    write_environment(out);
    write_files(out);
    write_exit_statuses(out);
    write_examples(out, catalog);
}
