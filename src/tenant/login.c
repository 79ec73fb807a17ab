#include "tenant/login.h"

#include <string.h>

#include "blueprint/registry.h"
#include "blueprint/setting.h"
#include "core/limits.h"
#include "core/text.h"
#include "pg/sql.h"
#include "pg/text_array.h"

LoginLimits login_limits(const BlueprintPlan *plan)
{
    const BlueprintLimit *limit = blueprint_find_limit(plan, "max_connections");
    const int64_t readonly = limit->value / 5 > 0 ? limit->value / 5 : 1;
    return (LoginLimits){
        .app_connections = limit->value - readonly, .readonly_connections = readonly, .plan = plan};
}

const char *login_plan_settings(Arena *arena)
{
    size_t count = 0;
    const char *const *names = setting_names(&count);
    return pg_array_of(arena, names, count);
}

const char *login_kind(int login)
{
    static const char *const kinds[LOGIN_COUNT_] = {
        [LOGIN_APP] = "app", [LOGIN_READONLY] = "readonly"};
    return kinds[login];
}

SecretBinding login_binding(const char *tenant_id, const char *role)
{
    return (SecretBinding){.tenant_id = tenant_id, .table = "credentials", .row = role};
}

bool login_new_secret(Arena *arena, Store *store, const SecretBinding *binding,
                      LoginSecret *ret_secret, Err *err)
{
    scoped_password Password *password = NULL;
    uint8_t *sealed = NULL;
    size_t length = 0;
    if (!store_need_keys(store, err) || !password_new(&password, err) ||
        !password_scram_verifier(password, ret_secret->verifier, err) ||
        !secret_seal(arena, store->keyring, store->active_key_id, binding, password->text,
                     strlen(password->text), &sealed, &length, err)) {
        return false;
    }
    ret_secret->sealed = pg_bytea_to_text(arena, sealed, length);
    return true;
}

void login_add_password(Arena *arena, PgBatch *batch, const char *role, const LoginSecret *secret)
{
    pg_batch_add(batch,
                 SQL(arena, "ALTER ROLE {} LOGIN PASSWORD {}", sql_name(arena, role),
                     sql_literal(secret->verifier)),
                 PG_NO_PARAMS);
}

void login_add_base(Arena *arena, PgBatch *batch, const char *role, bool is_readonly,
                    const char *search_path)
{
    const SqlArg name = sql_name(arena, role);
    /* search_path is a list of quoted identifiers already: place_search_path made it. */
    pg_batch_add(batch,
                 arena_printf(arena, "%s%s", SQL(arena, "ALTER ROLE {} SET search_path = ", name),
                              search_path),
                 PG_NO_PARAMS);
    if (is_readonly) {
        pg_batch_add(batch,
                     SQL(arena, "ALTER ROLE {} SET default_transaction_read_only = on", name),
                     PG_NO_PARAMS);
    }
}

/* Adds RESET of every setting in rows, as LOGIN_SETTINGS has them. */
static void add_resets(Arena *arena, PgBatch *batch, const PgRows *rows)
{
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const SqlArg role = sql_name(arena, pg_rows_text(rows, i, 0));
        const SqlArg setting = sql_name(arena, pg_rows_text(rows, i, 1));
        const SqlArg database = sql_name(arena, pg_rows_text(rows, i, 3));
        pg_batch_add(batch,
                     pg_rows_bool(rows, i, 2) ? SQL(arena, "ALTER ROLE {} IN DATABASE {} RESET {}",
                                                    role, database, setting)
                                              : SQL(arena, "ALTER ROLE {} RESET {}", role, setting),
                     PG_NO_PARAMS);
    }
}

bool login_add_restore(Arena *arena, Store *store, PgBatch *batch, const Tenant *tenant,
                       const TenantLogin *logins, size_t count, Err *err)
{
    Blueprint *blueprint = NULL;
    Extensions extensions = {0};
    scoped_rows PgRows *rows = NULL;
    if (!registry_get_head(arena, store, tenant->blueprint, &blueprint, err) ||
        !registry_find_extensions(arena, store, blueprint, &extensions, err) ||
        !store_query(store, LOGIN_SETTINGS, PG_PARAMS(tenant->id, login_plan_settings(arena)),
                     &rows, err)) {
        return false;
    }
    /* A blueprint keeps a plan that tenants use. */
    const LoginLimits limits = login_limits(blueprint_find_plan(blueprint, tenant->plan));
    const char *search_path = place_search_path(arena, &extensions, tenant->place);
    add_resets(arena, batch, rows);
    store_batch(batch, ROLE_RENUMBER, PG_PARAMS(tenant->id));
    for (size_t i = 0; i < count; i++) {
        const bool is_readonly = strcmp(logins[i].kind, login_kind(LOGIN_READONLY)) == 0;
        login_add_plan(arena, batch, logins[i].role, is_readonly, &limits, false);
        login_add_base(arena, batch, logins[i].role, is_readonly, search_path);
    }
    return true;
}

