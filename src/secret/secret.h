/* Keys and secrets: the only user of the crypto library besides libpq.
 *
 * A master key (32 random bytes) lives in a file or the environment, never in the database. From
 * it, HKDF-SHA256 (RFC 5869) derives one AES-256 key per tenant; every secret in the database is
 * AES-256-GCM (NIST SP 800-38D) under that key, with the row it belongs to as additional data, so
 * that a ciphertext copied to another row does not open.
 *
 * Keys and plain secrets live in OpenSSL's secure heap (mlocked, left out of core files) and are
 * wiped when freed. Functions do not block, except those that read or write the key file. One
 * thread at a time per Keyring. */
#ifndef TENANTRY_SECRET_SECRET_H
#define TENANTRY_SECRET_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"

enum {
    SECRET_KEY_BYTES = 32,
    SECRET_HASH_BYTES = 32,
    SECRET_KEY_ID_SIZE = 17,              /* 16 hex digits and a NUL */
    SECRET_PASSWORD_SIZE = 44,            /* 43 characters of base64url (256 bits) and a NUL */
    SECRET_VERIFIER_SIZE = 160,           /* "SCRAM-SHA-256$..." and a NUL */
    SECRET_SEALED_OVERHEAD = 1 + 12 + 16, /* format byte, nonce, tag */
    SECRET_SEED_BYTES = 32,               /* the private part of an Ed25519 key */
    SECRET_PUBLIC_BYTES = 32,             /* its public part */
    SECRET_SIGNATURE_BYTES = 64,
};

/* Sets up the secure heap and forbids core files and ptrace of this process. Call first in main;
 * again does no harm. When the system refuses to lock the heap into memory (RLIMIT_MEMLOCK), it is
 * used unlocked. */
bool secret_init(Err *err);

/* Wipes memory so that the compiler cannot leave it out. */
void secret_wipe(void *memory, size_t size);

/* A random secret text on the secure heap; free wipes it. */
typedef struct Password {
    char text[SECRET_PASSWORD_SIZE];
} Password;

/* 256 random bits as base64url (RFC 4648 section 5), on the secure heap. */
bool password_new(Password **ret_password, Err *err);
/* A copy of 1 to SECRET_PASSWORD_SIZE - 1 printable ASCII characters, on the secure heap;
 * ERR_INPUT_INVALID for anything else. */
bool password_from_text(const char *text, Password **ret_password, Err *err);
Password *password_free(Password *password); /* NULL is allowed; returns NULL */

static inline void password_free_scoped(Password **password)
{
    *password = password_free(*password);
}
#define scoped_password __attribute__((cleanup(password_free_scoped)))

/* The SCRAM-SHA-256 verifier of a password (RFC 5802 section 3, RFC 7677; PostgreSQL's
 * pg_authid.rolpassword form): 16 random bytes of salt, 4096 iterations. The password is printable
 * ASCII, so SASLprep leaves it as it is. */
bool password_scram_verifier(const Password *password, char ret_verifier[SECRET_VERIFIER_SIZE],
                             Err *err);

/* count random bytes as lower-case hex in the arena (2 x count characters). */
bool secret_random_hex(Arena *arena, size_t count, const char **ret_hex, Err *err);

/* A random UUID, version 4 (RFC 9562 section 5.4), lower-case text in the arena. */
bool secret_random_uuid(Arena *arena, const char **ret_uuid, Err *err);

/* SHA-256 as 64 lower-case hex digits in the arena. */
bool secret_sha256_hex(Arena *arena, const void *bytes, size_t length, const char **ret_hex,
                       Err *err);

/* HMAC-SHA-256 (RFC 2104). */
bool secret_hmac(const uint8_t *key, size_t key_length, const void *bytes, size_t length,
                 uint8_t ret_mac[SECRET_HASH_BYTES], Err *err);

/* size bytes as lower-case hex in the arena. */
const char *secret_to_hex(Arena *arena, const uint8_t *bytes, size_t size);

/* Exactly 2 x size lower-case hex digits; false for anything else. */
bool secret_from_hex(const char *hex, uint8_t *ret_bytes, size_t size);

/* Ed25519 (RFC 8032, PureEdDSA). A key is its seed of SECRET_SEED_BYTES random bytes on the secure
 * heap, to be freed with secret_free. */
bool secret_sign_new(uint8_t **ret_seed, Err *err);
bool secret_sign_public(const uint8_t *seed, uint8_t ret_public[SECRET_PUBLIC_BYTES], Err *err);
bool secret_sign(const uint8_t *seed, const void *bytes, size_t length,
                 uint8_t ret_signature[SECRET_SIGNATURE_BYTES], Err *err);

/* *ret_is_right is false for any signature that this key did not make over these bytes, and for a
 * public key that is none. */
bool secret_sign_check(const uint8_t public_key[SECRET_PUBLIC_BYTES], const void *bytes,
                       size_t length, const uint8_t signature[SECRET_SIGNATURE_BYTES],
                       bool *ret_is_right, Err *err);

