/* One run of the checks of isolation, kept in the control schema and ready to be reported. */
#ifndef TENANTRY_OPS_ISOLATION_RUN_H
#define TENANTRY_OPS_ISOLATION_RUN_H

#include "isolation/report.h"
#include "ops/op.h"
#include "store/tenants.h"

#define ISOLATION_SEVERITIES "critical|high|medium|low"

typedef struct IsolationRunOptions {
    const Tenant *tenant; /* NULL: the whole fleet */
    bool has_probes;
    int64_t pairs;
    bool is_all_pairs;
    int64_t seed;        /* of the sample of pairs */
    const char *fail_on; /* a severity, or "never" */
} IsolationRunOptions;

typedef struct IsolationRun {
    Report report; /* points into this run */
    IsolationResult result;
    Json *slugs;
} IsolationRun;

/* The parameters of operations that run the checks, and what they mean. ERR_INPUT_INVALID for those
 * that exclude each other, ERR_TENANT_MISSING. */
bool isolation_read_options(OpContext *context, const Json *args, IsolationRunOptions *ret_options,
                            Err *err);
#define ISOLATION_TENANT_PARAM                                                                     \
    {                                                                                              \
        "tenant", PARAM_SLUG, .is_positional = true,                                               \
                              .help = "Only this tenant; the whole fleet if not given."            \
    }
#define ISOLATION_PROBE_PARAMS                                                                     \
    {"pairs", PARAM_INT, .least = 1, .most = 1000000,                                              \
     .help = "Try this many pairs of tenants; if not given, one neighbour of each tenant."},       \
        {"seed", PARAM_INT, .least = 0, .most = JSON_EXACT_INT,                                    \
         .help = "Decides which pairs those are; if not given, others each time."},                \
        {"all-pairs", PARAM_BOOL, .help = "Try every pair of tenants: for small fleets."},         \
    {                                                                                              \
        "rules-only", PARAM_BOOL, .help = "Read the catalogue only: nobody logs in."               \
    }
#define ISOLATION_FAIL_PARAM                                                                       \
    {                                                                                              \
        "fail-on", PARAM_ENUM, .fallback = "low", .choices = ISOLATION_SEVERITIES "|never",        \
                               .help = "The least severity that makes the exit status 76."         \
    }

/* The shape of a finding in an answer. */
extern const Field isolation_finding_fields[];

/* Runs rules and probes, keeps the run with its findings, and fills in the report. The run stays
 * where it is until isolation_run_done. True whatever was found. */
bool isolation_run(OpContext *context, const IsolationRunOptions *options, IsolationRun *ret_run,
                   Err *err);
void isolation_run_done(IsolationRun *run);
#define scoped_isolation_run __attribute__((cleanup(isolation_run_done)))

/* Whether nothing that counts was found; otherwise ERR_ISOLATION, which names the first finding. */
bool isolation_run_judge(const IsolationRun *run, Err *err);

/* The tenant that the parameter "tenant" names; NULL when it was not given. */
bool isolation_find_tenant(OpContext *context, const Json *args, Tenant **ret_tenant, Err *err);

#endif