void login_add_plan(Arena *arena, PgBatch *batch, const char *role, bool is_readonly,
                    const LoginLimits *limits, bool may_login)
{
    const SqlArg name = sql_name(arena, role);
    pg_batch_add(batch,
                 SQL(arena,
                     may_login ? "ALTER ROLE {} LOGIN CONNECTION LIMIT {}"
                               : "ALTER ROLE {} CONNECTION LIMIT {}",
                     name,
                     sql_int(is_readonly ? limits->readonly_connections : limits->app_connections)),
                 PG_NO_PARAMS);
    for (size_t i = 0; i < limits->plan->setting_count; i++) {
        const BlueprintSetting *setting = &limits->plan->settings[i];
        pg_batch_add(batch,
                     SQL(arena, "ALTER ROLE {} SET {} = {}", name, sql_name(arena, setting->name),
                         sql_literal(setting->value)),
                     PG_NO_PARAMS);
    }
}

void login_add_rows(Store *store, PgBatch *batch, const char *tenant_id, const LoginPair *logins)
{
    const char *app = logins->roles[LOGIN_APP];
    const char *readonly = logins->roles[LOGIN_READONLY];
    store_batch(batch, ROLE_ADD_PAIR,
                PG_PARAMS(tenant_id, store->active_key_id, app, login_kind(LOGIN_APP),
                          logins->sealed[LOGIN_APP], readonly, login_kind(LOGIN_READONLY),
                          logins->sealed[LOGIN_READONLY]));
    store_batch(batch, ROLE_MAP_PAIR, PG_PARAMS(tenant_id, app, readonly));
}

void login_add_switch(Arena *arena, PgBatch *batch, const TenantLogin *logins, size_t count,
                      bool may_login)
{
    for (size_t i = 0; i < count; i++) {
        pg_batch_add(batch,
                     SQL(arena, may_login ? "ALTER ROLE {} LOGIN" : "ALTER ROLE {} NOLOGIN",
                         sql_name(arena, logins[i].role)),
                     PG_NO_PARAMS);
    }
}

/* Whose password does not open can have another one; the key that is missing is another matter. */
static bool fail_open(const Tenant *tenant, const char *role, Err *err)
{
    if (err->code == ERR_SECRET_CORRUPT) {
        err_hint(
            err,
            "restore the row from a backup, or give both logins new passwords: tenantry tenant "
            "rotate %s",
            tenant->slug);
    }
    return err_prefix(err, "the password of role \"%s\"", role);
}

static bool open_password(Arena *arena, Store *store, const Tenant *tenant, const PgRows *rows,
                          size_t row, Password **ret_password, Err *err)
{
    const char *role = pg_rows_text(rows, row, 0);
    const SecretBinding binding = login_binding(tenant->id, role);
    size_t length = 0;
    size_t plain_length = 0;
    uint8_t *plain = NULL;
    const uint8_t *sealed = pg_bytea_from_text(arena, pg_rows_text(rows, row, 2), &length);
    if (!store_find_key(store, pg_rows_text(rows, row, 1), err)) {
        return false;
    }
    if (!secret_open(store->keyring, pg_rows_text(rows, row, 1), &binding, sealed, length, &plain,
                     &plain_length, err)) {
        return fail_open(tenant, role, err);
    }
    const bool is_made = password_from_text((const char *)plain, ret_password, err);
    secret_free(plain, plain_length);
    return is_made;
}

bool tenant_logins(Arena *arena, Store *store, const Tenant *tenant, bool with_passwords,
                   TenantLogin ret_logins[TENANT_LOGINS], size_t *ret_count, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    *ret_count = 0;
    if ((with_passwords && !store_need_keys(store, err)) ||
        !store_query(store, CREDENTIAL_GET, PG_PARAMS(tenant->id), &rows, err)) {
        return false;
    }
    for (size_t i = 0; i < pg_rows_count(rows) && i < TENANT_LOGINS; i++) {
        TenantLogin *login = &ret_logins[*ret_count];
        *login = (TenantLogin){.role = arena_strdup(arena, pg_rows_text(rows, i, 0)),
                               .kind = arena_strdup(arena, pg_rows_text(rows, i, 3)),
                               .is_gone = !pg_rows_bool(rows, i, 4)};
        if (with_passwords &&
            !open_password(arena, store, tenant, rows, i, &login->password, err)) {
            for (size_t j = 0; j < *ret_count; j++) {
                ret_logins[j].password = password_free(ret_logins[j].password);
            }
            return false;
        }
        (*ret_count)++;
    }
    return true;
}

bool tenant_check_name(const char *name, Err *err)
{
    size_t chars = 0;
    static const char rule[] = "a name has 1 to 200 characters of UTF-8, none of them a control, "
                               "direction or invisible character, and not only spaces";
    if (!text_is_utf8(name, strlen(name), &chars) || chars == 0 || chars > LIMIT_NAME_MAX_CHARS ||
        strspn(name, " ") == strlen(name) || text_has_control(name)) {
        return ERR_SET(err, ERR_INPUT_INVALID, rule, "name: this is not a name for a tenant");
    }
    return true;
}
