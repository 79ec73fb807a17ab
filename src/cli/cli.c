#include "cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/builtin.h"
#include "cli/catalog.h"
#include "cli/help.h"
#include "cli/interrupt.h"
#include "cli/parse.h"
#include "cli/progress.h"
#include "cli/render.h"
#include "cli/report.h"
#include "core/choices.h"
#include "core/clock.h"
#include "core/log.h"

enum { DEFAULT_COLUMNS = 80, OUTPUT_BYTES = 65536 };

typedef struct Session {
    Arena *arena;
    const Catalog *catalog;
    const char *program;
    ReportStyle style;
    const Config *config;
    int flush_errno;         /* of the first push_output that failed */
    const char *hint_unread; /* what to do when the answer cannot be written */
} Session;

static const char *environ_get(const char *name)
{
    return getenv(name);
}

/* Whether an error that comes before the options are read should be JSON. */
static bool wants_json(int argc, const char *const *argv)
{
    const char *environment = getenv("TENANTRY_JSON");
    bool is_json = environment != NULL && strcmp(environment, "true") == 0;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "--json=true") == 0) {
            is_json = true;
        } else if (strcmp(argv[i], "--no-json") == 0 || strcmp(argv[i], "--json=false") == 0) {
            is_json = false;
        }
    }
    return is_json;
}

/* The colour for such an error; what is no value of the option is told later. */
static const char *wanted_colour(int argc, const char *const *argv)
{
    static const char flag[] = "--color";
    const char *colour = getenv("TENANTRY_COLOR");
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], flag) == 0 && i + 1 < argc) {
            colour = argv[i + 1];
        } else if (strncmp(argv[i], flag, strlen(flag)) == 0 && argv[i][strlen(flag)] == '=') {
            colour = argv[i] + sizeof flag;
        }
    }
    return colour != NULL && choices_has(option_kind(OPT_COLOR)->choices, colour) ? colour : "auto";
}

/* What cannot be written is given up: a second call would not fail again, nor say why. */
static bool push_output(Session *session)
{
    errno = 0;
    if (fflush(stdout) == 0) {
        return true;
    }
    session->flush_errno = session->flush_errno == 0 ? errno : session->flush_errno;
    return false;
}

/* What was changed stays so when nobody can read the answer, and the passwords of a tenant can be
 * had once more. */
static const char *hint_unread(Arena *arena, const Operation *op, const Json *args,
                               const Json *answer)
{
    static const char *const again[] = {[OP_COMMAND] = NULL, [OP_JOB] = "job list"};
    if (op->kind == OP_QUERY || json_get_bool(args, "dry-run", false)) {
        return NULL;
    }
    const char *command = op->again != NULL ? op->again : again[op->kind];
    return command == NULL
               ? "the command itself was done, only its answer is lost"
               : arena_printf(arena,
                              "the command itself was done, only its answer is lost: see "
                              "\"%s %s\"",
                              CLI_PROGRAM, render_sentence(arena, command, answer));
}

/* Pushes the answer out. A reader that went away (head) is no error; a full disk is. */
static bool flush_output(Session *session, Err *err)
{
    const bool had_error = ferror(stdout) != 0;
    if (push_output(session) && !had_error) {
        return true;
    }
    const int number = session->flush_errno;
    const char *hint = session->hint_unread != NULL ? session->hint_unread
                                                    : "nothing was changed: write it elsewhere";
    if (number == EPIPE || number == 0) {
        return number == EPIPE || ERR_SET(err, ERR_IO, hint, "cannot write to standard output");
    }
    return ERR_SET(err, number == ENOSPC ? ERR_DISK_FULL : ERR_IO, hint,
                   "cannot write to standard output: %s", strerror(number));
}

static int finish(Session *session, bool is_done, Err *err)
{
    if (is_done && flush_output(session, err)) {
        return EXIT_SUCCESS;
    }
    return report_error(stderr, &session->style, err);
}

static size_t terminal_columns(void)
{
    struct winsize size = {0};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : DEFAULT_COLUMNS;
}

/* The operating system's user, for the audit log. */
static const char *find_actor(Arena *arena)
{
    const struct passwd *user = getpwuid(getuid());
    return user != NULL ? arena_printf(arena, "os:%s", user->pw_name)
                        : arena_printf(arena, "os:%lu", (unsigned long)getuid());
}

static Progress make_progress(const Config *config)
{
    const bool is_terminal = isatty(STDERR_FILENO) == 1;
    const char *term = getenv("TERM");
    const bool can_redraw = term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
    return (Progress){
        .out = stderr,
        .in = is_terminal && isatty(STDIN_FILENO) == 1 ? stdin : NULL,
        .is_silent = config_bool(config, OPT_QUIET) || config_bool(config, OPT_JSON),
        /* With all those of -v, lines would tear the bar. */
        .has_bar = is_terminal && can_redraw && !config_bool(config, OPT_VERBOSE),
        .columns = terminal_columns(),
    };
}

/* The document that an answer is, for people; NULL when it is none. */
static const char *find_document(const Operation *op, const Json *answer)
{
    return op->document == NULL ? NULL : json_get_text(answer, op->document, NULL);
}

static void print_answer(const Session *session, const Operation *op, const Json *answer)
{
    if (config_bool(session->config, OPT_QUIET) && op->kind != OP_QUERY &&
        !config_bool(session->config, OPT_JSON)) {
        return;
    }
    if (config_bool(session->config, OPT_JSON)) {
        render_json(stdout, answer, isatty(STDOUT_FILENO) == 1);
    } else if (find_document(op, answer) != NULL) {
        fputs(find_document(op, answer), stdout);
    } else {
        render_answer(stdout, op, answer, config_bool(session->config, OPT_VERBOSE));
    }
}

