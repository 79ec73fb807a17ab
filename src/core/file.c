#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fault.h"
#include "core/process.h"

static bool fail_errno(Err *err, const char *what, const char *path)
{
    const int number = errno;
    const ErrCode code = number == ENOSPC || number == EDQUOT ? ERR_DISK_FULL : ERR_IO;
    return ERR_SET(err, code, number == ENOSPC ? "free some space on that file system" : NULL,
                   "cannot %s \"%s\": %s", what, path, strerror(number));
}

/* Reads up to capacity bytes; -1 with errno on error. */
static ssize_t read_up_to(int fd, char *buffer, size_t capacity)
{
    size_t length = 0;
    while (length < capacity) {
        const ssize_t got = read(fd, buffer + length, capacity - length);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        length += (size_t)got;
    }
    return (ssize_t)length;
}

static bool read_open(Arena *arena, int fd, const char *path, const struct stat *status,
                      const char **ret_text, size_t *ret_length, Err *err)
{
    char *text = arena_alloc(arena, (size_t)status->st_size + 1);
    const ssize_t length = read_up_to(fd, text, (size_t)status->st_size);
    if (length < 0) {
        return fail_errno(err, "read", path);
    }
    *ret_text = text;
    *ret_length = (size_t)length;
    return true;
}

static bool check_size(const char *path, const struct stat *status, size_t max_bytes, Err *err)
{
    return status->st_size <= (off_t)max_bytes ||
           ERR_SET(err, ERR_LIMIT, NULL, "\"%s\" has %lld bytes, %zu at most are allowed", path,
                   (long long)status->st_size, max_bytes);
}

bool file_read_checked(Arena *arena, const char *path, size_t max_bytes, FileCheck *check,
                       const char **ret_text, size_t *ret_length, Err *err)
{
    /* O_NONBLOCK so that a FIFO in the place of a file cannot hang us. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return fail_errno(err, "open", path);
    }
    struct stat status;
    const bool is_file = (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) ||
                         ERR_SET(err, ERR_INPUT_INVALID, NULL, "\"%s\" is not a regular file",
                                 path);
    const bool is_read = is_file && (check == NULL || check(path, &status, err)) &&
                         check_size(path, &status, max_bytes, err) &&
                         read_open(arena, fd, path, &status, ret_text, ret_length, err);
    close(fd);
    return is_read;
}

bool file_read(Arena *arena, const char *path, size_t max_bytes, const char **ret_text,
               size_t *ret_length, Err *err)
{
    return file_read_checked(arena, path, max_bytes, NULL, ret_text, ret_length, err);
}

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t put = write(fd, bytes, length);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        if (put > 0) {
            bytes += put;
            length -= (size_t)put;
        }
    }
    return true;
}

/* fsync of the folder that holds path, so that a rename in it survives a crash. */
static bool sync_parent(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    const int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    const bool is_synced = fsync(fd) == 0;
    close(fd);
    return is_synced;
}

/* A file without a name, in the folder where it will get one, so that nothing stays behind when we
 * are killed. Some file systems lack that: there it has the name in `temporary`. */
static int open_unnamed(const char *path, char temporary[PATH_MAX])
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    const int fd = open(dirname(copy), O_TMPFILE | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd >= 0) {
        snprintf(temporary, PATH_MAX, "/proc/self/fd/%d", fd);
        return fd;
    }
    if ((errno != EOPNOTSUPP && errno != EISDIR) ||
        snprintf(temporary, PATH_MAX, "%s.XXXXXX", path) >= PATH_MAX) {
        return -1;
    }
    return mkostemp(temporary, O_CLOEXEC);
}

/* link and not rename, which would replace a file that another process made a moment ago. */
static bool give_name(const char *temporary, const char *path)
{
    FAULT("file.create.before_link");
    const bool is_linked = linkat(AT_FDCWD, temporary, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
    FAULT("file.create.after_link");
    return is_linked;
}

bool file_create(const char *path, const char *bytes, size_t length, mode_t mode, bool *ret_is_new,
                 Err *err)
{
    char temporary[PATH_MAX];
    const int fd = open_unnamed(path, temporary);
    if (fd < 0) {
        return fail_errno(err, "create", path);
    }
    const bool is_made = fchmod(fd, mode) == 0 && write_all(fd, bytes, length) && fsync(fd) == 0 &&
                         give_name(temporary, path);
    const int number = errno;
    close(fd);
    if (strncmp(temporary, "/proc/", strlen("/proc/")) != 0) {
        unlink(temporary);
    }
    errno = number;
    if (!is_made && number != EEXIST) {
        return fail_errno(err, "write", path);
    }
    *ret_is_new = is_made;
    return sync_parent(path) || fail_errno(err, "fsync the folder of", path);
}

bool file_check_target(const char *path, Err *err)
{
    char folder[PATH_MAX];
    struct stat status;
    const char *slash = strrchr(path, '/');
    const size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    if (length >= sizeof folder) {
        return ERR_SET(err, ERR_INPUT_INVALID, NULL, "path \"%.60s...\" is too long", path);
    }
    memcpy(folder, path, length);
    folder[length] = '\0';
    if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        return ERR_SET(err, ERR_INPUT_INVALID, "name a file that may be replaced, or a new one",
                       "\"%s\" is no regular file", path);
    }
    const char *place = length == 0 ? "." : folder;
    if (stat(place, &status) != 0 || !S_ISDIR(status.st_mode) || access(place, W_OK | X_OK) != 0) {
        return ERR_SET(err, ERR_INPUT_INVALID, "make the folder first",
                       "no file can be made in \"%s\"", place);
    }
    return true;
}

