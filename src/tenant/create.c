/* tenant.create: reserve the slug, make the place and the logins. The job itself is put together in
 * ops, which checks the tenant's isolation in the last step's transaction.
 *
 * Step "reserve" takes the slug and the tenant's id, and in the schema tier claims a spare when one
 * is ready. Step "ground" makes what tenants share: extensions, the row tier's shared place; mostly
 * there is nothing to do. Step "provision" is one transaction that makes everything else, or makes
 * the spare the tenant's, so that a tenant is whole or gone. */
#include "blueprint/place.h"
#include "blueprint/registry.h"
#include "core/fault.h"
#include "core/slug.h"
#include "core/strbuf.h"
#include "pg/sql.h"
#include "store/audit.h"
#include "tenant/create_parts.h"
#include "tenant/state.h"

static const char *tier_at(const Blueprint *blueprint, size_t i)
{
    return i < blueprint->tier_count ? tier_name(blueprint->tiers[i]) : NULL;
}

static const char *plan_at(const Blueprint *blueprint, size_t i)
{
    return i < blueprint->plan_count ? blueprint->plans[i].name : NULL;
}

/* The hint lists what the blueprint has instead; name_at gives NULL after the last one. */
static void set_choice_error(Err *err, const Blueprint *blueprint, const char *what,
                             const char *found,
                             const char *(*name_at)(const Blueprint *blueprint, size_t i))
{
    scoped_arena Arena *arena = arena_new();
    StrBuf list = strbuf_init(arena);
    for (size_t i = 0; name_at(blueprint, i) != NULL; i++) {
        strbuf_printf(&list, "%s%s", i == 0 ? "" : ", ", name_at(blueprint, i));
    }
    ERR_SET(err, ERR_INPUT_INVALID, NULL, "blueprint \"%s\" has no %s \"%s\"", blueprint->name,
            what, found);
    err_hint(err, "it has: %s", list.text);
}

/* The plan and the tier that were asked for, or the blueprint's defaults. They are chosen once: a
 * blueprint that is recorded meanwhile may have other ones. */
static bool choose(JobContext *context, Create *create, Err *err)
{
    const Tenant *tenant = create->tenant;
    const char *tier = tenant != NULL ? tenant->tier : json_get_text(context->args, "tier", "");
    const char *plan = tenant != NULL ? tenant->plan : json_get_text(context->args, "plan", NULL);
    create->plan = blueprint_find_plan(create->blueprint, plan);
    if (create->plan == NULL) {
        set_choice_error(err, create->blueprint, "plan", plan, plan_at);
        return false;
    }
    create->tier = create->blueprint->tiers[0];
    if (*tier != '\0' && (!tier_from_name(tier, &create->tier) ||
                          !blueprint_has_tier(create->blueprint, create->tier))) {
        set_choice_error(err, create->blueprint, "tier", tier, tier_at);
        return false;
    }
    return true;
}

void tenant_create_expect(const JobContext *context, PgBatch *batch)
{
    const PgParams blueprint = PG_PARAMS(json_get_text(context->args, "blueprint", ""));
    store_batch(batch, BLUEPRINT_HEAD, blueprint);
    store_batch(batch, PLACE_FIND_SHARED, blueprint);
}

bool create_load(JobContext *context, Create **ret_create, Err *err)
{
    if (context->memory != NULL) {
        *ret_create = context->memory;
        return true;
    }
    Create *create = ARENA_NEW(context->arena, Create);
    if (context->tenant_id != NULL &&
        !tenants_get(context->arena, context->store, context->tenant_id, &create->tenant, err)) {
        return false;
    }
    if (!registry_get_head(context->arena, context->store,
                           json_get_text(context->args, "blueprint", ""), &create->blueprint,
                           err) ||
        !choose(context, create, err)) {
        return false;
    }
    context->memory = create;
    *ret_create = create;
    return true;
}

/* What a place needs that is made anew or moved on: the migrations too, which may be those of a
 * newer version by now. */
