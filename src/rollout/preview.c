/* Which places a rollout is for: what its plan is made from, and what a dry run shows. */
#include <string.h>

#include "blueprint/registry.h"
#include "core/strbuf.h"
#include "pg/text_array.h"
#include "rollout/rollout_parts.h"
#include "rollout/where.h"
#include "store/tenants.h"

const char *slug_array(Arena *arena, const Json *slugs)
{
    size_t i = 0;
    const Json *slug = NULL;
    if (json_array_size(slugs) == 0) {
        return NULL;
    }
    PgArray list = pg_array_init(arena);
    json_array_foreach(slugs, i, slug)
    {
        pg_array_add(&list, json_string_value(slug));
    }
    return pg_array_end(&list);
}

static bool check_tenants(Arena *arena, Store *store, const char *blueprint, const Json *tenants,
                          Err *err)
{
    for (size_t i = 0; i < json_array_size(tenants); i++) {
        Tenant *tenant = NULL;
        const char *slug = json_string_value(json_array_get(tenants, i));
        if (!tenants_get_by_slug(arena, store, slug, &tenant, err)) {
            return false;
        }
        const bool is_other = strcmp(tenant->blueprint, blueprint) != 0;
        if (is_other || strcmp(tenant->tier, tier_name(TIER_SCHEMA)) != 0) {
            return ERR_SET(
                err, ERR_INPUT_INVALID,
                is_other ? "tenantry tenant show tells a tenant's blueprint"
                         : "tenants of the row tier are moved together: leave --tenant out",
                "tenant \"%s\" has no tables of its own of blueprint \"%s\"", slug, blueprint);
        }
    }
    return true;
}

bool rollout_check_choice(Arena *arena, Store *store, const char *blueprint_name,
                          const Json *tenants, const char *where, Err *err)
{
    Blueprint *blueprint = NULL;
    const char *slugs = NULL;
    if (where == NULL) {
        return check_tenants(arena, store, blueprint_name, tenants, err);
    }
    if (json_array_size(tenants) > 0) {
        return ERR_SET(err, ERR_INPUT_INVALID, "say it in --where: slug IN ('acme', 'beta')",
                       "--tenant and --where cannot be given together");
    }
    if (!registry_get_head(arena, store, blueprint_name, &blueprint, err)) {
        return false;
    }
    if (!blueprint_has_tier(blueprint, TIER_SCHEMA)) {
        return ERR_SET(err, ERR_INPUT_INVALID,
                       "tenants of the row tier are moved together: leave --where out",
                       "blueprint \"%s\" has no tenants with tables of their own", blueprint_name);
    }
    return where_slugs(arena, store, blueprint_name, where, &slugs, err);
}

static const char *bool_text(const Json *args, const char *name)
{
    return json_get_bool(args, name, false) ? "t" : "f";
}

bool candidates_of(Arena *arena, Store *store, const Json *args, Candidates *ret_candidates,
                   Err *err)
{
    const char *where = json_get_text(args, "where", NULL);
    *ret_candidates = (Candidates){.blueprint = json_get_text(args, "blueprint", ""),
                                   .target = pg_int_text(arena, json_get_int(args, "version", 0)),
                                   .is_down = bool_text(args, "down"),
                                   .slugs = slug_array(arena, json_object_get(args, "tenants")),
                                   .is_retry = bool_text(args, "retry")};
    return where == NULL ||
           where_slugs(arena, store, ret_candidates->blueprint, where, &ret_candidates->slugs, err);
}

const char *waves_array(Arena *arena, const int64_t *limits, size_t count)
{
    StrBuf list = strbuf_init(arena);
    strbuf_add_char(&list, '{');
    for (size_t i = 0; i < count; i++) {
        strbuf_printf(&list, "%s%lld", i == 0 ? "" : ",", (long long)limits[i]);
    }
    strbuf_add_char(&list, '}');
    return list.text;
}

bool candidates_count(Arena *arena, Store *store, const Json *args, CandidateRange *ret_range,
                      Err *err)
{
    scoped_rows PgRows *rows = NULL;
    Candidates candidates;
    if (!candidates_of(arena, store, args, &candidates, err) ||
        !store_query(store, ROLLOUT_PLACES_COUNT,
                     PG_PARAMS(candidates.blueprint, candidates.target, candidates.is_down,
                               candidates.slugs, candidates.is_retry),
                     &rows, err)) {
        return false;
    }
    *ret_range = (CandidateRange){.count = pg_rows_int(rows, 0, 0),
                                  .oldest = pg_rows_int(rows, 0, 1),
                                  .newest = pg_rows_int(rows, 0, 2)};
    return true;
}

