/* Taking a stamp: model, dump, copy, comparison. */
#include <inttypes.h>
#include <string.h>

#include "blueprint/moment.h"
#include "blueprint/place_parts.h"
#include "blueprint/stamp_parts.h"
#include "core/array.h"
#include "core/clock.h"
#include "core/fault.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/strbuf.h"
#include "pg/dump.h"
#include "pg/sql.h"
#include "pg/sql_parse.h"

enum { DUMP_TIMEOUT_MS = 60000, TOKEN_BYTES = 6, US_PER_MS = 1000 };

/* One taking. */
typedef struct Taking {
    Arena *arena;
    Store *store;
    const Blueprint *blueprint;
    const Extensions *extensions;
    const StampOptions *options;
    bool has_variant;
    StampContents model;
    Stamp *stamp;
} Taking;

/* A sequence can be moved without being used, so it is read; code of the blueprint cannot be in it.
 */
static bool read_sequence(Arena *arena, PgConn *conn, const Place *place, const char *name,
                          const char *start, const char **ret_filled, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query(conn,
                  SQL(arena, "SELECT is_called OR last_value <> $1::bigint FROM {}.{}",
                      sql_name(arena, place->schema_name), sql_name(arena, name)),
                  PG_PARAMS(start), &rows, err)) {
        return false;
    }
    if (pg_rows_bool(rows, 0, 0)) {
        *ret_filled = arena_printf(arena, "sequence \"%s\" was moved", name);
    }
    return true;
}

/* What the migrations put into the place: only sizes are asked, since reading rows could run code
 * of the blueprint (casts, expressions) in this session. */
static bool read_filled(Arena *arena, PgConn *conn, const Place *place, const char **ret_filled,
                        Err *err)
{
    scoped_rows PgRows *rows = NULL;
    *ret_filled = NULL;
    if (!pg_query(conn, SQL(arena, "GRANT {} TO CURRENT_USER", sql_name(arena, place->owner_role)),
                  PG_NO_PARAMS, NULL, err) ||
        !pg_query(conn, store_sql(STAMP_FILLED), PG_PARAMS(place->schema_name), &rows, err)) {
        return false;
    }
    for (size_t i = 0; i < pg_rows_count(rows) && *ret_filled == NULL; i++) {
        const char *name = pg_rows_text(rows, i, 0);
        const char *start = pg_rows_text(rows, i, 1);
        if (start == NULL) {
            *ret_filled = arena_printf(arena, "table \"%s\" has rows", name);
        } else if (!read_sequence(arena, conn, place, name, start, ret_filled, err)) {
            return false;
        }
    }
    return true;
}

bool stamp_read_contents(Arena *arena, PgConn *conn, const Place *place,
                         StampContents *ret_contents, Err *err)
{
    const FingerprintSubject subject = {.place = place};
    return fingerprint_lines(arena, conn, &subject, 1, &ret_contents->lines,
                             &ret_contents->line_count, err) &&
           fingerprint_place(arena, conn, &subject, &ret_contents->fingerprint, err) &&
           read_filled(arena, conn, place, &ret_contents->filled, err);
}

const char *stamp_difference(Arena *arena, const StampContents *expected,
                             const StampContents *found)
{
    return fingerprint_difference(arena, expected->lines, expected->line_count, found->lines,
                                  found->line_count);
}

/* A place with a name that nothing else has, within the caller's transaction. */
static bool make_place(Taking *taking, const Stamp *stamp, Place *ret_place, Err *err)
{
    Arena *arena = taking->arena;
    const char *hex = NULL;
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    const PlaceSource source = {
        .blueprint = taking->blueprint, .extensions = taking->extensions, .stamp = stamp};
    bool has_variant = false;
    if (!secret_random_hex(arena, TOKEN_BYTES, &hex, err) ||
        !place_name(arena, taking->blueprint, TIER_SCHEMA, arena_printf(arena, "stamp_%s", hex),
                    ret_place, err)) {
        return false;
    }
    place_add_role(arena, batch, ret_place->app_role);
    place_add_role(arena, batch, ret_place->readonly_role);
    if (!place_add_structure(arena, taking->store, batch, &source, ret_place, &has_variant, err) ||
        !pg_batch_run(taking->store->conn, batch, err)) {
        return false;
    }
    taking->has_variant = taking->has_variant || has_variant;
    return true;
}

