/* Where the files of a pack come from: a folder, the binary, or a test's memory. One loader reads
 * all of them. Internal to the module. */
#ifndef TENANTRY_BLUEPRINT_PACK_SOURCE_H
#define TENANTRY_BLUEPRINT_PACK_SOURCE_H

#include "blueprint/blueprint.h"

typedef struct PackSource PackSource;
struct PackSource {
    const char *source; /* Blueprint.source: "embedded" or the folder */
    const char *folder; /* put before paths in messages: "packs/trading" */
    const char *real;   /* of a folder: its path without links; else NULL */
    /* Of files in memory; else NULL. */
    const struct EmbeddedFile *files;
    size_t file_count;
    /* The names in a folder of the pack ("migrations"), sorted, dot files left out. A folder in it
     * has a '/' at its end. */
    bool (*list)(Arena *arena, const PackSource *source, const char *folder,
                 const char ***ret_names, size_t *ret_count, Err *err);
    /* The file at a path below the pack. ERR_BLUEPRINT_INVALID, ERR_IO. */
    bool (*read)(Arena *arena, const PackSource *source, const char *path, size_t max_bytes,
                 const char **ret_text, size_t *ret_length, Err *err);
};

/* A pack folder. ERR_BLUEPRINT_INVALID when there is none at path. */
bool pack_source_folder(Arena *arena, const char *path, PackSource *ret_source, Err *err);

/* The files of an array (the embedded ones) that are below folder ("packs/trading"). */
PackSource pack_source_memory(const char *source, const char *folder,
                              const struct EmbeddedFile *files, size_t count);

/* Loads a pack from its source. ERR_BLUEPRINT_INVALID, ERR_IO. The blueprint is in the arena. */
bool blueprint_load_source(Arena *arena, const PackSource *source, Blueprint **ret_blueprint,
                           Err *err);

#endif
