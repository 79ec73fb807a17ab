#include "blueprint/migrations.h"

#include <stdlib.h>
#include <string.h>

#include "blueprint/backfill.h"
#include "blueprint/manifest_value.h"
#include "core/limits.h"
#include "core/text.h"
#include "secret/secret.h"

static const char name_hint[] = "name it V0001__what_it_does.sql, V0001__what_it_does.down.sql, "
                                "V0001__what_it_does.with_EXTENSION.sql or "
                                "V0001__what_it_does.backfill.yaml";

enum { VERSION_DIGITS_MAX = 9 };

/* The folder that is read. */
typedef struct MigrationFolder {
    const PackSource *source;
    const char *path; /* below the pack */
} MigrationFolder;

/* What a file's name says. */
typedef struct MigrationFile {
    const char *file; /* "V0001__create.sql" */
    int64_t version;
    const char *name;
    const char *extension; /* NULL: the plain one */
    bool is_down;
    bool is_backfill;
} MigrationFile;

/* Fails with the file's path before the message. */
__attribute__((format(printf, 4, 5))) static bool
fail_file(const MigrationFolder *folder, const char *file, Err *err, const char *format, ...)
{
    scoped_arena Arena *arena = arena_new();
    va_list args;
    va_start(args, format);
    const char *what = arena_vprintf(arena, format, args);
    va_end(args);
    return ERR_SET(err, ERR_BLUEPRINT_INVALID, NULL, "%s/%s/%s: %s", folder->source->folder,
                   folder->path, text_quote(arena, file, LIMIT_NAME_MAX_CHARS), what);
}

/* Cuts suffix off the end of text, when it is there. */
static bool cut_suffix(char *text, const char *suffix)
{
    const size_t length = strlen(text);
    const size_t width = strlen(suffix);
    if (length < width || strcmp(text + length - width, suffix) != 0) {
        return false;
    }
    text[length - width] = '\0';
    return true;
}

/* V<digits>__<name>[.with_<extension>][.down].sql, V<digits>__<name>.backfill.yaml */
static bool parse_name(Arena *arena, const char *file, MigrationFile *ret_file)
{
    char *rest = arena_strdup(arena, file);
    MigrationFile parsed = {.file = file, .is_backfill = cut_suffix(rest, ".backfill.yaml")};
    if (!parsed.is_backfill && !cut_suffix(rest, ".sql")) {
        return false;
    }
    parsed.is_down = !parsed.is_backfill && cut_suffix(rest, ".down");
    static const char variant_mark[] = ".with_";
    char *variant = strstr(rest, variant_mark);
    if (variant != NULL) {
        *variant = '\0';
        parsed.extension = variant + strlen(variant_mark);
    }
    const size_t digits = *rest == 'V' ? strspn(rest + 1, "0123456789") : 0;
    if (digits == 0 || digits > VERSION_DIGITS_MAX || strncmp(rest + 1 + digits, "__", 2) != 0) {
        return false;
    }
    parsed.name = rest + 1 + digits + 2;
    rest[1 + digits] = '\0';
    *ret_file = parsed;
    return text_to_int(rest + 1, &ret_file->version) && is_plain_identifier(parsed.name) &&
           (parsed.extension == NULL ||
            (!parsed.is_backfill && is_extension_name(parsed.extension)));
}

static int compare_files(const void *a, const void *b)
{
    const MigrationFile *left = a;
    const MigrationFile *right = b;
    if (left->version != right->version) {
        return left->version < right->version ? -1 : 1;
    }
    const int order = strcmp(left->extension == NULL ? "" : left->extension,
                             right->extension == NULL ? "" : right->extension);
    if (order != 0) {
        return order;
    }
    return (int)left->is_down - (int)right->is_down;
}

