#include <string.h>

#include "core/array.h"
#include "core/embedded_file.h"
#include "core/file.h"
#include "core/log.h"
#include "ops/context.h"
#include "ops/keeper.h"
#include "ops/register.h"
#include "pg/sql.h"
#include "store/audit.h"

static const char *state_name(EmbeddedState state)
{
    static const char *const names[] = {[EMBEDDED_ABSENT] = "absent",
                                        [EMBEDDED_STOPPED] = "stopped",
                                        [EMBEDDED_RUNNING] = "running",
                                        [EMBEDDED_STARTING] = "starting"};
    return names[state];
}

/* Tenants could fill the disk with temporary tables, and put one before a table of their own (see
 * docs/security.md). Whether they may is the database owner's choice, so it is said and not
 * changed.
 */
static bool put_warning(OpContext *context, Json *answer, Err *err)
{
    Store *store = NULL;
    scoped_rows PgRows *rows = NULL;
    if (!op_store(context, &store, err) ||
        !pg_query_row(store->conn,
                      "SELECT has_database_privilege('public', current_database(), 'TEMPORARY')",
                      PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    if (!pg_rows_bool(rows, 0, 0)) {
        json_put(answer, "warning", json_null());
        return true;
    }
    const char *statement = SQL(context->arena, "REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC",
                                sql_name(context->arena, pg_conn_database(store->conn)));
    const char *warning = arena_printf(
        context->arena, "tenants may make temporary tables; as the database's owner, run: %s",
        statement);
    json_put_text(answer, "warning", warning);
    op_note(context, arena_printf(context->arena, "warning: %s", warning));
    return true;
}

/* --- up --------------------------------------------------------------------------------------- */

/* An external database has no data directory that something else would make for the key. */
static bool prepare_key_folder(OpContext *context, Err *err)
{
    const char *file = op_key_file(context);
    return config_text(context->config, OPT_MASTER_KEY) != NULL || file == NULL ||
           file_exists(file) || !op_has_external_database(context) ||
           config_is_given(context->config, OPT_MASTER_KEY_FILE) ||
           file_make_dir(op_data_dir(context), 0755, err);
}

static bool install(OpContext *context, Json *answer, Err *err)
{
    StoreOptions options;
    const char *what = NULL;
    int64_t changed = 0;
    bool is_key_new = false;
    if (!op_store_options(context, &options, err) || !prepare_key_folder(context, err) ||
        !store_install(context->arena, &options, context->actor, &what, &is_key_new, err) ||
        !register_embedded_blueprints(context, &changed, err) ||
        !op_drop_stamp_leftovers(context, err)) {
        return false;
    }
    json_put_text(answer, "control_schema", what == NULL ? "up to date" : what);
    json_put_int(answer, "blueprints_added", changed);
    json_put_text(answer, "master_key_file",
                  config_text(context->config, OPT_MASTER_KEY) != NULL ? NULL
                                                                       : op_key_file(context));
    json_put_bool(answer, "is_key_new", is_key_new);
    return true;
}

/* Jobs whose process died wait for somebody to resume them. */
static bool put_interrupted_jobs(OpContext *context, Json *answer, Err *err)
{
    Store *store = NULL;
    scoped_json Json *jobs = NULL;
    if (!op_store(context, &store, err) ||
        !store_query_json(store, JOB_LIST, PG_PARAMS("interrupted", "1000"), &jobs, err)) {
        return false;
    }
    json_put_int(answer, "interrupted_jobs", (int64_t)json_array_size(jobs));
    return true;
}

/* After the answer: whoever waits for the server need not wait for these. */
static void make_ready_logins(OpContext *context)
{
    Err err;
    if (!op_fill_ready_logins(context, INT64_MAX, &err)) {
        log_warn("ready_logins.fill", "logins made ahead: %s", err.message);
    }
}

/* Spares are a matter of speed: without a keeper the server is up all the same. */
static void start_keeper(OpContext *context, Json *answer)
{
    Err err;
    pid_t pid = 0;
    if (!op_has_external_database(context) && !keeper_start(context, &pid, &err)) {
        log_warn("keeper.start", "nobody keeps spares: %s", err.message);
    }
    json_put(answer, "keeper", pid > 0 ? json_integer(pid) : json_null());
}

static bool run_up(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    (void)args;
    scoped_json Json *answer = json_object();
    if (op_has_external_database(context)) {
        json_put_text(answer, "state", "external");
        json_put(answer, "pid", json_null());
        json_put(answer, "port", json_null());
        json_put(answer, "data_dir", json_null());
        json_put(answer, "conninfo", json_null());
        json_put_bool(answer, "is_started", false);
    } else {
        EmbeddedOptions options;
        EmbeddedStatus status;
        bool is_started = false;
        if (!op_embedded_options(context, &options, err) ||
            !embedded_up(context->arena, &options, &status, &is_started, err)) {
            return false;
        }
        json_put_text(answer, "state", state_name(status.state));
        json_put_int(answer, "pid", status.pid);
        json_put_int(answer, "port", status.port);
        json_put_text(answer, "data_dir", status.data_dir);
        json_put_text(answer, "conninfo", status.conninfo);
        json_put_bool(answer, "is_started", is_started);
    }
    Store *store = NULL;
    if (!install(context, answer, err) || !put_interrupted_jobs(context, answer, err) ||
        !put_warning(context, answer, err) || !op_store(context, &store, err)) {
        return false;
    }
    /* Tenants can work without the master key, so the server is up; but people should know now. */
    start_keeper(context, answer);
    *ret_answer = json_incref(answer);
    context->after = make_ready_logins;
    return store_need_keys(store, err);
}

const Operation op_up = {
    .name = "up",
    .summary = "Start the embedded PostgreSQL and bring the control schema up to date.",
    .description =
        "Without --database-url a private PostgreSQL is made in the data directory and started; "
        "with it, that server is used and only the control schema is made there, for which the "
        "role needs CREATEROLE and CREATE on the database, not superuser. Running it again is "
        "harmless: what is there is kept. The first time, a master key is written to the data "
        "directory, beside those of other installations when the file is there: keep a copy "
        "elsewhere, without it no stored password can be read. When it is lost or another one, the "
        "server runs all the same and the exit status is 78.",
    .access = ACCESS_ADMIN,
    .kind = OP_COMMAND,
    .params = (const Param[]){{0}},
    .result =
        (const Field[]){
            {"state", FIELD_TEXT, .help = "running, or external with --database-url"},
            {"is_started", FIELD_BOOL, .is_wide = true, .help = "whether this call started it"},
            {"pid", FIELD_INT, .is_nullable = true, .help = "process id of the server"},
            {"port", FIELD_INT, .is_nullable = true, .help = "TCP port, 0: Unix socket only"},
            {"keeper", FIELD_INT, .is_nullable = true, .is_wide = true,
             .help = "process id of the keeper of spares"},
            {"data_dir", FIELD_TEXT, .is_nullable = true, .help = "data directory"},
            {"conninfo", FIELD_TEXT, .is_nullable = true, .is_wide = true,
             .help = "how Tenantry connects; the password is in the passfile"},
            {"control_schema", FIELD_TEXT, .help = "made, migrated or up to date"},
            {"blueprints_added", FIELD_INT, .help = "embedded blueprints added or changed"},
            {"master_key_file", FIELD_TEXT, .is_nullable = true, .help = "keep a copy elsewhere"},
            {"is_key_new", FIELD_BOOL, .is_wide = true, .help = "whether this call made the key"},
            {"interrupted_jobs", FIELD_INT, .help = "jobs to resume or cancel"},
            {"warning", FIELD_TEXT, .is_nullable = true, .is_wide = true,
             .help = "what to change in the database, with the statement"},
            {0}},
    .examples = (const OpExample[]){{"up", "a private PostgreSQL, ready for tenants"},
                                    {"up --port 5499", "also on a loopback TCP port"},
                                    {"up --database-url postgresql://tenantry@db.example/app",
                                     "on a PostgreSQL of yours"},
                                    {0}},
    .done = "Tenantry is up",
    .again = "status",
    .run = run_up,
};

/* --- down ------------------------------------------------------------------------------------- */

/* Spares are a matter of speed here too: a keeper that root started on another user's data
 * directory is not that user's to stop, but his server is, and the keeper ends by itself when that
 * is gone. */
static void stop_keeper(OpContext *context)
{
    Err err;
    if (!keeper_stop(context, &err)) {
        log_warn("keeper.stop",
                 "%s; one that \"up\" started ends by itself when it sees that the server was "
                 "stopped",
                 err.message);
    }
}

static bool run_down(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    if (op_has_external_database(context)) {
        return ERR_SET(err, ERR_USAGE, "leave --database-url out to stop the embedded server",
                       "an external PostgreSQL is not Tenantry's to stop");
    }
    EmbeddedOptions options;
    bool is_stopped = false;
    if (!op_embedded_options(context, &options, err)) {
        return false;
    }
    stop_keeper(context);
    if (!embedded_down(context->arena, &options, json_get_int(args, "timeout", 0), &is_stopped,
                       err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put_text(*ret_answer, "state", "stopped");
    json_put_bool(*ret_answer, "was_running", is_stopped);
    return true;
}

const Operation op_down = {
    .name = "down",
    .summary = "Stop the embedded PostgreSQL.",
    .description =
        "The keeper of spares ends first; one that only another user may stop is told, and ends "
        "by itself afterwards. Sessions are ended, what they had not committed is rolled back.",
    .access = ACCESS_ADMIN,
    .kind = OP_COMMAND,
    .params = (const Param[]){{"timeout", PARAM_DURATION_MS, .fallback = "30s", .least = 0,
                               .most = 3600000,
                               .help = "After this long it is stopped without waiting; it recovers "
                                       "at the next start."},
                              {0}},
    .result = (const Field[]){{"state", FIELD_TEXT, .help = "stopped"},
                              {"was_running", FIELD_BOOL, .help = "whether a server ran"},
                              {0}},
    .examples = (const OpExample[]){{"down", "stop it"}, {0}},
    .done = "the embedded PostgreSQL is {state}",
    .again = "status",
    .run = run_down,
};

/* --- status ----------------------------------------------------------------------------------- */

static const char *key_state(Store *store)
{
    Err err;
    return store_need_keys(store, &err) ? "ok" : err_kind(err.code)->wire;
}

static void put_nothing(Json *answer)
{
    static const char *const keys[] = {"server_version", "database",         "control_version",
                                       "master_key",     "tenants",          "failed_this_week",
                                       "blueprints",     "interrupted_jobs", "spares",
                                       "spare_errors",   "warning"};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        json_put(answer, keys[i], json_null());
    }
}

/* How many spares are ready of each blueprint that has some or should, and why some are missing. */
static bool put_spares(OpContext *context, Json *answer, Err *err)
{
    scoped_json Json *rows = NULL;
    size_t i = 0;
    const Json *row = NULL;
    Json *ready = json_object();
    Json *errors = json_object();
    json_put(answer, "spares", ready);
    json_put(answer, "spare_errors", errors);
    if (!spares_survey(context, NULL, &rows, err)) {
        return false;
    }
    json_array_foreach(rows, i, row)
    {
        const char *blueprint = json_get_text(row, "blueprint", "");
        const char *error = json_get_text(row, "error", NULL);
        if (json_get_int(row, "ready", 0) > 0 || json_get_int(row, "target", 0) > 0) {
            json_put_int(ready, blueprint, json_get_int(row, "ready", 0));
        }
        if (error != NULL) {
            json_put_text(errors, blueprint, error);
        }
    }
    return true;
}

static bool put_installation(OpContext *context, Json *answer, Err *err)
{
    Store *store = NULL;
    scoped_json Json *found = NULL;
    if (!op_store(context, &store, err) ||
        !store_query_json(store, STATUS, PG_NO_PARAMS, &found, err)) {
        return false;
    }
    json_object_del(found, "open_jobs");
    json_object_update(answer, found);
    json_put_text(answer, "master_key", key_state(store));
    return put_spares(context, answer, err) && put_interrupted_jobs(context, answer, err) &&
           put_warning(context, answer, err);
}

static void put_keeper(OpContext *context, Json *answer)
{
    const pid_t pid = op_has_external_database(context) ? 0 : keeper_find(context);
    json_put(answer, "keeper", pid > 0 ? json_integer(pid) : json_null());
}

static bool run_status(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    (void)args;
    scoped_json Json *answer = json_object();
    put_nothing(answer);
    bool is_reachable = true;
    if (op_has_external_database(context)) {
        json_put_text(answer, "state", "external");
        json_put(answer, "pid", json_null());
        json_put(answer, "data_dir", json_null());
    } else {
        EmbeddedOptions options;
        EmbeddedStatus status;
        if (!op_embedded_options(context, &options, err) ||
            !embedded_status(context->arena, &options, &status, err)) {
            return false;
        }
        is_reachable = status.state == EMBEDDED_RUNNING;
        json_put_text(answer, "state", state_name(status.state));
        json_put(answer, "pid", status.pid == 0 ? json_null() : json_integer(status.pid));
        json_put_text(answer, "data_dir", status.data_dir);
    }
    put_keeper(context, answer);
    if (is_reachable && !put_installation(context, answer, err)) {
        return false;
    }
    *ret_answer = json_incref(answer);
    return true;
}

const Operation op_status = {
    .name = "status",
    .summary = "Tell whether the server runs and what is in it.",
    .access = ACCESS_VIEWER,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/status"},
    .params = (const Param[]){{0}},
    .result =
        (const Field[]){
            {"state", FIELD_TEXT, .help = "running, starting, stopped, absent or external"},
            {"pid", FIELD_INT, .is_nullable = true, .help = "process id of the server"},
            {"data_dir", FIELD_TEXT, .is_nullable = true, .help = "data directory"},
            {"server_version", FIELD_TEXT, .is_nullable = true, .help = "PostgreSQL's version"},
            {"database", FIELD_TEXT, .is_nullable = true, .help = "database"},
            {"control_version", FIELD_INT, .is_nullable = true, .help = "of the control schema"},
            {"master_key", FIELD_TEXT, .is_nullable = true,
             .help = "ok, or the error that reading it gives"},
            {"tenants", FIELD_MAP, .is_nullable = true,
             .help = "how many in each state, of those that there are: not failed or purged ones"},
            {"failed_this_week", FIELD_INT, .is_nullable = true,
             .help = "tenants that could not be made in the last 7 days"},
            {"blueprints", FIELD_INT, .is_nullable = true, .help = "how many there are"},
            {"interrupted_jobs", FIELD_INT, .is_nullable = true, .help = "to resume or cancel"},
            {"keeper", FIELD_INT, .is_nullable = true,
             .help = "process id of the keeper of spares that \"up\" started"},
            {"spares", FIELD_MAP, .is_nullable = true,
             .help = "how many are ready of each blueprint"},
            {"spare_errors", FIELD_MAP, .is_nullable = true,
             .help = "blueprints whose spares cannot be made, and why"},
            {"warning", FIELD_TEXT, .is_nullable = true, .is_wide = true,
             .help = "what to change in the database, with the statement"},
            {0}},
    .examples = (const OpExample[]){{"status", "one look"}, {0}},
    .run = run_status,
};
