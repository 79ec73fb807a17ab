/* "-- lint:ignore RULE reason" before a statement: the rule's findings in it do not count. */
#include <string.h>

#include "blueprint/lint.h"
#include "core/text.h"

static const char mark[] = "lint:ignore";
static const char blanks[] = " \t\r";

typedef struct IgnoreWalk {
    Lint *lint;
    const LintStatement *statements; /* that a comment in the text may hold for */
    size_t count;
    int first_line; /* of the script, where the text begins */
    bool is_inner;  /* the text is a body */
} IgnoreWalk;

/* The statement that begins first behind a line; NULL when there is none. Those of a body are in
 * the order of PL/pgSQL's tree: what a loop does stands before the query that it is over. */
static const LintStatement *find_after(const IgnoreWalk *walk, int line)
{
    const LintStatement *found = NULL;
    for (size_t i = 0; i < walk->count; i++) {
        const LintStatement *statement = &walk->statements[i];
        if (statement->sql.line > line &&
            (found == NULL || statement->sql.line < found->sql.line)) {
            found = statement;
        }
    }
    return found;
}

/* How many statements of the script are in the body of the one at index. */
static size_t count_inner(const LintScript *script, size_t index)
{
    size_t end = index + 1;
    while (end < script->count && script->statements[end].is_inner) {
        end++;
    }
    return end - index - 1;
}

static const LintRuleInfo *find_rule(const char *name)
{
    size_t count = 0;
    const LintRuleInfo *rules = blueprint_lint_rules(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rules[i].name, name) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

static void report_unknown(const IgnoreWalk *walk, const char *name, int line)
{
    Lint *lint = walk->lint;
    size_t count = 0;
    const LintRuleInfo *rules = blueprint_lint_rules(&count);
    const char **names = ARENA_ARRAY(lint->arena, const char *, count);
    for (size_t i = 0; i < count; i++) {
        names[i] = rules[i].name;
    }
    const char *nearest = text_nearest(name, names, count);
    const char *shown = text_quote(lint->arena, name, LINT_SHOWN_BYTES);
    lint_report_at(lint, LINT_RULE_ignore_unknown,
                   nearest == NULL
                       ? arena_printf(lint->arena, "\"%s\"", shown)
                       : arena_printf(lint->arena, "\"%s\" (did you mean \"%s\"?)", shown, nearest),
                   lint->file, line, walk->is_inner);
}

static void add_ignore(const IgnoreWalk *walk, const char *rule, const char *reason, int line,
                       const LintStatement *statement)
{
    Lint *lint = walk->lint;
    LintIgnore *ignore = ARENA_NEW(lint->arena, LintIgnore);
    *ignore = (LintIgnore){.next = lint->ignores,
                           .rule = rule,
                           .reason = reason,
                           .file = lint->file,
                           .line = line,
                           .statement_line = statement == NULL ? 0 : statement->sql.line,
                           .is_inner = walk->is_inner};
    lint->ignores = ignore;
}

/* Without the blanks around it. */
static const char *read_reason(Arena *arena, const char *text)
{
    text += strspn(text, blanks);
    size_t length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]) != NULL) {
        length--;
    }
    return arena_strndup(arena, text, length);
}

/* text is what follows the mark. */
static void read_ignore(const IgnoreWalk *walk, const char *text, int line)
{
    Lint *lint = walk->lint;
    text += strspn(text, blanks);
    const size_t width = strcspn(text, blanks);
    const char *name = arena_strndup(lint->arena, text, width);
    const char *reason = read_reason(lint->arena, text + width);
    const LintRuleInfo *rule = find_rule(name);
    const LintStatement *statement = find_after(walk, line);
    /* In a body all findings are warnings. */
    const bool is_of_body = walk->is_inner ||
                            (statement != NULL && (statement->body != NULL || statement->is_inner));
    const char *subject = arena_printf(lint->arena, "\"%s\"",
                                       text_quote(lint->arena, name, LINT_SHOWN_BYTES));
    if (rule == NULL) {
        report_unknown(walk, name, line);
    } else if (rule->severity == LINT_ERROR && !is_of_body) {
        lint_report_at(lint, LINT_RULE_ignore_refused, subject, lint->file, line, false);
    } else if (*reason == '\0') {
        lint_report_at(lint, LINT_RULE_ignore_without_reason, subject, lint->file, line,
                       walk->is_inner);
    } else {
        add_ignore(walk, rule->name, reason, line, statement);
    }
}

static void visit_comment(void *context, const char *comment, size_t length, int line)
{
    const IgnoreWalk *walk = context;
    const char *text = arena_strndup(walk->lint->arena, comment, length);
    if (strncmp(text, "--", strlen("--")) != 0) {
        return;
    }
    text += strlen("--");
    text += strspn(text, blanks);
    if (strncmp(text, mark, strlen(mark)) == 0 &&
        (text[strlen(mark)] == '\0' || strchr(blanks, text[strlen(mark)]) != NULL)) {
        read_ignore(walk, text + strlen(mark), walk->first_line + line - 1);
    }
}

void lint_note_ignores(Lint *lint, const char *text, const LintScript *script)
{
    IgnoreWalk walk = {
        .lint = lint, .statements = script->statements, .count = script->count, .first_line = 1};
    sql_comments_visit(text, visit_comment, &walk);
    for (size_t i = 0; i < script->count; i++) {
        if (script->statements[i].body != NULL) {
            IgnoreWalk inner = {.lint = lint,
                                .statements = &script->statements[i + 1],
                                .count = count_inner(script, i),
                                .first_line = script->statements[i].body_line,
                                .is_inner = true};
            sql_comments_visit(script->statements[i].body, visit_comment, &inner);
        }
    }
}

static void silence(Lint *lint, LintFinding *finding)
{
    for (LintIgnore *ignore = lint->ignores; ignore != NULL; ignore = ignore->next) {
        const bool is_its = ignore->statement_line == finding->line ||
                            ignore->statement_line == finding->statement_line;
        if (is_its && finding->severity != LINT_ERROR && strcmp(ignore->rule, finding->rule) == 0 &&
            strcmp(ignore->file, finding->file) == 0) {
            ignore->is_used = true;
            finding->silenced = ignore->reason;
            finding->silenced_line = ignore->line;
        }
    }
}

void lint_apply_ignores(Lint *lint)
{
    for (size_t i = 0; i < lint->count; i++) {
        silence(lint, &lint->findings[i]);
    }
    for (const LintIgnore *ignore = lint->ignores; ignore != NULL; ignore = ignore->next) {
        if (!ignore->is_used) {
            lint_report_at(lint, LINT_RULE_ignore_unused,
                           arena_printf(lint->arena, "\"%s\"", ignore->rule), ignore->file,
                           ignore->line, ignore->is_inner);
        }
    }
}
