#include <inttypes.h>
#include <string.h>

#include "core/fault.h"
#include "ops/context.h"
#include "ops/keeper.h"
#include "store/audit.h"
#include "tenant/tenant.h"

/* --- list ------------------------------------------------------------------------------------- */

static bool run_list(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    (void)args;
    Store *store = NULL;
    if (!op_answer_list(context, KEY_LIST, PG_NO_PARAMS, "keys", ret_answer, err) ||
        !op_store(context, &store, err)) {
        return false;
    }
    Err ignored; /* without the key, what is at hand is "no" for all */
    store_need_keys(store, &ignored);
    size_t i = 0;
    Json *entry = NULL;
    json_array_foreach(json_object_get(*ret_answer, "keys"), i, entry)
    {
        json_put_bool(entry, "is_at_hand",
                      store->keyring != NULL &&
                          keyring_has(store->keyring, json_get_text(entry, "id", "")));
    }
    return true;
}

const Operation op_key_list = {
    .name = "key.list",
    .summary = "List the master keys by their public ids, and how many secrets each protects.",
    .access = ACCESS_ADMIN,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/keys"},
    .params = (const Param[]){{0}},
    .result =
        (const Field[]){
            {"keys", FIELD_LIST,
             .fields =
                 (const Field[]){{"id", FIELD_TEXT, .help = "public id"},
                                 {"state", FIELD_TEXT, .help = "next, active, retiring or retired"},
                                 {"secrets", FIELD_INT, .help = "secrets sealed with it"},
                                 {"is_at_hand", FIELD_BOOL, .help = "whether this process has it"},
                                 {"created", FIELD_TIME, .help = "when"},
                                 {0}},
             .help = "oldest first"},
            {0}},
    .examples = (const OpExample[]){{"key list", "which key is in use"}, {0}},
    .run = run_list,
};

/* --- rotate: record, new key, seal everything again, retire, drop the old key ----------------- */

/* Two rotations at once would mix their keys. Asked twice: before the job is made, for a clear
 * answer, and within its first step under a lock, for certainty. */
static bool refuse_second_rotation(Store *store, int64_t own_job, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, JOB_OPEN_OF, PG_PARAMS("key.rotate"), &rows, err)) {
        return false;
    }
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        if (pg_rows_int(rows, i, 0) != own_job) {
            const char *id = pg_rows_text(rows, i, 0);
            ERR_SET(err, ERR_CONFLICT, NULL, "a rotation of the master key is under way: job %s",
                    id);
            err_hint(err, "wait for it, or go on with it: tenantry job resume %s", id);
            return false;
        }
    }
    return true;
}

static bool step_start(JobContext *context, Err *err)
{
    return store_need_keys(context->store, err) &&
           store_query(context->store, KEY_LOCK, PG_NO_PARAMS, NULL, err) &&
           refuse_second_rotation(context->store, context->job_id, err) &&
           job_audit(context, "key.rotate", NULL, err);
}

static bool reload_keyring(Store *store, Err *err)
{
    Keyring *keyring = NULL;
    if (!keyring_open(&store->options.keys, &keyring, err)) {
        return false;
    }
    keyring_close(store->keyring);
    store->keyring = keyring;
    return true;
}

/* The rotation's active key: what the database says now. */
static bool read_active_key(Store *store, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, INSTALLATION_GET, PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) != 1 || pg_rows_text(rows, 0, 4) == NULL) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "the control schema has no active master key");
    }
    store->active_key_id = arena_strdup(store->arena, pg_rows_text(rows, 0, 4));
    return true;
}

/* From the environment the new key comes as the one that the database does not know yet; where
 * there are several, one may be another installation's. */
