#include "secret/secret.h"

#include <string.h>

#include "core/fault.h"
#include "secret/internal.h"

static const char key_id_label[] = "tenantry key id";

bool keyring_new(Keyring **ret_keyring, Err *err)
{
    void *memory = NULL;
    if (!secure_alloc(sizeof(Keyring), "the keyring", &memory, err)) {
        return false;
    }
    *ret_keyring = memory;
    return true;
}

Keyring *keyring_close(Keyring *keyring)
{
    secure_free(keyring, sizeof *keyring);
    return NULL;
}

static bool derive_id(const Key *key, char ret_id[SECRET_KEY_ID_SIZE], Err *err)
{
    uint8_t id[(SECRET_KEY_ID_SIZE - 1) / 2];
    const HkdfInput input = {.key = key->bytes,
                             .key_length = sizeof key->bytes,
                             .info = (const uint8_t *)key_id_label,
                             .info_length = sizeof key_id_label - 1};
    if (!hkdf_sha256(&input, id, sizeof id, err)) {
        return false;
    }
    hex_encode(id, sizeof id, ret_id);
    return true;
}

bool keyring_add(Keyring *keyring, const Key *key, Err *err)
{
    if (keyring->count == LIMIT_MASTER_KEYS) {
        return ERR_SET(err, ERR_LIMIT, "remove the keys that no secret needs any more",
                       "there are more than %d master keys", LIMIT_MASTER_KEYS);
    }
    MasterKey *added = &keyring->keys[keyring->count];
    added->key = *key;
    if (!derive_id(key, added->id, err)) {
        secret_wipe(added, sizeof *added);
        return false;
    }
    keyring->count++;
    return true;
}

static const MasterKey *find_key(const Keyring *keyring, const char *id)
{
    for (size_t i = 0; i < keyring->count; i++) {
        if (strcmp(keyring->keys[i].id, id) == 0) {
            return &keyring->keys[i];
        }
    }
    return NULL;
}

bool keyring_get(const Keyring *keyring, const char *id, const MasterKey **ret_key, Err *err)
{
    const MasterKey *key = find_key(keyring, id);
    if (key == NULL) {
        return ERR_SET(err, ERR_KEY_MISSING,
                       "restore the key file from the copy that holds this key, or put the key "
                       "into " KEY_VARIABLE,
                       "there is no master key with the id \"%s\"", id);
    }
    *ret_key = key;
    return true;
}

static bool read_file_keys(const char *path, KeyFileUse use, KeyFile *ret_file, Keyring *keyring,
                           Err *err)
{
    scoped_key_file KeyFile file = KEY_FILE_NONE;
    if (!key_file_open(path, use, &file, err)) {
        return false;
    }
    if (!key_text_parse(path, file.text, file.length, keyring, err)) {
        if (err->code == ERR_KEY_MISSING) {
            err_hint(err, "restore the file from your copy, or set %s", KEY_VARIABLE);
        }
        return false;
    }
    *ret_file = file;
    file = KEY_FILE_NONE;
    return true;
}

static bool read_source(const KeySource *source, Keyring *keyring, Err *err)
{
    if (source->text != NULL) {
        if (!key_text_parse(KEY_VARIABLE, source->text, strlen(source->text), keyring, err)) {
            if (err->code == ERR_KEY_MISSING) {
                err_hint(err,
                         "put the 64 hex digits of the key into %s, or unset it to use the "
                         "key file",
                         KEY_VARIABLE);
            }
            return false;
        }
        return true;
    }
    if (source->file == NULL) {
        return ERR_SET(err, ERR_KEY_MISSING, "set " KEY_VARIABLE ", or name a key file",
                       "there is no master key: neither " KEY_VARIABLE " nor a key file is given");
    }
    scoped_key_file KeyFile file = KEY_FILE_NONE;
    return read_file_keys(source->file, KEY_FILE_READ, &file, keyring, err);
}

bool keyring_open(const KeySource *source, Keyring **ret_keyring, Err *err)
{
    scoped_keyring Keyring *keyring = NULL;
    if (!keyring_new(&keyring, err) || !read_source(source, keyring, err)) {
        return false;
    }
    *ret_keyring = keyring;
    keyring = NULL;
    return true;
}

/* Adds a new random key to the keyring; ret_line is its line for the file. */
static bool make_key(Keyring *keyring, char ret_line[KEY_LINE_SIZE], Err *err)
{
    scoped_key Key key = {0};
    if (!secure_random(key.bytes, sizeof key.bytes, err) || !keyring_add(keyring, &key, err)) {
        return false;
    }
    key_text_line(&keyring->keys[keyring->count - 1], ret_line);
    return true;
}

/* Takes the last key off again. */
static void drop_last_key(Keyring *keyring)
{
    keyring->count--;
    secret_wipe(&keyring->keys[keyring->count], sizeof keyring->keys[0]);
}

/* A text on the secure heap that grows up to what it was made for. */
typedef struct SecureText {
    char *bytes;
    size_t length;
    size_t capacity;
} SecureText;

static bool secure_text_init(SecureText *text, size_t capacity, Err *err)
{
    void *memory = NULL;
    if (!secure_alloc(capacity, "the key file", &memory, err)) {
        return false;
    }
    *text = (SecureText){.bytes = memory, .capacity = capacity};
    return true;
}

