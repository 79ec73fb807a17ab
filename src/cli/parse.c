#include "cli/parse.h"

#include <string.h>

#include "core/strbuf.h"
#include "core/text.h"

enum { QUOTE_BYTES = 80, COMMAND_WORDS_MAX = 2 };

typedef struct Parser {
    Arena *arena;
    const Catalog *catalog;
    size_t argc;
    const char *const *argv;
} Parser;

/* One or two arguments that belong together. */
typedef struct Token {
    bool is_word;
    const char *text;    /* word: itself; option: as typed without its value, "--color" */
    const char *name;    /* option: "color" */
    const char *value;   /* option: NULL when none came with it */
    const CliFlag *flag; /* option: NULL when it is unknown */
    bool is_negated;     /* --no-name */
    size_t width;        /* arguments */
} Token;

/* How to get help about what was being typed. */
static const char *help_hint(const Parser *parser, const char *words)
{
    return arena_printf(parser->arena, "see \"%s %s%s--help\"", CLI_PROGRAM, words,
                        *words == '\0' ? "" : " ");
}

static const char *quoted(const Parser *parser, const char *text)
{
    return text_quote(parser->arena, text, QUOTE_BYTES);
}

/* ---- tokens ---- */

/* A flag of the command or, while the command is not known yet, of any. */
static const CliFlag *find_flag(const Parser *parser, const CliCommand *command, const char *name,
                                char letter)
{
    const CliFlag *flag = NULL;
    const CliCommand *commands = parser->catalog->commands;
    if (command != NULL) {
        flag = flags_find(command->flags, name, letter);
    }
    flag = flag != NULL ? flag : flags_find(parser->catalog->globals, name, letter);
    for (size_t i = 0; command == NULL && flag == NULL && i < parser->catalog->count; i++) {
        flag = flags_find(commands[i].flags, name, letter);
    }
    return flag;
}

static bool is_word(const char *text)
{
    const bool is_number = text[0] == '-' && text[1] >= '0' && text[1] <= '9';
    return text[0] != '-' || text[1] == '\0' || is_number;
}

static void find_long(const Parser *parser, const CliCommand *command, const char *text,
                      Token *token)
{
    const size_t length = strcspn(text, "=");
    token->text = arena_strndup(parser->arena, text, length);
    token->name = token->text + strlen("--");
    token->value = text[length] == '=' ? text + length + 1 : NULL;
    token->flag = find_flag(parser, command, token->name, '\0');
    if (token->flag == NULL && strncmp(token->name, "no-", strlen("no-")) == 0) {
        const CliFlag *flag = find_flag(parser, command, token->name + strlen("no-"), '\0');
        const bool is_bool = flag != NULL && !flag->takes_value &&
                             (flag->kind == CLI_FLAG_OPTION || flag->kind == CLI_FLAG_PARAM);
        token->flag = is_bool ? flag : NULL;
        token->is_negated = is_bool;
    }
}

/* The token that begins at argument i; `--` itself is the caller's. */
static Token next_token(const Parser *parser, const CliCommand *command, size_t i)
{
    const char *text = parser->argv[i];
    if (is_word(text)) {
        return (Token){.is_word = true, .text = text, .width = 1};
    }
    Token token = {.text = text, .name = text + 1, .width = 1};
    if (text[1] == '-') {
        find_long(parser, command, text, &token);
    } else if (text[2] == '\0') {
        token.flag = find_flag(parser, command, token.name, text[1]);
    }
    if (token.flag == NULL || !token.flag->takes_value || token.value != NULL ||
        i + 1 >= parser->argc) {
        return token;
    }
    /* "--plan --json" is a forgotten value more often than a plan named --json. */
    const char *value = parser->argv[i + 1];
    const bool is_flag = strcmp(value, "--") == 0 ||
                         (!is_word(value) && next_token(parser, command, i + 1).flag != NULL);
    if (!is_flag) {
        token.value = value;
        token.width = 2;
    }
    return token;
}

/* ---- secrets ---- */

/* Whether an argument, up to length, has the letters of a name: "--master_key", "--MasterKey". */
static bool is_spelled(const char *text, size_t length, const char *name)
{
    size_t i = 0;
    for (; *name != '\0'; name++) {
        if (*name == '-' || *name == '_') {
            continue;
        }
        while (i < length && (text[i] == '-' || text[i] == '_')) {
            i++;
        }
        if (i >= length || text_lower(text[i++]) != text_lower(*name)) {
            return false;
        }
    }
    return i == length;
}

/* Whether a secret is given here: as an option however it is spelled, or as its variable of the
 * environment that slipped behind the program's name. "master-key" alone may be anything's name. */
