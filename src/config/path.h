/* Paths as people write them in options. Internal to config. */
#ifndef TENANTRY_CONFIG_PATH_H
#define TENANTRY_CONFIG_PATH_H

#include <stdbool.h>

#include "core/arena.h"
#include "core/err.h"

/* The path that is meant: "~/" is home, which may be NULL; a relative one is in the folder of the
 * configuration file that it was read from, or where file is NULL in the current folder.
 * ERR_CONFIG_INVALID for "~user/" and without a home; where is for the message. Any thread; does
 * not block. */
bool config_path_resolve(Arena *arena, const char *home, const char *file, const char *path,
                         const char *where, const char **ret_path, Err *err);

#endif