static bool find_given_key(Store *store, const char **ret_id, Err *err)
{
    size_t unknown = 0;
    for (size_t i = 0; i < keyring_count(store->keyring); i++) {
        scoped_rows PgRows *rows = NULL;
        const char *id = keyring_id(store->keyring, i);
        if (!store_query(store, KEY_STATE, PG_PARAMS(id), &rows, err)) {
            return false;
        }
        if (pg_rows_count(rows) == 0) {
            *ret_id = id;
            unknown++;
        }
    }
    if (unknown == 0) {
        return ERR_SET(err, ERR_KEY_MISSING,
                       "put the new key on a second line of TENANTRY_MASTER_KEY (openssl rand -hex "
                       "32 makes one) and resume the job",
                       "the master key comes from the environment and holds no new key");
    }
    return unknown == 1 || ERR_SET(err, ERR_KEY_WRONG,
                                   "leave the new one alone beside this installation's, and resume "
                                   "the job",
                                   "the environment holds %zu keys that are not this "
                                   "installation's, one was expected",
                                   unknown);
}

static bool add_given_key(Store *store, Err *err)
{
    const char *id = NULL;
    return find_given_key(store, &id, err) &&
           store_query(store, KEY_ADD, PG_PARAMS(id, "next"), NULL, err);
}

/* Recorded before it is in the file: a line that the database does not know may be another
 * installation's, and would not be taken for ours. */
static bool make_key(Store *store, Err *err)
{
    const char *id = NULL;
    if (!keyring_make(store->keyring, &id, err) ||
        !store_query(store, KEY_ADD, PG_PARAMS(id, "next"), NULL, err)) {
        return false;
    }
    FAULT("key.rotate.recorded");
    return keyring_put_in_file(store->keyring, store->options.keys.file, id, err);
}

static bool step_new_key(JobContext *context, Err *err)
{
    Store *store = context->store;
    scoped_rows PgRows *rows = NULL;
    if (!store_need_keys(store, err) || !reload_keyring(store, err) ||
        !store_query(store, KEY_FIND_NEXT, PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) > 0 && keyring_has(store->keyring, pg_rows_text(rows, 0, 0))) {
        return true; /* an earlier run of this step got this far */
    }
    /* One that was recorded and not written has sealed nothing, and cannot be made again. */
    return store_query(store, KEY_FORGET_NEXT, PG_NO_PARAMS, NULL, err) &&
           (store->options.keys.text != NULL ? add_given_key(store, err) : make_key(store, err));
}

/* From here on new secrets are sealed with the new key; the old one only opens. */
static bool step_activate(JobContext *context, Err *err)
{
    Store *store = context->store;
    scoped_rows PgRows *retired = NULL;
    scoped_rows PgRows *activated = NULL;
    if (!store_query(store, KEY_RETIRE_ACTIVE, PG_NO_PARAMS, &retired, err) ||
        !store_query(store, KEY_ACTIVATE, PG_NO_PARAMS, &activated, err)) {
        return false;
    }
    return (pg_rows_affected(retired) == 1 && pg_rows_affected(activated) == 1) ||
           ERR_SET(err, ERR_INTERNAL, NULL,
                   "one key to retire and one to activate were expected, there were %" PRId64
                   " and %" PRId64,
                   pg_rows_affected(retired), pg_rows_affected(activated));
}

static bool step_reseal(JobContext *context, Err *err)
{
    Store *store = context->store;
    scoped_rows PgRows *rows = NULL;
    if (!store_need_keys(store, err) || !reload_keyring(store, err) ||
        !read_active_key(store, err) ||
        !store_query(store, KEY_USES, PG_PARAMS(store->active_key_id), &rows, err)) {
        return false;
    }
    const int64_t total = pg_rows_int(rows, 0, 0);
    int64_t page = 1;
    for (int64_t done = 0; page > 0; done += page) {
        job_tell(context, done, total > done ? total : done);
        scoped_arena Arena *arena = arena_new();
        if (!pg_begin(store->conn, err) ||
            !tenant_reseal_page(arena, store, store->active_key_id, &page, err) ||
            !pg_commit(store->conn, true, err)) {
            pg_rollback(store->conn);
            return false;
        }
    }
    return true;
}

