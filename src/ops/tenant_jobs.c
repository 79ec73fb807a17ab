/* Jobs that compose what modules do which know nothing of each other: a tenant is made or let in
 * again, and in the same transaction isolation is checked, so that one that is not isolated never
 * becomes active. */
#include "isolation/isolation.h"
#include "ops/context.h"
#include "tenant/tenant.h"

/* The questions about a place that was there travel with what makes the tenant. */
static bool join_place(JobContext *context, PgBatch *batch, Err *err)
{
    IsolationJoin join;
    if (!isolation_add_join(context->arena, batch, context->tenant_id, &join, err)) {
        return pg_batch_abandon(context->store->conn, batch);
    }
    return isolation_require_join(context->arena, context->store, batch, &join, err) &&
           tenant_create_finish(context, batch, err);
}

static bool make_place(JobContext *context, PgBatch *batch, Err *err)
{
    return pg_batch_run(context->store->conn, batch, err) &&
           tenant_create_finish(context, batch, err) &&
           isolation_require_made(context->arena, context->store, context->tenant_id, err);
}

static bool step_provision(JobContext *context, Err *err)
{
    bool is_made = false;
    scoped_batch PgBatch *batch = pg_batch_new(context->arena);
    return tenant_create_provision(context, batch, &is_made, err) &&
           (is_made ? make_place : join_place)(context, batch, err);
}

static const JobStep create_steps[] = {
    {"reserve", "Reserving the slug", JOB_STEP_TRANSACTION, tenant_create_reserve},
    {"ground", "Preparing what tenants of the blueprint share", JOB_STEP_TRANSACTION,
     tenant_create_ground, tenant_create_joins},
    {"provision", "Making the tenant's place and logins", JOB_STEP_TRANSACTION, step_provision,
     tenant_create_joins},
    {0},
};

const JobKind tenant_create_job = {.operation = "tenant.create",
                                   .steps = create_steps,
                                   .expect = tenant_create_expect,
                                   .undo = tenant_create_undo};

static bool step_unlock(JobContext *context, Err *err)
{
    return tenant_resume_unlock(context, err) &&
           isolation_require(context->arena, context->store, context->tenant_id, err);
}

static const JobStep resume_steps[] = {
    {"unlock", "Allowing logins", JOB_STEP_TRANSACTION, step_unlock},
    {0},
};

const JobKind tenant_resume_job = {.operation = "tenant.resume", .steps = resume_steps};
