#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fault.h"
#include "core/file.h"
#include "secret/internal.h"

enum { KEY_FILE_MODE = 0600, KEY_FILE_FORBIDDEN_MODE = 077 };

static const char other_file[] = "name a key file that this user can read and write";

static bool fail_errno(Err *err, const char *what, const char *path)
{
    return ERR_SET(err, ERR_IO, other_file, "cannot %s the key file \"%s\": %s", what, path,
                   strerror(errno));
}

static bool fail_open(Err *err, const char *path)
{
    if (errno == ENOENT || errno == ENOTDIR) {
        return ERR_SET(err, ERR_KEY_MISSING,
                       "restore the file from your copy, or set " KEY_VARIABLE,
                       "the key file \"%s\" is not there", path);
    }
    return fail_errno(err, "open", path);
}

static bool check_status(const char *path, const struct stat *status, Err *err)
{
    if (!S_ISREG(status->st_mode)) {
        return ERR_SET(err, ERR_DATA_DIR, other_file, "the key file \"%s\" is not a regular file",
                       path);
    }
    if ((status->st_mode & KEY_FILE_FORBIDDEN_MODE) != 0) {
        ERR_SET(err, ERR_DATA_DIR, NULL,
                "the key file \"%s\" has mode %04o: others than its owner may use it", path,
                status->st_mode & 07777U);
        err_hint(err, "chmod 600 %s", path);
        return false;
    }
    if (status->st_size > LIMIT_KEY_FILE_BYTES) {
        return ERR_SET(err, ERR_LIMIT, other_file, "\"%s\" has %lld bytes, %d at most are allowed",
                       path, (long long)status->st_size, LIMIT_KEY_FILE_BYTES);
    }
    return true;
}

/* Not core's file_read, which would leave the keys in memory that is neither locked nor wiped; and
 * the file that was checked must be the one that is read. */
static bool read_keys(const char *path, KeyFile *file, Err *err)
{
    struct stat status;
    if (fstat(file->fd, &status) != 0) {
        return fail_errno(err, "look at", path);
    }
    void *text = NULL;
    if (!check_status(path, &status, err) ||
        !secure_alloc((size_t)status.st_size + 1, "the key file", &text, err)) {
        return false;
    }
    file->text = text;
    file->length = (size_t)status.st_size;
    for (size_t length = 0; length < file->length;) {
        const ssize_t got = read(file->fd, file->text + length, file->length - length);
        if (got < 0 && errno != EINTR) {
            return fail_errno(err, "read", path);
        }
        if (got == 0) {
            return ERR_SET(err, ERR_IO, "try again",
                           "the key file \"%s\" became shorter while read", path);
        }
        length += got > 0 ? (size_t)got : 0;
    }
    return true;
}

/* Locks the file. ret_is_current is false when another process has put a new file in its place in
 * the meantime. */
static bool lock_file(const KeyFile *file, bool *ret_is_current, Err *err)
{
    while (flock(file->fd, LOCK_EX) != 0) {
        if (errno != EINTR) {
            return fail_errno(err, "lock", file->path);
        }
    }
    struct stat locked;
    struct stat current;
    if (fstat(file->fd, &locked) != 0) {
        return fail_errno(err, "look at", file->path);
    }
    *ret_is_current = stat(file->path, &current) == 0 && current.st_dev == locked.st_dev &&
                      current.st_ino == locked.st_ino;
    return true;
}

static bool open_locked(const char *path, KeyFile *file, Err *err)
{
    for (bool is_current = false; !is_current;) {
        key_file_close(file);
        /* The rename of an atomic write would replace a link, not the file behind it. */
        file->path = realpath(path, NULL);
        if (file->path == NULL) {
            return fail_open(err, path);
        }
        file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (file->fd < 0) {
            return fail_open(err, path);
        }
        if (!lock_file(file, &is_current, err)) {
            return false;
        }
    }
    return true;
}

bool keyring_may_write_file(const char *path)
{
    Err ignored;
    struct stat status;
    char *target = realpath(path, NULL);
    /* Asked of the mode too: root may write what its owner made read-only. */
    const bool may_write = target != NULL && stat(target, &status) == 0 &&
                           (status.st_mode & S_IWUSR) != 0 && access(target, W_OK) == 0 &&
                           file_check_target(target, &ignored);
    free(target);
    return may_write;
}

bool key_file_open(const char *path, KeyFileUse use, KeyFile *ret_file, Err *err)
{
    scoped_key_file KeyFile file = KEY_FILE_NONE;
    if (use == KEY_FILE_UPDATE) {
        if (!open_locked(path, &file, err)) {
            return false;
        }
    } else {
        /* O_NONBLOCK so that a FIFO in the place of the file cannot hang us. */
        file.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (file.fd < 0) {
            return fail_open(err, path);
        }
    }
    if (!read_keys(path, &file, err)) {
        return false;
    }
    *ret_file = file;
    file = KEY_FILE_NONE;
    return true;
}

void key_file_close(KeyFile *file)
{
    secure_free(file->text, file->length + 1);
    free(file->path);
    if (file->fd >= 0) {
        close(file->fd); /* gives the lock back */
    }
    *file = KEY_FILE_NONE;
}

bool key_file_create(const char *path, const char *text, size_t length, Err *err)
{
    bool is_new = false;
    if (!file_create(path, text, length, KEY_FILE_MODE, &is_new, err)) {
        if (*err->hint == '\0') {
            err_hint(err, "make its folder first, or name another file with --master-key-file");
        }
        return false;
    }
    return is_new || ERR_SET(err, ERR_DATA_DIR, "use the keys in it, or move it away",
                             "the key file \"%s\" exists", path);
}

bool key_file_replace(const KeyFile *file, const char *text, size_t length, Err *err)
{
    if (length > LIMIT_KEY_FILE_BYTES) {
        return ERR_SET(err, ERR_LIMIT, "remove comments from it",
                       "\"%s\" would have %zu bytes, %d at most are allowed", file->path, length,
                       LIMIT_KEY_FILE_BYTES);
    }
    if (!keyring_may_write_file(file->path)) {
        return ERR_SET(err, ERR_DATA_DIR,
                       "let its owner write it and its folder, or name another key file",
                       "the key file \"%s\" may not be written", file->path);
    }
    struct stat status;
    if (fstat(file->fd, &status) != 0) {
        return fail_errno(err, "look at", file->path);
    }
    FAULT("secret.key_file.before_replace");
    return file_replace_private(file->path, &status, text, length, err);
}
