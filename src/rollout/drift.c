#include "rollout/drift.h"

#include <string.h>

#include "blueprint/stamp.h"
#include "pg/text_array.h"
#include "rollout/drift_parts.h"

/* Places whose objects are read at a time. */
enum { READ_PLACES = 20 };

static const char *const state_names[] = {
    [DRIFT_SAME] = "same",       [DRIFT_FOUND] = "different", [DRIFT_GONE] = "gone",
    [DRIFT_UNKNOWN] = "unknown", [DRIFT_MOVED] = "moving",
};

const char *drift_state_name(DriftState state)
{
    return state_names[state];
}

/* One verification. */
typedef struct Verification {
    Arena *arena;
    Store *store;
    const DriftOptions *options;
    DriftReport *report;
    DriftPlace *places; /* all, in groups */
    size_t count;
    DriftDifference *differences; /* room for options->most */
} Verification;

/* Places of one blueprint, tier and version. */
typedef struct Group {
    DriftPlace *places;
    size_t count;
    Tier tier;
    bool is_named;        /* names of their schemas are no random words, and stay as they are */
    Blueprint *blueprint; /* at their version */
    DriftReference reference;
} Group;

static bool list_places(Verification *run, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    Arena *arena = run->arena;
    if (!store_query(run->store, DRIFT_PLACES,
                     PG_PARAMS(run->options->blueprint, run->options->tenant, run->options->places),
                     &rows, err)) {
        return false;
    }
    run->count = pg_rows_count(rows);
    run->places = ARENA_ARRAY(arena, DriftPlace, run->count);
    for (size_t i = 0; i < run->count; i++) {
        run->places[i] = (DriftPlace){.place = place_from_row(arena, rows, i),
                                      .slug = arena_strdup(arena, pg_rows_text(rows, i, 8)),
                                      .is_spare = pg_rows_bool(rows, i, 9),
                                      .is_locked = pg_rows_bool(rows, i, 10),
                                      .is_newest = pg_rows_bool(rows, i, 11),
                                      .is_adopted = pg_rows_bool(rows, i, 12)};
    }
    return true;
}

static bool is_bad(const DriftPlace *place)
{
    return place->state == DRIFT_FOUND || place->state == DRIFT_GONE;
}

static bool is_one_group(const DriftPlace *a, const DriftPlace *b)
{
    return strcmp(a->place.blueprint, b->place.blueprint) == 0 &&
           strcmp(a->place.tier, b->place.tier) == 0 && a->place.version == b->place.version;
}

/* --- what a group should be ------------------------------------------------------------------- */

static bool make_reference(Verification *run, Group *group, Err *err)
{
    const char *alias = group->is_named ? group->places[0].place.schema_name : NULL;
    return group->reference.place != NULL ||
           drift_reference_make(run->arena, run->store, group->blueprint, group->tier, alias,
                                &group->reference, err);
}

/* The stamp's fingerprint where one is kept; a place is made only where it is not. */
static bool find_fingerprint(Verification *run, Group *group, Err *err)
{
    Extensions extensions = {0};
    const Stamp *stamp = NULL;
    if (!registry_get_version(run->arena, run->store, group->places[0].place.blueprint,
                              group->places[0].place.version, &group->blueprint, err)) {
        return false;
    }
    if (group->tier == TIER_SCHEMA && group->places[0].is_newest &&
        (!registry_find_extensions(run->arena, run->store, group->blueprint, &extensions, err) ||
         !stamp_find(run->arena, run->store, group->blueprint, &extensions, &stamp, err))) {
        return false;
    }
    if (stamp != NULL) {
        group->reference.fingerprint = stamp->fingerprint;
        return true;
    }
    return make_reference(run, group, err);
}

/* A version whose place cannot be made any more (its extension is gone, its definition was never
 * recorded) leaves its places unjudged; the others are verified all the same. */
static bool give_up_group(const Verification *run, const Group *group, const Err *why, Err *err)
{
    if (!pg_is_alive(run->store->conn) || err_kind(why->code)->is_retryable) {
        *err = *why;
        return false;
    }
    for (size_t i = 0; i < group->count; i++) {
        group->places[i].state = DRIFT_UNKNOWN;
        group->places[i].why = arena_strdup(run->arena, why->message);
    }
    return true;
}

/* --- the objects of places that differ -------------------------------------------------------- */

