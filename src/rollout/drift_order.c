/* The order in which differences are told: that in which the statements that would mend them can
 * run. What is too much goes first, dependents before what they stand on; then all else is made,
 * the other way round. Views and functions that are too much and on which something stands that is
 * changed, not dropped, go last. */
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/embedded_file.h"
#include "core/json.h"
#include "core/text.h"
#include "rollout/drift_parts.h"

static const char level_path[] = "src/rollout/drift_level.sql";

/* Kinds that are dropped when they are too much, in that order. */
static const char *const drops[] = {
    "policy", "rule", "trigger", "view", "constraint", "index", "statistics", "function",
};

/* Kinds in the order in which they are made, or given what they lack. A function that stands on
 * nothing comes before columns, whose defaults may call it; one that does is among the views. */
typedef enum Stage {
    STAGE_ROLE,
    STAGE_TYPE,
    STAGE_SEQUENCE,
    STAGE_PLAIN_FUNCTION,
    STAGE_TABLE,
    STAGE_COLUMN,
    STAGE_KEY,
    STAGE_VIEW,
    STAGE_CHECK,
    STAGE_INDEX,
    STAGE_FOREIGN_KEY,
    STAGE_RULE,
    STAGE_TRIGGER,
    STAGE_POLICY,
    STAGE_GRANTS,
    STAGE_OWNER,
    STAGE_REST,
} Stage;

static const struct {
    const char *kind;
    Stage stage;
} stages[] = {
    {"column", STAGE_COLUMN},
    {"constraint", STAGE_CHECK},
    {"constraint trigger", STAGE_TRIGGER},
    {"default grants", STAGE_GRANTS},
    {"domain", STAGE_TYPE},
    {"domain constraint", STAGE_TYPE},
    {"function", STAGE_VIEW},
    {"grants", STAGE_GRANTS},
    {"index", STAGE_INDEX},
    {"materialized view", STAGE_VIEW},
    {"owner", STAGE_OWNER},
    {"partition", STAGE_TABLE},
    {"partition grants", STAGE_GRANTS},
    {"policy", STAGE_POLICY},
    {"role", STAGE_ROLE},
    {"rule", STAGE_RULE},
    {"sequence", STAGE_SEQUENCE},
    {"statistics", STAGE_INDEX},
    {"table", STAGE_TABLE},
    {"trigger", STAGE_TRIGGER},
    {"type", STAGE_TYPE},
    {"view", STAGE_VIEW},
};

/* A difference and its place in the order; the smallest first. */
typedef struct Ranked {
    FingerprintDifference difference;
    int64_t keys[3];
    size_t number; /* as it was found */
} Ranked;

bool drift_read_levels(Arena *arena, PgConn *conn, const char *schema, const char *alias,
                       const char *gone, DriftLevels *ret_levels, Err *err)
{
    const EmbeddedFile *file = embedded_file_find(level_path);
    scoped_rows PgRows *rows = NULL;
    if (file == NULL) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "\"%s\" is not in the binary", level_path);
    }
    if (!pg_query(conn, file->text, PG_PARAMS(schema, alias, gone), &rows, err)) {
        return false;
    }
    const size_t count = pg_rows_count(rows);
    DriftLevel *list = ARENA_ARRAY(arena, DriftLevel, count);
    for (size_t i = 0; i < count; i++) {
        list[i] = (DriftLevel){.kind = arena_strdup(arena, pg_rows_text(rows, i, 0)),
                               .name = arena_strdup(arena, pg_rows_text(rows, i, 1)),
                               .level = pg_rows_int(rows, i, 2),
                               .routine = arena_strdup(arena, pg_rows_text(rows, i, 3)),
                               .is_held = pg_rows_bool(rows, i, 4)};
    }
    *ret_levels = (DriftLevels){.list = list, .count = count};
    return true;
}

const DriftLevel *drift_find_level(const DriftLevels *levels, const char *kind, const char *name)
{
    for (size_t i = 0; i < levels->count; i++) {
        if (strcmp(levels->list[i].kind, kind) == 0 && strcmp(levels->list[i].name, name) == 0) {
            return &levels->list[i];
        }
    }
    return NULL;
}

static int64_t level_of(const DriftLevels *levels, const FingerprintLine *line)
{
    const DriftLevel *level = drift_find_level(levels, line->kind, line->name);
    return level == NULL ? 0 : level->level;
}

static bool is_foreign_key(const FingerprintLine *line)
{
    return strcmp(line->kind, "constraint") == 0 &&
           text_begins_with(line->definition, "FOREIGN KEY");
}

static Stage stage_of(const FingerprintLine *line, int64_t level)
{
    const bool is_constraint = strcmp(line->kind, "constraint") == 0;
    if (is_foreign_key(line)) {
        return STAGE_FOREIGN_KEY;
    }
    if (is_constraint && (text_begins_with(line->definition, "PRIMARY KEY") ||
                          text_begins_with(line->definition, "UNIQUE"))) {
        return STAGE_KEY;
    }
    if (strcmp(line->kind, "function") == 0 && level == 0) {
        return STAGE_PLAIN_FUNCTION;
    }
    for (size_t i = 0; i < ARRAY_COUNT(stages); i++) {
        if (strcmp(line->kind, stages[i].kind) == 0) {
            return stages[i].stage;
        }
    }
    return STAGE_REST;
}

/* When a difference is mended. */
enum { GOES_FIRST, IS_MADE, GOES_LAST };

/* All differences of a place, while they are put in order. */
typedef struct Order {
    const DriftReference *reference;
    const DriftLevels *found;
    Ranked *list;
    size_t count;
} Order;

