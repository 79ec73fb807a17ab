/* Asking the rules.
 *
 * The snapshot is a list of relations, each a query over the catalogue and those before it; the
 * rules are queries over them. For one tenant everything is one statement, the snapshot its CTEs:
 * no catalogue is written. Planning a hundred rules takes longer than all else, so most have a
 * sieve: a piece of the snapshot that is empty where all is well; a second statement has the rules
 * whose sieve is not, with the pieces that they need. For the fleet the snapshot is temporary
 * tables with statistics, since the planner must know how many rows there are, and the transaction
 * is rolled back. */
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/log.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "isolation/definer.h"
#include "isolation/isolation.h"
#include "isolation/rule_sql.h"
#include "pg/text_array.h"

/* --- findings --------------------------------------------------------------------------------- */

/* The rules about what a function does give its body as evidence: true when there is something to
 * report, with evidence for people. */
static bool judge_body(Arena *arena, Finding *finding, bool *ret_is_found, Err *err)
{
    DefinerVerdict verdict;
    if (!definer_judge(arena, finding->evidence, &verdict, err)) {
        return false;
    }
    if (strcmp(finding->check->id, "definer_dynamic") == 0) {
        finding->evidence = verdict.unknown;
    } else if (strcmp(finding->check->id, "shared_code") == 0) {
        finding->evidence = verdict.unheld;
    } else {
        finding->evidence = verdict.outside;
        finding->other_id = verdict.other_id;
    }
    *ret_is_found = finding->evidence != NULL;
    return true;
}

static bool is_about_body(const Finding *finding)
{
    return strcmp(finding->check->id, "definer_dynamic") == 0 ||
           strcmp(finding->check->id, "definer_touches") == 0 ||
           strcmp(finding->check->id, "shared_code") == 0;
}

static bool take_finding(const PgRows *rows, size_t i, IsolationResult *result, Err *err)
{
    bool is_found = true;
    const char *id = pg_rows_text(rows, i, COLUMN_RULE);
    Finding finding = {.check = isolation_find_check(id),
                       .tenant_id = pg_rows_text(rows, i, COLUMN_TENANT),
                       .other_id = pg_rows_text(rows, i, COLUMN_OTHER),
                       .object = pg_rows_text(rows, i, COLUMN_OBJECT),
                       .evidence = pg_rows_text(rows, i, COLUMN_EVIDENCE),
                       .mend = pg_rows_text(rows, i, COLUMN_MEND)};
    if (finding.check == NULL) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "a query names the rule \"%s\", there is none", id);
    }
    if (is_about_body(&finding) && !judge_body(result->list.arena, &finding, &is_found, err)) {
        return false;
    }
    return !is_found || isolation_add_finding(result, &finding, err);
}

static bool take_rows(const PgRows *rows, RulePlan *plan, IsolationResult *result, Err *err)
{
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const char *id = pg_rows_text(rows, i, COLUMN_RULE);
        const char *object = pg_rows_text(rows, i, COLUMN_OBJECT);
        if (strcmp(id, RULE_SQL_SIEVE) == 0) {
            rule_sql_note_sieve(plan, object);
        } else if (strcmp(id, RULE_SQL_DIGEST) == 0) {
            result->catalogue = arena_strdup(result->list.arena, object);
            result->tenants = pg_rows_int(rows, i, COLUMN_EVIDENCE);
            result->spares = pg_rows_int(rows, i, COLUMN_MEND);
        } else if (!take_finding(rows, i, result, err)) {
            return false;
        }
    }
    return true;
}

static int compare_texts(const char *a, const char *b)
{
    return strcmp(a == NULL ? "" : a, b == NULL ? "" : b);
}

static int compare_findings(const void *left, const void *right)
{
    const Finding *a = left;
    const Finding *b = right;
    const int orders[] = {(int)a->check->severity - (int)b->check->severity,
                          strcmp(a->check->id, b->check->id),
                          compare_texts(a->object, b->object),
                          compare_texts(a->tenant_id, b->tenant_id),
                          compare_texts(a->other_id, b->other_id),
                          compare_texts(a->evidence, b->evidence)};
    for (size_t i = 0; i < ARRAY_COUNT(orders); i++) {
        if (orders[i] != 0) {
            return orders[i];
        }
    }
    return 0;
}

static bool has_mend(const Finding *ways, size_t count, const char *mend)
{
    for (size_t i = 0; i < count; i++) {
        if (ways[i].mend != NULL && text_is_same(ways[i].mend, mend)) {
            return true;
        }
    }
    return false;
}

