#include "blueprint/migration_new.h"

#include <string.h>

#include "blueprint/layout.h"
#include "blueprint/manifest.h"
#include "blueprint/pack_source.h"
#include "core/file.h"
#include "core/limits.h"
#include "core/text.h"

enum { FOLDER_MODE = 0755, FILE_MODE = 0644, DIGITS_LEAST = 4, DIGITS_MOST = 9, SHOWN_BYTES = 100 };

static const char manifest_name[] = "blueprint.yaml";

/* The number between V and "__"; false when the name has none. */
static bool version_of(Arena *arena, const char *file, int64_t *ret_version, size_t *ret_digits)
{
    const size_t digits = *file == 'V' ? strspn(file + 1, "0123456789") : 0;
    *ret_digits = digits;
    return digits > 0 && digits <= DIGITS_MOST && strncmp(file + 1 + digits, "__", 2) == 0 &&
           text_to_int(arena_strndup(arena, file + 1, digits), ret_version);
}

/* The newest version in the folder, and the most digits that a version is written with. */
static bool find_newest(Arena *arena, const PackSource *source, const char *migrations,
                        int64_t *ret_version, size_t *ret_digits, Err *err)
{
    const char **names = NULL;
    size_t count = 0;
    *ret_version = 0;
    *ret_digits = DIGITS_LEAST;
    if (!file_exists(arena_printf(arena, "%s/%s", source->folder, migrations))) {
        return true;
    }
    if (!source->list(arena, source, migrations, &names, &count, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t version = 0;
        size_t digits = 0;
        if (version_of(arena, names[i], &version, &digits)) {
            *ret_version = version > *ret_version ? version : *ret_version;
            *ret_digits = digits > *ret_digits ? digits : *ret_digits;
        }
    }
    return true;
}

static bool make_file(Arena *arena, const char *folder, const char *file, const char *text,
                      Err *err)
{
    bool is_new = false;
    return file_create(arena_printf(arena, "%s/%s", folder, file), text, strlen(text), FILE_MODE,
                       &is_new, err) &&
           (is_new || ERR_SET(err, ERR_IO, "run it again for the version after",
                              "\"%s/%s\" is there already", folder, file));
}

static const char *up_text(Arena *arena, const char *file)
{
    return arena_printf(
        arena,
        "-- %s: what it changes, and why.\n"
        "--\n"
        "-- Runs once in each place, in one transaction, as the place's owner: tables without a\n"
        "-- schema, no BEGIN, no GRANT. \"migrate lint\" says what would hurt a running fleet.\n",
        strrchr(file, '/') + 1);
}

static const char *down_text(Arena *arena, const char *file)
{
    return arena_printf(arena,
                        "-- %s: takes the version back. Delete this file when it cannot be;\n"
                        "-- \"migrate down\" then refuses with the reason.\n",
                        strrchr(file, '/') + 1);
}

static bool check_name(Arena *arena, const char *name, Err *err)
{
    return is_plain_identifier(name) ||
           ERR_SET(err, ERR_INPUT_INVALID, "such as add_invoices",
                   "expected a name of a-z, 0-9 and _ that begins with a letter or _, found \"%s\"",
                   text_quote(arena, name, SHOWN_BYTES));
}

/* The folder of the migrations, which must be in Tenantry's own layout. */
static bool find_folder(Arena *arena, const PackSource *source, const char **ret_migrations,
                        Err *err)
{
    const char *text = NULL;
    size_t length = 0;
    Blueprint blueprint = {0};
    ManifestFiles files = {0};
    if (!source->read(arena, source, manifest_name, LIMIT_MANIFEST_BYTES, &text, &length, err) ||
        !manifest_read(arena, arena_printf(arena, "%s/%s", source->folder, manifest_name), text,
                       length, &blueprint, &files, err)) {
        return false;
    }
    *ret_migrations = files.migrations.path;
    return files.migrations.layout == NULL ||
           ERR_SET(err, ERR_BLUEPRINT_INVALID,
                   "make the next one as that tool does; it is read as it is",
                   "the migrations of \"%s\" are in the layout of %s", source->folder,
                   files.migrations.layout->name);
}

bool migration_new(Arena *arena, const char *folder, const char *name, MigrationNew *ret_new,
                   Err *err)
{
    PackSource source;
    const char *migrations = NULL;
    int64_t newest = 0;
    size_t digits = 0;
    if (!check_name(arena, name, err) || !pack_source_folder(arena, folder, &source, err)) {
        return false;
    }
    if (!file_exists(arena_printf(arena, "%s/%s", source.folder, manifest_name))) {
        return ERR_SET(err, ERR_BLUEPRINT_INVALID, "name the folder that has blueprint.yaml",
                       "\"%s\" has no blueprint.yaml", folder);
    }
    if (!find_folder(arena, &source, &migrations, err) ||
        !find_newest(arena, &source, migrations, &newest, &digits, err)) {
        return false;
    }
    const char *stem = arena_printf(arena, "%s/V%0*lld__%s", migrations, (int)digits,
                                    (long long)newest + 1, name);
    const MigrationNew made = {.version = newest + 1,
                               .up = arena_printf(arena, "%s.sql", stem),
                               .down = arena_printf(arena, "%s.down.sql", stem)};
    if (!file_make_dir(arena_printf(arena, "%s/%s", source.folder, migrations), FOLDER_MODE, err) ||
        !make_file(arena, source.folder, made.up, up_text(arena, made.up), err) ||
        !make_file(arena, source.folder, made.down, down_text(arena, made.down), err)) {
        return false;
    }
    *ret_new = made;
    return true;
}
