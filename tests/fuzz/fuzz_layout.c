/* Folders of other tools: the first byte says which tool, the rest is the text of a migration, or,
 * behind a NUL, the name of its file or folder. A place can be born from what loads. */
#include <stdlib.h>
#include <string.h>

#include "blueprint/births.h"
#include "blueprint/pack_source.h"
#include "core/array.h"
#include "core/embedded_file.h"
#include "fuzz.h"

static const struct {
    const char *layout;
    const char *path; /* where the name is %s */
    const char *name; /* when none is given */
} layouts[] = {
    {"dbmate", "p/migrations/%s.sql", "1_a"},
    {"diesel", "p/migrations/%s/up.sql", "1_a"},
    {"flyway", "p/migrations/%s.sql", "V1__a"},
    {"golang-migrate", "p/migrations/%s.up.sql", "1_a"},
    {"prisma", "p/migrations/%s/migration.sql", "1_a"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    scoped_arena Arena *arena = arena_new();
    const size_t which = data[0] % (ARRAY_COUNT(layouts));
    const char *text = arena_strndup(arena, (const char *)data + 1, size - 1);
    const size_t length = strlen(text);
    const char *name = length + 1 < size ? text + length + 1 : layouts[which].name;
    name = *name == '\0' || length + 1 >= size - 1 ? layouts[which].name : name;
    const char *manifest = arena_printf(arena,
                                        "name: fuzz\ntitle: Fuzz\ntiers: [schema]\nextensions: "
                                        "{wanted: [citext]}\nplans:\n  basic: "
                                        "{title: A, limits: {max_connections: 10}}\nmigrations: "
                                        "{layout: %s, concurrently: plain}\n",
                                        layouts[which].layout);
    const char *end = strstr(layouts[which].path, "%s") + 2;
    const char *path = arena_printf(arena, "p/migrations/%s%s", name, end);
    const EmbeddedFile files[] = {{"p/blueprint.yaml", manifest, strlen(manifest)},
                                  {path, text, length}};
    const PackSource source = pack_source_memory("memory", "p", files, ARRAY_COUNT(files));
    Blueprint *blueprint = NULL;
    const Blueprint *born = NULL;
    Err err = {0};
    if (!blueprint_load_source(arena, &source, &blueprint, &err)) {
        /* Only the migrations may be wrong, or nothing is tested. */
        if (err.code != ERR_BLUEPRINT_INVALID ||
            strncmp(err.message, "p/blueprint.yaml", strlen("p/blueprint.yaml")) == 0) {
            abort();
        }
        return 0;
    }
    if (!births_prepare(arena, blueprint, &born, &err) && err.code != ERR_BLUEPRINT_INVALID) {
        abort();
    }
    return 0;
}
