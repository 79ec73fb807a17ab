#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/array.h"
#include "core/err.h"
#include "core/json.h"
#include "core/strbuf.h"
#include "core/text.h"

static void err_set_keeps_code_message_and_hint(void **state)
{
    (void)state;
    Err err;
    assert_false(ERR_SET(&err, ERR_SLUG_TAKEN, "choose another", "slug \"%s\" is taken", "acme"));
    assert_int_equal(err.code, ERR_SLUG_TAKEN);
    assert_string_equal(err.message, "slug \"acme\" is taken");
    assert_string_equal(err.hint, "choose another");
    assert_string_equal(err.sqlstate, "");
    assert_string_equal(err_kind(err.code)->wire, "slug_taken");
}

static void err_add_keeps_all_but_the_message(void **state)
{
    (void)state;
    Err err;
    ERR_SET(&err, ERR_PG_LOCKED, "wait", "no lock");
    const char *where = err.where;
    memcpy(err.sqlstate, "55P03", sizeof err.sqlstate);
    err_add(&err, "; \"%s\" has it", "acme");
    assert_string_equal(err.message, "no lock; \"acme\" has it");
    assert_string_equal(err.hint, "wait");
    assert_string_equal(err.sqlstate, "55P03");
    assert_ptr_equal(err.where, where);
    assert_int_equal(err.code, ERR_PG_LOCKED);
}

static void err_set_cuts_a_long_message_on_a_whole_character(void **state)
{
    (void)state;
    char long_text[2 * ERR_MESSAGE_SIZE + 1] = {0};
    for (size_t i = 0; i + 1 < sizeof long_text; i += 2) {
        memcpy(long_text + i, "\xc3\xa9", 2);
    }
    Err err;
    ERR_SET(&err, ERR_INTERNAL, NULL, "x%s", long_text);
    const size_t length = strlen(err.message);
    assert_true(length < sizeof err.message);
    assert_string_equal(err.message + length - 3, "...");
    assert_true(text_is_utf8(err.message, length, NULL));
}

static void every_error_has_its_own_wire_name_and_a_failing_exit_status(void **state)
{
    (void)state;
    for (int code = 1; code < ERR_COUNT_; code++) {
        const ErrKind *kind = err_kind((ErrCode)code);
        assert_int_equal(err_code_from_wire(kind->wire), code);
        assert_in_range(kind->exit_status, 1, 125);
        assert_in_range(kind->http_status, 400, 599);
        if (code > 1) {
            assert_true(strcmp(err_kind((ErrCode)(code - 1))->symbol, kind->symbol) < 0);
        }
    }
}

static void arena_gives_zeroed_aligned_memory_of_any_size(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    for (size_t size = 0; size < 100000; size = size * 3 + 1) {
        unsigned char *memory = arena_alloc(arena, size);
        assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(memory[i], 0);
        }
        memset(memory, 0xff, size);
    }
}

static void strbuf_grows_and_stays_terminated(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    StrBuf buf = strbuf_init(arena);
    for (int i = 0; i < 1000; i++) {
        strbuf_printf(&buf, "%03d,", i);
    }
    assert_int_equal(buf.length, 4000);
    assert_int_equal(strlen(buf.text), 4000);
    assert_memory_equal(buf.text + 3996, "999,", 5);
}

static void utf8_is_checked_as_rfc_3629_says(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool is_valid;
    } cases[] = {
        {"", true},
        {"acme", true},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", true},
        {"\xc0\xaf", false},         /* overlong */
        {"\xed\xa0\x80", false},     /* surrogate */
        {"\xf4\x90\x80\x80", false}, /* past U+10FFFF */
        {"\xe2\x82", false},         /* cut */
        {"\xff", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(text_is_utf8(cases[i].bytes, strlen(cases[i].bytes), NULL),
                         cases[i].is_valid);
    }
}

static void control_and_bidi_characters_are_found(void **state)
{
    (void)state;
    assert_false(text_has_control("Padaria S\xc3\xa3o Jos\xc3\xa9"));
    assert_true(text_has_control("a\nb"));
    assert_true(text_has_control("a\x7f"));
    assert_true(text_has_control("a\xe2\x80\xae"
                                 "b")); /* U+202E */
}

static void nearest_finds_a_typing_error_and_refuses_what_is_far(void **state)
{
    (void)state;
    static const char *const words[] = {"create", "list", "show", "suspend", "resume"};
    assert_string_equal(text_nearest("craete", words, 5), "create");
    assert_string_equal(text_nearest("lst", words, 5), "list");
    assert_string_equal(text_nearest("susp", words, 5), "suspend");
    assert_null(text_nearest("zebra", words, 5));
    assert_null(text_nearest("", words, 5));
}

static void integers_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    int64_t value = 0;
    assert_true(text_to_int("-42", &value));
    assert_int_equal(value, -42);
    assert_false(text_to_int("42x", &value));
    assert_false(text_to_int("", &value));
    assert_false(text_to_int(" 1", &value));
    assert_false(text_to_int("99999999999999999999", &value));
}

static void quoting_shows_bytes_that_would_hurt_a_terminal(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    assert_string_equal(text_quote(arena, "a\x1b[2J\xff", 100), "a\\x1b[2J\\xff");
    assert_string_equal(text_quote(arena, "abcdef", 3), "abc...");
}

static void json_refuses_a_key_given_twice(void **state)
{
    (void)state;
    Json *json = NULL;
    Err err;
    assert_false(json_parse("{\"a\":1,\"a\":2}", "the body", &json, &err));
    assert_int_equal(err.code, ERR_INPUT_INVALID);
    assert_non_null(strstr(err.message, "the body is not JSON: line 1"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_set_keeps_code_message_and_hint),
        cmocka_unit_test(err_add_keeps_all_but_the_message),
        cmocka_unit_test(err_set_cuts_a_long_message_on_a_whole_character),
        cmocka_unit_test(every_error_has_its_own_wire_name_and_a_failing_exit_status),
        cmocka_unit_test(arena_gives_zeroed_aligned_memory_of_any_size),
        cmocka_unit_test(strbuf_grows_and_stays_terminated),
        cmocka_unit_test(utf8_is_checked_as_rfc_3629_says),
        cmocka_unit_test(control_and_bidi_characters_are_found),
        cmocka_unit_test(nearest_finds_a_typing_error_and_refuses_what_is_far),
        cmocka_unit_test(integers_are_read_whole_or_not_at_all),
        cmocka_unit_test(quoting_shows_bytes_that_would_hurt_a_terminal),
        cmocka_unit_test(json_refuses_a_key_given_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
