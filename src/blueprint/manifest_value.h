/* Typed values of blueprint.yaml. Every function names the file, the line and the key's path, what
 * was expected and what was found (ERR_BLUEPRINT_INVALID). Internal to the module. */
#ifndef TENANTRY_BLUEPRINT_MANIFEST_VALUE_H
#define TENANTRY_BLUEPRINT_MANIFEST_VALUE_H

#include "core/arena.h"
#include "core/err.h"
#include "core/yaml.h"

/* A place in the manifest: a value, NULL when the key is missing, and how a person calls it. */
typedef struct Spot {
    const YamlNode *node;
    const YamlNode *parent; /* for the line of a key that is missing */
    const char *path;       /* "plans.basic.limits"; "" for the whole file */
} Spot;

typedef bool (*TextCheck)(const char *text);

/* [a-z][a-z0-9_]{1,30}: names of blueprints and plans. */
bool is_short_name(const char *text);
/* [a-z_][a-z0-9_]{0,62}: tables, columns, features, limits. */
bool is_plain_identifier(const char *text);
/* 1 to 63 bytes without control characters: a table or column as the catalogue has it, which SQL
 * may have to quote. */
bool is_catalogue_name(const char *text);
/* [a-z][a-z0-9_-]{0,62}: extensions ("uuid-ossp"). */
bool is_extension_name(const char *text);

/* The spot of a key of a map, and of an item of a list. */
Spot spot_key(Arena *arena, const Spot *map, const char *key);
Spot spot_item(Arena *arena, const Spot *list, size_t index);

/* "FILE:LINE: key "PATH": expected WHAT, found ..."; a missing node is found to be nothing. */
bool spot_refuse(Arena *arena, const Spot *spot, const char *expected, Err *err);

/* "FILE:LINE: key "PATH": what", for rules that need another sentence. */
bool spot_fail(const Spot *spot, Err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The spot must be a map (list) and have at least min_count entries. */
bool spot_map(Arena *arena, const Spot *spot, const char *const *keys, size_t count, Err *err);
bool spot_list(Arena *arena, const Spot *spot, const char *expected, Err *err);

/* A text that passes check; expected says of what form. */
bool spot_text(Arena *arena, const Spot *spot, TextCheck check, const char *expected,
               const char **ret_text, Err *err);
/* One line for people, 1 to LIMIT_NAME_MAX_CHARS characters. */
bool spot_title(Arena *arena, const Spot *spot, const char **ret_text, Err *err);
/* Sentences, which may have line ends; missing gives NULL. */
bool spot_description(Arena *arena, const Spot *spot, const char **ret_text, Err *err);
bool spot_int(Arena *arena, const Spot *spot, int64_t least, int64_t most, int64_t *ret_value,
              Err *err);
bool spot_bool(Arena *arena, const Spot *spot, bool fallback, bool *ret_value, Err *err);
/* A list of different texts that pass check; missing gives none. */
bool spot_names(Arena *arena, const Spot *spot, TextCheck check, const char *expected,
                const char ***ret_names, size_t *ret_count, Err *err);

#endif
