/* Blueprints as the control schema keeps them. */
#ifndef TENANTRY_BLUEPRINT_REGISTRY_H
#define TENANTRY_BLUEPRINT_REGISTRY_H

#include "blueprint/blueprint.h"
#include "store/store.h"

/* The newest version of a blueprint; ERR_BLUEPRINT_MISSING (with the nearest name) when there is
 * none. */
bool registry_get(Arena *arena, Store *store, const char *name, Blueprint **ret_blueprint,
                  Err *err);

/* The same without the texts of migrations and demo, which are most of a definition: there are no
 * migrations then, and demo is NULL. */
bool registry_get_head(Arena *arena, Store *store, const char *name, Blueprint **ret_blueprint,
                       Err *err);

/* The newest version of a blueprint that is recorded; 0 when there is none. */
bool registry_find_version(Store *store, const char *name, int64_t *ret_version, Err *err);

/* A blueprint as it was recorded at this version; where several versions were recorded at once, the
 * newest definition with the migrations up to this one. */
bool registry_get_version(Arena *arena, Store *store, const char *name, int64_t version,
                          Blueprint **ret_blueprint, Err *err);

typedef enum RegistryChange { REGISTRY_SAME, REGISTRY_ADDED, REGISTRY_CHANGED } RegistryChange;

/* Records a blueprint, within the caller's transaction and under the blueprint's lock. A migration
 * that was recorded before must be the same (ERR_BLUEPRINT_EXISTS with both checksums), and so must
 * a down script that has run; none may be gone, and a plan that a tenant uses must stay. Other
 * parts of the manifest may change. */
bool registry_add(Arena *arena, Store *store, const Blueprint *blueprint,
                  RegistryChange *ret_change, Err *err);

/* Gives a blueprint that was read from its folder the versions that are recorded already
 * (layout_continue.h). Nothing to do for Tenantry's own layout, whose files say their version.
 * ERR_BLUEPRINT_EXISTS. */
bool registry_continue(Arena *arena, Store *store, Blueprint *blueprint, Err *err);

/* Whether registry_add would take it, by what is recorded now: the same errors, with file and line
 * where the blueprint was read from a manifest. */
bool registry_check(Arena *arena, Store *store, const Blueprint *blueprint, Err *err);

/* SHA-256 of a down script as it is in its file; NULL when there is none. In the arena. */
bool registry_down_sum(Arena *arena, const BlueprintMigration *migration, const char **ret_sha256,
                       Err *err);

/* Adds the row that keeps a down script as it is from now on: it, or a step of it, has run. */
void registry_add_down_ran(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                           const BlueprintMigration *migration, const char *sha256);

/* Which of the blueprint's extensions this server offers, and where those that are installed live.
 */
typedef struct Extensions {
    size_t count;
    const char **names;    /* offered by the server */
    const char **schemas;  /* where it is installed, or NULL when it is not */
    const char **versions; /* which one is installed, or NULL */
} Extensions;

/* Looks the blueprint's extensions up. ERR_EXTENSION_MISSING when the server does not offer a
 * wanted one: nothing was changed then. */
bool registry_find_extensions(Arena *arena, Store *store, const Blueprint *blueprint,
                              Extensions *ret_extensions, Err *err);

/* Adds the statement that registry_find_extensions will ask, so that its answer can be kept
 * (store_keep_answers). */
void registry_expect_extensions(Arena *arena, PgBatch *batch, const Blueprint *blueprint);

/* ERR_INPUT_INVALID: a version was asked for that the blueprint (its newest is given) does not
 * have. Returns false. */
bool registry_fail_version(const Blueprint *newest, int64_t version, Err *err);

#endif