static void add_difference(Verification *run, const Group *group, DriftPlace *place,
                           const DriftContents *contents, const FingerprintDifference *found)
{
    place->differences++;
    if (run->report->difference_count >= run->options->most) {
        return;
    }
    const FingerprintLine *line = found->expected != NULL ? found->expected : found->found;
    Arena *arena = run->arena;
    run->differences[run->report->difference_count++] = (DriftDifference){
        .place = place,
        .kind = arena_strdup(arena, line->kind),
        .name = arena_strdup(arena, line->name),
        .expected = found->expected == NULL ? NULL
                                            : arena_strdup(arena, found->expected->definition),
        .found = found->found == NULL ? NULL : arena_strdup(arena, found->found->definition),
        .mend = drift_mend(arena, &group->reference, contents, found)};
}

/* The lines of one place; they follow one another. */
static size_t skip_place(const FingerprintLine *lines, size_t count, size_t first)
{
    size_t end = first;
    while (end < count && strcmp(lines[end].schema, lines[first].schema) == 0) {
        end++;
    }
    return end;
}

static bool tell_differences(Verification *run, Arena *arena, const Group *group, DriftPlace *place,
                             const FingerprintLine *lines, size_t count, Err *err)
{
    const FingerprintDifference *differences = NULL;
    size_t difference_count = 0;
    DriftContents contents = {.place = &place->place, .lines = lines, .count = count};
    const char *alias = drift_subject(place, group->is_named).alias;
    if (!drift_read_contents_levels(arena, run->store->conn, alias, &group->reference, &contents,
                                    err)) {
        return false;
    }
    drift_differences(arena, &group->reference, &contents, &differences, &difference_count);
    for (size_t i = 0; i < difference_count; i++) {
        add_difference(run, group, place, &contents, &differences[i]);
    }
    if (difference_count == 0) {
        place->state = DRIFT_SAME; /* it was between two states when it was compared */
    }
    return true;
}

static const char *ids_of(Arena *arena, DriftPlace *const *places, size_t count)
{
    PgArray list = pg_array_init(arena);
    for (size_t i = 0; i < count; i++) {
        pg_array_add(&list, places[i]->place.id);
    }
    return pg_array_end(&list);
}

/* Holds the places against rollouts for the rest of the transaction; those that somebody is
 * changing, or has changed since they were listed, are not judged. *ret_count are left, in their
 * order. */
static bool hold(Verification *run, Arena *arena, DriftPlace **places, size_t count,
                 size_t *ret_count, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(
            run->store, DRIFT_HOLD,
            PG_PARAMS(ids_of(arena, places, count), pg_int_text(arena, places[0]->place.version)),
            &rows, err)) {
        return false;
    }
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_held = false;
        for (size_t row = 0; row < pg_rows_count(rows); row++) {
            is_held = is_held ||
                      strcmp(pg_rows_text(rows, row, 0), places[i]->place.schema_name) == 0;
        }
        if (is_held) {
            places[(*ret_count)++] = places[i];
        } else {
            places[i]->state = DRIFT_MOVED;
        }
    }
    return true;
}

static bool read_held(Verification *run, const Group *group, Arena *arena, DriftPlace **places,
                      size_t count, Err *err)
{
    size_t held = 0;
    const FingerprintLine *lines = NULL;
    size_t line_count = 0;
    FingerprintSubject *subjects = ARENA_ARRAY(arena, FingerprintSubject, count);
    if (!pg_query(run->store->conn, "SET LOCAL jit = off", PG_NO_PARAMS, NULL, err) ||
        !hold(run, arena, places, count, &held, err)) {
        return false;
    }
    for (size_t i = 0; i < held; i++) {
        subjects[i] = drift_subject(places[i], group->is_named);
    }
    if (held > 0 &&
        !fingerprint_lines(arena, run->store->conn, subjects, held, &lines, &line_count, err)) {
        return false;
    }
    size_t first = 0;
    for (size_t i = 0; i < held; i++) {
        if (first == line_count || strcmp(lines[first].schema, places[i]->place.schema_name) != 0) {
            places[i]->state = DRIFT_GONE;
            continue;
        }
        const size_t end = skip_place(lines, line_count, first);
        places[i]->state = DRIFT_FOUND;
        if (!tell_differences(run, arena, group, places[i], &lines[first], end - first, err)) {
            return false;
        }
        first = end;
    }
    return true;
}

