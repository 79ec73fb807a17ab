/* Reserving a slug: the row of the tenant to be. */
#include <string.h>

#include "core/clock.h"
#include "tenant/create_parts.h"

/* The slug is taken: by a tenant, or by a create that was interrupted and can be finished. */
static bool fail_taken(JobContext *context, const Tenant *tenant, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    Err ignored;
    ERR_SET(err, ERR_SLUG_TAKEN, "choose another slug", "the slug \"%s\" is taken by a tenant",
            tenant->slug);
    if (strcmp(tenant->state, "requested") == 0 &&
        store_query(context->store, JOB_OPEN_FOR_TENANT, PG_PARAMS(tenant->id), &rows, &ignored) &&
        pg_rows_count(rows) == 1) {
        err_hint(err,
                 "job %s is creating it; if that was interrupted: tenantry job resume %s, or "
                 "tenantry job cancel %s",
                 pg_rows_text(rows, 0, 0), pg_rows_text(rows, 0, 0), pg_rows_text(rows, 0, 0));
    }
    return false;
}

/* How long a create waits for another one of its slug: mostly it is done in this time, and where
 * its process was killed the server has noticed. */
enum { ADD_WAIT_MS = 1000, ADD_POLL_MS = 20 };

/* Those of TENANT_ADD. */
static PgParams add_params(JobContext *context, const Create *create, const Tenant *tenant,
                           const char *lock)
{
    return pg_params_copy(context->arena,
                          PG_PARAMS(tenant->id, tenant->slug, tenant->name, create->blueprint->name,
                                    create->plan->name, tier_name(create->tier), lock));
}

/* What its lock is made from: not for tenants to know, so that none holds it beforehand. */
static const char *slug_lock(JobContext *context, const char *slug)
{
    return arena_printf(context->arena, "%s %s", context->store->installation_id, slug);
}

void slug_expect(JobContext *context, const Create *create, const Tenant *tenant, PgBatch *batch)
{
    store_batch(batch, TENANT_ADD,
                add_params(context, create, tenant, slug_lock(context, tenant->slug)));
}

bool slug_fail_add(const Create *create, Err *err)
{
    static const char foreign_key_violation[] = "23503";
    if (strcmp(err->sqlstate, foreign_key_violation) == 0) {
        ERR_SET(err, ERR_CONFLICT, "try again",
                "blueprint \"%s\" dropped the plan \"%s\" meanwhile", create->blueprint->name,
                create->plan->name);
    }
    return false;
}

/* One try; *ret_is_added is false when the slug is taken, or another session has its lock. Whoever
 * does not take the lock waits here for one that has added the slug and not committed. */
static bool try_add(JobContext *context, const Create *create, const Tenant *tenant,
                    const char *lock, bool *ret_is_added, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, TENANT_ADD, add_params(context, create, tenant, lock), &rows,
                     err)) {
        return slug_fail_add(create, err);
    }
    *ret_is_added = pg_rows_affected(rows) == 1;
    return true;
}

static bool check_holder(JobContext *context, const Tenant *tenant, Err *err)
{
    Tenant *holder = NULL;
    return tenants_find(context->arena, context->store, tenant->slug, &holder, err) &&
           (holder == NULL || fail_taken(context, holder, err));
}

/* Another session has the lock. *ret_is_ours is false when a stranger has it, which means nothing;
 * when it is one of ours that goes on for too long, this fails. */
static bool check_adder(JobContext *context, const Tenant *tenant, const char *lock,
                        int64_t waited_ms, bool *ret_is_ours, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(context->store, TENANT_ADDER, PG_PARAMS(lock), &rows, err)) {
        return false;
    }
    *ret_is_ours = pg_rows_count(rows) == 0 || pg_rows_bool(rows, 0, 1);
    if (pg_rows_count(rows) == 0 || !*ret_is_ours || waited_ms < ADD_WAIT_MS) {
        return true;
    }
    ERR_SET(err, ERR_SLUG_TAKEN, NULL,
            "the slug \"%s\" is being taken by another create, which began %s s ago", tenant->slug,
            pg_rows_text(rows, 0, 2));
    err_hint(err,
             "wait for it and look with \"tenantry tenant show %s\"; its server process is %s, and "
             "when that ends the slug is free",
             tenant->slug, pg_rows_text(rows, 0, 0));
    return false;
}

bool slug_reserve(JobContext *context, const Create *create, const Tenant *tenant, Err *err)
{
    const char *lock = slug_lock(context, tenant->slug);
    bool is_ours = true;
    for (int64_t waited_ms = 0;; waited_ms += ADD_POLL_MS) {
        bool is_added = false;
        if (!try_add(context, create, tenant, is_ours ? lock : NULL, &is_added, err)) {
            return false;
        }
        if (is_added) {
            return true;
        }
        if (!check_holder(context, tenant, err) ||
            !check_adder(context, tenant, lock, waited_ms, &is_ours, err)) {
            return false;
        }
        clock_sleep_ms(ADD_POLL_MS);
    }
}
