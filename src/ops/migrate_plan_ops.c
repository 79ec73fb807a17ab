#include "ops/context.h"
#include "ops/lint_answer.h"
#include "rollout/plan.h"

enum { NAME_CHARS = 100, WHERE_CHARS = 4000 };

static bool run_plan(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    return op_store(context, &store, err) &&
           rollout_plan(context->arena, store, json_get_text(args, "blueprint", ""),
                        json_get_int(args, "to", 0), json_object_get(args, "tenant"),
                        json_get_text(args, "where", NULL), ret_answer, err);
}

static const Field group_fields[] = {
    {"from_version", FIELD_INT, .help = "the version that they are at"},
    {"to_version", FIELD_INT, .help = "the version that they would be at"},
    {"places", FIELD_INT, .help = "how many"},
    {"quarantined", FIELD_INT, .help = "of them in quarantine; only \"migrate retry\" moves these"},
    {"scripts", FIELD_INT, .help = "scripts that each would run"},
    {"relations", FIELD_INT, .help = "relations that each would get, at least"},
    {"relations_of_all", FIELD_INT, .help = "relations that all would get together"},
    {0},
};

static const Field script_fields[] = {
    {"version", FIELD_INT, .help = "the version that it leads to"},
    {"file", FIELD_TEXT, .help = "file"},
    {"statements", FIELD_INT, .help = "statements in it"},
    {"relations", FIELD_INT, .help = "relations that it adds, at least"},
    {"strongest_lock", FIELD_TEXT, .is_nullable = true,
     .help = "the strongest lock that it takes on what is there"},
    {"has_down", FIELD_BOOL, .help = "whether there is a way back"},
    {0},
};

static const Field statement_fields[] = {
    {"file", FIELD_TEXT, .help = "file"},
    {"line", FIELD_INT, .help = "line of its first word"},
    {"statement", FIELD_TEXT, .help = "how it begins"},
    {"locks", FIELD_TEXTS, .help = "table, mode, and whether the table is read or written whole"},
    {0},
};

static const Field lock_fields[] = {
    {"file", FIELD_TEXT, .help = "file"},
    {"line", FIELD_INT, .help = "line of the statement"},
    {"table", FIELD_TEXT, .help = "a table, a view or an index"},
    {"mode", FIELD_TEXT, .help = "as PostgreSQL names it"},
    {"work", FIELD_TEXT, .is_nullable = true,
     .help = "empties, scans, indexes, rewrites, or nothing"},
    {"largest_bytes", FIELD_BYTES, .is_nullable = true,
     .help = "of the largest of these tables, where writers wait for the work"},
    {"largest_ms", FIELD_INT, .is_nullable = true, .help = "roughly how long they wait there"},
    {"all_ms", FIELD_INT, .is_nullable = true, .help = "roughly how long in all places together"},
    {0},
};

const Operation op_migrate_plan = {
    .name = "migrate.plan",
    .summary = "Tell what \"migrate up\" would run where, and what it would lock.",
    .description =
        "Places are grouped by the version that they are at. Locks are those on what is there "
        "before the script, by the text alone: what functions, triggers and DO blocks do is not "
        "seen. Nothing is changed or locked.",
    .access = ACCESS_VIEWER,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/blueprints/{blueprint}/rollout-plan"},
    .params = (const Param[]){{"blueprint", PARAM_TEXT, .is_positional = true, .is_required = true,
                               .most = NAME_CHARS, .help = "The blueprint."},
                              {"to", PARAM_INT, .least = 1, .most = INT32_MAX,
                               .help = "The version; the newest if not given."},
                              {"tenant", PARAM_SLUG, .is_repeated = true,
                               .help = "Only this tenant; all if not given."},
                              {"where", PARAM_TEXT, .most = WHERE_CHARS,
                               .help = "Only tenants of the schema tier that this is true for."},
                              {0}},
    .result = (const Field[]){{"blueprint", FIELD_TEXT, .help = "the blueprint"},
                              {"version", FIELD_INT, .help = "the version to reach"},
                              {"places", FIELD_INT, .help = "places that are not there yet"},
                              {"quarantined", FIELD_INT, .help = "of them in quarantine"},
                              {"relations", FIELD_INT,
                               .help = "relations that all places would get together, at least"},
                              {"lock_ms", FIELD_INT,
                               .help = "milliseconds that writers of all places would wait, "
                                       "roughly"},
                              {"groups", FIELD_LIST, .fields = group_fields,
                               .help = "by the version that they are at, the oldest first"},
                              {"scripts", FIELD_LIST, .fields = script_fields,
                               .help = "in the order in which they would run"},
                              {"statements", FIELD_LIST, .fields = statement_fields,
                               .help = "of the scripts"},
                              {"locks", FIELD_LIST, .fields = lock_fields, .is_wide = true,
                               .help = "the locks of the statements, a row for each"},
                              {"hazards", FIELD_LIST, .fields = lint_finding_fields,
                               .help = "what \"migrate lint\" finds in the scripts"},
                              {0}},
    .examples = (const OpExample[]){{"migrate plan trading", "before: migrate up trading"},
                                    {"migrate plan trading --to 3", "not the newest version"},
                                    {0}},
    .run = run_plan,
};