/* A few places: what differs in each. */
static bool read_places(Verification *run, Group *group, DriftPlace **places, size_t count,
                        Err *err)
{
    scoped_arena Arena *arena = arena_new();
    if (!make_reference(run, group, err) || !pg_begin(run->store->conn, err)) {
        return false;
    }
    const bool is_read = read_held(run, group, arena, places, count, err);
    pg_rollback(run->store->conn);
    return is_read;
}

/* An adopted schema has a name that may be a word of its own objects, too. Taken out of the text,
 * as of that of the others, it can make a difference that is none; so the place is compared with a
 * reference that gets the same name. */
static bool read_adopted(Verification *run, const Group *group, DriftPlace *place, Err *err)
{
    Group own = {.places = place,
                 .count = 1,
                 .tier = group->tier,
                 .is_named = true,
                 .blueprint = group->blueprint};
    return read_places(run, &own, &place, 1, err);
}

static bool read_suspects(Verification *run, Group *group, Err *err)
{
    DriftPlace *suspects[READ_PLACES];
    size_t count = 0;
    for (size_t i = 0; i < group->count; i++) {
        DriftPlace *place = &group->places[i];
        if (!is_bad(place)) {
            continue;
        }
        if (place->is_adopted && !make_reference(run, group, err)) {
            return false;
        }
        if (place->is_adopted &&
            drift_reference_mentions(&group->reference, place->place.schema_name)) {
            if (!read_adopted(run, group, place, err)) {
                return false;
            }
            continue;
        }
        suspects[count++] = place;
        if (count == READ_PLACES) {
            if (!read_places(run, group, suspects, count, err)) {
                return false;
            }
            count = 0;
        }
    }
    return count == 0 || read_places(run, group, suspects, count, err);
}

/* --- all of it -------------------------------------------------------------------------------- */

static bool verify_group(Verification *run, Group *group, Err *err)
{
    Err why;
    const bool is_row = strcmp(group->places[0].place.tier, tier_name(TIER_ROW)) == 0;
    group->tier = is_row ? TIER_ROW : TIER_SCHEMA;
    group->is_named = is_row;
    if (!find_fingerprint(run, group, &why)) {
        return give_up_group(run, group, &why, err);
    }
    return drift_compare(run->store, group->places, group->count, is_row,
                         group->reference.fingerprint, run->options, err) &&
           read_suspects(run, group, err);
}

/* A spare that differs must not become a tenant. */
static bool refuse_spares(Verification *run, Err *err)
{
    for (size_t i = 0; i < run->count; i++) {
        const DriftPlace *place = &run->places[i];
        if (!place->is_spare || !is_bad(place)) {
            continue;
        }
        scoped_rows PgRows *rows = NULL;
        if (!store_query(run->store, SPARE_DRIFTED, PG_PARAMS(place->place.id), &rows, err)) {
            return false;
        }
        run->report->spares_dropped += pg_rows_affected(rows);
    }
    return true;
}

static void report_places(Verification *run)
{
    DriftReport *report = run->report;
    report->checked = (int64_t)run->count;
    report->places = run->places;
    for (size_t i = 0; i < run->count; i++) {
        const DriftState state = run->places[i].state;
        report->found += is_bad(&run->places[i]) ? 1 : 0;
        report->unknown += state == DRIFT_UNKNOWN ? 1 : 0;
        report->moved += state == DRIFT_MOVED ? 1 : 0;
    }
    report->differences = run->differences;
}

bool drift_verify(Arena *arena, Store *store, const DriftOptions *options, DriftReport *ret_report,
                  Err *err)
{
    DriftReport report = {0};
    Verification run = {.arena = arena, .store = store, .options = options, .report = &report};
    run.differences = ARENA_ARRAY(arena, DriftDifference, (size_t)options->most);
    if (!list_places(&run, err)) {
        return false;
    }
    for (size_t first = 0; first < run.count;) {
        Group group = {.places = &run.places[first], .count = 1};
        while (first + group.count < run.count &&
               is_one_group(&run.places[first], &run.places[first + group.count])) {
            group.count++;
        }
        if (!verify_group(&run, &group, err)) {
            return false;
        }
        first += group.count;
    }
    if (!refuse_spares(&run, err)) {
        return false;
    }
    report_places(&run);
    *ret_report = report;
    return true;
}
