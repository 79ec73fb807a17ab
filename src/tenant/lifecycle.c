/* Whether a tenant may work: suspend, resume, archive. */
#include <inttypes.h>
#include <string.h>

#include "blueprint/place.h"
#include "core/array.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/strbuf.h"
#include "pg/sql.h"
#include "pg/text_array.h"
#include "tenant/lifecycle_parts.h"
#include "tenant/login.h"
#include "tenant/state.h"

enum { BLOCK_ATTEMPTS = 20 };
enum { DRAIN_POLL_MS = 50, SESSIONS_GONE_CHECKS = 2, END_SESSIONS_MS = 10000 };

bool lifecycle_load(JobContext *context, Tenant **ret_tenant, Err *err)
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

bool lifecycle_logins(JobContext *context, const Tenant *tenant, TenantLogin logins[TENANT_LOGINS],
                      size_t *ret_count, Err *err)
{
    size_t count = 0;
    if (!tenant_logins(context->arena, context->store, tenant, false, logins, &count, err)) {
        return false;
    }
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!logins[i].is_gone) {
            logins[(*ret_count)++] = logins[i];
        }
    }
    return true;
}

/* ret_rows: name, and how it is called now. */
static bool find_gone(JobContext *context, const Tenant *tenant, PgRows **ret_rows, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, ROLE_GONE, PG_PARAMS(tenant->id), &rows, err)) {
        return false;
    }
    const char *now = pg_rows_count(rows) == 0 ? NULL : pg_rows_text(rows, 0, 1);
    if (now != NULL) {
        const char *name = pg_rows_text(rows, 0, 0);
        ERR_SET(err, ERR_ROLE_GONE, NULL, "role \"%s\" of tenant \"%s\" is called \"%s\" now", name,
                tenant->slug, now);
        err_hint(err, "%s",
                 SQL(context->arena, "as a superuser: ALTER ROLE {} RENAME TO {}",
                     sql_name(context->arena, now), sql_name(context->arena, name)));
        return false;
    }
    *ret_rows = rows;
    rows = NULL;
    return true;
}

bool lifecycle_need_roles(JobContext *context, const Tenant *tenant, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!find_gone(context, tenant, &rows, err)) {
        return false;
    }
    return pg_rows_count(rows) == 0 ||
           ERR_SET(err, ERR_ROLE_GONE,
                   "make it again (docs/operations.md, When a role is gone); suspend, archive and "
                   "purge work without it",
                   "role \"%s\" of tenant \"%s\" is gone", pg_rows_text(rows, 0, 0), tenant->slug);
}

bool lifecycle_note_gone(JobContext *context, const Tenant *tenant, Json *detail, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!find_gone(context, tenant, &rows, err)) {
        return false;
    }
    StrBuf names = strbuf_init(context->arena);
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const char *name = pg_rows_text(rows, i, 0);
        log_warn("role.gone", "role \"%s\" of tenant \"%s\" is gone; done without it", name,
                 tenant->slug);
        strbuf_printf(&names, "%s%s", i == 0 ? "" : ", ", name);
    }
    if (names.length > 0) {
        json_put_text(detail, "missing_roles", names.text);
    }
    return true;
}

static const char *role_list(Arena *arena, const TenantLogin *logins, size_t count)
{
    PgArray roles = pg_array_init(arena);
    for (size_t i = 0; i < count; i++) {
        pg_array_add(&roles, logins[i].role);
    }
    return pg_array_end(&roles);
}

/* With post_auth_delay a session sleeps between the check of LOGIN and its row of pg_stat_activity.
 * Meanwhile it has a lock, as each has that begins, and nothing says whose it is: but a role can
 * end no other's. What was told to end does so when it wakes, before it reads a statement. */
static const char end_hidden_sessions[] =
    "DO $end$ DECLARE one integer; BEGIN SET LOCAL ROLE {};"
    " FOR one IN SELECT l.pid FROM pg_locks l WHERE l.classid = 'pg_database'::regclass"
    "  AND NOT EXISTS"
    "   (SELECT FROM pg_stat_activity a WHERE a.pid = l.pid AND a.usesysid IS NOT NULL)"
    " LOOP BEGIN PERFORM pg_terminate_backend(one);"
    "  EXCEPTION WHEN insufficient_privilege THEN NULL; END;"
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

