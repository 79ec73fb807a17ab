/* YAML documents with the position of every node, for messages that name file, line and key.
 *
 * libyaml parses (only yaml.c includes it); aliases and anchors, tags, duplicate keys, several
 * documents and nesting past LIMIT_YAML_DEPTH are refused: a manifest needs none of them. */
#ifndef TENANTRY_CORE_YAML_H
#define TENANTRY_CORE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"

typedef enum YamlKind { YAML_KIND_SCALAR, YAML_KIND_LIST, YAML_KIND_MAP } YamlKind;

typedef struct YamlNode YamlNode;

typedef struct YamlEntry {
    const char *key;
    int line;
    const YamlNode *value;
} YamlEntry;

struct YamlNode {
    YamlKind kind;
    const char *file; /* as given to yaml_parse */
    int line;         /* from 1 */
    bool is_plain;    /* a scalar without quotes: null, true and numbers mean what they say */
    const char *text; /* scalar: its value, valid UTF-8 without NUL */
    size_t count;     /* list: items; map: entries */
    const YamlNode **items;
    const YamlEntry *entries;
};

/* Parses text (length bytes, at most max_bytes) into a tree in the arena. An empty document gives
 * an empty map. file is only for messages. Errors carry code (ERR_CONFIG_INVALID,
 * ERR_BLUEPRINT_INVALID, ...). Does not block. */
bool yaml_parse(Arena *arena, const char *file, const char *text, size_t length, size_t max_bytes,
                ErrCode code, const YamlNode **ret_root, Err *err);

/* The value under key, or NULL. node is a map. */
const YamlNode *yaml_find(const YamlNode *node, const char *key);

/* Refuses keys of a map that are not in the list, with "did you mean". */
bool yaml_check_keys(const YamlNode *node, const char *const *keys, size_t count, ErrCode code,
                     Err *err);

/* "file:line: " as prefix of an error about node; for ERR_SET's format: YAML_AT_FORMAT,
 * YAML_AT(node). */
#define YAML_AT_FORMAT "%s:%d: "
#define YAML_AT(node) (node)->file, (node)->line

#endif
