#include "ops/context.h"

#include <string.h>
#include <unistd.h>

#include "core/array.h"
#include "rollout/baseline.h"
#include "rollout/rollout.h"
#include "tenant/ready_login.h"
#include "tenant/tenant.h"

const JobKind *const op_job_kinds[] = {
    &baseline_job,         &blueprint_add_job, &isolation_accept_job, &isolation_mend_job,
    &isolation_reopen_job, &key_rotate_job,    &partition_detach_job, &partition_ensure_job,
    &rollout_down_job,     &rollout_job,       &rollout_retry_job,    &spare_drop_job,
    &spare_fill_job,       &tenant_adopt_job,  &tenant_archive_job,   &tenant_create_job,
    &tenant_purge_job,     &tenant_resume_job, &tenant_rotate_job,    &tenant_suspend_job,
};
const size_t op_job_kind_count = ARRAY_COUNT(op_job_kinds);

bool op_has_external_database(const OpContext *context)
{
    return config_text(context->config, OPT_DATABASE_URL) != NULL;
}

const char *op_data_dir(const OpContext *context)
{
    return config_text(context->config, OPT_DATA_DIR);
}

const char *op_key_file(const OpContext *context)
{
    return config_text(context->config, OPT_MASTER_KEY_FILE);
}

bool op_check_data_dir(const OpContext *context, Err *err)
{
    return op_data_dir(context) != NULL ||
           ERR_SET(err, ERR_CONFIG_INVALID,
                   "set HOME, or name a folder with --data-dir or TENANTRY_DATA_DIR",
                   "there is no data directory: HOME is not set, and the password database has no "
                   "home for user %lu",
                   (unsigned long)geteuid());
}

void op_note(const OpContext *context, const char *text)
{
    if (context->progress.note != NULL) {
        context->progress.note(context->progress.context, text);
    }
}

static void tell_note(void *opaque, const char *text)
{
    op_note(opaque, text);
}

/* A path that somebody named; what is the default of its own accord is for the server to make. */
static const char *given_path(const OpContext *context, OptionId id)
{
    return config_is_given(context->config, id) ? config_text(context->config, id) : NULL;
}

bool op_embedded_options(OpContext *context, EmbeddedOptions *ret_options, Err *err)
{
    const bool has_port = config_is_given(context->config, OPT_LISTEN_PORT);
    if (!op_check_data_dir(context, err)) {
        return false;
    }
    pg_clean_environment(true);
    *ret_options = (EmbeddedOptions){
        .data_dir = op_data_dir(context),
        .socket_dir = given_path(context, OPT_SOCKET_DIR),
        .bin_dir = config_text(context->config, OPT_PG_BIN_DIR),
        .server_user = config_text(context->config, OPT_SERVER_USER),
        .port = has_port ? (int)config_int(context->config, OPT_LISTEN_PORT) : EMBEDDED_PORT_KEPT,
        .on_progress = tell_note,
        .progress_context = context};
    return true;
}

static bool embedded_conninfo(OpContext *context, const char **ret_conninfo, Err *err)
{
    EmbeddedOptions options;
    EmbeddedStatus status;
    if (!op_embedded_options(context, &options, err) ||
        !embedded_status(context->arena, &options, &status, err)) {
        return false;
    }
    if (status.state == EMBEDDED_ABSENT || status.state == EMBEDDED_STOPPED) {
        ERR_SET(err, ERR_SERVER_DOWN, NULL, "the embedded PostgreSQL in \"%s\" is %s",
                status.data_dir, status.state == EMBEDDED_ABSENT ? "not there yet" : "not running");
        err_hint(err, "start it with \"%s up\", or name a PostgreSQL with --database-url",
                 context->program);
        return false;
    }
    *ret_conninfo = status.conninfo;
    return true;
}

bool op_store_options(OpContext *context, StoreOptions *ret_options, Err *err)
{
    const char *conninfo = config_text(context->config, OPT_DATABASE_URL);
    pg_clean_environment(false);
    if (conninfo == NULL && !embedded_conninfo(context, &conninfo, err)) {
        return false;
    }
    *ret_options = (StoreOptions){
        .target = {.conninfo = conninfo,
                   .connect_timeout_ms = config_int(context->config, OPT_CONNECT_TIMEOUT),
                   .lock_timeout_ms = config_int(context->config, OPT_LOCK_TIMEOUT),
                   .retries = config_int(context->config, OPT_RETRIES),
                   .on_note = tell_note,
                   .note_context = context},
        .keys = {.text = config_text(context->config, OPT_MASTER_KEY),
                 .file = op_key_file(context)}};
    return true;
}

