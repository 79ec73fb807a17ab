#include "ops/signing.h"

#include <sys/stat.h>

#include "blueprint/registry.h"
#include "core/file.h"
#include "core/limits.h"
#include "core/strbuf.h"

/* Whoever writes it decides what is trusted. */
static bool check_mode(const char *path, const struct stat *status, Err *err)
{
    if ((status->st_mode & S_IWOTH) == 0) {
        return true;
    }
    ERR_SET(err, ERR_CONFIG_INVALID, NULL, "\"%s\" can be written by every user", path);
    err_hint(err, "look at its keys, then: chmod o-w %s", path);
    return false;
}

static bool read_keys(OpContext *context, const char *path, TrustedKeys *ret_keys, Err *err)
{
    const char *text = NULL;
    size_t length = 0;
    if (!file_read_checked(context->arena, path, LIMIT_TRUSTED_KEYS_BYTES, check_mode, &text,
                           &length, err)) {
        err->code = ERR_CONFIG_INVALID;
        return err_prefix(err, "the file of trusted keys");
    }
    return trusted_keys_parse(context->arena, path, text, length, ret_keys, err);
}

bool op_trusted_keys(OpContext *context, const TrustedKeys **ret_keys, Err *err)
{
    const char *path = config_text(context->config, OPT_TRUSTED_KEYS);
    *ret_keys = NULL;
    if (!config_bool(context->config, OPT_REQUIRE_SIGNED)) {
        return true;
    }
    if (path == NULL) {
        return ERR_SET(err, ERR_CONFIG_INVALID, "name a file of public keys with --trusted-keys",
                       "scripts must be signed, and nobody is trusted to sign");
    }
    TrustedKeys *keys = ARENA_NEW(context->arena, TrustedKeys);
    *ret_keys = keys;
    return read_keys(context, path, keys, err);
}

bool op_check_signed(OpContext *context, const Blueprint *blueprint, int64_t upto, Err *err)
{
    const TrustedKeys *keys = NULL;
    return op_trusted_keys(context, &keys, err) &&
           (keys == NULL || signatures_check(context->arena, blueprint, upto, keys, err));
}

bool op_check_recorded(OpContext *context, const char *blueprint, int64_t upto, Err *err)
{
    Store *store = NULL;
    Blueprint *recorded = NULL;
    const TrustedKeys *keys = NULL;
    if (!op_trusted_keys(context, &keys, err)) {
        return false;
    }
    return keys == NULL || (op_store(context, &store, err) &&
                            registry_get(context->arena, store, blueprint, &recorded, err) &&
                            signatures_check(context->arena, recorded, upto, keys, err));
}

bool op_check_job(OpContext *context, int64_t job_id, Err *err)
{
    Store *store = NULL;
    scoped_rows PgRows *rows = NULL;
    return op_store(context, &store, err) &&
           store_query(store, JOB_BLUEPRINT, PG_PARAMS(pg_int_text(context->arena, job_id)), &rows,
                       err) &&
           (pg_rows_count(rows) == 0 ||
            op_check_recorded(context, pg_rows_text(rows, 0, 0), INT64_MAX, err));
}

bool op_put_trusted_keys(OpContext *context, Json *job_args, Err *err)
{
    const TrustedKeys *keys = NULL;
    if (!op_trusted_keys(context, &keys, err)) {
        return false;
    }
    if (keys == NULL) {
        return true;
    }
    StrBuf list = strbuf_init(context->arena);
    for (size_t i = 0; i < keys->count; i++) {
        strbuf_printf(&list, "%s%s", i == 0 ? "" : "\n", keys->keys[i]);
    }
    json_put_text(job_args, "trusted-keys", list.text);
    return true;
}
