#include "blueprint/signature.h"

#include <string.h>

#include "secret/secret.h"

/* Changed with any change of what is signed. */
static const char statement[] = "tenantry script signature 1";

/* --- scripts ---------------------------------------------------------------------------------- */

typedef struct ScriptList {
    Arena *arena;
    BlueprintScript *items;
    size_t count;
} ScriptList;

/* sha256 NULL: that of the text. */
static bool add_script(ScriptList *list, const BlueprintScript *script, const char *text, Err *err)
{
    BlueprintScript *item = &list->items[list->count];
    if (text == NULL) {
        return true;
    }
    *item = *script;
    list->count++;
    return item->sha256 != NULL ||
           secret_sha256_hex(list->arena, text, strlen(text), &item->sha256, err);
}

/* A script in another tool's layout may run with other words than its file has (adapt.h), and a
 * backfill's file says more than its statement: then the sum of the file is the one that was
 * recorded. */
static bool add_migration(ScriptList *list, const Blueprint *blueprint,
                          const BlueprintMigration *migration, Err *err)
{
    const bool is_adapted = blueprint->layout != NULL;
    const BlueprintScript up = {
        .name = migration->file,
        .version = migration->version,
        .sha256 = is_adapted || migration->backfill != NULL ? migration->sha256 : NULL,
        .is_repeatable = migration->is_repeatable};
    const BlueprintScript down = {.name = arena_printf(list->arena, "%s, down", migration->file),
                                  .version = migration->version,
                                  .sha256 = is_adapted ? migration->down_sha256 : NULL,
                                  .is_repeatable = migration->is_repeatable};
    return add_script(list, &up, migration->up, err) &&
           add_script(list, &down, migration->down, err);
}

bool blueprint_scripts(Arena *arena, const Blueprint *blueprint,
                       const BlueprintScript **ret_scripts, size_t *ret_count, Err *err)
{
    const BlueprintScript seed = {.name = "seed"};
    const BlueprintScript demo = {.name = "demo"};
    ScriptList list = {
        .arena = arena,
        .items = ARENA_ARRAY(arena, BlueprintScript, 2 * blueprint->migration_count + 2)};
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        if (!add_migration(&list, blueprint, &blueprint->migrations[i], err)) {
            return false;
        }
    }
    if (!add_script(&list, &seed, blueprint->seed, err) ||
        !add_script(&list, &demo, blueprint->demo, err)) {
        return false;
    }
    *ret_scripts = list.items;
    *ret_count = list.count;
    return true;
}

/* --- signing ---------------------------------------------------------------------------------- */

static const char *signed_bytes(Arena *arena, const Blueprint *blueprint, const char *script,
                                const char *sha256)
{
    return arena_printf(arena, "%s\n%s\n%s\n%s\n", statement, blueprint->name, script, sha256);
}

static bool key_fingerprint(Arena *arena, const char *key, const char **ret_fingerprint, Err *err)
{
    uint8_t bytes[SECRET_PUBLIC_BYTES];
    *ret_fingerprint = "";
    return !secret_from_hex(key, bytes, sizeof bytes) ||
           secret_sign_fingerprint(arena, bytes, ret_fingerprint, err);
}

static bool fail_changed(Arena *arena, const Blueprint *blueprint, const BlueprintScript *script,
                         const BlueprintSignature *signature, const char *hint, Err *err)
{
    const char *fingerprint = NULL;
    return key_fingerprint(arena, signature->key, &fingerprint, err) &&
           ERR_SET(err, ERR_SIGNATURE, hint,
                   "blueprint \"%s\": %s is not what key %s signed: SHA-256 %s was expected, %s "
                   "was found",
                   blueprint->name, script->name, fingerprint, signature->sha256, script->sha256);
}

static const BlueprintScript *find_script(const BlueprintScript *scripts, size_t count,
                                          const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(scripts[i].name, name) == 0) {
            return &scripts[i];
        }
    }
    return NULL;
}

/* Whether a signature of the key that signs now is of a text that the script no longer has. */
static bool is_outdated(const BlueprintSignature *signature, const char *key,
                        const BlueprintScript *scripts, size_t count)
{
    const BlueprintScript *script = find_script(scripts, count, signature->script);
    return script != NULL && !script->is_repeatable && strcmp(signature->key, key) == 0 &&
           strcmp(signature->sha256, script->sha256) != 0;
}

/* Who signs and what. */
typedef struct Signing {
    Arena *arena;
    const Blueprint *blueprint;
    const uint8_t *seed;
    const char *key; /* its public part */
    bool is_all;
    BlueprintSignature *items;
    size_t count;
    int64_t added;
} Signing;

