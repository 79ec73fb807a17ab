/* Users of the machine: whom a process is, could become, or gives files to. */
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/process.h"
#include "core/text.h"

enum { USER_ENTRY_BYTES = 16384 };

bool process_find_user(Arena *arena, const char *name, ProcessUser *ret_user, Err *err)
{
    enum { SHOWN_BYTES = 64 };
    struct passwd entry;
    struct passwd *found = NULL;
    char *buffer = arena_alloc(arena, USER_ENTRY_BYTES);
    getpwnam_r(name, &entry, buffer, USER_ENTRY_BYTES, &found);
    if (found == NULL) {
        return ERR_SET(err, ERR_CONFIG_INVALID, NULL, "there is no user \"%s\" on this machine",
                       text_quote(arena, name, SHOWN_BYTES));
    }
    *ret_user = (ProcessUser){.is_set = true,
                              .uid = found->pw_uid,
                              .gid = found->pw_gid,
                              .name = arena_strdup(arena, name)};
    return true;
}

const char *process_find_home(Arena *arena)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char *buffer = arena_alloc(arena, USER_ENTRY_BYTES);
    getpwuid_r(geteuid(), &entry, buffer, USER_ENTRY_BYTES, &found);
    return found == NULL || *found->pw_dir == '\0' ? NULL : arena_strdup(arena, found->pw_dir);
}

ProcessUser process_find_owner(Arena *arena, const char *path)
{
    struct stat status;
    struct passwd entry;
    struct passwd *found = NULL;
    char *buffer = arena_alloc(arena, USER_ENTRY_BYTES);
    if (stat(path, &status) == 0) {
        getpwuid_r(status.st_uid, &entry, buffer, USER_ENTRY_BYTES, &found);
    }
    if (found == NULL) {
        return (ProcessUser){.is_set = false};
    }
    return (ProcessUser){.is_set = true,
                         .uid = found->pw_uid,
                         .gid = found->pw_gid,
                         .name = arena_strdup(arena, found->pw_name)};
}

bool process_is_own_group(uid_t user, gid_t group)
{
    scoped_arena Arena *arena = arena_new();
    struct passwd owner;
    struct group own;
    struct passwd *found_owner = NULL;
    struct group *found_group = NULL;
    char *owner_buffer = arena_alloc(arena, USER_ENTRY_BYTES);
    char *group_buffer = arena_alloc(arena, USER_ENTRY_BYTES);
    getpwuid_r(user, &owner, owner_buffer, USER_ENTRY_BYTES, &found_owner);
    getgrgid_r(group, &own, group_buffer, USER_ENTRY_BYTES, &found_group);
    return found_owner != NULL && found_group != NULL && owner.pw_gid == group &&
           strcmp(owner.pw_name, own.gr_name) == 0;
}

static bool fail_writers(const char *path, const char *who, char letter, Err *err)
{
    ERR_SET(err, ERR_CONFIG_INVALID, NULL, "\"%s\" can be written by %s", path, who);
    err_hint(err, "chmod %c-w %s", letter, path);
    return false;
}

bool process_check_writers(const char *path, const struct stat *status, Err *err)
{
    if ((status->st_mode & S_IWOTH) != 0) {
        return fail_writers(path, "every user", 'o', err);
    }
    /* Where every user has a group of his own, files are made so that it may write to them. */
    return (status->st_mode & S_IWGRP) == 0 ||
           process_is_own_group(status->st_uid, status->st_gid) ||
           fail_writers(path, "a group", 'g', err);
}
