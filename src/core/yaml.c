#include "core/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "core/limits.h"
#include "core/strbuf.h"
#include "core/text.h"

enum { LIST_START = 8, SHOWN_KEY_BYTES = 60 };

/* What the functions below share while one text is parsed. */
typedef struct YamlReader {
    Arena *arena;
    const char *file;
    ErrCode code;
    size_t node_count;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one; next_event replaces it */
} YamlReader;

static void reader_done(YamlReader *reader)
{
    yaml_event_delete(&reader->event);
    yaml_parser_delete(&reader->parser);
}

static int line_of(const yaml_mark_t *mark)
{
    return (int)mark->line + 1;
}

static bool refuse(const YamlReader *reader, const char *what, Err *err)
{
    return ERR_SET(err, reader->code, NULL, "%s:%d: %s", reader->file,
                   line_of(&reader->event.start_mark), what);
}

static const char syntax_hint[] =
    "look at the quotes, colons and indentation of that line and the ones before it";

static bool next_event(YamlReader *reader, Err *err)
{
    yaml_event_delete(&reader->event);
    if (yaml_parser_parse(&reader->parser, &reader->event) != 0) {
        return true;
    }
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_MEMORY_ERROR) {
        abort();
    }
    const char *problem = parser->problem == NULL ? "it cannot be read" : parser->problem;
    const int line = line_of(&parser->problem_mark);
    if (parser->context == NULL) {
        return ERR_SET(err, reader->code, syntax_hint, "%s:%d: not YAML: %s", reader->file, line,
                       problem);
    }
    return ERR_SET(err, reader->code, syntax_hint, "%s:%d: not YAML: %s (%s that began in line %d)",
                   reader->file, line, problem, parser->context, line_of(&parser->context_mark));
}

/* What a manifest needs none of: names for nodes, and types other than those that the reader of the
 * manifest asks for. */
static bool check_plainness(const YamlReader *reader, const yaml_char_t *anchor,
                            const yaml_char_t *tag, Err *err)
{
    if (anchor != NULL) {
        return refuse(reader, "anchors (&name) are not allowed; write the value out", err);
    }
    if (tag != NULL) {
        return refuse(reader, "tags (!name) are not allowed; write the value without one", err);
    }
    return true;
}

/* The tree is recursive, so is its parser; LIMIT_YAML_DEPTH bounds both. */
static bool parse_node(YamlReader *reader, int depth, const YamlNode **ret_node, Err *err);

static YamlNode *new_node(YamlReader *reader, YamlKind kind)
{
    YamlNode *node = ARENA_NEW(reader->arena, YamlNode);
    *node = (YamlNode){
        .kind = kind, .file = reader->file, .line = line_of(&reader->event.start_mark)};
    return node;
}

static bool parse_scalar(YamlReader *reader, const YamlNode **ret_node, Err *err)
{
    const char *value = (const char *)reader->event.data.scalar.value;
    const size_t length = reader->event.data.scalar.length;
    const bool is_plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (!check_plainness(reader, reader->event.data.scalar.anchor, reader->event.data.scalar.tag,
                         err)) {
        return false;
    }
    /* "\0" and "\ud800" in double quotes can make what the file itself cannot hold. */
    if (memchr(value, '\0', length) != NULL || !text_is_utf8(value, length, NULL)) {
        return refuse(reader, "an escape in this text makes a NUL or invalid UTF-8", err);
    }
    YamlNode *node = new_node(reader, YAML_KIND_SCALAR);
    node->is_plain = is_plain;
    node->text = arena_strndup(reader->arena, value, length);
    *ret_node = node;
    return true;
}

