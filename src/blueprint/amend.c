#include "blueprint/amend.h"

#include "blueprint/place_parts.h"
#include "core/strbuf.h"
#include "pg/sql.h"

static void add_item(StrBuf *list, const char *item)
{
    strbuf_printf(list, "%s\"%s\"", list->length == 0 ? "{" : ",", item);
}

/* The array's text. Names of tables and dates need no escapes. */
static SqlArg end_list(StrBuf *list)
{
    strbuf_add(list, list->length == 0 ? "{}" : "}");
    return sql_literal(list->text);
}

static SqlArg name_list(Arena *arena, const char *const *names, size_t count)
{
    StrBuf list = strbuf_init(arena);
    for (size_t i = 0; i < count; i++) {
        add_item(&list, names[i]);
    }
    return end_list(&list);
}

static void add_narrowing(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                          const Place *place)
{
    if (blueprint->append_only_count + blueprint->shared_count == 0) {
        return;
    }
    pg_batch_add(batch,
                 SQL(arena, "SELECT tenancy.narrow({}, {}, {}, {})",
                     sql_literal(place->schema_name), sql_literal(place->app_role),
                     name_list(arena, blueprint->append_only, blueprint->append_only_count),
                     name_list(arena, blueprint->shared, blueprint->shared_count)),
                 PG_NO_PARAMS);
}

static void add_partitions(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                           const Place *place)
{
    StrBuf parents = strbuf_init(arena);
    StrBuf parts = strbuf_init(arena);
    StrBuf lower = strbuf_init(arena);
    StrBuf upper = strbuf_init(arena);
    for (size_t i = 0; i < blueprint->partition_count; i++) {
        const BlueprintPartition *partition = &blueprint->partitions[i];
        for (int64_t ahead = 0; ahead <= partition->ahead; ahead++) {
            if (partition_begins_soon(partition->every, ahead)) {
                const PartitionRange range = partition_range(arena, partition, ahead);
                add_item(&parents, partition->table);
                add_item(&parts, range.name);
                add_item(&lower, range.from);
                add_item(&upper, range.to);
            }
        }
    }
    if (blueprint->partition_count > 0) {
        pg_batch_add_at(batch, "the first partitions",
                        SQL(arena, "SELECT tenancy.add_partitions({}, {}, {}, {}, {})",
                            sql_literal(place->schema_name), end_list(&parents), end_list(&parts),
                            end_list(&lower), end_list(&upper)),
                        PG_NO_PARAMS);
    }
}

void place_add_amends(Arena *arena, PgBatch *batch, const Blueprint *blueprint, const Place *place)
{
    add_partitions(arena, batch, blueprint, place);
    add_narrowing(arena, batch, blueprint, place);
}
