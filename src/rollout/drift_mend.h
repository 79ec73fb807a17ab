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

/* A statement of the reference with the names of this place. */
const char *mend_for_place(const Mending *mending, const char *statement);

/* How an object of the kind and the mending's name is made (is_missing), or set as it should be;
 * NULL where it is not known. */
const DriftRecipe *mend_find_recipe(const Mending *mending, const char *kind, bool is_missing);

/* How the object is made by its recipe; NULL where there is none, or the table is not there. */
const char *mend_make(const Mending *mending);

/* The same with what else belongs to a new object: its owner, defaults of a view's columns. */
const char *mend_missing(const Mending *mending);

/* How it is dropped; NULL where rows could be lost. */
const char *mend_drop(const Mending *mending);

/* A role as lines name it ("{app}"), as SQL does. */
const char *mend_role_name(const Mending *mending, const char *role);

/* "table.object" in its two parts; false for names with more points, which cannot be told apart. */
bool mend_split_name(const Mending *mending, const char *name, const char **ret_table,
                     const char **ret_object);

/* A function as the server writes it, with the schemas of its own name and of its arguments' types,
 * which names of lines have not; NULL where it is not known. */
const char *mend_function_name(const Mending *mending, const char *name);

/* What the reference says of an object; NULL when it has none. */
const FingerprintLine *drift_find_line(const DriftReference *reference, const char *kind,
                                       const char *name);

/* What the place has of an object; NULL when it has none. */
const FingerprintLine *mend_find_line(const Mending *mending, const char *kind, const char *name);

/* --- drift_column.c --------------------------------------------------------------------------- */

/* A column that is different; NULL where its number, type, collation or another part that no
 * statement sets is. */
const char *mend_column(const Mending *mending);

/* --- drift_code.c ----------------------------------------------------------------------------- */

/* A view or function that is different. Where it cannot be replaced it is made anew, with its
 * rights and what is on it. */
const char *mend_code(const Mending *mending);

/* "; COMMENT ON ..." of an object; "" where none is known. */
const char *mend_comment(const Mending *mending, const char *kind, const char *name);

/* "; ALTER VIEW ... SET DEFAULT ..." for each default of the view's columns; "" where none is, or
 * it is no view. */
const char *mend_view_defaults(const Mending *mending);

/* --- drift_rights.c --------------------------------------------------------------------------- */

/* "table x" as GRANT and ALTER write it; NULL of what has none. */
const char *mend_object_of(const Mending *mending, const char *name, bool is_grant);

/* One difference each; NULL where nothing is known that would mend it. */
const char *mend_grants(const Mending *mending);
const char *mend_partition_grants(const Mending *mending);
const char *mend_owner(const Mending *mending);
const char *mend_role(const Mending *mending);

#endif
