/* Flyway: V1.2__name.sql, U1.2__name.sql that undoes it, R__name.sql that is run again when it has
 * changed; folders are looked into. */
#include <string.h>

#include "blueprint/layout.h"
#include "core/array.h"
#include "core/strbuf.h"

/* What a file's name says. */
typedef struct FlywayName {
    char kind;           /* V, U, R */
    const char *version; /* "1.2"; parts of it are behind '.' or '_' */
    const char *description;
    const char *stem; /* the name without .sql */
} FlywayName;

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Which kind the name is of, '\0' when it is of none, and how many bytes say so. */
static char kind_of(const LayoutReader *reader, const char *stem, size_t *ret_width)
{
    const char *prefix = reader->prefix == NULL ? "V" : reader->prefix;
    *ret_width = strlen(prefix);
    if (strncmp(stem, prefix, *ret_width) == 0 && is_digit(stem[*ret_width])) {
        return 'V';
    }
    *ret_width = 1;
    if (*stem == 'U' && is_digit(stem[1])) {
        return 'U';
    }
    return strncmp(stem, "R__", strlen("R__")) == 0 && strlen(stem) > strlen("R__") ? 'R' : '\0';
}

/* <V|U><version>__<description>.sql, or without a description; R__<description>.sql. */
static bool parse_name(const LayoutReader *reader, const char *path, FlywayName *ret_name)
{
    const char *base = base_name(path);
    char *stem = arena_strndup(reader->arena, base, strlen(base) - strlen(".sql"));
    size_t width = 0;
    *ret_name = (FlywayName){.kind = kind_of(reader, stem, &width), .stem = stem};
    if (ret_name->kind == '\0') {
        return false;
    }
    char *rest = arena_strdup(reader->arena, stem + width);
    char *mark = strstr(rest, "__");
    if (mark != NULL) {
        *mark = '\0';
        ret_name->description = mark + 2;
    }
    ret_name->version = rest;
    return true;
}

/* Each part with zeros before it; parts at the end that are 0 do not count: 1.0 is 1. NULL when it
 * is no version. */
static const char *comparable(Arena *arena, const char *version)
{
    StrBuf text = strbuf_init(arena);
    size_t kept = 0;
    for (const char *part = version;; part++) {
        const size_t digits = strspn(part, "0123456789");
        const char *padded = layout_pad_number(arena, part, digits);
        if (padded == NULL) {
            return NULL;
        }
        strbuf_printf(&text, "%s%s", text.length == 0 ? "" : ".", padded);
        kept = strspn(part, "0") == digits && kept > 0 ? kept : text.length;
        part += digits;
        if (*part == '\0') {
            return arena_strndup(arena, text.text, kept);
        }
        if (*part != '.' && *part != '_') {
            return NULL;
        }
    }
}

/* Behind all that have a version ('R' is behind the digits), in the order of their descriptions, in
 * which '_' is a space. */
static const char *repeatable_order(Arena *arena, const char *description)
{
    char *order = arena_printf(arena, "R%s", description);
    for (char *at = order; *at != '\0'; at++) {
        if (*at == '_') {
            *at = ' ';
        }
    }
    return order;
}

static bool add_file(LayoutReader *reader, const char *path, Err *err)
{
    FlywayName name;
    if (!parse_name(reader, path, &name)) {
        return layout_fail_name(reader, path, err);
    }
    if (name.kind == 'U') {
        return true;
    }
    const bool is_repeatable = name.kind == 'R';
    const char *order = is_repeatable ? repeatable_order(reader->arena, name.description)
                                      : comparable(reader->arena, name.version);
    if (order == NULL) {
        return layout_fail_name(reader, path, err);
    }
    layout_add(reader, &(LayoutMigration){.order = order,
                                          .version = order,
                                          .name = name.stem,
                                          .up = path,
                                          .is_repeatable = is_repeatable});
    return true;
}

static bool add_undo(LayoutReader *reader, const char *path, Err *err)
{
    FlywayName name;
    if (!parse_name(reader, path, &name) || name.kind != 'U') {
        return true;
    }
    const char *version = comparable(reader->arena, name.version);
    if (version == NULL) {
        return layout_fail_name(reader, path, err);
    }
    LayoutMigration *migration = layout_find_version(reader, version);
    if (migration == NULL) {
        return layout_fail(reader, path, err, "there is no migration V%s that it undoes",
                           name.version);
    }
    if (migration->down != NULL) {
        return layout_fail(reader, path, err, "%s undoes the same version", migration->down);
    }
    migration->down = path;
    return true;
}

static bool is_sql(const char *path)
{
    const size_t length = strlen(path);
    return length > strlen(".sql") && strcmp(path + length - strlen(".sql"), ".sql") == 0;
}

/* V2__fill.java, in whatever language: it runs between the others and cannot be left out. */
static bool check_code(const LayoutReader *reader, const char *path, Err *err)
{
    static const char *const ends[] = {".java", ".kt", ".groovy", ".class"};
    const char *base = base_name(path);
    const char *end = strrchr(base, '.');
    for (size_t i = 0; end != NULL && i < ARRAY_COUNT(ends); i++) {
        if (strcmp(end, ends[i]) == 0 && strchr("VUR", *base) != NULL &&
            strstr(base, "__") != NULL) {
            return layout_fail(reader, path, err, "a migration that is not SQL cannot be run");
        }
    }
    return true;
}

bool layout_list_flyway(LayoutReader *reader, Err *err)
{
    for (size_t i = 0; i < reader->file_count; i++) {
        const char *path = reader->files[i];
        if (is_sql(path) ? !add_file(reader, path, err) : !check_code(reader, path, err)) {
            return false;
        }
    }
    for (size_t i = 0; i < reader->file_count; i++) {
        if (is_sql(reader->files[i]) && !add_undo(reader, reader->files[i], err)) {
            return false;
        }
    }
    return true;
}

static bool check_placeholders(const LayoutReader *reader, const char *path, const char *text,
                               Err *err)
{
    const char *mark = text == NULL ? NULL : strstr(text, "${");
    return mark == NULL ||
           layout_fail_line(reader, path, layout_line_at(text, (size_t)(mark - text)), err,
                            "Flyway puts the value of a placeholder in place of \"${\"; write the "
                            "value itself, since nothing is replaced here");
}

bool layout_text_flyway(LayoutReader *reader, const LayoutMigration *migration, LayoutText *text,
                        Err *err)
{
    return check_placeholders(reader, migration->up, text->up, err) &&
           check_placeholders(reader, migration->down, text->down, err);
}