static void secure_text_add(SecureText *text, const char *bytes, size_t length)
{
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

/* Starts a new line when the last one has no end. */
static void secure_text_end_line(SecureText *text)
{
    if (text->length > 0 && text->bytes[text->length - 1] != '\n') {
        secure_text_add(text, "\n", 1);
    }
}

static void secure_text_done(SecureText *text)
{
    secure_free(text->bytes, text->capacity);
}
#define scoped_secure_text __attribute__((cleanup(secure_text_done)))

bool keyring_create_file(const char *path, Err *err)
{
    const size_t header = strlen(key_text_header);
    scoped_keyring Keyring *keyring = NULL;
    scoped_secure_text SecureText text = {0};
    if (!keyring_new(&keyring, err) || !secure_text_init(&text, header + KEY_LINE_SIZE, err)) {
        return false;
    }
    secure_text_add(&text, key_text_header, header);
    if (!make_key(keyring, text.bytes + header, err)) {
        return false;
    }
    return key_file_create(path, text.bytes, header + strlen(text.bytes + header), err);
}

/* Writes the file with one more line: the last key of the keyring. */
static bool append_line(const KeyFile *file, const char *line, Err *err)
{
    scoped_secure_text SecureText text = {0};
    if (!secure_text_init(&text, file->length + 1 + KEY_LINE_SIZE, err)) {
        return false;
    }
    secure_text_add(&text, file->text, file->length);
    secure_text_end_line(&text);
    secure_text_add(&text, line, strlen(line));
    return key_file_replace(file, text.bytes, text.length, err);
}

bool keyring_add_to_file(Keyring *keyring, const char *path, char ret_id[SECRET_KEY_ID_SIZE],
                         Err *err)
{
    scoped_keyring Keyring *in_file = NULL;
    scoped_key_file KeyFile file = KEY_FILE_NONE;
    if (!keyring_new(&in_file, err) ||
        !read_file_keys(path, KEY_FILE_UPDATE, &file, in_file, err)) {
        return false;
    }
    if (in_file->count == LIMIT_MASTER_KEYS) {
        return ERR_SET(err, ERR_LIMIT, "remove the keys that no secret needs any more",
                       "\"%s\" holds %d master keys already", path, LIMIT_MASTER_KEYS);
    }
    char line[KEY_LINE_SIZE];
    if (!make_key(keyring, line, err)) {
        return false;
    }
    const bool is_written = append_line(&file, line, err);
    secret_wipe(line, sizeof line);
    if (!is_written) {
        drop_last_key(keyring);
        return false;
    }
    FAULT("secret.keyring.after_add");
    memcpy(ret_id, keyring->keys[keyring->count - 1].id, SECRET_KEY_ID_SIZE);
    return true;
}

/* Refuses to drop a key that came into the file after the keyring was read: another process may
 * have sealed secrets with it by now. */
static bool check_all_known(const Keyring *keyring, const Keyring *in_file, const char *path,
                            Err *err)
{
    for (size_t i = 0; i < in_file->count; i++) {
        if (!keyring_has(keyring, in_file->keys[i].id)) {
            return ERR_SET(err, ERR_CONFLICT, "wait until the other rotation is over, then retry",
                           "another process added the key \"%s\" to \"%s\"", in_file->keys[i].id,
                           path);
        }
    }
    return true;
}

/* Writes the file with its comments and this key alone. */
static bool write_only(const KeyFile *file, const MasterKey *key, Err *err)
{
    scoped_secure_text SecureText text = {0};
    if (!secure_text_init(&text, file->length + 1 + KEY_LINE_SIZE, err)) {
        return false;
    }
    bool has_key = false;
    text.length = key_text_filter(file->text, file->length, &key->key, text.bytes, &has_key);
    if (!has_key) {
        secure_text_end_line(&text);
        key_text_line(key, text.bytes + text.length);
        text.length += strlen(text.bytes + text.length);
    }
    return key_file_replace(file, text.bytes, text.length, err);
}

bool keyring_keep_only(Keyring *keyring, const char *path, const char *id, Err *err)
{
    const MasterKey *key = NULL;
    scoped_keyring Keyring *in_file = NULL;
    scoped_key_file KeyFile file = KEY_FILE_NONE;
    if (!keyring_get(keyring, id, &key, err) || !keyring_new(&in_file, err) ||
        !read_file_keys(path, KEY_FILE_UPDATE, &file, in_file, err) ||
        !check_all_known(keyring, in_file, path, err) || !write_only(&file, key, err)) {
        return false;
    }
    FAULT("secret.keyring.after_keep_only");
    keyring->keys[0] = *key;
    secret_wipe(&keyring->keys[1], sizeof keyring->keys - sizeof keyring->keys[0]);
    keyring->count = 1;
    return true;
}

size_t keyring_count(const Keyring *keyring)
{
    return keyring->count;
}

const char *keyring_id(const Keyring *keyring, size_t n)
{
    return keyring->keys[n].id;
}

bool keyring_has(const Keyring *keyring, const char *id)
{
    return find_key(keyring, id) != NULL;
}
