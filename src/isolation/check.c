/* Reading the catalogue and asking the rules.
 *
 * The snapshot is a list of relations, each a query over the catalogue and those before it; the
 * rules are queries over them. For one tenant everything is one statement, the snapshot its CTEs:
 * no catalogue is written. Planning a hundred rules would take longer than all else, so most have a
 * sieve: a piece of the snapshot that is empty where all is well; a second statement has the rules
 * whose sieve is not. For the fleet the snapshot is temporary tables with statistics, since
 * the planner must know how many rows there are, and the transaction is rolled back. */
#include <stdlib.h>
#include <string.h>

#include "core/embedded_file.h"
#include "core/strbuf.h"
#include "isolation/isolation.h"

/* When a rule is asked. */
typedef enum Scope {
    SCOPE_BIRTH, /* always, also by isolation_require */
    SCOPE_CHECK, /* by isolation_check_rules */
    SCOPE_SUPER, /* the same, when the role may read what others may not */
} Scope;

typedef struct Rule {
    const char *id;
    Scope scope;
    const char *sieve; /* a piece of the snapshot: where it is empty, so is the rule; or NULL */
} Rule;

#define RULE(id, severity, tiers, scope, sieve, title, why) {id, scope, sieve},
static const Rule rules[] = {
#include "isolation/rules.def"
};
#undef RULE

enum { RULES = sizeof rules / sizeof *rules };

/* In the order of their needs. `by_reach`: a file for one tenant and another for the fleet. */
typedef struct Piece {
    const char *name;
    bool by_reach;
} Piece;

static const Piece pieces[] = {
    {"iso_target", true},   {"iso_place", false},    {"iso_own", false},
    {"iso_reach", false},   {"iso_relation", false}, {"iso_function", false},
    {"iso_type", false},    {"iso_object", false},   {"iso_acl", false},
    {"iso_outside", false}, {"iso_far", true},       {"iso_holder", false},
    {"iso_role", false},    {"iso_outgoing", true},  {"iso_reference", false},
    {"iso_space", false},   {"iso_grant", false},    {"iso_excess", false},
    {"iso_member", false},  {"iso_misowned", false}, {"iso_definer", false},
    {"iso_power", false},   {"iso_setting", false},  {"iso_shared", false},
    {"iso_map", true},
};

enum { PIECES = sizeof pieces / sizeof *pieces };
#define SIEVE_MARK "?"
enum { COLUMN_RULE, COLUMN_TENANT, COLUMN_OTHER, COLUMN_OBJECT, COLUMN_EVIDENCE, COLUMN_MEND };

static bool find_sql(Arena *arena, const char *folder, const char *name, const char *suffix,
                     const char **ret_sql, Err *err)
{
    const char *path = arena_printf(arena, "src/isolation/%s/%s%s.sql", folder, name, suffix);
    const EmbeddedFile *file = embedded_file_find(path);
    if (file == NULL) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "\"%s\" is not in the binary", path);
    }
    *ret_sql = file->text;
    return true;
}

static bool find_piece(Arena *arena, const Piece *piece, bool is_fleet, const char **ret_sql,
                       Err *err)
{
    const char *suffix = !piece->by_reach ? "" : is_fleet ? "_fleet" : "_tenant";
    return find_sql(arena, "snapshot", piece->name, suffix, ret_sql, err);
}

/* --- which rules ------------------------------------------------------------------------------ */

typedef struct Plan {
    bool is_birth;
    bool is_super;
    bool has_rows[PIECES]; /* of the sieves */
    bool is_whole_needed;  /* birth.sql says that the place is new */
} Plan;

static bool is_asked(const Plan *plan, const Rule *rule)
{
    return rule->scope == SCOPE_BIRTH ||
           (!plan->is_birth && (rule->scope == SCOPE_CHECK || plan->is_super));
}

static size_t find_piece_number(const char *name)
{
    size_t i = 0;
    while (strcmp(pieces[i].name, name) != 0) {
        if (++i == PIECES) {
            abort(); /* a sieve of the table that is no piece: every check would meet it */
        }
    }
    return i;
}

/* Whether the rule is part of this statement: the first has those without a sieve, the second those
 * whose sieve let something through. */
static bool is_in_statement(const Plan *plan, const Rule *rule, bool is_first)
{
    if (!is_asked(plan, rule)) {
        return false;
    }
    return rule->sieve == NULL ? is_first
                               : !is_first && plan->has_rows[find_piece_number(rule->sieve)];
}

