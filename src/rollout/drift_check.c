/* One place compared with a version, within the caller's transaction. */
#include <string.h>

#include "blueprint/stamp.h"
#include "core/array.h"
#include "rollout/drift_parts.h"

bool drift_expect_made(Arena *arena, Store *store, DriftExpected *expected, Err *err)
{
    return expected->reference.place != NULL ||
           drift_reference_make_within(arena, store, expected->blueprint, expected->tier,
                                       expected->name, &expected->reference, err);
}

bool drift_expect(Arena *arena, Store *store, const Blueprint *blueprint, Tier tier,
                  const char *name, DriftExpected **ret_expected, Err *err)
{
    const Stamp *stamp = NULL;
    Extensions extensions = {0};
    DriftExpected *expected = ARENA_NEW(arena, DriftExpected);
    *expected = (DriftExpected){.blueprint = blueprint, .tier = tier, .name = name};
    *ret_expected = expected;
    if (tier == TIER_SCHEMA &&
        (!registry_find_extensions(arena, store, blueprint, &extensions, err) ||
         !stamp_find(arena, store, blueprint, &extensions, &stamp, err))) {
        return false;
    }
    /* An older version can have the newest one's checksum, when both were recorded at once. */
    if (stamp != NULL && stamp->version == blueprint->version) {
        expected->reference.fingerprint = stamp->fingerprint;
        return true;
    }
    return drift_expect_made(arena, store, expected, err);
}

/* Whether the fingerprint tells already that nothing differs. A name that somebody chose is taken
 * out of it like a random one, which can make a difference but never hide one. */
static bool matches_stamp(Arena *arena, Store *store, const DriftExpected *expected,
                          const DriftPlace *place, bool *ret_matches, Err *err)
{
    const char *found = NULL;
    const FingerprintSubject subject = drift_subject(place, false);
    *ret_matches = false;
    if (expected->reference.place != NULL) {
        return true;
    }
    if (!fingerprint_place(arena, store->conn, &subject, &found, err)) {
        return false;
    }
    *ret_matches = found != NULL && strcmp(found, expected->reference.fingerprint) == 0;
    return true;
}

/* Whether it says who owns an object or who may do what with it. */
static bool is_of_rights(const char *kind)
{
    static const char *const kinds[] = {"default grants", "grants", "owner", "partition grants",
                                        "role"};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (strcmp(kind, kinds[i]) == 0) {
            return true;
        }
    }
    return false;
}

static DriftDifference difference_of(Arena *arena, const DriftExpected *expected,
                                     const DriftContents *contents, const DriftPlace *place,
                                     const FingerprintDifference *found)
{
    const FingerprintLine *line = found->expected != NULL ? found->expected : found->found;
    return (DriftDifference){.place = place,
                             .kind = line->kind,
                             .name = line->name,
                             .expected = found->expected == NULL ? NULL
                                                                 : found->expected->definition,
                             .found = found->found == NULL ? NULL : found->found->definition,
                             .mend = drift_mend(arena, &expected->reference, contents, found)};
}

/* Both, object by object. */
static bool read_objects(Arena *arena, Store *store, DriftExpected *expected, DriftPlace *place,
                         DriftDepth depth, int64_t most, DriftDifference *differences, Err *err)
{
    const FingerprintSubject subject = drift_subject(place, expected->name != NULL);
    const DriftReference *reference = &expected->reference;
    const FingerprintDifference *all = NULL;
    size_t count = 0;
    DriftContents contents = {.place = &place->place};
    if (!drift_expect_made(arena, store, expected, err) ||
        !fingerprint_lines(arena, store->conn, &subject, 1, &contents.lines, &contents.count,
                           err) ||
        !drift_read_contents_levels(arena, store->conn, subject.alias, reference, &contents, err)) {
        return false;
    }
    drift_differences(arena, reference, &contents, &all, &count);
    for (size_t i = 0; i < count; i++) {
        const FingerprintLine *line = all[i].expected != NULL ? all[i].expected : all[i].found;
        if (depth == DRIFT_STRUCTURE && is_of_rights(line->kind)) {
            continue;
        }
        if (place->differences++ < most) {
            differences[place->differences - 1] = difference_of(arena, expected, &contents, place,
                                                                &all[i]);
        }
    }
    place->state = contents.count == 0       ? DRIFT_GONE
                   : place->differences == 0 ? DRIFT_SAME
                                             : DRIFT_FOUND;
    return true;
}

bool drift_check(Arena *arena, Store *store, DriftExpected *expected, DriftPlace *place,
                 DriftDepth depth, int64_t most, const DriftDifference **ret_differences, Err *err)
{
    bool matches = false;
    DriftDifference *differences = ARENA_ARRAY(arena, DriftDifference, (size_t)most);
    *ret_differences = differences;
    place->differences = 0;
    if (depth == DRIFT_ALL && !matches_stamp(arena, store, expected, place, &matches, err)) {
        return false;
    }
    if (matches) {
        place->state = DRIFT_SAME;
        return true;
    }
    return read_objects(arena, store, expected, place, depth, most, differences, err);
}

const char *drift_difference_text(Arena *arena, const DriftDifference *difference)
{
    return arena_printf(arena, "%s \"%s\" is %s", difference->kind, difference->name,
                        difference->found == NULL      ? "missing"
                        : difference->expected == NULL ? "not expected"
                                                       : "different");
}