static bool parse_list(YamlReader *reader, int depth, const YamlNode **ret_node, Err *err)
{
    if (!check_plainness(reader, reader->event.data.sequence_start.anchor,
                         reader->event.data.sequence_start.tag, err)) {
        return false;
    }
    YamlNode *node = new_node(reader, YAML_KIND_LIST);
    size_t capacity = 0;
    if (!next_event(reader, err)) {
        return false;
    }
    while (reader->event.type != YAML_SEQUENCE_END_EVENT) {
        if (node->count == capacity) {
            capacity = capacity == 0 ? LIST_START : capacity * 2;
            const YamlNode **items = ARENA_ARRAY(reader->arena, const YamlNode *, capacity);
            for (size_t i = 0; i < node->count; i++) {
                items[i] = node->items[i];
            }
            node->items = items;
        }
        if (!parse_node(reader, depth + 1, &node->items[node->count], err) ||
            !next_event(reader, err)) {
            return false;
        }
        node->count++;
    }
    *ret_node = node;
    return true;
}

static int compare_entries(const void *a, const void *b)
{
    const YamlEntry *left = a;
    const YamlEntry *right = b;
    const int order = strcmp(left->key, right->key);
    return order != 0 ? order : (left->line > right->line) - (left->line < right->line);
}

/* Sorted, so that a large map costs no quadratic time. */
static bool check_duplicates(const YamlReader *reader, const YamlNode *map, Err *err)
{
    YamlEntry *sorted = ARENA_ARRAY(reader->arena, YamlEntry, map->count);
    for (size_t i = 0; i < map->count; i++) {
        sorted[i] = map->entries[i];
    }
    qsort(sorted, map->count, sizeof *sorted, compare_entries);
    for (size_t i = 1; i < map->count; i++) {
        if (strcmp(sorted[i - 1].key, sorted[i].key) == 0) {
            return ERR_SET(err, reader->code, "keep one of the two",
                           "%s:%d: key \"%s\" is here again, it was in line %d already",
                           reader->file, sorted[i].line,
                           text_quote(reader->arena, sorted[i].key, SHOWN_KEY_BYTES),
                           sorted[i - 1].line);
        }
    }
    return true;
}

static bool parse_entry(YamlReader *reader, int depth, YamlEntry *ret_entry, Err *err)
{
    if (reader->event.type != YAML_SCALAR_EVENT) {
        return refuse(reader, "a key must be a plain word", err);
    }
    const YamlNode *key = NULL;
    if (!parse_node(reader, depth, &key, err) || !next_event(reader, err)) {
        return false;
    }
    *ret_entry = (YamlEntry){.key = key->text, .line = key->line};
    return parse_node(reader, depth, &ret_entry->value, err) && next_event(reader, err);
}

static bool parse_map(YamlReader *reader, int depth, const YamlNode **ret_node, Err *err)
{
    if (!check_plainness(reader, reader->event.data.mapping_start.anchor,
                         reader->event.data.mapping_start.tag, err)) {
        return false;
    }
    YamlNode *node = new_node(reader, YAML_KIND_MAP);
    YamlEntry *entries = NULL;
    size_t capacity = 0;
    if (!next_event(reader, err)) {
        return false;
    }
    while (reader->event.type != YAML_MAPPING_END_EVENT) {
        if (node->count == capacity) {
            capacity = capacity == 0 ? LIST_START : capacity * 2;
            YamlEntry *grown = ARENA_ARRAY(reader->arena, YamlEntry, capacity);
            for (size_t i = 0; i < node->count; i++) {
                grown[i] = entries[i];
            }
            entries = grown;
        }
        if (!parse_entry(reader, depth + 1, &entries[node->count], err)) {
            return false;
        }
        node->count++;
    }
    node->entries = entries;
    *ret_node = node;
    return check_duplicates(reader, node, err);
}

static bool parse_node(YamlReader *reader, int depth, const YamlNode **ret_node, Err *err)
{
    if (depth > LIMIT_YAML_DEPTH) {
        return refuse(reader, "nested too deeply", err);
    }
    if (++reader->node_count > LIMIT_YAML_NODES) {
        return refuse(reader, "too many values in one file", err);
    }
    if (reader->event.type == YAML_SCALAR_EVENT) {
        return parse_scalar(reader, ret_node, err);
    }
    if (reader->event.type == YAML_SEQUENCE_START_EVENT) {
        return parse_list(reader, depth, ret_node, err);
    }
    if (reader->event.type == YAML_MAPPING_START_EVENT) {
        return parse_map(reader, depth, ret_node, err);
    }
    return refuse(reader, "aliases (*name) are not allowed; write the value out", err);
}

