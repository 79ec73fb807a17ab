#include "blueprint/manifest.h"

#include <string.h>

#include "blueprint/schema_name.h"
#include "core/array.h"
#include "core/limits.h"

enum { AHEAD_MAX = 366 };

static const char *const every_names[] = {
    [EVERY_DAY] = "day", [EVERY_WEEK] = "week", [EVERY_MONTH] = "month", [EVERY_YEAR] = "year"};

const char *partition_every_name(PartitionEvery every)
{
    return every_names[every];
}

bool partition_every_from_name(const char *name, PartitionEvery *ret_every)
{
    for (size_t i = 0; i < ARRAY_COUNT(every_names); i++) {
        if (strcmp(every_names[i], name) == 0) {
            *ret_every = (PartitionEvery)i;
            return true;
        }
    }
    return false;
}

/* What is read for each key of the file; the readers below fill it. */
typedef struct Manifest {
    Arena *arena;
    Blueprint *blueprint;
    ManifestFiles *files;
} Manifest;

/* It becomes the name of the shared schema. */
static bool check_schema_name(const Spot *spot, const char *name, Err *err)
{
    if (!schema_is_reserved(name) && !schema_is_opaque(name)) {
        return true;
    }
    spot_fail(spot, err, "\"%s\" is a name that PostgreSQL or Tenantry keeps for its own schemas",
              name);
    err_hint(err, "the tables that tenants share are in a schema of the blueprint's name");
    return false;
}

static bool read_name(const Manifest *manifest, const Spot *spot, Err *err)
{
    manifest->blueprint->lines.name = spot->node == NULL ? 1 : spot->node->line;
    return spot_text(manifest->arena, spot, is_short_name,
                     "2 to 31 of a-z, 0-9 and _, beginning with a letter",
                     &manifest->blueprint->name, err) &&
           check_schema_name(spot, manifest->blueprint->name, err);
}

static bool read_title(const Manifest *manifest, const Spot *spot, Err *err)
{
    return spot_title(manifest->arena, spot, &manifest->blueprint->title, err);
}

static bool read_description(const Manifest *manifest, const Spot *spot, Err *err)
{
    return spot_description(manifest->arena, spot, &manifest->blueprint->description, err);
}

static bool is_tier(const char *text)
{
    Tier tier;
    return tier_from_name(text, &tier);
}

static bool read_tiers(const Manifest *manifest, const Spot *spot, Err *err)
{
    const char *const expected = "a list of row and schema, the default first";
    const char **names = NULL;
    size_t count = 0;
    if (!spot_list(manifest->arena, spot, expected, err) ||
        !spot_names(manifest->arena, spot, is_tier, "row or schema", &names, &count, err)) {
        return false;
    }
    if (count == 0) {
        return spot_refuse(manifest->arena, spot, expected, err);
    }
    for (size_t i = 0; i < count; i++) {
        tier_from_name(names[i], &manifest->blueprint->tiers[i]);
        if (manifest->blueprint->tiers[i] == TIER_CLUSTER) {
            const Spot item = spot_item(manifest->arena, spot, i);
            return spot_fail(&item, err, "the tier \"cluster\" is not supported yet");
        }
    }
    manifest->blueprint->tier_count = count;
    return true;
}

static bool read_extensions(const Manifest *manifest, const Spot *spot, Err *err)
{
    static const char *const keys[] = {"wanted", "optional"};
    static const char *const expected = "the name of an extension";
    Blueprint *blueprint = manifest->blueprint;
    if (spot->node == NULL) {
        return true;
    }
    if (!spot_map(manifest->arena, spot, keys, ARRAY_COUNT(keys), err)) {
        return false;
    }
    const Spot wanted = spot_key(manifest->arena, spot, keys[0]);
    const Spot optional = spot_key(manifest->arena, spot, keys[1]);
    if (!spot_names(manifest->arena, &wanted, is_extension_name, expected, &blueprint->wanted,
                    &blueprint->wanted_count, err) ||
        !spot_names(manifest->arena, &optional, is_extension_name, expected, &blueprint->optional,
                    &blueprint->optional_count, err)) {
        return false;
    }
    int *lines = ARENA_ARRAY(manifest->arena, int, blueprint->wanted_count);
    for (size_t i = 0; i < blueprint->wanted_count; i++) {
        lines[i] = wanted.node->items[i]->line;
    }
    blueprint->lines.wanted = lines;
    for (size_t i = 0; i < blueprint->optional_count; i++) {
        for (size_t j = 0; j < blueprint->wanted_count; j++) {
            if (strcmp(blueprint->optional[i], blueprint->wanted[j]) == 0) {
                const Spot item = spot_item(manifest->arena, &optional, i);
                return spot_fail(&item, err, "\"%s\" is under extensions.wanted too",
                                 blueprint->optional[i]);
            }
        }
    }
    return true;
}

static bool read_plans(const Manifest *manifest, const Spot *spot, Err *err)
{
    manifest->blueprint->lines.plans = spot->node == NULL ? 1 : spot->node->line;
    return manifest_read_plans(manifest->arena, spot, manifest->blueprint, err);
}

static bool read_shared(const Manifest *manifest, const Spot *spot, Err *err)
{
    return spot_names(manifest->arena, spot, is_plain_identifier, "the name of a table",
                      &manifest->blueprint->shared, &manifest->blueprint->shared_count, err);
}

static bool read_append_only(const Manifest *manifest, const Spot *spot, Err *err)
{
    return spot_names(manifest->arena, spot, is_plain_identifier, "the name of a table",
                      &manifest->blueprint->append_only, &manifest->blueprint->append_only_count,
                      err);
}

