#include "pg/sql_lex.h"

#include <string.h>
#include <strings.h>

#include "core/array.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_word_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t line_comment_length(const char *text)
{
    return strcspn(text, "\r\n");
}

/* Comments in C style nest in SQL. */
static size_t block_comment_length(const char *text)
{
    size_t depth = 1;
    size_t i = 2;
    while (depth > 0 && text[i] != '\0') {
        if (text[i] == '/' && text[i + 1] == '*') {
            depth++;
            i += 2;
        } else if (text[i] == '*' && text[i + 1] == '/') {
            depth--;
            i += 2;
        } else {
            i++;
        }
    }
    return i;
}

size_t sql_lex_comment(const char *text)
{
    if (text[0] == '-' && text[1] == '-') {
        return line_comment_length(text);
    }
    return text[0] == '/' && text[1] == '*' ? block_comment_length(text) : 0;
}

/* 0 when there is none here. */
static size_t space_or_comment_length(const char *text)
{
    size_t length = sql_lex_comment(text);
    if (length > 0) {
        return length;
    }
    while (is_space(text[length])) {
        length++;
    }
    return length;
}

size_t sql_lex_space(const char *text)
{
    size_t length = 0;
    for (size_t step = 0; (step = space_or_comment_length(text + length)) > 0;) {
        length += step;
    }
    return length;
}

/* From the opening quote to behind the closing one; a doubled quote is part of the text. */
static size_t quoted_length(const char *text, bool has_escapes)
{
    const char quote = text[0];
    size_t i = 1;
    while (text[i] != '\0') {
        const bool is_escape = has_escapes && text[i] == '\\' && text[i + 1] != '\0';
        const bool is_doubled = text[i] == quote && text[i + 1] == quote;
        if (text[i] == quote && !is_doubled) {
            return i + 1;
        }
        i += is_escape || is_doubled ? 2 : 1;
    }
    return i;
}

/* An E'' string goes on, escapes and all, in a quote on a following line. */
static size_t escape_string_length(const char *text)
{
    size_t length = quoted_length(text, true);
    for (;;) {
        const size_t gap = sql_lex_space(text + length);
        if (text[length + gap] != '\'' || memchr(text + length, '\n', gap) == NULL) {
            return length;
        }
        length += gap + quoted_length(text + length + gap, true);
    }
}

/* $tag$ ... $tag$, or the single $ of what is none. */
static size_t dollar_length(const char *text)
{
    size_t tag = 1;
    if (is_word_start(text[tag])) {
        while (is_word_start(text[tag]) || is_digit(text[tag])) {
            tag++;
        }
    }
    if (text[tag] != '$') {
        return 1;
    }
    tag++;
    for (const char *end = text + tag; (end = strchr(end, '$')) != NULL; end++) {
        if (strncmp(end, text, tag) == 0) {
            return (size_t)(end - text) + tag;
        }
    }
    return strlen(text);
}

static size_t word_length(const char *text)
{
    if ((text[0] == 'e' || text[0] == 'E') && text[1] == '\'') {
        return 1 + escape_string_length(text + 1);
    }
    size_t length = 1;
    while (is_word_start(text[length]) || is_digit(text[length]) || text[length] == '$') {
        length++;
    }
    return length;
}

/* Letters behind digits belong to them ("1e5"), else a dollar quote could seem to begin here. */
static size_t number_length(const char *text)
{
    size_t length = 1;
    while (is_digit(text[length]) || text[length] == '.' || is_word_start(text[length])) {
        length++;
    }
    return length;
}

static size_t other_length(const char *text)
{
    if (is_word_start(text[0])) {
        return word_length(text);
    }
    if (is_digit(text[0])) {
        return number_length(text);
    }
    if (text[0] == '\'' || text[0] == '"') {
        return quoted_length(text, false);
    }
    return text[0] == '$' ? dollar_length(text) : 1;
}

SqlTokenKind sql_lex_token(const char *text, size_t *ret_length)
{
    const size_t space = space_or_comment_length(text);
    if (space > 0) {
        *ret_length = space;
        return SQL_TOKEN_SPACE;
    }
    *ret_length = other_length(text);
    switch (text[0]) {
    case '(':
    case '[':
        return SQL_TOKEN_OPEN;
    case ')':
    case ']':
        return SQL_TOKEN_CLOSE;
    case ',':
    case ';':
        return SQL_TOKEN_SEPARATOR;
    default:
        return SQL_TOKEN_OTHER;
    }
}

/* How deep the tree below one open bracket can be. Operators, casts, joins and the like nest as far
 * as there are tokens between two commas; set operations nest across commas. */
typedef struct Run {
    size_t tokens;         /* since the last separator */
    size_t deepest;        /* the most tokens between two separators before */
    size_t set_operations; /* UNION, INTERSECT, EXCEPT */
} Run;

static size_t run_depth(const Run *run)
{
    return run->set_operations + (run->tokens > run->deepest ? run->tokens : run->deepest);
}

static bool is_set_operation(const char *text, size_t length)
{
    static const char *const words[] = {"except", "intersect", "union"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (strlen(words[i]) == length && strncasecmp(words[i], text, length) == 0) {
            return true;
        }
    }
    return false;
}

static void run_separate(Run *run, bool is_end_of_statement)
{
    if (is_end_of_statement) {
        *run = (Run){0};
        return;
    }
    run->deepest = run->tokens > run->deepest ? run->tokens : run->deepest;
    run->tokens = 0;
}

/* The open brackets, and the sum of their depths. */
typedef struct Runs {
    Run *runs;
    size_t open;
    size_t total;
} Runs;

static void runs_add(Runs *runs, SqlTokenKind kind, const char *text, size_t length)
{
    Run *run = &runs->runs[runs->open];
    runs->total -= run_depth(run);
    if (kind == SQL_TOKEN_SEPARATOR) {
        run_separate(run, *text == ';' && runs->open == 0);
    } else if (kind == SQL_TOKEN_CLOSE && runs->open > 0) {
        /* What was in the bracket can be below what follows it: (a, b) + 1 + 1. */
        const size_t inner = run_depth(run);
        run = &runs->runs[--runs->open];
        runs->total -= run_depth(run);
        run->tokens += inner;
    } else if (kind != SQL_TOKEN_SPACE) {
        run->tokens++;
        run->set_operations += is_set_operation(text, length) ? 1 : 0;
    }
    runs->total += run_depth(run);
    if (kind == SQL_TOKEN_OPEN) {
        runs->runs[++runs->open] = (Run){0};
    }
}

bool sql_lex_is_shallow(const char *text, size_t max_tokens, size_t *ret_offset)
{
    scoped_arena Arena *arena = arena_new();
    /* An open bracket is a token: there are never more of them than max_tokens. */
    Runs runs = {.runs = ARENA_ARRAY(arena, Run, max_tokens + 2)};
    size_t length = 0;
    for (size_t i = 0; text[i] != '\0'; i += length) {
        const SqlTokenKind kind = sql_lex_token(text + i, &length);
        runs_add(&runs, kind, text + i, length);
        if (runs.total > max_tokens) {
            *ret_offset = i;
            return false;
        }
    }
    return true;
}
