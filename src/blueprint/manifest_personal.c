/* Which columns hold personal data: the list "personal_data" of blueprint.yaml. */
#include <string.h>

#include "blueprint/manifest.h"
#include "core/array.h"
#include "core/limits.h"
#include "core/text.h"

/* What the data says about a person. */
static const char *const categories[] = {"identity", "contact",    "financial", "location",
                                         "health",   "credential", "behaviour", "document"};

/* How a copy for people who may not see it hides the value. */
static const char *const masks[] = {"none", "hash", "partial", "email", "phone", "null", "fixed"};

/* What the time of keeping is counted from. */
static const char *const events[] = {
    "recorded", /* the row was written */
    "changed",  /* the row was last changed */
    "closed",   /* the person's account or contract ended */
    "dropped",  /* the tenant was dropped */
};

static const char *const units[] = {"day",   "days",   "week", "weeks",
                                    "month", "months", "year", "years"};

enum { KEEP_MOST = 1000 };

static bool is_one_of(const char *text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_category(const char *text)
{
    return is_one_of(text, categories, ARRAY_COUNT(categories));
}

static bool is_mask(const char *text)
{
    return is_one_of(text, masks, ARRAY_COUNT(masks));
}

static bool is_event(const char *text)
{
    return is_one_of(text, events, ARRAY_COUNT(events));
}

/* The part of text before the first mark, or NULL; ret_rest is what follows the mark. */
static const char *text_before(Arena *arena, const char *text, const char *mark,
                               const char **ret_rest)
{
    const char *at = strstr(text, mark);
    if (at == NULL) {
        return NULL;
    }
    *ret_rest = at + strlen(mark);
    return arena_strndup(arena, text, (size_t)(at - text));
}

/* "until EVENT" or "COUNT UNIT after EVENT". */
static bool is_keep(const char *text)
{
    static const char until[] = "until ";
    if (strncmp(text, until, strlen(until)) == 0) {
        return is_event(text + strlen(until));
    }
    scoped_arena Arena *arena = arena_new();
    const char *rest = NULL;
    const char *event = NULL;
    int64_t value = 0;
    const char *count = text_before(arena, text, " ", &rest);
    const char *unit = count == NULL ? NULL : text_before(arena, rest, " after ", &event);
    return unit != NULL && text_to_int(count, &value) && value >= 1 && value <= KEEP_MOST &&
           is_one_of(unit, units, ARRAY_COUNT(units)) && is_event(event);
}

static bool read_column(Arena *arena, const Spot *spot, BlueprintPersonal *personal, Err *err)
{
    static const char *const keys[] = {"table", "column", "category", "reason", "keep", "mask"};
    if (!spot_map(arena, spot, keys, ARRAY_COUNT(keys), err)) {
        return false;
    }
    const Spot table = spot_key(arena, spot, "table");
    const Spot column = spot_key(arena, spot, "column");
    const Spot category = spot_key(arena, spot, "category");
    const Spot reason = spot_key(arena, spot, "reason");
    const Spot keep = spot_key(arena, spot, "keep");
    const Spot mask = spot_key(arena, spot, "mask");
    personal->line = spot->node->line;
    return spot_text(arena, &table, is_plain_identifier, "the name of a table", &personal->table,
                     err) &&
           spot_text(arena, &column, is_plain_identifier, "the name of a column", &personal->column,
                     err) &&
           spot_text(arena, &category, is_category,
                     "identity, contact, financial, location, health, credential, behaviour or "
                     "document",
                     &personal->category, err) &&
           spot_title(arena, &reason, &personal->reason, err) &&
           spot_text(arena, &keep, is_keep,
                     "a time such as \"5 years after closed\", or \"until closed\" (or after "
                     "recorded, changed, dropped)",
                     &personal->keep, err) &&
           spot_text(arena, &mask, is_mask, "none, hash, partial, email, phone, null or fixed",
                     &personal->mask, err);
}

bool manifest_read_personal(Arena *arena, const Spot *spot, Blueprint *blueprint, Err *err)
{
    if (spot->node == NULL) {
        return true;
    }
    if (!spot_list(arena, spot, "a list of maps (table, column, category, reason, keep, mask)",
                   err)) {
        return false;
    }
    const size_t count = spot->node->count;
    if (count > LIMIT_PERSONAL_COLUMNS) {
        return spot_fail(spot, err, "expected at most %d columns, found %zu",
                         LIMIT_PERSONAL_COLUMNS, count);
    }
    BlueprintPersonal *personal = ARENA_ARRAY(arena, BlueprintPersonal, count);
    for (size_t i = 0; i < count; i++) {
        const Spot item = spot_item(arena, spot, i);
        if (!read_column(arena, &item, &personal[i], err)) {
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(personal[i].table, personal[j].table) == 0 &&
                strcmp(personal[i].column, personal[j].column) == 0) {
                return spot_fail(&item, err, "column \"%s\" of \"%s\" is in the list twice",
                                 personal[i].column, personal[i].table);
            }
        }
    }
    blueprint->personal = personal;
    blueprint->personal_count = count;
    return true;
}
