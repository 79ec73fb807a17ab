#include <string.h>

#include "blueprint/signature.h"
#include "core/file.h"
#include "ops/context.h"
#include "secret/secret.h"

enum { FILE_MODE = 0644 };

/* The private key: an older one, or one that is made now. */
static bool open_key(const Json *args, uint8_t **ret_seed, Err *err)
{
    const char *old_key = json_get_text(args, "key", NULL);
    const char *new_key = json_get_text(args, "new-key", NULL);
    if ((old_key == NULL) == (new_key == NULL)) {
        return ERR_SET(err, ERR_INPUT_INVALID, "--new-key FILE makes one that is not there yet",
                       "expected one of --key and --new-key");
    }
    return old_key != NULL ? secret_sign_read_file(old_key, ret_seed, err)
                           : secret_sign_create_file(new_key, ret_seed, err);
}

static bool put_key(OpContext *context, const uint8_t *seed, Json *answer, Err *err)
{
    uint8_t public_key[SECRET_PUBLIC_BYTES];
    const char *fingerprint = NULL;
    if (!secret_sign_public(seed, public_key, err) ||
        !secret_sign_fingerprint(context->arena, public_key, &fingerprint, err)) {
        return false;
    }
    json_put_text(answer, "public_key",
                  secret_to_hex(context->arena, public_key, sizeof public_key));
    json_put_text(answer, "fingerprint", fingerprint);
    return true;
}

static bool sign(OpContext *context, const Blueprint *blueprint, const char *path,
                 const uint8_t *seed, bool is_all, Json *answer, Err *err)
{
    SignatureList list;
    int64_t added = 0;
    if (!put_key(context, seed, answer, err) ||
        !signatures_add(context->arena, blueprint, seed, is_all, &list, &added, err)) {
        return false;
    }
    const char *text = signatures_to_text(context->arena, &list);
    json_put_text(answer, "file", path);
    json_put_int(answer, "signed", added);
    json_put_int(answer, "signatures", (int64_t)list.count);
    return added == 0 || (file_check_target(path, err) &&
                          file_write_atomic(path, text, strlen(text), FILE_MODE, err));
}

static bool run_sign(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    uint8_t *seed = NULL;
    Blueprint *blueprint = NULL;
    const char *path = json_get_text(args, "path", "");
    if (!blueprint_load_folder(context->arena, path, &blueprint, err) ||
        !open_key(args, &seed, err)) {
        return false;
    }
    scoped_json Json *answer = json_object();
    const bool is_signed = sign(context, blueprint,
                                arena_printf(context->arena, "%s/%s", path, SIGNATURE_FILE), seed,
                                json_get_bool(args, "all", false), answer, err);
    secret_free(seed, SECRET_SEED_BYTES);
    if (is_signed) {
        *ret_answer = json_incref(answer);
    }
    return is_signed;
}

const Operation op_migrate_sign = {
    .name = "migrate.sign",
    .summary = "Sign the scripts of a blueprint's folder.",
    .description =
        "Each script is signed on its own with Ed25519, in the file \"signatures\" of the folder. "
        "What others signed stays, and is refused when it is not what they signed. Hand the public "
        "key over by another way than the folder: who "
        "has it in the file of --trusted-keys can refuse everything else with --require-signed. "
        "Needs no database.",
    .access = ACCESS_PUBLIC,
    .kind = OP_COMMAND,
    .params =
        (const Param[]){
            {"path", PARAM_PATH, .is_positional = true, .is_required = true,
             .help = "The folder with blueprint.yaml."},
            {"key", PARAM_PATH, .help = "The file of the private key, PEM, mode 0600."},
            {"new-key", PARAM_PATH, .help = "Make a private key in this file, and sign with it."},
            {"all", PARAM_BOOL, .help = "Sign every script as it is, also what others signed."},
            {0}},
    .result = (const Field[]){{"file", FIELD_TEXT, .help = "the file of signatures"},
                              {"signed", FIELD_INT, .help = "signatures that are new"},
                              {"signatures", FIELD_INT, .help = "all that are in the file"},
                              {"public_key", FIELD_TEXT, .help = "64 hex digits"},
                              {"fingerprint", FIELD_TEXT, .help = "what people compare"},
                              {0}},
    .examples = (const OpExample[]){{"migrate sign ./packs/crm --new-key ~/crm.key",
                                     "the first time"},
                                    {"migrate sign ./packs/crm --key ~/crm.key",
                                     "then: blueprint add ./packs/crm --require-signed"},
                                    {0}},
    .done = "{signed} scripts are signed in {file}, by key {public_key} ({fingerprint})",
    .run = run_sign,
};