/* Several ways to the same thing are one finding, and each of them is evidence: a new one is more
 * than what somebody accepted. The ways are sorted. */
static Finding merge_ways(Arena *arena, const Finding *ways, size_t count)
{
    Finding finding = ways[0];
    StrBuf evidence = strbuf_init(arena);
    StrBuf mend = strbuf_init(arena);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || compare_texts(ways[i].evidence, ways[i - 1].evidence) != 0) {
            strbuf_printf(&evidence, "%s%s", i == 0 ? "" : "; ", ways[i].evidence);
        }
        if (ways[i].mend != NULL && !has_mend(ways, i, ways[i].mend)) {
            strbuf_printf(&mend, "%s%s", mend.length == 0 ? "" : "; ", ways[i].mend);
        }
    }
    finding.evidence = evidence.text;
    finding.mend = mend.length == 0 ? NULL : mend.text;
    return finding;
}

void isolation_finish_findings(FindingList *list)
{
    size_t kept = 0;
    if (list->count > 0) {
        qsort(list->findings, list->count, sizeof *list->findings, compare_findings);
    }
    for (size_t first = 0, end = 0; first < list->count; first = end) {
        const char *id = list->findings[first].id;
        while (end < list->count && text_is_same(list->findings[end].id, id)) {
            end++;
        }
        list->findings[kept++] = end - first == 1
                                     ? list->findings[first]
                                     : merge_ways(list->arena, &list->findings[first], end - first);
    }
    list->count = kept;
}

static void list_unchecked(Arena *arena, const RulePlan *plan, IsolationResult *result)
{
    Unchecked *unchecked = ARENA_ARRAY(arena, Unchecked, rule_sql_count() + 1);
    size_t count = 0;
    for (size_t i = 0; i < rule_sql_count(); i++) {
        if (rule_sql_is_asked(plan, i)) {
            result->rules++;
        } else {
            unchecked[count++] = (Unchecked){
                .check_id = rule_sql_id(i),
                .reason = "the control role is no superuser and may not read this"};
        }
    }
    if (plan->has_mappings && !plan->is_super) {
        unchecked[count++] = (Unchecked){.check_id = "user_mapping",
                                         .reason = "the control role is no superuser and may not "
                                                   "read the options of user mappings"};
    }
    result->unchecked = unchecked;
    result->unchecked_count = count;
}

/* --- running ---------------------------------------------------------------------------------- */

/* How the planner works for the length of a check. Just-in-time compilation and parallel workers
 * take longer to start than all of this. For one tenant every join is a few look-ups by index,
 * which the planner cannot know of a snapshot without statistics; and with little memory it makes
 * no large hash tables for the many rows that it expects, nor keeps what it looked up for rows that
 * never come; its plan for one tenant is that for any. NULL is the default. */
#define SET(name, value) ", set_config('" name "', " value ", true)"
#define QUICK(off, none) "SELECT 1" SET("jit", off) SET("max_parallel_workers_per_gather", none)
#define JOINS(off)                                                                                 \
    SET("enable_hashjoin", off)                                                                    \
    SET("enable_mergejoin", off)                                                                   \
    SET("enable_seqscan", off) SET("enable_material", off) SET("enable_memoize", off)
#define LOOK_UP(off, none, memory, plan)                                                           \
    QUICK(off, none) JOINS(off) SET("work_mem", memory) SET("plan_cache_mode", plan)

static const char set_quick[] = QUICK("'off'", "'0'");
static const char set_look_up[] = LOOK_UP("'off'", "'0'", "'256kB'", "'force_generic_plan'");
static const char set_default[] = LOOK_UP("NULL", "NULL", "NULL", "NULL");

/* Runs one statement for some tenants, its only parameter, or with NULL for all; the planner is as
 * it was afterwards. A session that asks again keeps it planned. */
static bool run_sql(Arena *arena, Store *store, const char *sql, const char *tenants,
                    PgBatch **ret_batch, size_t *ret_answer, Err *err)
{
    const bool is_fleet = tenants == NULL;
    const PgParams params = is_fleet ? PG_NO_PARAMS : PG_PARAMS(tenants);
    PgBatch *batch = pg_batch_new(arena);
    pg_batch_add_fixed(batch, is_fleet ? set_quick : set_look_up, PG_NO_PARAMS);
    *ret_answer = is_fleet ? pg_batch_add(batch, sql, params)
                           : pg_batch_add_fixed(batch, sql, params);
    pg_batch_add_fixed(batch, set_default, PG_NO_PARAMS);
    *ret_batch = batch;
    return pg_batch_run(store->conn, batch, err);
}

