/* tenant.adopt: a schema that is there becomes the place of a new tenant of the schema tier.
 *
 * Its first steps are those of tenant.create; its last is put together in ops, where the schema is
 * also compared with the version that it claims and the tenant's isolation is checked, in the same
 * transaction. Arguments of the job: those of tenant.create, with tier "schema"; schema; version;
 * allow-drift. */
#ifndef TENANTRY_TENANT_ADOPT_H
#define TENANTRY_TENANT_ADOPT_H

#include "blueprint/takeover.h"
#include "job/job.h"
#include "store/tenants.h"

typedef struct Adoption Adoption;

/* Takes the schema: owners and rights, logins, registry rows. blueprint is at the version that is
 * claimed. Within the step's transaction; *ret_place is what the schema is now. */
bool tenant_adopt_take(JobContext *context, const Blueprint *blueprint, Adoption **ret_adoption,
                       const Place **ret_place, Err *err);

/* The end: the tenant is active, and its audit chain begins; differences from the version, which
 * were allowed, are recorded. */
bool tenant_adopt_finish(Adoption *adoption, int64_t differences, Err *err);

/* The statements that an adoption with these arguments would run, and the place that the schema
 * would be, with names of roles that another one will have. Changes nothing. ERR_INPUT_INVALID and
 * ERR_PG_RIGHT_MISSING as the adoption itself. */
bool tenant_adopt_preview(Arena *arena, Store *store, const Json *args, const Blueprint *blueprint,
                          TextList *ret_statements, Place *ret_place, Err *err);

#endif
