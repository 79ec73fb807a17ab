/* Signatures of a blueprint's scripts, and who is trusted.
 *
 * Each script is signed on its own, so that whoever adds one signs that one, and what others signed
 * stays. What is signed is the name of the blueprint, the name of the script and its SHA-256: a
 * script that is moved to another version or another blueprint is not signed there. The file is
 * "signatures" beside blueprint.yaml; docs/rollout-signing.md has its form. Signatures are recorded
 * with the blueprint.
 *
 * Not signed is the manifest: plans, extensions, partitions. Nothing here talks to a database. */
#ifndef TENANTRY_BLUEPRINT_SIGNATURE_H
#define TENANTRY_BLUEPRINT_SIGNATURE_H

#include "blueprint/blueprint.h"
#include "blueprint/pack_source.h"

#define SIGNATURE_FILE "signatures"

/* What a blueprint runs in a place. */
typedef struct BlueprintScript {
    const char *name;   /* "migrations/V0002__x.sql", "migrations/V0002__x.sql, down", "seed" */
    int64_t version;    /* 0: seed and demo */
    const char *sha256; /* of the script as it is in its file */
    bool is_repeatable; /* other texts of the same name are scripts of older versions */
} BlueprintScript;

bool blueprint_scripts(Arena *arena, const Blueprint *blueprint,
                       const BlueprintScript **ret_scripts, size_t *ret_count, Err *err);

typedef struct SignatureList {
    size_t count;
    const BlueprintSignature *items;
} SignatureList;

/* Parses the text of a signature file; file is for messages. ERR_BLUEPRINT_INVALID. */
bool signatures_parse(Arena *arena, const char *file, const char *text, size_t length,
                      SignatureList *ret_list, Err *err);
const char *signatures_to_text(Arena *arena, const SignatureList *list);

/* The signatures of a pack; none when it has no such file. */
bool signatures_read(Arena *arena, const PackSource *source, SignatureList *ret_list, Err *err);

/* The blueprint's signatures and those of this key for scripts that nobody signed as they are.
 * ERR_SIGNATURE for a script that is not what another key signed: who signs must not vouch for what
 * somebody changed behind the other's back. is_all: for every script, whoever signed it and what it
 * was then. An older signature by this key of a script that was changed goes. *ret_added counts
 * new ones. */
bool signatures_add(Arena *arena, const Blueprint *blueprint, const uint8_t *seed, bool is_all,
                    SignatureList *ret_list, int64_t *ret_added, Err *err);

/* Public keys whose signatures count, each as hex. */
typedef struct TrustedKeys {
    size_t count;
    const char *const *keys;
} TrustedKeys;

/* One key on a line, 64 hex digits; '#' begins a comment. ERR_CONFIG_INVALID. */
bool trusted_keys_parse(Arena *arena, const char *file, const char *text, size_t length,
                        TrustedKeys *ret_keys, Err *err);

/* Every script up to a version must be signed by a trusted key, or be part of this program; the
 * newest text of a repeatable must not be one that it had before.
 * ERR_SIGNATURE names the script, what was signed, what was found, and the key. */
bool signatures_check(Arena *arena, const Blueprint *blueprint, int64_t upto,
                      const TrustedKeys *keys, Err *err);

#endif
