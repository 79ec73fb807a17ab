/* One place compared with a version, within the caller's transaction. */
#include <string.h>

#include "blueprint/stamp.h"
#include "rollout/drift_parts.h"

bool drift_expect(Arena *arena, Store *store, const Blueprint *blueprint, Tier tier,
                  const char *name, const DriftExpected **ret_expected, Err *err)
{
    DriftExpected *expected = ARENA_NEW(arena, DriftExpected);
    expected->is_named = name != NULL;
    *ret_expected = expected;
    return drift_reference_make_within(arena, store, blueprint, tier, name, &expected->reference,
                                       err);
}

bool drift_matches_stamp(Arena *arena, Store *store, const Blueprint *blueprint,
                         const DriftPlace *place, bool *ret_matches, Err *err)
{
    const Stamp *stamp = NULL;
    const char *found = NULL;
    Extensions extensions = {0};
    const FingerprintSubject subject = drift_subject(place, false);
    *ret_matches = false;
    if (!registry_find_extensions(arena, store, blueprint, &extensions, err) ||
        !stamp_find(arena, store, blueprint, &extensions, &stamp, err)) {
        return false;
    }
    if (stamp == NULL) {
        return true;
    }
    if (!fingerprint_place(arena, store->conn, &subject, &found, err)) {
        return false;
    }
    *ret_matches = found != NULL && strcmp(found, stamp->fingerprint) == 0;
    return true;
}

/* Whether it says who owns an object or who may do what with it. */
static bool is_of_rights(const char *kind)
{
    static const char *const kinds[] = {"default grants", "grants", "owner", "partition grants",
                                        "role"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
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

bool drift_check(Arena *arena, Store *store, const DriftExpected *expected, DriftPlace *place,
                 DriftDepth depth, int64_t most, const DriftDifference **ret_differences, Err *err)
{
    const FingerprintSubject subject = drift_subject(place, expected->is_named);
    const DriftReference *reference = &expected->reference;
    DriftContents contents = {.place = &place->place};
    if (!fingerprint_lines(arena, store->conn, &subject, 1, &contents.lines, &contents.count,
                           err)) {
        return false;
    }
    FingerprintWalk walk = {.expected = reference->lines,
                            .expected_count = reference->line_count,
                            .found = contents.lines,
                            .found_count = contents.count};
    FingerprintDifference found;
    DriftDifference *differences = ARENA_ARRAY(arena, DriftDifference, (size_t)most);
    place->differences = 0;
    while (fingerprint_next(&walk, &found)) {
        const FingerprintLine *line = found.expected != NULL ? found.expected : found.found;
        if (depth == DRIFT_STRUCTURE && is_of_rights(line->kind)) {
            continue;
        }
        if (place->differences++ < most) {
            differences[place->differences - 1] = difference_of(arena, expected, &contents, place,
                                                                &found);
        }
    }
    place->state = contents.count == 0       ? DRIFT_GONE
                   : place->differences == 0 ? DRIFT_SAME
                                             : DRIFT_FOUND;
    *ret_differences = differences;
    return true;
}

const char *drift_difference_text(Arena *arena, const DriftDifference *difference)
{
    return arena_printf(arena, "%s \"%s\" is %s", difference->kind, difference->name,
                        difference->found == NULL      ? "missing"
                        : difference->expected == NULL ? "not expected"
                                                       : "different");
}
