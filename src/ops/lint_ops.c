/* Linting: of a blueprint folder, and of what a rollout would run. Both show the same findings. */
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/limits.h"
#include "core/text.h"
#include "ops/context.h"
#include "ops/lint_answer.h"
#include "ops/lint_format.h"

/* What was linted, and what was found. */
typedef struct Linted {
    const char *path;   /* as it was given */
    const char *folder; /* that the files of findings are in */
    const char *name;   /* of the blueprint; NULL when there is none, or none that can be read */
    const LintFinding *findings;
    size_t count;
    int64_t errors; /* of those that count */
    int64_t warnings;
    bool is_read;
} Linted;

/* What cannot be read as a blueprint is one finding too, when its message is "FILE:LINE: what". */
static bool finding_of_error(Arena *arena, const char *folder, const Err *err,
                             LintFinding *ret_finding)
{
    const size_t folder_length = strlen(folder);
    const char *text = err->message;
    if (folder_length > 0 && strncmp(text, folder, folder_length) == 0 &&
        text[folder_length] == '/') {
        text += folder_length + 1; /* as the linter names files */
    }
    for (const char *at = strchr(text, ':'); at != NULL; at = strchr(at + 1, ':')) {
        char *end = NULL;
        const long line = strtol(at + 1, &end, 10);
        if (end > at + 1 && strncmp(end, ": ", strlen(": ")) == 0) {
            const bool is_sql = at - text > 4 && strncmp(at - 4, ".sql", strlen(".sql")) == 0;
            *ret_finding = (LintFinding){
                .severity = LINT_ERROR,
                .rule = is_sql ? "syntax" : "manifest",
                .file = arena_strndup(arena, text, (size_t)(at - text)),
                .line = (int)line,
                .message = arena_strdup(arena, end + strlen(": ")),
                .docs = is_sql ? "docs/blueprints.md#migrations"
                               : "docs/blueprints.md#the-manifest",
                .hint = *err->hint == '\0' ? NULL : arena_strdup(arena, err->hint)};
            return true;
        }
    }
    return false;
}

static bool lint_pack(Arena *arena, Linted *linted, Err *err)
{
    Blueprint *blueprint = NULL;
    if (!blueprint_load_folder(arena, linted->folder, &blueprint, err)) {
        return false;
    }
    linted->name = blueprint->name;
    return blueprint_lint(arena, blueprint, &linted->findings, &linted->count, err);
}

/* The rest of linted, once what could be read was read. */
static bool conclude(Arena *arena, bool is_read, Linted *linted, Err *err)
{
    LintFinding *unreadable = ARENA_NEW(arena, LintFinding);
    if (!is_read) {
        if (err->code != ERR_BLUEPRINT_INVALID ||
            !finding_of_error(arena, linted->folder, err, unreadable)) {
            return false;
        }
        linted->findings = unreadable;
        linted->count = 1;
    }
    for (size_t i = 0; i < linted->count; i++) {
        const LintFinding *finding = &linted->findings[i];
        linted->errors += finding->severity == LINT_ERROR ? 1 : 0;
        linted->warnings += finding->severity != LINT_ERROR && finding->silenced == NULL ? 1 : 0;
    }
    linted->is_read = is_read;
    return true;
}

const Field lint_finding_fields[] = {
    {"severity", FIELD_TEXT, .help = "severity"},
    {"file", FIELD_TEXT, .help = "file"},
    {"line", FIELD_INT, .help = "line"},
    {"column", FIELD_INT, .is_nullable = true, .is_wide = true,
     .help = "column of the statement's first word, in characters"},
    {"rule", FIELD_TEXT, .help = "rule"},
    {"message", FIELD_TEXT, .help = "what is wrong"},
    {"hint", FIELD_TEXT, .is_nullable = true, .is_wide = true, .help = "what to do"},
    {"docs", FIELD_TEXT, .is_wide = true, .help = "where it is explained"},
    {0},
};

static Json *to_answer(const Linted *linted)
{
    Json *list = json_array();
    for (size_t i = 0; i < linted->count; i++) {
        if (linted->findings[i].silenced == NULL) {
            json_array_append_new(list, blueprint_finding_to_json(&linted->findings[i]));
        }
    }
    Json *answer = json_object();
    json_put_text(answer, "name", linted->name);
    json_put_int(answer, "errors", linted->errors);
    json_put_int(answer, "warnings", linted->warnings);
    json_put(answer, "findings", list);
    return answer;
}

