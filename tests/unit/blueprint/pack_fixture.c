#include "pack_fixture.h"

#include <string.h>

#include "core/array.h"

bool load_files(Arena *arena, const EmbeddedFile *files, size_t count, Blueprint **ret_blueprint,
                Err *err)
{
    const PackSource source = pack_source_memory("memory", "p", files, count);
    return blueprint_load_source(arena, &source, ret_blueprint, err);
}

bool load_manifest(Arena *arena, const char *manifest, Blueprint **ret_blueprint, Err *err)
{
    const EmbeddedFile files[] = {
        {"p/blueprint.yaml", manifest, strlen(manifest)},
        PACK_FILE("migrations/V0001__items.sql", GOOD_TABLE),
        PACK_FILE("seed.sql", "INSERT INTO item (id) VALUES (1);\n"),
    };
    return load_files(arena, files, ARRAY_COUNT(files), ret_blueprint, err);
}
