/* What the files that word mending statements share; internal to the module. */
#ifndef TENANTRY_ROLLOUT_DRIFT_MEND_H
#define TENANTRY_ROLLOUT_DRIFT_MEND_H

#include "rollout/drift_parts.h"

typedef struct Mending {
    Arena *arena;
    const DriftReference *reference;
    const DriftContents *contents;
    const Place *place;
    const char *kind;
    const char *name;
    const char *expected; /* NULL: there should be none */
    const char *found;    /* NULL: there is none */
} Mending;

/* "schema.name", quoted where need be. */
const char *mend_qualified(const Mending *mending, const char *name);

/* A role as lines name it ("{app}"), as SQL does. */
const char *mend_role_name(const Mending *mending, const char *role);

/* "table.object" in its two parts; false for names with more points, which cannot be told apart. */
bool mend_split_name(const Mending *mending, const char *name, const char **ret_table,
                     const char **ret_object);

/* "f(integer)" with its schema; the types of its arguments are as the server wrote them. */
const char *mend_function_name(const Mending *mending, const char *name);

/* What the reference says of an object; NULL when it has none. */
const FingerprintLine *drift_find_line(const DriftReference *reference, const char *kind,
                                       const char *name);

/* --- drift_rights.c --------------------------------------------------------------------------- */

/* "table x" as GRANT and ALTER write it; NULL of what has none. */
const char *mend_object_of(const Mending *mending, const char *name, bool is_grant);

/* One difference each; NULL where nothing is known that would mend it. */
const char *mend_grants(const Mending *mending);
const char *mend_partition_grants(const Mending *mending);
const char *mend_owner(const Mending *mending);
const char *mend_role(const Mending *mending);

#endif
