#include "double.h"

#include <string.h>

#include "cli/builtin.h"
#include "core/array.h"

static bool run_status(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    (void)args;
    (void)err;
    *ret_answer = json_object();
    json_put_bool(*ret_answer, "running", true);
    json_put_text(*ret_answer, "actor", context->actor);
    return true;
}

static bool run_create(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    const char *slug = json_get_text(args, "slug", "");
    if (strcmp(slug, "taken") == 0) {
        return ERR_SET(err, ERR_SLUG_TAKEN, "choose another slug", "slug \"%s\" is taken", slug);
    }
    for (int64_t i = 0; i <= 2; i++) {
        context->progress.step(context->progress.context, "make roles", NULL, i, 2);
    }
    context->progress.step(context->progress.context, "make schema", NULL, 0, 0);
    *ret_answer = json_object();
    json_put_text(*ret_answer, "slug", slug);
    json_put_text(*ret_answer, "tier", json_get_text(args, "tier", ""));
    return true;
}

static bool run_list(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    (void)context;
    (void)err;
    Json *list = json_array();
    for (int64_t i = 1; i <= json_get_int(args, "limit", 0); i++) {
        Json *tenant = json_object();
        json_put_text(tenant, "slug", "acme");
        json_put_int(tenant, "rows", i);
        json_array_append_new(list, tenant);
    }
    *ret_answer = json_object();
    json_put(*ret_answer, "tenants", list);
    return true;
}

static bool run_purge(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    const char *slug = json_get_text(args, "slug", "");
    const OpProgress *progress = &context->progress;
    if (!json_get_bool(args, "yes", false) &&
        !progress->confirm(progress->context, "this deletes the data", slug)) {
        return ERR_SET(err, ERR_CONFIRMATION, "add --yes", "purging \"%s\" was not confirmed",
                       slug);
    }
    *ret_answer = json_object();
    return true;
}

static const Param create_params[] = {
    {"slug", PARAM_SLUG, .is_positional = true, .is_required = true, .help = "Slug of the tenant."},
    {"blueprint", PARAM_TEXT, .is_required = true, .most = 63, .help = "Blueprint's name."},
    {"tier", PARAM_ENUM, .fallback = "schema", .choices = "row|schema", .help = "How it's kept."},
    {"spares", PARAM_INT, .least = 0, .most = 10, .help = "How many spares: 'some' [or] none."},
    {0},
};
static const Param list_params[] = {
    {"limit", PARAM_INT, .fallback = "2", .least = 0, .most = 100000, .help = "At most so many."},
    {0},
};
static const Param purge_params[] = {
    {"slug", PARAM_SLUG, .is_positional = true, .is_required = true, .help = "Slug of the tenant."},
    {"yes", PARAM_BOOL, .help = "Do not ask."},
    {0},
};
static const Param add_params[] = {
    {"folder", PARAM_PATH, .is_positional = true, .is_required = true, .help = "Its folder."},
    {"version", PARAM_INT, .least = 1, .most = 999, .help = "Version to give it."},
    {"retries", PARAM_INT, .least = 1, .most = 999, .help = "Its own."},
    {"tag", PARAM_TEXT, .is_repeated = true, .help = "A word for it."},
    {0},
};
static const Field create_fields[] = {
    {"slug", FIELD_TEXT, .help = "Slug."},
    {"tier", FIELD_TEXT, .help = "Tier."},
    {0},
};
static const Field tenant_fields[] = {
    {"slug", FIELD_TEXT, .help = "Slug."},
    {"rows", FIELD_INT, .help = "Rows."},
    {0},
};
static const Field list_fields[] = {
    {"tenants", FIELD_LIST, .fields = tenant_fields, .help = "The tenants."},
    {0},
};
static const Field status_fields[] = {
    {"running", FIELD_BOOL, .help = "Whether it runs."},
    {"actor", FIELD_TEXT, .help = "Who asks."},
    {0},
};
static const Field no_fields[] = {{0}};
static const OpExample create_examples[] = {
    {"tenant create acme --blueprint trading", "in a schema of its own"},
    {0},
};

/* clang-format off */
static const Operation blueprint_add = {"blueprint.add", "Add a blueprint.", NULL, ACCESS_ADMIN, OP_JOB, {"POST", "/v1/blueprints"}, add_params, no_fields, NULL, NULL, run_purge};
static const Operation status = {"status", "Show what runs.", NULL, ACCESS_VIEWER, OP_QUERY, {"GET", "/v1/status"}, NULL, status_fields, NULL, NULL, run_status};
static const Operation tenant_create = {"tenant.create", "Create a tenant.", "Makes its place and checks that it is isolated. .TH is not a request here.", ACCESS_OPERATOR, OP_JOB, {"POST", "/v1/tenants"}, create_params, create_fields, create_examples, "tenant {slug} is active", run_create, .again = "tenant credentials {slug}"};
static const Operation tenant_list = {"tenant.list", "List tenants.", NULL, ACCESS_VIEWER, OP_QUERY, {"GET", "/v1/tenants"}, list_params, list_fields, NULL, NULL, run_list};
static const Operation tenant_purge = {"tenant.purge", "Delete a tenant's data.", NULL, ACCESS_ADMIN, OP_JOB, {NULL, NULL}, purge_params, no_fields, NULL, "purged", run_purge};
/* clang-format on */

static const Operation *const rows[] = {&blueprint_add, &status, &tenant_create, &tenant_list,
                                        &tenant_purge};

const Operation *const *op_table(size_t *ret_count)
{
    *ret_count = ARRAY_COUNT(rows);
    return rows;
}

void op_context_done(OpContext *context)
{
    (void)context; /* the rows above open nothing */
}

const Catalog *double_catalog(Arena *arena)
{
    size_t op_count = 0;
    size_t builtin_count = 0;
    const Operation *const *ops = op_table(&op_count);
    const Operation *builtins = builtin_table(&builtin_count);
    return catalog_new(arena, ops, op_count, builtins, builtin_count);
}
