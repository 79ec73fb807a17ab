#include <string.h>
#include <time.h>

#include "blueprint/place_parts.h"
#include "core/clock.h"
#include "pg/sql.h"

enum { DAYS_OF_WEEK = 7, SECONDS_OF_DAY = 86400, US_PER_SECOND = 1000000 };

/* A new place has what begins before the daily `partition ensure` has surely run. */
enum { LEAD_DAYS = 2 };

/* Midnight UTC at the start of the partition that is `ahead` after the one that holds now. */
static struct tm partition_start(PartitionEvery every, int64_t ahead)
{
    const time_t now = clock_wall_us() / US_PER_SECOND;
    struct tm start;
    gmtime_r(&now, &start);
    start.tm_hour = start.tm_min = start.tm_sec = 0;
    const int steps = (int)ahead;
    switch (every) {
    case EVERY_DAY:
        start.tm_mday += steps;
        break;
    case EVERY_WEEK: /* weeks begin on Monday, ISO 8601 */
        start.tm_mday += DAYS_OF_WEEK * steps - (start.tm_wday + 6) % 7;
        break;
    case EVERY_MONTH:
        start.tm_mday = 1;
        start.tm_mon += steps;
        break;
    case EVERY_YEAR:
        start.tm_mday = 1;
        start.tm_mon = 0;
        start.tm_year += steps;
        break;
    }
    timegm(&start); /* brings days and months into their ranges */
    return start;
}

static const char *date_text(Arena *arena, const struct tm *date)
{
    return arena_printf(arena, "%04d-%02d-%02d", date->tm_year + 1900, date->tm_mon + 1,
                        date->tm_mday);
}

static const char *partition_name(Arena *arena, const BlueprintPartition *partition,
                                  const struct tm *from)
{
    const int year = from->tm_year + 1900;
    switch (partition->every) {
    case EVERY_DAY:
    case EVERY_WEEK:
        break;
    case EVERY_MONTH:
        return arena_printf(arena, "%s_%04d_%02d", partition->table, year, from->tm_mon + 1);
    case EVERY_YEAR:
        return arena_printf(arena, "%s_%04d", partition->table, year);
    }
    return arena_printf(arena, "%s_%04d_%02d_%02d", partition->table, year, from->tm_mon + 1,
                        from->tm_mday);
}

PartitionRange partition_range(Arena *arena, const BlueprintPartition *partition, int64_t ahead)
{
    const struct tm from = partition_start(partition->every, ahead);
    const struct tm to = partition_start(partition->every, ahead + 1);
    return (PartitionRange){.name = partition_name(arena, partition, &from),
                            .from = date_text(arena, &from),
                            .to = date_text(arena, &to)};
}

void partition_add(Arena *arena, PgBatch *batch, const BlueprintPartition *partition,
                   const Place *place, const PartitionRange *range)
{
    const SqlArg schema = sql_name(arena, place->schema_name);
    pg_batch_add_at(
        batch, arena_printf(arena, "partition \"%s\"", range->name),
        SQL(arena,
            "CREATE TABLE IF NOT EXISTS {}.{} PARTITION OF {}.{} FOR VALUES FROM ({}) TO ({})",
            schema, sql_name(arena, range->name), schema, sql_name(arena, partition->table),
            sql_literal(range->from), sql_literal(range->to)),
        PG_NO_PARAMS);
}

bool partition_begins_soon(PartitionEvery every, int64_t ahead)
{
    struct tm start = partition_start(every, ahead);
    return timegm(&start) <= clock_wall_us() / US_PER_SECOND + (time_t)LEAD_DAYS * SECONDS_OF_DAY;
}

static void add_table(Arena *arena, PgBatch *batch, const BlueprintPartition *partition,
                      const Place *place, bool is_new_place)
{
    for (int64_t ahead = 0; ahead <= partition->ahead; ahead++) {
        if (!is_new_place || partition_begins_soon(partition->every, ahead)) {
            const PartitionRange range = partition_range(arena, partition, ahead);
            partition_add(arena, batch, partition, place, &range);
        }
    }
}

void partitions_add_first(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                          const Place *place)
{
    for (size_t i = 0; i < blueprint->partition_count; i++) {
        add_table(arena, batch, &blueprint->partitions[i], place, true);
    }
}

void partitions_add(Arena *arena, PgBatch *batch, const Blueprint *blueprint, const Place *place)
{
    for (size_t i = 0; i < blueprint->partition_count; i++) {
        add_table(arena, batch, &blueprint->partitions[i], place, false);
    }
}

/* Which declared tables are natively partitioned here: a variant for an extension may have made
 * hypertables. Asked by (name, namespace), which is an index look-up however many tenants there
 * are. */
static bool is_partitioned(Store *store, const Place *place, const char *table,
                           bool *ret_is_partitioned, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query_row(store->conn,
                      "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n"
                      " ON n.oid = c.relnamespace"
                      " WHERE c.relname = $1 AND n.nspname = $2 AND c.relkind = 'p')",
                      PG_PARAMS(table, place->schema_name), &rows, err)) {
        return false;
    }
    *ret_is_partitioned = pg_rows_bool(rows, 0, 0);
    return true;
}

/* The declared tables that are natively partitioned in this place, as a blueprint that declares
 * only those. */
static bool keep_native(Arena *arena, Store *store, const Blueprint *blueprint, const Place *place,
                        Blueprint *ret_native, Err *err)
{
    BlueprintPartition *partitions = ARENA_ARRAY(arena, BlueprintPartition,
                                                 blueprint->partition_count);
    *ret_native = *blueprint;
    ret_native->partitions = partitions;
    ret_native->partition_count = 0;
    for (size_t i = 0; i < blueprint->partition_count; i++) {
        bool is_native = false;
        if (!is_partitioned(store, place, blueprint->partitions[i].table, &is_native, err)) {
            return false;
        }
        if (is_native) {
            partitions[ret_native->partition_count++] = blueprint->partitions[i];
        }
    }
    return true;
}

static bool ensure_partitions(Arena *arena, Store *store, const Blueprint *blueprint,
                              const Place *place, bool is_moving, Err *err)
{
    Blueprint native;
    if (!keep_native(arena, store, blueprint, place, &native, err)) {
        return false;
    }
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    const bool is_row = strcmp(place->tier, tier_name(TIER_ROW)) == 0;
    place_enter_role(batch, place->owner_role, "pg_catalog");
    for (size_t i = 0; is_moving && i < native.partition_count; i++) {
        if (!default_partition_add_moves(arena, store, batch, &native.partitions[i], place, err)) {
            return false;
        }
    }
    partitions_add(arena, batch, &native, place);
    if (!is_row) {
        place_add_narrowing(arena, batch, blueprint, place);
    }
    place_leave_role(batch);
    return (native.partition_count == 0 || pg_batch_run(store->conn, batch, err)) &&
           (!is_row || seal_shared_place(arena, store, blueprint, place, err));
}

bool place_ensure_partitions(Arena *arena, Store *store, const Blueprint *blueprint,
                             const Place *place, Err *err)
{
    return ensure_partitions(arena, store, blueprint, place, true, err);
}

bool place_try_partitions(Arena *arena, Store *store, const Blueprint *blueprint,
                          const Place *place, Err *err)
{
    return ensure_partitions(arena, store, blueprint, place, false, err);
}
