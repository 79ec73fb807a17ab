/* Views and functions: replaced where that can be, and otherwise dropped and made anew with all
 * that is on them. */
#include <string.h>

#include "core/array.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "rollout/drift_mend.h"

/* --- what goes with a view or function -------------------------------------------------------- */

/* Whether the recipe is of something on the view or function that is looked at. */
static bool is_on(const Mending *mending, const DriftRecipe *recipe)
{
    if (text_is_same(mending->kind, "view")) {
        return recipe->needed != NULL && text_is_same(recipe->needed, mending->name);
    }
    return text_is_same(recipe->kind, "comment") &&
           text_is_same(recipe->name, arena_printf(mending->arena, "function %s", mending->name));
}

static bool is_there_unchanged(const Mending *mending, const DriftRecipe *recipe)
{
    const FingerprintLine *expected = drift_find_line(mending->reference, recipe->kind,
                                                      recipe->name);
    const FingerprintLine *found = mend_find_line(mending, recipe->kind, recipe->name);
    return expected != NULL && found != NULL &&
           text_is_same(found->definition, expected->definition);
}

const char *mend_comment(const Mending *mending, const char *kind, const char *name)
{
    const char *what = arena_printf(mending->arena, "%s %s", kind, name);
    for (size_t i = 0; i < mending->reference->recipe_count; i++) {
        const DriftRecipe *recipe = &mending->reference->recipes[i];
        if (text_is_same(recipe->kind, "comment") && text_is_same(recipe->name, what)) {
            return arena_printf(mending->arena, "; %s", mend_for_place(mending, recipe->statement));
        }
    }
    return "";
}

/* Triggers, rules and comments that are as they should be, and go with what they are on. They are
 * no difference, so nothing else makes them again; one that is missing or different comes later,
 * with a statement of its own. A trigger's comment comes with the trigger. */
static void add_what_is_on(const Mending *mending, StrBuf *out)
{
    static const char *const kinds[] = {"trigger", "rule", "comment"};
    for (size_t k = 0; k < ARRAY_COUNT(kinds); k++) {
        for (size_t i = 0; i < mending->reference->recipe_count; i++) {
            const DriftRecipe *recipe = &mending->reference->recipes[i];
            if (text_is_same(recipe->kind, kinds[k]) && is_on(mending, recipe) &&
                !text_begins_with(recipe->name, "trigger ") &&
                is_there_unchanged(mending, recipe)) {
                strbuf_printf(out, "; %s%s", mend_for_place(mending, recipe->statement),
                              mend_comment(mending, recipe->kind, recipe->name));
            }
        }
    }
}

const char *mend_view_defaults(const Mending *mending)
{
    StrBuf out = strbuf_init(mending->arena);
    for (size_t i = 0; i < mending->reference->recipe_count; i++) {
        const DriftRecipe *recipe = &mending->reference->recipes[i];
        const FingerprintLine *line = NULL;
        if (!text_is_same(mending->kind, "view") || !text_is_same(recipe->kind, "column default") ||
            !is_on(mending, recipe)) {
            continue;
        }
        line = drift_find_line(mending->reference, "column", recipe->name);
        if (line != NULL && strstr(line->definition, " default ") != NULL) {
            strbuf_printf(&out, "; %s", mend_for_place(mending, recipe->statement));
        }
    }
    return out.text;
}

/* All the rights that it should have, and those on columns of a view. */
static void add_rights_on(const Mending *mending, StrBuf *out)
{
    const char *name = arena_printf(mending->arena, "%s %s", mending->kind, mending->name);
    const char *column = arena_printf(mending->arena, "column %s.", mending->name);
    const bool is_view = text_is_same(mending->kind, "view");
    for (size_t i = 0; i < mending->reference->line_count; i++) {
        const FingerprintLine *line = &mending->reference->lines[i];
        if (!text_is_same(line->kind, "grants") ||
            (!text_is_same(line->name, name) &&
             !(is_view && text_begins_with(line->name, column)))) {
            continue;
        }
        Mending rights = *mending;
        rights.name = line->name;
        rights.expected = line->definition;
        rights.found = NULL;
        const char *granted = mend_grants(&rights);
        if (granted != NULL) {
            strbuf_printf(out, "; %s", granted);
        }
    }
}

/* --- whether it can be replaced --------------------------------------------------------------- */

/* A view may get columns at its end, and nothing else of its columns may be another. */
static bool may_replace_view(const Mending *mending)
{
    const size_t length = strlen(mending->name);
    for (size_t i = 0; i < mending->contents->count; i++) {
        const FingerprintLine *line = &mending->contents->lines[i];
        const FingerprintLine *same = NULL;
        if (!text_is_same(line->kind, "column") ||
            strncmp(line->name, mending->name, length) != 0 || line->name[length] != '.') {
            continue;
        }
        same = drift_find_line(mending->reference, "column", line->name);
        if (same == NULL || !text_is_same(same->definition, line->definition)) {
            return false;
        }
    }
    return true;
}

/* Of a function neither the arguments' defaults nor what it returns, which stand before its
 * language. */
static bool may_replace_function(const Mending *mending)
{
    static const char language[] = "\n LANGUAGE ";
    const char *end = strstr(mending->expected, language);
    const size_t length = end == NULL ? 0 : (size_t)(end - mending->expected) + strlen(language);
    return strncmp(mending->expected, mending->found, length) == 0;
}

const char *mend_code(const Mending *mending)
{
    const bool is_view = text_is_same(mending->kind, "view");
    const bool may_replace = is_view ? may_replace_view(mending) : may_replace_function(mending);
    const char *made = may_replace ? mend_make(mending) : mend_missing(mending);
    StrBuf out = strbuf_init(mending->arena);
    if (made == NULL) {
        return NULL;
    }
    if (may_replace) {
        strbuf_printf(&out, "%s%s", made, mend_view_defaults(mending));
        return out.text;
    }
    const char *dropping = mend_drop(mending);
    if (dropping == NULL) {
        return NULL;
    }
    strbuf_printf(&out, "%s; %s", dropping, made);
    add_rights_on(mending, &out);
    add_what_is_on(mending, &out);
    return out.text;
}
