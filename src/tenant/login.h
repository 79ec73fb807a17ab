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

/* The names of the settings that plans may give, as a text[]. */
const char *login_plan_settings(Arena *arena);

/* The two logins of a new tenant: their roles are STEM_app and STEM_ro. */
enum { LOGIN_APP, LOGIN_READONLY, LOGIN_COUNT_ };
typedef struct LoginPair {
    const char *stem; /* tenant_<12 hex> */
    const char *roles[LOGIN_COUNT_];
    bool is_ready;                    /* the roles were made ahead, with their passwords */
    const char *sealed[LOGIN_COUNT_]; /* once ready: for the tenant, as bytea text */
} LoginPair;

/* Names a new pair. */
bool login_name_pair(Arena *arena, LoginPair *ret_pair, Err *err);

/* "app", "readonly" */
const char *login_kind(int login);

/* Takes a pair that was made ahead, within the caller's transaction, and seals its passwords for
 * the tenant; names a new pair when there is none, or gives it up and names a new one when
 * its passwords were changed. The active key is held (store_hold_active_key). */
bool login_claim_pair(Arena *arena, Store *store, const char *tenant_id, LoginPair *ret_pair,
                      Err *err);

/* Opens a sealed text and seals it with another key, for another row, or both. */
typedef struct Sealed {
    const char *key_id;
    SecretBinding binding;
    const char *text; /* bytea text */
} Sealed;
bool login_reseal(Arena *arena, Store *store, const Sealed *old, const char *key_id,
                  const SecretBinding *binding, const char **ret_text, Err *err);

/* New passwords, verifiers and sealed forms for both logins: the slow part (PBKDF2), no database
 * needed. */
typedef struct LoginSecret {
    char verifier[SECRET_VERIFIER_SIZE];
    const char *sealed; /* bytea text */
} LoginSecret;

bool login_new_secret(Arena *arena, Store *store, const SecretBinding *binding,
                      LoginSecret *ret_secret, Err *err);

/* What the sealed password of a tenant's login is bound to. */
SecretBinding login_binding(const char *tenant_id, const char *role);

/* Adds: ALTER ROLE ... LOGIN PASSWORD verifier. */
void login_add_password(Arena *arena, PgBatch *batch, const char *role, const LoginSecret *secret);

/* Adds what every login of a place has: search_path, and read-only transactions where it is for
 * reading. */
void login_add_base(Arena *arena, PgBatch *batch, const char *role, bool is_readonly,
                    const char *search_path);

/* Adds what gives a tenant's logins their search_path again, and what its plan gives as the newest
 * version of the blueprint has it. Takes away what else a role may set for itself of what plans
 * give, and of what isolation hangs on: nobody could be let in again who did so. Its other settings
 * stay. A role that a person made again is known by its new number from now on. */
bool login_add_restore(Arena *arena, Store *store, PgBatch *batch, const Tenant *tenant,
                       const TenantLogin *logins, size_t count, Err *err);

/* Adds what a login has from the plan: its connection limit and settings. */
void login_add_plan(Arena *arena, PgBatch *batch, const char *role, bool is_readonly,
                    const LoginLimits *limits, bool may_login);

/* Adds the registry rows of both logins: roles, credentials, map. */
void login_add_rows(Store *store, PgBatch *batch, const char *tenant_id, const LoginPair *logins);

/* Adds ALTER ROLE ... LOGIN or NOLOGIN for both logins of a tenant. */
void login_add_switch(Arena *arena, PgBatch *batch, const TenantLogin *logins, size_t count,
                      bool may_login);

#endif
