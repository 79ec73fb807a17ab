/* Parts of making a place that have a file of their own. */
#ifndef TENANTRY_BLUEPRINT_PLACE_PARTS_H
#define TENANTRY_BLUEPRINT_PLACE_PARTS_H

#include "blueprint/place.h"
#include "blueprint/stamp.h"

/* What a place of the schema tier is made from. */
typedef struct PlaceSource {
    const Blueprint *blueprint;
    const Extensions *extensions;
    const Stamp *stamp;  /* NULL: the migrations */
    bool has_partitions; /* makes those that begin soon */
} PlaceSource;

/* Adds the statements of place_add_schema that make the place, without the registry's rows.
 * *ret_has_variant tells that a variant for an extension is among the migrations; then no
 * partitions are made. */
bool place_add_structure(Arena *arena, const Store *store, PgBatch *batch,
                         const PlaceSource *source, const Place *place, bool *ret_has_variant,
                         Err *err);

/* Adds the owner role, in the tenants' group with the application roles, which are there; Tenantry
 * is a member of it until the owner is entered or left. */
void place_add_owner(Arena *arena, const Store *store, PgBatch *batch, const Place *place);

/* Adds what the application roles may do in the schema and with things that come. Run as the owner.
 * Nothing for PUBLIC, ever; in the row tier tables are granted one by one once they are guarded. */
void place_add_default_privileges(Arena *arena, PgBatch *batch, const Place *place, Tier tier);

/* Versions after one and up to another. */
typedef struct VersionRange {
    int64_t after;
    int64_t upto;
} VersionRange;
#define ALL_VERSIONS(blueprint) ((VersionRange){.after = 0, .upto = (blueprint)->version})

/* Adds the migrations of these versions, run as the owner. *ret_has_variant tells whether one for
 * an extension was among them. */
bool place_add_migrations(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                          const Extensions *extensions, VersionRange range, bool *ret_has_variant,
                          Err *err);

/* Adds the registry's rows that say that they ran. */
void place_add_ledger(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                      const Extensions *extensions, const Place *place, VersionRange range);

/* Adds the statements that make the current partition of each declared table and those ahead; run
 * as the owner. Names are TABLE_2026_11 (month), TABLE_2026 (year), TABLE_2026_11_21 (day and the
 * Monday of a week); bounds are UTC. */
void partitions_add(Arena *arena, PgBatch *batch, const Blueprint *blueprint, const Place *place);

/* The same for a place that is new: only those that begin within two days, which `partition ensure`
 * then completes. Each partition makes PostgreSQL read all of pg_constraint, which grows with the
 * number of tenants, and nobody should wait for that while a tenant is made. */
void partitions_add_first(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                          const Place *place);

/* One partition of a declared table: its name and its bounds as dates, the upper one exclusive. */
typedef struct PartitionRange {
    const char *name;
    const char *from;
    const char *to;
} PartitionRange;

/* Whether it is one of those that a new place needs at once. */
bool partition_begins_soon(PartitionEvery every, int64_t ahead);

/* The partition that is `ahead` after the one that holds now. */
PartitionRange partition_range(Arena *arena, const BlueprintPartition *partition, int64_t ahead);

/* Adds the statement that makes it, unless it is there. */
void partition_add(Arena *arena, PgBatch *batch, const BlueprintPartition *partition,
                   const Place *place, const PartitionRange *range);

/* Rows that came before their partition was made are in the default partition, and PostgreSQL then
 * refuses to make it. Adds the statements that make the missing partitions of a table and move
 * those rows, without the foreign keys that reference the table meanwhile; none when nothing is
 * missing or the default partition is empty. Run as the owner. Errors as incoming_keys_read. */
bool default_partition_add_moves(Arena *arena, Store *store, PgBatch *batch,
                                 const BlueprintPartition *partition, const Place *place, Err *err);

/* The foreign keys that reference a partitioned table and thereby rows of its default partition,
 * which PostgreSQL takes off the table only when nothing references them. ERR_PG_FAILED, with the
 * statements that help, for a key that has to go and is not the owner's to drop, or that would
 * follow the rows' DELETE. */
typedef struct IncomingKeys {
    size_t count;
    const struct IncomingKey *keys;
} IncomingKeys;
bool incoming_keys_read(Arena *arena, Store *store, const char *table, const Place *place,
                        IncomingKeys *ret_keys, Err *err);

/* Adds the statements that drop them, and those that make them again under their names, with their
 * definitions and comments; PostgreSQL checks them. Run as the owner, in one transaction. */
void incoming_keys_add_drops(Arena *arena, PgBatch *batch, const IncomingKeys *keys);
void incoming_keys_add_back(Arena *arena, PgBatch *batch, const IncomingKeys *keys);

/* Schema tier: takes away what default privileges gave the application too much of, on tables that
 * are append-only, their partitions, and tables that it may only read. Run as the owner, after the
 * partitions were made. */
void place_add_narrowing(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                         const Place *place);

/* Guards every table of a shared place: row-level security enabled and forced, the two policies,
 * grants to the group roles; and gives these back the default privileges that a tenant took from
 * them, with what was made meanwhile. Can be run again. ERR_BLUEPRINT_INVALID for a table without
 * tenant_id that is not declared shared. */
bool seal_shared_place(Arena *arena, Store *store, const Blueprint *blueprint, const Place *place,
                       Err *err);

#endif
