/* golang-migrate: 000001_name.up.sql and 000001_name.down.sql, in the order of their numbers. */
#include <string.h>

#include "blueprint/layout.h"

static const char up_end[] = ".up.sql";
static const char down_end[] = ".down.sql";

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text);
    const size_t width = strlen(end);
    return length >= width && strcmp(text + length - width, end) == 0;
}

static bool add_file(LayoutReader *reader, const char *file, Err *err)
{
    const bool is_down = ends_with(file, down_end);
    const size_t digits = strspn(file, "0123456789");
    const char *version = layout_pad_number(reader->arena, file, digits);
    if ((!is_down && !ends_with(file, up_end)) || version == NULL || file[digits] != '_') {
        return layout_fail_name(reader, file, err);
    }
    LayoutMigration *migration = layout_find_version(reader, version);
    if (migration == NULL) {
        migration = layout_add(reader, &(LayoutMigration){.order = version, .version = version});
    }
    const char **slot = is_down ? &migration->down : &migration->up;
    if (*slot != NULL) {
        return layout_fail(reader, file, err, "the same version and direction as %s", *slot);
    }
    *slot = file;
    if (!is_down) {
        migration->name = arena_strndup(reader->arena, file, strlen(file) - strlen(up_end));
    }
    return true;
}

bool layout_list_golang(LayoutReader *reader, Err *err)
{
    for (size_t i = 0; i < reader->file_count; i++) {
        const char *file = reader->files[i];
        /* The tool looks into no folders, and takes no other files than those it knows. */
        if (strchr(file, '/') == NULL && ends_with(file, ".sql") && !add_file(reader, file, err)) {
            return false;
        }
    }
    return true;
}
