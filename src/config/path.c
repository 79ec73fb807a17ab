#include "config/path.h"

#include <string.h>

/* "~/data" in the home; a shell does not expand it in --data-dir=~/data, and nobody in a file. */
static bool resolve_home(Arena *arena, const char *home, const char *path, const char *where,
                         const char **ret_path, Err *err)
{
    if (path[1] != '/' && path[1] != '\0') {
        return ERR_SET(err, ERR_CONFIG_INVALID,
                       "write that folder in full; what is named like this begins with ./",
                       "%s: \"%s\": only ~/ is known, the home of who runs this", where, path);
    }
    if (home == NULL) {
        return ERR_SET(err, ERR_CONFIG_INVALID, "set HOME, or write the path in full",
                       "%s: \"%s\": this user has no home", where, path);
    }
    *ret_path = arena_printf(arena, "%s%s", home, path + 1);
    return true;
}

bool config_path_resolve(Arena *arena, const char *home, const char *file, const char *path,
                         const char *where, const char **ret_path, Err *err)
{
    const char *slash = file == NULL ? NULL : strrchr(file, '/');
    if (*path == '~') {
        return resolve_home(arena, home, path, where, ret_path, err);
    }
    *ret_path = *path == '/' || slash == NULL
                    ? path
                    : arena_printf(arena, "%.*s/%s", (int)(slash - file), file, path);
    return true;
}
