#include "blueprint/layout.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "blueprint/adapt.h"
#include "blueprint/migrations.h"
#include "core/array.h"
#include "core/limits.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "secret/secret.h"

/* NUMBER_WIDTH: the digits of UINT64_MAX. */
enum { NUMBER_WIDTH = 20, FOLDER_DEPTH_MAX = 8 };

static const Layout layouts[] = {
    {.name = "dbmate",
     .tool = "dbmate",
     .name_rule = "dbmate wants VERSION_NAME.sql, the version in digits",
     .late_rule = "dbmate --strict: a new version is higher than every one that ran",
     .list = layout_list_dbmate,
     .read_text = layout_text_dbmate},
    {.name = "diesel",
     .tool = "Diesel",
     .name_rule = "Diesel wants folders VERSION_NAME, the version in digits and '-'",
     .late_rule = "Diesel runs migrations in the order of their versions",
     .list = layout_list_diesel,
     .read_text = layout_text_diesel},
    {.name = "flyway",
     .tool = "Flyway",
     .name_rule = "Flyway wants V1__what.sql, V1.2__what.sql, U1.2__what.sql or R__what.sql",
     .late_rule = "Flyway, outOfOrder=false: a new version is higher than every one that ran",
     .list = layout_list_flyway,
     .read_text = layout_text_flyway},
    {.name = "golang-migrate",
     .tool = "golang-migrate",
     .name_rule = "golang-migrate wants VERSION_NAME.up.sql and VERSION_NAME.down.sql, the version "
                  "in digits",
     .late_rule = "golang-migrate never runs a version below the one that it is at",
     .list = layout_list_golang},
    {.name = "prisma",
     .tool = "Prisma",
     .name_rule = "Prisma wants folders TIMESTAMP_NAME",
     .late_rule = "Prisma runs migrations in the order of their folders' names",
     .list = layout_list_prisma},
};

const Layout *layout_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(layouts); i++) {
        if (strcmp(layouts[i].name, name) == 0) {
            return &layouts[i];
        }
    }
    return NULL;
}

bool layout_fail(const LayoutReader *reader, const char *path, Err *err, const char *format, ...)
{
    scoped_arena Arena *arena = arena_new();
    va_list args;
    va_start(args, format);
    const char *what = arena_vprintf(arena, format, args);
    va_end(args);
    return ERR_SET(err, ERR_BLUEPRINT_INVALID, NULL, "%s/%s/%s: %s", reader->source->folder,
                   reader->folder, text_quote(arena, path, LIMIT_NAME_MAX_CHARS), what);
}

bool layout_fail_line(const LayoutReader *reader, const char *path, int line, Err *err,
                      const char *format, ...)
{
    scoped_arena Arena *arena = arena_new();
    va_list args;
    va_start(args, format);
    const char *what = arena_vprintf(arena, format, args);
    va_end(args);
    return ERR_SET(err, ERR_BLUEPRINT_INVALID, NULL, "%s/%s/%s:%d: %s", reader->source->folder,
                   reader->folder, text_quote(arena, path, LIMIT_NAME_MAX_CHARS), line, what);
}

bool layout_fail_name(const LayoutReader *reader, const char *path, Err *err)
{
    layout_fail(reader, path, err, "not the name of a migration");
    err_hint(err, "%s", reader->layout->name_rule);
    return false;
}

bool layout_read_file(LayoutReader *reader, const char *path, const char **ret_text, Err *err)
{
    static const char mark[] = "\xef\xbb\xbf"; /* that some editors put before UTF-8 */
    if (!migrations_read_sql(reader->arena, reader->source,
                             arena_printf(reader->arena, "%s/%s", reader->folder, path),
                             &reader->total_bytes, ret_text, err)) {
        return false;
    }
    *ret_text += strncmp(*ret_text, mark, strlen(mark)) == 0 ? strlen(mark) : 0;
    return true;
}

LayoutMigration *layout_add(LayoutReader *reader, const LayoutMigration *migration)
{
    reader->migrations[reader->count] = *migration;
    return &reader->migrations[reader->count++];
}

LayoutMigration *layout_find_version(LayoutReader *reader, const char *version)
{
    /* From the newest: files of one version are neighbours nearly always. */
    for (size_t i = reader->count; i > 0; i--) {
        if (strcmp(reader->migrations[i - 1].version, version) == 0) {
            return &reader->migrations[i - 1];
        }
    }
    return NULL;
}

