#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/file.h"

static const char *new_folder(Arena *arena)
{
    char *folder = arena_strdup(arena, "/tmp/tenantry-file-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

static void write_file(const char *path)
{
    Err err;
    assert_true(file_write_atomic(path, "x", 1, 0600, &err));
}

static void a_tree_is_removed_and_what_its_links_name_is_not(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const char *folder = new_folder(arena);
    const char *tree = arena_printf(arena, "%s/tree/in", folder);
    const char *kept = arena_printf(arena, "%s/kept", folder);
    Err err = {0};
    assert_true(file_make_dir(tree, 0700, &err));
    assert_true(file_make_dir(kept, 0700, &err));
    write_file(arena_printf(arena, "%s/file", tree));
    write_file(arena_printf(arena, "%s/file", kept));
    assert_int_equal(symlink(kept, arena_printf(arena, "%s/link", tree)), 0);
    assert_int_equal(symlink(tree, arena_printf(arena, "%s/loop", tree)), 0);
    assert_true(file_remove_tree(arena_printf(arena, "%s/tree", folder), &err));
    assert_false(file_exists(arena_printf(arena, "%s/tree", folder)));
    assert_true(file_exists(arena_printf(arena, "%s/file", kept)));
    assert_true(file_remove_tree(folder, &err));
    assert_true(file_remove_tree(folder, &err)); /* nothing is there */
}

/* A walk by paths, which follows whatever link is in them by then, fails here: they are too long.
 */
static void folders_are_entered_from_their_parent_and_not_by_a_path(void **state)
{
    (void)state;
    enum { LEVELS = PATH_MAX / NAME_MAX + 2 };
    scoped_arena Arena *arena = arena_new();
    const char *folder = new_folder(arena);
    char name[NAME_MAX + 1];
    memset(name, 'd', NAME_MAX);
    name[NAME_MAX] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < LEVELS; i++) {
        assert_int_equal(mkdirat(fd, name, 0700), 0);
        const int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = next;
    }
    close(fd);
    Err err = {0};
    assert_true(file_remove_tree(folder, &err));
    assert_false(file_exists(folder));
}

static void a_tree_that_may_not_be_removed_is_told(void **state)
{
    (void)state;
    Err err = {0};
    assert_false(file_remove_tree("/proc/self/task", &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "cannot remove \"/proc/self/task\": "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_is_removed_and_what_its_links_name_is_not),
        cmocka_unit_test(folders_are_entered_from_their_parent_and_not_by_a_path),
        cmocka_unit_test(a_tree_that_may_not_be_removed_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
