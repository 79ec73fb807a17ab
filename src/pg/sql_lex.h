/* SQL tokens as far as telling text, comments and punctuation apart needs them; PostgreSQL's own
 * parser (sql_parse.c) knows the rest. Internal to the module. Any thread; does not block. */
#ifndef TENANTRY_PG_SQL_LEX_H
#define TENANTRY_PG_SQL_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"

typedef enum SqlTokenKind {
    SQL_TOKEN_SPACE,     /* white space or a comment */
    SQL_TOKEN_OPEN,      /* ( or [ */
    SQL_TOKEN_CLOSE,     /* ) or ] */
    SQL_TOKEN_SEPARATOR, /* , or ; */
    SQL_TOKEN_OTHER,     /* a word, a number, a string, one character of an operator */
} SqlTokenKind;

/* The kind and the length in bytes of the token at text, which is not at its end. What never ends
 * (a string, a comment) reaches to the end of the text; standard_conforming_strings is on. */
SqlTokenKind sql_lex_token(const char *text, size_t *ret_length);

/* The length of the comment that text begins with; 0 when it begins with none. */
size_t sql_lex_comment(const char *text);

/* How many bytes of white space and comments text begins with. */
size_t sql_lex_space(const char *text);

/* Whether no parse tree of text can be deeper than about max_tokens: one level takes at least one
 * token, and what commas separate is side by side. Errs on the safe side. On false ret_offset is
 * where the bound was passed. */
bool sql_lex_is_shallow(const char *text, size_t max_tokens, size_t *ret_offset);

#endif
