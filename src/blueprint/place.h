/* Making the place where a tenant's data is: roles, schema, tables, partitions, rights.
 *
 * Everything runs inside the caller's transaction, so that a place is whole or not there. The
 * objects belong to the place's owner role; the role that Tenantry connects as is a member of it
 * only within that transaction (a permanent membership in the roles of thousands of tenants would
 * make every connection slower).
 *
 * Row tier: the tables are guarded by two policies each. `tenant_guard` is RESTRICTIVE, so that no
 * other policy can ever widen what a tenant sees: tenant_id must be the tenant of the role, and of
 * `app.current_tenant_id` where that is set. `tenant_rows` is the permissive one that PostgreSQL
 * wants beside it. */
#ifndef TENANTRY_BLUEPRINT_PLACE_H
#define TENANTRY_BLUEPRINT_PLACE_H

#include "blueprint/blueprint.h"
#include "blueprint/registry.h"
#include "blueprint/steps.h"
#include "store/store.h"
#include "store/tenants.h"

/* Names a new place: a random UUID, and a schema and roles that begin with the opaque stem. */
bool place_name(Arena *arena, const Blueprint *blueprint, Tier tier, const char *stem,
                Place *ret_place, Err *err);

/* Adds the statement that makes a role without any right, not even to log in. */
void place_add_role(Arena *arena, PgBatch *batch, const char *role);

/* Makes a place of the schema tier, whose two application roles are there or made earlier in the
 * batch: adds all statements to the batch (owner role, schema,
 * migrations, partitions, rights, registry rows). *ret_lacks_partitions tells that a variant for an
 * extension is among the migrations, so that only the catalogue can say which tables it left to
 * native partitions: call place_ensure_partitions after the batch ran. */
bool place_add_schema(Arena *arena, Store *store, PgBatch *batch, const Blueprint *blueprint,
                      const Extensions *extensions, const Place *place, bool *ret_lacks_partitions,
                      Err *err);

/* Whether a shared place's way to the blueprint's version has steps (steps.h), which are a
 * rollout's to go. */
bool place_waits_for_rollout(Arena *arena, Store *store, const Blueprint *blueprint,
                             const Place *place, bool *ret_waits, Err *err);

/* Makes the shared place of the row tier, or brings it up to the blueprint's version; under the
 * blueprint's lock. ERR_ROLLOUT when it waits for a rollout. *ret_is_changed tells whether there
 * was anything to do. */
bool place_ensure_shared(Arena *arena, Store *store, const Blueprint *blueprint,
                         bool *ret_is_changed, Err *err);

/* The way from one version to another, which is the same for all places that stand there: its
 * scripts in their order, up by the migrations or down by their down scripts. */
typedef struct PlaceWay {
    int64_t from;
    int64_t to;
    size_t count;
    const SqlScript *scripts;
    const char **down_sums; /* registry_down_sum of each, on the way down */
    bool has_amends;        /* amends_follow (amend.h) */
    bool is_inert;          /* no script is active (inert.h) */
} PlaceWay;

/* Takes the scripts of a way apart. ERR_NO_WAY_BACK when a down script is missing. */
bool place_read_way(Arena *arena, const Blueprint *blueprint, const Extensions *extensions,
                    int64_t from, int64_t to, PlaceWay *ret_way, Err *err);

/* Adds everything that moves a place along a way, within the caller's transaction: as the owner,
 * with the registry's rows. *ret_has_more tells that place_ensure_partitions has to follow once the
 * batch ran. */
void place_add_move(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                    const Extensions *extensions, const Place *place, const PlaceWay *way,
                    bool *ret_has_more);

/* The same without the place's version and, on the way up, without the last migration's row, for
 * who writes them together with something else: that migration; NULL when there is none. With
 * is_quiet an inert way takes place_enter_inert. */
const BlueprintMigration *place_add_way(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                                        const Extensions *extensions, const Place *place,
                                        const PlaceWay *way, bool is_quiet);

/* Whether each version after `after` and up to `upto` has a down script; ERR_NO_WAY_BACK. */
bool place_check_way_back(const Blueprint *blueprint, int64_t after, int64_t upto, Err *err);