static bool step_retire(JobContext *context, Err *err)
{
    scoped_json Json *detail = json_object();
    if (!read_active_key(context->store, err)) {
        return false;
    }
    json_put_text(detail, "key", context->store->active_key_id);
    return store_query(context->store, KEY_RETIRE, PG_NO_PARAMS, NULL, err) &&
           job_audit(context, "key.rotate.done", detail, err);
}

/* This installation's retired keys; what else is in the file may be needed by another one. */
static bool drop_retired(Store *store, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, KEY_RETIRED, PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    const size_t count = pg_rows_count(rows);
    const char **ids = ARENA_ARRAY(arena, const char *, count);
    for (size_t i = 0; i < count; i++) {
        ids[i] = pg_rows_text(rows, i, 0);
    }
    return keyring_drop_from_file(store->keyring, store->options.keys.file, store->active_key_id,
                                  ids, count, err);
}

static bool step_drop_old(JobContext *context, Err *err)
{
    Store *store = context->store;
    return store->options.keys.text != NULL ||
           (store_need_keys(store, err) && reload_keyring(store, err) &&
            read_active_key(store, err) && drop_retired(store, err));
}

static const JobStep rotate_steps[] = {
    {"start", "Recording the rotation", JOB_STEP_TRANSACTION, step_start},
    {"new_key", "Making the new key", JOB_STEP_FREE, step_new_key},
    {"activate", "Making the new key the active one", JOB_STEP_TRANSACTION, step_activate},
    {"reseal", "Sealing every secret again", JOB_STEP_FREE, step_reseal},
    {"retire", "Retiring the old key", JOB_STEP_TRANSACTION, step_retire},
    {"drop_old", "Removing the old key from the key file", JOB_STEP_FREE, step_drop_old},
    {0},
};
const JobKind key_rotate_job = {.operation = "key.rotate", .steps = rotate_steps};

/* A keeper that has its keys from the environment keeps those that "up" had. */
static void put_warning(OpContext *context, const Store *store, Json *answer)
{
    static const char warning[] = "the keeper of spares may not have the new key: run \"tenantry "
                                  "up\" again with it";
    const bool is_told = store->options.keys.text != NULL && !op_has_external_database(context) &&
                         keeper_find(context) > 0;
    json_put_text(answer, "warning", is_told ? warning : NULL);
    if (is_told) {
        op_note(context, arena_printf(context->arena, "warning: %s", warning));
    }
}

static bool run_rotate(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    int64_t job_id = 0;
    if (!op_store(context, &store, err) || !refuse_second_rotation(store, 0, err) ||
        !op_run_job(context, &key_rotate_job, "master key", NULL, args, &job_id, err) ||
        !read_active_key(store, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put_text(*ret_answer, "key", store->active_key_id);
    json_put_int(*ret_answer, "job", job_id);
    put_warning(context, store, *ret_answer);
    return true;
}

const Operation op_key_rotate = {
    .name = "key.rotate",
    .summary = "Make a new master key and seal every secret again.",
    .description =
        "The new key is added to the key file first and the old one is removed last, so an "
        "interrupted rotation is finished with \"job resume\" and no secret is lost. Keys of other "
        "installations in the same file stay. Take "
        "a new copy of the key file afterwards. When the key comes from the environment, "
        "put the new key on a second line of TENANTRY_MASTER_KEY first, and run \"up\" again "
        "with the new one afterwards: the keeper of spares has the key that it was started with.",
    .access = ACCESS_ADMIN,
    .kind = OP_JOB,
    .http = {"POST", "/v1/keys/rotate"},
    .params = (const Param[]){{0}},
    .result = (const Field[]){{"key", FIELD_TEXT, .help = "id of the new key"},
                              {"job", FIELD_INT, .help = "the job that did it"},
                              {"warning", FIELD_TEXT, .is_nullable = true, .is_wide = true,
                               .help = "what to do for the keeper of spares"},
                              {0}},
    .examples = (const OpExample[]){{"key rotate", "then copy the key file elsewhere"}, {0}},
    .done = "every secret is sealed with key {key}; copy the key file elsewhere",
    .again = "key list",
    .run = run_rotate,
};
