/* What making a tenant and adopting a schema for one share. Internal to the module. */
#ifndef TENANTRY_TENANT_CREATE_PARTS_H
#define TENANTRY_TENANT_CREATE_PARTS_H

#include "blueprint/registry.h"
#include "tenant/login.h"
#include "tenant/spare.h"

/* What one run of the job has loaded; each step can do without what an earlier step of another run
 * loaded. */
typedef struct Create {
    Blueprint *blueprint;
    const BlueprintPlan *plan;
    Tier tier;
    bool has_scripts; /* the blueprint is whole, not its head and seed alone */
    Extensions extensions;
    bool has_extensions; /* they were looked up */
    bool is_prepared;    /* what provisioning asks was asked in the transaction that is open */
    bool lacks_spare;    /* this run asked for a spare and there was none */
    Tenant *tenant;      /* NULL until its slug is reserved */
    Place *shared;       /* found by a step of the transaction that is open; or NULL */
    Spare *spare;
    size_t active;              /* the number of the batch's statement that ends it */
    const Place *unpartitioned; /* made by the batch, but for its partitions; or NULL */
} Create;

/* What is needed in any case: the blueprint without its migrations, plan and tier. */
bool create_load(JobContext *context, Create **ret_create, Err *err);
bool create_load_extensions(JobContext *context, Create *create, Err *err);

/* Adds the tenant's row, and with it takes the slug. Two creates at once: the second soon fails,
 * and takes the slug if the first has failed by then. Blocks, a second at most for another create
 * of the slug. ERR_SLUG_TAKEN. The second one adds what the first asks, so that its answer can be
 * kept (store_keep_answers). */
bool slug_reserve(JobContext *context, const Create *create, const Tenant *tenant, Err *err);
void slug_expect(JobContext *context, const Create *create, const Tenant *tenant, PgBatch *batch);

/* What the batch of slug_expect failed with: ERR_CONFLICT where the plan is gone, which another try
 * finds out. Returns false. */
bool slug_fail_add(const Create *create, Err *err);

/* A tenant in the transaction that makes all of it. */
typedef struct Provision {
    JobContext *context;
    Create *create;
    const Tenant *tenant;
    const Place *place;
    const char *search_path;
    LoginPair logins; /* names, and the passwords of a pair that was made ahead */
    bool lacks_partitions;
    size_t active; /* the number of the statement that makes it active */
    PgBatch *batch;
} Provision;

/* A pair of logins: one that was made ahead, or roles that the batch makes. */
bool provision_claim_logins(Provision *provision, Err *err);

/* Adds the registry's rows of the place's owner role. */
void provision_add_owner(Provision *provision);

/* Adds limits, settings, passwords and registry rows of both logins. */
bool provision_add_logins(Provision *provision, Err *err);

/* Adds the end: the tenant has its place and is active; the first entry of its audit chain, the
 * members of detail and what every tenant has. */
bool provision_add_record(Provision *provision, Json *detail, Err *err);

#endif
