/* What the key of a backfill must be shows when rows are there, batch by batch, in the places of
 * tenants: too late, since a recorded version stays as it is. A later version may make the key NOT
 * NULL or index it, so it is looked at in a place of the versions before. */
#include <inttypes.h>

#include "blueprint/registry.h"
#include "blueprint/trial.h"
#include "blueprint/trial_parts.h"

static bool refuse(const BlueprintMigration *migration, const char *hint, const char *rule,
                   Err *err)
{
    return ERR_SET(err, ERR_BLUEPRINT_INVALID, hint,
                   "%s: the backfill's key \"%s\" of table \"%s\" %s before version %" PRId64,
                   migration->file, migration->backfill->key, migration->backfill->table, rule,
                   migration->version);
}

static bool check_key(Store *store, const BlueprintMigration *migration, const char *schema,
                      Err *err)
{
    const BlueprintBackfill *backfill = migration->backfill;
    scoped_rows PgRows *rows = NULL;
    if (!pg_query(store->conn, store_sql(TRIAL_BACKFILL_KEY),
                  PG_PARAMS(schema, backfill->table, backfill->key), &rows, err)) {
        return false;
    }
    if (pg_rows_count(rows) == 0) {
        return refuse(migration, "name a table that an earlier version makes, and its column",
                      "is not in the place", err);
    }
    if (!pg_rows_bool(rows, 0, 0)) {
        return refuse(migration,
                      "rows without a key would be passed over: name another key, such as the "
                      "primary key, or let an earlier version SET NOT NULL",
                      "can be NULL", err);
    }
    return pg_rows_bool(rows, 0, 1) ||
           refuse(migration,
                  "each batch would sort the whole table: name another key, such as the primary "
                  "key, or let an earlier version make the index",
                  "is not the first column of a btree index over all rows", err);
}

/* A place with the versions before the migration, undone again unless it fails. What the manifest
 * says of tables need not be true yet. */
static bool check_before(Arena *arena, Store *store, const Blueprint *blueprint,
                         const Extensions *extensions, size_t migration, Err *err)
{
    Place place;
    Blueprint before = *blueprint;
    before.migration_count = migration;
    before.append_only_count = 0;
    before.shared_count = 0;
    if (!pg_query(store->conn, "SAVEPOINT trial_backfill", PG_NO_PARAMS, NULL, err)) {
        return false;
    }
    if (!trial_make_structure(arena, store, &before, extensions, &place, err)) {
        return blueprint_blame(blueprint, "the versions before a backfill were tried", err);
    }
    return check_key(store, &blueprint->migrations[migration], place.schema_name, err) &&
           pg_query(store->conn, "ROLLBACK TO SAVEPOINT trial_backfill", PG_NO_PARAMS, NULL, err) &&
           pg_query(store->conn, "RELEASE SAVEPOINT trial_backfill", PG_NO_PARAMS, NULL, err);
}

bool trial_backfills(Arena *arena, Store *store, const Blueprint *blueprint, Err *err)
{
    int64_t recorded = 0;
    Extensions extensions = {0};
    if (!registry_find_version(store, blueprint->name, &recorded, err) ||
        !registry_find_extensions(arena, store, blueprint, &extensions, err)) {
        return false;
    }
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        const BlueprintMigration *migration = &blueprint->migrations[i];
        if (migration->backfill != NULL && migration->version > recorded &&
            !check_before(arena, store, blueprint, &extensions, i, err)) {
            return false;
        }
    }
    return true;
}
