/* Foreign keys that reference a partitioned table while rows leave its default partition.
 *
 * A partition comes off its table only when none of its rows is referenced, deferred or not, and
 * the rows cannot be anywhere else meanwhile: so the keys go and come back in the same transaction,
 * which holds all the tables, as DETACH PARTITION does anyway. Nobody sees them gone. PostgreSQL
 * checks them again, but for rows that row-level security hides from the owner (it is forced in the
 * row tier): nothing but the move has happened since they were there.
 *
 * NOT VALID and a later VALIDATE would hold the tables for less long, but a crash between the two
 * would leave another definition than the blueprint's, and a partitioned table cannot have such a
 * key before PostgreSQL 18. */
#include <string.h>

#include "blueprint/place_parts.h"

typedef struct IncomingKey {
    const char *name;
    const char *drop;
    const char *add;
    const char *comment; /* NULL: it has none */
} IncomingKey;

/* Those of partitions come and go with the one of the whole table. Found by what they depend on,
 * which is an index look-up; names are quoted by format(). */
static const char keys_sql[] =
    "WITH target AS (SELECT c.oid, c.relowner, p.partdefid FROM pg_class c"
    "  JOIN pg_namespace n ON n.oid = c.relnamespace"
    "  JOIN pg_partitioned_table p ON p.partrelid = c.oid"
    " WHERE c.relname = $1 AND n.nspname = $2)"
    " SELECT k.conname, k.conrelid::regclass,"
    " format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname),"
    " format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::regclass, k.conname,"
    "        pg_get_constraintdef(k.oid)),"
    " format('COMMENT ON CONSTRAINT %I ON %s IS ', k.conname, k.conrelid::regclass)"
    "  || quote_literal(obj_description(k.oid, 'pg_constraint')),"
    " k.confrelid = t.partdefid, k.confdeltype IN ('c', 'n', 'd'), f.relowner <> t.relowner"
    " FROM target t JOIN pg_constraint k ON k.contype = 'f' AND k.conparentid = 0"
    "  AND k.oid IN (SELECT d.objid FROM pg_depend d"
    "   WHERE d.classid = 'pg_constraint'::regclass AND d.refclassid = 'pg_class'::regclass"
    "    AND d.refobjid IN (SELECT t.oid UNION ALL SELECT t.partdefid))"
    "  AND k.confrelid IN (t.oid, t.partdefid)"
    " JOIN pg_class f ON f.oid = k.conrelid ORDER BY 2::text, 1";

enum {
    COLUMN_NAME,
    COLUMN_TABLE,
    COLUMN_DROP,
    COLUMN_ADD,
    COLUMN_COMMENT,
    COLUMN_IS_DIRECT, /* references the default partition itself */
    COLUMN_FOLLOWS,   /* changes or deletes the referencing rows */
    COLUMN_IS_FOREIGN /* another role's */
};

static bool refuse(const PgRows *rows, size_t i, const char *table, Err *err)
{
    ERR_SET(err, ERR_PG_FAILED, NULL,
            "foreign key \"%s\" of table %s is in the way of rows that have to leave the default "
            "partition of \"%s\"",
            pg_rows_text(rows, i, COLUMN_NAME), pg_rows_text(rows, i, COLUMN_TABLE), table);
    if (pg_rows_bool(rows, i, COLUMN_IS_DIRECT)) {
        err_hint(err, "it must reference \"%s\", not the partition: %s, and add one that does",
                 table, pg_rows_text(rows, i, COLUMN_DROP));
    } else {
        err_hint(err, "its table has another owner: %s; run this again; %s",
                 pg_rows_text(rows, i, COLUMN_DROP), pg_rows_text(rows, i, COLUMN_ADD));
    }
    return false;
}

bool incoming_keys_read(Arena *arena, Store *store, const char *table, const Place *place,
                        IncomingKeys *ret_keys, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query(store->conn, keys_sql, PG_PARAMS(table, place->schema_name), &rows, err)) {
        return false;
    }
    IncomingKey *keys = ARENA_ARRAY(arena, IncomingKey, pg_rows_count(rows));
    size_t count = 0;
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const bool is_direct = pg_rows_bool(rows, i, COLUMN_IS_DIRECT);
        if (pg_rows_bool(rows, i, is_direct ? COLUMN_FOLLOWS : COLUMN_IS_FOREIGN)) {
            return refuse(rows, i, table, err);
        }
        if (!is_direct) {
            keys[count++] = (IncomingKey){
                .name = arena_strdup(arena, pg_rows_text(rows, i, COLUMN_NAME)),
                .drop = arena_strdup(arena, pg_rows_text(rows, i, COLUMN_DROP)),
                .add = arena_strdup(arena, pg_rows_text(rows, i, COLUMN_ADD)),
                .comment = arena_strdup(arena, pg_rows_text(rows, i, COLUMN_COMMENT)),
            };
        }
    }
    *ret_keys = (IncomingKeys){.count = count, .keys = keys};
    return true;
}

static void add_for(Arena *arena, PgBatch *batch, const IncomingKey *key, const char *sql)
{
    pg_batch_add_at(batch, arena_printf(arena, "foreign key \"%s\"", key->name), sql, PG_NO_PARAMS);
}

void incoming_keys_add_drops(Arena *arena, PgBatch *batch, const IncomingKeys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        add_for(arena, batch, &keys->keys[i], keys->keys[i].drop);
    }
}

void incoming_keys_add_back(Arena *arena, PgBatch *batch, const IncomingKeys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        add_for(arena, batch, &keys->keys[i], keys->keys[i].add);
        if (keys->keys[i].comment != NULL) {
            add_for(arena, batch, &keys->keys[i], keys->keys[i].comment);
        }
    }
}
