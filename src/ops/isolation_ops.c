/* isolation.verify: what the rules find, of one tenant or of the fleet. */
#include <string.h>

#include "core/limits.h"
#include "isolation/isolation.h"
#include "ops/context.h"
#include "store/tenants.h"

/* Slugs by tenant's id, for answers that people read. */
static bool load_slugs(OpContext *context, Store *store, Json **ret_slugs, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    (void)context;
    if (!store_query(store, TENANT_SLUGS, PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    *ret_slugs = json_object();
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        json_put_text(*ret_slugs, pg_rows_text(rows, i, 0), pg_rows_text(rows, i, 1));
    }
    return true;
}

static const char *find_slug(const Json *slugs, const char *tenant_id)
{
    return tenant_id == NULL ? NULL : json_get_text(slugs, tenant_id, NULL);
}

static Json *finding_to_json(const Finding *finding, const Json *slugs)
{
    Json *entry = json_object();
    json_put_text(entry, "id", finding->id);
    json_put_text(entry, "check", finding->check->id);
    json_put_text(entry, "severity", severity_name(finding->check->severity));
    json_put_text(entry, "tenant", find_slug(slugs, finding->tenant_id));
    json_put_text(entry, "tenant_id", finding->tenant_id);
    json_put_text(entry, "other", find_slug(slugs, finding->other_id));
    json_put_text(entry, "other_id", finding->other_id);
    json_put_text(entry, "object", finding->object);
    json_put_text(entry, "evidence", finding->evidence);
    json_put_text(entry, "mend", finding->mend);
    return entry;
}

static Json *unchecked_to_json(const IsolationResult *result)
{
    Json *list = json_array();
    for (size_t i = 0; i < result->unchecked_count; i++) {
        Json *entry = json_object();
        json_put_text(entry, "check", result->unchecked[i].check_id);
        json_put_text(entry, "reason", result->unchecked[i].reason);
        json_array_append_new(list, entry);
    }
    return list;
}

static bool run_verify(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    Tenant *tenant = NULL;
    IsolationResult result;
    scoped_json Json *slugs = NULL;
    const char *slug = json_get_text(args, "tenant", NULL);
    if (!op_store(context, &store, err) ||
        (slug != NULL && !tenants_get_by_slug(context->arena, store, slug, &tenant, err)) ||
        !isolation_check_rules(context->arena, store, tenant == NULL ? NULL : tenant->id, &result,
                               err) ||
        !load_slugs(context, store, &slugs, err)) {
        return false;
    }
    Json *findings = json_array();
    for (size_t i = 0; i < result.list.count; i++) {
        json_array_append_new(findings, finding_to_json(&result.list.findings[i], slugs));
    }
    *ret_answer = json_object();
    json_put_bool(*ret_answer, "is_isolated", result.list.count == 0);
    json_put_int(*ret_answer, "tenants", result.tenants);
    json_put_int(*ret_answer, "rules", result.rules);
    json_put_text(*ret_answer, "catalogue", result.catalogue);
    json_put(*ret_answer, "findings", findings);
    json_put(*ret_answer, "unchecked", unchecked_to_json(&result));
    const Finding *first = result.list.findings;
    return result.list.count == 0 ||
           ERR_SET(err, ERR_ISOLATION, "the answer lists every finding and what mends it",
                   "%zu findings; the first: %s, %s: %s", result.list.count, first->check->id,
                   first->object, first->evidence);
}

static const Field finding_fields[] = {
    {"severity", FIELD_TEXT, .help = "critical, high, medium or low"},
    {"check", FIELD_TEXT, .help = "the rule"},
    {"tenant", FIELD_TEXT, .is_nullable = true, .help = "whose data, or who could do it"},
    {"other", FIELD_TEXT, .is_nullable = true, .help = "the tenant on the other side"},
    {"object", FIELD_TEXT, .is_long = true, .help = "where"},
    {"evidence", FIELD_TEXT, .is_long = true, .help = "what was found"},
    {"mend", FIELD_TEXT, .is_nullable = true, .is_long = true,
     .help = "the statement that mends it"},
    {"id", FIELD_TEXT, .is_wide = true, .help = "the same in each run"},
    {"tenant_id", FIELD_UUID, .is_nullable = true, .is_wide = true, .help = "tenant"},
    {"other_id", FIELD_UUID, .is_nullable = true, .is_wide = true, .help = "other tenant"},
    {0},
};

static const Field unchecked_fields[] = {
    {"check", FIELD_TEXT, .help = "the rule"},
    {"reason", FIELD_TEXT, .help = "why it could not be asked"},
    {0},
};

const Operation op_isolation_verify = {
    .name = "isolation.verify",
    .summary = "Check that no tenant can see, change or disturb another.",
    .description = "Reads the catalogue, of one tenant or in one pass of the whole fleet, and asks "
                   "every rule. Exit status 76 when something is found.",
    .access = ACCESS_VIEWER,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/isolation"},
    .params = (const Param[]){{"tenant", PARAM_SLUG, .is_positional = true,
                               .help = "Only this tenant; the whole fleet if not given."},
                              {0}},
    .result = (const Field[]){{"is_isolated", FIELD_BOOL, .help = "whether nothing was found"},
                              {"tenants", FIELD_INT, .help = "tenants that were looked at"},
                              {"rules", FIELD_INT, .help = "rules that were asked"},
                              {"catalogue", FIELD_TEXT, .is_wide = true,
                               .help = "SHA-256 over the part of the catalogue that was read"},
                              {"findings", FIELD_LIST, .fields = finding_fields,
                               .help = "what is wrong"},
                              {"unchecked", FIELD_LIST, .fields = unchecked_fields,
                               .help = "what could not be asked"},
                              {0}},
    .examples = (const OpExample[]){{"isolation verify", "the whole fleet"},
                                    {"isolation verify acme", "one tenant"},
                                    {0}},
    .run = run_verify,
};