/* Makes a place, reads it, and takes it back. */
static bool look_at_place(Taking *taking, const Stamp *stamp, StampContents *ret_contents, Err *err)
{
    Place place;
    if (!pg_begin(taking->store->conn, err)) {
        return false;
    }
    const bool is_read = make_place(taking, stamp, &place, err) &&
                         stamp_read_contents(taking->arena, taking->store->conn, &place,
                                             ret_contents, err);
    pg_rollback(taking->store->conn);
    return is_read;
}

/* All of one place is made in one transaction and goes in one. */
static bool drop_place(Arena *arena, PgConn *conn, const char *stem, Err *err)
{
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    const char *const roles[] = {arena_printf(arena, "%s_app", stem),
                                 arena_printf(arena, "%s_ro", stem),
                                 arena_printf(arena, "%s_owner", stem)};
    place_add_drop_roles(arena, batch, roles, ARRAY_COUNT(roles));
    if (!pg_begin(conn, err) || !pg_batch_run(conn, batch, err) || !pg_commit(conn, true, err)) {
        pg_rollback(conn);
        return false;
    }
    return true;
}

bool stamp_drop_committed(Arena *arena, Store *store, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, STAMP_LEFTOVERS, PG_PARAMS(store->tenants_role), &rows, err)) {
        return false;
    }
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        Err why;
        const char *stem = pg_rows_text(rows, i, 0);
        if (drop_place(arena, store->conn, stem, &why)) {
            continue;
        }
        if (!pg_is_alive(store->conn)) {
            *err = why;
            return false;
        }
        log_warn("stamp.leftover", "roles \"%s_...\" stay until the next stamp: %s", stem,
                 why.message);
    }
    return true;
}

/* Makes a place that others can see, whose owner can log in with a password that is forgotten after
 * the dump: in pg_dump's session RESET ROLE leads nowhere. */
static bool commit_place(Taking *taking, const Password *password, Place *ret_place, Err *err)
{
    Arena *arena = taking->arena;
    PgConn *conn = taking->store->conn;
    char verifier[SECRET_VERIFIER_SIZE];
    if (!password_scram_verifier(password, verifier, err) || !pg_begin(conn, err)) {
        return false;
    }
    if (!make_place(taking, NULL, ret_place, err) ||
        !pg_query(conn,
                  SQL(arena, "ALTER ROLE {} LOGIN PASSWORD {}",
                      sql_name(arena, ret_place->owner_role), sql_literal(verifier)),
                  PG_NO_PARAMS, NULL, err) ||
        !pg_commit(conn, false, err)) {
        pg_rollback(conn);
        return false;
    }
    FAULT("stamp.committed");
    return true;
}

static bool dump(Taking *taking, const char *program, const char **ret_sql, const char **ret_token,
                 Err *err)
{
    Place place;
    scoped_password Password *password = NULL;
    if (!password_new(&password, err) || !commit_place(taking, password, &place, err)) {
        return false;
    }
    const PgDumpOptions options = {.program = program,
                                   .user = taking->options->user,
                                   .schema = place.schema_name,
                                   .role = place.owner_role,
                                   .password = password->text,
                                   .timeout_ms = DUMP_TIMEOUT_MS,
                                   .max_bytes = LIMIT_DUMP_BYTES};
    Err dropping;
    const bool is_dumped = pg_dump_schema(taking->arena, taking->store->conn, &options, ret_sql,
                                          err);
    FAULT("stamp.dumped");
    *ret_token = place.schema_name;
    if (!stamp_drop_committed(taking->arena, taking->store, &dropping)) {
        *err = dropping;
        return false;
    }
    return is_dumped;
}

static bool count_migration_statements(Taking *taking, int64_t *ret_count, Err *err)
{
    const BlueprintMigration *const *migrations = NULL;
    size_t count = 0;
    blueprint_select_migrations(taking->arena, taking->blueprint, 0, taking->extensions->names,
                                taking->extensions->count, &migrations, &count);
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        SqlScript script = {0};
        if (!sql_script_split(taking->arena, migrations[i]->file, migrations[i]->up,
                              ERR_BLUEPRINT_INVALID, &script, err)) {
            return false;
        }
        *ret_count += (int64_t)script.count;
    }
    return true;
}

/* The flattened form, and why it is not used: *ret_reason is NULL when it is better than the
 * migrations. */
