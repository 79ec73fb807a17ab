#include <string.h>

#include "core/limits.h"
#include "core/log.h"
#include "ops/context.h"
#include "ops/signing.h"
#include "store/audit.h"
#include "tenant/state.h"
#include "tenant/tenant.h"

#define STATES "requested|provisioning|active|suspended|draining|archived|purged|failed"

static const Field connection_fields[] = {
    {"login", FIELD_TEXT, .help = "app (reads and writes) or readonly"},
    {"role", FIELD_TEXT, .help = "the PostgreSQL role"},
    {"uri", FIELD_TEXT, .is_long = true, .help = "connection string for any PostgreSQL driver"},
    {0},
};

#define CONNECTIONS                                                                                \
    {                                                                                              \
        "connections", FIELD_LIST, .fields = connection_fields, .help = "how to connect"           \
    }

/* --- create ----------------------------------------------------------------------------------- */

/* A pair for the one that was claimed, and one more where others are missing: after creates that
 * were killed before this, or with a larger option, the stock grows with each create. */
static void replace_ready_login(OpContext *context)
{
    enum { MOST = 2 };
    Err err;
    if (!op_fill_ready_logins(context, MOST, &err)) {
        log_warn("ready_logins.fill", "logins made ahead: %s", err.message);
    }
}

static bool run_create(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    Tenant *tenant = NULL;
    int64_t job_id = 0;
    const char *slug = json_get_text(args, "slug", "");
    if (!op_check_recorded(context, json_get_text(args, "blueprint", ""), INT64_MAX, err) ||
        !op_run_job(context, &tenant_create_job, slug, NULL, args, &job_id, err) ||
        !op_store(context, &store, err) ||
        !tenants_get_by_slug(context->arena, store, slug, &tenant, err)) {
        return false;
    }
    scoped_json Json *answer = json_object();
    json_put_text(answer, "slug", tenant->slug);
    json_put_text(answer, "name", tenant->name);
    json_put_text(answer, "id", tenant->id);
    json_put_text(answer, "state", tenant->state);
    json_put_text(answer, "blueprint", tenant->blueprint);
    json_put_int(answer, "version", tenant->place->version);
    json_put_text(answer, "tier", tenant->tier);
    json_put_text(answer, "plan", tenant->plan);
    json_put_int(answer, "job", job_id);
    if (!op_put_connections(context, tenant->id, true, answer, err)) {
        return false;
    }
    context->after = replace_ready_login;
    *ret_answer = json_incref(answer);
    return true;
}

const Operation op_tenant_create = {
    .name = "tenant.create",
    .summary = "Make a tenant: its place, its logins and its rights.",
    .description =
        "In the schema tier the tenant gets a schema and roles of its own, in the row tier "
        "logins that see only its rows of the shared tables. It is whole or it is not "
        "there: what a crash interrupts is finished with \"job resume\" or taken back with "
        "\"job cancel\". The passwords are printed here and by \"tenant credentials\", "
        "nowhere else.",
    .access = ACCESS_OPERATOR,
    .kind = OP_JOB,
    .http = {"POST", "/v1/tenants"},
    .params =
        (const Param[]){{"slug", PARAM_SLUG, .is_positional = true, .is_required = true,
                         .help = "Short name: 2 to 63 lower-case letters, digits and hyphens."},
                        {"blueprint", PARAM_TEXT, .is_required = true, .most = 100,
                         .help = "Blueprint to make it from; \"blueprint list\" shows them."},
                        {"plan", PARAM_TEXT, .most = 100,
                         .help = "Plan; the blueprint's default if not given."},
                        {"tier", PARAM_ENUM, .choices = "row|schema",
                         .help = "How it is isolated; the blueprint's default if not given."},
                        {"name", PARAM_TEXT, .most = LIMIT_NAME_MAX_CHARS,
                         .help = "Name for people; the slug if not given."},
                        {0}},
    .result = (const Field[]){{"slug", FIELD_TEXT, .help = "short name"},
                              {"name", FIELD_TEXT, .help = "name for people"},
                              {"id", FIELD_UUID, .help = "the tenant's UUID"},
                              {"state", FIELD_TEXT, .help = STATES},
                              {"blueprint", FIELD_TEXT, .help = "blueprint"},
                              {"version", FIELD_INT, .help = "version of the blueprint"},
                              {"tier", FIELD_TEXT, .help = "row or schema"},
                              {"plan", FIELD_TEXT, .help = "plan"},
                              {"job", FIELD_INT, .help = "the job that made it"},
                              CONNECTIONS,
                              {0}},
    .examples = (const OpExample[]){{"tenant create acme --blueprint trading",
                                     "a tenant on the blueprint's default plan"},
                                    {"tenant create acme --blueprint trading --plan professional "
                                     "--name 'Acme Capital'",
                                     "with a plan and a name"},
                                    {0}},
    .done = "tenant {slug} is {state}",
    .again = "tenant credentials {slug}",
    .run = run_create,
};

