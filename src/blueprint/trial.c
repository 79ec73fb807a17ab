#include "blueprint/trial.h"

#include <string.h>

#include "blueprint/place.h"
#include "blueprint/registry.h"
#include "blueprint/trial_parts.h"
#include "core/array.h"
#include "core/strbuf.h"
#include "pg/sql.h"

enum { TRIAL_NAME_BYTES = 6 };

/* One tier of a blueprint while it is tried. */
typedef struct Trial {
    Arena *arena;
    Store *store;
    Blueprint blueprint; /* a copy with another name */
    const char *tenant_id;
    Extensions extensions;
    bool has_ground; /* all is there but what the blueprint's own SQL makes */
    bool is_checked; /* all is there, and the caller's check was asked */
    const Place *place;
    const char *app_role;
    const char *readonly_role;
} Trial;

static bool name_trial(Trial *trial, Err *err)
{
    const char *hex = NULL;
    if (!secret_random_hex(trial->arena, TRIAL_NAME_BYTES, &hex, err) ||
        !secret_random_uuid(trial->arena, &trial->tenant_id, err)) {
        return false;
    }
    trial->blueprint.name = arena_printf(trial->arena, "trial_%s", hex);
    trial->app_role = arena_printf(trial->arena, "%s_app", trial->blueprint.name);
    trial->readonly_role = arena_printf(trial->arena, "%s_ro", trial->blueprint.name);
    return true;
}

/* The tenant that the roles of the trial are, so that tenancy.current_tenant() has an answer. */
static void add_tenant_role(const Trial *trial, PgBatch *batch, const char *role)
{
    store_batch(batch, ROLE_MAP, PG_PARAMS(role, trial->tenant_id));
}

static bool make_schema_place(Trial *trial, Err *err)
{
    Place *place = ARENA_NEW(trial->arena, Place);
    bool lacks_partitions = false;
    scoped_batch PgBatch *batch = pg_batch_new(trial->arena);
    if (!place_name(trial->arena, &trial->blueprint, TIER_SCHEMA, trial->blueprint.name, place,
                    err)) {
        return false;
    }
    place_add_role(trial->arena, batch, place->app_role);
    place_add_role(trial->arena, batch, place->readonly_role);
    if (!place_add_schema(trial->arena, trial->store, batch, &trial->blueprint, &trial->extensions,
                          place, &lacks_partitions, err)) {
        return false;
    }
    add_tenant_role(trial, batch, place->owner_role);
    add_tenant_role(trial, batch, place->app_role);
    add_tenant_role(trial, batch, place->readonly_role);
    trial->place = place;
    return pg_batch_run(trial->store->conn, batch, err) &&
           (!lacks_partitions || place_ensure_partitions(trial->arena, trial->store,
                                                         &trial->blueprint, trial->place, err));
}

/* A login of the row tier, which is a member of one of the place's groups. */
static void add_login(const Trial *trial, PgBatch *batch, const char *role, const char *group)
{
    place_add_role(trial->arena, batch, role);
    pg_batch_add(batch,
                 SQL(trial->arena, "GRANT {}, {} TO {}",
                     sql_name(trial->arena, trial->store->tenants_role),
                     sql_name(trial->arena, group), sql_name(trial->arena, role)),
                 PG_NO_PARAMS);
    add_tenant_role(trial, batch, role);
}

static bool make_row_place(Trial *trial, Err *err)
{
    Place *place = NULL;
    bool is_changed = false;
    if (!place_ensure_shared(trial->arena, trial->store, &trial->blueprint, &is_changed, err) ||
        !places_find_shared(trial->arena, trial->store, trial->blueprint.name, &place, err)) {
        return false;
    }
    scoped_batch PgBatch *batch = pg_batch_new(trial->arena);
    add_login(trial, batch, trial->app_role, place->app_role);
    add_login(trial, batch, trial->readonly_role, place->readonly_role);
    trial->place = place;
    return pg_batch_run(trial->store->conn, batch, err);
}

/* Seed and demo, with the rights of the tenant's application. */
static bool run_scripts(const Trial *trial, Err *err)
{
    const struct {
        const char *file;
        const char *text;
    } scripts[] = {{"seed", trial->blueprint.seed}, {"demo", trial->blueprint.demo}};
    scoped_batch PgBatch *batch = pg_batch_new(trial->arena);
    place_enter_seed(batch, trial->app_role,
                     place_search_path(trial->arena, &trial->extensions, trial->place));
    for (size_t i = 0; i < ARRAY_COUNT(scripts); i++) {
        if (scripts[i].text != NULL &&
            !place_add_script(trial->arena, batch, scripts[i].file, scripts[i].text, err)) {
            return false;
        }
    }
    place_leave_role(batch);
    return pg_batch_run(trial->store->conn, batch, err);
}

static bool make_ground(Trial *trial, Err *err)
{
    RegistryChange change = REGISTRY_SAME;
    trial->has_ground = name_trial(trial, err) &&
                        registry_add(trial->arena, trial->store, &trial->blueprint, &change, err) &&
                        registry_find_extensions(trial->arena, trial->store, &trial->blueprint,
                                                 &trial->extensions, err) &&
                        place_ensure_extensions(trial->arena, trial->store, &trial->blueprint,
                                                &trial->extensions, err);
    return trial->has_ground;
}

static bool make_place(Trial *trial, Tier tier, Err *err)
{
    return make_ground(trial, err) &&
           (tier == TIER_ROW ? make_row_place(trial, err) : make_schema_place(trial, err));
}