static bool load_scripts(JobContext *context, Create *create, Err *err)
{
    Blueprint *whole = NULL;
    if (create->has_scripts) {
        return true;
    }
    if (!registry_get(context->arena, context->store, create->blueprint->name, &whole, err)) {
        return false;
    }
    create->blueprint = whole;
    create->has_scripts = choose(context, create, err);
    return create->has_scripts;
}

/* The id of a spare that was made for the tenant to be, or a new one. */
static bool choose_id(JobContext *context, Create *create, const char **ret_id, Err *err)
{
    if (create->tier == TIER_SCHEMA && !tenant_is_adopted(context) &&
        !spare_claim(context->arena, context->store, create->blueprint, ret_id, err)) {
        return false;
    }
    create->lacks_spare = *ret_id == NULL;
    return *ret_id != NULL || secret_random_uuid(context->arena, ret_id, err);
}

/* The spare that the tenant claimed, in this run or an earlier one; NULL: none. */
static bool find_spare(JobContext *context, const Create *create, Spare **ret_spare, Err *err)
{
    *ret_spare = create->spare;
    return create->spare != NULL || create->lacks_spare || create->tier != TIER_SCHEMA ||
           spare_find_claimed(context->arena, context->store, context->tenant_id, ret_spare, err);
}

/* The shared place, where it is there and as new as the blueprint, as it mostly is; or NULL. */
static bool find_ready(JobContext *context, const Create *create, Place **ret_place, Err *err)
{
    *ret_place = create->shared;
    if (*ret_place == NULL && !places_find_shared(context->arena, context->store,
                                                  create->blueprint->name, ret_place, err)) {
        return false;
    }
    if (*ret_place != NULL && (*ret_place)->version < create->blueprint->version) {
        *ret_place = NULL;
    }
    return true;
}

/* What provisioning without a spare is sure to ask. */
static void expect_new(JobContext *context, const Create *create, PgBatch *batch)
{
    store_batch(batch, KEY_ACTIVE, PG_NO_PARAMS);
    store_batch(batch, READY_LOGIN_CLAIM, PG_NO_PARAMS);
    if (!create->has_extensions) {
        registry_expect_extensions(context->arena, batch, create->blueprint);
    }
}

static bool run_and_keep(JobContext *context, PgBatch *batch, Err *err)
{
    if (!pg_batch_run(context->store->conn, batch, err)) {
        return false;
    }
    store_keep_answers(context->store, batch, 0);
    return true;
}

/* Where provisioning will be part of this transaction, what it asks travels with the slug. */
static bool prepare_joint(JobContext *context, Create *create, const Tenant *tenant, Err *err)
{
    scoped_batch PgBatch *batch = pg_batch_new(context->arena);
    if (!context->may_join || create->tier != TIER_ROW) {
        return true;
    }
    if (!find_ready(context, create, &create->shared, err)) {
        return false;
    }
    create->is_prepared = create->shared != NULL;
    if (!create->is_prepared) {
        return true;
    }
    slug_expect(context, create, tenant, batch);
    expect_new(context, create, batch);
    return run_and_keep(context, batch, err) || slug_fail_add(create, err);
}

static bool add_tenant(JobContext *context, Create *create, const char *id, const char *slug,
                       const char *name, Err *err)
{
    Tenant *tenant = ARENA_NEW(context->arena, Tenant);
    *tenant = (Tenant){.id = arena_strdup(context->arena, id),
                       .slug = slug,
                       .name = name,
                       .blueprint = create->blueprint->name,
                       .plan = create->plan->name,
                       .tier = tier_name(create->tier),
                       .state = tenant_state_name(TENANT_REQUESTED)};
    if (!prepare_joint(context, create, tenant, err) ||
        !slug_reserve(context, create, tenant, err)) {
        return false;
    }
    job_set_tenant(context, id);
    create->tenant = tenant;
    return true;
}