static bool has_secret(const Parser *parser, const char *text, OptionId id)
{
    const size_t length = strcspn(text, "=");
    const bool is_named = !is_word(text) || text[length] == '=';
    return is_named && (is_spelled(text, length, option_kind(id)->name) ||
                        is_spelled(text, length, option_env_name(parser->arena, id)));
}

static bool refuse_secret(const Parser *parser, OptionId id, Err *err)
{
    ERR_SET(err, ERR_USAGE, NULL,
            "--%s is not accepted on the command line: other users can see arguments with ps",
            option_kind(id)->name);
    err_hint(err, "set %s in the environment", option_env_name(parser->arena, id));
    return false;
}

/* Before anything else is looked at, so that no other message repeats the value. */
static bool check_secrets(const Parser *parser, Err *err)
{
    for (int id = 0; id < OPTION_COUNT_; id++) {
        for (size_t i = 1; option_kind((OptionId)id)->is_secret && i < parser->argc; i++) {
            if (has_secret(parser, parser->argv[i], (OptionId)id)) {
                return refuse_secret(parser, (OptionId)id, err);
            }
        }
    }
    return true;
}

/* ---- which command ---- */

static const char *call_words(const CliCall *call)
{
    return call->command != NULL ? call->command->words : call->noun != NULL ? call->noun : "";
}

static bool refuse_unknown(const Parser *parser, const CliCall *call, const Token *token, Err *err)
{
    const char *help = help_hint(parser, call_words(call));
    const CliCommand *command = call->command;
    if (command != NULL && flags_find(command->positionals, token->name, '\0') != NULL) {
        ERR_SET(err, ERR_USAGE, NULL, "\"%s\" is given by its position, not as an option",
                token->name);
        err_hint(err, "usage: %s", cli_usage(parser->arena, command));
        return false;
    }
    const CliFlags own = command != NULL ? command->flags : (CliFlags){0};
    const CliFlags globals = parser->catalog->globals;
    const char **names = ARENA_ARRAY(parser->arena, const char *, own.count + globals.count);
    for (size_t i = 0; i < own.count + globals.count; i++) {
        names[i] = i < own.count ? own.items[i].name : globals.items[i - own.count].name;
    }
    ERR_SET(err, ERR_USAGE, help, "there is no option \"%s\"", quoted(parser, token->text));
    const char *nearest = text_nearest(token->name, names, own.count + globals.count);
    if (nearest != NULL) {
        err_hint(err, "did you mean \"--%s\"? %s", nearest, help);
    }
    return false;
}

static bool check_utf8(const Parser *parser, Err *err)
{
    for (size_t i = 1; i < parser->argc; i++) {
        if (!text_is_utf8(parser->argv[i], strlen(parser->argv[i]), NULL)) {
            return ERR_SET(err, ERR_USAGE, "type it in UTF-8: see how the terminal is set",
                           "argument %zu is not valid UTF-8: \"%s\"", i,
                           quoted(parser, parser->argv[i]));
        }
    }
    return true;
}

/* A word that may be one of the command's. */
typedef struct Word {
    const char *text;
    Token option; /* an option that nothing knows, whose value the word may be; or none */
} Word;

static size_t collect_words(const Parser *parser, Word words[COMMAND_WORDS_MAX])
{
    size_t count = 0;
    Token option = {0};
    bool is_ended = false;
    for (size_t i = 1; i < parser->argc && count < COMMAND_WORDS_MAX;) {
        if (!is_ended && strcmp(parser->argv[i], "--") == 0) {
            is_ended = true;
            i++;
            continue;
        }
        const Token token = is_ended ? (Token){.is_word = true, .text = parser->argv[i], .width = 1}
                                     : next_token(parser, NULL, i);
        if (token.is_word) {
            words[count++] = (Word){token.text, option};
        }
        const bool wants_value = !token.is_word && token.flag == NULL && token.value == NULL;
        option = wants_value ? token : (Token){0};
        i += token.width;
    }
    return count;
}

static bool refuse_noun(const Parser *parser, const char *noun, const char *next, Err *err)
{
    ERR_SET(err, ERR_USAGE, help_hint(parser, ""), "there is no command \"%s\"",
            quoted(parser, noun));
    const char *nearest = text_nearest(noun, parser->catalog->nouns, parser->catalog->noun_count);
    if (next != NULL && catalog_find(parser->catalog, next, noun) != NULL) {
        err_hint(err, "did you mean \"%s %s\"? %s", next, noun, help_hint(parser, next));
    } else if (nearest != NULL) {
        err_hint(err, "did you mean \"%s\"? %s", nearest, help_hint(parser, ""));
    }
    return false;
}