/* Until the next command, which mostly never comes: to free the values of a long list one by one
 * takes a fifth of the time that the list takes. */
static void keep(Json *answer)
{
    static Json *kept;
    json_decref(kept);
    kept = answer;
}

static bool run_operation(Session *session, const Operation *op, const Json *args, Err *err)
{
    Progress progress = make_progress(session->config);
    if (progress.has_bar) {
        log_set_eraser(PROGRESS_ERASE_LINE);
    }
    OpContext context = {.arena = session->arena,
                         .config = session->config,
                         .program = session->program,
                         .actor = find_actor(session->arena),
                         .progress = progress_callbacks(&progress)};
    Json *answer = NULL;
    const int64_t start_us = clock_monotonic_us();
    log_info("operation.begin", "%s", op->name);
    interrupt_explain(op->kind != OP_QUERY);
    bool is_done = op->run(&context, args, &answer, err);
    interrupt_explain(false);
    progress_done(&progress);
    log_info("operation.end", "%s after %" PRId64 " ms: %s", op->name,
             (clock_monotonic_us() - start_us) / 1000,
             is_done ? "done" : err_kind(err->code)->wire);
#ifndef NDEBUG
    is_done = is_done && op_check_answer(op->result, answer, err);
#endif
    /* An operation that found something wrong answers and fails. */
    if (answer != NULL) {
        print_answer(session, op, answer);
        session->hint_unread = hint_unread(session->arena, op, args, answer);
    }
    if (is_done && context.after != NULL) {
        push_output(session);
        context.after(&context);
    }
    op_context_done(&context);
    keep(answer);
    return is_done;
}

static bool load_config(Session *session, const CliCall *call, Err *err)
{
    if (!config_load(session->arena, call->flags, call->flag_count, environ_get, &session->config,
                     err)) {
        return false;
    }
    session->style.is_json = config_bool(session->config, OPT_JSON);
    session->style.has_colour = report_has_colour(stderr, config_text(session->config, OPT_COLOR),
                                                  environ_get);
    log_set_level(config_bool(session->config, OPT_VERBOSE) ? LOG_LEVEL_INFO : LOG_LEVEL_WARN);
    return true;
}

/* No shell expands the ~ of --output=~/report. */
static bool resolve_paths(Session *session, const Operation *op, Json *args, Err *err)
{
    for (const Param *param = op->params; param != NULL && param->name != NULL; param++) {
        const char *path = param->type == PARAM_PATH ? json_get_text(args, param->name, NULL)
                                                     : NULL;
        if (path == NULL) {
            continue;
        }
        const char *where = arena_printf(session->arena, "parameter \"%s\"", param->name);
        if (!config_path(session->arena, session->config, path, where, &path, err)) {
            return false;
        }
        json_put_text(args, param->name, path);
    }
    return true;
}

static bool run_command(Session *session, const CliCall *call, Err *err)
{
    const Operation *op = call->command->op;
    scoped_json Json *raw = cli_call_args(call);
    scoped_json Json *args = NULL;
    if (!op_check_args(op, raw, &args, err)) {
        if (*err->hint == '\0') {
            err_hint(err, "see \"%s %s --help\"", CLI_PROGRAM, call->command->words);
        }
        return false;
    }
    if (op->run == NULL) {
        /* Before the configuration is read: help must work when that is broken. */
        return builtin_print(stdout, session->catalog, op, args, session->style.is_json, err);
    }
    return load_config(session, call, err) && resolve_paths(session, op, args, err) &&
           run_operation(session, op, args, err);
}

static bool run_call(Session *session, const CliCall *call, Err *err)
{
    if (call->is_help) {
        if (call->command != NULL) {
            help_write_command(stdout, call->command);
        } else if (call->noun != NULL) {
            help_write_noun(stdout, session->catalog, call->noun);
        } else {
            help_write_overview(stdout, session->catalog);
        }
        return true;
    }
    if (call->is_version) {
        const CliCommand *version = catalog_find(session->catalog, "version", NULL);
        return builtin_print(stdout, session->catalog, version->op, NULL, session->style.is_json,
                             err);
    }
    if (call->command == NULL) {
        if (!session->style.is_json) {
            help_write_overview(stderr, session->catalog);
            putc('\n', stderr);
        }
        return ERR_SET(err, ERR_USAGE, "see \"" CLI_PROGRAM " --help\"", "no command was given");
    }
    return run_command(session, call, err);
}

int cli_main(int argc, const char *const *argv)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    /* A closed pipe is an error of write, not a death in the middle of a job. SIGINT kills, as
     * ever: jobs are durable, so dying at any point loses nothing, and no state of the terminal
     * needs to be put back. */
    signal(SIGPIPE, SIG_IGN);
    static char output[OUTPUT_BYTES]; /* as much as a pipe takes: a long list in few writes */
    if (isatty(STDOUT_FILENO) != 1) {
        setvbuf(stdout, output, _IOFBF, sizeof output);
    }
    scoped_arena Arena *arena = arena_new();
    size_t op_count = 0;
    size_t builtin_count = 0;
    const Operation *const *ops = op_table(&op_count);
    const Operation *builtins = builtin_table(&builtin_count);
    Session session = {
        .arena = arena,
        .catalog = catalog_new(arena, ops, op_count, builtins, builtin_count),
        .program = argc > 0 ? argv[0] : CLI_PROGRAM,
        .style = {.is_json = wants_json(argc, argv),
                  .has_colour = report_has_colour(stderr, wanted_colour(argc, argv), environ_get)},
    };
    CliCall call;
    Err err;
    const bool is_done = cli_parse(arena, session.catalog, argc, argv, &call, &err) &&
                         run_call(&session, &call, &err);
    return finish(&session, is_done, &err);
}