static bool is_kind(const FingerprintLine *line, const char *kind)
{
    return strcmp(line->kind, kind) == 0;
}

/* Whether something that is made cannot be while the view or function has its name: another index,
 * a key's index, a function of other names for its arguments. */
static bool is_name_of(const FingerprintLine *code, const FingerprintLine *made)
{
    if (is_kind(code, "function")) {
        const size_t length = strcspn(code->name, "(") + 1;
        return is_kind(made, "function") && strncmp(code->name, made->name, length) == 0;
    }
    const char *point = is_kind(made, "constraint") ? strchr(made->name, '.') : NULL;
    return (is_kind(made, "index") && strcmp(code->name, made->name) == 0) ||
           (point != NULL && strcmp(code->name, point + 1) == 0);
}

static bool is_name_needed(const Order *order, const FingerprintLine *code)
{
    for (size_t i = 0; i < order->count; i++) {
        const FingerprintDifference *difference = &order->list[i].difference;
        if (difference->found == NULL && is_name_of(code, difference->expected)) {
            return true;
        }
    }
    return false;
}

/* Views and functions stand on one another: the highest go first, whichever kind they are. */
static bool rank_drop(const Order *order, const FingerprintLine *line, int64_t *keys)
{
    for (size_t i = 0; i < ARRAY_COUNT(drops); i++) {
        if (is_kind(line, drops[i])) {
            const DriftLevel *known = drift_find_level(order->found, line->kind, line->name);
            const int64_t level = known == NULL ? 0 : known->level;
            const bool is_high = level > 0 && is_kind(line, "function");
            const bool is_late = known != NULL && known->is_held && !is_name_needed(order, line);
            keys[0] = is_late ? GOES_LAST : GOES_FIRST;
            keys[1] = is_late ? 0 : is_high ? 3 : (int64_t)i; /* "view" */
            keys[2] = is_foreign_key(line) ? -1 : -level;
            return true;
        }
    }
    return false;
}

static void rank(const Order *order, Ranked *ranked)
{
    const FingerprintDifference *difference = &ranked->difference;
    if (difference->expected == NULL && rank_drop(order, difference->found, ranked->keys)) {
        return;
    }
    const FingerprintLine *line = difference->expected != NULL ? difference->expected
                                                               : difference->found;
    const int64_t level = level_of(&order->reference->levels, line);
    ranked->keys[0] = IS_MADE;
    ranked->keys[1] = stage_of(line, level);
    ranked->keys[2] = level;
}

static int compare(const void *a, const void *b)
{
    const Ranked *left = a;
    const Ranked *right = b;
    for (size_t i = 0; i < ARRAY_COUNT(left->keys); i++) {
        if (left->keys[i] != right->keys[i]) {
            return left->keys[i] < right->keys[i] ? -1 : 1;
        }
    }
    return (left->number > right->number) - (left->number < right->number);
}

static FingerprintWalk walk_of(const DriftReference *reference, const DriftContents *contents)
{
    return (FingerprintWalk){.expected = reference->lines,
                             .expected_count = reference->line_count,
                             .found = contents->lines,
                             .found_count = contents->count};
}

static size_t count_differences(const FingerprintWalk *walk)
{
    FingerprintWalk copy = *walk;
    FingerprintDifference difference;
    size_t count = 0;
    while (fingerprint_next(&copy, &difference)) {
        count++;
    }
    return count;
}

/* A view or function that should not be there. */
static bool is_extra_code(const FingerprintDifference *difference)
{
    const FingerprintLine *line = difference->expected == NULL ? difference->found : NULL;
    return line != NULL && (strcmp(line->kind, "view") == 0 || strcmp(line->kind, "function") == 0);
}

bool drift_read_contents_levels(Arena *arena, PgConn *conn, const char *alias,
                                const DriftReference *reference, DriftContents *contents, Err *err)
{
    FingerprintWalk walk = walk_of(reference, contents);
    FingerprintDifference difference;
    scoped_json Json *gone = json_array();
    while (fingerprint_next(&walk, &difference)) {
        if (is_extra_code(&difference)) {
            const FingerprintLine *line = difference.found;
            json_array_append_new(
                gone, json_string(arena_printf(arena, "%s %s", line->kind, line->name)));
        }
    }
    return json_array_size(gone) == 0 ||
           drift_read_levels(arena, conn, contents->place->schema_name, alias,
                             json_to_text(arena, gone), &contents->levels, err);
}

void drift_differences(Arena *arena, const DriftReference *reference, const DriftContents *contents,
                       const FingerprintDifference **ret_differences, size_t *ret_count)
{
    FingerprintWalk walk = walk_of(reference, contents);
    const size_t count = count_differences(&walk);
    Ranked *ranked = ARENA_ARRAY(arena, Ranked, count);
    FingerprintDifference *differences = ARENA_ARRAY(arena, FingerprintDifference, count);
    const Order order = {
        .reference = reference, .found = &contents->levels, .list = ranked, .count = count};
    for (size_t i = 0; i < count; i++) {
        fingerprint_next(&walk, &ranked[i].difference);
        ranked[i].number = i;
    }
    for (size_t i = 0; i < count; i++) {
        rank(&order, &ranked[i]);
    }
    if (count > 0) {
        qsort(ranked, count, sizeof *ranked, compare);
    }
    for (size_t i = 0; i < count; i++) {
        differences[i] = ranked[i].difference;
    }
    *ret_differences = differences;
    *ret_count = count;
}
