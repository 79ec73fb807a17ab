#include "blueprint/registry.h"

#include <inttypes.h>
#include <string.h>

#include "blueprint/layout_continue.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "pg/text_array.h"
#include "secret/secret.h"

static bool fail_missing(Arena *arena, Store *store, const char *name, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, BLUEPRINT_NAMES, PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    const size_t count = pg_rows_count(rows);
    const char **names = ARENA_ARRAY(arena, const char *, count);
    StrBuf list = strbuf_init(arena);
    for (size_t i = 0; i < count; i++) {
        names[i] = pg_rows_text(rows, i, 0);
        strbuf_printf(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    const char *nearest = text_nearest(name, names, count);
    ERR_SET(err, ERR_BLUEPRINT_MISSING, NULL, "no blueprint has the name \"%s\"", name);
    if (nearest != NULL) {
        err_hint(err, "did you mean \"%s\"? There are: %s", nearest, list.text);
    } else {
        err_hint(err, "there are: %s; add one with: tenantry blueprint add PATH", list.text);
    }
    return false;
}

/* statement gives version, checksum and definition; BLUEPRINT_HEAD also source and seed. */
static bool query(Arena *arena, Store *store, StatementId statement, PgParams params,
                  Blueprint **ret_blueprint, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    *ret_blueprint = NULL;
    if (!store_query(store, statement, params, &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return true;
    }
    scoped_json Json *definition = NULL;
    if (!json_parse(pg_rows_text(rows, 0, 2), "the recorded blueprint", &definition, err) ||
        !blueprint_from_json(arena, definition, ret_blueprint, err)) {
        return false;
    }
    if (statement == BLUEPRINT_HEAD) {
        (*ret_blueprint)->seed = arena_strdup(arena, pg_rows_text(rows, 0, 4));
    }
    return true;
}

static bool find(Arena *arena, Store *store, const char *name, Blueprint **ret_blueprint, Err *err)
{
    return query(arena, store, BLUEPRINT_GET, PG_PARAMS(name), ret_blueprint, err);
}

/* statement is BLUEPRINT_GET or BLUEPRINT_HEAD. */
static bool get(Arena *arena, Store *store, StatementId statement, const char *name,
                Blueprint **ret_blueprint, Err *err)
{
    if (!query(arena, store, statement, PG_PARAMS(name), ret_blueprint, err)) {
        return false;
    }
    if (*ret_blueprint == NULL) {
        fail_missing(arena, store, name, err);
        return false;
    }
    return true;
}

bool registry_fail_version(const Blueprint *newest, int64_t version, Err *err)
{
    ERR_SET(err, ERR_INPUT_INVALID, NULL,
            "blueprint \"%s\" has no version %" PRId64 "; its newest is %" PRId64, newest->name,
            version, newest->version);
    err_hint(err, "\"tenantry blueprint show %s\" lists those that it has", newest->name);
    return false;
}

bool registry_get(Arena *arena, Store *store, const char *name, Blueprint **ret_blueprint, Err *err)
{
    return get(arena, store, BLUEPRINT_GET, name, ret_blueprint, err);
}

bool registry_get_head(Arena *arena, Store *store, const char *name, Blueprint **ret_blueprint,
                       Err *err)
{
    return get(arena, store, BLUEPRINT_HEAD, name, ret_blueprint, err);
}

bool registry_find_version(Store *store, const char *name, int64_t *ret_version, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, BLUEPRINT_VERSION, PG_PARAMS(name), &rows, err)) {
        return false;
    }
    *ret_version = pg_rows_count(rows) == 0 ? 0 : pg_rows_int(rows, 0, 0);
    return true;
}

bool registry_get_version(Arena *arena, Store *store, const char *name, int64_t version,
                          Blueprint **ret_blueprint, Err *err)
{
    if (!query(arena, store, BLUEPRINT_GET_VERSION, PG_PARAMS(name, pg_int_text(arena, version)),
               ret_blueprint, err)) {
        return false;
    }
    if (*ret_blueprint != NULL) {
        return true;
    }
    if (!registry_get(arena, store, name, ret_blueprint, err)) {
        return false;
    }
    (*ret_blueprint)->version = version;
    return true;
}

static bool is_same_text(const char *a, const char *b)
{
    return (a == NULL || b == NULL) ? a == b : strcmp(a, b) == 0;
}

/* The same variant of the same version; NULL when there is none. */
static const BlueprintMigration *find_same(const Blueprint *blueprint,
                                           const BlueprintMigration *migration)
{
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        const BlueprintMigration *candidate = &blueprint->migrations[i];
        if (candidate->version == migration->version &&
            is_same_text(candidate->extension, migration->extension)) {
            return candidate;
        }
    }
    return NULL;
}

