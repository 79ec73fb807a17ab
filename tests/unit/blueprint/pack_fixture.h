/* Packs in memory for the tests of the blueprint module. */
#ifndef TENANTRY_TESTS_PACK_FIXTURE_H
#define TENANTRY_TESTS_PACK_FIXTURE_H

#include "blueprint/pack_source.h"
#include "core/embedded_file.h"

/* The lines that every manifest needs, less the plans: 3 lines. */
#define MANIFEST_HEAD "name: shop\ntitle: A shop\ntiers: [schema, row]\n"
/* One plan: 2 lines. */
#define MANIFEST_PLANS "plans:\n  basic: {title: Basic, limits: {max_connections: 10}}\n"

/* A file of the pack, and one whose text has a NUL. */
#define PACK_FILE(name, content)                                                                   \
    {                                                                                              \
        "p/" name, content, sizeof content - 1                                                     \
    }

/* A migration that fits both tiers. */
#define GOOD_TABLE                                                                                 \
    "CREATE TABLE item (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), id bigint,\n"    \
    "PRIMARY KEY (tenant_id, id));\n"

bool load_files(Arena *arena, const EmbeddedFile *files, size_t count, Blueprint **ret_blueprint,
                Err *err);

/* A pack of this manifest and one good migration. */
bool load_manifest(Arena *arena, const char *manifest, Blueprint **ret_blueprint, Err *err);

#endif
