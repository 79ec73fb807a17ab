/* Removing what a tenant or a spare has on the server; within the caller's transaction. */
#ifndef TENANTRY_TENANT_DROP_H
#define TENANTRY_TENANT_DROP_H

#include "store/tenants.h"

/* Adds: DROP SCHEMA ... CASCADE, as the place's owner. */
void drop_add_schema(Arena *arena, PgBatch *batch, const Place *place);

/* Adds: everything that names these roles, and the roles. */
void drop_add_roles(Arena *arena, PgBatch *batch, const char *const *roles, size_t count);

#endif