static bool rule_sql(Arena *arena, const Rule *rule, const char **ret_sql, Err *err)
{
    const char *body = NULL;
    if (!find_sql(arena, "rules", rule->id, "", &body, err)) {
        return false;
    }
    /* The id is a word of our own table. */
    *ret_sql = arena_printf(arena,
                            "SELECT '%s', r.tenant_id::text, r.other_id::text, r.object::text,"
                            " r.evidence::text, r.mend::text FROM (%s) r",
                            rule->id, body);
    return true;
}

/* The digest, in the form of a finding: digest and number of tenants. */
static bool digest_sql(Arena *arena, const char **ret_sql, Err *err)
{
    const char *body = NULL;
    if (!find_sql(arena, "snapshot", "digest", "", &body, err)) {
        return false;
    }
    *ret_sql = arena_printf(
        arena,
        "SELECT '', NULL, NULL, r.digest, r.tenants::text, NULL FROM (%s) r (digest, tenants)",
        body);
    return true;
}

/* --- one tenant: one statement ---------------------------------------------------------------- */

static bool add_pieces(Arena *arena, bool is_fleet, StrBuf *sql, Err *err)
{
    const char *part = NULL;
    for (size_t i = 0; i < PIECES; i++) {
        if (!find_piece(arena, &pieces[i], is_fleet, &part, err)) {
            return false;
        }
        strbuf_printf(sql, "%s %s AS MATERIALIZED (%s)", i == 0 ? "WITH" : ",", pieces[i].name,
                      part);
    }
    return true;
}

/* The sieves that have rows, in the form of findings: SIEVE_MARK and the piece's name. */
static void add_sieves(const Plan *plan, StrBuf *sql)
{
    bool is_sieve[PIECES] = {false};
    for (size_t i = 0; i < RULES; i++) {
        if (rules[i].sieve != NULL && is_asked(plan, &rules[i])) {
            is_sieve[find_piece_number(rules[i].sieve)] = true;
        }
    }
    for (size_t i = 0; i < PIECES; i++) {
        if (is_sieve[i]) {
            strbuf_printf(sql,
                          " UNION ALL SELECT '" SIEVE_MARK "', NULL, NULL, '%s', NULL, NULL"
                          " WHERE EXISTS (SELECT FROM %s)",
                          pieces[i].name, pieces[i].name);
        }
    }
}

/* *ret_sql is NULL when no rule is left for the statement. */
static bool build_statement(Arena *arena, const Plan *plan, bool is_fleet, bool is_first,
                            const char **ret_sql, Err *err)
{
    StrBuf sql = strbuf_init(arena);
    const char *part = NULL;
    const char *separator = "";
    if (!add_pieces(arena, is_fleet, &sql, err)) {
        return false;
    }
    for (size_t i = 0; i < RULES; i++) {
        if (is_in_statement(plan, &rules[i], is_first)) {
            if (!rule_sql(arena, &rules[i], &part, err)) {
                return false;
            }
            strbuf_printf(&sql, "%s %s", separator, part);
            separator = " UNION ALL";
        }
    }
    if (is_first && !plan->is_birth) {
        if (!digest_sql(arena, &part, err)) {
            return false;
        }
        strbuf_printf(&sql, "%s %s", separator, part);
    }
    if (is_first) {
        add_sieves(plan, &sql);
    }
    *ret_sql = *separator == '\0' ? NULL : sql.text;
    return true;
}

/* --- findings --------------------------------------------------------------------------------- */

/* A piece that has rows; without a name: everything is new and must be asked. */
static void note_sieve(Plan *plan, const char *name)
{
    if (name == NULL) {
        plan->is_whole_needed = true;
    } else {
        plan->has_rows[find_piece_number(name)] = true;
    }
}

