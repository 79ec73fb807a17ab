#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/array.h"
#include "core/limits.h"
#include "core/yaml.h"

static bool parse(Arena *arena, const char *text, const YamlNode **ret_root, Err *err)
{
    return yaml_parse(arena, "a.yaml", text, strlen(text), LIMIT_MANIFEST_BYTES,
                      ERR_BLUEPRINT_INVALID, ret_root, err);
}

static void nodes_know_their_kind_value_and_line(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const YamlNode *root = NULL;
    Err err;
    assert_true(parse(arena, "# top\na: 1\nb:\n  - x\n  - \"1\"\nc: {d: }\n", &root, &err));
    assert_int_equal(root->kind, YAML_KIND_MAP);
    assert_int_equal(root->count, 3);
    assert_int_equal(root->entries[1].line, 3);
    const YamlNode *b = yaml_find(root, "b");
    assert_int_equal(b->kind, YAML_KIND_LIST);
    assert_int_equal(b->line, 4);
    assert_true(b->items[0]->is_plain);
    assert_false(b->items[1]->is_plain);
    assert_string_equal(b->items[1]->text, "1");
    assert_int_equal(b->items[1]->line, 5);
    assert_string_equal(yaml_find(yaml_find(root, "c"), "d")->text, "");
    assert_null(yaml_find(root, "nothing"));
}

static void an_empty_document_is_an_empty_map(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const YamlNode *root = NULL;
    Err err;
    assert_true(parse(arena, "", &root, &err));
    assert_int_equal(root->kind, YAML_KIND_MAP);
    assert_int_equal(root->count, 0);
    assert_true(parse(arena, "# only a comment\n", &root, &err));
    assert_int_equal(root->count, 0);
}

static void what_a_manifest_needs_none_of_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"a: 1\nb: &x 2\n", "a.yaml:2: anchors (&name) are not allowed; write the value out"},
        {"a: *x\n", "a.yaml:1: aliases (*name) are not allowed; write the value out"},
        {"\na: !!int 2\n", "a.yaml:2: tags (!name) are not allowed; write the value without one"},
        {"a: !t [1]\n", "a.yaml:1: tags (!name) are not allowed; write the value without one"},
        {"&r {a: 1}\n", "a.yaml:1: anchors (&name) are not allowed; write the value out"},
        {"a: 1\nb: 2\na: 3\n", "a.yaml:3: key \"a\" is here again, it was in line 1 already"},
        {"a: 1\n---\nb: 2\n", "a.yaml:2: a second document begins here; one is allowed"},
        {"? [a]\n: 1\n", "a.yaml:1: a key must be a plain word"},
        {"a: \"\\0\"\n", "a.yaml:1: an escape in this text makes a NUL or invalid UTF-8"},
        {"a: 1\nb: \xff\n", "a.yaml:2: the text is not UTF-8, or has a NUL byte"},
        {"a: [1\n", "a.yaml:2: not YAML: did not find expected ',' or ']' (while parsing a flow "
                    "sequence that began in line 1)"},
        {"a: 1\n\tb: 2\n",
         "a.yaml:2: not YAML: found a tab character that violates indentation (while scanning a "
         "plain scalar that began in line 1)"},
        {"a: @b\n", "a.yaml:1: not YAML: found character that cannot start any token (while "
                    "scanning for the next token that began in line 1)"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        scoped_arena Arena *arena = arena_new();
        const YamlNode *root = NULL;
        Err err = {0};
        assert_false(parse(arena, cases[i].text, &root, &err));
        assert_int_equal(err.code, ERR_BLUEPRINT_INVALID);
        assert_string_equal(err.message, cases[i].message);
        assert_null(root);
    }
}

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const YamlNode *root = NULL;
    Err err;
    assert_false(
        yaml_parse(arena, "a.yaml", "a: 1\nb: \0", 9, 100, ERR_CONFIG_INVALID, &root, &err));
    assert_int_equal(err.code, ERR_CONFIG_INVALID);
    assert_string_equal(err.message, "a.yaml:2: the text is not UTF-8, or has a NUL byte");
}

static void a_text_past_its_limit_is_refused(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const YamlNode *root = NULL;
    Err err;
    assert_false(yaml_parse(arena, "a.yaml", "a: 1\n", 5, 4, ERR_CONFIG_INVALID, &root, &err));
    assert_string_equal(err.message, "a.yaml:1: the file has 5 bytes, 4 at most are allowed");
}

static void nesting_stops_at_its_limit(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    char text[2 * LIMIT_YAML_DEPTH + 16] = "";
    for (size_t depth = LIMIT_YAML_DEPTH; depth <= LIMIT_YAML_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = '\0';
        const YamlNode *root = NULL;
        Err err = {0};
        assert_int_equal(parse(arena, text, &root, &err), depth == LIMIT_YAML_DEPTH);
        if (depth > LIMIT_YAML_DEPTH) {
            assert_string_equal(err.message, "a.yaml:1: nested too deeply");
        }
    }
}

static void values_stop_at_their_limit(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const size_t count = LIMIT_YAML_NODES + 1;
    char *text = arena_alloc(arena, 2 * count + 3);
    text[0] = '[';
    for (size_t i = 0; i < count; i++) {
        memcpy(text + 1 + 2 * i, "1,", 2);
    }
    text[2 * count + 1] = ']';
    const YamlNode *root = NULL;
    Err err = {0};
    assert_false(parse(arena, text, &root, &err));
    assert_string_equal(err.message, "a.yaml:1: too many values in one file");
}

static void an_unknown_key_is_refused_with_what_was_meant(void **state)
{
    (void)state;
    static const char *const keys[] = {"name", "title"};
    scoped_arena Arena *arena = arena_new();
    const YamlNode *root = NULL;
    Err err = {0};
    assert_true(parse(arena, "name: 1\ntitel: 2\n", &root, &err));
    assert_false(yaml_check_keys(root, keys, 2, ERR_BLUEPRINT_INVALID, &err));
    assert_int_equal(err.code, ERR_BLUEPRINT_INVALID);
    assert_string_equal(err.message, "a.yaml:2: key \"titel\" is not known here");
    assert_string_equal(err.hint, "did you mean \"title\"?");
    assert_true(parse(arena, "zzzzzz: 1\n", &root, &err));
    assert_false(yaml_check_keys(root, keys, 2, ERR_BLUEPRINT_INVALID, &err));
    assert_string_equal(err.hint, "known keys here: name, title");
    assert_true(parse(arena, "name: 1\ntitle: 2\n", &root, &err));
    assert_true(yaml_check_keys(root, keys, 2, ERR_BLUEPRINT_INVALID, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_know_their_kind_value_and_line),
        cmocka_unit_test(an_empty_document_is_an_empty_map),
        cmocka_unit_test(what_a_manifest_needs_none_of_is_refused),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(a_text_past_its_limit_is_refused),
        cmocka_unit_test(nesting_stops_at_its_limit),
        cmocka_unit_test(values_stop_at_their_limit),
        cmocka_unit_test(an_unknown_key_is_refused_with_what_was_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
