/* Names of schemas that no blueprint and nobody's own schema may have: the one list of them. Any
 * thread; does not block. */
#ifndef TENANTRY_BLUEPRINT_SCHEMA_NAME_H
#define TENANTRY_BLUEPRINT_SCHEMA_NAME_H

#include <stdbool.h>

/* PostgreSQL's and Tenantry's own, those that Tenantry may have later (all that begin with its
 * names), and public: what stands in them is found by every tenant, or by Tenantry itself. */
bool schema_is_reserved(const char *name);

/* Whether it has the form of the names that Tenantry gives places: tenant_<12 hex> and so on. */
bool schema_is_opaque(const char *name);

#endif
