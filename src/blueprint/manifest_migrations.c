/* The map "migrations" of the manifest. */
#include <string.h>

#include "blueprint/layout.h"
#include "core/array.h"
#include "core/limits.h"

enum { PREFIX_MAX_BYTES = 32 };

static const char own_layout[] = "tenantry";
static const char own_path[] = "migrations";

static bool is_layout(const char *text)
{
    return strcmp(text, own_layout) == 0 || layout_find(text) != NULL;
}

/* A path below the pack: names of folders with '/' between them, none that begins with a dot. */
static bool is_folder_path(const char *text)
{
    const size_t length = strlen(text);
    if (length == 0 || length > LIMIT_NAME_MAX_CHARS || *text == '/' || text[length - 1] == '/' ||
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+/") !=
            length) {
        return false;
    }
    for (const char *part = text; part != NULL; part = strchr(part, '/')) {
        part += *part == '/' ? 1 : 0;
        if (*part == '.' || *part == '/') {
            return false;
        }
    }
    return true;
}

static bool is_concurrently(const char *text)
{
    return strcmp(text, "steps") == 0 || strcmp(text, "plain") == 0;
}

static bool is_undo(const char *text)
{
    return strcmp(text, "scripts") == 0 || strcmp(text, "none") == 0;
}

/* Flyway's sqlMigrationPrefix; "" is one that projects use. */
static bool is_prefix(const char *text)
{
    return strlen(text) <= PREFIX_MAX_BYTES &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") == strlen(text);
}

/* A key that may be missing. */
static bool read_key(Arena *arena, const Spot *map, const char *key, TextCheck check,
                     const char *expected, const char **text, Err *err)
{
    const Spot spot = spot_key(arena, map, key);
    return spot.node == NULL || spot_text(arena, &spot, check, expected, text, err);
}

/* Keys that are for layouts of other tools only: Tenantry's own files can be mended. */
static bool check_own(Arena *arena, const Spot *spot, Err *err)
{
    static const char *const foreign_keys[] = {"concurrently", "undo"};
    for (size_t i = 0; i < ARRAY_COUNT(foreign_keys); i++) {
        const Spot key = spot_key(arena, spot, foreign_keys[i]);
        if (key.node != NULL) {
            return spot_fail(&key, err, "it is for layouts of other tools");
        }
    }
    return true;
}

bool manifest_read_migrations(Arena *arena, const Spot *spot, ManifestMigrations *ret_migrations,
                              Err *err)
{
    static const char *const keys[] = {"layout", "path", "concurrently", "prefix", "undo"};
    const char *layout = own_layout;
    const char *path = own_path;
    const char *concurrently = "steps";
    const char *undo = "scripts";
    const char *prefix = NULL;
    if (spot->node != NULL &&
        (!spot_map(arena, spot, keys, ARRAY_COUNT(keys), err) ||
         !read_key(arena, spot, "layout", is_layout,
                   "tenantry, dbmate, diesel, flyway, golang-migrate or prisma", &layout, err) ||
         !read_key(arena, spot, "path", is_folder_path, "the path of a folder below this one",
                   &path, err) ||
         !read_key(arena, spot, "concurrently", is_concurrently, "steps or plain", &concurrently,
                   err) ||
         !read_key(arena, spot, "prefix", is_prefix, "up to 32 letters, _ and -", &prefix, err) ||
         !read_key(arena, spot, "undo", is_undo, "scripts or none", &undo, err))) {
        return false;
    }
    *ret_migrations = (ManifestMigrations){.layout = layout_find(layout),
                                           .path = path,
                                           .prefix = prefix,
                                           .has_no_undo = strcmp(undo, "none") == 0,
                                           .has_plain_indexes = strcmp(concurrently, "plain") == 0};
    if (prefix != NULL && strcmp(layout, "flyway") != 0) {
        const Spot key = spot_key(arena, spot, "prefix");
        return spot_fail(&key, err, "it is for the layout flyway");
    }
    return spot->node == NULL || ret_migrations->layout != NULL || check_own(arena, spot, err);
}
