/* Small files. All block. */
#ifndef TENANTRY_CORE_FILE_H
#define TENANTRY_CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "core/arena.h"
#include "core/err.h"

/* The whole file in the arena, with a NUL behind it. ERR_IO when it cannot be read (errno's text in
 * the message), ERR_LIMIT when it is larger than max_bytes, ERR_INPUT_INVALID when it is no regular
 * file. */
bool file_read(Arena *arena, const char *path, size_t max_bytes, const char **ret_text,
               size_t *ret_length, Err *err);

/* Whether a file with this status may be read; fills err when not. */
typedef bool FileCheck(const char *path, const struct stat *status, Err *err);

/* The same when check, unless it is NULL, agrees: it is asked about the very file that is read,
 * whatever has its name by then. */
bool file_read_checked(Arena *arena, const char *path, size_t max_bytes, FileCheck *check,
                       const char **ret_text, size_t *ret_length, Err *err);

/* Writes a file so that a crash leaves the old content or the new, never a part: temporary file in
 * the same folder, fsync, rename, fsync of the folder. mode is exact, whatever the umask. ERR_IO,
 * ERR_DISK_FULL. */
bool file_write_atomic(const char *path, const char *bytes, size_t length, mode_t mode, Err *err);

/* The same for a file that only its owner uses, mode 0600: it stays that of old's owner, also when
 * root writes it. ERR_DATA_DIR, with nothing changed, when this process may not give it to him. */
bool file_replace_private(const char *path, const struct stat *old, const char *bytes,
                          size_t length, Err *err);

/* Whether a file could be made or replaced at the path by file_write_atomic or file_create:
 * ERR_INPUT_INVALID when something is there that is no regular file (a device, a FIFO, a link,
 * which replacing would lose), or when its folder is not there or may not be written. */
bool file_check_target(const char *path, Err *err);

/* Makes a file that is not there yet, whole or not at all, and leaves nothing beside it when it is
 * killed. *ret_is_new is false when there is one. ERR_IO. */
bool file_create(const char *path, const char *bytes, size_t length, mode_t mode, bool *ret_is_new,
                 Err *err);

/* Makes a folder and its missing parents (mkdir -p); mode for those it makes. ERR_IO. */
bool file_make_dir(const char *path, mode_t mode, Err *err);

/* Removes a file or a folder with all that is in it, 64 folders deep at most. No link is followed,
 * also not one that somebody puts in a folder's place meanwhile; only the folders above path must
 * be ours. True when nothing is there afterwards. ERR_IO. */
bool file_remove_tree(const char *path, Err *err);

bool file_exists(const char *path);

#endif
