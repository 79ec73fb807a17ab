/* Migration folders of other tools, read as they are: a table of layouts, one row a tool.
 * Internal to the module; docs/rollout-sources.md has the rules of each.
 *
 * A layout says which files of a folder are migrations and in which order the tool runs them. What
 * is common is done here: reading, what keeps a text from running in a place (adapt.h), positions.
 * The version of a migration is its position, from 1; its name is the tool's own, version and
 * all. */
#ifndef TENANTRY_BLUEPRINT_LAYOUT_H
#define TENANTRY_BLUEPRINT_LAYOUT_H

#include "blueprint/manifest.h"
#include "blueprint/pack_source.h"
#include "core/limits.h"

/* One migration, before its files are read. Paths are below the layout's folder. */
typedef struct LayoutMigration {
    const char *order;   /* strcmp of it is the tool's order */
    const char *version; /* two of one version are a mistake; made comparable: "000000000000001" */
    const char *name;    /* the tool's own, with the version as it is written: "V1.2__users" */
    const char *up;      /* NULL: only a down was seen */
    const char *down;    /* NULL: none; the same as up when the file has sections */
    bool is_repeatable;
} LayoutMigration;

typedef struct LayoutReader {
    Arena *arena;
    const PackSource *source;
    const struct Layout *layout;
    const char *folder; /* of the migrations, below the pack */
    const char *prefix; /* of names of versioned migrations; NULL: the tool's */
    const char **files; /* all that are below folder, sorted */
    size_t file_count;
    const char *empty_folder;    /* the first one of folder that has no file in it; NULL: none */
    LayoutMigration *migrations; /* room for file_count */
    size_t count;
    size_t total_bytes; /* read so far */
} LayoutReader;

/* Files below one layout's folder: migrations, what undoes them, what is said about them. */
enum { LAYOUT_FILES_MAX = 4 * LIMIT_MIGRATIONS };

/* The texts of a migration, as its files have them. Line numbers are the files'. */
typedef struct LayoutText {
    const char *up;
    const char *down; /* NULL: none */
} LayoutText;

typedef struct Layout {
    const char *name;      /* in the manifest */
    const char *tool;      /* in messages */
    const char *name_rule; /* what files must be called */
    const char *late_rule; /* why none can come before one that is recorded */
    /* Fills the migrations, in any order. */
    bool (*list)(LayoutReader *reader, Err *err);
    /* Cuts the file's text up and looks at the tool's options; NULL: nothing to do. */
    bool (*read_text)(LayoutReader *reader, const LayoutMigration *migration, LayoutText *text,
                      Err *err);
} Layout;

/* NULL when there is none of this name. "tenantry" is none of them. */
const Layout *layout_find(const char *name);

/* Fills the migrations and the version of a blueprint. ERR_BLUEPRINT_INVALID, ERR_IO. */
bool layout_read(Arena *arena, const PackSource *source, const ManifestMigrations *wanted,
                 Blueprint *blueprint, Err *err);

/* --- for the layouts -------------------------------------------------------------------------- */

/* Fails with the file's path before the message; the path is below the layout's folder. */
bool layout_fail(const LayoutReader *reader, const char *path, Err *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for a line of it. */
bool layout_fail_line(const LayoutReader *reader, const char *path, int line, Err *err,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));
/* A file whose name the tool would not take, with the tool's rule as hint. */
bool layout_fail_name(const LayoutReader *reader, const char *path, Err *err);

/* The text of a file below the folder. */
bool layout_read_file(LayoutReader *reader, const char *path, const char **ret_text, Err *err);

LayoutMigration *layout_add(LayoutReader *reader, const LayoutMigration *migration);
/* The migration of this version, or NULL; those that repeat have none. */
LayoutMigration *layout_find_version(LayoutReader *reader, const char *version);

/* Digits with as many zeros before them that strcmp orders them as numbers; NULL when there are
 * too many digits. */
const char *layout_pad_number(Arena *arena, const char *digits, size_t count);

/* The number of the line that holds the byte at offset. */
int layout_line_at(const char *text, size_t offset);

bool layout_list_dbmate(LayoutReader *reader, Err *err);
bool layout_text_dbmate(LayoutReader *reader, const LayoutMigration *migration, LayoutText *text,
                        Err *err);
bool layout_list_diesel(LayoutReader *reader, Err *err);
bool layout_text_diesel(LayoutReader *reader, const LayoutMigration *migration, LayoutText *text,
                        Err *err);
bool layout_list_flyway(LayoutReader *reader, Err *err);
bool layout_text_flyway(LayoutReader *reader, const LayoutMigration *migration, LayoutText *text,
                        Err *err);
bool layout_list_golang(LayoutReader *reader, Err *err);
bool layout_list_prisma(LayoutReader *reader, Err *err);

#endif