static bool take_rows(const PgRows *rows, Plan *plan, IsolationResult *result, Err *err)
{
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const char *id = pg_rows_text(rows, i, COLUMN_RULE);
        if (strcmp(id, SIEVE_MARK) == 0) {
            note_sieve(plan, pg_rows_text(rows, i, COLUMN_OBJECT));
            continue;
        }
        if (*id == '\0') {
            result->catalogue = arena_strdup(result->list.arena,
                                             pg_rows_text(rows, i, COLUMN_OBJECT));
            result->tenants = pg_rows_int(rows, i, COLUMN_EVIDENCE);
            continue;
        }
        const Finding finding = {.check = isolation_find_check(id),
                                 .tenant_id = pg_rows_text(rows, i, COLUMN_TENANT),
                                 .other_id = pg_rows_text(rows, i, COLUMN_OTHER),
                                 .object = pg_rows_text(rows, i, COLUMN_OBJECT),
                                 .evidence = pg_rows_text(rows, i, COLUMN_EVIDENCE),
                                 .mend = pg_rows_text(rows, i, COLUMN_MEND)};
        if (finding.check == NULL) {
            return ERR_SET(err, ERR_INTERNAL, NULL, "a query names the rule \"%s\", there is none",
                           id);
        }
        if (!isolation_add_finding(result, &finding, err)) {
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
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        if (orders[i] != 0) {
            return orders[i];
        }
    }
    return 0;
}

/* Two ways to the same right are one thing to mend first. */
void isolation_finish_findings(FindingList *list)
{
    size_t kept = 0;
    if (list->count > 0) {
        qsort(list->findings, list->count, sizeof *list->findings, compare_findings);
    }
    for (size_t i = 0; i < list->count; i++) {
        if (kept == 0 || strcmp(list->findings[kept - 1].id, list->findings[i].id) != 0) {
            list->findings[kept++] = list->findings[i];
        }
    }
    list->count = kept;
}

static void list_unchecked(Arena *arena, const Plan *plan, IsolationResult *result)
{
    Unchecked *unchecked = ARENA_ARRAY(arena, Unchecked, RULES);
    size_t count = 0;
    for (size_t i = 0; i < RULES; i++) {
        if (is_asked(plan, &rules[i])) {
            result->rules++;
        } else {
            unchecked[count++] = (Unchecked){
                .check_id = rules[i].id,
                .reason = "the control role is no superuser and may not read this"};
        }
    }
    result->unchecked = unchecked;
    result->unchecked_count = count;
}

/* --- running ---------------------------------------------------------------------------------- */

/* How the planner works for the length of a check. Just-in-time compilation and parallel workers
 * take longer to start than all of this; for one tenant every join is a few look-ups by index,
 * which the planner cannot know of a snapshot without statistics. */
static const char *const quick_settings[] = {"jit"};
static const char *const look_up_settings[] = {"jit", "enable_hashjoin", "enable_mergejoin",
                                               "enable_seqscan", "enable_material"};

static void add_settings(Arena *arena, PgBatch *batch, const char *const *names, size_t count,
                         const char *value)
{
    for (size_t i = 0; i < count; i++) {
        pg_batch_add(batch, arena_printf(arena, "SET LOCAL %s TO %s", names[i], value),
                     PG_NO_PARAMS);
    }
    pg_batch_add(batch,
                 arena_printf(arena, "SET LOCAL max_parallel_workers_per_gather TO %s",
                              strcmp(value, "off") == 0 ? "0" : value),
                 PG_NO_PARAMS);
}

/* Runs one statement for one tenant or all; the planner is as it was afterwards. */
static bool run_sql(Arena *arena, Store *store, const char *sql, const char *tenant_id, Plan *plan,
                    IsolationResult *result, Err *err)
{
    const bool is_fleet = tenant_id == NULL;
    const char *const *settings = is_fleet ? quick_settings : look_up_settings;
    const size_t count = is_fleet ? sizeof quick_settings / sizeof *quick_settings
                                  : sizeof look_up_settings / sizeof *look_up_settings;
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    add_settings(arena, batch, settings, count, "off");
    const size_t answer = pg_batch_add(batch, sql, is_fleet ? PG_NO_PARAMS : PG_PARAMS(tenant_id));
    add_settings(arena, batch, settings, count, "DEFAULT");
    return pg_batch_run(store->conn, batch, err) &&
           take_rows(pg_batch_rows(batch, answer), plan, result, err);
}

static bool run_statement(Arena *arena, Store *store, Plan *plan, const char *tenant_id,
                          bool is_first, IsolationResult *result, Err *err)
{
    const char *sql = NULL;
    return build_statement(arena, plan, tenant_id == NULL, is_first, &sql, err) &&
           (sql == NULL || run_sql(arena, store, sql, tenant_id, plan, result, err));
}

