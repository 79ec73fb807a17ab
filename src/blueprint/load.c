/* A blueprint from the files of its pack. */
#include <string.h>

#include "blueprint/blueprint_json.h"
#include "blueprint/layout.h"
#include "blueprint/manifest.h"
#include "blueprint/migrations.h"
#include "blueprint/pack_source.h"
#include "blueprint/signature.h"
#include "core/embedded_file.h"
#include "core/limits.h"
#include "secret/secret.h"

#define PACKS_FOLDER "packs/"
static const char manifest_name[] = "blueprint.yaml";

static bool read_named_sql(Arena *arena, const PackSource *source, const char *name,
                           const char **ret_text, Err *err)
{
    size_t total_bytes = 0;
    return name == NULL || migrations_read_sql(arena, source, name, &total_bytes, ret_text, err);
}

static bool read_migrations(Arena *arena, const PackSource *source,
                            const ManifestMigrations *wanted, Blueprint *blueprint, Err *err)
{
    return wanted->layout == NULL ? migrations_read(arena, source, wanted->path, blueprint, err)
                                  : layout_read(arena, source, wanted, blueprint, err);
}

static bool read_signatures(Arena *arena, const PackSource *source, Blueprint *blueprint, Err *err)
{
    SignatureList list;
    if (!signatures_read(arena, source, &list, err)) {
        return false;
    }
    blueprint->signatures = list.items;
    blueprint->signature_count = list.count;
    return true;
}

bool blueprint_put_checksum(Arena *arena, Blueprint *blueprint, Err *err)
{
    scoped_json Json *content = blueprint_content_to_json(blueprint);
    const char *canonical = json_to_canonical(arena, content);
    return secret_sha256_hex(arena, canonical, strlen(canonical), &blueprint->checksum, err);
}

bool blueprint_load_source(Arena *arena, const PackSource *source, Blueprint **ret_blueprint,
                           Err *err)
{
    Blueprint *blueprint = ARENA_NEW(arena, Blueprint);
    blueprint->source = source->source;
    ManifestFiles files = {0};
    const char *text = NULL;
    size_t length = 0;
    if (!source->read(arena, source, manifest_name, LIMIT_MANIFEST_BYTES, &text, &length, err) ||
        !manifest_read(arena, arena_printf(arena, "%s/%s", source->folder, manifest_name), text,
                       length, blueprint, &files, err) ||
        !read_migrations(arena, source, &files.migrations, blueprint, err) ||
        !read_named_sql(arena, source, files.seed, &blueprint->seed, err) ||
        !read_named_sql(arena, source, files.demo, &blueprint->demo, err) ||
        !read_signatures(arena, source, blueprint, err) ||
        !blueprint_put_checksum(arena, blueprint, err)) {
        return false;
    }
    *ret_blueprint = blueprint;
    return true;
}

bool blueprint_load_folder(Arena *arena, const char *path, Blueprint **ret_blueprint, Err *err)
{
    PackSource source;
    return pack_source_folder(arena, path, &source, err) &&
           blueprint_load_source(arena, &source, ret_blueprint, err);
}

/* The name of the pack whose manifest this is, or NULL. */
static const char *pack_of_manifest(Arena *arena, const char *path)
{
    if (strncmp(path, PACKS_FOLDER, strlen(PACKS_FOLDER)) != 0) {
        return NULL;
    }
    const char *name = path + strlen(PACKS_FOLDER);
    const char *slash = strchr(name, '/');
    return slash != NULL && strcmp(slash + 1, manifest_name) == 0
               ? arena_strndup(arena, name, (size_t)(slash - name))
               : NULL;
}

void blueprint_embedded_names(Arena *arena, const char *const **ret_names, size_t *ret_count)
{
    const char **names = ARENA_ARRAY(arena, const char *, embedded_file_count);
    size_t count = 0;
    for (size_t i = 0; i < embedded_file_count; i++) {
        const char *name = pack_of_manifest(arena, embedded_files[i].path);
        if (name != NULL) {
            names[count++] = name;
        }
    }
    *ret_names = names;
    *ret_count = count;
}

bool blueprint_load_embedded(Arena *arena, const char *name, Blueprint **ret_blueprint, Err *err)
{
    const char *folder = arena_printf(arena, PACKS_FOLDER "%s", name);
    if (embedded_file_find(arena_printf(arena, "%s/%s", folder, manifest_name)) == NULL) {
        return ERR_SET(err, ERR_BLUEPRINT_MISSING, "list the blueprints to see their names",
                       "no blueprint is named \"%s\"", name);
    }
    const PackSource source = pack_source_memory("embedded", folder, embedded_files,
                                                 embedded_file_count);
    return blueprint_load_source(arena, &source, ret_blueprint, err);
}
