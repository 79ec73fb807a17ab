#include "cli/generate.h"

#include <string.h>

#include "cli/help.h"
#include "cli/parse.h"
#include "core/duration.h"
#include "core/err.h"
#include "isolation/report.h"

/* Text inside a cell of a Markdown table. */
static void write_cell(FILE *out, const char *text)
{
    fputs("| ", out);
    for (; *text != '\0'; text++) {
        fprintf(out, strchr("|<>", *text) != NULL ? "\\%c" : "%c", *text);
    }
    putc(' ', out);
}

static const char *describe_values(Arena *arena, const OptionKind *kind)
{
    switch (kind->type) {
    case OPTION_BOOL:
        return "true, false";
    case OPTION_INT:
        return arena_printf(arena, "%lld to %lld", (long long)kind->least, (long long)kind->most);
    case OPTION_DURATION_MS:
        return arena_printf(arena, "%s to %s", duration_to_text(arena, kind->least),
                            duration_to_text(arena, kind->most));
    case OPTION_ENUM:
        return kind->choices;
    case OPTION_PATH:
        return "path";
    case OPTION_TEXT:
        return "text";
    }
    return "";
}

void docs_write_options(FILE *out)
{
    scoped_arena Arena *arena = arena_new();
    fputs("# Options\n\nA value comes from the flag, else the environment, else the configuration "
          "file (the same name as a key), else the default.\n\n"
          "| option | environment | values | default | |\n| --- | --- | --- | --- | --- |\n",
          out);
    for (int id = 0; id < OPTION_COUNT_; id++) {
        const OptionKind *kind = option_kind((OptionId)id);
        const char *flag = kind->is_secret ? "(not as a flag, not in a file)"
                           : kind->short_flag != '\0'
                               ? arena_printf(arena, "`--%s`, `-%c`", kind->name, kind->short_flag)
                               : arena_printf(arena, "`--%s`", kind->name);
        write_cell(out, flag);
        write_cell(out, arena_printf(arena, "`%s`", option_env_name(arena, (OptionId)id)));
        write_cell(out, describe_values(arena, kind));
        write_cell(out, kind->fallback == NULL ? "" : kind->fallback);
        write_cell(out, kind->help);
        fputs("|\n", out);
    }
}

static void write_flags(FILE *out, CliFlags flags)
{
    scoped_arena Arena *arena = arena_new();
    for (size_t i = 0; i < flags.count; i++) {
        fprintf(out, "- `%s`: %s\n", help_flag_title(arena, &flags.items[i]),
                help_flag_text(arena, &flags.items[i]));
    }
}

static const char *type_name(FieldType type)
{
    static const char *const names[] = {
        [FIELD_TEXT] = "text",
        [FIELD_INT] = "integer",
        [FIELD_NUMBER] = "number",
        [FIELD_BOOL] = "true or false",
        [FIELD_TIME] = "time, RFC 3339",
        [FIELD_UUID] = "UUID",
        [FIELD_BYTES] = "bytes",
        [FIELD_TEXTS] = "list of texts",
        [FIELD_LINES] = "list of texts",
        [FIELD_SQL] = "SQL",
        [FIELD_MAP] = "object with free keys",
        [FIELD_OBJECT] = "object",
        [FIELD_LIST] = "list of objects",
    };
    return names[type];
}

/* The members of an answer, those of members below them. */
static void write_fields(FILE *out, const Field *fields, int indent)
{
    for (const Field *field = fields; field != NULL && field->name != NULL; field++) {
        fprintf(out, "%*s- `%s` (%s%s)", indent, "", field->name, type_name(field->type),
                field->is_nullable ? ", or null" : "");
        fprintf(out, "%s%s\n", field->help == NULL ? "" : ": ",
                field->help == NULL ? "" : field->help);
        write_fields(out, field->fields, indent + 2);
    }
}

static void write_example(FILE *out, const OpExample *example)
{
    fputs("\nExample", out);
    if (example->what != NULL) {
        fprintf(out, ", %s", example->what);
    }
    fprintf(out, ":\n\n    %s %s\n", CLI_PROGRAM, example->command);
}

void docs_write_operations(FILE *out, const Catalog *catalog)
{
    scoped_arena Arena *arena = arena_new();
    fputs("# Operations\n", out);
    for (size_t i = 0; i < catalog->count; i++) {
        const CliCommand *command = &catalog->commands[i];
        fprintf(out, "\n## %s\n\n    %s\n\n%s\n", command->words, cli_usage(arena, command),
                command->op->summary);
        if (command->op->description != NULL) {
            fprintf(out, "\n%s\n", command->op->description);
        }
        if (command->positionals.count + command->flags.count > 0) {
            putc('\n', out);
            write_flags(out, command->positionals);
            write_flags(out, command->flags);
        }
        if (command->op->result != NULL && command->op->result->name != NULL) {
            fputs("\nAnswer with `--json`:\n\n", out);
            write_fields(out, command->op->result, 0);
        }
        const OpExample *example = command->op->examples;
        for (; example != NULL && example->command != NULL; example++) {
            write_example(out, example);
        }
    }
}

void docs_write_errors(FILE *out)
{
    fputs("# Errors\n\n| code | meaning | exit status | HTTP status | may work when tried again |\n"
          "| --- | --- | --- | --- | --- |\n",
          out);
    for (int code = 1; code < ERR_COUNT_; code++) {
        const ErrKind *kind = err_kind((ErrCode)code);
        fprintf(out, "| `%s` ", kind->wire);
        write_cell(out, kind->meaning);
        fprintf(out, "| %d | %d | %s |\n", kind->exit_status, kind->http_status,
                kind->is_retryable ? "yes" : "no");
    }
}

/* A heading for each, so that its id is an anchor. */
void docs_write_isolation(FILE *out)
{
    size_t count = 0;
    const IsolationCheck *checks = isolation_checks(&count);
    fputs("# Rules and probes of isolation\n\nWhat \"tenantry isolation verify\" checks. A rule "
          "reads "
          "the catalogue; a probe logs in as a tenant and tries.\n",
          out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "\n## %s\n\n%s, %s, tiers: %s. %s: %s.\n", checks[i].id,
                checks[i].is_probe ? "Probe" : "Rule", severity_name(checks[i].severity),
                checks[i].tiers, checks[i].title, checks[i].why);
    }
    fputs("\n## Known limits\n\nWhat PostgreSQL shows to everybody or shares, whatever rights "
          "say:\n\n",
          out);
    scoped_json Json *limits = report_limits_to_json();
    for (size_t i = 0; i < json_array_size(limits); i++) {
        fprintf(out, "- %s\n", json_string_value(json_array_get(limits, i)));
    }
}
