/* What happens to a tenant after it was made: suspend, resume, archive, purge, rotate. */
#include <inttypes.h>
#include <string.h>

#include "blueprint/place.h"
#include "blueprint/registry.h"
#include "core/array.h"
#include "core/clock.h"
#include "core/fault.h"
#include "core/strbuf.h"
#include "pg/sql.h"
#include "tenant/login.h"
#include "tenant/state.h"

enum { BLOCK_ATTEMPTS = 20, DELETE_ATTEMPTS = 2 };
enum { DRAIN_POLL_MS = 50, SESSIONS_GONE_CHECKS = 2, END_SESSIONS_MS = 10000 };

/* The job's tenant: by id once the job has one, so that a slug that changed hands cannot mislead a
 * resumed job. */
static bool load_tenant(JobContext *context, Tenant **ret_tenant, Err *err)
{
    if (context->tenant_id != NULL) {
        return tenants_get(context->arena, context->store, context->tenant_id, ret_tenant, err);
    }
    if (!tenants_get_by_slug(context->arena, context->store,
                             json_get_text(context->args, "slug", ""), ret_tenant, err)) {
        return false;
    }
    job_set_tenant(context, (*ret_tenant)->id);
    return true;
}

static bool load_logins(JobContext *context, const Tenant *tenant,
                        TenantLogin logins[TENANT_LOGINS], size_t *ret_count, Err *err)
{
    return tenant_logins(context->arena, context->store, tenant, false, logins, ret_count, err);
}

static const char *role_list(Arena *arena, const TenantLogin *logins, size_t count)
{
    StrBuf list = strbuf_init(arena);
    for (size_t i = 0; i < count; i++) {
        strbuf_printf(&list, "%s%s", i == 0 ? "" : ",", logins[i].role);
    }
    return list.text;
}

/* With post_auth_delay a session sleeps between the check of LOGIN and its row of pg_stat_activity.
 * Meanwhile it has a lock, as each has that begins, and nothing says whose it is: but a role can
 * end no other's. What was told to end does so when it wakes, before it reads a statement. */
static const char end_hidden_sessions[] =
    "DO $end$ DECLARE one integer; BEGIN SET LOCAL ROLE {};"
    " FOR one IN SELECT l.pid FROM pg_locks l WHERE l.classid = 'pg_database'::regclass AND NOT "
    "EXISTS"
    "  (SELECT FROM pg_stat_activity a WHERE a.pid = l.pid AND a.usesysid IS NOT NULL) LOOP"
    "  BEGIN PERFORM pg_terminate_backend(one); EXCEPTION WHEN insufficient_privilege THEN NULL; "
    "END;"
    " END LOOP; SET LOCAL ROLE NONE; END $end$";

/* Ending a session takes membership in its role; we have it within this transaction only. */
static void add_session_end(Arena *arena, PgBatch *batch, const TenantLogin *logins, size_t count)
{
    static const char *const templates[] = {"GRANT {} TO CURRENT_USER", end_hidden_sessions,
                                            "REVOKE {} FROM CURRENT_USER"};
    for (size_t t = 0; t < ARRAY_COUNT(templates); t++) {
        for (size_t i = 0; i < count; i++) {
            pg_batch_add(batch, SQL(arena, templates[t], sql_name(arena, logins[i].role)),
                         PG_NO_PARAMS);
        }
        if (t == 0) {
            store_batch(batch, SESSIONS_END, PG_PARAMS(role_list(arena, logins, count)));
        }
    }
}

/* Takes LOGIN from the logins, behind a savepoint; a short wait for locks within it. */
static void add_block(JobContext *context, PgBatch *batch, const TenantLogin *logins, size_t count,
                      bool ends_sessions)
{
    Arena *arena = context->arena;
    pg_batch_add(batch, "SAVEPOINT block", PG_NO_PARAMS);
    if (ends_sessions) {
        add_session_end(arena, batch, logins, count);
    }
    pg_batch_add(batch, "SET LOCAL lock_timeout = '250ms'", PG_NO_PARAMS);
    login_add_switch(arena, batch, logins, count, false);
    pg_batch_add(batch, "SELECT set_config('lock_timeout', $1, true)",
                 PG_PARAMS(pg_int_text(arena, context->store->options.target.lock_timeout_ms)));
}

