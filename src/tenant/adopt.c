#include "tenant/adopt.h"

#include "core/fault.h"
#include "core/slug.h"
#include "tenant/create_parts.h"
#include "tenant/state.h"

struct Adoption {
    Provision provision;
    const Blueprint *blueprint; /* at the version that is claimed */
    Create *create;
};

bool tenant_is_adopted(const JobContext *context)
{
    return json_get_text(context->args, "schema", NULL) != NULL;
}

/* The place that the schema will be: it keeps its name, its roles get names as all have. */
static bool name_place(Arena *arena, const Blueprint *blueprint, const char *stem,
                       const char *schema, Place *ret_place, Err *err)
{
    if (!place_name(arena, blueprint, TIER_SCHEMA, stem, ret_place, err)) {
        return false;
    }
    ret_place->schema_name = schema;
    return true;
}

static bool fill_batch(Adoption *adoption, Err *err)
{
    Provision *provision = &adoption->provision;
    JobContext *context = provision->context;
    const Extensions *extensions = &adoption->create->extensions;
    Place *place = ARENA_NEW(context->arena, Place);
    provision->place = place;
    if (!provision_claim_logins(provision, err) ||
        !name_place(context->arena, adoption->blueprint, provision->logins.stem,
                    json_get_text(context->args, "schema", ""), place, err) ||
        !takeover_add(context->arena, context->store, provision->batch, adoption->blueprint,
                      extensions, place, err)) {
        return false;
    }
    takeover_add_rows(context->arena, provision->batch, adoption->blueprint, extensions, place);
    provision_add_owner(provision);
    provision->search_path = place_search_path(context->arena, extensions, place);
    return provision_add_logins(provision, err);
}

bool tenant_adopt_take(JobContext *context, const Blueprint *blueprint, Adoption **ret_adoption,
                       const Place **ret_place, Err *err)
{
    Adoption *adoption = ARENA_NEW(context->arena, Adoption);
    scoped_batch PgBatch *batch = pg_batch_new(context->arena);
    if (!create_load(context, &adoption->create, err) ||
        !create_load_extensions(context, adoption->create, err) ||
        !store_hold_active_key(context->store, err) ||
        !tenant_move(context->store, adoption->create->tenant, TENANT_PROVISIONING, err)) {
        return false;
    }
    adoption->blueprint = blueprint;
    adoption->provision = (Provision){.context = context,
                                      .create = adoption->create,
                                      .tenant = adoption->create->tenant,
                                      .batch = batch};
    if (!fill_batch(adoption, err)) {
        return pg_batch_abandon(context->store->conn, batch);
    }
    FAULT("tenant.adopt.sent");
    if (!pg_batch_run(context->store->conn, batch, err)) {
        return false;
    }
    FAULT("tenant.adopt.taken");
    *ret_adoption = adoption;
    *ret_place = adoption->provision.place;
    return true;
}

bool tenant_adopt_finish(Adoption *adoption, int64_t differences, Err *err)
{
    Provision *provision = &adoption->provision;
    JobContext *context = provision->context;
    Arena *arena = context->arena;
    const Place *place = provision->place;
    scoped_json Json *detail = json_object();
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    provision->batch = batch;
    store_batch(batch, BASELINE_ADD,
                PG_PARAMS(pg_int_text(arena, context->job_id), place->id, NULL,
                          pg_int_text(arena, place->version), pg_int_text(arena, differences)));
    json_put_text(detail, "schema", place->schema_name);
    json_put_int(detail, "differences", differences);
    return provision_add_record(provision, detail, err) &&
           pg_batch_run(context->store->conn, batch, err) &&
           tenant_check_active(batch, provision->active, provision->tenant, err);
}

bool tenant_adopt_preview(Arena *arena, Store *store, const Json *args, const Blueprint *blueprint,
                          TextList *ret_statements, Place *ret_place, Err *err)
{
    LoginPair logins;
    Create *create = NULL;
    JobContext context = {.arena = arena, .store = store, .args = args};
    const char *slug = json_get_text(args, "slug", "");
    return slug_check(slug, err) && tenant_check_name(json_get_text(args, "name", slug), err) &&
           create_load(&context, &create, err) && login_name_pair(arena, &logins, err) &&
           name_place(arena, blueprint, logins.stem, json_get_text(args, "schema", ""), ret_place,
                      err) &&
           takeover_list_statements(arena, store, blueprint, ret_place, ret_statements, err);
}