/* A variant that came later would give new places of its version what the others of it lack. */
static bool check_additions(const Blueprint *old, const Blueprint *new, Err *err)
{
    for (size_t i = 0; i < new->migration_count; i++) {
        const BlueprintMigration *added = &new->migrations[i];
        if (added->version <= old->version && find_same(old, added) == NULL) {
            return ERR_SET(
                err, ERR_BLUEPRINT_EXISTS, "take the file away and add a new version instead",
                "blueprint \"%s\": version %" PRId64 " was recorded without migration \"%s\"",
                new->name, added->version, added->file);
        }
    }
    return true;
}

/* Every migration that was recorded must be there with the same text, and no other of its version:
 * tenants have run it. */
static bool check_history(const Blueprint *old, const Blueprint *new, Err *err)
{
    for (size_t i = 0; i < old->migration_count; i++) {
        const BlueprintMigration *before = &old->migrations[i];
        const BlueprintMigration *after = find_same(new, before);
        if (after == NULL) {
            return ERR_SET(err, ERR_BLUEPRINT_EXISTS, "put the file back as it was",
                           "blueprint \"%s\": migration \"%s\" was recorded and is gone now",
                           new->name, before->file);
        }
        if (strcmp(after->sha256, before->sha256) != 0) {
            return ERR_SET(
                err, ERR_BLUEPRINT_EXISTS,
                "put the file back as it was and add a new migration instead",
                "blueprint \"%s\": migration \"%s\" was recorded with SHA-256 %s and has "
                "%s now",
                new->name, after->file, before->sha256, after->sha256);
        }
    }
    return check_additions(old, new, err);
}

bool registry_down_sum(Arena *arena, const BlueprintMigration *migration, const char **ret_sha256,
                       Err *err)
{
    *ret_sha256 = migration->down_sha256;
    return migration->down_sha256 != NULL || migration->down == NULL ||
           secret_sha256_hex(arena, migration->down, strlen(migration->down), ret_sha256, err);
}

void registry_add_down_ran(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                           const BlueprintMigration *migration, const char *sha256)
{
    store_batch(batch, BLUEPRINT_DOWN_RAN,
                PG_PARAMS(blueprint->name, pg_int_text(arena, migration->version),
                          migration->extension, sha256));
}

/* One variant's down script, which has run with this sum. */
static bool check_down(Arena *arena, const Blueprint *new, const BlueprintMigration *migration,
                       const char *ran, Err *err)
{
    static const char hint[] = "put the file back as it was";
    const char *now = NULL;
    if (!registry_down_sum(arena, migration, &now, err)) {
        return false;
    }
    if (now == NULL) {
        return ERR_SET(err, ERR_BLUEPRINT_EXISTS, hint,
                       "blueprint \"%s\": migration \"%s, down\" has run and is gone now",
                       new->name, migration->file);
    }
    return strcmp(now, ran) == 0 ||
           ERR_SET(
               err, ERR_BLUEPRINT_EXISTS, hint,
               "blueprint \"%s\": migration \"%s, down\" has run with SHA-256 %s and has %s now",
               new->name, migration->file, ran, now);
}

/* A place that went back by one text and one that goes back by another would differ. One that never
 * ran may be written later, or mended. */
static bool check_downs(Arena *arena, Store *store, const Blueprint *new, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, BLUEPRINT_DOWNS, PG_PARAMS(new->name), &rows, err)) {
        return false;
    }
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const char *extension = pg_rows_text(rows, i, 1);
        const BlueprintMigration key = {.version = pg_rows_int(rows, i, 0),
                                        .extension = *extension == '\0' ? NULL : extension};
        const BlueprintMigration *migration = find_same(new, &key);
        if (migration != NULL &&
            !check_down(arena, new, migration, pg_rows_text(rows, i, 2), err)) {
            return false;
        }
    }
    return true;
}

