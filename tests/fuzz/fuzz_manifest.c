/* Packs: the bytes are blueprint.yaml; what loads comes back from its JSON as it was. A NUL ends
 * the manifest, what follows it is a migration. */
#include <stdlib.h>
#include <string.h>

#include "blueprint/pack_source.h"
#include "core/array.h"
#include "core/embedded_file.h"
#include "fuzz.h"

static void check_round_trip(Arena *arena, const Blueprint *blueprint)
{
    scoped_json Json *json = blueprint_to_json(blueprint);
    Blueprint *again = NULL;
    Err err;
    if (!blueprint_from_json(arena, json, &again, &err)) {
        abort();
    }
    scoped_json Json *json_again = blueprint_to_json(again);
    if (strcmp(json_to_canonical(arena, json), json_to_canonical(arena, json_again)) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_arena Arena *arena = arena_new();
    const char *text = arena_strndup(arena, (const char *)data, size);
    const size_t manifest_length = strnlen(text, size);
    const size_t skipped = manifest_length < size ? manifest_length + 1 : size;
    const EmbeddedFile files[] = {
        {"p/blueprint.yaml", text, manifest_length},
        {"p/migrations/V1__a.sql", text + skipped, size - skipped},
        {"p/seed.sql", "SELECT 1", strlen("SELECT 1")},
    };
    const PackSource source = pack_source_memory("memory", "p", files, ARRAY_COUNT(files));
    Blueprint *blueprint = NULL;
    Err err = {0};
    if (!blueprint_load_source(arena, &source, &blueprint, &err)) {
        if (err.code != ERR_BLUEPRINT_INVALID) {
            abort();
        }
        return 0;
    }
    check_round_trip(arena, blueprint);
    const LintFinding *findings = NULL;
    size_t count = 0;
    blueprint_lint(arena, blueprint, &findings, &count, &err);
    return 0;
}