/* The signature of a script as it is, by this key or, unless all are to be signed, by anybody. */
static bool is_signed(const Signing *signing, const BlueprintScript *script)
{
    for (size_t i = 0; i < signing->count; i++) {
        const BlueprintSignature *item = &signing->items[i];
        if (strcmp(item->script, script->name) == 0 && strcmp(item->sha256, script->sha256) == 0 &&
            (!signing->is_all || strcmp(item->key, signing->key) == 0)) {
            return true;
        }
    }
    return false;
}

/* The signature by another key of another text; NULL when there is none. */
static const BlueprintSignature *find_other(const Signing *signing, const BlueprintScript *script)
{
    for (size_t i = 0; i < signing->count && !script->is_repeatable; i++) {
        const BlueprintSignature *item = &signing->items[i];
        if (strcmp(item->script, script->name) == 0 && strcmp(item->sha256, script->sha256) != 0) {
            return item;
        }
    }
    return NULL;
}

static bool sign_script(Signing *signing, const BlueprintScript *script, Err *err)
{
    uint8_t value[SECRET_SIGNATURE_BYTES];
    const BlueprintSignature *other = signing->is_all ? NULL : find_other(signing, script);
    if (is_signed(signing, script)) {
        return true;
    }
    if (other != NULL) {
        return fail_changed(signing->arena, signing->blueprint, script, other,
                            "look at what was changed; --all signs it as it is", err);
    }
    const char *bytes = signed_bytes(signing->arena, signing->blueprint, script->name,
                                     script->sha256);
    if (!secret_sign(signing->seed, bytes, strlen(bytes), value, err)) {
        return false;
    }
    signing->items[signing->count++] = (BlueprintSignature){
        .script = script->name,
        .sha256 = script->sha256,
        .key = signing->key,
        .value = secret_to_hex(signing->arena, value, sizeof value)};
    signing->added++;
    return true;
}

bool signatures_add(Arena *arena, const Blueprint *blueprint, const uint8_t *seed, bool is_all,
                    SignatureList *ret_list, int64_t *ret_added, Err *err)
{
    uint8_t public_key[SECRET_PUBLIC_BYTES];
    const BlueprintScript *scripts = NULL;
    size_t count = 0;
    if (!blueprint_scripts(arena, blueprint, &scripts, &count, err) ||
        !secret_sign_public(seed, public_key, err)) {
        return false;
    }
    Signing signing = {
        .arena = arena,
        .blueprint = blueprint,
        .seed = seed,
        .key = secret_to_hex(arena, public_key, sizeof public_key),
        .is_all = is_all,
        .items = ARENA_ARRAY(arena, BlueprintSignature, blueprint->signature_count + count)};
    for (size_t i = 0; i < blueprint->signature_count; i++) {
        if (!is_outdated(&blueprint->signatures[i], signing.key, scripts, count)) {
            signing.items[signing.count++] = blueprint->signatures[i];
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!sign_script(&signing, &scripts[i], err)) {
            return false;
        }
    }
    *ret_list = (SignatureList){.count = signing.count, .items = signing.items};
    *ret_added = signing.added;
    return true;
}

/* --- checking --------------------------------------------------------------------------------- */

typedef struct Check {
    Arena *arena;
    const Blueprint *blueprint;
    const TrustedKeys *keys;
    const BlueprintScript *ours; /* scripts of the program's own blueprint of this name */
    size_t our_count;
} Check;

