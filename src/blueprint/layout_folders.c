/* Tools that have one folder a migration: Diesel (up.sql, down.sql, metadata.toml) and Prisma
 * (migration.sql). */
#include <string.h>

#include "blueprint/layout.h"

static const char prisma_lock[] = "migration_lock.toml";
static const char toml_blanks[] = " \t\r";

/* The folder's part of "2024-01-01_users/up.sql"; NULL for a file beside the folders. */
static const char *folder_of(Arena *arena, const char *path)
{
    const char *slash = strchr(path, '/');
    return slash == NULL ? NULL : arena_strndup(arena, path, (size_t)(slash - path));
}

/* The path of a file in a folder, when it is there. */
static const char *find_file(const LayoutReader *reader, const char *folder, const char *name)
{
    const size_t width = strlen(folder);
    for (size_t i = 0; i < reader->file_count; i++) {
        const char *path = reader->files[i];
        if (strncmp(path, folder, width) == 0 && path[width] == '/' &&
            strcmp(path + width + 1, name) == 0) {
            return path;
        }
    }
    return NULL;
}

/* Calls add for each folder, once; files are sorted, so that those of one folder follow another. An
 * empty one is for add to refuse, as the tools do. */
static bool each_folder(LayoutReader *reader,
                        bool (*add)(LayoutReader *reader, const char *folder, Err *err), Err *err)
{
    const char *last = "";
    for (size_t i = 0; i < reader->file_count; i++) {
        const char *folder = folder_of(reader->arena, reader->files[i]);
        if (folder == NULL || strcmp(folder, last) == 0) {
            continue;
        }
        last = folder;
        if (!add(reader, folder, err)) {
            return false;
        }
    }
    return reader->empty_folder == NULL || add(reader, reader->empty_folder, err);
}

/* What is before the first '_', without '-': Diesel's version. */
static const char *diesel_version(Arena *arena, const char *folder)
{
    char *version = arena_strdup(arena, folder);
    size_t length = 0;
    for (const char *at = folder; *at != '\0' && *at != '_'; at++) {
        if (*at != '-') {
            version[length++] = *at;
        }
    }
    version[length] = '\0';
    return version;
}

static bool add_diesel(LayoutReader *reader, const char *folder, Err *err)
{
    const char *version = diesel_version(reader->arena, folder);
    const char *up = find_file(reader, folder, "up.sql");
    if (up == NULL) {
        return layout_fail(reader, folder, err, "Diesel wants an up.sql in it");
    }
    if (strchr(folder, '_') == NULL || *version == '\0' ||
        strspn(version, "0123456789") != strlen(version)) {
        return layout_fail_name(reader, folder, err);
    }
    layout_add(reader, &(LayoutMigration){.order = version,
                                          .version = version,
                                          .name = folder,
                                          .up = up,
                                          .down = find_file(reader, folder, "down.sql")});
    return true;
}

bool layout_list_diesel(LayoutReader *reader, Err *err)
{
    return each_folder(reader, add_diesel, err);
}

/* Where the value of "key = value" begins, when the line is that; *ret_key is the width of the key.
 */
static const char *toml_member(const char *line, size_t *ret_key)
{
    *ret_key = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    const char *at = line + *ret_key + strspn(line + *ret_key, toml_blanks);
    return *ret_key == 0 || *at != '=' ? NULL : at + 1 + strspn(at + 1, toml_blanks);
}

static bool is_toml_end(const char *at)
{
    at += strspn(at, toml_blanks);
    return *at == '\0' || *at == '\n' || *at == '#';
}

/* Of a line of metadata.toml: NULL, or what is wrong. Diesel reads one key and passes others over.
 */
