#include <inttypes.h>
#include <string.h>

#include "core/limits.h"
#include "ops/context.h"
#include "store/audit.h"
#include "store/tenants.h"

/* The chain of a slug: the living tenant's, else that of the last one who had it. */
static bool find_chain(OpContext *context, Store *store, const char *slug, const char **ret_chain,
                       Err *err)
{
    Tenant *tenant = NULL;
    *ret_chain = NULL;
    if (slug == NULL) {
        return true;
    }
    if (!tenants_find(context->arena, store, slug, &tenant, err)) {
        return false;
    }
    if (tenant != NULL) {
        *ret_chain = tenant->id;
        return true;
    }
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, TENANT_FIND_ENDED, PG_PARAMS(slug), &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return ERR_SET(err, ERR_TENANT_MISSING,
                       "\"tenantry tenant list\" shows those that there are",
                       "no tenant has or had the slug \"%s\"", slug);
    }
    *ret_chain = arena_strdup(context->arena, pg_rows_text(rows, 0, 0));
    return true;
}

static bool run_list(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    const char *chain = NULL;
    return op_store(context, &store, err) &&
           find_chain(context, store, json_get_text(args, "tenant", NULL), &chain, err) &&
           op_answer_list(context, AUDIT_LIST,
                          PG_PARAMS(chain, json_get_text(args, "action", NULL),
                                    pg_int_text(context->arena, json_get_int(args, "limit", 0))),
                          "entries", ret_answer, err);
}

const Operation op_audit_list = {
    .name = "audit.list",
    .summary = "List the audit log, the newest entries first.",
    .access = ACCESS_VIEWER,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/audit"},
    .params =
        (const Param[]){
            {"tenant", PARAM_SLUG,
             .help = "Only this tenant's entries; the last purged one's when nobody has the slug."},
            {"action", PARAM_TEXT, .most = 100, .help = "Only this action, such as tenant.create."},
            {"limit", PARAM_INT, .fallback = "50", .least = 1, .most = LIMIT_LIST_ROWS,
             .help = "At most this many."},
            {0}},
    .result = (const Field[]){{"entries", FIELD_LIST,
                               .fields = (const Field[]){{"at", FIELD_TIME, .help = "when"},
                                                         {"tenant", FIELD_TEXT, .is_nullable = true,
                                                          .help = "slug; none: the installation"},
                                                         {"actor", FIELD_TEXT, .help = "who"},
                                                         {"action", FIELD_TEXT, .help = "what"},
                                                         {"job", FIELD_INT, .is_nullable = true,
                                                          .help = "by which job"},
                                                         {"seq", FIELD_INT, .is_wide = true,
                                                          .help = "number in its chain"},
                                                         {"detail", FIELD_MAP, .help = "more"},
                                                         {0}},
                               .help = "newest first"},
                              {0}},
    .examples = (const OpExample[]){{"audit list --tenant acme", "what happened to it"}, {0}},
    .run = run_list,
};

static Json *findings_to_json(const AuditReport *report)
{
    Json *list = json_array();
    for (size_t i = 0; i < report->finding_count; i++) {
        Json *entry = json_object();
        json_put_text(entry, "chain", report->findings[i].chain);
        json_put_int(entry, "seq", report->findings[i].seq);
        json_put_text(entry, "finding", report->findings[i].what);
        json_array_append_new(list, entry);
    }
    return list;
}

static bool run_verify(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    (void)args;
    Store *store = NULL;
    AuditReport *report = ARENA_NEW(context->arena, AuditReport);
    if (!op_store(context, &store, err) || !audit_verify(context->arena, store, report, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put_bool(*ret_answer, "is_whole", report->finding_count == 0);
    json_put_int(*ret_answer, "chains", report->chains);
    json_put_int(*ret_answer, "entries", report->entries);
    json_put(*ret_answer, "findings", findings_to_json(report));
    const AuditFinding *first = &report->findings[0];
    return report->finding_count == 0 ||
           ERR_SET(
               err, ERR_AUDIT_BROKEN,
               "somebody with rights that Tenantry does not have changed the log: compare with a "
               "backup of the database",
               "the audit log is not whole: chain %s, entry %" PRId64 ": %s",
               first->chain == NULL ? "(none)" : first->chain, first->seq, first->what);
}

const Operation op_audit_verify = {
    .name = "audit.verify",
    .summary =
        "Recompute the audit log's hash chains and tell what was changed, removed or reordered.",
    .description =
        "Needs the master key: the hashes are keyed, so that nobody who can write the table "
        "can make a false entry fit. Exit status 65 when something is found.",
    .access = ACCESS_VIEWER,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/audit/verify"},
    .params = (const Param[]){{0}},
    .result =
        (const Field[]){
            {"is_whole", FIELD_BOOL, .help = "whether nothing was found"},
            {"chains", FIELD_INT, .help = "chains read"},
            {"entries", FIELD_INT, .help = "entries read"},
            {"findings", FIELD_LIST,
             .fields = (const Field[]){{"chain", FIELD_UUID, .is_nullable = true,
                                        .help = "tenant's UUID; none: the row names no chain"},
                                       {"seq", FIELD_INT,
                                        .help = "entry; 0: the row has no number"},
                                       {"finding", FIELD_TEXT, .help = "what is wrong"},
                                       {0}},
             .help = "the first 100"},
            {0}},
    .examples = (const OpExample[]){{"audit verify", "the whole log"}, {0}},
    .run = run_verify,
};
