#include "blueprint/pack_source.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/embedded_file.h"
#include "core/file.h"
#include "core/limits.h"

#define FOLDER_HINT "give the path of a folder that has a blueprint.yaml"
#define READABLE_HINT "see that this user may read it"

/* Names are gathered up to one more than any folder may have; the caller refuses them by count. */
enum { NAMES_MAX = 4 * LIMIT_MIGRATIONS, NAMES_START = 32 };

typedef struct NameList {
    Arena *arena;
    const char **names;
    size_t count;
    size_t capacity;
} NameList;

static void names_add(NameList *list, const char *name)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? NAMES_START : list->capacity * 2;
        const char **grown = ARENA_ARRAY(list->arena, const char *, list->capacity);
        for (size_t i = 0; i < list->count; i++) {
            grown[i] = list->names[i];
        }
        list->names = grown;
    }
    list->names[list->count++] = name;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void names_take(NameList *list, const char ***ret_names, size_t *ret_count)
{
    if (list->count > 0) {
        qsort(list->names, list->count, sizeof *list->names, compare_names);
    }
    *ret_names = list->names;
    *ret_count = list->count;
}

/* Of a pack, blueprint.yaml itself may be missing, or what it names. */
static bool fail_missing(const PackSource *source, const char *path, Err *err)
{
    return ERR_SET(err, ERR_BLUEPRINT_INVALID,
                   strcmp(path, "blueprint.yaml") == 0
                       ? FOLDER_HINT
                       : "put it there, or name another one in blueprint.yaml",
                   "%s/%s: the file is missing", source->folder, path);
}

/* The path without links; refuses what is not below the pack, so that a pack someone sends cannot
 * read other files of this machine into a blueprint. */
static bool resolve_inside(Arena *arena, const PackSource *source, const char *path,
                           const char **ret_real, Err *err)
{
    char real[PATH_MAX];
    if (realpath(arena_printf(arena, "%s/%s", source->real, path), real) == NULL) {
        return errno == ENOENT ? fail_missing(source, path, err)
                               : ERR_SET(err, ERR_BLUEPRINT_INVALID, READABLE_HINT, "%s/%s: %s",
                                         source->folder, path, strerror(errno));
    }
    const size_t width = strlen(source->real);
    if (strncmp(real, source->real, width) != 0 || real[width] != '/') {
        return ERR_SET(err, ERR_BLUEPRINT_INVALID, "put the file itself into the folder",
                       "%s/%s: a link that leaves the pack's folder", source->folder, path);
    }
    *ret_real = arena_strdup(arena, real);
    return true;
}

static const char *entry_name(Arena *arena, const char *folder, const struct dirent *entry)
{
    struct stat status;
    const bool is_folder = stat(arena_printf(arena, "%s/%s", folder, entry->d_name), &status) ==
                               0 &&
                           S_ISDIR(status.st_mode);
    return arena_printf(arena, "%s%s", entry->d_name, is_folder ? "/" : "");
}

static bool folder_list(Arena *arena, const PackSource *source, const char *folder,
                        const char ***ret_names, size_t *ret_count, Err *err)
{
    const char *real = NULL;
    if (!resolve_inside(arena, source, folder, &real, err)) {
        return false;
    }
    DIR *dir = opendir(real);
    if (dir == NULL) {
        return ERR_SET(err, ERR_BLUEPRINT_INVALID, READABLE_HINT, "%s/%s: %s", source->folder,
                       folder, strerror(errno));
    }
    NameList list = {.arena = arena};
    const struct dirent *entry = NULL;
    while (list.count <= NAMES_MAX && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            names_add(&list, entry_name(arena, real, entry));
        }
    }
    closedir(dir);
    names_take(&list, ret_names, ret_count);
    return true;
}

static bool folder_read(Arena *arena, const PackSource *source, const char *path, size_t max_bytes,
                        const char **ret_text, size_t *ret_length, Err *err)
{
    const char *real = NULL;
    if (!resolve_inside(arena, source, path, &real, err)) {
        return false;
    }
    if (file_read(arena, real, max_bytes, ret_text, ret_length, err)) {
        return true;
    }
    err->code = err->code == ERR_IO ? ERR_IO : ERR_BLUEPRINT_INVALID;
    return err_prefix(err, "%s/%s", source->folder, path);
}

bool pack_source_folder(Arena *arena, const char *path, PackSource *ret_source, Err *err)
{
    char real[PATH_MAX];
    struct stat status;
    if (realpath(path, real) == NULL || stat(real, &status) != 0) {
        return ERR_SET(err, ERR_BLUEPRINT_INVALID, FOLDER_HINT, "%s: %s", path, strerror(errno));
    }
    if (!S_ISDIR(status.st_mode)) {
        return ERR_SET(err, ERR_BLUEPRINT_INVALID, FOLDER_HINT, "%s: not a folder", path);
    }
    size_t width = strlen(path);
    while (width > 1 && path[width - 1] == '/') {
        width--;
    }
    const char *folder = arena_strndup(arena, path, width);
    *ret_source = (PackSource){.source = folder,
                               .folder = folder,
                               .real = arena_strdup(arena, real),
                               .list = folder_list,
                               .read = folder_read};
    return true;
}

/* What follows "folder/" in path, or NULL. */
static const char *path_below(const char *path, const char *folder)
{
    const size_t width = strlen(folder);
    return strncmp(path, folder, width) == 0 && path[width] == '/' ? path + width + 1 : NULL;
}

static bool memory_list(Arena *arena, const PackSource *source, const char *folder,
                        const char ***ret_names, size_t *ret_count, Err *err)
{
    (void)err;
    const char *prefix = arena_printf(arena, "%s/%s", source->folder, folder);
    NameList list = {.arena = arena};
    for (size_t i = 0; i < source->file_count; i++) {
        const char *name = path_below(source->files[i].path, prefix);
        if (name != NULL && *name != '.') {
            names_add(&list, name);
        }
    }
    names_take(&list, ret_names, ret_count);
    return true;
}

static bool memory_read(Arena *arena, const PackSource *source, const char *path, size_t max_bytes,
                        const char **ret_text, size_t *ret_length, Err *err)
{
    (void)arena;
    for (size_t i = 0; i < source->file_count; i++) {
        const EmbeddedFile *file = &source->files[i];
        const char *name = path_below(file->path, source->folder);
        if (name == NULL || strcmp(name, path) != 0) {
            continue;
        }
        if (file->length > max_bytes) {
            return ERR_SET(err, ERR_BLUEPRINT_INVALID, NULL,
                           "%s/%s: the file has %zu bytes, %zu at most are allowed", source->folder,
                           path, file->length, max_bytes);
        }
        *ret_text = file->text;
        *ret_length = file->length;
        return true;
    }
    return fail_missing(source, path, err);
}

PackSource pack_source_memory(const char *source, const char *folder, const EmbeddedFile *files,
                              size_t count)
{
    return (PackSource){.source = source,
                        .folder = folder,
                        .files = files,
                        .file_count = count,
                        .list = memory_list,
                        .read = memory_read};
}
