#include <string.h>

#include "blueprint/place_parts.h"
#include "core/strbuf.h"
#include "pg/sql.h"

/* The table's default partition, when it holds anything; NULL otherwise. Whether its owner is bound
 * by row-level security too. */
static bool find_filled_default(Arena *arena, Store *store, const BlueprintPartition *partition,
                                const Place *place, const char **ret_name, bool *ret_is_forced,
                                Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query(store->conn,
                  "SELECT d.relname, d.relforcerowsecurity FROM pg_class c JOIN pg_namespace n ON "
                  "n.oid = c.relnamespace"
                  " JOIN pg_partitioned_table p ON p.partrelid = c.oid"
                  " JOIN pg_class d ON d.oid = p.partdefid"
                  " WHERE c.relname = $1 AND n.nspname = $2 AND pg_relation_size(d.oid) > 0",
                  PG_PARAMS(partition->table, place->schema_name), &rows, err)) {
        return false;
    }
    *ret_name = NULL;
    if (pg_rows_count(rows) == 1) {
        *ret_name = arena_strdup(arena, pg_rows_text(rows, 0, 0));
        *ret_is_forced = pg_rows_bool(rows, 0, 1);
    }
    return true;
}

/* The columns that can be written, quoted, for a list. */
static bool list_columns(Arena *arena, Store *store, const BlueprintPartition *partition,
                         const Place *place, const char **ret_list, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query(store->conn,
                  "SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
                  " JOIN pg_namespace n ON n.oid = c.relnamespace"
                  " WHERE c.relname = $1 AND n.nspname = $2 AND a.attnum > 0"
                  " AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum",
                  PG_PARAMS(partition->table, place->schema_name), &rows, err)) {
        return false;
    }
    StrBuf list = strbuf_init(arena);
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        strbuf_printf(&list, "%s%s", i == 0 ? "" : ", ",
                      sql_ident(arena, pg_rows_text(rows, i, 0)).quoted);
    }
    *ret_list = list.text;
    return true;
}

static bool is_missing(Store *store, const Place *place, const char *name, bool *ret_is_missing,
                       Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query_row(store->conn,
                      "SELECT NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n"
                      " ON n.oid = c.relnamespace WHERE c.relname = $1 AND n.nspname = $2)",
                      PG_PARAMS(name, place->schema_name), &rows, err)) {
        return false;
    }
    *ret_is_missing = pg_rows_bool(rows, 0, 0);
    return true;
}

/* Makes one partition while the default one is detached, and moves its rows over. The new table has
 * no row-level security yet, and the owner is let past that of the default partition: whose rows
 * they are does not matter here. */
static void add_move(Arena *arena, PgBatch *batch, const BlueprintPartition *partition,
                     const Place *place, const char *default_name, const char *columns,
                     const PartitionRange *range)
{
    const SqlArg schema = sql_name(arena, place->schema_name);
    const SqlArg waiting = sql_name(arena, default_name);
    const SqlArg column = sql_name(arena, partition->column);
    const SqlArg from = sql_literal(range->from);
    const SqlArg to = sql_literal(range->to);
    partition_add(arena, batch, partition, place, range);
    const char *target = SQL(arena, "INSERT INTO {}.{}", schema, sql_name(arena, range->name));
    const char *source = SQL(arena, "FROM {}.{} WHERE {} >= {} AND {} < {}", schema, waiting,
                             column, from, column, to);
    pg_batch_add(batch,
                 arena_printf(arena, "%s (%s) SELECT %s %s", target, columns, columns, source),
                 PG_NO_PARAMS);
    pg_batch_add(batch, arena_printf(arena, "DELETE %s", source), PG_NO_PARAMS);
}

static void add_force(Arena *arena, PgBatch *batch, const Place *place, const char *table,
                      bool is_forced)
{
    const SqlArg schema = sql_name(arena, place->schema_name);
    const SqlArg name = sql_name(arena, table);
    pg_batch_add(batch,
                 is_forced
                     ? SQL(arena, "ALTER TABLE {}.{} FORCE ROW LEVEL SECURITY", schema, name)
                     : SQL(arena, "ALTER TABLE {}.{} NO FORCE ROW LEVEL SECURITY", schema, name),
                 PG_NO_PARAMS);
}

/* Takes the default partition off its table. Deferred checks of rows that are moved would be in the
 * way of the statements that follow. */
static void add_detach(Arena *arena, PgBatch *batch, const BlueprintPartition *partition,
                       const Place *place, const char *default_name)
{
    const SqlArg schema = sql_name(arena, place->schema_name);
    pg_batch_add(batch, "SET CONSTRAINTS ALL IMMEDIATE", PG_NO_PARAMS);
    pg_batch_add(batch,
                 SQL(arena, "ALTER TABLE {}.{} DETACH PARTITION {}.{}", schema,
                     sql_name(arena, partition->table), schema, sql_name(arena, default_name)),
                 PG_NO_PARAMS);
}

static void add_attach(Arena *arena, PgBatch *batch, const BlueprintPartition *partition,
                       const Place *place, const char *default_name)
{
    const SqlArg schema = sql_name(arena, place->schema_name);
    pg_batch_add(batch,
                 SQL(arena, "ALTER TABLE {}.{} ATTACH PARTITION {}.{} DEFAULT", schema,
                     sql_name(arena, partition->table), schema, sql_name(arena, default_name)),
                 PG_NO_PARAMS);
}

/* The ranges whose partition is missing, in order. */
static bool list_missing(Arena *arena, Store *store, const BlueprintPartition *partition,
                         const Place *place, PartitionRange **ret_ranges, size_t *ret_count,
                         Err *err)
{
    PartitionRange *ranges = ARENA_ARRAY(arena, PartitionRange, (size_t)partition->ahead + 1);
    size_t count = 0;
    for (int64_t ahead = 0; ahead <= partition->ahead; ahead++) {
        const PartitionRange range = partition_range(arena, partition, ahead);
        bool has_to_be_made = false;
        if (!is_missing(store, place, range.name, &has_to_be_made, err)) {
            return false;
        }
        if (has_to_be_made) {
            ranges[count++] = range;
        }
    }
    *ret_ranges = ranges;
    *ret_count = count;
    return true;
}

bool default_partition_add_moves(Arena *arena, Store *store, PgBatch *batch,
                                 const BlueprintPartition *partition, const Place *place, Err *err)
{
    const char *waiting = NULL;
    const char *columns = NULL;
    bool is_forced = false;
    PartitionRange *ranges = NULL;
    size_t count = 0;
    IncomingKeys keys = {0};
    if (!find_filled_default(arena, store, partition, place, &waiting, &is_forced, err) ||
        (waiting != NULL && !list_missing(arena, store, partition, place, &ranges, &count, err))) {
        return false;
    }
    if (count == 0) {
        return true;
    }
    if (!list_columns(arena, store, partition, place, &columns, err) ||
        !incoming_keys_read(arena, store, partition->table, place, &keys, err)) {
        return false;
    }
    if (is_forced) {
        add_force(arena, batch, place, waiting, false);
    }
    incoming_keys_add_drops(arena, batch, &keys);
    add_detach(arena, batch, partition, place, waiting);
    for (size_t i = 0; i < count; i++) {
        add_move(arena, batch, partition, place, waiting, columns, &ranges[i]);
    }
    add_attach(arena, batch, partition, place, waiting);
    incoming_keys_add_back(arena, batch, &keys);
    if (is_forced) {
        add_force(arena, batch, place, waiting, true);
    }
    return true;
}
