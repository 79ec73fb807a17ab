/* The two files of signing, as texts: signatures, and keys that are trusted. */
#include <string.h>

#include "blueprint/signature.h"
#include "core/file.h"
#include "core/limits.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "secret/secret.h"

enum {
    KEY_DIGITS = 2 * SECRET_PUBLIC_BYTES,
    SUM_DIGITS = 2 * SECRET_HASH_BYTES,
    SIGNATURE_DIGITS = 2 * SECRET_SIGNATURE_BYTES,
};

static const char header[] =
    "# Who signed which script. A line is the public key, the script's SHA-256, the signature\n"
    "# (Ed25519) and the script's name. Made by: tenantry migrate sign\n";
static const char line_form[] =
    "a line is a public key, a SHA-256, a signature and a name, with one space between";

/* --- lines ------------------------------------------------------------------------------------ */

typedef struct LineReader {
    Arena *arena;
    const char *rest; /* NULL: at the end */
    int number;
} LineReader;

/* The next line that is neither empty nor a comment, without its end; NULL when there is none. */
static const char *next_line(LineReader *reader)
{
    while (reader->rest != NULL && *reader->rest != '\0') {
        const size_t length = strcspn(reader->rest, "\n");
        size_t width = length;
        const char *at = reader->rest;
        while (width > 0 && strchr(" \t\r", at[width - 1]) != NULL) {
            width--;
        }
        reader->rest = at[length] == '\n' ? at + length + 1 : NULL;
        reader->number++;
        if (width > 0 && *at != '#') {
            return arena_strndup(reader->arena, at, width);
        }
    }
    return NULL;
}

static bool check_text(const char *file, const char *text, size_t length, ErrCode code, Err *err)
{
    return (strlen(text) == length && text_is_utf8(text, length, NULL)) ||
           ERR_SET(err, code, NULL, "%s: it is not a text in UTF-8", file);
}

static bool is_hex(Arena *arena, const char *text, size_t digits)
{
    uint8_t bytes[SECRET_SIGNATURE_BYTES];
    return strlen(text) == digits && secret_from_hex(arena_strdup(arena, text), bytes, digits / 2);
}

/* Takes the word of so many hex digits and the space behind it off the line; NULL: it is none. */
static const char *take_hex(Arena *arena, const char **line, size_t digits)
{
    const char *word = arena_strndup(arena, *line, strcspn(*line, " "));
    if (!is_hex(arena, word, digits) || (*line)[digits] != ' ') {
        return NULL;
    }
    *line += digits + 1;
    return word;
}

/* --- signatures ------------------------------------------------------------------------------- */

static bool parse_line(Arena *arena, const char *line, BlueprintSignature *ret_signature)
{
    const char *key = take_hex(arena, &line, KEY_DIGITS);
    const char *sha256 = key == NULL ? NULL : take_hex(arena, &line, SUM_DIGITS);
    const char *value = sha256 == NULL ? NULL : take_hex(arena, &line, SIGNATURE_DIGITS);
    if (value == NULL || *line == '\0' || *line == ' ' || text_has_control(line)) {
        return false;
    }
    *ret_signature = (BlueprintSignature){
        .key = key, .sha256 = sha256, .value = value, .script = arena_strdup(arena, line)};
    return true;
}

static size_t count_lines(const char *text)
{
    size_t lines = 1;
    for (; *text != '\0'; text++) {
        lines += *text == '\n' ? 1 : 0;
    }
    return lines;
}

bool signatures_parse(Arena *arena, const char *file, const char *text, size_t length,
                      SignatureList *ret_list, Err *err)
{
    if (!check_text(file, text, length, ERR_BLUEPRINT_INVALID, err)) {
        return false;
    }
    BlueprintSignature *items = ARENA_ARRAY(arena, BlueprintSignature, count_lines(text));
    LineReader reader = {.arena = arena, .rest = text};
    const char *line = NULL;
    size_t count = 0;
    while ((line = next_line(&reader)) != NULL) {
        if (!parse_line(arena, line, &items[count++])) {
            return ERR_SET(err, ERR_BLUEPRINT_INVALID, line_form, "%s:%d: this is no signature",
                           file, reader.number);
        }
    }
    *ret_list = (SignatureList){.count = count, .items = items};
    return true;
}

const char *signatures_to_text(Arena *arena, const SignatureList *list)
{
    StrBuf text = strbuf_init(arena);
    strbuf_add(&text, header);
    for (size_t i = 0; i < list->count; i++) {
        const BlueprintSignature *item = &list->items[i];
        strbuf_printf(&text, "%s %s %s %s\n", item->key, item->sha256, item->value, item->script);
    }
    return text.text;
}

static bool has_file(Arena *arena, const PackSource *source)
{
    if (source->real != NULL) {
        return file_exists(arena_printf(arena, "%s/%s", source->real, SIGNATURE_FILE));
    }
    return false; /* scripts of the program itself need no signature */
}

bool signatures_read(Arena *arena, const PackSource *source, SignatureList *ret_list, Err *err)
{
    const char *text = NULL;
    size_t length = 0;
    *ret_list = (SignatureList){0};
    return !has_file(arena, source) ||
           (source->read(arena, source, SIGNATURE_FILE, LIMIT_SIGNATURES_BYTES, &text, &length,
                         err) &&
            signatures_parse(arena, arena_printf(arena, "%s/%s", source->folder, SIGNATURE_FILE),
                             text, length, ret_list, err));
}

/* --- trusted keys ----------------------------------------------------------------------------- */

bool trusted_keys_parse(Arena *arena, const char *file, const char *text, size_t length,
                        TrustedKeys *ret_keys, Err *err)
{
    if (!check_text(file, text, length, ERR_CONFIG_INVALID, err)) {
        return false;
    }
    const char **keys = ARENA_ARRAY(arena, const char *, count_lines(text));
    LineReader reader = {.arena = arena, .rest = text};
    const char *line = NULL;
    size_t count = 0;
    while ((line = next_line(&reader)) != NULL) {
        const char *key = arena_strndup(arena, line, strcspn(line, " \t#"));
        const char *rest = line + strlen(key) + strspn(line + strlen(key), " \t");
        if (!is_hex(arena, key, KEY_DIGITS) || (*rest != '\0' && *rest != '#')) {
            return ERR_SET(err, ERR_CONFIG_INVALID, "\"tenantry migrate sign\" shows a public key",
                           "%s:%d: expected a public key of %d lower-case hex digits", file,
                           reader.number, KEY_DIGITS);
        }
        keys[count++] = key;
    }
    *ret_keys = (TrustedKeys){.count = count, .keys = keys};
    return count > 0 || ERR_SET(err, ERR_CONFIG_INVALID, "\"tenantry migrate sign\" shows one",
                                "%s: it holds no public key", file);
}