/* Makes the partitions of a place that should be there by now (the current one and those ahead); in
 * the row tier every table is guarded and granted afterwards, the new ones too. */
bool place_ensure_partitions(Arena *arena, Store *store, const Blueprint *blueprint,
                             const Place *place, Err *err);

/* The same, refused by PostgreSQL (check_violation) when rows in a default partition would have to
 * move: where none do, no partition is taken off its table and no foreign key is checked. */
bool place_try_partitions(Arena *arena, Store *store, const Blueprint *blueprint,
                          const Place *place, Err *err);

/* Installs the extensions that the blueprint wants and the server offers, where they are not
 * installed yet. */
bool place_ensure_extensions(Arena *arena, Store *store, const Blueprint *blueprint,
                             Extensions *extensions, Err *err);

/* The search_path of a place as SQL ("\"schema\", \"extensions\", pg_temp"), for SET and ALTER
 * ROLE. */
const char *place_search_path(Arena *arena, const Extensions *extensions, const Place *place);

/* Everything that is added between the two runs as the role, in one guarded call (guard.c): texts
 * without parameters, whose rows nobody sees. Code of tenants runs nowhere else. place_leave_role
 * sets the session up anew, since that code may have changed settings. */
void place_enter_role(PgBatch *batch, const char *role, const char *search_path);
void place_leave_role(PgBatch *batch);

/* place_enter_role for a seed: every deferrable constraint waits for its end, so that rows may
 * refer to later ones; the guard that came before in the transaction left them immediate. */
void place_enter_seed(PgBatch *batch, const char *role, const char *search_path);

/* The same as the owner of a place, in a guard that stays for the next time. */
void place_enter_owner(PgBatch *batch, const Place *place, const char *search_path);

/* The same for scripts that are not active (inert.h), in a quarter of the time: there must be no
 * event trigger, which runs code whatever the statement is. undefined_function where the owner has
 * no guard yet; place_enter_owner makes it. */
void place_enter_inert(Arena *arena, PgBatch *batch, const Place *place, const char *search_path);
void place_leave_inert(PgBatch *batch);

/* place_leave_role that asks before the reset what the code left in a setting of the session: *that
 * code's* word, a text that may be anything. Returns the number of the answer in the batch. */
size_t place_leave_role_asking(PgBatch *batch, const char *setting);

/* One step of a script that is not one transaction (steps.h), in a place. */
typedef struct PlaceStep {
    const BlueprintMigration *migration;
    const ScriptStep *step;
    int64_t number; /* from 1 */
    int64_t total;
    bool is_down;
    const char *down_sum; /* registry_down_sum, on the way down */
} PlaceStep;

/* The file as errors name it: a down script's is that of its migration, "FILE, down". */
const char *place_step_file(Arena *arena, const PlaceStep *step);

/* Adds the statements of a step that is a transaction, as the owner, within the caller's.
 * *ret_has_more as with place_add_move. */
void place_add_step(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                    const Extensions *extensions, const Place *place, const PlaceStep *step,
                    bool *ret_has_more);

/* Adds the registry's rows that say that a step is done; after the last one, that the place is at
 * the migration's version, or before it. */
void place_add_step_done(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                         const Extensions *extensions, const Place *place, const PlaceStep *step);

/* The same without the row of the step itself, for who writes that. */
void place_add_step_end(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                        const Extensions *extensions, const Place *place, const PlaceStep *step);

/* Adds every statement of a script, each with its file and line. */
bool place_add_script(Arena *arena, PgBatch *batch, const char *file, const char *text, Err *err);
void place_add_statements(Arena *arena, PgBatch *batch, const SqlScript *script);

/* Adds: DROP SCHEMA ... CASCADE, as the place's owner. */
void place_add_drop_schema(Arena *arena, PgBatch *batch, const Place *place);

/* Adds: everything that names these roles, and the roles. */
void place_add_drop_roles(Arena *arena, PgBatch *batch, const char *const *roles, size_t count);

#endif
