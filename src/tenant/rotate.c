/* tenant.rotate: new passwords for a tenant's logins. */
#include "pg/sql.h"
#include "tenant/lifecycle_parts.h"
#include "tenant/login.h"

static bool step_rotate(JobContext *context, Err *err)
{
    Tenant *tenant = NULL;
    TenantLogin logins[TENANT_LOGINS];
    size_t count = 0;
    /* Under the tenant's lock, as each move is: another operation changes the same roles. */
    if (!lifecycle_load(context, &tenant, err) ||
        !store_query(context->store, TENANT_LOCK, PG_PARAMS(tenant->id), NULL, err) ||
        !lifecycle_load(context, &tenant, err) || !lifecycle_need_roles(context, tenant, err) ||
        !lifecycle_logins(context, tenant, logins, &count, err) ||
        !store_hold_active_key(context->store, err)) {
        return false;
    }
    if (count == 0) {
        return ERR_SET(err, ERR_TENANT_STATE,
                       "it gets them when it becomes active: see \"tenantry job list\"",
                       "tenant \"%s\" is %s and has no logins", tenant->slug, tenant->state);
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
        if (lifecycle_is_contended(err)) {
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