bool tenant_create_reserve(JobContext *context, Err *err)
{
    const char *slug = json_get_text(context->args, "slug", "");
    const char *name = json_get_text(context->args, "name", slug);
    Create *create = NULL;
    const char *id = NULL;
    if (!slug_check(slug, err) || !tenant_check_name(name, err) ||
        !create_load(context, &create, err) || !store_need_keys(context->store, err)) {
        return false;
    }
    create->shared = NULL;
    create->spare = NULL;
    create->is_prepared = false;
    return choose_id(context, create, &id, err) && add_tenant(context, create, id, slug, name, err);
}

bool create_load_extensions(JobContext *context, Create *create, Err *err)
{
    create->has_extensions = create->has_extensions ||
                             registry_find_extensions(context->arena, context->store,
                                                      create->blueprint, &create->extensions, err);
    return create->has_extensions;
}

/* Where it is ready, the migrations need not be loaded. */
static bool ensure_shared(JobContext *context, Create *create, Err *err)
{
    Place *place = NULL;
    bool is_changed = false;
    return find_ready(context, create, &place, err) &&
           (place != NULL || (load_scripts(context, create, err) &&
                              place_ensure_shared(context->arena, context->store, create->blueprint,
                                                  &is_changed, err)));
}

bool tenant_create_joins(JobContext *context, bool *ret_joins, Err *err)
{
    Create *create = NULL;
    if (!create_load(context, &create, err) ||
        (create->tier == TIER_ROW && !find_ready(context, create, &create->shared, err)) ||
        !find_spare(context, create, &create->spare, err)) {
        return false;
    }
    *ret_joins = create->shared != NULL || create->spare != NULL;
    return true;
}

bool tenant_create_ground(JobContext *context, Err *err)
{
    Create *create = NULL;
    Spare *spare = NULL;
    if (!create_load(context, &create, err) || !find_spare(context, create, &spare, err)) {
        return false;
    }
    if (spare != NULL) {
        return true; /* whoever made it did this */
    }
    if (create->tier == TIER_ROW) {
        return ensure_shared(context, create, err);
    }
    /* Afresh: an attempt before this one may have made them and been rolled back. */
    create->has_extensions = false;
    return load_scripts(context, create, err) && create_load_extensions(context, create, err) &&
           place_ensure_extensions(context->arena, context->store, create->blueprint,
                                   &create->extensions, err);
}

void provision_add_owner(Provision *provision)
{
    const char *owner = provision->place->owner_role;
    store_batch(provision->batch, ROLE_ADD, PG_PARAMS(owner, provision->tenant->id, "owner"));
    store_batch(provision->batch, ROLE_MAP, PG_PARAMS(owner, provision->tenant->id));
}

static bool make_schema_place(Provision *provision, const Extensions *extensions, Err *err)
{
    Arena *arena = provision->context->arena;
    Place *place = ARENA_NEW(arena, Place);
    if (!place_name(arena, provision->create->blueprint, TIER_SCHEMA, provision->logins.stem, place,
                    err) ||
        !place_add_schema(arena, provision->context->store, provision->batch,
                          provision->create->blueprint, extensions, place,
                          &provision->lacks_partitions, err)) {
        return false;
    }
    provision->place = place;
    provision_add_owner(provision);
    return true;
}

static bool join_shared_place(Provision *provision, Err *err)
{
    JobContext *context = provision->context;
    Arena *arena = context->arena;
    Place *place = provision->create->shared;
    if (place == NULL && !places_find_shared(arena, context->store,
                                             provision->create->blueprint->name, &place, err)) {
        return false;
    }
    if (place == NULL) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "the shared place of blueprint \"%s\" is missing",
                       provision->create->blueprint->name);
    }
    provision->place = place;
    /* The seed is that of the place's version. */
    if (place->version != provision->create->blueprint->version &&
        !load_scripts(context, provision->create, err)) {
        return false;
    }
    const SqlArg tenants = sql_name(arena, context->store->tenants_role);
    const char *const groups[] = {
        [LOGIN_APP] = place->app_role, [LOGIN_READONLY] = place->readonly_role};
    for (int i = 0; i < LOGIN_COUNT_; i++) {
        pg_batch_add(provision->batch,
                     SQL(arena, "GRANT {}, {} TO {}", tenants, sql_name(arena, groups[i]),
                         sql_name(arena, provision->logins.roles[i])),
                     PG_NO_PARAMS);
    }
    return true;
}