static bool fail_errors(OpContext *context, const Linted *linted, Err *err)
{
    return ERR_SET(err, ERR_BLUEPRINT_INVALID,
                   config_bool(context->config, OPT_VERBOSE) ||
                           config_bool(context->config, OPT_JSON)
                       ? "do what the hint of each finding says"
                       : "-v shows what to do about each",
                   "%s\"%s\" has %" PRId64 " %s", linted->name != NULL ? "blueprint " : "",
                   linted->name != NULL ? linted->name : linted->path, linted->errors,
                   linted->errors == 1 ? "error" : "errors");
}

/* --- blueprint lint --------------------------------------------------------------------------- */

static bool run_blueprint_lint(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Linted linted = {.path = json_get_text(args, "path", "")};
    linted.folder = linted.path;
    const bool is_read = lint_pack(context->arena, &linted, err);
    if (!conclude(context->arena, is_read, &linted, err)) {
        return false;
    }
    *ret_answer = to_answer(&linted);
    return is_read && (linted.errors == 0 || fail_errors(context, &linted, err));
}

const Operation op_blueprint_lint = {
    .name = "blueprint.lint",
    .summary = "Check a blueprint folder without adding it; needs no database.",
    .description =
        "Exit status 65 when there are errors, which \"blueprint add\" would refuse. What "
        "cannot be read is one finding, of the rule \"manifest\" or \"syntax\".",
    .access = ACCESS_PUBLIC,
    .kind = OP_QUERY,
    .params = (const Param[]){{"path", PARAM_PATH, .is_positional = true, .is_required = true,
                               .help = "The folder with blueprint.yaml and migrations/."},
                              {0}},
    .result = (const Field[]){{"name", FIELD_TEXT, .is_nullable = true,
                               .help = "the blueprint; null when it cannot be read"},
                              {"errors", FIELD_INT,
                               .help = "findings that \"blueprint add\" refuses"},
                              {"warnings", FIELD_INT, .help = "findings to think about"},
                              {"findings", FIELD_LIST, .fields = lint_finding_fields,
                               .help = "by file and line"},
                              {0}},
    .examples = (const OpExample[]){{"blueprint lint ./packs/crm", "before adding it"}, {0}},
    .run = run_blueprint_lint,
};

/* --- migrate lint ----------------------------------------------------------------------------- */