/* One process writes what another user's needs: it stays his. The group goes with it where this
 * process may give it away; at mode 0600 it has no right. */
static bool keep_owner(int fd, const struct stat *old)
{
    struct stat made;
    if (fstat(fd, &made) != 0) {
        return false;
    }
    return (made.st_uid == old->st_uid && made.st_gid == old->st_gid) ||
           fchown(fd, old->st_uid, old->st_gid) == 0 || made.st_uid == old->st_uid ||
           fchown(fd, old->st_uid, made.st_gid) == 0;
}

static bool fail_owner(const char *path, const struct stat *old, Err *err)
{
    const int number = errno;
    scoped_arena Arena *arena = arena_new();
    const ProcessUser owner = process_find_owner(arena, path);
    const char *name = owner.is_set ? owner.name
                                    : arena_printf(arena, "%lu", (unsigned long)old->st_uid);
    ERR_SET(err, ERR_DATA_DIR, NULL,
            "\"%s\" belongs to user %s, to whom this process cannot give a new file: %s", path,
            name, strerror(number));
    err_hint(err, "run this as user %s", name);
    return false;
}

/* old: whose file it stays, or NULL. */
static bool write_atomic(const char *path, const struct stat *old, const char *bytes, size_t length,
                         mode_t mode, Err *err)
{
    char temporary[PATH_MAX];
    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary) {
        return ERR_SET(err, ERR_IO, NULL, "path \"%.60s...\" is too long", path);
    }
    const int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        return fail_errno(err, "create a file beside", path);
    }
    const bool is_kept = old == NULL || keep_owner(fd, old);
    const bool is_written = is_kept && fchmod(fd, mode) == 0 && write_all(fd, bytes, length) &&
                            fsync(fd) == 0;
    const int number = errno;
    close(fd);
    errno = number;
    if (!is_written || rename(temporary, path) != 0) {
        (void)(is_kept ? fail_errno(err, "write", path) : fail_owner(path, old, err));
        unlink(temporary);
        return false;
    }
    return sync_parent(path) || fail_errno(err, "fsync the folder of", path);
}

bool file_write_atomic(const char *path, const char *bytes, size_t length, mode_t mode, Err *err)
{
    return write_atomic(path, NULL, bytes, length, mode, err);
}

bool file_replace_private(const char *path, const struct stat *old, const char *bytes,
                          size_t length, Err *err)
{
    return write_atomic(path, old, bytes, length, S_IRUSR | S_IWUSR, err);
}

bool file_make_dir(const char *path, mode_t mode, Err *err)
{
    char partial[PATH_MAX];
    if (snprintf(partial, sizeof partial, "%s", path) >= (int)sizeof partial) {
        return ERR_SET(err, ERR_IO, NULL, "path \"%.60s...\" is too long", path);
    }
    for (char *slash = partial + 1; *partial != '\0'; slash++) {
        slash = strchrnul(slash, '/');
        const char kept = *slash;
        *slash = '\0';
        if (mkdir(partial, mode) != 0 && errno != EEXIST) {
            return fail_errno(err, "make the folder", partial);
        }
        *slash = kept;
        if (kept == '\0') {
            break;
        }
    }
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        return ERR_SET(err, ERR_IO, NULL, "\"%s\" is not a folder", path);
    }
    return true;
}

static bool remove_at(int parent, const char *name, int depth);

static bool is_itself_or_parent(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* What is in a folder; closes it. */
static bool empty_folder(int fd, int depth)
{
    DIR *folder = fdopendir(fd);
    if (folder == NULL) {
        close(fd);
        return false;
    }
    bool is_empty = true;
    const struct dirent *entry;
    errno = 0;
    while (is_empty && (entry = readdir(folder)) != NULL) {
        is_empty = is_itself_or_parent(entry->d_name) || remove_at(fd, entry->d_name, depth);
        errno = is_empty ? 0 : errno;
    }
    const int number = errno; /* of remove_at, or of readdir */
    closedir(folder);
    errno = number;
    return number == 0;
}

/* Each step is from the descriptor of a folder and follows no link: root removes trees of the
 * server's user, who could put a link in a folder's place at any moment, which a path would follow.
 * False: errno says why. */
static bool remove_at(int parent, const char *name, int depth)
{
    enum { DEPTH_MOST = 64 };
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) {
        return true;
    }
    if (errno != EISDIR) {
        return false;
    }
    if (depth == DEPTH_MOST) {
        errno = ENAMETOOLONG;
        return false;
    }
    const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 && empty_folder(fd, depth + 1) &&
           (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT);
}

bool file_remove_tree(const char *path, Err *err)
{
    return remove_at(AT_FDCWD, path, 0) || fail_errno(err, "remove", path);
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}
