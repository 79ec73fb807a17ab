#include "core/choices.h"

#include <string.h>

bool choices_has(const char *choices, const char *value)
{
    const size_t length = strlen(value);
    for (const char *word = choices; *word != '\0';) {
        const size_t word_length = strcspn(word, "|");
        if (word_length == length && memcmp(word, value, length) == 0) {
            return true;
        }
        word += word_length + (word[word_length] == '|');
    }
    return false;
}

const char *const *choices_split(Arena *arena, const char *choices, size_t *ret_count)
{
    const size_t length = choices == NULL ? 0 : strlen(choices);
    const char **words = ARENA_ARRAY(arena, const char *, length + 1);
    size_t count = 0;
    for (size_t i = 0; i < length;) {
        const size_t word_length = strcspn(choices + i, "|");
        words[count++] = arena_strndup(arena, choices + i, word_length);
        i += word_length + 1;
    }
    *ret_count = count;
    return words;
}
