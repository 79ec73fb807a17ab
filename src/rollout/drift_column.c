/* Columns that are different: each part that differs is set by itself, and nothing that is as it
 * should be. */
#include <string.h>

#include "core/array.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "rollout/drift_mend.h"

/* Words behind a column's default, the last first, with the signs that follow each of them up to
 * the next. A default is an expression: it ends with none of them. */
typedef enum Word {
    WORD_INHERITED,
    WORD_OPTIONS,
    WORD_STATISTICS,
    WORD_COMPRESSION,
    WORD_STORAGE,
    WORD_IDENTITY,
    WORD_COUNT_
} Word;

static const struct {
    const char *word;
    const char *signs;
} words[WORD_COUNT_] = {
    [WORD_INHERITED] = {" inherited", ""},
    [WORD_OPTIONS] = {" with n_distinct", "abcdefghijklmnopqrstuvwxyz_=, .+-0123456789"},
    [WORD_STATISTICS] = {" statistics ", "0123456789"},
    [WORD_COMPRESSION] = {" compression ", "abcdefghijklmnopqrstuvwxyz"},
    [WORD_STORAGE] = {" storage ", "abcdefghijklmnopqrstuvwxyz"},
    [WORD_IDENTITY] = {" identity ", "abcdefghijklmnopqrstuvwxyz"},
};

/* What a line says of a column behind number, type and collation; "" of what it does not say. */
typedef struct Column {
    const char *not_null;
    const char *value; /* " default x", " generated s x" */
    const char *parts[WORD_COUNT_];
} Column;

static const char *find_last(const char *text, const char *word)
{
    const char *found = NULL;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        found = at;
    }
    return found;
}

static void take_tail(Arena *arena, char *text, Column *column)
{
    for (size_t i = 0; i < WORD_COUNT_; i++) {
        char *at = text + strlen(text);
        const char *last = find_last(text, words[i].word);
        const char *rest = last == NULL ? NULL : last + strlen(words[i].word);
        if (last != NULL && strspn(rest, words[i].signs) == strlen(rest)) {
            at = text + (last - text);
        }
        column->parts[i] = arena_strdup(arena, at);
        *at = '\0';
    }
}

/* False when number, type or collation are others than those of the shape. */
static bool read_column(Arena *arena, const char *definition, const char *shape, Column *ret_column)
{
    static const char not_null[] = " not null";
    if (!text_begins_with(definition, shape)) {
        return false;
    }
    char *text = arena_strdup(arena, definition + strlen(shape));
    const bool is_not_null = text_begins_with(text, not_null);
    take_tail(arena, text, ret_column);
    ret_column->not_null = is_not_null ? not_null : "";
    ret_column->value = is_not_null ? text + strlen(not_null) : text;
    return *ret_column->value == '\0' || text_begins_with(ret_column->value, " default ") ||
           text_begins_with(ret_column->value, " generated ");
}

static bool is_generated(const Column *column)
{
    return text_begins_with(column->value, " generated ");
}

/* What no statement sets. */
static bool may_set(const Column *expected, const Column *found)
{
    return text_is_same(expected->parts[WORD_INHERITED], found->parts[WORD_INHERITED]) &&
           text_is_same(expected->parts[WORD_IDENTITY], found->parts[WORD_IDENTITY]) &&
           (text_is_same(expected->value, found->value) ||
            (!is_generated(expected) && !is_generated(found)));
}

const char *mend_column(const Mending *mending)
{
    Column expected;
    Column found;
    StrBuf out = strbuf_init(mending->arena);
    const DriftRecipe *any = mend_find_recipe(mending, "column statistics", false);
    any = any != NULL ? any : mend_find_recipe(mending, "column default", false); /* of a view */
    if (any == NULL || !read_column(mending->arena, mending->expected, any->shape, &expected) ||
        !read_column(mending->arena, mending->found, any->shape, &found) ||
        !may_set(&expected, &found)) {
        return NULL;
    }
    const struct {
        const char *recipe;
        const char *expected;
        const char *found;
    } parts[] = {
        {"column default", expected.value, found.value},
        {"column not null", expected.not_null, found.not_null},
        {"column storage", expected.parts[WORD_STORAGE], found.parts[WORD_STORAGE]},
        {"column compression", expected.parts[WORD_COMPRESSION], found.parts[WORD_COMPRESSION]},
        {"column statistics", expected.parts[WORD_STATISTICS], found.parts[WORD_STATISTICS]},
        {"column options", expected.parts[WORD_OPTIONS], found.parts[WORD_OPTIONS]},
    };
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        const DriftRecipe *recipe = mend_find_recipe(mending, parts[i].recipe, false);
        if (recipe != NULL && !text_is_same(parts[i].expected, parts[i].found)) {
            strbuf_printf(&out, "%s%s", out.length == 0 ? "" : "; ",
                          mend_for_place(mending, recipe->statement));
        }
    }
    return out.length == 0 ? NULL : out.text;
}