bool rollout_check_retry(Arena *arena, Store *store, const Json *args, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    Candidates candidates;
    if (!json_get_bool(args, "retry", false)) {
        return true;
    }
    if (!candidates_of(arena, store, args, &candidates, err) ||
        !store_query(store, ROLLOUT_ABOVE,
                     PG_PARAMS(candidates.blueprint, candidates.target, candidates.slugs), &rows,
                     err)) {
        return false;
    }
    return pg_rows_count(rows) == 0 ||
           ERR_SET(
               err, ERR_INPUT_INVALID,
               "leave --to out: the retry lets out what is at the newest version already; then "
               "tenantry migrate down",
               "schema \"%s\" is in quarantine at version %s, above %s: a retry does not go back",
               pg_rows_text(rows, 0, 0), pg_rows_text(rows, 0, 1), candidates.target);
}

bool rollout_check_way_back(Arena *arena, Store *store, const Json *args,
                            const CandidateRange *range, Err *err)
{
    Blueprint *blueprint = NULL;
    const bool is_down = json_get_bool(args, "down", false);
    const int64_t target = json_get_int(args, "version", 0);
    if (range->count == 0 ||
        (!is_down && strcmp(json_get_text(args, "on-failure", "stop"), "undo") != 0)) {
        return true;
    }
    return registry_get(arena, store, json_get_text(args, "blueprint", ""), &blueprint, err) &&
           place_check_way_back(blueprint, is_down ? target : range->oldest,
                                is_down ? range->newest : target, err);
}

/* The files that take a place from one version to another, in their order. */
static Json *list_files(Arena *arena, const Blueprint *blueprint, const Extensions *extensions,
                        int64_t from, int64_t to)
{
    const BlueprintMigration *const *migrations = NULL;
    size_t count = 0;
    Json *files = json_array();
    const int64_t upto = from < to ? to : from;
    blueprint_select_migrations(arena, blueprint, from < to ? from : to, extensions->names,
                                extensions->count, &migrations, &count);
    for (size_t i = 0; i < count && migrations[i]->version <= upto; i++) {
        const char *file = migrations[i]->file;
        if (from < to) {
            json_array_append_new(files, json_string(file));
        } else {
            json_array_insert_new(files, 0, json_string(arena_printf(arena, "%s, down", file)));
        }
    }
    return files;
}

static bool query_preview(Arena *arena, Store *store, const Json *args, int64_t total,
                          Json **ret_list, Err *err)
{
    const int64_t *limits = NULL;
    size_t count = 0;
    Candidates candidates;
    return candidates_of(arena, store, args, &candidates, err) &&
           waves_limits(arena, json_get_text(args, "waves", "100%"), total, &limits, &count, err) &&
           store_query_list(store, ROLLOUT_PREVIEW,
                            PG_PARAMS(candidates.blueprint, candidates.target, candidates.is_down,
                                      candidates.slugs, candidates.is_retry,
                                      waves_array(arena, limits, count)),
                            ret_list, err);
}

bool rollout_preview(Arena *arena, Store *store, const Json *args, Json **ret_list, Err *err)
{
    size_t i = 0;
    Json *row = NULL;
    Blueprint *blueprint = NULL;
    Extensions extensions = {0};
    CandidateRange range = {0};
    if (!candidates_count(arena, store, args, &range, err) ||
        !rollout_check_way_back(arena, store, args, &range, err) ||
        !rollout_check_retry(arena, store, args, err) ||
        !registry_get(arena, store, json_get_text(args, "blueprint", ""), &blueprint, err) ||
        !registry_find_extensions(arena, store, blueprint, &extensions, err) ||
        !query_preview(arena, store, args, range.count, ret_list, err)) {
        return false;
    }
    const int64_t target = json_get_int(args, "version", 0);
    json_array_foreach(*ret_list, i, row)
    {
        json_put_int(row, "to_version", target);
        json_put(row, "files",
                 list_files(arena, blueprint, &extensions, json_get_int(row, "from_version", 0),
                            target));
    }
    return true;
}