/* A new password for a login whose role was not made ahead. What is ready is sent at once: the
 * server works on it, and checks the password, while the next verifier is computed here. */
static bool add_new_password(Provision *provision, int login, Err *err)
{
    JobContext *context = provision->context;
    const char *role = provision->logins.roles[login];
    const SecretBinding binding = login_binding(provision->tenant->id, role);
    LoginSecret secret;
    if (!pg_batch_send(context->store->conn, provision->batch, err) ||
        !login_new_secret(context->arena, context->store, &binding, &secret, err)) {
        return false;
    }
    login_add_password(context->arena, provision->batch, role, &secret);
    provision->logins.sealed[login] = secret.sealed;
    return true;
}

bool provision_add_logins(Provision *provision, Err *err)
{
    JobContext *context = provision->context;
    LoginPair *logins = &provision->logins;
    const LoginLimits limits = login_limits(provision->create->plan);
    for (int i = 0; i < LOGIN_COUNT_; i++) {
        const bool is_readonly = i == LOGIN_READONLY;
        login_add_plan(context->arena, provision->batch, logins->roles[i], is_readonly, &limits,
                       logins->is_ready);
        login_add_base(context->arena, provision->batch, logins->roles[i], is_readonly,
                       provision->search_path);
    }
    for (int i = 0; i < LOGIN_COUNT_ && !logins->is_ready; i++) {
        if (!add_new_password(provision, i, err)) {
            return false;
        }
    }
    login_add_rows(context->store, provision->batch, provision->tenant->id, logins);
    return true;
}

/* The blueprint's seed runs with the rights of the tenant's application, so it can do nothing that
 * the tenant could not. */
static bool add_seed(Provision *provision, Err *err)
{
    const char *seed = provision->create->blueprint->seed;
    Arena *arena = provision->context->arena;
    if (seed == NULL) {
        return true;
    }
    place_enter_seed(provision->batch, provision->logins.roles[LOGIN_APP], provision->search_path);
    if (!place_add_script(arena, provision->batch, "seed", seed, err)) {
        return false;
    }
    place_leave_role(provision->batch);
    return true;
}

bool provision_add_record(Provision *provision, Json *detail, Err *err)
{
    JobContext *context = provision->context;
    json_put_text(detail, "slug", provision->tenant->slug);
    json_put_text(detail, "blueprint", provision->create->blueprint->name);
    json_put_int(detail, "version", provision->place->version);
    json_put_text(detail, "plan", provision->create->plan->name);
    json_put_text(detail, "tier", tier_name(provision->create->tier));
    const AuditEntry entry = {.chain = provision->tenant->id,
                              .actor = context->actor,
                              .action = context->operation,
                              .job_id = context->job_id,
                              .detail = detail};
    provision->active = tenant_add_active(context->arena, provision->batch, provision->tenant,
                                          provision->place);
    return audit_add_first(context->store, provision->batch, &entry, err);
}

static bool add_birth_record(Provision *provision, Err *err)
{
    scoped_json Json *detail = json_object();
    return provision_add_record(provision, detail, err);
}

bool provision_claim_logins(Provision *provision, Err *err)
{
    JobContext *context = provision->context;
    if (!login_claim_pair(context->arena, context->store, provision->tenant->id, &provision->logins,
                          err)) {
        return false;
    }
    for (int i = 0; i < LOGIN_COUNT_ && !provision->logins.is_ready; i++) {
        place_add_role(context->arena, provision->batch, provision->logins.roles[i]);
    }
    return true;
}

static bool fill_batch(Provision *provision, const Extensions *extensions, Err *err)
{
    JobContext *context = provision->context;
    if (!provision_claim_logins(provision, err)) {
        return false;
    }
    const bool has_place = provision->create->tier == TIER_SCHEMA
                               ? make_schema_place(provision, extensions, err)
                               : join_shared_place(provision, err);
    if (!has_place) {
        return false;
    }
    provision->search_path = place_search_path(context->arena, extensions, provision->place);
    /* The server works on it while the rest is put together. */
    return provision_add_logins(provision, err) &&
           pg_batch_send(context->store->conn, provision->batch, err) && add_seed(provision, err) &&
           add_birth_record(provision, err);
}