static bool ask(Arena *arena, Store *store, const char *sql, const char *tenants, RulePlan *plan,
                IsolationResult *result, Err *err)
{
    scoped_batch PgBatch *batch = NULL;
    size_t answer = 0;
    return run_sql(arena, store, sql, tenants, &batch, &answer, err) &&
           take_rows(pg_batch_rows(batch, answer), plan, result, err);
}

static bool run_statement(Arena *arena, Store *store, RulePlan *plan, const char *tenants,
                          bool is_first, IsolationResult *result, Err *err)
{
    const char *sql = NULL;
    return rule_sql_statement(arena, plan, tenants == NULL, is_first, &sql, err) &&
           (sql == NULL || ask(arena, store, sql, tenants, plan, result, err));
}

static bool run_statements(Arena *arena, Store *store, RulePlan *plan, const char *tenants,
                           IsolationResult *result, Err *err)
{
    return run_statement(arena, store, plan, tenants, true, result, err) &&
           run_statement(arena, store, plan, tenants, false, result, err);
}

static bool add_snapshot(Arena *arena, PgBatch *batch, Err *err)
{
    const char *create = NULL;
    const char *analyze = NULL;
    pg_batch_add_fixed(batch, set_quick, PG_NO_PARAMS);
    for (size_t i = 0; rule_sql_table(arena, i, &create, &analyze, err); i++) {
        if (create == NULL) {
            return true;
        }
        pg_batch_add(batch, create, PG_NO_PARAMS);
        pg_batch_add(batch, analyze, PG_NO_PARAMS);
    }
    return false;
}

static bool run_tables(Arena *arena, Store *store, RulePlan *plan, IsolationResult *result,
                       Err *err)
{
    const char *part = NULL;
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    if (!add_snapshot(arena, batch, err) || !rule_sql_digest(arena, &part, err)) {
        return false;
    }
    const size_t first = pg_batch_add(batch, part, PG_NO_PARAMS);
    for (size_t i = 0; i < rule_sql_count(); i++) {
        if (rule_sql_is_asked(plan, i)) {
            if (!rule_sql_rule(arena, i, &part, err)) {
                return false;
            }
            pg_batch_add(batch, part, PG_NO_PARAMS);
        }
    }
    if (!pg_batch_run(store->conn, batch, err)) {
        return false;
    }
    for (size_t i = first; i < pg_batch_count(batch); i++) {
        if (!take_rows(pg_batch_rows(batch, i), plan, result, err)) {
            return false;
        }
    }
    return true;
}

/* Without the right to make temporary tables the fleet is one statement too; only slower. */
static bool run_snapshot(Arena *arena, Store *store, const char *tenant_id, IsolationResult *result,
                         Err *err)
{
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    pg_batch_add(batch, "BEGIN ISOLATION LEVEL REPEATABLE READ", PG_NO_PARAMS);
    const size_t answer = store_batch(batch, ISOLATION_PLAN, PG_PARAMS(tenant_id));
    if (!pg_batch_run(store->conn, batch, err)) {
        return false;
    }
    const PgRows *rows = pg_batch_rows(batch, answer);
    RulePlan plan = {.is_super = pg_rows_bool(rows, 0, 1),
                     .is_row = pg_rows_bool(rows, 0, 2),
                     .has_mappings = pg_rows_bool(rows, 0, 3)};
    list_unchecked(arena, &plan, result);
    return tenant_id == NULL && pg_rows_bool(rows, 0, 0)
               ? run_tables(arena, store, &plan, result, err)
               : run_statements(arena, store, &plan,
                                tenant_id == NULL ? NULL : pg_array_of(arena, &tenant_id, 1),
                                result, err);
}

bool isolation_check_rules(Arena *arena, Store *store, const char *tenant_id,
                           IsolationResult *ret_result, Err *err)
{
    IsolationResult result = {.list = {.arena = arena}};
    const bool is_done = run_snapshot(arena, store, tenant_id, &result, err);
    pg_rollback(store->conn);
    if (!is_done) {
        return err_prefix(err, "the rules of isolation");
    }
    isolation_finish_findings(&result.list);
    *ret_result = result;
    return true;
}

static bool is_severe(const Finding *finding)
{
    return finding->check->severity <= SEVERITY_HIGH;
}

/* The first severe finding that nobody answers for, or NULL. Evidence is taken with the definition
 * for that, and told without. */