/* --- list, show, credentials ------------------------------------------------------------------ */

static bool run_list(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    Json *list = NULL;
    const char *limit = pg_int_text(context->arena, json_get_int(args, "limit", LIMIT_LIST_ROWS));
    if (!op_store(context, &store, err) ||
        !store_query_list(
            store, TENANT_LIST,
            PG_PARAMS(json_get_text(args, "state", NULL), json_get_text(args, "blueprint", NULL),
                      json_get_text(args, "tier", NULL), json_get_text(args, "after", NULL), limit),
            &list, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put(*ret_answer, "tenants", list);
    return true;
}

static const Field list_fields[] = {
    {"slug", FIELD_TEXT, .help = "short name"},
    {"name", FIELD_TEXT, .help = "name for people"},
    {"blueprint", FIELD_TEXT, .help = "blueprint"},
    {"version", FIELD_INT, .is_nullable = true, .help = "version of the blueprint"},
    {"plan", FIELD_TEXT, .help = "plan"},
    {"tier", FIELD_TEXT, .help = "row or schema"},
    {"state", FIELD_TEXT, .help = STATES},
    {"id", FIELD_UUID, .is_wide = true, .help = "the tenant's UUID"},
    {"created", FIELD_TIME, .help = "when it was created"},
    {0},
};

const Operation op_tenant_list = {
    .name = "tenant.list",
    .summary = "List tenants.",
    .description = "Purged and failed tenants are listed only when asked for with --state.",
    .access = ACCESS_VIEWER,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/tenants"},
    .params =
        (const Param[]){
            {"state", PARAM_ENUM, .choices = STATES, .help = "Only those in this state."},
            {"blueprint", PARAM_TEXT, .most = 100, .help = "Only those of this blueprint."},
            {"tier", PARAM_ENUM, .choices = "row|schema", .help = "Only those of this tier."},
            {"after", PARAM_TEXT, .most = 100,
             .help = "Only slugs after this one, for reading page by page."},
            {"limit", PARAM_INT, .least = 1, .most = LIMIT_LIST_ROWS, .fallback = "100000",
             .help = "At most this many."},
            {0}},
    .result = (const Field[]){{"tenants", FIELD_LIST, .fields = list_fields, .help = "by slug"},
                              {0}},
    .examples = (const OpExample[]){{"tenant list", "all that are there"},
                                    {"tenant list --state suspended --json", "for a script"},
                                    {0}},
    .run = run_list,
};

static bool is_in(const Tenant *tenant, TenantState state)
{
    return strcmp(tenant->state, tenant_state_name(state)) == 0;
}

/* Where an operation is refused for the tenant's state: the job that is to be ended first. In a
 * state that tenants only pass through that is any that is open, else one of the operation. */
static void hint_open_job(OpContext *context, Store *store, const Tenant *tenant,
                          const char *operation, Err *err)
{
    Err ignored;
    scoped_rows PgRows *rows = NULL;
    const bool is_passing = is_in(tenant, TENANT_REQUESTED) || is_in(tenant, TENANT_PROVISIONING) ||
                            is_in(tenant, TENANT_DRAINING);
    if (!store_query(store, JOB_OPEN_FOR_TENANT, PG_PARAMS(tenant->id), &rows, &ignored) ||
        pg_rows_count(rows) == 0) {
        return;
    }
    const char *job = pg_rows_text(rows, 0, 0);
    const char *begun = pg_rows_text(rows, 0, 1);
    if (!is_passing && strcmp(begun, operation) != 0) {
        return;
    }
    const bool can_be_undone = strcmp(begun, "tenant.create") == 0;
    err_hint(err, "its job is not at its end: %s job resume %s%s", context->program, job,
             can_be_undone
                 ? arena_printf(context->arena, ", or %s job cancel %s", context->program, job)
                 : "");
}

/* "apply": the commands after which the logins are as the plan says. */
static void put_apply(OpContext *context, const Tenant *tenant, Json *answer)
{
    Json *commands = json_array();
    const bool is_active = is_in(tenant, TENANT_ACTIVE);
    const bool is_suspended = is_in(tenant, TENANT_SUSPENDED);
    const bool differs = json_array_size(json_object_get(answer, "differences")) > 0;
    if (differs && is_active) {
        json_array_append_new(commands,
                              json_string(arena_printf(context->arena, "%s tenant suspend %s",
                                                       context->program, tenant->slug)));
    }
    if (differs && (is_active || is_suspended)) {
        json_array_append_new(commands,
                              json_string(arena_printf(context->arena, "%s tenant resume %s",
                                                       context->program, tenant->slug)));
    }
    json_put(answer, "apply", commands);
}

static bool run_show(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    Tenant *tenant = NULL;
    scoped_json Json *answer = NULL;
    if (!op_store(context, &store, err) ||
        !tenants_get_by_slug(context->arena, store, json_get_text(args, "slug", ""), &tenant,
                             err) ||
        !store_query_json(store, TENANT_SHOW, PG_PARAMS(tenant->id), &answer, err) ||
        !tenant_put_in_force(context->arena, store, tenant, answer, err)) {
        return false;
    }
    put_apply(context, tenant, answer);
    const bool with_connections = json_get_bool(args, "connection", false);
    if (with_connections && !op_put_connections(context, tenant->id, false, answer, err)) {
        return false;
    }
    if (!with_connections) {
        json_put(answer, "connections", json_array());
    }
    *ret_answer = json_incref(answer);
    return true;
}

static const Field difference_fields[] = {
    {"login", FIELD_TEXT, .help = "app or readonly"},
    {"name", FIELD_TEXT, .help = "max_connections (of this login), or a setting"},
    {"plan", FIELD_TEXT, .is_nullable = true, .help = "what the plan gives it; null: nothing"},
    {"has", FIELD_TEXT, .is_nullable = true, .help = "what it has; null: nothing"},
    {0},
};

const Operation op_tenant_show = {
    .name = "tenant.show",
    .summary = "Show one tenant: state, plan with limits, roles, sessions.",
    .description = "max_connections and settings are those that its logins have, which get those "
                   "of their plan when they are made and at \"tenant resume\"; where the plan says "
                   "something else by now is told under differences.",
    .access = ACCESS_VIEWER,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/tenants/{slug}"},
    .params = (const Param[]){{"slug", PARAM_SLUG, .is_positional = true, .is_required = true,
                               .help = "The tenant."},
                              {"connection", PARAM_BOOL,
                               .help = "Also print connection strings, without passwords."},
                              {0}},
    .result =
        (const Field[]){{"slug", FIELD_TEXT, .help = "short name"},
                        {"name", FIELD_TEXT, .help = "name for people"},
                        {"id", FIELD_UUID, .help = "the tenant's UUID"},
                        {"state", FIELD_TEXT, .help = STATES},
                        {"since", FIELD_TIME, .help = "since when in this state"},
                        {"blueprint", FIELD_TEXT, .help = "blueprint"},
                        {"version", FIELD_INT, .is_nullable = true, .help = "its version"},
                        {"tier", FIELD_TEXT, .help = "row or schema"},
                        {"schema", FIELD_TEXT, .is_nullable = true, .help = "where its data is"},
                        {"plan", FIELD_TEXT, .help = "plan"},
                        {"limits", FIELD_MAP,
                         .help = "the plan's limits; max_connections is that of its logins"},
                        {"features", FIELD_TEXTS, .help = "the plan's features"},
                        {"settings", FIELD_MAP, .help = "PostgreSQL settings of its logins"},
                        {"differences", FIELD_LIST, .is_rare = true, .fields = difference_fields,
                         .help = "where its logins have something else than the plan gives"},
                        {"apply", FIELD_LINES, .is_rare = true,
                         .help = "commands that give its logins what the plan says; the "
                                 "first ends their sessions"},
                        {"roles", FIELD_MAP, .help = "its PostgreSQL roles"},
                        {"sessions", FIELD_INT, .help = "open sessions"},
                        {"created", FIELD_TIME, .help = "when it was created"},
                        CONNECTIONS,
                        {0}},
    .examples = (const OpExample[]){{"tenant show acme", "everything about it"},
                                    {"tenant show acme --connection", "how to connect"},
                                    {0}},
    .run = run_show,
};

/* Reading a secret is audited, so it is not a plain query: the audit entry is written before the
 * secret is shown. */
static bool run_credentials(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    Tenant *tenant = NULL;
    if (!op_store(context, &store, err) ||
        !tenants_get_by_slug(context->arena, store, json_get_text(args, "slug", ""), &tenant,
                             err)) {
        return false;
    }
    scoped_json Json *answer = json_object();
    scoped_json Json *detail = json_object();
    json_put_text(answer, "slug", tenant->slug);
    json_put_text(detail, "slug", tenant->slug);
    const AuditEntry entry = {.chain = tenant->id,
                              .actor = context->actor,
                              .action = "tenant.credentials",
                              .detail = detail};
    if (!op_put_connections(context, tenant->id, true, answer, err)) {
        return false;
    }
    if (json_array_size(json_object_get(answer, "connections")) == 0) {
        ERR_SET(err, ERR_TENANT_STATE,
                "it gets them when it becomes active: see \"tenantry job list\"",
                "tenant \"%s\" is %s and has no logins", tenant->slug, tenant->state);
        hint_open_job(context, store, tenant, "tenant.create", err);
        return false;
    }
    if (!pg_begin(store->conn, err) || !audit_append(store, &entry, err) ||
        !pg_commit(store->conn, true, err)) {
        pg_rollback(store->conn);
        return false;
    }
    *ret_answer = json_incref(answer);
    return true;
}

const Operation op_tenant_credentials = {
    .name = "tenant.credentials",
    .summary = "Print a tenant's connection strings with their passwords.",
    .description = "Each reading is an entry of the audit log.",
    .access = ACCESS_ADMIN,
    .kind = OP_QUERY,
    .http = {"GET", "/v1/tenants/{slug}/credentials"},
    .params = (const Param[]){{"slug", PARAM_SLUG, .is_positional = true, .is_required = true,
                               .help = "The tenant."},
                              {0}},
    .result = (const Field[]){{"slug", FIELD_TEXT, .help = "short name"}, CONNECTIONS, {0}},
    .examples = (const OpExample[]){{"tenant credentials acme", "both logins"}, {0}},
    .run = run_credentials,
};

/* --- operations that move one tenant ---------------------------------------------------------- */

static const Field moved_fields[] = {
    {"slug", FIELD_TEXT, .help = "short name"},
    {"state", FIELD_TEXT, .help = STATES},
    {"job", FIELD_INT, .help = "the job that did it"},
    {0},
};

/* Runs the job on the tenant and answers what it became. */
static bool run_on_tenant(OpContext *context, const JobKind *kind, const Json *args,
                          Json **ret_answer, Err *err)
{
    Store *store = NULL;
    Tenant *tenant = NULL;
    int64_t job_id = 0;
    if (!op_store(context, &store, err) ||
        !tenants_get_by_slug(context->arena, store, json_get_text(args, "slug", ""), &tenant,
                             err)) {
        return false;
    }
    if (!op_run_job(context, kind, tenant->slug, tenant->id, args, &job_id, err)) {
        if (err->code == ERR_TENANT_STATE) {
            hint_open_job(context, store, tenant, kind->operation, err);
        }
        return false;
    }
    if (!tenants_get(context->arena, store, tenant->id, &tenant, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put_text(*ret_answer, "slug", tenant->slug);
    json_put_text(*ret_answer, "state", tenant->state);
    json_put_int(*ret_answer, "job", job_id);
    return true;
}

static bool run_suspend(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    return run_on_tenant(context, &tenant_suspend_job, args, ret_answer, err);
}

static bool run_resume(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    return run_on_tenant(context, &tenant_resume_job, args, ret_answer, err);
}

static bool run_archive(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    return run_on_tenant(context, &tenant_archive_job, args, ret_answer, err);
}

static bool run_rotate(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    return run_on_tenant(context, &tenant_rotate_job, args, ret_answer, err);
}

/* Purging destroys data: the slug is typed again, on the terminal or with --confirm, unless --yes.
 * Another slug in --confirm is a mistake even then. */
static bool is_purge_confirmed(OpContext *context, const Json *args, Err *err)
{
    const char *slug = json_get_text(args, "slug", "");
    const char *typed = json_get_text(args, "confirm", NULL);
    if (typed != NULL ? strcmp(typed, slug) == 0 : json_get_bool(args, "yes", false)) {
        return true;
    }
    if (typed == NULL && context->progress.confirm != NULL) {
        const char *question = arena_printf(
            context->arena, "This removes all data of tenant \"%s\" for good.", slug);
        if (context->progress.confirm(context->progress.context, question, slug)) {
            return true;
        }
    }
    ERR_SET(err, ERR_CONFIRMATION, NULL, "purging tenant \"%s\" was not confirmed: %s", slug,
            typed != NULL ? "--confirm names another slug" : "its slug was not typed");
    err_hint(err, "type the slug again: --confirm %s", slug);
    return false;
}

/* What brings a tenant nearer to being purged, by its state. */
static void hint_before_purge(OpContext *context, Store *store, const Tenant *tenant, Err *err)
{
    if (is_in(tenant, TENANT_ACTIVE) || is_in(tenant, TENANT_SUSPENDED)) {
        err_hint(err, "first: %s tenant archive %s", context->program, tenant->slug);
    } else {
        hint_open_job(context, store, tenant, "tenant.purge", err);
    }
}

static bool run_purge(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    Tenant *tenant = NULL;
    if (!op_store(context, &store, err) ||
        !tenants_get_by_slug(context->arena, store, json_get_text(args, "slug", ""), &tenant,
                             err)) {
        return false;
    }
    if (!is_in(tenant, TENANT_ARCHIVED)) {
        ERR_SET(err, ERR_TENANT_STATE, NULL, "tenant \"%s\" is %s, only an archived one is purged",
                tenant->slug, tenant->state);
        hint_before_purge(context, store, tenant, err);
        return false;
    }
    return is_purge_confirmed(context, args, err) &&
           run_on_tenant(context, &tenant_purge_job, args, ret_answer, err);
}

#define SLUG_PARAM                                                                                 \
    {                                                                                              \
        "slug", PARAM_SLUG, .is_positional = true, .is_required = true, .help = "The tenant."      \
    }

const Operation op_tenant_suspend = {
    .name = "tenant.suspend",
    .summary = "Block a tenant's logins and end its sessions at once.",
    .description = "The logins lose their rights on the data too, until \"tenant resume\".",
    .access = ACCESS_OPERATOR,
    .kind = OP_JOB,
    .http = {"POST", "/v1/tenants/{slug}/suspend"},
    .params = (const Param[]){SLUG_PARAM, {0}},
    .result = moved_fields,
    .examples = (const OpExample[]){{"tenant suspend acme", "nobody can log in any more"}, {0}},
    .done = "tenant {slug} is {state}",
    .again = "tenant show {slug}",
    .run = run_suspend,
};

const Operation op_tenant_resume = {
    .name = "tenant.resume",
    .summary = "Let a suspended tenant log in again.",
    .description =
        "Its logins get the connection limits and settings of their plan as the blueprint "
        "has it now.",
    .access = ACCESS_OPERATOR,
    .kind = OP_JOB,
    .http = {"POST", "/v1/tenants/{slug}/resume"},
    .params = (const Param[]){SLUG_PARAM, {0}},
    .result = moved_fields,
    .examples = (const OpExample[]){{"tenant resume acme", "undoes suspend"}, {0}},
    .done = "tenant {slug} is {state}",
    .again = "tenant show {slug}",
    .run = run_resume,
};

const Operation op_tenant_archive = {
    .name = "tenant.archive",
    .summary = "Let a tenant's sessions end, lock its data and keep it.",
    .description =
        "New logins are refused at once; sessions get --drain-timeout to finish, then they "
        "are ended. Nobody has a right to the data afterwards. There is no way back to "
        "active; what follows is \"tenant purge\".",
    .access = ACCESS_OPERATOR,
    .kind = OP_JOB,
    .http = {"POST", "/v1/tenants/{slug}/archive"},
    .params = (const Param[]){SLUG_PARAM,
                              {"drain-timeout", PARAM_DURATION_MS, .fallback = "10s", .least = 0,
                               .most = 86400000, .help = "How long sessions may take to end."},
                              {0}},
    .result = moved_fields,
    .examples = (const OpExample[]){{"tenant archive acme --drain-timeout 5min",
                                     "with time for long transactions"},
                                    {0}},
    .done = "tenant {slug} is {state}",
    .again = "tenant show {slug}",
    .run = run_archive,
};

const Operation op_tenant_purge = {
    .name = "tenant.purge",
    .summary = "Remove an archived tenant: data, roles and secrets; its audit chain stays.",
    .access = ACCESS_ADMIN,
    .kind = OP_JOB,
    .http = {"DELETE", "/v1/tenants/{slug}"},
    .params = (const Param[]){SLUG_PARAM,
                              {"confirm", PARAM_TEXT, .most = 1000,
                               .help = "The slug, typed again."},
                              {"yes", PARAM_BOOL, .help = "Do not ask."},
                              {0}},
    .result = moved_fields,
    .examples = (const OpExample[]){{"tenant purge acme --confirm acme", "for good"}, {0}},
    .done = "tenant {slug} is {state}",
    .run = run_purge,
};

const Operation op_tenant_rotate = {
    .name = "tenant.rotate",
    .summary = "Give a tenant's logins new passwords.",
    .description = "Sessions that are open stay open, and could set a password of their own; new "
                   "ones need the "
                   "new password, which \"tenant credentials\" prints. After a leak: \"tenant "
                   "suspend\" first, "
                   "\"tenant resume\" last.",
    .access = ACCESS_OPERATOR,
    .kind = OP_JOB,
    .http = {"POST", "/v1/tenants/{slug}/rotate"},
    .params = (const Param[]){SLUG_PARAM, {0}},
    .result = moved_fields,
    .examples = (const OpExample[]){{"tenant rotate acme", "then: tenant credentials acme"}, {0}},
    .done = "tenant {slug} has new passwords",
    .again = "tenant credentials {slug}",
    .run = run_rotate,
};