/* A tenant can hold a lock on its own role (ALTER ROLE CURRENT_USER ...) to keep us from blocking
 * it, or change it each time that we are about to. */
static bool is_role_contended(const Err *err)
{
    return err->code == ERR_PG_LOCKED || err->code == ERR_CONFLICT;
}

/* Where the role is contended its sessions end first, and again when one came back in between. */
static bool block_logins(JobContext *context, const TenantLogin *logins, size_t count, Err *err)
{
    PgConn *conn = context->store->conn;
    for (int attempt = 0; attempt < BLOCK_ATTEMPTS; attempt++) {
        scoped_batch PgBatch *batch = pg_batch_new(context->arena);
        add_block(context, batch, logins, count, attempt > 0);
        if (pg_batch_run(conn, batch, err)) {
            return true;
        }
        Err ignored;
        if (!is_role_contended(err) ||
            !pg_query(conn, "ROLLBACK TO SAVEPOINT block", PG_NO_PARAMS, NULL, &ignored)) {
            return false;
        }
    }
    return false;
}

static bool switch_logins(JobContext *context, const Tenant *tenant, bool may_login, Err *err)
{
    TenantLogin logins[TENANT_LOGINS];
    size_t count = 0;
    if (!load_logins(context, tenant, logins, &count, err)) {
        return false;
    }
    if (!may_login) {
        return block_logins(context, logins, count, err);
    }
    scoped_batch PgBatch *batch = pg_batch_new(context->arena);
    login_add_switch(context->arena, batch, logins, count, true);
    return login_add_restore(context->arena, context->store, batch, tenant, logins, count, err) &&
           pg_batch_run(context->store->conn, batch, err);
}

/* --- rights on the data ----------------------------------------------------------------------- */

static bool is_schema_tier(const Tenant *tenant)
{
    return strcmp(tenant->tier, tier_name(TIER_SCHEMA)) == 0;
}

/* Schema tier: whether the logins may name what is in the schema, done by its owner in the guard
 * that stays, which a rollout of the place at the same moment does not touch. Where a person has
 * dropped the schema there is nothing to lock. */
static bool switch_schema(JobContext *context, const Place *place, bool is_open, Err *err)
{
    Arena *arena = context->arena;
    scoped_rows PgRows *rows = NULL;
    if (!pg_query_row(context->store->conn, "SELECT to_regnamespace(quote_ident($1)) IS NULL",
                      PG_PARAMS(place->schema_name), &rows, err)) {
        return false;
    }
    if (pg_rows_bool(rows, 0, 0)) {
        return true;
    }
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    place_enter_owner(batch, place, "pg_catalog");
    pg_batch_add(
        batch,
        SQL(arena,
            is_open ? "GRANT USAGE ON SCHEMA {} TO {}, {}" : "REVOKE ALL ON SCHEMA {} FROM {}, {}",
            sql_name(arena, place->schema_name), sql_name(arena, place->app_role),
            sql_name(arena, place->readonly_role)),
        PG_NO_PARAMS);
    place_leave_role(batch);
    return pg_batch_run(context->store->conn, batch, err);
}

/* Takes the logins off the tenant's data, or lets them at it again: what sessions there are beyond
 * NOLOGIN can do nothing. In the row tier the logins map to no tenant meanwhile. */
static bool switch_data(JobContext *context, const Tenant *tenant, bool is_open, Err *err)
{
    return is_schema_tier(tenant) ? switch_schema(context, tenant->place, is_open, err)
                                  : store_query(context->store, is_open ? ROLE_REMAP : ROLE_UNMAP,
                                                PG_PARAMS(tenant->id), NULL, err);
}

/* Moves, switches the logins and audits: what most operations begin with. */
static bool move_and_switch(JobContext *context, TenantState to, bool may_login, const char *action,
                            Tenant **ret_tenant, Err *err)
{
    Tenant *tenant = NULL;
    if (!load_tenant(context, &tenant, err)) {
        return false;
    }
    scoped_json Json *detail = json_object();
    json_put_text(detail, "slug", tenant->slug);
    json_put_text(detail, "from", tenant->state);
    if (!tenant_move(context->store, tenant, to, err) ||
        !switch_logins(context, tenant, may_login, err)) {
        return false;
    }
    *ret_tenant = tenant;
    return job_audit(context, action, detail, err);
}