static const char *judge_metadata(const char *line)
{
    static const char key[] = "run_in_transaction";
    size_t width = 0;
    line += strspn(line, toml_blanks);
    const char *value = toml_member(line, &width);
    if (is_toml_end(line) || *line == '[') {
        return NULL;
    }
    if (value == NULL || is_toml_end(value)) {
        return "not TOML: expected key = value";
    }
    const size_t length = strspn(value, "abcdefghijklmnopqrstuvwxyz");
    const bool is_bool = (length == strlen("true") && strncmp(value, "true", length) == 0) ||
                         (length == strlen("false") && strncmp(value, "false", length) == 0);
    const bool is_read = width == strlen(key) && strncmp(line, key, width) == 0;
    return !is_read || (is_bool && is_toml_end(value + length))
               ? NULL
               : "run_in_transaction is true or false";
}

static bool check_metadata(LayoutReader *reader, const char *folder, Err *err)
{
    const char *text = NULL;
    int number = 1;
    const char *path = find_file(reader, folder, "metadata.toml");
    if (path == NULL) {
        return true;
    }
    if (!layout_read_file(reader, path, &text, err)) {
        return false;
    }
    for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n' ? 1 : 0, number++) {
        const char *wrong = judge_metadata(text);
        if (wrong != NULL) {
            return layout_fail_line(reader, path, number, err, "%s", wrong);
        }
    }
    return true;
}

/* What its metadata.toml says of transactions is seen on the statements (steps.h); that it can be
 * read is what Diesel asks. */
bool layout_text_diesel(LayoutReader *reader, const LayoutMigration *migration, LayoutText *text,
                        Err *err)
{
    if (text->up[strspn(text->up, " \t\r\n")] == '\0') {
        return layout_fail(reader, migration->up, err, "Diesel refuses to run an empty migration");
    }
    return check_metadata(reader, folder_of(reader->arena, migration->up), err);
}

/* The value of "key = value" when the line sets that key; NULL when it does not. */
static const char *toml_value(const char *line, const char *key)
{
    line += strspn(line, " \t");
    const size_t width = strlen(key);
    if (strncmp(line, key, width) != 0) {
        return NULL;
    }
    line += width + strspn(line + width, " \t");
    return *line == '=' ? line + 1 + strspn(line + 1, " \t") : NULL;
}

/* The value of a key of a file of plain lines, and its line; NULL when no line sets it. */
static const char *find_toml(const char *text, const char *key, int *ret_line)
{
    int number = 1;
    for (const char *line = text; *line != '\0'; number++) {
        const char *value = toml_value(line, key);
        if (value != NULL) {
            *ret_line = number;
            return value;
        }
        line += strcspn(line, "\n");
        line += *line == '\n' ? 1 : 0;
    }
    return NULL;
}

static bool check_provider(LayoutReader *reader, Err *err)
{
    const char *text = NULL;
    int line = 0;
    bool is_there = false;
    for (size_t i = 0; i < reader->file_count; i++) {
        is_there = is_there || strcmp(reader->files[i], prisma_lock) == 0;
    }
    if (!is_there) {
        return true;
    }
    if (!layout_read_file(reader, prisma_lock, &text, err)) {
        return false;
    }
    const char *provider = find_toml(text, "provider", &line);
    static const char wanted[] = "\"postgresql\"";
    return provider == NULL || strncmp(provider, wanted, strlen(wanted)) == 0 ||
           layout_fail_line(reader, prisma_lock, line, err,
                            "the migrations are for another database; expected provider = %s",
                            wanted);
}

static bool add_prisma(LayoutReader *reader, const char *folder, Err *err)
{
    const char *up = find_file(reader, folder, "migration.sql");
    if (up == NULL) {
        return layout_fail(reader, folder, err, "Prisma wants a migration.sql in it");
    }
    layout_add(reader, &(LayoutMigration){.order = folder,
                                          .version = folder,
                                          .name = folder,
                                          .up = up,
                                          .down = find_file(reader, folder, "down.sql")});
    return true;
}

bool layout_list_prisma(LayoutReader *reader, Err *err)
{
    return check_provider(reader, err) && each_folder(reader, add_prisma, err);
}
