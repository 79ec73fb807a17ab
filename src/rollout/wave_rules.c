/* The rules of isolation behind a wave. All of them for each place would cost more than moving it,
 * and scripts mostly do the same everywhere: so all are asked of one place of each kind. What kinds
 * there are tells a digest of what is new in each place (wave_digest.sql), one statement for the
 * wave. Scripts that can do but one thing need no digest. */
#include "blueprint/inert.h"
#include "core/embedded_file.h"
#include "isolation/isolation.h"
#include "rollout/rollout_parts.h"

static const char digest_path[] = "src/rollout/wave_digest.sql";

/* Every join of it is look-ups by index, which the planner cannot know: a wave may be a small part
 * of the fleet. Just-in-time compilation takes longer than the query. */
static const char set_look_up[] =
    "SELECT set_config('jit', 'off', true), set_config('enable_hashjoin', 'off', true),"
    " set_config('enable_mergejoin', 'off', true), set_config('enable_seqscan', 'off', true),"
    " set_config('enable_material', 'off', true),"
    " set_config('max_parallel_workers_per_gather', '0', true)";

static bool are_inert(Arena *arena, const RolloutPlan *plan, int64_t oldest, int64_t newest)
{
    bool are_all = true;
    const int64_t after = plan->is_down ? plan->target : oldest;
    const int64_t upto = plan->is_down ? newest : plan->target;
    for (size_t i = 0; are_all && i < plan->blueprint->migration_count; i++) {
        const BlueprintMigration *migration = &plan->blueprint->migrations[i];
        const char *script = plan->is_down ? migration->down : migration->up;
        if (migration->version > after && migration->version <= upto) {
            are_all = migration->backfill == NULL && script != NULL &&
                      script_is_inert(arena, script);
        }
    }
    return are_all;
}

/* The tenants of which every rule is asked: id, slug. NULL: none. */
static bool choose(JobContext *context, const RolloutPlan *plan, int64_t wave, PgRows **ret_rows,
                   Err *err)
{
    Store *store = context->store;
    scoped_rows PgRows *range = NULL;
    const PgParams params = PG_PARAMS(rollout_id_text(context), pg_int_text(context->arena, wave));
    if (!store_query(store, ROLLOUT_RANGE, params, &range, err)) {
        return false;
    }
    if (pg_rows_text(range, 0, 0) == NULL) { /* it moved nothing */
        return true;
    }
    if (are_inert(context->arena, plan, pg_rows_int(range, 0, 0), pg_rows_int(range, 0, 1))) {
        return store_query(store, ROLLOUT_SAMPLE, params, ret_rows, err);
    }
    const EmbeddedFile *file = embedded_file_find(digest_path);
    if (file == NULL) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "\"%s\" is not in the binary", digest_path);
    }
    const bool is_done = pg_begin(store->conn, err) &&
                         pg_query_fixed(store->conn, set_look_up, PG_NO_PARAMS, NULL, err) &&
                         pg_query_fixed(store->conn, file->text, params, ret_rows, err);
    pg_rollback(store->conn);
    return is_done;
}

bool wave_ask_rules(JobContext *context, const RolloutPlan *plan, int64_t wave,
                    const char **ret_broken, Err *err)
{
    bool is_whole = true;
    Store *store = context->store;
    scoped_rows PgRows *rows = NULL;
    *ret_broken = NULL;
    if (!choose(context, plan, wave, &rows, err)) {
        return err_prefix(err, "the rules of isolation behind wave %lld", (long long)wave);
    }
    for (size_t i = 0; is_whole && rows != NULL && i < pg_rows_count(rows); i++) {
        scoped_arena Arena *arena = arena_new();
        if (!pg_begin(store->conn, err)) {
            return false;
        }
        is_whole = isolation_require(arena, store, pg_rows_text(rows, i, 0), err);
        pg_rollback(store->conn);
        if (!is_whole && err->code == ERR_ISOLATION) {
            *ret_broken = arena_printf(context->arena, "after wave %lld, tenant \"%s\": %s",
                                       (long long)wave, pg_rows_text(rows, i, 1), err->message);
            return true;
        }
    }
    return is_whole;
}
