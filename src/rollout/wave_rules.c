/* The rules of isolation behind a wave. All of them for each place would cost more than moving it,
 * and scripts mostly do the same everywhere: so all are asked of one place of each kind. What kinds
 * there are tells a digest of what is new in each place (wave_digest.sql), one statement for the
 * wave. Scripts that can do but one thing leave one kind: the place that is moved first is asked
 * while the others are moved. */
#include <stdio.h>
#include <string.h>

#include "blueprint/inert.h"
#include "core/embedded_file.h"
#include "isolation/isolation.h"
#include "rollout/rollout_parts.h"

/* In one statement, which takes half as long as one after the other. */
enum { ASKED_AT_ONCE = 5 };

static const char digest_path[] = "src/rollout/wave_digest.sql";

/* Every join of it is look-ups by index, which the planner cannot know: a wave may be a small part
 * of the fleet. Just-in-time compilation takes longer than the query. */
static const char set_look_up[] =
    "SELECT set_config('jit', 'off', true), set_config('enable_hashjoin', 'off', true),"
    " set_config('enable_mergejoin', 'off', true), set_config('enable_seqscan', 'off', true),"
    " set_config('enable_material', 'off', true),"
    " set_config('max_parallel_workers_per_gather', '0', true)";

/* Places have the code that their blueprint gave them, on the way up or down. */
static bool has_code(Arena *arena, const Blueprint *blueprint)
{
    bool is_found = false;
    for (size_t i = 0; i < blueprint->migration_count && !is_found; i++) {
        const BlueprintMigration *one = &blueprint->migrations[i];
        is_found = script_has_code(arena, one->up) ||
                   (one->down != NULL && script_has_code(arena, one->down));
    }
    return is_found;
}

/* Makes of the force of a wave's scripts what they can do in these places. */
static bool are_inert(Arena *arena, const RolloutPlan *plan, int64_t oldest, int64_t newest)
{
    ScriptForce most = SCRIPT_INERT;
    const int64_t after = plan->is_down ? plan->target : oldest;
    const int64_t upto = plan->is_down ? newest : plan->target;
    for (size_t i = 0; i < plan->blueprint->migration_count; i++) {
        const BlueprintMigration *migration = &plan->blueprint->migrations[i];
        const char *script = plan->is_down ? migration->down : migration->up;
        if (migration->version > after && migration->version <= upto) {
            const ScriptForce force = migration->backfill == NULL && script != NULL
                                          ? script_force(arena, script)
                                          : SCRIPT_ACTIVE;
            most = force > most ? force : most;
        }
    }
    return most == SCRIPT_INERT || (most == SCRIPT_CONFINED && !has_code(arena, plan->blueprint));
}

/* Whether the scripts of a wave can do but one thing; false too when it moves nothing. */
static bool ask_inert(Arena *arena, const RolloutPlan *plan, Store *store, PgParams wave,
                      bool *ret_is_empty, bool *ret_are_inert, Err *err)
{
    scoped_rows PgRows *range = NULL;
    if (!store_query(store, ROLLOUT_RANGE, wave, &range, err)) {
        return false;
    }
    *ret_is_empty = pg_rows_text(range, 0, 0) == NULL;
    *ret_are_inert = !*ret_is_empty &&
                     are_inert(arena, plan, pg_rows_int(range, 0, 0), pg_rows_int(range, 0, 1));
    return true;
}

/* The tenants of which every rule is asked: id, slug. NULL: none. */
static bool choose(Arena *arena, const RolloutPlan *plan, Store *store, PgParams wave,
                   PgRows **ret_rows, Err *err)
{
    bool is_empty = false;
    bool are_all_inert = false;
    if (!ask_inert(arena, plan, store, wave, &is_empty, &are_all_inert, err) || is_empty) {
        return is_empty;
    }
    if (are_all_inert) {
        return store_query(store, ROLLOUT_SAMPLE, wave, ret_rows, err);
    }
    const EmbeddedFile *file = embedded_file_find(digest_path);
    if (file == NULL) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "\"%s\" is not in the binary", digest_path);
    }
    const bool is_done = pg_begin(store->conn, err) &&
                         pg_query_fixed(store->conn, set_look_up, PG_NO_PARAMS, NULL, err) &&
                         pg_query_fixed(store->conn, file->text, wave, ret_rows, err);
    pg_rollback(store->conn);
    return is_done;
}