static bool is_one_of(const char *word, const char **words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool list_files(Arena *arena, const MigrationFolder *folder, MigrationFile **ret_files,
                       size_t *ret_count, Err *err)
{
    const char **names = NULL;
    size_t name_count = 0;
    const PackSource *source = folder->source;
    if (!source->list(arena, source, folder->path, &names, &name_count, err)) {
        return false;
    }
    if (name_count > LIMIT_MIGRATIONS) {
        return ERR_SET(err, ERR_BLUEPRINT_INVALID, NULL, "%s/%s: more than %d files",
                       source->folder, folder->path, LIMIT_MIGRATIONS);
    }
    MigrationFile *files = ARENA_ARRAY(arena, MigrationFile, name_count);
    size_t count = 0;
    for (size_t i = 0; i < name_count; i++) {
        if (strncmp(names[i], "README", strlen("README")) == 0) {
            continue;
        }
        if (!parse_name(arena, names[i], &files[count])) {
            fail_file(folder, names[i], err, "not the name of a migration");
            err_hint(err, "%s", name_hint);
            return false;
        }
        count++;
    }
    if (count == 0) {
        ERR_SET(err, ERR_BLUEPRINT_INVALID, name_hint,
                "%s/%s: expected at least one migration, found none", source->folder, folder->path);
        return false;
    }
    qsort(files, count, sizeof *files, compare_files);
    *ret_files = files;
    *ret_count = count;
    return true;
}

/* Rules between a file and the one before it in order. */
static bool check_neighbours(const MigrationFolder *folder, const MigrationFile *before,
                             const MigrationFile *file, Err *err)
{
    const int64_t last = before == NULL ? 0 : before->version;
    if (file->version != last && file->version != last + 1) {
        return fail_file(folder, file->file, err, "expected version %lld next, found %lld",
                         (long long)last + 1, (long long)file->version);
    }
    if (before == NULL || file->version != before->version) {
        return file->version != 0 ||
               fail_file(folder, file->file, err, "versions begin with 1, found 0");
    }
    if (strcmp(file->name, before->name) != 0) {
        return fail_file(folder, file->file, err,
                         "version %lld is also named \"%s\" (%s); one version has one name",
                         (long long)file->version, before->name, before->file);
    }
    if (compare_files(before, file) == 0) {
        return fail_file(folder, file->file, err, "the same version and kind as %s", before->file);
    }
    return true;
}

/* Rules of a file and the first one of its version, which is the plain one unless there is none. */
static bool check_file(const MigrationFolder *folder, const Blueprint *blueprint,
                       const MigrationFile *first, const MigrationFile *before,
                       const MigrationFile *file, Err *err)
{
    if (!check_neighbours(folder, before, file, err)) {
        return false;
    }
    const bool has_up = before != NULL &&
                        compare_files(&(MigrationFile){.version = file->version,
                                                       .extension = file->extension},
                                      before) == 0;
    if (file->is_down && !has_up) {
        return fail_file(folder, file->file, err, "there is no such file without .down beside it");
    }
    if (file->extension == NULL) {
        return true;
    }
    const bool is_wanted = is_one_of(file->extension, blueprint->wanted, blueprint->wanted_count);
    if (!is_wanted && !is_one_of(file->extension, blueprint->optional, blueprint->optional_count)) {
        return fail_file(folder, file->file, err,
                         "extension \"%s\" is not among the manifest's extensions",
                         file->extension);
    }
    return is_wanted || first->extension == NULL ||
           fail_file(folder, file->file, err,
                     "expected a plain migration beside it, for servers without \"%s\"",
                     file->extension);
}

static bool check_files(const MigrationFolder *folder, const Blueprint *blueprint,
                        const MigrationFile *files, size_t count, Err *err)
{
    const MigrationFile *first = files;
    for (size_t i = 0; i < count; i++) {
        first = files[i].version == first->version ? first : &files[i];
        if (!check_file(folder, blueprint, first, i == 0 ? NULL : &files[i - 1], &files[i], err)) {
            return false;
        }
    }
    return true;
}

/* The line of the first byte that is NUL or not UTF-8. */
static int bad_line(const char *text, size_t length)
{
    int number = 1;
    for (const char *line = text; line < text + length; number++) {
        const size_t left = length - (size_t)(line - text);
        const char *newline = memchr(line, '\n', left);
        const size_t width = newline == NULL ? left : (size_t)(newline - line);
        if (memchr(line, '\0', width) != NULL || !text_is_utf8(line, width, NULL)) {
            break;
        }
        line += width + 1;
    }
    return number;
}

bool migrations_read_sql(Arena *arena, const PackSource *source, const char *path,
                         size_t *total_bytes, const char **ret_text, Err *err)
{
    const char *text = NULL;
    size_t length = 0;
    if (!source->read(arena, source, path, LIMIT_MIGRATION_BYTES, &text, &length, err)) {
        return false;
    }
    *total_bytes += length;
    if (*total_bytes > LIMIT_BLUEPRINT_BYTES) {
        return ERR_SET(err, ERR_BLUEPRINT_INVALID, NULL,
                       "%s/%s: the files of the pack have more than %d bytes together",
                       source->folder, path, LIMIT_BLUEPRINT_BYTES);
    }
    if (memchr(text, '\0', length) != NULL || !text_is_utf8(text, length, NULL)) {
        return ERR_SET(err, ERR_BLUEPRINT_INVALID, "save the file as UTF-8",
                       "%s/%s:%d: the text is not UTF-8, or has a NUL byte", source->folder, path,
                       bad_line(text, length));
    }
    *ret_text = text;
    return true;
}

/* A variant that has no down of its own is undone by the plain one's. */
static void inherit_downs(BlueprintMigration *migrations, size_t count)
{
    const BlueprintMigration *plain = NULL;
    for (size_t i = 0; i < count; i++) {
        if (migrations[i].extension == NULL) {
            plain = &migrations[i];
        } else if (migrations[i].down == NULL && plain != NULL &&
                   plain->version == migrations[i].version) {
            migrations[i].down = plain->down;
        }
    }
}

/* The owner of shared tables sees no tenant's rows. */
static bool read_backfill(Arena *arena, const MigrationFolder *folder, const Blueprint *blueprint,
                          BlueprintMigration *migration, Err *err)
{
    if (blueprint_has_tier(blueprint, TIER_ROW)) {
        ERR_SET(err, ERR_BLUEPRINT_INVALID,
                "leave tier row out, or change each tenant's rows from the application",
                "%s/%s: a backfill is for the tiers in which a tenant has tables of its own",
                folder->source->folder, migration->file);
        return false;
    }
    return backfill_read(arena,
                         arena_printf(arena, "%s/%s", folder->source->folder, migration->file),
                         migration, err);
}

bool migrations_read(Arena *arena, const PackSource *source, const char *path, Blueprint *blueprint,
                     Err *err)
{
    const MigrationFolder folder = {.source = source, .path = path};
    MigrationFile *files = NULL;
    size_t file_count = 0;
    if (!list_files(arena, &folder, &files, &file_count, err) ||
        !check_files(&folder, blueprint, files, file_count, err)) {
        return false;
    }
    BlueprintMigration *migrations = ARENA_ARRAY(arena, BlueprintMigration, file_count);
    size_t count = 0;
    size_t total_bytes = 0;
    for (size_t i = 0; i < file_count; i++) {
        const char *file = arena_printf(arena, "%s/%s", path, files[i].file);
        const char *text = NULL;
        if (!migrations_read_sql(arena, source, file, &total_bytes, &text, err)) {
            return false;
        }
        if (files[i].is_down) {
            migrations[count - 1].down = text;
            migrations[count - 1].down_file = migrations[count - 1].backfill == NULL ? NULL : file;
            continue;
        }
        BlueprintMigration *migration = &migrations[count++];
        *migration = (BlueprintMigration){.version = files[i].version,
                                          .name = files[i].name,
                                          .extension = files[i].extension,
                                          .file = file,
                                          .up = text};
        if (!secret_sha256_hex(arena, text, strlen(text), &migration->sha256, err) ||
            (files[i].is_backfill && !read_backfill(arena, &folder, blueprint, migration, err))) {
            return false;
        }
    }
    inherit_downs(migrations, count);
    blueprint->migrations = migrations;
    blueprint->migration_count = count;
    blueprint->version = migrations[count - 1].version;
    return true;
}