/* --- sessions
 * ---------------------------------------------------------------------------------------------------
 */

static bool count_sessions(JobContext *context, const char *roles, int64_t *ret_count, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, SESSIONS_COUNT, PG_PARAMS(roles), &rows, err)) {
        return false;
    }
    *ret_count = pg_rows_int(rows, 0, 0);
    return true;
}

/* The tenant's state under its lock, until the transaction ends: others grant the same roles. */
static bool lock_state(JobContext *context, const char **ret_state, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, TENANT_LOCK, PG_PARAMS(context->tenant_id), &rows, err)) {
        return false;
    }
    *ret_state = pg_rows_count(rows) == 0 ? ""
                                          : arena_strdup(context->arena, pg_rows_text(rows, 0, 0));
    return true;
}

/* *ret_may: the tenant is still in the state in which its sessions are this job's to end. */
static bool end_sessions_once(JobContext *context, const TenantLogin *logins, size_t count,
                              TenantState state, bool *ret_may, Err *err)
{
    PgConn *conn = context->store->conn;
    const char *found = NULL;
    scoped_batch PgBatch *batch = pg_batch_new(context->arena);
    add_session_end(context->arena, batch, logins, count);
    if (pg_begin(conn, err) && lock_state(context, &found, err)) {
        *ret_may = strcmp(found, tenant_state_name(state)) == 0;
        if ((!*ret_may || pg_batch_run(conn, batch, err)) && pg_commit(conn, false, err)) {
            return true;
        }
    }
    pg_rollback(conn);
    return false;
}

/* Ends sessions until none was seen twice in a row, those too that cannot be seen: a login that
 * passed the check before NOLOGIN was committed shows up a moment later. A job that was interrupted
 * may be resumed long after its tenant was: then the sessions are not its to end any more. */
static bool end_sessions(JobContext *context, const TenantLogin *logins, size_t count,
                         TenantState state, Err *err)
{
    const char *roles = role_list(context->arena, logins, count);
    const int64_t deadline_us = clock_monotonic_us() + END_SESSIONS_MS * INT64_C(1000);
    bool may_end = true;
    for (int gone = 0; gone < SESSIONS_GONE_CHECKS;) {
        int64_t left = 0;
        if (!count_sessions(context, roles, &left, err)) {
            return false;
        }
        gone = left == 0 ? gone + 1 : 0;
        if (!end_sessions_once(context, logins, count, state, &may_end, err)) {
            return false;
        }
        if (!may_end) {
            return true;
        }
        if (gone < SESSIONS_GONE_CHECKS) {
            clock_sleep_ms(DRAIN_POLL_MS);
        }
        if (clock_monotonic_us() > deadline_us) {
            return ERR_SET(err, ERR_PG_LOCKED, "look at pg_stat_activity for what they wait on",
                           "%" PRId64 " sessions of \"%s\" did not end within 10 s", left,
                           context->subject);
        }
    }
    return true;
}

static bool step_end_sessions(JobContext *context, Err *err)
{
    Tenant *tenant = NULL;
    TenantLogin logins[TENANT_LOGINS];
    size_t count = 0;
    return load_tenant(context, &tenant, err) &&
           load_logins(context, tenant, logins, &count, err) &&
           end_sessions(context, logins, count, TENANT_SUSPENDED, err);
}

/* --- suspend, resume
 * -------------------------------------------------------------------------------------------- */

static bool step_suspend(JobContext *context, Err *err)
{
    Tenant *tenant = NULL;
    return move_and_switch(context, TENANT_SUSPENDED, false, "tenant.suspend", &tenant, err) &&
           switch_data(context, tenant, false, err);
}

static const JobStep suspend_steps[] = {
    {"lock", "Blocking logins", JOB_STEP_TRANSACTION, step_suspend},
    {"end_sessions", "Ending sessions", JOB_STEP_FREE, step_end_sessions},
    {0},
};
const JobKind tenant_suspend_job = {.operation = "tenant.suspend", .steps = suspend_steps};

bool tenant_resume_unlock(JobContext *context, Err *err)
{
    Tenant *tenant = NULL;
    return move_and_switch(context, TENANT_ACTIVE, true, "tenant.resume", &tenant, err) &&
           switch_data(context, tenant, true, err);
}