bool lifecycle_is_contended(const Err *err)
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
        if (!lifecycle_is_contended(err) ||
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
    if (!lifecycle_logins(context, tenant, logins, &count, err)) {
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

bool lifecycle_is_schema_tier(const Tenant *tenant)
{
    return strcmp(tenant->tier, tier_name(TIER_SCHEMA)) == 0;
}

/* Schema tier: whether the logins may name what is in the schema, done by its owner in the guard
 * that stays, which a rollout of the place at the same moment does not touch. Where a person has
 * dropped the schema there is nothing to lock, and nobody to do it where its owner is gone. */
static bool switch_schema(JobContext *context, const Place *place, bool is_open, Err *err)
{
    Arena *arena = context->arena;
    PlaceRemains remains;
    if (!places_find_remains(context->store, place, &remains, err)) {
        return false;
    }
    if (!remains.has_schema || !remains.has_owner) {
        return true;
    }
    const char *const roles[] = {remains.has_app ? place->app_role : NULL,
                                 remains.has_readonly ? place->readonly_role : NULL};
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    place_enter_owner(batch, place, "pg_catalog");
    for (size_t i = 0; i < ARRAY_COUNT(roles); i++) {
        if (roles[i] != NULL) {
            pg_batch_add(
                batch,
                SQL(arena,
                    is_open ? "GRANT USAGE ON SCHEMA {} TO {}" : "REVOKE ALL ON SCHEMA {} FROM {}",
                    sql_name(arena, place->schema_name), sql_name(arena, roles[i])),
                PG_NO_PARAMS);
        }
    }
    place_leave_role(batch);
    return pg_batch_run(context->store->conn, batch, err);
}

/* Takes the logins off the tenant's data, or lets them at it again: what sessions there are beyond
 * NOLOGIN can do nothing. In the row tier the logins map to no tenant meanwhile. */
static bool switch_data(JobContext *context, const Tenant *tenant, bool is_open, Err *err)
{
    return lifecycle_is_schema_tier(tenant)
               ? switch_schema(context, tenant->place, is_open, err)
               : store_query(context->store, is_open ? ROLE_REMAP : ROLE_UNMAP,
                             PG_PARAMS(tenant->id), NULL, err);
}

/* Moves, switches the logins and audits: what most operations begin with. */
static bool move_and_switch(JobContext *context, TenantState to, bool may_login, const char *action,
                            Tenant **ret_tenant, Err *err)
{
    Tenant *tenant = NULL;
    if (!lifecycle_load(context, &tenant, err)) {
        return false;
    }
    scoped_json Json *detail = json_object();
    json_put_text(detail, "slug", tenant->slug);
    json_put_text(detail, "from", tenant->state);
    if (!tenant_move(context->store, tenant, to, err) ||
        !(may_login ? lifecycle_need_roles(context, tenant, err)
                    : lifecycle_note_gone(context, tenant, detail, err))) {
        return false;
    }
    if (!switch_logins(context, tenant, may_login, err)) {
        if (lifecycle_is_contended(err)) {
            tenants_tell_prepared(context->store, tenant, err);
        }
        return false;
    }
    *ret_tenant = tenant;
    return job_audit(context, action, detail, err);
}

/* --- sessions --------------------------------------------------------------------------------- */

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
 * may be resumed long after its tenant was: then the sessions are not its to end any more. What
 * they have prepared outlives them. */
static bool end_sessions(JobContext *context, const Tenant *tenant, const TenantLogin *logins,
                         size_t count, TenantState state, Err *err)
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
    return tenants_refuse_prepared(context->store, tenant, context->job_id, err);
}

static bool step_end_sessions(JobContext *context, Err *err)
{
    Tenant *tenant = NULL;
    TenantLogin logins[TENANT_LOGINS];
    size_t count = 0;
    return lifecycle_load(context, &tenant, err) &&
           lifecycle_logins(context, tenant, logins, &count, err) &&
           end_sessions(context, tenant, logins, count, TENANT_SUSPENDED, err);
}

/* --- suspend, resume -------------------------------------------------------------------------- */

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

/* --- archive ---------------------------------------------------------------------------------- */

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
    if (!lifecycle_load(context, &tenant, err) ||
        !lifecycle_logins(context, tenant, logins, &count, err)) {
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
    return end_sessions(context, tenant, logins, count, TENANT_DRAINING, err);
}

/* Takes the tenant's roles off its data; in the row tier they map to no tenant afterwards. */
static bool step_lock_data(JobContext *context, Err *err)
{
    Tenant *tenant = NULL;
    if (!lifecycle_load(context, &tenant, err) ||
        !tenant_move(context->store, tenant, TENANT_ARCHIVED, err) ||
        !store_query(context->store, ROLE_UNMAP, PG_PARAMS(tenant->id), NULL, err) ||
        (lifecycle_is_schema_tier(tenant) && !switch_schema(context, tenant->place, false, err))) {
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
