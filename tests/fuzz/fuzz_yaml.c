/* YAML from outside: what is accepted is a tree within the limits, all of its text UTF-8. */
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/text.h"
#include "core/yaml.h"
#include "fuzz.h"

static void must_be_text(const char *text)
{
    if (text == NULL || !text_is_utf8(text, strlen(text), NULL)) {
        abort();
    }
}

static void check_node(const YamlNode *node, int depth)
{
    if (node == NULL || depth > LIMIT_YAML_DEPTH || node->line < 1) {
        abort();
    }
    if (node->kind == YAML_KIND_SCALAR) {
        must_be_text(node->text);
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == YAML_KIND_MAP) {
            must_be_text(node->entries[i].key);
        }
        check_node(node->kind == YAML_KIND_MAP ? node->entries[i].value : node->items[i],
                   depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[] = {"name", "title"};
    scoped_arena Arena *arena = arena_new();
    const YamlNode *root = NULL;
    Err err = {0};
    if (!yaml_parse(arena, "fuzz", (const char *)data, size, LIMIT_MANIFEST_BYTES,
                    ERR_CONFIG_INVALID, &root, &err)) {
        if (err.code != ERR_CONFIG_INVALID) {
            abort();
        }
        return 0;
    }
    check_node(root, 1);
    if (root->kind == YAML_KIND_MAP) {
        yaml_check_keys(root, keys, 2, ERR_CONFIG_INVALID, &err);
    }
    return 0;
}
