/* Tenants: made, suspended, resumed, archived, purged; their logins and passwords.
 *
 * Each operation is a kind of job (job/job.h). In the row tier a tenant is two login roles that are
 * members of the shared place's groups, and rows of the map that its policies read; in the schema
 * tier it is a place of its own. */
#ifndef TENANTRY_TENANT_TENANT_H
#define TENANTRY_TENANT_TENANT_H

#include "blueprint/blueprint.h"
#include "job/job.h"
#include "secret/secret.h"
#include "store/tenants.h"

/* Jobs. Arguments: create {slug, name, blueprint, plan, tier}; suspend, resume, rotate {slug};
 * archive {slug, drain-timeout (ms)}; purge {slug}. */
extern const JobKind tenant_suspend_job;
extern const JobKind tenant_archive_job;
extern const JobKind tenant_purge_job;
extern const JobKind tenant_rotate_job;

/* Whether a job that makes a tenant takes a schema that is there (tenant/adopt.h). */
bool tenant_is_adopted(const JobContext *context);

/* Steps of create and resume, which ops puts together with the check of isolation that both end
 * with. All are transactional. */
void tenant_create_expect(const JobContext *context, PgBatch *batch); /* JobKind.expect */
bool tenant_create_reserve(JobContext *context, Err *err);
bool tenant_create_ground(JobContext *context, Err *err);
bool tenant_create_undo(JobContext *context, Err *err);

/* The step "provision": the first adds all that makes the tenant to the batch, which the caller
 * runs before the second. *ret_is_made: it gets a place of its own, not a spare or a shared one.
 * ERR_CONFLICT when its place was brought to another version meanwhile. */
bool tenant_create_provision(JobContext *context, PgBatch *batch, bool *ret_is_made, Err *err);
bool tenant_create_finish(JobContext *context, const PgBatch *batch, Err *err);

/* Whether the steps of a create are short: its place is there, a spare or a shared one. */
bool tenant_create_joins(JobContext *context, bool *ret_joins, Err *err);
bool tenant_resume_unlock(JobContext *context, Err *err);

/* A login of a tenant and, when asked for, its password. */
typedef struct TenantLogin {
    const char *kind; /* "app" or "readonly" */
    const char *role;
    bool is_gone;       /* a person dropped or renamed the role */
    Password *password; /* NULL unless opened; free with password_free */
} TenantLogin;

enum { TENANT_LOGINS = 2 };

/* The logins of a tenant; with_passwords opens the sealed ones (ERR_KEY_MISSING, ERR_KEY_WRONG,
 * ERR_SECRET_CORRUPT). A tenant that was purged, or is not provisioned yet, has none: *ret_count is
 * 0. */
bool tenant_logins(Arena *arena, Store *store, const Tenant *tenant, bool with_passwords,
                   TenantLogin ret_logins[TENANT_LOGINS], size_t *ret_count, Err *err);

/* Puts what the tenant's logins have in place of what its plan says: "max_connections" of "limits",
 * "settings"; and the two where they differ as "differences", which are new connection limits and
 * settings of the plan since the logins got theirs, or what somebody changed in them. Without
 * logins there are none. Blocks. */
bool tenant_put_in_force(Arena *arena, Store *store, const Tenant *tenant, Json *answer, Err *err);

/* Checks a display name: 1 to 200 characters of UTF-8, no control characters, not only spaces. */
bool tenant_check_name(const char *name, Err *err);

/* Seals every credential and secret that is not under the key `key_id` again, at most one page
 * (500) of them, within the caller's transaction; *ret_done is how many. */
bool tenant_reseal_page(Arena *arena, Store *store, const char *key_id, int64_t *ret_done,
                        Err *err);

#endif