/* The hints of connections speak of the database URL, which the embedded server has not. */
static bool hint_embedded(const OpContext *context, Err *err)
{
    if (err->code == ERR_PG_UNAVAILABLE && !op_has_external_database(context)) {
        err_hint(err, "see \"%s status\"; \"%s up\" starts the embedded PostgreSQL",
                 context->program, context->program);
    }
    return false;
}

bool op_store(OpContext *context, Store **ret_store, Err *err)
{
    if (context->store == NULL) {
        StoreOptions options;
        if (!op_store_options(context, &options, err)) {
            return false;
        }
        if (!store_open(&options, &context->store, err)) {
            return hint_embedded(context, err);
        }
    }
    *ret_store = context->store;
    return true;
}

void op_context_done(OpContext *context)
{
    context->store = store_close(context->store);
}

/* What a refusal of the server lacks: the statement that grants the right. */
static void hint_right(OpContext *context, const Store *store, Err *err)
{
    Err right;
    if (err->code == ERR_PG_RIGHT_MISSING && pg_is_alive(store->conn) &&
        !store_check_rights(context->arena, store->conn, &right) &&
        right.code == ERR_PG_RIGHT_MISSING) {
        err_hint(err, "%s: %s", right.message, right.hint);
    }
}

static JobProgress progress_of(const OpContext *context)
{
    return (JobProgress){.context = context->progress.context,
                         .step = context->progress.step,
                         .note = context->progress.note};
}

bool op_run_job(OpContext *context, const JobKind *kind, const char *subject, const char *tenant_id,
                const Json *args, int64_t *ret_job_id, Err *err)
{
    Store *store = NULL;
    int64_t job_id = 0;
    const JobStart start = {.kind = kind,
                            .subject = subject,
                            .tenant_id = tenant_id,
                            .args = args,
                            .actor = context->actor,
                            .progress = progress_of(context)};
    const bool is_done = op_store(context, &store, err) && job_run(store, &start, &job_id, err);
    if (!is_done && store != NULL) {
        hint_right(context, store, err);
    }
    if (ret_job_id != NULL) {
        *ret_job_id = job_id;
    }
    return is_done;
}

bool op_resume_job(OpContext *context, int64_t job_id, JobPrepare *prepare, Err *err)
{
    Store *store = NULL;
    const JobResume resume = {.kinds = op_job_kinds,
                              .kind_count = op_job_kind_count,
                              .job_id = job_id,
                              .actor = context->actor,
                              .progress = progress_of(context),
                              .prepare = prepare};
    return op_store(context, &store, err) && job_resume(store, &resume, err);
}

bool op_fill_ready_logins(OpContext *context, int64_t most, Err *err)
{
    Store *store = NULL;
    return op_store(context, &store, err) &&
           ready_logins_fill(store, config_int(context->config, OPT_READY_LOGINS), most, NULL, err);
}

bool op_answer_list(OpContext *context, StatementId id, PgParams params, const char *key,
                    Json **ret_answer, Err *err)
{
    Store *store = NULL;
    Json *list = NULL;
    if (!op_store(context, &store, err) || !store_query_json(store, id, params, &list, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put(*ret_answer, key, list);
    return true;
}

bool op_put_connections(OpContext *context, const char *tenant_id, bool with_passwords,
                        Json *answer, Err *err)
{
    Store *store = NULL;
    Tenant *tenant = NULL;
    TenantLogin logins[TENANT_LOGINS];
    size_t count = 0;
    if (!op_store(context, &store, err) ||
        !tenants_get(context->arena, store, tenant_id, &tenant, err) ||
        !tenant_logins(context->arena, store, tenant, with_passwords, logins, &count, err)) {
        return false;
    }
    Json *list = json_array();
    for (size_t i = 0; i < count; i++) {
        /* The URI holds the password, so it lives no longer than this and the answer. */
        scoped_arena Arena *arena = arena_new();
        char *password = logins[i].password == NULL ? NULL : logins[i].password->text;
        Json *entry = json_object();
        json_put_text(entry, "login", logins[i].kind);
        json_put_text(entry, "role", logins[i].role);
        json_put_text(entry, "uri", pg_uri(arena, store->conn, logins[i].role, password));
        json_array_append_new(list, entry);
        logins[i].password = password_free(logins[i].password);
    }
    json_put(answer, "connections", list);
    return true;
}