static bool parse_document(YamlReader *reader, const YamlNode **ret_root, Err *err)
{
    if (!next_event(reader, err) || /* the start of the stream */
        !next_event(reader, err)) {
        return false;
    }
    if (reader->event.type == YAML_STREAM_END_EVENT) {
        YamlNode *empty = new_node(reader, YAML_KIND_MAP);
        empty->line = 1;
        *ret_root = empty;
        return true;
    }
    if (!next_event(reader, err) || !parse_node(reader, 1, ret_root, err) ||
        !next_event(reader, err) || /* the end of the document */
        !next_event(reader, err)) {
        return false;
    }
    if (reader->event.type != YAML_STREAM_END_EVENT) {
        return refuse(reader, "a second document begins here; one is allowed", err);
    }
    return true;
}

/* The line of the first byte that is NUL or not UTF-8, or 0. */
static int find_bad_line(const char *text, size_t length)
{
    const char *line = text;
    for (int number = 1; line < text + length; number++) {
        const size_t left = length - (size_t)(line - text);
        const char *newline = memchr(line, '\n', left);
        const size_t width = newline == NULL ? left : (size_t)(newline - line);
        if (memchr(line, '\0', width) != NULL || !text_is_utf8(line, width, NULL)) {
            return number;
        }
        line += width + 1;
    }
    return 0;
}

bool yaml_parse(Arena *arena, const char *file, const char *text, size_t length, size_t max_bytes,
                ErrCode code, const YamlNode **ret_root, Err *err)
{
    if (length > max_bytes) {
        return ERR_SET(err, code, NULL, "%s:1: the file has %zu bytes, %zu at most are allowed",
                       file, length, max_bytes);
    }
    const int bad_line = find_bad_line(text, length);
    if (bad_line != 0) {
        return ERR_SET(err, code, "save the file as UTF-8",
                       "%s:%d: the text is not UTF-8, or has a NUL byte", file, bad_line);
    }
    YamlReader reader = {.arena = arena, .file = file, .code = code};
    if (yaml_parser_initialize(&reader.parser) == 0) {
        abort();
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
    const YamlNode *root = NULL;
    const bool is_parsed = parse_document(&reader, &root, err);
    reader_done(&reader);
    if (!is_parsed) {
        return false;
    }
    *ret_root = root;
    return true;
}

const YamlNode *yaml_find(const YamlNode *node, const char *key)
{
    for (size_t i = 0; i < node->count; i++) {
        if (strcmp(node->entries[i].key, key) == 0) {
            return node->entries[i].value;
        }
    }
    return NULL;
}

static bool is_listed(const char *key, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static void hint_known_keys(const char *key, const char *const *keys, size_t count, Err *err)
{
    const char *nearest = text_nearest(key, keys, count);
    if (nearest != NULL) {
        err_hint(err, "did you mean \"%s\"?", nearest);
        return;
    }
    scoped_arena Arena *arena = arena_new();
    StrBuf list = strbuf_init(arena);
    for (size_t i = 0; i < count; i++) {
        strbuf_printf(&list, "%s%s", i == 0 ? "" : ", ", keys[i]);
    }
    err_hint(err, "known keys here: %s", list.text);
}

bool yaml_check_keys(const YamlNode *node, const char *const *keys, size_t count, ErrCode code,
                     Err *err)
{
    for (size_t i = 0; i < node->count; i++) {
        const YamlEntry *entry = &node->entries[i];
        if (is_listed(entry->key, keys, count)) {
            continue;
        }
        scoped_arena Arena *arena = arena_new();
        ERR_SET(err, code, NULL, "%s:%d: key \"%s\" is not known here", node->file, entry->line,
                text_quote(arena, entry->key, SHOWN_KEY_BYTES));
        hint_known_keys(entry->key, keys, count, err);
        return false;
    }
    return true;
}