static bool run_statements(Arena *arena, Store *store, Plan *plan, const char *tenant_id,
                           IsolationResult *result, Err *err)
{
    return run_statement(arena, store, plan, tenant_id, true, result, err) &&
           run_statement(arena, store, plan, tenant_id, false, result, err);
}

/* Names of pieces are words of our own table. */
static bool add_snapshot(Arena *arena, PgBatch *batch, Err *err)
{
    const char *part = NULL;
    add_settings(arena, batch, quick_settings, sizeof quick_settings / sizeof *quick_settings,
                 "off");
    for (size_t i = 0; i < PIECES; i++) {
        if (!find_piece(arena, &pieces[i], true, &part, err)) {
            return false;
        }
        pg_batch_add(batch,
                     arena_printf(arena, "CREATE TEMPORARY TABLE %s ON COMMIT DROP AS %s",
                                  pieces[i].name, part),
                     PG_NO_PARAMS);
        pg_batch_add(batch, arena_printf(arena, "ANALYZE pg_temp.%s", pieces[i].name),
                     PG_NO_PARAMS);
    }
    return true;
}

static bool run_tables(Arena *arena, Store *store, Plan *plan, IsolationResult *result, Err *err)
{
    const char *part = NULL;
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    if (!add_snapshot(arena, batch, err) || !digest_sql(arena, &part, err)) {
        return false;
    }
    const size_t first = pg_batch_add(batch, part, PG_NO_PARAMS);
    for (size_t i = 0; i < RULES; i++) {
        if (is_asked(plan, &rules[i])) {
            if (!rule_sql(arena, &rules[i], &part, err)) {
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
    scoped_rows PgRows *rows = NULL;
    if (!pg_query(store->conn, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", PG_NO_PARAMS,
                  NULL, err) ||
        !pg_query_row(store->conn,
                      "SELECT has_database_privilege(current_database(), 'TEMPORARY'),"
                      " current_setting('is_superuser') = 'on'",
                      PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    Plan plan = {.is_super = pg_rows_bool(rows, 0, 1)};
    list_unchecked(arena, &plan, result);
    return tenant_id == NULL && pg_rows_bool(rows, 0, 0)
               ? run_tables(arena, store, &plan, result, err)
               : run_statements(arena, store, &plan, tenant_id, result, err);
}

bool isolation_check_rules(Arena *arena, Store *store, const char *tenant_id,
                           IsolationResult *ret_result, Err *err)
{
    IsolationResult result = {.list = {.arena = arena}};
    if (!pg_begin(store->conn, err)) {
        return false;
    }
    const bool is_done = run_snapshot(arena, store, tenant_id, &result, err);
    pg_rollback(store->conn);
    if (!is_done) {
        return err_prefix(err, "the rules of isolation");
    }
    isolation_finish_findings(&result.list);
    *ret_result = result;
    return true;
}

/* ERR_ISOLATION when a finding is severe. */
static bool judge(IsolationResult *result, Err *err)
{
    isolation_finish_findings(&result->list);
    if (result->list.count == 0 || result->list.findings[0].check->severity > SEVERITY_HIGH) {
        return true;
    }
    const Finding *first = &result->list.findings[0];
    ERR_SET(err, ERR_ISOLATION, NULL, "isolation is not whole: %s, %s: %s", first->check->id,
            first->object, first->evidence);
    if (first->mend != NULL) {
        err_hint(err, "as a superuser: %s", first->mend);
    }
    return false;
}

bool isolation_require(Arena *arena, Store *store, const char *tenant_id, Err *err)
{
    Plan plan = {.is_birth = true};
    IsolationResult result = {.list = {.arena = arena}};
    if (!run_statements(arena, store, &plan, tenant_id, &result, err)) {
        return err_prefix(err, "the rules of isolation");
    }
    return judge(&result, err);
}

bool isolation_require_created(Arena *arena, Store *store, const char *tenant_id, Err *err)
{
    Plan plan = {.is_birth = true};
    IsolationResult result = {.list = {.arena = arena}};
    const char *sql = NULL;
    if (!find_sql(arena, "snapshot", "birth", "", &sql, err) ||
        !run_sql(arena, store, sql, tenant_id, &plan, &result, err)) {
        return err_prefix(err, "the rules of isolation");
    }
    return plan.is_whole_needed ? isolation_require(arena, store, tenant_id, err)
                                : judge(&result, err);
}