/* The claimed spare becomes the tenant's place. */
static bool fill_from_spare(Provision *provision, const Spare *spare, Err *err)
{
    JobContext *context = provision->context;
    provision->place = &spare->place;
    return spare_add_take(context->arena, context->store, provision->batch, spare,
                          provision->create->plan, err) &&
           add_birth_record(provision, err);
}

static bool fill_new(Provision *provision, Create *create, Err *err)
{
    return create_load_extensions(provision->context, create, err) &&
           fill_batch(provision, &create->extensions, err);
}

/* Its state matters to others only where they can see it. */
static bool take_tenant(JobContext *context, const Create *create, Err *err)
{
    if (create->tenant == NULL) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "no slug was reserved for this tenant");
    }
    return context->is_unseen ||
           tenant_move(context->store, create->tenant, TENANT_PROVISIONING, err);
}

/* What is asked in one round trip, where reserving the slug did not ask it. */
static bool prepare_new(JobContext *context, Create *create, Err *err)
{
    scoped_batch PgBatch *batch = pg_batch_new(context->arena);
    if (create->is_prepared) {
        return true;
    }
    if (create->tier == TIER_SCHEMA && !load_scripts(context, create, err)) {
        return false;
    }
    expect_new(context, create, batch);
    return run_and_keep(context, batch, err);
}

bool tenant_create_provision(JobContext *context, PgBatch *batch, bool *ret_is_made, Err *err)
{
    Create *create = NULL;
    Spare *spare = NULL;
    if (!create_load(context, &create, err) || !take_tenant(context, create, err) ||
        !find_spare(context, create, &spare, err) ||
        (spare == NULL && !prepare_new(context, create, err)) ||
        !store_hold_active_key(context->store, err)) {
        return false;
    }
    Provision provision = {
        .context = context, .create = create, .tenant = create->tenant, .batch = batch};
    if (!(spare != NULL ? fill_from_spare(&provision, spare, err)
                        : fill_new(&provision, create, err))) {
        return pg_batch_abandon(context->store->conn, batch);
    }
    create->unpartitioned = provision.lacks_partitions ? provision.place : NULL;
    create->active = provision.active;
    *ret_is_made = spare == NULL && create->tier == TIER_SCHEMA;
    FAULT("tenant.provision.sent");
    return true;
}

bool tenant_create_finish(JobContext *context, const PgBatch *batch, Err *err)
{
    Create *create = NULL;
    if (!create_load(context, &create, err) ||
        !tenant_check_active(batch, create->active, create->tenant, err) ||
        (create->unpartitioned != NULL &&
         !place_ensure_partitions(context->arena, context->store, create->blueprint,
                                  create->unpartitioned, err))) {
        return false;
    }
    FAULT("tenant.provision.made");
    return true;
}

/* Provisioning is one transaction, so there is nothing to take down but the reservation, and the
 * spare that was claimed: its id is the failed tenant's now. The audit chain says why the slug was
 * tried. */
bool tenant_create_undo(JobContext *context, Err *err)
{
    Tenant *tenant = NULL;
    Spare *spare = NULL;
    scoped_json Json *detail = json_object();
    if (context->tenant_id == NULL) {
        return true;
    }
    if (!tenants_get(context->arena, context->store, context->tenant_id, &tenant, err) ||
        !spare_find_claimed(context->arena, context->store, tenant->id, &spare, err) ||
        (spare != NULL && !spare_drop(context->arena, context->store, spare, err))) {
        return false;
    }
    json_put_text(detail, "slug", tenant->slug);
    return tenant_move(context->store, tenant, TENANT_FAILED, err) &&
           job_audit_last(context, arena_printf(context->arena, "%s.undo", context->operation),
                          detail, err);
}
