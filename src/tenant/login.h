/* Login roles and their passwords; shared by the files of this module. */
#ifndef TENANTRY_TENANT_LOGIN_H
#define TENANTRY_TENANT_LOGIN_H

#include "blueprint/place.h"
#include "tenant/tenant.h"

/* What a login gets from the plan. The connections of the plan are divided: a fifth, at least one,
 * for reading. */
typedef struct LoginLimits {
    int64_t app_connections;
    int64_t readonly_connections;
    const BlueprintPlan *plan;
} LoginLimits;

LoginLimits login_limits(const BlueprintPlan *plan);

/* New passwords, verifiers and sealed forms for both logins: the slow part (PBKDF2), no database
 * needed. */
typedef struct LoginSecret {
    char verifier[SECRET_VERIFIER_SIZE];
    const char *sealed; /* bytea text */
} LoginSecret;

bool login_new_secret(Arena *arena, Store *store, const char *tenant_id, const char *role,
                      LoginSecret *ret_secret, Err *err);

/* Adds: ALTER ROLE ... LOGIN PASSWORD verifier. */
void login_add_password(Arena *arena, PgBatch *batch, const char *role, const LoginSecret *secret);

/* Adds the connection limit, search_path and settings of one login. */
void login_add_settings(Arena *arena, PgBatch *batch, const char *role, bool is_readonly,
                        const LoginLimits *limits, const char *search_path);

/* Adds the registry rows of a login: role, credential, map. */
void login_add_rows(Store *store, PgBatch *batch, const char *tenant_id, const char *kind,
                    const char *role, const LoginSecret *secret);

/* Adds ALTER ROLE ... LOGIN or NOLOGIN for both logins of a tenant. */
void login_add_switch(Arena *arena, PgBatch *batch, const TenantLogin *logins, size_t count,
                      bool may_login);

#endif