/* --- archive
 * ----------------------------------------------------------------------------------------------------
 */

static bool step_drain(JobContext *context, Err *err)
{
    Tenant *tenant = NULL;
    return move_and_switch(context, TENANT_DRAINING, false, "tenant.archive", &tenant, err);
}

/* Lets sessions finish what they do, up to the time given; then ends them. */
static bool step_wait_for_sessions(JobContext *context, Err *err)
{
    Tenant *tenant = NULL;
    TenantLogin logins[TENANT_LOGINS];
    size_t count = 0;
    if (!load_tenant(context, &tenant, err) || !load_logins(context, tenant, logins, &count, err)) {
        return false;
    }
    const char *roles = role_list(context->arena, logins, count);
    const int64_t timeout_ms = json_get_int(context->args, "drain-timeout", 0);
    const int64_t start_us = clock_monotonic_us();
    int64_t left = 1;
    while (left > 0 && clock_monotonic_us() - start_us < timeout_ms * 1000) {
        if (!count_sessions(context, roles, &left, err)) {
            return false;
        }
        if (left > 0) {
            job_tell(context, (clock_monotonic_us() - start_us) / 1000, timeout_ms);
            clock_sleep_ms(DRAIN_POLL_MS);
        }
    }
    return end_sessions(context, logins, count, TENANT_DRAINING, err);
}

/* Takes the tenant's roles off its data; in the row tier they map to no tenant afterwards. */
static bool step_lock_data(JobContext *context, Err *err)
{
    Tenant *tenant = NULL;
    if (!load_tenant(context, &tenant, err) ||
        !tenant_move(context->store, tenant, TENANT_ARCHIVED, err) ||
        !store_query(context->store, ROLE_UNMAP, PG_PARAMS(tenant->id), NULL, err) ||
        (is_schema_tier(tenant) && !switch_schema(context, tenant->place, false, err))) {
        return false;
    }
    scoped_json Json *detail = json_object();
    json_put_text(detail, "slug", tenant->slug);
    return job_audit(context, "tenant.archive.locked", detail, err);
}

static const JobStep archive_steps[] = {
    {"drain", "Blocking logins", JOB_STEP_TRANSACTION, step_drain},
    {"wait", "Waiting for sessions to end", JOB_STEP_FREE, step_wait_for_sessions},
    {"lock", "Locking the data", JOB_STEP_TRANSACTION, step_lock_data},
    {0},
};
const JobKind tenant_archive_job = {.operation = "tenant.archive", .steps = archive_steps};

/* --- purge
 * ------------------------------------------------------------------------------------------------------
 */

/* Row tier: the tables of the shared place that hold tenants' rows, those that refer to others
 * first; and whether a policy of the blueprint's own may hide some of them from the owner too. */
static const char tables_by_dependency[] =
    "WITH RECURSIVE t AS ("
    " SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    " AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = "
    "'tenant_guard')),"
    " depth AS (SELECT oid, 0 AS level FROM t UNION"
    " SELECT f.confrelid, d.level + 1 FROM depth d JOIN pg_constraint f ON f.conrelid = d.oid"
    " AND f.contype = 'f' AND f.confrelid <> f.conrelid WHERE d.level < 100)"
    " SELECT t.relname, EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.oid"
    "  AND NOT p.polpermissive AND p.polname <> 'tenant_guard')"
    " FROM t JOIN depth d ON d.oid = t.oid GROUP BY t.oid, t.relname ORDER BY max(d.level),"
    " t.relname";

#define ROWS_LEFT "tenantry.rows_left"

static void add_deletes(Arena *arena, PgBatch *batch, const Place *place, const PgRows *tables)
{
    place_enter_role(batch, place->owner_role, "pg_catalog");
    for (size_t i = 0; i < pg_rows_count(tables); i++) {
        pg_batch_add(batch,
                     SQL(arena, "DELETE FROM {}.{}", sql_name(arena, place->schema_name),
                         sql_name(arena, pg_rows_text(tables, i, 0))),
                     PG_NO_PARAMS);
    }
    place_leave_role(batch);
}

/* Leaves the name of a table that still has rows of the tenant in a setting. In a guard of its own,
 * which fires no trigger: so what triggers of the deletes have set is gone, and the owner may look
 * past policies for a moment. */
