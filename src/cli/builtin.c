#include "cli/builtin.h"

#include <string.h>

#include "cli/generate.h"
#include "cli/help.h"
#include "cli/render.h"
#include "core/array.h"
#include "core/text.h"

static const Field option_fields[] = {
    {"name", FIELD_TEXT, .help = "Name of the option."},
    {"value", FIELD_TEXT, .is_nullable = true, .help = "Its value; null when it has none."},
    {"from", FIELD_TEXT, .help = "Where the value comes from."},
    {"environment", FIELD_TEXT, .is_wide = true, .help = "Its environment variable."},
    {0},
};

static const Field show_fields[] = {
    {"file", FIELD_TEXT, .is_nullable = true, .help = "The configuration file that was read."},
    {"options", FIELD_LIST, .fields = option_fields, .help = "Every option."},
    {0},
};

/* The value without a password: postgresql://user:PASSWORD@host, and password=PASSWORD in a URL's
 * query or among keywords. What cannot be told apart is hidden too. */
static const char *hide_password(Arena *arena, const char *url)
{
    static const char hidden[] = "(hidden)";
    const char *start = strstr(url, "://");
    start = start == NULL ? NULL : start + strlen("://");
    const char *at = start == NULL ? NULL : strrchr(start, '@'); /* a password may have a / */
    const char *colon = at == NULL ? NULL : memchr(start, ':', (size_t)(at - start));
    if (colon != NULL) {
        url = arena_printf(arena, "%.*s:%s%s", (int)(colon - url), url, hidden, at);
    }
    const char *word = strstr(url, "password");
    return word == NULL ? url
                        : arena_printf(arena, "%.*spassword=%s", (int)(word - url), url, hidden);
}

static const char *shown_value(Arena *arena, const Config *config, OptionId id)
{
    const char *value = config_text(config, id);
    if (value == NULL) {
        return NULL;
    }
    return option_kind(id)->is_secret ? "(hidden)"
           : id == OPT_DATABASE_URL   ? hide_password(arena, value)
                                      : value;
}

static bool run_config_show(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    (void)args;
    (void)err;
    Json *list = json_array();
    for (int id = 0; id < OPTION_COUNT_; id++) {
        const OptionKind *kind = option_kind((OptionId)id);
        const char *detail = NULL;
        config_origin(context->config, (OptionId)id, &detail);
        Json *option = json_object();
        json_put_text(option, "name", kind->name);
        json_put_text(option, "value", shown_value(context->arena, context->config, (OptionId)id));
        json_put_text(option, "from", detail);
        json_put_text(option, "environment", option_env_name(context->arena, (OptionId)id));
        json_array_append_new(list, option);
    }
    *ret_answer = json_object();
    json_put_text(*ret_answer, "file", config_file(context->config));
    json_put(*ret_answer, "options", list);
    return true;
}

enum { WORD_MAX_CHARS = 60 };

static const Param shell_params[] = {
    {"shell", PARAM_ENUM, .is_positional = true, .is_required = true, .choices = "bash|zsh|fish",
     .help = "The shell."},
    {0},
};

static const Param help_params[] = {
    {"noun", PARAM_TEXT, .is_positional = true, .most = WORD_MAX_CHARS,
     .help = "First word of a command."},
    {"verb", PARAM_TEXT, .is_positional = true, .most = WORD_MAX_CHARS,
     .help = "Second word of a command."},
    {0},
};

static const OpExample completion_examples[] = {
    {"completion bash > /etc/bash_completion.d/tenantry", "for every user"},
    {0},
};

static const OpExample config_examples[] = {
    {"config show", "what is in force, and where it comes from"},
    {"config show --config ./new.yaml", "what a file would make of it"},
    {0},
};

static const OpExample errors_examples[] = {
    {"docs errors", "what an exit status means"},
    {0},
};

static const OpExample isolation_examples[] = {
    {"docs isolation", "what is checked, and why"},
    {0},
};

static const OpExample operations_examples[] = {
    {"docs operations --json", "every command as data, for a program"},
    {0},
};

static const OpExample options_examples[] = {
    {"docs options", "with environment variable, default and range"},
    {0},
};

static const OpExample version_examples[] = {
    {"version --json", "for a script"},
    {0},
};

static const OpExample help_examples[] = {
    {"help config show", "all about one command"},
    {0},
};

static const OpExample man_examples[] = {
    {"man | man -l -", "without installing it"},
    {0},
};

/* clang-format off */
static const Operation table[] = {
    {"completion", "Print the completion script for a shell.", .params = shell_params, .examples = completion_examples},
    {"config.show", "Show every option, its value and where it comes from.", .result = show_fields, .examples = config_examples, .run = run_config_show},
    {"docs.errors", "Print every error, with its exit status, as Markdown.", .examples = errors_examples},
    {"docs.isolation", "Print every rule and probe of isolation as Markdown.", .examples = isolation_examples},
    {"docs.operations", "Print the reference of the commands as Markdown, or with --json as data.", .examples = operations_examples},
    {"docs.options", "Print the reference of the options as Markdown.", .examples = options_examples},
    {"help", "Show help about a command.", .params = help_params, .examples = help_examples},
    {"man", "Print the manual page (roff).", .examples = man_examples},
    {"version", "Print the version.", .examples = version_examples},
};
/* clang-format on */