static bool refuse_verb(const Parser *parser, const char *noun, const char *verb, Err *err)
{
    size_t count = 0;
    const char *const *verbs = catalog_verbs(parser->arena, parser->catalog, noun, &count);
    StrBuf list = strbuf_init(parser->arena);
    for (size_t i = 0; i < count; i++) {
        strbuf_printf(&list, "%s%s", i == 0 ? "" : ", ", verbs[i]);
    }
    const char *help = help_hint(parser, noun);
    if (verb == NULL) {
        return ERR_SET(err, ERR_USAGE, help, "\"%s %s\" needs one more word, one of %s",
                       CLI_PROGRAM, noun, list.text);
    }
    ERR_SET(err, ERR_USAGE, help, "\"%s\" has no command \"%s\", expected one of %s", noun,
            quoted(parser, verb), list.text);
    const char *nearest = text_nearest(verb, verbs, count);
    if (nearest != NULL) {
        err_hint(err, "did you mean \"%s %s\"? %s", noun, nearest, help);
    }
    return false;
}

/* A mistyped option is what is wrong, not its value: that may be a secret, and is not repeated. */
static bool refuse_word(const Parser *parser, const CliCall *call, const Word *word,
                        const char *next, Err *err)
{
    if (word->option.text != NULL) {
        return refuse_unknown(parser, call, &word->option, err);
    }
    return call->noun == NULL ? refuse_noun(parser, word->text, next, err)
                              : refuse_verb(parser, call->noun, word->text, err);
}

/* Sets command, or noun alone when only that was named. */
static bool find_command(const Parser *parser, const Word *words, size_t count, CliCall *call,
                         Err *err)
{
    if (count == 0) {
        return true;
    }
    call->command = catalog_find(parser->catalog, words[0].text, NULL);
    if (call->command != NULL) {
        return true;
    }
    if (!catalog_has_noun(parser->catalog, words[0].text)) {
        return refuse_word(parser, call, &words[0], count > 1 ? words[1].text : NULL, err);
    }
    call->noun = words[0].text;
    if (count > 1) {
        call->command = catalog_find(parser->catalog, words[0].text, words[1].text);
        return call->command != NULL || refuse_word(parser, call, &words[1], NULL, err);
    }
    return true;
}

/* ---- options and parameters ---- */

/* Where pass two puts what it finds; every array has room for argc. */
typedef struct Found {
    CliCall *call;
    ConfigFlag *flags;
    const CliFlag **given;
    const char **values;
    size_t words; /* words of the command still to skip */
    size_t positionals;
} Found;

static bool check_value(const Parser *parser, const CliCall *call, const Token *token, Err *err)
{
    const char *help = help_hint(parser, call_words(call));
    if (token->flag->takes_value && token->value == NULL) {
        return ERR_SET(err, ERR_USAGE, help, "option \"%s\" needs a value: %s", token->text,
                       token->flag->value_name);
    }
    const bool is_bool = !token->flag->takes_value && token->value != NULL;
    const bool is_special = token->flag->kind == CLI_FLAG_HELP ||
                            token->flag->kind == CLI_FLAG_VERSION;
    if (is_bool && (is_special || token->is_negated ||
                    (strcmp(token->value, "true") != 0 && strcmp(token->value, "false") != 0))) {
        return ERR_SET(err, ERR_USAGE, help, "option \"%s\" takes no value, got \"%s\"",
                       token->text, quoted(parser, token->value));
    }
    return true;
}

static bool put_param(const Parser *parser, Found *found, const CliFlag *flag, const char *value,
                      Err *err)
{
    CliCall *call = found->call;
    for (size_t i = 0; i < call->given_count && !flag->param->is_repeated; i++) {
        if (found->given[i] == flag) {
            return ERR_SET(err, ERR_USAGE, help_hint(parser, call_words(call)),
                           "option \"--%s\" is given twice", flag->name);
        }
    }
    found->given[call->given_count] = flag;
    found->values[call->given_count++] = value;
    return true;
}

static bool put_option(const Parser *parser, Found *found, const Token *token, Err *err)
{
    CliCall *call = found->call;
    if (token->flag == NULL) {
        return refuse_unknown(parser, call, token, err);
    }
    if (!check_value(parser, call, token, err)) {
        return false;
    }
    const char *value = token->value != NULL ? token->value : token->is_negated ? "false" : "true";
    switch (token->flag->kind) {
    case CLI_FLAG_HELP:
        call->is_help = true;
        return true;
    case CLI_FLAG_VERSION:
        call->is_version = true;
        return true;
    case CLI_FLAG_OPTION:
        found->flags[call->flag_count++] = (ConfigFlag){token->flag->option, value};
        return true;
    case CLI_FLAG_PARAM:
        return call->command == NULL || put_param(parser, found, token->flag, value, err);
    }
    return true;
}