static bool ask_tenants(Store *store, const char *const *ids, size_t count, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    const bool is_whole = pg_begin(store->conn, err) &&
                          isolation_require_each(arena, store, ids, count, err);
    pg_rollback(store->conn);
    return is_whole;
}

/* Whether it is to be tried again. What fails here is asked again at the end, and told then. */
static bool try_early(Arena *arena, JobContext *context, const RolloutPlan *plan, WaveRules *rules)
{
    Err ignored;
    bool is_empty = false;
    bool are_all_inert = false;
    Store *store = context->store;
    scoped_rows PgRows *rows = NULL;
    const PgParams wave = PG_PARAMS(pg_int_text(arena, context->job_id),
                                    pg_int_text(arena, rules->wave));
    if (!store_query(store, ROLLOUT_SAMPLE, wave, &rows, &ignored)) {
        return false;
    }
    if (pg_rows_count(rows) == 0 || !pg_rows_bool(rows, 0, 2)) {
        return true;
    }
    const char *id = pg_rows_text(rows, 0, 0);
    if (ask_inert(arena, plan, store, wave, &is_empty, &are_all_inert, &ignored) && are_all_inert &&
        ask_tenants(store, &id, 1, &ignored)) {
        snprintf(rules->passed, sizeof rules->passed, "%s", id);
    }
    return false;
}

void wave_ask_early(JobContext *context, const RolloutPlan *plan, WaveRules *rules)
{
    scoped_arena Arena *arena = arena_new();
    rules->waits_for_end = rules->waits_for_end || !try_early(arena, context, plan, rules);
}

/* Those that are not known to be whole. Lives as long as rows. */
static const char **select_unknown(Arena *arena, const PgRows *rows, const WaveRules *rules,
                                   size_t *ret_count)
{
    const char **ids = ARENA_ARRAY(arena, const char *, pg_rows_count(rows));
    *ret_count = 0;
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const char *id = pg_rows_text(rows, i, 0);
        if (strcmp(rules->passed, id) != 0) {
            ids[(*ret_count)++] = id;
        }
    }
    return ids;
}

/* There may be as many as there are places. */
static bool ask_in_slices(Store *store, const char *const *ids, size_t count, Err *err)
{
    for (size_t i = 0; i < count; i += ASKED_AT_ONCE) {
        const size_t rest = count - i;
        if (!ask_tenants(store, ids + i, rest < ASKED_AT_ONCE ? rest : ASKED_AT_ONCE, err)) {
            return false;
        }
    }
    return true;
}

/* The first of them that breaks a rule, as a sentence; when none does by itself, what was found. */
static bool find_broken(Arena *arena, Store *store, const WaveRules *rules, const PgRows *rows,
                        const char *found, const char **ret_broken, Err *err)
{
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const char *id = pg_rows_text(rows, i, 0);
        if (strcmp(rules->passed, id) != 0 && !ask_tenants(store, &id, 1, err)) {
            *ret_broken = arena_printf(arena, "after wave %lld, tenant \"%s\": %s",
                                       (long long)rules->wave, pg_rows_text(rows, i, 1),
                                       err->message);
            return err->code == ERR_ISOLATION;
        }
    }
    *ret_broken = arena_printf(arena, "after wave %lld: %s", (long long)rules->wave, found);
    return true;
}

bool wave_ask_rules(JobContext *context, const RolloutPlan *plan, const WaveRules *rules,
                    const char **ret_broken, Err *err)
{
    size_t count = 0;
    Arena *arena = context->arena;
    Store *store = context->store;
    scoped_rows PgRows *rows = NULL;
    *ret_broken = NULL;
    if (!choose(arena, plan, store,
                PG_PARAMS(rollout_id_text(context), pg_int_text(arena, rules->wave)), &rows, err)) {
        return err_prefix(err, "the rules of isolation behind wave %lld", (long long)rules->wave);
    }
    if (rows == NULL) {
        return true;
    }
    const char **ids = select_unknown(arena, rows, rules, &count);
    if (ask_in_slices(store, ids, count, err)) {
        return true;
    }
    return err->code == ERR_ISOLATION &&
           find_broken(arena, store, rules, rows, arena_strdup(arena, err->message), ret_broken,
                       err);
}