/* What people compare: the first 128 bits of SHA-256 over a public key, in groups of four digits.
 */
bool secret_sign_fingerprint(Arena *arena, const uint8_t public_key[SECRET_PUBLIC_BYTES],
                             const char **ret_fingerprint, Err *err);

/* A private key in a file of its own, in PEM (RFC 8410), mode 0600; seed as of secret_sign_new.
 * Reading: ERR_KEY_MISSING, ERR_KEY_WRONG, ERR_DATA_DIR when others may read it, ERR_IO. Making
 * one: ERR_DATA_DIR when the file exists. Both block on the file. */
bool secret_sign_read_file(const char *path, uint8_t **ret_seed, Err *err);
bool secret_sign_create_file(const char *path, uint8_t **ret_seed, Err *err);

/* The master keys at hand: the active one, and older or newer ones during a rotation. */
typedef struct Keyring Keyring;

/* Where the keys come from. */
typedef struct KeySource {
    const char *text; /* value of TENANTRY_MASTER_KEY, or NULL; wins over the file */
    const char *file; /* path of the key file, or NULL */
} KeySource;

/* Reads the keys. The form, for file and environment alike: one key a line as 64 hex digits, '#'
 * starts a comment. ERR_KEY_MISSING (the file is not there or holds no key), ERR_KEY_WRONG (not the
 * form: which line), ERR_DATA_DIR when the file may be read by others than its owner (mode bits
 * 077; the hint is the chmod). Blocks on the file. */
bool keyring_open(const KeySource *source, Keyring **ret_keyring, Err *err);
Keyring *keyring_close(Keyring *keyring);

/* Makes the key file with one new key, mode 0600; ERR_DATA_DIR when the file exists. */
bool keyring_create_file(const char *path, Err *err);

/* A file may hold the keys of several installations: whoever changes it leaves the lines of others
 * as they are. It is locked meanwhile, so that of two processes none undoes what the other did, and
 * replaced atomically and durably; it stays its owner's. ERR_DATA_DIR when it may not be written,
 * or this process cannot leave it to its owner. */

/* Whether a key file that is there may be changed: its owner has not taken his own right to write
 * away, and neither it nor its folder is refused to this process. */
bool keyring_may_write_file(const char *path);

/* Adds a new random key to the keyring alone. *ret_id is the keyring's. ERR_LIMIT past
 * LIMIT_MASTER_KEYS. */
bool keyring_make(Keyring *keyring, const char **ret_id, Err *err);

/* Appends the keyring's key of this id to the file, unless it is in it. Comments stay.
 * ERR_KEY_MISSING, ERR_LIMIT past LIMIT_MASTER_KEYS, and what keyring_open gives. */
bool keyring_put_in_file(const Keyring *keyring, const char *path, const char *id, Err *err);

/* Both: a new key that is in keyring and file, or in neither. */
bool keyring_add_to_file(Keyring *keyring, const char *path, const char **ret_id, Err *err);

/* Takes the keys of these ids out of the file and the keyring; those that are not there are none.
 * ERR_KEY_MISSING when the file lacks the active key, without which nothing may be dropped, and
 * what keyring_open gives. */
bool keyring_drop_from_file(Keyring *keyring, const char *path, const char *active_id,
                            const char *const *ids, size_t count, Err *err);

/* Number of keys; the id of the n-th. An id is public: the first 8 bytes of HKDF-SHA256(key,
 * "tenantry key id"), hex. */
size_t keyring_count(const Keyring *keyring);
const char *keyring_id(const Keyring *keyring, size_t n);
bool keyring_has(const Keyring *keyring, const char *id);

/* What a secret is bound to: the additional data of the cipher. */
typedef struct SecretBinding {
    const char
        *tenant_id;    /* UUID text; "" for secrets of the installation. Chooses the derived key */
    const char *table; /* "credentials" */
    const char *row;   /* the row's primary key as text */
} SecretBinding;

/* Seals plain (length bytes) with the key of this id. The result (length + SECRET_SEALED_OVERHEAD
 * bytes) is in the arena. ERR_KEY_MISSING when the keyring lacks the id, ERR_LIMIT past
 * LIMIT_SECRET_BYTES. */
bool secret_seal(Arena *arena, const Keyring *keyring, const char *key_id,
                 const SecretBinding *binding, const void *plain, size_t length,
                 uint8_t **ret_sealed, size_t *ret_length, Err *err);

/* Opens what secret_seal made into secure memory, a NUL behind it, to be freed with secret_free
 * (NULL is allowed). ERR_LIMIT when the secure heap is full, ERR_KEY_MISSING
 * when the keyring lacks the id, ERR_SECRET_CORRUPT when the data fails authentication (changed, or
 * moved to another row). */
bool secret_open(const Keyring *keyring, const char *key_id, const SecretBinding *binding,
                 const uint8_t *sealed, size_t length, uint8_t **ret_plain, size_t *ret_length,
                 Err *err);
void secret_free(uint8_t *plain, size_t length);

#endif