static bool find_first(Arena *arena, Store *store, const FindingList *list,
                       const Finding **ret_first, Err *err)
{
    Acceptances accepted;
    FindingList defined = {
        .arena = arena, .findings = ARENA_ARRAY(arena, Finding, list->count), .count = list->count};
    memcpy(defined.findings, list->findings, list->count * sizeof *list->findings);
    if (!isolation_load_acceptances(arena, store, &accepted, err) ||
        (accepted.count > 0 && !isolation_add_definitions(arena, store, &defined, err))) {
        return false;
    }
    *ret_first = NULL;
    for (size_t i = 0; i < list->count && *ret_first == NULL; i++) {
        if (is_severe(&list->findings[i]) &&
            isolation_find_acceptance(&accepted, &defined.findings[i]) == NULL) {
            *ret_first = &list->findings[i];
        }
    }
    return true;
}

/* ERR_ISOLATION when a finding is severe and not accepted. */
static bool judge(Arena *arena, Store *store, IsolationResult *result, bool *ret_is_whole, Err *err)
{
    const Finding *first = NULL;
    isolation_finish_findings(&result->list);
    *ret_is_whole = result->list.count == 0 || !is_severe(&result->list.findings[0]);
    if (*ret_is_whole) {
        return true;
    }
    if (!find_first(arena, store, &result->list, &first, err)) {
        return false;
    }
    if (first == NULL) {
        return true;
    }
    ERR_SET(err, ERR_ISOLATION, NULL, "isolation is not whole: %s, %s: %s", first->check->id,
            first->object, first->evidence);
    if (first->mend != NULL) {
        err_hint(err, "as a superuser: %s", first->mend);
    }
    return false;
}

/* *ret_is_whole: nothing severe was found, which is more than that all of it is accepted. */
static bool require(Arena *arena, Store *store, const char *const *tenant_ids, size_t count,
                    bool *ret_is_whole, Err *err)
{
    RulePlan plan = {.is_birth = true};
    IsolationResult result = {.list = {.arena = arena}};
    if (!run_statements(arena, store, &plan, pg_array_of(arena, tenant_ids, count), &result, err)) {
        return err_prefix(err, "the rules of isolation");
    }
    return judge(arena, store, &result, ret_is_whole, err);
}

bool isolation_require_each(Arena *arena, Store *store, const char *const *tenant_ids, size_t count,
                            Err *err)
{
    bool is_whole = false;
    return require(arena, store, tenant_ids, count, &is_whole, err);
}

bool isolation_require(Arena *arena, Store *store, const char *tenant_id, Err *err)
{
    return isolation_require_each(arena, store, &tenant_id, 1, err);
}

/* --- places ----------------------------------------------------------------------------------- */

/* What a place is like now, and what it, or one like it, was like when the rules last passed. */
typedef struct PlaceState {
    const char *place_id; /* NULL: there is nothing to compare */
    const char *known;    /* NULL: never */
    const char *digest;
    StatementId keep; /* what makes the digest the known one */
} PlaceState;

static void read_state(Arena *arena, const PgRows *rows, StatementId keep, PlaceState *ret_state)
{
    *ret_state = (PlaceState){.keep = keep};
    if (pg_rows_count(rows) == 1) {
        ret_state->place_id = arena_strdup(arena, pg_rows_text(rows, 0, 0));
        ret_state->known = arena_strdup(arena, pg_rows_text(rows, 0, 1));
        ret_state->digest = arena_strdup(arena, pg_rows_text(rows, 0, 2));
    }
}

static bool is_known(const PlaceState *state)
{
    return state->place_id == NULL ||
           (state->known != NULL && strcmp(state->known, state->digest) == 0);
}

/* The digest was read before the rules: a change between the two leaves one that is no longer
 * right, never one that no rule has seen. A place whose findings are accepted is asked each time:
 * acceptances end. */
static bool require_state(Arena *arena, Store *store, const char *tenant_id,
                          const PlaceState *state, Err *err)
{
    bool is_whole = false;
    if (!require(arena, store, &tenant_id, 1, &is_whole, err)) {
        return false;
    }
    return !is_whole || is_known(state) ||
           store_query(store, state->keep, PG_PARAMS(state->place_id, state->digest), NULL, err);
}

/* The planner stays as it is for this until the transaction ends, which what asks is about to do.
 */