static bool is_trusted(const Check *check, const char *key)
{
    for (size_t i = 0; i < check->keys->count; i++) {
        if (strcmp(check->keys->keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_ours(const Check *check, const BlueprintScript *script)
{
    const BlueprintScript *own = find_script(check->ours, check->our_count, script->name);
    return own != NULL && strcmp(own->sha256, script->sha256) == 0;
}

/* Whether the key made the signature, over what the signature says that it is of. */
static bool verify(const Check *check, const BlueprintSignature *signature, bool *ret_is_right,
                   Err *err)
{
    uint8_t key[SECRET_PUBLIC_BYTES];
    uint8_t value[SECRET_SIGNATURE_BYTES];
    const char *bytes = signed_bytes(check->arena, check->blueprint, signature->script,
                                     signature->sha256);
    *ret_is_right = false;
    return !secret_from_hex(signature->key, key, sizeof key) ||
           !secret_from_hex(signature->value, value, sizeof value) ||
           secret_sign_check(key, bytes, strlen(bytes), value, ret_is_right, err);
}

/* Why none of the signatures will do. Of those by a trusted key over another text the last one is
 * told, else the key that is not trusted. */
typedef struct Reason {
    const BlueprintSignature *changed;
    const BlueprintSignature *untrusted;
    const BlueprintSignature *forged;
} Reason;

static bool fail_script(const Check *check, const BlueprintScript *script, const Reason *reason,
                        Err *err)
{
    Arena *arena = check->arena;
    const char *fingerprint = NULL;
    const char *name = check->blueprint->name;
    const BlueprintSignature *told = reason->untrusted != NULL ? reason->untrusted : reason->forged;
    if (reason->changed != NULL) {
        return fail_changed(arena, check->blueprint, script, reason->changed,
                            "put the file back as it was, or let its signer sign it again", err);
    }
    if (told == NULL) {
        return ERR_SET(err, ERR_SIGNATURE, "tenantry migrate sign PATH --key FILE signs it",
                       "blueprint \"%s\": %s (SHA-256 %s) is not signed", name, script->name,
                       script->sha256);
    }
    if (!key_fingerprint(arena, told->key, &fingerprint, err)) {
        return false;
    }
    if (told == reason->untrusted) {
        return ERR_SET(
            err, ERR_SIGNATURE, "add the key to the file of --trusted-keys if you trust who has it",
            "blueprint \"%s\": %s (SHA-256 %s) is signed by key %s, which is not trusted", name,
            script->name, script->sha256, fingerprint);
    }
    return ERR_SET(err, ERR_SIGNATURE, "let its signer sign it again",
                   "blueprint \"%s\": %s (SHA-256 %s) has a signature that key %s did not make",
                   name, script->name, script->sha256, fingerprint);
}

static bool check_script(const Check *check, const BlueprintScript *script, Err *err)
{
    Reason reason = {0};
    for (size_t i = 0; i < check->blueprint->signature_count; i++) {
        const BlueprintSignature *signature = &check->blueprint->signatures[i];
        bool is_right = false;
        if (strcmp(signature->script, script->name) != 0) {
            continue;
        }
        if (!verify(check, signature, &is_right, err)) {
            return false;
        }
        const bool is_same = strcmp(signature->sha256, script->sha256) == 0;
        if (!is_right) {
            reason.forged = signature;
        } else if (!is_trusted(check, signature->key)) {
            reason.untrusted = is_same ? signature : reason.untrusted;
        } else if (is_same) {
            return true;
        } else {
            reason.changed = signature;
        }
    }
    return is_ours(check, script) || fail_script(check, script, &reason, err);
}

/* The scripts of the program's own blueprint, where it has one of this name. */
static bool find_ours(Check *check, Err *err)
{
    Blueprint *own = NULL;
    const char *const *names = NULL;
    size_t count = 0;
    blueprint_embedded_names(check->arena, &names, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], check->blueprint->name) == 0) {
            return blueprint_load_embedded(check->arena, names[i], &own, err) &&
                   blueprint_scripts(check->arena, own, &check->ours, &check->our_count, err);
        }
    }
    return true;
}

/* A repeatable keeps the signatures of its older texts, since places are made from them. So one
 * that is put back would need nobody's key. Scripts are by version; index is that of one of them.
 */
static bool is_put_back(const BlueprintScript *scripts, size_t index)
{
    const BlueprintScript *script = &scripts[index];
    for (size_t i = 0; i < index && script->is_repeatable; i++) {
        if (strcmp(scripts[i].name, script->name) == 0 &&
            strcmp(scripts[i].sha256, script->sha256) == 0) {
            return true;
        }
    }
    return false;
}

/* A text that came after it was signed as the newest. */
static bool is_newest(const BlueprintScript *scripts, size_t count, size_t index)
{
    for (size_t i = index + 1; i < count; i++) {
        if (strcmp(scripts[i].name, scripts[index].name) == 0) {
            return false;
        }
    }
    return true;
}

static bool check_newest(const Check *check, const BlueprintScript *scripts, size_t count,
                         size_t index, Err *err)
{
    return !is_put_back(scripts, index) || !is_newest(scripts, count, index) ||
           ERR_SET(
               err, ERR_SIGNATURE, "change a comment in it as well, and let its signer sign that",
               "blueprint \"%s\": %s has the text of an older version again (SHA-256 %s), which "
               "was signed for that one",
               check->blueprint->name, scripts[index].name, scripts[index].sha256);
}

bool signatures_check(Arena *arena, const Blueprint *blueprint, int64_t upto,
                      const TrustedKeys *keys, Err *err)
{
    Check check = {.arena = arena, .blueprint = blueprint, .keys = keys};
    const BlueprintScript *scripts = NULL;
    size_t count = 0;
    if (!find_ours(&check, err) || !blueprint_scripts(arena, blueprint, &scripts, &count, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (scripts[i].version <= upto && (!check_script(&check, &scripts[i], err) ||
                                           !check_newest(&check, scripts, count, i, err))) {
            return false;
        }
    }
    return true;
}