const Operation *builtin_table(size_t *ret_count)
{
    *ret_count = ARRAY_COUNT(table);
    return table;
}

static bool fail_no_command(const Catalog *catalog, const char *noun, const char *verb, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    const char *words = verb == NULL ? noun : arena_printf(arena, "%s %s", noun, verb);
    const bool has_noun = catalog_has_noun(catalog, noun);
    size_t verb_count = 0;
    const char *const *verbs = catalog_verbs(arena, catalog, noun, &verb_count);
    const char *nearest = has_noun ? text_nearest(verb, verbs, verb_count)
                                   : text_nearest(noun, catalog->nouns, catalog->noun_count);
    ERR_SET(err, ERR_USAGE, NULL, "there is no command \"%s\"",
            text_quote(arena, words, (size_t)2 * WORD_MAX_CHARS));
    if (nearest == NULL) {
        err_hint(err, "see \"%s --help\"", CLI_PROGRAM);
    } else {
        err_hint(err, "did you mean \"%s%s%s\"? see \"%s --help\"", has_noun ? noun : "",
                 has_noun ? " " : "", nearest, CLI_PROGRAM);
    }
    return false;
}

static bool print_help(FILE *out, const Catalog *catalog, const Json *args, Err *err)
{
    const char *noun = json_get_text(args, "noun", NULL);
    const char *verb = json_get_text(args, "verb", NULL);
    const CliCommand *command = noun == NULL ? NULL : catalog_find(catalog, noun, verb);
    if (command != NULL) {
        help_write_command(out, command);
        return true;
    }
    if (noun == NULL) {
        help_write_overview(out, catalog);
        return true;
    }
    if (verb == NULL && catalog_has_noun(catalog, noun)) {
        help_write_noun(out, catalog, noun);
        return true;
    }
    return fail_no_command(catalog, noun, verb, err);
}

static void print_version(FILE *out, bool is_json)
{
    if (!is_json) {
        fputs(CLI_PROGRAM " " TENANTRY_VERSION "\n", out);
        return;
    }
    scoped_json Json *answer = json_object();
    json_put_text(answer, "version", TENANTRY_VERSION);
    render_json(out, answer, false);
}

static void print_completion(FILE *out, const Catalog *catalog, const char *shell)
{
    static const struct {
        const char *shell;
        void (*write)(FILE *out, const Catalog *catalog);
    } writers[] = {
        {"bash", complete_write_bash},
        {"fish", complete_write_fish},
        {"zsh", complete_write_zsh},
    };
    for (size_t i = 0; i < ARRAY_COUNT(writers); i++) {
        if (strcmp(writers[i].shell, shell) == 0) {
            writers[i].write(out, catalog);
        }
    }
}

/* These make text for people, shells and troff; only some of what they say exists as data. */
static bool refuse_json(const Operation *op, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    char *words = arena_strdup(arena, op->name);
    char *dot = strchr(words, '.');
    if (dot != NULL) {
        *dot = ' ';
    }
    return ERR_SET(err, ERR_USAGE,
                   "leave --json out, or write --no-json when TENANTRY_JSON is set; "
                   "\"docs operations --json\" gives the commands as data",
                   "\"%s\" has no answer in JSON", words);
}

bool builtin_print(FILE *out, const Catalog *catalog, const Operation *op, const Json *args,
                   bool is_json, Err *err)
{
    const bool is_help = strcmp(op->name, "help") == 0;
    const bool has_json = strcmp(op->name, "version") == 0 ||
                          strcmp(op->name, "docs.operations") == 0 ||
                          (is_help && json_get_text(args, "noun", NULL) == NULL);
    if (is_json && !has_json) {
        return refuse_json(op, err);
    }
    if (is_json && is_help) {
        docs_write_operations_json(out, catalog);
        return true;
    }
    if (is_help) {
        return print_help(out, catalog, args, err);
    }
    if (strcmp(op->name, "version") == 0) {
        print_version(out, is_json);
    } else if (strcmp(op->name, "completion") == 0) {
        print_completion(out, catalog, json_get_text(args, "shell", ""));
    } else if (strcmp(op->name, "man") == 0) {
        man_write(out, catalog);
    } else if (strcmp(op->name, "docs.errors") == 0) {
        docs_write_errors(out);
    } else if (strcmp(op->name, "docs.isolation") == 0) {
        docs_write_isolation(out);
    } else if (strcmp(op->name, "docs.operations") == 0) {
        (is_json ? docs_write_operations_json : docs_write_operations)(out, catalog);
    } else {
        docs_write_options(out);
    }
    return true;
}
