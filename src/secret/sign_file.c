/* Private keys of Ed25519 in files, as "openssl genpkey -algorithm ed25519" makes them. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "secret/internal.h"

static void key_free_scoped(EVP_PKEY **key)
{
    EVP_PKEY_free(*key); /* wipes the private part */
}
#define scoped_pkey __attribute__((cleanup(key_free_scoped)))

static void bio_free_scoped(BIO **bio)
{
    BIO_free(*bio);
}
#define scoped_bio __attribute__((cleanup(bio_free_scoped)))

/* A key under a passphrase is refused: nobody may be there to ask. */
static int refuse_passphrase(char *passphrase, int size, int is_writing, void *context)
{
    (void)passphrase;
    (void)size;
    (void)is_writing;
    (void)context;
    return -1;
}

static const char how_to_make[] =
    "make one with: openssl genpkey -algorithm ed25519 -out FILE, or with --new-key";

static bool fail_form(const char *path, Err *err)
{
    ERR_clear_error();
    return ERR_SET(err, ERR_KEY_WRONG, how_to_make,
                   "\"%s\" holds no private key of Ed25519 in PEM without a passphrase", path);
}

static bool seed_of_key(const EVP_PKEY *key, const char *path, uint8_t **ret_seed, Err *err)
{
    void *seed = NULL;
    size_t length = SECRET_SEED_BYTES;
    if (EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) {
        return fail_form(path, err);
    }
    if (!secure_alloc(SECRET_SEED_BYTES, "a signing key", &seed, err)) {
        return false;
    }
    if (EVP_PKEY_get_raw_private_key(key, seed, &length) != 1 || length != SECRET_SEED_BYTES) {
        secure_free(seed, SECRET_SEED_BYTES);
        return fail_form(path, err);
    }
    *ret_seed = seed;
    return true;
}

bool secret_sign_read_file(const char *path, uint8_t **ret_seed, Err *err)
{
    scoped_key_file KeyFile file = KEY_FILE_NONE;
    if (!key_file_open(path, KEY_FILE_READ, &file, err)) {
        /* The other hints are about the master key; a wrong mode has the command that mends it. */
        if (err->code == ERR_KEY_MISSING) {
            err_hint(err, "%s", how_to_make);
        } else if (err->code != ERR_DATA_DIR) {
            err_hint(err, "name a file that this user can read");
        }
        return false;
    }
    scoped_bio BIO *bio = BIO_new_mem_buf(file.text, (int)file.length);
    scoped_pkey EVP_PKEY *key = bio == NULL
                                    ? NULL
                                    : PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, NULL);
    return key == NULL ? fail_form(path, err) : seed_of_key(key, path, ret_seed, err);
}

static bool write_file(const char *path, const uint8_t *seed, Err *err)
{
    char *text = NULL;
    scoped_pkey EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
                                                             SECRET_SEED_BYTES);
    scoped_bio BIO *bio = BIO_new(BIO_s_secmem());
    if (key == NULL || bio == NULL ||
        PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
        return CRYPTO_FAIL(err, "write a key of Ed25519");
    }
    const long length = BIO_get_mem_data(bio, &text);
    if (!key_file_create(path, text, (size_t)length, err)) {
        err_hint(err, "name a file that is not there yet, in a folder that is");
        return false;
    }
    return true;
}

bool secret_sign_create_file(const char *path, uint8_t **ret_seed, Err *err)
{
    uint8_t *seed = NULL;
    if (!secret_sign_new(&seed, err)) {
        return false;
    }
    if (!write_file(path, seed, err)) {
        secret_free(seed, SECRET_SEED_BYTES);
        return false;
    }
    *ret_seed = seed;
    return true;
}