static void add_look(Arena *arena, PgBatch *batch, const Tenant *tenant, const PgRows *tables,
                     size_t *ret_answer)
{
    const Place *place = tenant->place;
    const SqlArg schema = sql_name(arena, place->schema_name);
    place_enter_role(batch, place->owner_role, "pg_catalog");
    for (size_t i = 0; i < pg_rows_count(tables); i++) {
        const char *name = pg_rows_text(tables, i, 0);
        const SqlArg table = sql_name(arena, name);
        const bool is_hidden = pg_rows_bool(tables, i, 1);
        if (is_hidden) {
            pg_batch_add(batch,
                         SQL(arena, "ALTER TABLE {}.{} NO FORCE ROW LEVEL SECURITY", schema, table),
                         PG_NO_PARAMS);
        }
        pg_batch_add(batch,
                     SQL(arena,
                         "SELECT set_config('" ROWS_LEFT "', {}, false) FROM {}.{}"
                         " WHERE tenant_id = {} LIMIT 1",
                         sql_literal(name), schema, table, sql_literal(tenant->id)),
                     PG_NO_PARAMS);
        if (is_hidden) {
            pg_batch_add(batch,
                         SQL(arena, "ALTER TABLE {}.{} FORCE ROW LEVEL SECURITY", schema, table),
                         PG_NO_PARAMS);
        }
    }
    *ret_answer = place_leave_role_asking(batch, ROWS_LEFT);
}

/* *ret_left: a table that has rows of the tenant afterwards, or NULL. */
static bool delete_once(JobContext *context, const Tenant *tenant, const PgRows *tables,
                        const char **ret_left, Err *err)
{
    Arena *arena = context->arena;
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    size_t answer = 0;
    add_deletes(arena, batch, tenant->place, tables);
    add_look(arena, batch, tenant, tables, &answer);
    if (!pg_batch_run(context->store->conn, batch, err)) {
        return false;
    }
    const char *left = pg_rows_text(pg_batch_rows(batch, answer), 0, 0);
    *ret_left = left == NULL || *left == '\0' ? NULL : arena_strdup(arena, left);
    return true;
}

/* Row tier: the owner of the shared place becomes this tenant for the length of the transaction, so
 * the tenant's own policies make sure that no other tenant's row can be deleted. Twice where rows
 * are left: triggers of one table may have written to another that was empty already. */
static bool delete_rows(JobContext *context, const Tenant *tenant, Err *err)
{
    Store *store = context->store;
    const Place *place = tenant->place;
    const char *left = "";
    scoped_rows PgRows *tables = NULL;
    if (!pg_query(store->conn, tables_by_dependency, PG_PARAMS(place->schema_name), &tables, err) ||
        !store_query(store, ROLE_MAP, PG_PARAMS(place->owner_role, tenant->id), NULL, err)) {
        return false;
    }
    for (int i = 0; i < DELETE_ATTEMPTS && left != NULL; i++) {
        if (!delete_once(context, tenant, tables, &left, err)) {
            return false;
        }
    }
    if (left != NULL) {
        return ERR_SET(err, ERR_PG_FAILED,
                       "its triggers, rules and policies must let the table's owner delete "
                       "(docs/blueprints.md, Purging): change them with a migration",
                       "tenant \"%s\" still has rows in table \"%s\" after they were deleted",
                       tenant->slug, left);
    }
    return store_query(store, ROLE_UNMAP_ONE, PG_PARAMS(place->owner_role), NULL, err);
}

static bool drop_schema(JobContext *context, const Tenant *tenant, Err *err)
{
    scoped_batch PgBatch *batch = pg_batch_new(context->arena);
    place_add_drop_schema(context->arena, batch, tenant->place);
    return pg_batch_run(context->store->conn, batch, err);
}

static bool drop_roles(JobContext *context, const Tenant *tenant, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, ROLE_LIST, PG_PARAMS(tenant->id), &rows, err)) {
        return false;
    }
    const size_t count = pg_rows_count(rows);
    const char **roles = ARENA_ARRAY(context->arena, const char *, count);
    for (size_t i = 0; i < count; i++) {
        roles[i] = pg_rows_text(rows, i, 0);
    }
    scoped_batch PgBatch *batch = pg_batch_new(context->arena);
    place_add_drop_roles(context->arena, batch, roles, count);
    return pg_batch_run(context->store->conn, batch, err);
}

