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

/* Adds a new random key to the keyring. */
static bool make_key(Keyring *keyring, Err *err)
{
    scoped_key Key key = {0};
    return secure_random(key.bytes, sizeof key.bytes, err) && keyring_add(keyring, &key, err);
}

bool keyring_make(Keyring *keyring, const char **ret_id, Err *err)
{
    if (!make_key(keyring, err)) {
        return false;
    }
    *ret_id = keyring->keys[keyring->count - 1].id;
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
    if (!make_key(keyring, err)) {
        return false;
    }
    key_text_line(&keyring->keys[0], text.bytes + header);
    return key_file_create(path, text.bytes, header + strlen(text.bytes + header), err);
}

/* Writes the file with one more line. */
static bool append_key(const KeyFile *file, const MasterKey *key, Err *err)
{
    scoped_secure_text SecureText text = {0};
    if (!secure_text_init(&text, file->length + 1 + KEY_LINE_SIZE, err)) {
        return false;
    }
    secure_text_add(&text, file->text, file->length);
    secure_text_end_line(&text);
    key_text_line(key, text.bytes + text.length);
    text.length += strlen(text.bytes + text.length);
    return key_file_replace(file, text.bytes, text.length, err);
}

bool keyring_put_in_file(const Keyring *keyring, const char *path, const char *id, Err *err)
{
    const MasterKey *key = NULL;
    scoped_keyring Keyring *in_file = NULL;
    scoped_key_file KeyFile file = KEY_FILE_NONE;
    if (!keyring_get(keyring, id, &key, err) || !keyring_new(&in_file, err) ||
        !read_file_keys(path, KEY_FILE_UPDATE, &file, in_file, err)) {
        return false;
    }
    if (keyring_has(in_file, id)) {
        return true;
    }
    if (in_file->count == LIMIT_MASTER_KEYS) {
        return ERR_SET(err, ERR_LIMIT, "remove the keys that no secret needs any more",
                       "\"%s\" holds %d master keys already", path, LIMIT_MASTER_KEYS);
    }
    if (!append_key(&file, key, err)) {
        return false;
    }
    FAULT("secret.keyring.after_add");
    return true;
}

bool keyring_add_to_file(Keyring *keyring, const char *path, const char **ret_id, Err *err)
{
    const char *id = NULL;
    if (!keyring_make(keyring, &id, err)) {
        return false;
    }
    if (!keyring_put_in_file(keyring, path, id, err)) {
        drop_last_key(keyring);
        return false;
    }
    *ret_id = id;
    return true;
}

/* Those of these ids, as they are in from. */
static bool pick_keys(const Keyring *from, const char *const *ids, size_t count, Keyring *picked,
                      Err *err)
{
    for (size_t i = 0; i < count; i++) {
        const MasterKey *key = find_key(from, ids[i]);
        if (key != NULL && !keyring_add(picked, &key->key, err)) {
            return false;
        }
    }
    return true;
}

/* Writes the file without the lines of these keys. */
static bool write_without(const KeyFile *file, const Keyring *dropped, Err *err)
{
    scoped_secure_text SecureText text = {0};
    if (!secure_text_init(&text, file->length, err)) {
        return false;
    }
    text.length = key_text_filter(file->text, file->length, dropped, text.bytes);
    return key_file_replace(file, text.bytes, text.length, err);
}

static void forget_keys(Keyring *keyring, const Keyring *dropped)
{
    size_t kept = 0;
    for (size_t i = 0; i < keyring->count; i++) {
        if (!keyring_has(dropped, keyring->keys[i].id)) {
            keyring->keys[kept++] = keyring->keys[i];
        }
    }
    secret_wipe(&keyring->keys[kept], (keyring->count - kept) * sizeof keyring->keys[0]);
    keyring->count = kept;
}

bool keyring_drop_from_file(Keyring *keyring, const char *path, const char *active_id,
                            const char *const *ids, size_t count, Err *err)
{
    const MasterKey *active = NULL;
    scoped_keyring Keyring *in_file = NULL;
    scoped_keyring Keyring *dropped = NULL;
    scoped_key_file KeyFile file = KEY_FILE_NONE;
    if (!keyring_new(&in_file, err) || !keyring_new(&dropped, err) ||
        !read_file_keys(path, KEY_FILE_UPDATE, &file, in_file, err) ||
        !keyring_get(in_file, active_id, &active, err) ||
        !pick_keys(in_file, ids, count, dropped, err)) {
        return false;
    }
    if (keyring_has(dropped, active_id)) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "the active master key \"%s\" was to be dropped",
                       active_id);
    }
    if (dropped->count > 0 && !write_without(&file, dropped, err)) {
        return false;
    }
    FAULT("secret.keyring.after_drop");
    forget_keys(keyring, dropped);
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