static bool is_every(const char *text)
{
    PartitionEvery every;
    return partition_every_from_name(text, &every);
}

static bool read_partition(Arena *arena, const Spot *spot, BlueprintPartition *partition, Err *err)
{
    static const char *const keys[] = {"table", "column", "every", "ahead"};
    if (!spot_map(arena, spot, keys, ARRAY_COUNT(keys), err)) {
        return false;
    }
    const Spot table = spot_key(arena, spot, "table");
    const Spot column = spot_key(arena, spot, "column");
    const Spot every = spot_key(arena, spot, "every");
    const Spot ahead = spot_key(arena, spot, "ahead");
    const char *word = NULL;
    return spot_text(arena, &table, is_plain_identifier, "the name of a table", &partition->table,
                     err) &&
           spot_text(arena, &column, is_plain_identifier, "the name of a column",
                     &partition->column, err) &&
           spot_text(arena, &every, is_every, "day, week, month or year", &word, err) &&
           partition_every_from_name(word, &partition->every) &&
           spot_int(arena, &ahead, 1, AHEAD_MAX, &partition->ahead, err);
}

static bool read_partitions(const Manifest *manifest, const Spot *spot, Err *err)
{
    if (spot->node == NULL) {
        return true;
    }
    if (!spot_list(manifest->arena, spot, "a list of maps (table, column, every, ahead)", err)) {
        return false;
    }
    if (spot->node->count > LIMIT_PARTITIONED_TABLES) {
        return spot_fail(spot, err, "expected at most %d tables, found %zu",
                         LIMIT_PARTITIONED_TABLES, spot->node->count);
    }
    const size_t count = spot->node->count;
    BlueprintPartition *partitions = ARENA_ARRAY(manifest->arena, BlueprintPartition, count);
    for (size_t i = 0; i < count; i++) {
        const Spot item = spot_item(manifest->arena, spot, i);
        if (!read_partition(manifest->arena, &item, &partitions[i], err)) {
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(partitions[i].table, partitions[j].table) == 0) {
                return spot_fail(&item, err, "table \"%s\" is in the list twice",
                                 partitions[i].table);
            }
        }
    }
    manifest->blueprint->partitions = partitions;
    manifest->blueprint->partition_count = count;
    return true;
}

static bool read_personal(const Manifest *manifest, const Spot *spot, Err *err)
{
    return manifest_read_personal(manifest->arena, spot, manifest->blueprint, err);
}

/* A file of the pack folder itself, so that a manifest cannot point elsewhere. */
static bool is_sql_file(const char *text)
{
    const size_t length = strlen(text);
    return length > 4 && length <= LIMIT_IDENTIFIER_MAX_BYTES && *text != '.' && *text != '-' &&
           strcmp(text + length - 4, ".sql") == 0 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               length;
}

static bool read_file_name(Arena *arena, const Spot *spot, const char **ret_name, Err *err)
{
    return spot->node == NULL || spot_text(arena, spot, is_sql_file,
                                           "the name of a .sql file in the folder", ret_name, err);
}

static bool read_seed(const Manifest *manifest, const Spot *spot, Err *err)
{
    return read_file_name(manifest->arena, spot, &manifest->files->seed, err);
}

static bool read_demo(const Manifest *manifest, const Spot *spot, Err *err)
{
    return read_file_name(manifest->arena, spot, &manifest->files->demo, err);
}

static bool read_migrations(const Manifest *manifest, const Spot *spot, Err *err)
{
    return manifest_read_migrations(manifest->arena, spot, &manifest->files->migrations, err);
}

/* Every key of the file, in the order of docs/blueprints.md. A reader gets a missing key too and
 * decides whether that is allowed. */
static const struct {
    const char *key;
    bool (*read)(const Manifest *manifest, const Spot *spot, Err *err);
} keys_of_file[] = {
    {"name", read_name},
    {"title", read_title},
    {"description", read_description},
    {"tiers", read_tiers},
    {"extensions", read_extensions},
    {"plans", read_plans},
    {"shared", read_shared},
    {"append_only", read_append_only},
    {"partitions", read_partitions},
    {"personal_data", read_personal},
    {"migrations", read_migrations},
    {"seed", read_seed},
    {"demo", read_demo},
};

bool manifest_read(Arena *arena, const char *file, const char *text, size_t length,
                   Blueprint *blueprint, ManifestFiles *ret_files, Err *err)
{
    const char *keys[ARRAY_COUNT(keys_of_file)];
    for (size_t i = 0; i < ARRAY_COUNT(keys_of_file); i++) {
        keys[i] = keys_of_file[i].key;
    }
    Spot root = {.path = ""};
    if (!yaml_parse(arena, file, text, length, LIMIT_MANIFEST_BYTES, ERR_BLUEPRINT_INVALID,
                    &root.node, err) ||
        !spot_map(arena, &root, keys, ARRAY_COUNT(keys), err)) {
        return false;
    }
    ManifestFiles files = {0};
    blueprint->lines.file = arena_strdup(arena, file);
    const Manifest manifest = {.arena = arena, .blueprint = blueprint, .files = &files};
    for (size_t i = 0; i < ARRAY_COUNT(keys_of_file); i++) {
        const Spot spot = spot_key(arena, &root, keys[i]);
        if (!keys_of_file[i].read(&manifest, &spot, err)) {
            return false;
        }
    }
    *ret_files = files;
    return true;
}