static bool delete_registry_rows(JobContext *context, const Tenant *tenant, Err *err)
{
    Store *store = context->store;
    return store_query(store, ROLE_UNMAP, PG_PARAMS(tenant->id), NULL, err) &&
           store_query(store, ROLE_DELETE, PG_PARAMS(tenant->id), NULL, err) &&
           store_query(store, TENANT_SET_PLACE, PG_PARAMS(tenant->id, NULL), NULL, err) &&
           (!is_schema_tier(tenant) ||
            store_query(store, PLACE_DELETE, PG_PARAMS(tenant->place->id), NULL, err));
}

static bool purge(JobContext *context, Tenant *tenant, Err *err)
{
    if (!tenant_move(context->store, tenant, TENANT_PURGED, err) ||
        !(is_schema_tier(tenant) ? drop_schema(context, tenant, err)
                                 : delete_rows(context, tenant, err)) ||
        !drop_roles(context, tenant, err) || !delete_registry_rows(context, tenant, err)) {
        return false;
    }
    FAULT("tenant.purge.dropped");
    scoped_json Json *detail = json_object();
    json_put_text(detail, "slug", tenant->slug);
    return job_audit_last(context, "tenant.purge", detail, err);
}

/* All of it in one transaction: the tenant is archived and whole, or purged and gone. */
static bool step_purge(JobContext *context, Err *err)
{
    Tenant *tenant = NULL;
    if (!load_tenant(context, &tenant, err)) {
        return false;
    }
    if (!purge(context, tenant, err)) {
        const Place *place = tenant->place;
        tenants_tell_lock_holders(context->store, place == NULL ? NULL : place->schema_name,
                                  tenant->id, err);
        return false;
    }
    return true;
}

static const JobStep purge_steps[] = {
    {"purge", "Removing data, roles and secrets", JOB_STEP_TRANSACTION, step_purge},
    {0},
};
const JobKind tenant_purge_job = {.operation = "tenant.purge", .steps = purge_steps};

/* --- rotate
 * -----------------------------------------------------------------------------------------------------
 */

static bool step_rotate(JobContext *context, Err *err)
{
    Tenant *tenant = NULL;
    TenantLogin logins[TENANT_LOGINS];
    size_t count = 0;
    /* Under the tenant's lock, as each move is: another operation changes the same roles. */
    if (!load_tenant(context, &tenant, err) ||
        !store_query(context->store, TENANT_LOCK, PG_PARAMS(tenant->id), NULL, err) ||
        !load_tenant(context, &tenant, err) || !load_logins(context, tenant, logins, &count, err) ||
        !store_hold_active_key(context->store, err)) {
        return false;
    }
    if (count == 0) {
        return ERR_SET(err, ERR_TENANT_STATE, NULL, "tenant \"%s\" is %s and has no logins",
                       tenant->slug, tenant->state);
    }
    scoped_batch PgBatch *batch = pg_batch_new(context->arena);
    for (size_t i = 0; i < count; i++) {
        LoginSecret secret;
        const SecretBinding binding = login_binding(tenant->id, logins[i].role);
        if (!login_new_secret(context->arena, context->store, &binding, &secret, err)) {
            return false;
        }
        pg_batch_add(batch,
                     SQL(context->arena, "ALTER ROLE {} PASSWORD {}",
                         sql_name(context->arena, logins[i].role), sql_literal(secret.verifier)),
                     PG_NO_PARAMS);
        store_batch(
            batch, CREDENTIAL_PUT,
            PG_PARAMS(logins[i].role, tenant->id, context->store->active_key_id, secret.sealed));
    }
    if (!pg_batch_run(context->store->conn, batch, err)) {
        if (is_role_contended(err)) {
            err_hint(err, "should its sessions change their own roles: tenantry tenant suspend %s",
                     tenant->slug);
        }
        return false;
    }
    scoped_json Json *detail = json_object();
    json_put_text(detail, "slug", tenant->slug);
    return job_audit(context, "tenant.rotate", detail, err);
}

static const JobStep rotate_steps[] = {
    {"rotate", "Making new passwords", JOB_STEP_TRANSACTION, step_rotate},
    {0},
};
const JobKind tenant_rotate_job = {.operation = "tenant.rotate", .steps = rotate_steps};