/* The tenant as the registry has those that are being made. */
static bool register_tenant(const Trial *trial, Tier tier, Err *err)
{
    scoped_batch PgBatch *batch = pg_batch_new(trial->arena);
    store_batch(batch, TRIAL_TENANT,
                PG_PARAMS(trial->tenant_id,
                          arena_printf(trial->arena, "trial-%s", trial->tenant_id),
                          trial->blueprint.name, blueprint_find_plan(&trial->blueprint, NULL)->name,
                          tier_name(tier), trial->place->id));
    if (tier == TIER_SCHEMA) {
        store_batch(batch, ROLE_ADD,
                    PG_PARAMS(trial->place->owner_role, trial->tenant_id, "owner"));
    }
    store_batch(batch, ROLE_ADD, PG_PARAMS(trial->app_role, trial->tenant_id, "app"));
    store_batch(batch, ROLE_ADD, PG_PARAMS(trial->readonly_role, trial->tenant_id, "readonly"));
    return pg_batch_run(trial->store->conn, batch, err);
}

static bool run_trial(Trial *trial, Tier tier, TrialCheck check, Err *err)
{
    if (!make_place(trial, tier, err) || !run_scripts(trial, err) ||
        !register_tenant(trial, tier, err)) {
        return false;
    }
    trial->is_checked = true;
    return check(trial->arena, trial->store, trial->tenant_id, err);
}

/* Classes 53 (resources: disk, memory, locks) and 58 (input and output). */
static bool is_of_server(const char *sqlstate)
{
    return strncmp(sqlstate, "53", 2) == 0 || strncmp(sqlstate, "58", 2) == 0;
}

static const char script_rights[] = "migrations have the rights of the role that owns the place, "
                                    "seed and demo those of the tenant's application";
static const char left_public[] = "; a name with \"public.\" that a script puts together when it "
                                  "runs is left as it is: write it without";
static const char denied_public[] = "permission denied for schema public";

static bool begins_with(const char *text, const char *place)
{
    return strncmp(text, place, strlen(place)) == 0;
}

/* Not to Tenantry itself, which the hint of the server's error would be right for. */
static bool is_denied_to_script(const Blueprint *blueprint, const Err *err)
{
    bool is_script = begins_with(err->message, "seed:") || begins_with(err->message, "demo:");
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        is_script = is_script || begins_with(err->message, blueprint->migrations[i].file);
    }
    return is_script && err->code == ERR_PG_RIGHT_MISSING;
}

bool blueprint_blame(const Blueprint *blueprint, const char *when, Err *err)
{
    if (*err->sqlstate == '\0' || is_of_server(err->sqlstate) ||
        err_kind(err->code)->is_retryable) {
        return false;
    }
    const Err found = *err;
    const char *hint = is_denied_to_script(blueprint, err) ? script_rights : found.hint;
    const char *more = strstr(found.message, denied_public) != NULL ? left_public : "";
    err->code = ERR_BLUEPRINT_INVALID;
    err_hint(err,
             "%s%s%sPostgreSQL refused it (SQLSTATE %s) when %s for blueprint \"%s\"; nothing was "
             "changed",
             hint, more, *hint == '\0' ? "" : "; ", found.sqlstate, when, blueprint->name);
    return false;
}

/* Messages name the blueprint as people know it. */
static void put_real_name(const Trial *trial, const char *name, Err *err)
{
    const Err before = *err;
    const char *rest = before.message;
    const char *found = NULL;
    StrBuf message = strbuf_init(trial->arena);
    while ((found = strstr(rest, trial->blueprint.name)) != NULL) {
        strbuf_add_bytes(&message, rest, (size_t)(found - rest));
        strbuf_add(&message, name);
        rest = found + strlen(trial->blueprint.name);
    }
    strbuf_add(&message, rest);
    ERR_SET(err, before.code, before.hint, "%s", message.text);
    err->where = before.where;
    memcpy(err->sqlstate, before.sqlstate, sizeof err->sqlstate);
}

static bool blame(const Trial *trial, const Blueprint *blueprint, Tier tier, Err *err)
{
    put_real_name(trial, blueprint->name, err);
    const char *when = arena_printf(trial->arena, "a tenant of the %s tier was tried",
                                    tier_name(tier));
    if (!trial->is_checked) {
        return trial->has_ground && blueprint_blame(blueprint, when, err);
    }
    if (err->code == ERR_ISOLATION) { /* its own hint would mend a table that is gone */
        err_prefix(err, "blueprint \"%s\"", blueprint->name);
        err_hint(err, "%s; nothing was changed", when);
    }
    return false;
}

bool blueprint_try_place(Arena *arena, Store *store, const Blueprint *blueprint, Tier tier,
                         const Place **ret_place, Err *err)
{
    Trial trial = {.arena = arena, .store = store, .blueprint = *blueprint};
    if (!make_place(&trial, tier, err)) {
        put_real_name(&trial, blueprint->name, err);
        return false;
    }
    *ret_place = trial.place;
    return true;
}

bool blueprint_try(Arena *arena, Store *store, const Blueprint *blueprint, TrialCheck check,
                   Err *err)
{
    if (!trial_lint(arena, store, blueprint, err)) {
        return false;
    }
    for (size_t i = 0; i < blueprint->tier_count; i++) {
        Trial trial = {.arena = arena, .store = store, .blueprint = *blueprint};
        if (!pg_query(store->conn, "SAVEPOINT trial", PG_NO_PARAMS, NULL, err)) {
            return false;
        }
        if (!run_trial(&trial, blueprint->tiers[i], check, err)) {
            return blame(&trial, blueprint, blueprint->tiers[i], err);
        }
        if (!pg_query(store->conn, "ROLLBACK TO SAVEPOINT trial", PG_NO_PARAMS, NULL, err) ||
            !pg_query(store->conn, "RELEASE SAVEPOINT trial", PG_NO_PARAMS, NULL, err)) {
            return false;
        }
    }
    return trial_backfills(arena, store, blueprint, err);
}