static bool ask_state(Arena *arena, Store *store, const char *question, PgParams params,
                      StatementId keep, PlaceState *ret_state, Err *err)
{
    const char *sql = NULL;
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    if (!rule_sql_question(arena, question, &sql, err)) {
        return false;
    }
    pg_batch_add_fixed(batch, set_look_up, PG_NO_PARAMS);
    const size_t answer = pg_batch_add_fixed(batch, sql, params);
    if (!pg_batch_run(store->conn, batch, err)) {
        return err_prefix(err, "the rules of isolation");
    }
    read_state(arena, pg_batch_rows(batch, answer), keep, ret_state);
    return true;
}

bool isolation_require_spare(Arena *arena, Store *store, const char *tenant_id, Err *err)
{
    PlaceState state = {0};
    return ask_state(arena, store, "place_digest", PG_PARAMS(tenant_id, "true", TENANTRY_VERSION),
                     PLACE_SET_DIGEST, &state, err) &&
           (is_known(&state) || require_state(arena, store, tenant_id, &state, err));
}

/* Where there is no text the rules are asked each time. */
bool isolation_require_made(Arena *arena, Store *store, const char *tenant_id, Err *err)
{
    PlaceState state = {0};
    if (!ask_state(arena, store, "place_shape", PG_PARAMS(tenant_id, TENANTRY_VERSION),
                   PLACE_SET_SHAPE, &state, err)) {
        return false;
    }
    return state.place_id == NULL
               ? isolation_require(arena, store, tenant_id, err)
               : is_known(&state) || require_state(arena, store, tenant_id, &state, err);
}

static bool ask_map(Arena *arena, Store *store, const char *tenant_id, bool *ret_is_mapped,
                    Err *err)
{
    const char *sql = NULL;
    scoped_rows PgRows *rows = NULL;
    if (!rule_sql_question(arena, "birth_map", &sql, err) ||
        !pg_query_fixed(store->conn, sql, PG_PARAMS(tenant_id), &rows, err)) {
        return false;
    }
    *ret_is_mapped = !pg_rows_bool(rows, 0, 0);
    return true;
}

enum { JOIN_PLANNER, JOIN_BIRTH, JOIN_PLACE, JOIN_COUNT_ };

bool isolation_add_join(Arena *arena, PgBatch *batch, const char *tenant_id,
                        IsolationJoin *ret_join, Err *err)
{
    const char *birth = NULL;
    const char *place = NULL;
    if (!rule_sql_question(arena, "birth", &birth, err) ||
        !rule_sql_question(arena, "place_digest", &place, err)) {
        return false;
    }
    *ret_join = (IsolationJoin){.tenant_id = tenant_id,
                                .first = pg_batch_add_fixed(batch, set_look_up, PG_NO_PARAMS)};
    pg_batch_add_fixed(batch, birth, PG_PARAMS(tenant_id));
    pg_batch_add_fixed(batch, place, PG_PARAMS(tenant_id, "false", TENANTRY_VERSION));
    return true;
}

static bool run_join(Store *store, PgBatch *batch, const IsolationJoin *join, Err *err)
{
    const bool is_done = pg_batch_run(store->conn, batch, err);
    for (size_t i = 0; i < JOIN_COUNT_ && !is_done; i++) {
        if (pg_batch_has_failed_at(batch, join->first + i)) {
            return err_prefix(err, "the rules of isolation");
        }
    }
    return is_done;
}

bool isolation_require_join(Arena *arena, Store *store, PgBatch *batch, const IsolationJoin *join,
                            Err *err)
{
    bool is_mapped = true;
    PlaceState state = {0};
    if (!run_join(store, batch, join, err)) {
        return false;
    }
    const PgRows *birth = pg_batch_rows(batch, join->first + JOIN_BIRTH);
    const bool is_found = pg_rows_count(birth) == 1;
    read_state(arena, pg_batch_rows(batch, join->first + JOIN_PLACE), PLACE_SET_DIGEST, &state);
    if (is_found && pg_rows_bool(birth, 0, 1) &&
        !ask_map(arena, store, join->tenant_id, &is_mapped, err)) {
        return false;
    }
    return (is_found && !pg_rows_bool(birth, 0, 0) && is_mapped && is_known(&state)) ||
           require_state(arena, store, join->tenant_id, &state, err);
}

bool isolation_renew_place(Arena *arena, Store *store, const char *place_id, Err *err)
{
    Err why;
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, PLACE_JOINER, PG_PARAMS(place_id), &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0 ||
        isolation_require_spare(arena, store, pg_rows_text(rows, 0, 0), &why)) {
        return true;
    }
    if (why.code != ERR_ISOLATION) {
        *err = why;
        return false;
    }
    log_warn("isolation.place", "creates in this place are refused: %s", why.message);
    return true;
}
