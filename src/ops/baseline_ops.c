/* Saying at which version places stand. The work is in rollout/baseline.c. */
#include "ops/context.h"
#include "ops/drift_answer.h"
#include "rollout/baseline.h"

enum { SHOWN_DIFFERENCES = 1000 };

static void put_report(const BaselineReport *report, Json *answer)
{
    Json *list = json_array();
    for (size_t i = 0; i < report->difference_count; i++) {
        json_array_append_new(list, drift_difference_to_json(&report->differences[i]));
    }
    json_put_int(answer, "places", (int64_t)report->count);
    json_put_int(answer, "drifted", report->drifted);
    json_put(answer, "differences", list);
}

/* Compares, and rolls back what locks that took. */
static bool look(OpContext *context, Store *store, const Json *args, Json *answer, Err *err)
{
    BaselineReport report;
    const bool is_done = pg_begin(store->conn, err) &&
                         baseline_look(context->arena, store, args, SHOWN_DIFFERENCES, &report,
                                       err);
    pg_rollback(store->conn);
    if (is_done) {
        put_report(&report, answer);
        json_put(answer, "job", json_null());
        json_put_text(answer, "outcome", "nothing was recorded");
    }
    return is_done;
}

static bool record(OpContext *context, Store *store, const Json *args, Json *answer, Err *err)
{
    int64_t job_id = 0;
    scoped_rows PgRows *rows = NULL;
    if (!op_run_job(context, &baseline_job, json_get_text(args, "blueprint", ""), NULL, args,
                    &job_id, err) ||
        !store_query(store, BASELINE_COUNTS, PG_PARAMS(pg_int_text(context->arena, job_id)), &rows,
                     err)) {
        return false;
    }
    json_put_int(answer, "job", job_id);
    json_put_int(answer, "places", pg_rows_int(rows, 0, 0));
    json_put_int(answer, "drifted", pg_rows_int(rows, 0, 1));
    json_put(answer, "differences", json_array());
    json_put_text(answer, "outcome", "the version was recorded");
    return true;
}

static bool run_baseline(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    scoped_json Json *job_args = json_deep_copy(args);
    scoped_json Json *answer = json_object();
    const Json *tenants = json_object_get(args, "tenant");
    json_put(job_args, "tenants", tenants == NULL ? json_array() : json_deep_copy(tenants));
    json_object_del(job_args, "tenant");
    json_object_del(job_args, "at");
    json_object_del(job_args, "dry-run");
    json_put_int(job_args, "version", json_get_int(args, "at", 0));
    json_put_text(answer, "blueprint", json_get_text(args, "blueprint", ""));
    json_put_int(answer, "version", json_get_int(args, "at", 0));
    if (!op_store(context, &store, err)) {
        return false;
    }
    if (!(json_get_bool(args, "dry-run", false) ? look(context, store, job_args, answer, err)
                                                : record(context, store, job_args, answer, err))) {
        Err ignored;
        if (err->code == ERR_DRIFT && look(context, store, job_args, answer, &ignored)) {
            *ret_answer = json_incref(answer); /* the objects, beside the error */
        }
        return false;
    }
    *ret_answer = json_incref(answer);
    return true;
}

const Operation op_migrate_baseline = {
    .name = "migrate.baseline",
    .summary = "Record at which version places stand, without running anything.",
    .description =
        "For tenants that were moved by hand, or adopted at the wrong version. Each place is "
        "compared with the version first; where one differs, nothing is recorded.",
    .access = ACCESS_ADMIN,
    .kind = OP_JOB,
    .http = {"POST", "/v1/blueprints/{blueprint}/baseline"},
    .params =
        (const Param[]){
            {"blueprint", PARAM_TEXT, .is_positional = true, .is_required = true, .most = 100,
             .help = "The blueprint."},
            {"at", PARAM_INT, .is_required = true, .least = 1, .most = INT32_MAX,
             .help = "The version that the places are at."},
            {"tenant", PARAM_SLUG, .is_repeated = true,
             .help = "Only this tenant; all places if not given."},
            {"allow-drift", PARAM_BOOL,
             .help = "Record it although they differ; \"migrate verify\" goes on to say."},
            {"dry-run", PARAM_BOOL, .help = "Compare, tell what differs, and record nothing."},
            {0}},
    .result = (const Field[]){{"blueprint", FIELD_TEXT, .help = "blueprint"},
                              {"version", FIELD_INT, .help = "the version"},
                              {"outcome", FIELD_TEXT, .is_wide = true,
                               .help = "what came of it, in words"},
                              {"places", FIELD_INT, .help = "places compared"},
                              {"drifted", FIELD_INT, .help = "places that differ"},
                              {"job", FIELD_INT, .is_nullable = true,
                               .help = "the job that recorded it"},
                              {"differences", FIELD_LIST, .fields = drift_difference_fields,
                               .help = "of a dry run or a refusal: object by object"},
                              {0}},
    .examples =
        (const OpExample[]){
            {"migrate baseline shop --at 7 --tenant acme --tenant beta --dry-run",
             "are they at version 7?"},
            {"migrate baseline shop --at 7 --tenant acme --tenant beta", "then say so"},
            {0}},
    .done = "{outcome}; places: {places}, different: {drifted}",
    .again = "migrate status",
    .run = run_baseline,
};
