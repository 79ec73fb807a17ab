#include <inttypes.h>
#include <string.h>

#include "core/array.h"
#include "isolation/report.h"
#include "secret/secret.h"

/* The name is changed with any change of the form, and is part of what is signed. Reports are kept
 * for years, so that those of older forms are checked too. */
typedef struct Format {
    const char *name;
    const char *(*to_bytes)(Arena *arena, const Json *body); /* that are signed */
} Format;
static const Format formats[] = {
    {"tenantry isolation report 2", json_to_portable},  /* what is written */
    {"tenantry isolation report 1", json_to_canonical}, /* without attempts */
};
static const char algorithm[] = "Ed25519";

static Json *tried_to_json(const Report *report)
{
    Json *list = json_array();
    for (size_t i = 0; i < report->result->tried_count; i++) {
        json_array_append_new(list, json_string(report->result->tried[i]));
    }
    return list;
}

static Json *content(const Report *report)
{
    Json *object = report_to_json(report);
    json_put_text(object, "format", formats[0].name);
    json_put_text(object, "installation", report->installation_id);
    json_put_text(object, "product_version", report->product_version);
    json_put_text(object, "server_version", report->server_version);
    json_put(object, "tried_tenants", tried_to_json(report));
    return object;
}

/* The file's one form. */
static const char *to_file(Arena *arena, const Json *root)
{
    return arena_printf(arena, "%s\n", json_to_indented(arena, root));
}

bool report_sign(Arena *arena, const Report *report, const uint8_t *seed, const char **ret_text,
                 Err *err)
{
    uint8_t public_key[SECRET_PUBLIC_BYTES];
    uint8_t signature[SECRET_SIGNATURE_BYTES];
    const char *fingerprint = NULL;
    scoped_json Json *root = json_object();
    Json *body = content(report);
    json_put(root, "report", body);
    const char *bytes = formats[0].to_bytes(arena, body);
    if (!secret_sign_public(seed, public_key, err) ||
        !secret_sign(seed, bytes, strlen(bytes), signature, err) ||
        !secret_sign_fingerprint(arena, public_key, &fingerprint, err)) {
        return false;
    }
    Json *signed_by = json_object();
    json_put_text(signed_by, "algorithm", algorithm);
    json_put_text(signed_by, "public_key", secret_to_hex(arena, public_key, sizeof public_key));
    json_put_text(signed_by, "fingerprint", fingerprint);
    json_put_text(signed_by, "value", secret_to_hex(arena, signature, sizeof signature));
    json_put(root, "signature", signed_by);
    *ret_text = to_file(arena, root);
    return true;
}

/* The parts of a signed report as the file has them. */
typedef struct SignedParts {
    const Format *format;
    const Json *body;
    const Json *signed_by;
    uint8_t public_key[SECRET_PUBLIC_BYTES];
    uint8_t signature[SECRET_SIGNATURE_BYTES];
} SignedParts;

static const Format *find_format(const Json *body)
{
    const char *name = json_get_text(body, "format", "");
    for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
        if (strcmp(formats[i].name, name) == 0) {
            return &formats[i];
        }
    }
    return NULL;
}

/* False when it has not the form of a signed report. */
static bool read_parts(const Json *root, SignedParts *ret_parts)
{
    ret_parts->body = json_object_get(root, "report");
    ret_parts->signed_by = json_object_get(root, "signature");
    ret_parts->format = find_format(ret_parts->body);
    return json_object_size(root) == 2 && json_object_size(ret_parts->signed_by) == 4 &&
           ret_parts->format != NULL &&
           strcmp(json_get_text(ret_parts->signed_by, "algorithm", ""), algorithm) == 0 &&
           secret_from_hex(json_get_text(ret_parts->signed_by, "public_key", ""),
                           ret_parts->public_key, sizeof ret_parts->public_key) &&
           secret_from_hex(json_get_text(ret_parts->signed_by, "value", ""), ret_parts->signature,
                           sizeof ret_parts->signature);
}

/* Whether the file is exactly what report_sign writes for its content, and the signature fits. */
static bool is_unchanged(Arena *arena, const char *text, size_t length, ReportChecked *checked,
                         bool *ret_is_unchanged, Err *err)
{
    SignedParts parts;
    Err unused;
    *ret_is_unchanged = false;
    if (strlen(text) != length || !json_parse(text, "the report", &checked->root, &unused) ||
        !read_parts(checked->root, &parts)) {
        return true;
    }
    const char *bytes = parts.format->to_bytes(arena, parts.body);
    bool is_signed = false;
    if (!secret_sign_fingerprint(arena, parts.public_key, &checked->fingerprint, err) ||
        !secret_sign_check(parts.public_key, bytes, strlen(bytes), parts.signature, &is_signed,
                           err)) {
        return false;
    }
    checked->key = secret_to_hex(arena, parts.public_key, sizeof parts.public_key);
    const char *named = json_get_text(parts.signed_by, "fingerprint", "");
    *ret_is_unchanged = is_signed && strcmp(to_file(arena, checked->root), text) == 0 &&
                        strcmp(named, checked->fingerprint) == 0;
    return true;
}

bool report_check(Arena *arena, const char *text, size_t length, const char *key,
                  ReportChecked *ret_checked, Err *err)
{
    uint8_t ignored[SECRET_PUBLIC_BYTES];
    bool is_whole = false;
    *ret_checked = (ReportChecked){.state = REPORT_CHANGED, .key = "", .fingerprint = ""};
    if (key != NULL && !secret_from_hex(key, ignored, sizeof ignored)) {
        return ERR_SET(err, ERR_INPUT_INVALID, "\"tenantry isolation key\" shows it",
                       "the public key has another form than %d lower-case hex digits",
                       2 * SECRET_PUBLIC_BYTES);
    }
    if (!is_unchanged(arena, text, length, ret_checked, &is_whole, err)) {
        json_decref(ret_checked->root);
        return false;
    }
    if (is_whole) {
        ret_checked->content = json_object_get(ret_checked->root, "report");
        ret_checked->state = key == NULL                          ? REPORT_UNPINNED
                             : strcmp(key, ret_checked->key) == 0 ? REPORT_RIGHT
                                                                  : REPORT_KEY_UNKNOWN;
    }
    return true;
}
