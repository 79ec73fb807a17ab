/* What the files of src/secret share. Nobody else includes it but their tests and fuzz targets. */
#ifndef TENANTRY_SECRET_INTERNAL_H
#define TENANTRY_SECRET_INTERNAL_H

#include "core/limits.h"
#include "secret/secret.h"

/* ---- secure.c ---- */

/* Key material on the stack: scoped_key Key key = {0}; is wiped on every way out of its block. */
typedef struct Key {
    uint8_t bytes[SECRET_KEY_BYTES];
} Key;

static inline void key_wipe_scoped(Key *key)
{
    secret_wipe(key, sizeof *key);
}
#define scoped_key __attribute__((cleanup(key_wipe_scoped)))

/* Zeroed memory on the secure heap, to be freed with secure_free; ERR_LIMIT when that is full. what
 * names the content in the error. */
bool secure_alloc(size_t size, const char *what, void **ret_memory, Err *err);

/* Wipes and frees. NULL is allowed. */
void secure_free(void *memory, size_t size);

/* Random bytes from the generator that OpenSSL keeps for values that are never shown. */
bool secure_random(void *memory, size_t size, Err *err);

/* Lower-case hex of size bytes, NUL behind it: ret_hex has room for 2 x size + 1. */
void hex_encode(const uint8_t *bytes, size_t size, char *ret_hex);

/* Fills err (ERR_INTERNAL) with what OpenSSL says went wrong, empties its queue, gives false. */
bool crypto_fail(Err *err, const char *where, const char *what);
#define CRYPTO_FAIL(err, what) crypto_fail((err), ERR_WHERE, (what))

/* ---- digest.c ---- */

bool sha256(const void *bytes, size_t length, uint8_t ret_hash[SECRET_HASH_BYTES], Err *err);

typedef struct HkdfInput {
    const uint8_t *key;
    size_t key_length;
    const uint8_t *salt; /* NULL: none */
    size_t salt_length;
    const uint8_t *info;
    size_t info_length;
} HkdfInput;

/* HKDF-SHA256 (RFC 5869), extract and expand. */
bool hkdf_sha256(const HkdfInput *input, uint8_t *ret_output, size_t length, Err *err);

/* ---- password.c ---- */

enum { SCRAM_SALT_BYTES = 16, SCRAM_ITERATIONS = 4096 };

/* The verifier for a given salt. text is printable ASCII. */
bool scram_verifier(const char *text, const uint8_t salt[SCRAM_SALT_BYTES],
                    char ret_verifier[SECRET_VERIFIER_SIZE], Err *err);

/* ---- keyring.c ---- */

typedef struct MasterKey {
    Key key;
    char id[SECRET_KEY_ID_SIZE];
} MasterKey;

struct Keyring {
    size_t count;
    MasterKey keys[LIMIT_MASTER_KEYS];
};

bool keyring_new(Keyring **ret_keyring, Err *err);

static inline void keyring_close_scoped(Keyring **keyring)
{
    *keyring = keyring_close(*keyring);
}
#define scoped_keyring __attribute__((cleanup(keyring_close_scoped)))

/* Adds a key under the id that follows from it; ERR_LIMIT past LIMIT_MASTER_KEYS. */
bool keyring_add(Keyring *keyring, const Key *key, Err *err);

/* The key of this id; ERR_KEY_MISSING. Borrowed. */
bool keyring_get(const Keyring *keyring, const char *id, const MasterKey **ret_key, Err *err);

/* ---- key_text.c: the form of a key file, in memory ---- */

/* What the variable is called in errors and hints. */
#define KEY_VARIABLE "TENANTRY_MASTER_KEY"

/* The comment at the head of a new key file. */
extern const char key_text_header[];

enum { KEY_LINE_SIZE = 2 * SECRET_KEY_BYTES + 3 + SECRET_KEY_ID_SIZE + 1 }; /* with its NUL */

/* Adds the keys in text to the keyring. name is the file or variable, for errors: ERR_KEY_WRONG
 * (which line, and why), ERR_KEY_MISSING (no key at all), ERR_LIMIT. */
bool key_text_parse(const char *name, const char *text, size_t length, Keyring *keyring, Err *err);

/* The line of a key, with the id as its comment. */
void key_text_line(const MasterKey *key, char ret_line[KEY_LINE_SIZE]);

/* Copies text, that key_text_parse accepted, without the lines that hold one of these keys.
 * ret_text has room for length bytes. Gives the length of the copy. */
size_t key_text_filter(const char *text, size_t length, const Keyring *dropped, char *ret_text);

/* ---- key_file.c: key files on disk ---- */

/* A key file as it was read, on the secure heap. */
typedef struct KeyFile {
    int fd;
    char *path; /* links followed; NULL unless it is open for an update */
    char *text;
    size_t length;
} KeyFile;

typedef enum KeyFileUse { KEY_FILE_READ, KEY_FILE_UPDATE } KeyFileUse;

/* Opens and reads a key file. For an update it is locked until key_file_close, so that of two
 * processes the second sees what the first wrote; blocks for that. ERR_KEY_MISSING, ERR_DATA_DIR,
 * ERR_LIMIT, ERR_IO. */
bool key_file_open(const char *path, KeyFileUse use, KeyFile *ret_file, Err *err);
void key_file_close(KeyFile *file);
#define scoped_key_file __attribute__((cleanup(key_file_close)))
#define KEY_FILE_NONE ((KeyFile){.fd = -1})

/* Writes a file that must not exist yet (ERR_DATA_DIR), atomically and durably, mode 0600. */
bool key_file_create(const char *path, const char *text, size_t length, Err *err);

/* Replaces the content of a file that is open for an update, which keyring_may_write_file allowed;
 * it stays its owner's. */
bool key_file_replace(const KeyFile *file, const char *text, size_t length, Err *err);

#endif