/* The pack that a migration is in: the folder above "migrations" that has a manifest; or NULL. */
static const char *find_pack(Arena *arena, const char *path)
{
    char real[PATH_MAX];
    if (realpath(path, real) == NULL) {
        return NULL;
    }
    const char *folder = arena_strdup(arena, dirname(real));
    const char *last = strrchr(folder, '/');
    if (last == NULL || strcmp(last, "/migrations") != 0) {
        return NULL;
    }
    const char *pack = arena_strndup(arena, folder, (size_t)(last - folder));
    return file_exists(arena_printf(arena, "%s/blueprint.yaml", pack)) ? pack : NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* Of a pack's findings those in one migration, with the file named as it was given. */
static void keep_file(Arena *arena, Linted *linted)
{
    const char *base = base_name(linted->path);
    const char *file = arena_printf(arena, "migrations/%s", base);
    LintFinding *kept = ARENA_ARRAY(arena, LintFinding, linted->count);
    size_t count = 0;
    for (size_t i = 0; i < linted->count; i++) {
        if (strcmp(linted->findings[i].file, file) == 0) {
            kept[count] = linted->findings[i];
            kept[count++].file = linted->path;
        }
    }
    linted->findings = kept;
    linted->count = count;
    linted->folder = "";
}

static bool lint_alone(Arena *arena, Linted *linted, Err *err)
{
    const char *text = NULL;
    size_t length = 0;
    linted->folder = "";
    if (!file_read(arena, linted->path, LIMIT_MIGRATION_BYTES, &text, &length, err)) {
        return false;
    }
    if (strlen(text) != length || !text_is_utf8(text, length, NULL)) {
        return ERR_SET(err, ERR_BLUEPRINT_INVALID, "save the file as UTF-8",
                       "%s:1: the text is not UTF-8, or has a NUL byte", linted->path);
    }
    return blueprint_lint_file(arena, linted->path, text, &linted->findings, &linted->count, err);
}

/* A folder is a pack; a file is one of a pack's migrations, or stands alone. */
static bool lint_path(Arena *arena, Linted *linted, Err *err)
{
    const size_t length = strlen(linted->path);
    const bool is_file = length > 4 && strcmp(linted->path + length - 4, ".sql") == 0;
    const char *pack = is_file ? find_pack(arena, linted->path) : NULL;
    if (is_file && pack == NULL) {
        return lint_alone(arena, linted, err);
    }
    linted->folder = pack == NULL ? linted->path : pack;
    if (!lint_pack(arena, linted, err)) {
        return false;
    }
    if (pack != NULL) {
        keep_file(arena, linted);
    }
    return true;
}

static const char *to_document(Arena *arena, const char *format, const Linted *linted,
                               const Json *answer)
{
    if (strcmp(format, "json") == 0) {
        return arena_printf(arena, "%s\n", json_to_text(arena, answer));
    }
    if (strcmp(format, "sarif") == 0) {
        scoped_json Json *log = lint_to_sarif(arena, linted->folder, linted->findings,
                                              linted->count);
        return arena_printf(arena, "%s\n", json_to_text(arena, log));
    }
    return strcmp(format, "github") == 0
               ? lint_to_github(arena, linted->folder, linted->findings, linted->count)
               : NULL;
}

static bool fail_findings(OpContext *context, const Linted *linted, bool is_strict, Err *err)
{
    if (linted->errors > 0) {
        return fail_errors(context, linted, err);
    }
    return !is_strict || linted->warnings == 0 ||
           ERR_SET(err, ERR_BLUEPRINT_INVALID,
                   "mend them, or write \"-- lint:ignore RULE reason\" before the statement",
                   "\"%s\" has %" PRId64 " %s", linted->path, linted->warnings,
                   linted->warnings == 1 ? "warning" : "warnings");
}

static bool run_migrate_lint(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Linted linted = {.path = json_get_text(args, "path", "")};
    const bool is_read = lint_path(context->arena, &linted, err);
    if (!conclude(context->arena, is_read, &linted, err)) {
        return false;
    }
    *ret_answer = to_answer(&linted);
    json_put_text(
        *ret_answer, "document",
        to_document(context->arena, json_get_text(args, "format", "text"), &linted, *ret_answer));
    return is_read && fail_findings(context, &linted, json_get_bool(args, "strict", false), err);
}

const Operation op_migrate_lint = {
    .name = "migrate.lint",
    .summary = "Check migrations for what hurts a running fleet; needs no database.",
    .description =
        "The findings are those of \"blueprint lint\". A file that is in no blueprint's folder is "
        "checked alone: tables that it does not create count as in use. \"-- lint:ignore RULE "
        "reason\" on the line before a statement leaves a warning out. Exit status 65 when there "
        "are errors, with --strict when there are warnings.",
    .access = ACCESS_PUBLIC,
    .kind = OP_QUERY,
    .params = (const Param[]){{"path", PARAM_PATH, .is_positional = true, .is_required = true,
                               .help = "A blueprint's folder, or a file of SQL."},
                              {"format", PARAM_ENUM, .fallback = "text",
                               .choices = "text|json|sarif|github",
                               .help = "For people, or for another program."},
                              {"strict", PARAM_BOOL, .help = "Warnings fail too."},
                              {0}},
    .result = (const Field[]){{"name", FIELD_TEXT, .is_nullable = true,
                               .help = "the blueprint; null of a file alone"},
                              {"errors", FIELD_INT, .help = "what a rollout must not run"},
                              {"warnings", FIELD_INT, .help = "what to think about"},
                              {"findings", FIELD_LIST, .fields = lint_finding_fields,
                               .help = "by file and line"},
                              {"document", FIELD_TEXT, .is_nullable = true, .is_wide = true,
                               .help = "the findings in the format that was asked for"},
                              {0}},
    .examples = (const OpExample[]){{"migrate lint ./packs/crm", "the whole blueprint"},
                                    {"migrate lint ./packs/crm --format github --strict",
                                     "in a workflow: notes beside the lines"},
                                    {"migrate lint V0007__more.sql", "one file"},
                                    {0}},
    .document = "document",
    .run = run_migrate_lint,
};