static bool flatten(Taking *taking, const char *program, Stamp *ret_flat, const char **ret_reason,
                    Err *err)
{
    Arena *arena = taking->arena;
    const char *sql = NULL;
    StampContents copy = {0};
    if (!dump(taking, program, &sql, &ret_flat->token, err) ||
        !stamp_flatten(arena, sql, &ret_flat->statements, &ret_flat->statement_count, err)) {
        return false;
    }
    ret_flat->is_flat = true;
    if (!look_at_place(taking, ret_flat, &copy, err)) {
        return false;
    }
    const char *difference = stamp_difference(arena, &taking->model, &copy);
    *ret_reason = NULL;
    if (difference != NULL) {
        *ret_reason = arena_printf(arena, "a place made from its dump is not the same: %s",
                                   difference);
    } else if (ret_flat->statement_count >= ret_flat->migration_statement_count) {
        *ret_reason = arena_printf(
            arena, "its dump has %" PRId64 " statements, the migrations have %" PRId64,
            ret_flat->statement_count, ret_flat->migration_statement_count);
    }
    return true;
}

/* Why no dump can stand in for the migrations, whatever is in it; NULL: nothing says so. */
static bool find_obstacle(Taking *taking, const char **ret_reason, Err *err)
{
    const char *found = NULL;
    *ret_reason = NULL;
    if (taking->has_variant) {
        *ret_reason = "a migration for an extension is used, whose tables pg_dump cannot flatten";
        return true;
    }
    if (taking->model.filled != NULL) {
        *ret_reason = arena_printf(taking->arena, "the migrations leave more than structure: %s",
                                   taking->model.filled);
        return true;
    }
    if (!moment_find(taking->arena, taking->blueprint, taking->extensions, MOMENT_OF_STAMP, &found,
                     err)) {
        return false;
    }
    if (found != NULL) {
        *ret_reason = arena_printf(
            taking->arena, "the migrations run code that may do something else another time: %s",
            found);
    }
    return true;
}

/* A flat stamp where there can be one; what goes wrong on the way is the reason why there is none,
 * unless the connection is gone. */
static bool choose(Taking *taking, Err *err)
{
    Stamp *stamp = taking->stamp;
    const char *program = NULL;
    const char *reason = NULL;
    Stamp flat = *stamp;
    if (!find_obstacle(taking, &stamp->reason, err)) {
        return false;
    }
    if (stamp->reason != NULL) {
        return true;
    }
    if (!pg_dump_find(taking->arena, taking->store->conn, taking->options->bin_dir,
                      &taking->options->user, &program, err)) {
        return false;
    }
    if (program == NULL) {
        stamp->reason = "there is no pg_dump of the server's version or a newer one";
        return true;
    }
    if (!flatten(taking, program, &flat, &reason, err)) {
        if (!pg_is_alive(taking->store->conn)) {
            return false;
        }
        reason = arena_printf(taking->arena, "its dump cannot be used: %s", err->message);
    }
    if (reason == NULL) {
        *stamp = flat;
    }
    stamp->reason = reason != NULL
                        ? reason
                        : arena_printf(taking->arena, "the migrations have %" PRId64 " statements",
                                       stamp->migration_statement_count);
    return true;
}

bool stamp_take(Arena *arena, Store *store, const Blueprint *blueprint,
                const Extensions *extensions, const StampOptions *options, Stamp **ret_stamp,
                Err *err)
{
    const int64_t start_us = clock_monotonic_us();
    Stamp *stamp = ARENA_NEW(arena, Stamp);
    Taking taking = {.arena = arena,
                     .store = store,
                     .blueprint = blueprint,
                     .extensions = extensions,
                     .options = options,
                     .stamp = stamp};
    stamp->version = blueprint->version;
    if (!stamp_drop_committed(arena, store, err) ||
        !count_migration_statements(&taking, &stamp->migration_statement_count, err) ||
        !look_at_place(&taking, NULL, &taking.model, err)) {
        return false;
    }
    stamp->fingerprint = taking.model.fingerprint;
    stamp->statement_count = stamp->migration_statement_count;
    if (!choose(&taking, err)) {
        return false;
    }
    stamp->took_ms = (clock_monotonic_us() - start_us) / US_PER_MS;
    *ret_stamp = stamp;
    return true;
}