static const char *plan_names(Arena *arena, const Blueprint *blueprint)
{
    PgArray names = pg_array_init(arena);
    for (size_t i = 0; i < blueprint->plan_count; i++) {
        pg_array_add(&names, blueprint->plans[i].name);
    }
    return pg_array_end(&names);
}

static bool check_plans_in_use(Arena *arena, Store *store, const Blueprint *blueprint, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, BLUEPRINT_PLANS_IN_USE,
                     PG_PARAMS(blueprint->name, plan_names(arena, blueprint)), &rows, err)) {
        return false;
    }
    const char *used = pg_rows_text(rows, 0, 0);
    if (used == NULL) {
        return true;
    }
    ERR_SET(
        err, ERR_BLUEPRINT_EXISTS,
        "keep the plan until the last of its tenants is purged: a tenant stays on the plan it has",
        "blueprint \"%s\" no longer has plan \"%s\", which tenants use", blueprint->name, used);
    return blueprint_fail_at(blueprint, blueprint->lines.plans, "plans", err);
}

/* One that came from another folder may be another blueprint of the same name, and not a version of
 * this one. A folder that was moved or copied has the same history. */
static bool fail_other_pack(const Blueprint *old, const Blueprint *new, Err *err)
{
    static const char embedded[] = "embedded";
    if (strcmp(old->source, new->source) == 0) {
        if (strcmp(new->source, embedded) == 0) {
            err_hint(err, "the blueprint is in the program, and another build recorded it: use "
                          "that build; where nothing must be kept, use another data directory or "
                          "database");
        }
        return false;
    }
    err_hint(err,
             "two blueprints cannot have one name: give this one another, or, if it is the same "
             "one, put the file back as it was");
    err_prefix(err, "another blueprint of this name was added from %s", old->source);
    return blueprint_fail_at(new, new->lines.name, "name", err);
}

bool registry_continue(Arena *arena, Store *store, Blueprint *blueprint, Err *err)
{
    Blueprint *old = NULL;
    return blueprint->layout == NULL ||
           (find(arena, store, blueprint->name, &old, err) &&
            (old == NULL || layout_continue(arena, old, blueprint, err) ||
             fail_other_pack(old, blueprint, err)));
}

static bool check_change(Arena *arena, Store *store, const Blueprint *old, const Blueprint *new,
                         Err *err)
{
    return (old == NULL || (check_history(old, new, err) && check_downs(arena, store, new, err)) ||
            fail_other_pack(old, new, err)) &&
           check_plans_in_use(arena, store, new, err);
}

bool registry_check(Arena *arena, Store *store, const Blueprint *blueprint, Err *err)
{
    Blueprint *old = NULL;
    return find(arena, store, blueprint->name, &old, err) &&
           check_change(arena, store, old, blueprint, err);
}

static bool write_blueprint(Arena *arena, Store *store, const Blueprint *blueprint, Err *err)
{
    scoped_json Json *json = blueprint_to_json(blueprint);
    const char *version = pg_int_text(arena, blueprint->version);
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    store_batch(batch, BLUEPRINT_ADD,
                PG_PARAMS(blueprint->name, blueprint->title, version, blueprint->checksum,
                          blueprint->source));
    store_batch(
        batch, BLUEPRINT_ADD_VERSION,
        PG_PARAMS(blueprint->name, version, blueprint->checksum, json_to_text(arena, json)));
    const Json *plans = json_object_get(json, "plans");
    for (size_t i = 0; i < blueprint->plan_count; i++) {
        const BlueprintPlan *plan = &blueprint->plans[i];
        store_batch(batch, BLUEPRINT_ADD_PLAN,
                    PG_PARAMS(blueprint->name, plan->name, plan->title,
                              plan->is_default ? "true" : "false",
                              json_to_text(arena, json_array_get(plans, i))));
    }
    const size_t dropped = store_batch(batch, BLUEPRINT_DROP_PLANS,
                                       PG_PARAMS(blueprint->name, plan_names(arena, blueprint)));
    if (pg_batch_run(store->conn, batch, err)) {
        return true;
    }
    /* Another try sees that tenant, and says which plan must stay. */
    if (pg_batch_has_failed_at(batch, dropped) && strcmp(err->sqlstate, "23503") == 0) {
        ERR_SET(err, ERR_CONFLICT, "try again",
                "a tenant of blueprint \"%s\" is being made on a plan that is to be dropped",
                blueprint->name);
    }
    return false;
}

