/* Files that the build puts into the binary: the control schema's migrations and the packs. The
 * table is made by tools/embed.py from the lists in the meson files; paths are as in the source
 * tree, sorted. */
#ifndef TENANTRY_CORE_EMBEDDED_FILE_H
#define TENANTRY_CORE_EMBEDDED_FILE_H

#include <stddef.h>

typedef struct EmbeddedFile {
    const char *path; /* "packs/trading/blueprint.yaml" */
    const char *text; /* NUL behind the last byte */
    size_t length;
} EmbeddedFile;

extern const EmbeddedFile embedded_files[];
extern const size_t embedded_file_count;

/* The file at exactly this path, or NULL. */
const EmbeddedFile *embedded_file_find(const char *path);

#endif
