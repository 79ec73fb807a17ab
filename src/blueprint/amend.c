#include "blueprint/amend.h"

#include <string.h>

#include "blueprint/place_parts.h"
#include "core/array.h"
#include "pg/sql.h"
#include "pg/sql_parse.h"
#include "pg/text_array.h"

/* By their first words: a comment between them is doubt enough. */
static bool is_plain(const char *statement)
{
    static const char *const plain[] = {"ALTER TABLE ",         "COMMENT ON ", "CREATE INDEX ",
                                        "CREATE UNIQUE INDEX ", "DROP INDEX ", "DROP TABLE "};
    return sql_begins_with_any(statement, plain, ARRAY_COUNT(plain));
}

/* ATTACH PARTITION, RENAME, SET SCHEMA: a table that was another one, with that one's rights. */
static bool makes_another(const char *statement)
{
    return strcasestr(statement, "attach") != NULL || strcasestr(statement, "rename") != NULL ||
           strcasestr(statement, "schema") != NULL;
}

bool amends_follow_script(const SqlScript *script)
{
    for (size_t i = 0; i < script->count; i++) {
        const char *text = script->statements[i].text;
        if (!is_plain(text) || makes_another(text)) {
            return true;
        }
    }
    return false;
}

bool amends_follow(Arena *arena, const char *script)
{
    SqlScript split = {0};
    Err ignored;
    return !sql_script_split(arena, "", script, ERR_BLUEPRINT_INVALID, &split, &ignored) ||
           amends_follow_script(&split);
}

/* Append-only tables lose UPDATE and DELETE, their partitions and shared tables INSERT too, where
 * the application has it. */
static const char narrow[] =
    "DO $narrow$ DECLARE one record; BEGIN"
    " FOR one IN SELECT c.oid::regclass AS name, x.rights FROM ("
    "  SELECT c.oid, 'UPDATE, DELETE' AS rights FROM pg_class c"
    "   WHERE c.relnamespace = {}::regnamespace AND c.relname = ANY ({}::name[])"
    "  UNION ALL SELECT t.relid, 'INSERT, UPDATE, DELETE' FROM pg_class c,"
    "   pg_partition_tree(c.oid) t WHERE c.relnamespace = {}::regnamespace"
    "   AND c.relname = ANY ({}::name[]) AND c.relkind = 'p' AND t.level > 0"
    "  UNION ALL SELECT c.oid, 'INSERT, UPDATE, DELETE' FROM pg_class c"
    "   WHERE c.relnamespace = {}::regnamespace AND c.relname = ANY ({}::name[])) x"
    "  JOIN pg_class c ON c.oid = x.oid WHERE EXISTS (SELECT FROM aclexplode(c.relacl) a"
    "   WHERE a.grantee = {}::regrole"
    "   AND a.privilege_type = ANY (string_to_array(x.rights, ', '))) LOOP"
    "  EXECUTE format('REVOKE %s ON %s FROM %I', one.rights, one.name, {});"
    " END LOOP; END $narrow$";

/* A table that has a partition has been in use: partition.ensure looks after it, and knows what to
 * do about rows that are in the default partition. */
static const char fill[] =
    "DO $fill$ DECLARE one record; BEGIN"
    " FOR one IN SELECT v.* FROM unnest({}::name[], {}::text[], {}::text[], {}::text[])"
    "   v(parent, part, lower, upper) JOIN pg_class c ON c.relname = v.parent"
    "  JOIN pg_partitioned_table p ON p.partrelid = c.oid"
    "  WHERE c.relnamespace = {}::regnamespace AND NOT EXISTS (SELECT FROM pg_inherits i"
    "   WHERE i.inhparent = c.oid AND i.inhrelid <> p.partdefid) LOOP"
    "  EXECUTE format('CREATE TABLE %I.%I PARTITION OF %I.%I FOR VALUES FROM (%L) TO (%L)',"
    "   {}, one.part, {}, one.parent, one.lower, one.upper);"
    " END LOOP; END $fill$";

/* A name as the text of a regnamespace or regrole. */
static SqlArg quoted_literal(Arena *arena, const char *name)
{
    return sql_literal(sql_ident(arena, name).quoted);
}

static void add_narrowing(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                          const Place *place)
{
    if (blueprint->append_only_count + blueprint->shared_count == 0) {
        return;
    }
    const SqlArg schema = quoted_literal(arena, place->schema_name);
    const SqlArg append_only = sql_literal(
        pg_array_of(arena, blueprint->append_only, blueprint->append_only_count));
    const SqlArg shared = sql_literal(
        pg_array_of(arena, blueprint->shared, blueprint->shared_count));
    pg_batch_add(batch,
                 SQL(arena, narrow, schema, append_only, schema, append_only, schema, shared,
                     quoted_literal(arena, place->app_role), sql_literal(place->app_role)),
                 PG_NO_PARAMS);
}

static void add_partitions(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                           const Place *place)
{
    PgArray parents = pg_array_init(arena);
    PgArray parts = pg_array_init(arena);
    PgArray lower = pg_array_init(arena);
    PgArray upper = pg_array_init(arena);
    for (size_t i = 0; i < blueprint->partition_count; i++) {
        const BlueprintPartition *partition = &blueprint->partitions[i];
        for (int64_t ahead = 0; ahead <= partition->ahead; ahead++) {
            if (partition_begins_soon(partition->every, ahead)) {
                const PartitionRange range = partition_range(arena, partition, ahead);
                pg_array_add(&parents, partition->table);
                pg_array_add(&parts, range.name);
                pg_array_add(&lower, range.from);
                pg_array_add(&upper, range.to);
            }
        }
    }
    const SqlArg schema = sql_literal(place->schema_name);
    if (blueprint->partition_count > 0) {
        pg_batch_add_at(batch, "the first partitions",
                        SQL(arena, fill, sql_literal(pg_array_end(&parents)),
                            sql_literal(pg_array_end(&parts)), sql_literal(pg_array_end(&lower)),
                            sql_literal(pg_array_end(&upper)),
                            quoted_literal(arena, place->schema_name), schema, schema),
                        PG_NO_PARAMS);
    }
}

void place_add_amends(Arena *arena, PgBatch *batch, const Blueprint *blueprint, const Place *place)
{
    add_partitions(arena, batch, blueprint, place);
    add_narrowing(arena, batch, blueprint, place);
}