bool registry_add(Arena *arena, Store *store, const Blueprint *blueprint,
                  RegistryChange *ret_change, Err *err)
{
    Blueprint *old = NULL;
    if (!store_query(store, BLUEPRINT_LOCK, PG_NO_PARAMS, NULL, err) ||
        !find(arena, store, blueprint->name, &old, err)) {
        return false;
    }
    *ret_change = old == NULL ? REGISTRY_ADDED : REGISTRY_CHANGED;
    if (old != NULL && strcmp(old->checksum, blueprint->checksum) == 0) {
        *ret_change = REGISTRY_SAME;
        return true;
    }
    return check_change(arena, store, old, blueprint, err) &&
           write_blueprint(arena, store, blueprint, err);
}

static void add_names(PgArray *list, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pg_array_add(list, names[i]);
    }
}

/* Which of the names the server has installed or, when that is not all, offers: the second question
 * reads a file for each extension on the server's disk. */
static bool query_extensions(Store *store, const char *names, size_t count, PgRows **ret_rows,
                             Err *err)
{
    scoped_rows PgRows *installed = NULL;
    if (!store_query(store, EXTENSION_INSTALLED, PG_PARAMS(names), &installed, err)) {
        return false;
    }
    if (pg_rows_count(installed) == count) {
        *ret_rows = installed;
        installed = NULL;
        return true;
    }
    return store_query(store, EXTENSION_LIST, PG_PARAMS(names), ret_rows, err);
}

/* All that the blueprint names, as text[]; *ret_count tells how many. */
static const char *extension_names(Arena *arena, const Blueprint *blueprint, size_t *ret_count)
{
    PgArray list = pg_array_init(arena);
    add_names(&list, blueprint->wanted, blueprint->wanted_count);
    add_names(&list, blueprint->optional, blueprint->optional_count);
    *ret_count = blueprint->wanted_count + blueprint->optional_count;
    return pg_array_end(&list);
}

void registry_expect_extensions(Arena *arena, PgBatch *batch, const Blueprint *blueprint)
{
    size_t named = 0;
    const char *names = extension_names(arena, blueprint, &named);
    if (named > 0) {
        store_batch(batch, EXTENSION_INSTALLED, PG_PARAMS(names));
    }
}

bool registry_find_extensions(Arena *arena, Store *store, const Blueprint *blueprint,
                              Extensions *ret_extensions, Err *err)
{
    size_t named = 0;
    const char *names = extension_names(arena, blueprint, &named);
    *ret_extensions = (Extensions){0};
    if (named == 0) {
        return true;
    }
    scoped_rows PgRows *rows = NULL;
    if (!query_extensions(store, names, named, &rows, err)) {
        return false;
    }
    const size_t count = pg_rows_count(rows);
    *ret_extensions = (Extensions){.count = count,
                                   .names = ARENA_ARRAY(arena, const char *, count),
                                   .schemas = ARENA_ARRAY(arena, const char *, count),
                                   .versions = ARENA_ARRAY(arena, const char *, count)};
    for (size_t i = 0; i < count; i++) {
        ret_extensions->names[i] = arena_strdup(arena, pg_rows_text(rows, i, 0));
        ret_extensions->schemas[i] = arena_strdup(arena, pg_rows_text(rows, i, 2));
        ret_extensions->versions[i] = arena_strdup(arena, pg_rows_text(rows, i, 3));
    }
    for (size_t i = 0; i < blueprint->wanted_count; i++) {
        bool is_offered = false;
        for (size_t j = 0; j < count; j++) {
            is_offered = is_offered || strcmp(ret_extensions->names[j], blueprint->wanted[i]) == 0;
        }
        if (!is_offered) {
            ERR_SET(err, ERR_EXTENSION_MISSING, NULL,
                    "blueprint \"%s\" needs the extension \"%s\", which this server does not offer",
                    blueprint->name, blueprint->wanted[i]);
            err_hint(err, "install the package that has it on the server (postgresql-contrib, or "
                          "the extension's own), then try again");
            return blueprint_fail_at(blueprint,
                                     blueprint->lines.file == NULL ? 0 : blueprint->lines.wanted[i],
                                     arena_printf(arena, "extensions.wanted[%zu]", i), err);
        }
    }
    return true;
}