const char *layout_pad_number(Arena *arena, const char *digits, size_t count)
{
    if (count == 0 || count > NUMBER_WIDTH) {
        return NULL;
    }
    return arena_printf(arena, "%0*d%.*s", (int)(NUMBER_WIDTH + 1 - count), 0, (int)count, digits);
}

int layout_line_at(const char *text, size_t offset)
{
    int line = 1;
    for (size_t i = 0; i < offset; i++) {
        line += text[i] == '\n' ? 1 : 0;
    }
    return line;
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool refuse_count(const LayoutReader *reader, Err *err)
{
    return ERR_SET(err, ERR_BLUEPRINT_INVALID, NULL, "%s/%s: more than %d files",
                   reader->source->folder, reader->folder, LAYOUT_FILES_MAX);
}

static bool list_below(LayoutReader *reader, const char *below, int depth, Err *err);

static bool list_inner(LayoutReader *reader, const char *inner, int depth, Err *err)
{
    const size_t before = reader->file_count;
    if (depth >= FOLDER_DEPTH_MAX) {
        return layout_fail(reader, inner, err, "folders are nested too deeply");
    }
    if (!list_below(reader, inner, depth + 1, err)) {
        return false;
    }
    if (depth == 0 && reader->file_count == before && reader->empty_folder == NULL) {
        reader->empty_folder = inner;
    }
    return true;
}

/* All files below a folder of the layout's ("" for itself), with their paths from there. */
static bool list_below(LayoutReader *reader, const char *below, int depth, Err *err)
{
    const char **names = NULL;
    size_t count = 0;
    const char *folder = arena_printf(reader->arena, "%s%s%s", reader->folder,
                                      *below == '\0' ? "" : "/", below);
    if (!reader->source->list(reader->arena, reader->source, folder, &names, &count, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_printf(reader->arena, "%s%s%s", below, *below == '\0' ? "" : "/",
                                        names[i]);
        const size_t length = strlen(path);
        if (path[length - 1] == '/') {
            const char *inner = arena_strndup(reader->arena, path, length - 1);
            if (!list_inner(reader, inner, depth, err)) {
                return false;
            }
            continue;
        }
        if (reader->file_count >= LAYOUT_FILES_MAX) {
            return refuse_count(reader, err);
        }
        if (!text_is_utf8(path, length, NULL) || text_has_control(path)) {
            return layout_fail(reader, path, err,
                               "the name is not UTF-8, or has characters that cannot be seen");
        }
        reader->files[reader->file_count++] = path;
    }
    return true;
}

/* The tools take .sql, and would pass V1__a.SQL over without a word. */
static bool check_suffixes(const LayoutReader *reader, Err *err)
{
    static const char suffix[] = ".sql";
    for (size_t i = 0; i < reader->file_count; i++) {
        const char *path = reader->files[i];
        const size_t length = strlen(path);
        const char *end = path + (length > strlen(suffix) ? length - strlen(suffix) : length);
        if (strcasecmp(end, suffix) == 0 && strcmp(end, suffix) != 0) {
            layout_fail_name(reader, path, err);
            err_hint(err, "%s takes files that end in \"%s\", in lower case", reader->layout->tool,
                     suffix);
            return false;
        }
    }
    return true;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_migrations(const void *a, const void *b)
{
    const LayoutMigration *left = a;
    const LayoutMigration *right = b;
    const int order = strcmp(left->order, right->order);
    return order != 0 ? order : strcmp(left->up, right->up);
}

static int compare_versions(const void *a, const void *b)
{
    const LayoutMigration *const *left = a;
    const LayoutMigration *const *right = b;
    const int order = strcmp((*left)->version, (*right)->version);
    return order != 0 ? order : strcmp((*left)->up, (*right)->up);
}

static bool check_duplicates(const LayoutReader *reader, Err *err)
{
    const LayoutMigration **sorted = ARENA_ARRAY(reader->arena, const LayoutMigration *,
                                                 reader->count);
    for (size_t i = 0; i < reader->count; i++) {
        sorted[i] = &reader->migrations[i];
    }
    qsort(sorted, reader->count, sizeof *sorted, compare_versions);
    for (size_t i = 1; i < reader->count; i++) {
        if (strcmp(sorted[i - 1]->version, sorted[i]->version) == 0) {
            return layout_fail(reader, sorted[i]->up, err,
                               "the same %s as %s; %s wants one of each",
                               sorted[i]->is_repeatable ? "description" : "version",
                               sorted[i - 1]->up, reader->layout->tool);
        }
    }
    return true;
}

static bool list_migrations(LayoutReader *reader, Err *err)
{
    reader->files = ARENA_ARRAY(reader->arena, const char *, LAYOUT_FILES_MAX);
    if (!list_below(reader, "", 0, err)) {
        return false;
    }
    reader->migrations = ARENA_ARRAY(reader->arena, LayoutMigration, reader->file_count);
    if (reader->file_count > 0) {
        qsort(reader->files, reader->file_count, sizeof *reader->files, compare_paths);
    }
    if (!check_suffixes(reader, err) || !reader->layout->list(reader, err)) {
        return false;
    }
    for (size_t i = 0; i < reader->count; i++) {
        if (reader->migrations[i].up == NULL) {
            return layout_fail(reader, reader->migrations[i].down, err,
                               "there is no .up.sql of its version beside it");
        }
    }
    if (reader->count == 0) {
        return ERR_SET(err, ERR_BLUEPRINT_INVALID, reader->layout->name_rule,
                       "%s/%s: expected at least one migration of %s, found none",
                       reader->source->folder, reader->folder, reader->layout->tool);
    }
    if (reader->count > LIMIT_MIGRATIONS) {
        return refuse_count(reader, err);
    }
    qsort(reader->migrations, reader->count, sizeof *reader->migrations, compare_migrations);
    return check_duplicates(reader, err);
}

static bool read_text(LayoutReader *reader, const LayoutMigration *migration, LayoutText *ret_text,
                      Err *err)
{
    *ret_text = (LayoutText){0};
    const bool is_one_file = migration->down == migration->up;
    return layout_read_file(reader, migration->up, &ret_text->up, err) &&
           (migration->down == NULL || is_one_file ||
            layout_read_file(reader, migration->down, &ret_text->down, err)) &&
           (reader->layout->read_text == NULL ||
            reader->layout->read_text(reader, migration, ret_text, err));
}

static bool add_migration(LayoutReader *reader, const ManifestMigrations *wanted,
                          const LayoutMigration *migration, BlueprintMigration *ret_migration,
                          Err *err)
{
    LayoutText text;
    if (!read_text(reader, migration, &text, err)) {
        return false;
    }
    if (wanted->has_no_undo) {
        text.down = NULL;
    }
    *ret_migration = (BlueprintMigration){
        .name = migration->name,
        .file = arena_printf(reader->arena, "%s/%s", reader->folder, migration->up),
        .up = text.up,
        .down = text.down,
        .down_file = text.down == NULL
                         ? NULL
                         : arena_printf(reader->arena, "%s/%s", reader->folder, migration->down)};
    return secret_sha256_hex(reader->arena, text.up, strlen(text.up), &ret_migration->sha256,
                             err) &&
           (text.down == NULL || secret_sha256_hex(reader->arena, text.down, strlen(text.down),
                                                   &ret_migration->down_sha256, err));
}

bool layout_read(Arena *arena, const PackSource *source, const ManifestMigrations *wanted,
                 Blueprint *blueprint, Err *err)
{
    LayoutReader reader = {.arena = arena,
                           .source = source,
                           .layout = wanted->layout,
                           .folder = wanted->path,
                           .prefix = wanted->prefix};
    if (!list_migrations(&reader, err)) {
        return false;
    }
    BlueprintMigration *migrations = ARENA_ARRAY(arena, BlueprintMigration, reader.count);
    for (size_t i = 0; i < reader.count; i++) {
        if (!add_migration(&reader, wanted, &reader.migrations[i], &migrations[i], err)) {
            return false;
        }
        migrations[i].version = (int64_t)i + 1;
        migrations[i].is_repeatable = reader.migrations[i].is_repeatable;
    }
    blueprint->layout = wanted->layout->name;
    blueprint->migrations = migrations;
    blueprint->migration_count = reader.count;
    blueprint->version = (int64_t)reader.count;
    return adapt_migrations(arena, blueprint, migrations, wanted->has_plain_indexes, err);
}
