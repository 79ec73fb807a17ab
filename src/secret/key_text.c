#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "secret/internal.h"

const char key_text_header[] =
    "# Master keys of Tenantry. They open every secret in its database, such as the passwords of\n"
    "# the tenants' roles. Whoever loses this file loses all of those secrets, and whoever reads\n"
    "# it can open them: keep a copy in another place, apart from the backups of the database.\n"
    "# One key a line, 64 hex digits; what follows a '#' is a comment.\n";

enum { KEY_DIGITS = 2 * SECRET_KEY_BYTES };

/* Part of a text; not NUL-terminated. */
typedef struct Slice {
    const char *bytes;
    size_t length;
} Slice;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Takes the next line, with its line feed, off the front of rest; false at the end. */
static bool next_line(Slice *rest, Slice *ret_line)
{
    if (rest->length == 0) {
        return false;
    }
    const char *feed = memchr(rest->bytes, '\n', rest->length);
    const size_t length = feed == NULL ? rest->length : (size_t)(feed - rest->bytes) + 1;
    *ret_line = (Slice){rest->bytes, length};
    rest->bytes += length;
    rest->length -= length;
    return true;
}

/* The line without its comment, its end and the blanks around. */
static Slice line_content(Slice line)
{
    const char *hash = memchr(line.bytes, '#', line.length);
    if (hash != NULL) {
        line.length = (size_t)(hash - line.bytes);
    } else if (line.length > 0 && line.bytes[line.length - 1] == '\n') {
        line.length--;
    }
    while (line.length > 0 && is_blank(line.bytes[line.length - 1])) {
        line.length--;
    }
    while (line.length > 0 && is_blank(line.bytes[0])) {
        line.bytes++;
        line.length--;
    }
    return line;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Reads KEY_DIGITS hex digits; gives how many of them were digits before the first that is none. */
static size_t read_key(const char *digits, Key *ret_key)
{
    for (size_t i = 0; i < KEY_DIGITS; i += 2) {
        const int high = hex_digit(digits[i]);
        const int low = hex_digit(digits[i + 1]);
        if (high < 0 || low < 0) {
            return i + (high >= 0);
        }
        ret_key->bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    return KEY_DIGITS;
}

static bool is_same_key(const Key *a, const Key *b)
{
    return CRYPTO_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* The errors say where and how long, never what: a mistyped key is nearly a key. */
static bool parse_key(const char *name, size_t line, Slice content, Key *ret_key, Err *err)
{
    static const char hint[] =
        "restore the key from your copy; a key is 64 hex digits on a line of its own";
    if (content.length != KEY_DIGITS) {
        return ERR_SET(err, ERR_KEY_WRONG, hint,
                       "line %zu of \"%s\" has %zu characters, expected %d hex digits", line, name,
                       content.length, KEY_DIGITS);
    }
    const size_t digits = read_key(content.bytes, ret_key);
    if (digits != KEY_DIGITS) {
        return ERR_SET(err, ERR_KEY_WRONG, hint,
                       "character %zu of the key in line %zu of \"%s\" is not a hex digit",
                       digits + 1, line, name);
    }
    return true;
}

static bool add_key(const char *name, size_t line, const Key *key, Keyring *keyring, Err *err)
{
    for (size_t i = 0; i < keyring->count; i++) {
        if (is_same_key(key, &keyring->keys[i].key)) {
            return ERR_SET(err, ERR_KEY_WRONG, "remove one of the two lines",
                           "line %zu of \"%s\" repeats the key \"%s\"", line, name,
                           keyring->keys[i].id);
        }
    }
    return keyring_add(keyring, key, err) || err_prefix(err, "line %zu of \"%s\"", line, name);
}

bool key_text_parse(const char *name, const char *text, size_t length, Keyring *keyring, Err *err)
{
    if (length > LIMIT_KEY_FILE_BYTES) {
        return ERR_SET(err, ERR_LIMIT, NULL, "\"%s\" has %zu bytes, %d at most are allowed", name,
                       length, LIMIT_KEY_FILE_BYTES);
    }
    Slice rest = {text, length};
    Slice line = {0};
    for (size_t number = 1; next_line(&rest, &line); number++) {
        const Slice content = line_content(line);
        if (content.length == 0) {
            continue;
        }
        scoped_key Key key = {0};
        if (!parse_key(name, number, content, &key, err) ||
            !add_key(name, number, &key, keyring, err)) {
            return false;
        }
    }
    return keyring->count > 0 || ERR_SET(err, ERR_KEY_MISSING, NULL, "\"%s\" holds no key", name);
}

void key_text_line(const MasterKey *key, char ret_line[KEY_LINE_SIZE])
{
    char digits[KEY_DIGITS + 1];
    hex_encode(key->key.bytes, sizeof key->key.bytes, digits);
    snprintf(ret_line, KEY_LINE_SIZE, "%s # %s\n", digits, key->id);
    secret_wipe(digits, sizeof digits);
}

static bool holds_key(const Keyring *keyring, const Key *key)
{
    bool is_found = false;
    for (size_t i = 0; i < keyring->count; i++) {
        is_found = is_same_key(key, &keyring->keys[i].key) || is_found;
    }
    return is_found;
}

size_t key_text_filter(const char *text, size_t length, const Keyring *dropped, char *ret_text)
{
    size_t kept = 0;
    Slice rest = {text, length};
    Slice line = {0};
    while (next_line(&rest, &line)) {
        const Slice content = line_content(line);
        scoped_key Key found = {0};
        const bool is_key = content.length == KEY_DIGITS &&
                            read_key(content.bytes, &found) == KEY_DIGITS;
        if (is_key && holds_key(dropped, &found)) {
            continue;
        }
        memcpy(ret_text + kept, line.bytes, line.length);
        kept += line.length;
    }
    return kept;
}