static bool put_word(const Parser *parser, Found *found, const char *word, Err *err)
{
    if (found->words > 0) {
        found->words--;
        return true;
    }
    const CliCommand *command = found->call->command;
    if (command == NULL) {
        return true;
    }
    if (found->positionals >= command->positionals.count) {
        ERR_SET(err, ERR_USAGE, NULL, "\"%s\" does not take the argument \"%s\"", command->words,
                quoted(parser, word));
        err_hint(err, "usage: %s", cli_usage(parser->arena, command));
        return false;
    }
    return put_param(parser, found, &command->positionals.items[found->positionals++], word, err);
}

static bool put_all(const Parser *parser, Found *found, Err *err)
{
    bool is_ended = false;
    for (size_t i = 1; i < parser->argc;) {
        if (!is_ended && strcmp(parser->argv[i], "--") == 0) {
            is_ended = true;
            i++;
            continue;
        }
        if (is_ended) {
            if (!put_word(parser, found, parser->argv[i++], err)) {
                return false;
            }
            continue;
        }
        const Token token = next_token(parser, found->call->command, i);
        if (token.is_word ? !put_word(parser, found, token.text, err)
                          : !put_option(parser, found, &token, err)) {
            return false;
        }
        i += token.width;
    }
    return true;
}

static bool check_complete(const Parser *parser, const CliCall *call, Err *err)
{
    if (call->is_help || call->is_version) {
        return true;
    }
    if (call->command == NULL && call->noun != NULL) {
        return refuse_verb(parser, call->noun, NULL, err);
    }
    const CliCommand *command = call->command;
    for (const Param *param = command == NULL ? NULL : command->op->params;
         param != NULL && param->name != NULL; param++) {
        bool is_given = !param->is_required;
        for (size_t i = 0; i < call->given_count; i++) {
            is_given = is_given || call->given[i]->param == param;
        }
        if (!is_given) {
            ERR_SET(err, ERR_USAGE, NULL, "\"%s\" needs %s%s: %s", command->words,
                    param->is_positional ? "the argument " : "--", param->name, param->help);
            const size_t length = strlen(err->message);
            if (length > 0 && err->message[length - 1] == '.') {
                err->message[length - 1] = '\0'; /* help ends in a full stop, messages do not */
            }
            err_hint(err, "usage: %s", cli_usage(parser->arena, command));
            return false;
        }
    }
    return true;
}

bool cli_parse(Arena *arena, const Catalog *catalog, int argc, const char *const *argv,
               CliCall *ret_call, Err *err)
{
    const Parser parser = {arena, catalog, argc < 0 ? 0 : (size_t)argc, argv};
    CliCall call = {0};
    Word words[COMMAND_WORDS_MAX] = {0};
    if (!check_secrets(&parser, err) || !check_utf8(&parser, err)) {
        return false;
    }
    const size_t word_count = collect_words(&parser, words);
    if (!find_command(&parser, words, word_count, &call, err)) {
        return false;
    }
    Found found = {.call = &call,
                   .flags = ARENA_ARRAY(arena, ConfigFlag, parser.argc),
                   .given = ARENA_ARRAY(arena, const CliFlag *, parser.argc),
                   .values = ARENA_ARRAY(arena, const char *, parser.argc),
                   .words = call.command == NULL || call.command->verb != NULL ? 2 : 1};
    call.flags = found.flags;
    call.given = found.given;
    call.values = found.values;
    if (!put_all(&parser, &found, err) || !check_complete(&parser, &call, err)) {
        return false;
    }
    *ret_call = call;
    return true;
}

Json *cli_call_args(const CliCall *call)
{
    Json *args = json_object();
    for (size_t i = 0; i < call->given_count; i++) {
        const CliFlag *flag = call->given[i];
        if (!flag->param->is_repeated) {
            json_put_text(args, flag->name, call->values[i]);
            continue;
        }
        if (json_object_get(args, flag->name) == NULL) {
            json_put(args, flag->name, json_array());
        }
        json_array_append_new(json_object_get(args, flag->name), json_string(call->values[i]));
    }
    return args;
}

const char *cli_usage(Arena *arena, const CliCommand *command)
{
    StrBuf usage = strbuf_init(arena);
    strbuf_printf(&usage, "%s %s", CLI_PROGRAM, command->words);
    for (size_t i = 0; i < command->positionals.count; i++) {
        const CliFlag *flag = &command->positionals.items[i];
        strbuf_printf(&usage, flag->is_required ? " %s" : " [%s]", flag->value_name);
    }
    for (size_t i = 0; i < command->flags.count; i++) {
        const CliFlag *flag = &command->flags.items[i];
        if (flag->is_required) {
            strbuf_printf(&usage, " --%s %s", flag->name, flag->value_name);
        }
    }
    strbuf_add(&usage, " [options]");
    return usage.text;
}
