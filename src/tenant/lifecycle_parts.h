/* What the files about a tenant's life after it was made share. */
#ifndef TENANTRY_TENANT_LIFECYCLE_PARTS_H
#define TENANTRY_TENANT_LIFECYCLE_PARTS_H

#include "tenant/tenant.h"

/* The job's tenant: by id once the job has one, so that a slug that changed hands cannot mislead a
 * resumed job. Blocks. */
bool lifecycle_load(JobContext *context, Tenant **ret_tenant, Err *err);

/* Its logins whose roles are there, without their passwords. Blocks. */
bool lifecycle_logins(JobContext *context, const Tenant *tenant, TenantLogin logins[TENANT_LOGINS],
                      size_t *ret_count, Err *err);

/* Roles of the tenant that a person dropped. need_roles refuses (ERR_ROLE_GONE); note_gone tells
 * the log and the detail of an audit entry, for what can be done without them. A role that was
 * renamed still has its password and its rights: both refuse. Block. */
bool lifecycle_need_roles(JobContext *context, const Tenant *tenant, Err *err);
bool lifecycle_note_gone(JobContext *context, const Tenant *tenant, Json *detail, Err *err);

bool lifecycle_is_schema_tier(const Tenant *tenant);

/* Whether a change of a role failed for another change of it: a tenant can hold a lock on its own
 * role (ALTER ROLE CURRENT_USER ...) to keep us from blocking it, or change it each time that we
 * are about to. */
bool lifecycle_is_contended(const Err *err);

#endif
