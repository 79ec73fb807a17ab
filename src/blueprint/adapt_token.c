/* Tokens of a script, one after another. */
#include <string.h>

#include "blueprint/adapt.h"
#include "core/text.h"
#include "pg/sql_lex.h"

bool adapt_next(const char **at, const char *end, char before, AdaptToken *ret_token)
{
    while (*at < end) {
        size_t length = 0;
        const char *start = *at;
        const SqlTokenKind kind = sql_lex_token(start, &length);
        /* The lexer does not know where a body ends: in "users$$" the name would go on. */
        length = length < (size_t)(end - start) ? length : (size_t)(end - start);
        *at = start + length;
        if (kind != SQL_TOKEN_SPACE) {
            *ret_token = (AdaptToken){.text = start, .length = length, .before = before};
            return true;
        }
    }
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

const char *adapt_name(Arena *arena, const AdaptToken *token)
{
    char *name = arena_strndup(arena, token->text, token->length);
    size_t length = 0;
    if (*token->text == '"' && token->length > 2) {
        for (size_t i = 1; i + 1 < token->length; i++) {
            name[length++] = token->text[i];
            i += token->text[i] == '"' ? 1 : 0; /* it is doubled */
        }
        name[length] = '\0';
        return name;
    }
    /* E'...' begins with a letter and is one token. */
    if (!is_letter(*token->text) || token->text[token->length - 1] == '\'') {
        return NULL;
    }
    for (; name[length] != '\0'; length++) {
        name[length] = text_lower(name[length]);
    }
    return name;
}

bool adapt_is_word(const AdaptToken *token, const char *word)
{
    const size_t width = strlen(word);
    if (*token->text == '"') {
        return token->length == width + 2 && strncmp(token->text + 1, word, width) == 0;
    }
    if (token->length != width) {
        return false;
    }
    for (size_t i = 0; i < width; i++) {
        if (text_lower(token->text[i]) != word[i]) {
            return false;
        }
    }
    return true;
}
