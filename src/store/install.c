#include "store/install.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/embedded_file.h"
#include "core/file.h"
#include "core/log.h"
#include "pg/sql.h"
#include "pg/sql_parse.h"
#include "store/audit.h"
#include "store/store.h"

/* The control migrations, in order, with the role that runs each. */
static const struct {
    int64_t version;
    const char *name;
    enum { RUN_AS_CONTROL, RUN_AS_AUDIT_OWNER } as;
} control_migrations[] = {
    {1, "0001_control", RUN_AS_CONTROL},         {2, "0002_audit", RUN_AS_AUDIT_OWNER},
    {3, "0003_stamps", RUN_AS_CONTROL},          {4, "0004_spares", RUN_AS_CONTROL},
    {5, "0005_guard", RUN_AS_CONTROL},           {6, "0006_isolation", RUN_AS_CONTROL},
    {7, "0007_place_digest", RUN_AS_CONTROL},    {8, "0008_guard_call", RUN_AS_CONTROL},
    {9, "0009_rollout", RUN_AS_CONTROL},         {10, "0010_seed", RUN_AS_CONTROL},
    {11, "0011_audit_path", RUN_AS_AUDIT_OWNER}, {12, "0012_place_shape", RUN_AS_CONTROL},
    {13, "0013_rollout_again", RUN_AS_CONTROL},  {14, "0014_guard_quick", RUN_AS_CONTROL},
    {15, "0015_current_tenant", RUN_AS_CONTROL}, {16, "0016_quick", RUN_AS_CONTROL},
    {17, "0017_role_oid", RUN_AS_CONTROL},       {18, "0018_down_scripts", RUN_AS_CONTROL},
};
enum { CONTROL_MIGRATIONS = ARRAY_COUNT(control_migrations) };

int64_t install_version(void)
{
    return control_migrations[CONTROL_MIGRATIONS - 1].version;
}

/* What one installation run works with. */
typedef struct Install {
    Arena *arena;
    Store store; /* only what audit and keys need */
    const char *audit_role;
    const char *tenants_role;
    bool is_key_new; /* the first master key was made here */
} Install;

static bool run_sql(Install *install, const char *sql, Err *err)
{
    return pg_query(install->store.conn, sql, PG_NO_PARAMS, NULL, err);
}

static bool become_audit_owner(Install *install, Err *err)
{
    Arena *arena = install->arena;
    const SqlArg audit = sql_name(arena, install->audit_role);
    return run_sql(install, SQL(arena, "GRANT {} TO CURRENT_USER", audit), err) &&
           run_sql(install, SQL(arena, "SET LOCAL ROLE {}", audit), err);
}

/* Nobody stays a member of the audit log's owner, so that nobody can change the log. */
static bool leave_audit_owner(Install *install, Err *err)
{
    return run_sql(install, "SET LOCAL ROLE NONE", err) &&
           run_sql(install,
                   SQL(install->arena, "REVOKE {} FROM CURRENT_USER",
                       sql_name(install->arena, install->audit_role)),
                   err);
}

static bool run_script(Install *install, const char *path, const char *text, Err *err)
{
    SqlScript script = {0};
    if (!sql_script_parse(install->arena, path, text, ERR_INTERNAL, &script, err)) {
        return false;
    }
    scoped_batch PgBatch *batch = pg_batch_new(install->arena);
    for (size_t i = 0; i < script.count; i++) {
        const SqlStatement *statement = &script.statements[i];
        pg_batch_add_at(batch, arena_printf(install->arena, "%s:%d", path, statement->line),
                        statement->text, PG_NO_PARAMS);
    }
    sql_script_done(&script);
    return pg_batch_run(install->store.conn, batch, err);
}

static bool find_migration(Install *install, size_t number, const EmbeddedFile **ret_file,
                           const char **ret_sha256, Err *err)
{
    const char *path = arena_printf(install->arena, "src/store/migrations/%s.sql",
                                    control_migrations[number].name);
    *ret_file = embedded_file_find(path);
    if (*ret_file == NULL) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "\"%s\" is not in the binary", path);
    }
    return secret_sha256_hex(install->arena, (*ret_file)->text, (*ret_file)->length, ret_sha256,
                             err);
}

static bool run_migration(Install *install, size_t number, const char **ret_sha256, Err *err)
{
    const EmbeddedFile *file = NULL;
    if (!find_migration(install, number, &file, ret_sha256, err)) {
        return false;
    }
    const char *path = file->path;
    if (control_migrations[number].as == RUN_AS_CONTROL) {
        return run_script(install, path, file->text, err);
    }
    return become_audit_owner(install, err) && run_script(install, path, file->text, err) &&
           leave_audit_owner(install, err);
}

/* A released migration never changes; one that differs was run by a build between releases. */
static bool check_present(Install *install, const PgRows *rows, Err *err)
{
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const EmbeddedFile *file = NULL;
        const char *sha256 = NULL;
        if (!find_migration(install, i, &file, &sha256, err)) {
            return false;
        }
        if (strcmp(pg_rows_text(rows, i, 2), sha256) != 0) {
            return ERR_SET(err, ERR_NOT_INSTALLED,
                           "use the build that made it; where nothing in it must be kept, use "
                           "another data directory or database",
                           "the control schema was made by another build: its migration \"%s\" "
                           "is not this program's",
                           pg_rows_text(rows, i, 1));
        }
    }
    return true;
}

/* Runs what is missing; an existing migration whose text differs is refused. */
static bool run_migrations(Install *install, size_t *ret_run, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query(install->store.conn, store_sql(MIGRATION_LIST), PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    const size_t present = pg_rows_count(rows);
    if (present > CONTROL_MIGRATIONS) {
        return ERR_SET(err, ERR_NOT_INSTALLED, "use the newer Tenantry that made it",
                       "the control schema is at version %zu, this program knows %d", present,
                       (int)CONTROL_MIGRATIONS);
    }
    if (!check_present(install, rows, err)) {
        return false;
    }
    for (size_t i = present; i < CONTROL_MIGRATIONS; i++) {
        const char *sha256 = NULL;
        log_info("install.migration", "running control migration \"%s\"",
                 control_migrations[i].name);
        const char *version = pg_int_text(install->arena, control_migrations[i].version);
        if (!run_migration(install, i, &sha256, err) ||
            !pg_query(install->store.conn, store_sql(MIGRATION_ADD),
                      PG_PARAMS(version, control_migrations[i].name, sha256), NULL, err)) {
            return false;
        }
    }
    *ret_run = CONTROL_MIGRATIONS - present;
    return true;
}

/* Roles, schemas and the table that says which migrations ran. */
static bool make_ground(Install *install, Err *err)
{
    Arena *arena = install->arena;
    const char *hex = NULL;
    if (!secret_random_hex(arena, 6, &hex, err)) {
        return false;
    }
    install->audit_role = arena_printf(arena, "tenantry_audit_%s", hex);
    install->tenants_role = arena_printf(arena, "tenantry_tenants_%s", hex);
    const SqlArg audit = sql_name(arena, install->audit_role);
    const SqlArg tenants = sql_name(arena, install->tenants_role);
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    const char *const sql[] = {
        SQL(arena, "CREATE ROLE {} NOLOGIN", audit),
        SQL(arena, "CREATE ROLE {} NOLOGIN", tenants),
        "CREATE SCHEMA tenantry",
        "CREATE SCHEMA tenancy",
        SQL(arena, "GRANT {} TO CURRENT_USER", audit),
        SQL(arena, "CREATE SCHEMA tenantry_audit AUTHORIZATION {}", audit),
        SQL(arena, "REVOKE {} FROM CURRENT_USER", audit),
        ("CREATE TABLE tenantry.migrations (version bigint PRIMARY KEY, name text NOT NULL,"
         " sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"),
    };
    for (size_t i = 0; i < ARRAY_COUNT(sql); i++) {
        pg_batch_add(batch, sql[i], PG_NO_PARAMS);
    }
    return pg_batch_run(install->store.conn, batch, err);
}

/* A tenant needs CONNECT. PUBLIC often has it; where it was taken away, only the database's owner
 * can give it. */
static bool check_tenants_can_connect(Install *install, Err *err)
{
    PgConn *conn = install->store.conn;
    scoped_rows PgRows *rows = NULL;
    if (!pg_query_row(conn, "SELECT has_database_privilege($1, current_database(), 'CONNECT')",
                      PG_PARAMS(install->tenants_role), &rows, err)) {
        return false;
    }
    if (pg_rows_bool(rows, 0, 0)) {
        return true;
    }
    const char *grant = SQL(install->arena, "GRANT CONNECT ON DATABASE {} TO {}",
                            sql_name(install->arena, pg_conn_database(conn)),
                            sql_name(install->arena, install->tenants_role));
    Err ignored;
    if (pg_query(conn, "SAVEPOINT may_fail", PG_NO_PARAMS, NULL, err) &&
        pg_query(conn, grant, PG_NO_PARAMS, NULL, &ignored)) {
        scoped_rows PgRows *again = NULL;
        if (pg_query_row(conn, "SELECT has_database_privilege($1, current_database(), 'CONNECT')",
                         PG_PARAMS(install->tenants_role), &again, err) &&
            pg_rows_bool(again, 0, 0)) {
            return true;
        }
    }
    ERR_SET(err, ERR_PG_RIGHT_MISSING, NULL,
            "PUBLIC may not connect to database \"%s\", so tenants could not either",
            pg_conn_database(conn));
    err_hint(err, "as its owner: %s",
             SQL(install->arena, "GRANT CONNECT ON DATABASE {} TO {} WITH GRANT OPTION",
                 sql_name(install->arena, pg_conn_database(conn)),
                 sql_name(install->arena, pg_conn_user(conn))));
    return false;
}

/* What tenants may use of `tenancy`: look their own row of the map up, ask who they are. */
static bool open_tenancy(Install *install, Err *err)
{
    Arena *arena = install->arena;
    const SqlArg tenants = sql_name(arena, install->tenants_role);
    const char *const sql[] = {
        SQL(arena, "GRANT USAGE ON SCHEMA tenancy TO {}", tenants),
        SQL(arena, "GRANT SELECT ON tenancy.role_tenants TO {}", tenants),
        SQL(arena, "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tenancy TO {}", tenants),
    };
    for (size_t i = 0; i < ARRAY_COUNT(sql); i++) {
        if (!run_sql(install, sql[i], err)) {
            return false;
        }
    }
    return check_tenants_can_connect(install, err);
}

/* The first master key. Those that are in a file already may be another installation's, which will
 * rotate them, so this one gets its own beside them; what is only given to be read is taken as it
 * is. */
static bool open_first_key(Install *install, Err *err)
{
    Store *store = &install->store;
    const KeySource *source = &store->options.keys;
    const bool has_file = source->text == NULL && source->file != NULL;
    const bool is_there = has_file && file_exists(source->file);
    if ((has_file && !is_there && !keyring_create_file(source->file, err)) ||
        !keyring_open(source, &store->keyring, err)) {
        return false;
    }
    const bool may_add = is_there && keyring_may_write_file(source->file);
    store->active_key_id = keyring_id(store->keyring, 0);
    install->is_key_new = has_file && (!is_there || may_add);
    return !may_add ||
           keyring_add_to_file(store->keyring, source->file, &store->active_key_id, err);
}

/* The first master key is active, and seals the key of the audit chain. */
static bool set_up_keys(Install *install, Err *err)
{
    Store *store = &install->store;
    const char *key = NULL;
    if (!open_first_key(install, err)) {
        return false;
    }
    if (!secret_random_hex(install->arena, SECRET_KEY_BYTES, &key, err)) {
        return false;
    }
    const SecretBinding binding = {.tenant_id = "", .table = "secrets", .row = "audit"};
    uint8_t *sealed = NULL;
    size_t length = 0;
    const bool is_sealed = secret_seal(install->arena, store->keyring, store->active_key_id,
                                       &binding, key, strlen(key), &sealed, &length, err) &&
                           secret_open(store->keyring, store->active_key_id, &binding, sealed,
                                       length, &store->audit_key, &store->audit_key_length, err);
    secret_wipe((void *)(uintptr_t)key, strlen(key));
    return is_sealed &&
           pg_query(store->conn, store_sql(KEY_ADD), PG_PARAMS(store->active_key_id, "active"),
                    NULL, err) &&
           pg_query(store->conn, store_sql(SECRET_PUT),
                    PG_PARAMS("audit", store->active_key_id,
                              pg_bytea_to_text(install->arena, sealed, length)),
                    NULL, err);
}

static bool record_installation(Install *install, const char *actor, Err *err)
{
    const char *id = NULL;
    if (!secret_random_uuid(install->arena, &id, err) ||
        !pg_query(install->store.conn, store_sql(INSTALLATION_ADD),
                  PG_PARAMS(id, install->tenants_role, install->audit_role), NULL, err)) {
        return false;
    }
    scoped_json Json *detail = json_object();
    json_put_text(detail, "installation", id);
    json_put_int(detail, "control_version", install_version());
    return audit_append(&install->store,
                        &(AuditEntry){.chain = AUDIT_INSTALLATION,
                                      .actor = actor,
                                      .action = "installation.create",
                                      .detail = detail},
                        err);
}

static bool make_all(Install *install, const char *actor, Err *err)
{
    size_t run = 0;
    /* One that is there already, made before this was asked, works with what its encoding has. */
    return store_check_encoding(install->arena, install->store.conn, err) &&
           store_check_rights(install->arena, install->store.conn, err) &&
           make_ground(install, err) && run_migrations(install, &run, err) &&
           open_tenancy(install, err) && set_up_keys(install, err) &&
           record_installation(install, actor, err);
}

static bool migrate_existing(Install *install, size_t *ret_run, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query_row(install->store.conn,
                      "SELECT tenants_role, audit_role FROM tenantry.installation", PG_NO_PARAMS,
                      &rows, err)) {
        return false;
    }
    install->tenants_role = arena_strdup(install->arena, pg_rows_text(rows, 0, 0));
    install->audit_role = arena_strdup(install->arena, pg_rows_text(rows, 0, 1));
    /* Rights can be taken away later; here is told which, at a create only that one lacks. */
    return store_check_rights(install->arena, install->store.conn, err) &&
           run_migrations(install, ret_run, err) && check_tenants_can_connect(install, err) &&
           pg_query(install->store.conn, store_sql(AUDIT_PARTITIONS), PG_NO_PARAMS, NULL, err);
}

static const char how_to_free_name[] =
    "drop or rename it where nothing in it is needed, or use another database";

/* Whoever made a schema of such a name before may not lend it to us, nor we use what is in it. */
static bool refuse_taken_name(const Install *install, const PgRows *rows, Err *err)
{
    return ERR_SET(
        err, ERR_NOT_INSTALLED, how_to_free_name,
        "schema \"%s\" of database \"%s\" exists already and belongs to role \"%s\", but "
        "\"tenantry up\" makes its schemas itself",
        pg_rows_text(rows, 0, 0), pg_conn_database(install->store.conn), pg_rows_text(rows, 0, 1));
}

/* Under the lock: whose the schemas are, and whether the control schema is made already. */
static bool look(const Install *install, bool *ret_is_new, Err *err)
{
    PgConn *conn = install->store.conn;
    bool has_schemas = false;
    scoped_rows PgRows *schemas = NULL;
    scoped_rows PgRows *rows = NULL;
    if (!pg_query(conn, store_sql(CONTROL_SCHEMAS), PG_NO_PARAMS, &schemas, err) ||
        !store_check_owners(conn, schemas, &has_schemas, err) ||
        !pg_query_row(conn, "SELECT to_regclass('tenantry.installation') IS NOT NULL", PG_NO_PARAMS,
                      &rows, err)) {
        return false;
    }
    *ret_is_new = !has_schemas || !pg_rows_bool(rows, 0, 0);
    return !*ret_is_new || pg_rows_count(schemas) == 0 || refuse_taken_name(install, schemas, err);
}

static bool install_in_transaction(Install *install, const char *actor, const char **ret_what,
                                   Err *err)
{
    PgConn *conn = install->store.conn;
    size_t run = 0;
    bool is_new = false;
    if (!pg_begin(conn, err) || !pg_query(conn, store_sql(INSTALL_LOCK), PG_NO_PARAMS, NULL, err) ||
        !look(install, &is_new, err)) {
        return false;
    }
    log_info("install.begin", "%s the control schema of database \"%s\"",
             is_new ? "making" : "checking", pg_conn_database(conn));
    if (!(is_new ? make_all(install, actor, err) : migrate_existing(install, &run, err)) ||
        !pg_commit(conn, true, err)) {
        return false;
    }
    *ret_what = is_new ? "made" : run > 0 ? "migrated" : NULL;
    log_info("install.end", "the control schema is %s",
             *ret_what == NULL ? "up to date" : *ret_what);
    return true;
}

bool store_install(Arena *arena, const StoreOptions *options, const char *actor,
                   const char **ret_what, bool *ret_is_key_new, Err *err)
{
    Install install = {.arena = arena, .store = {.arena = arena, .options = *options}};
    /* Whose the schemas are is looked at under the lock. */
    if (!pg_open(&options->target, &install.store.conn, err)) {
        return false;
    }
    const bool is_done = install_in_transaction(&install, actor, ret_what, err);
    *ret_is_key_new = is_done && install.is_key_new;
    if (!is_done) {
        if (strcmp(err->sqlstate, "42P06") == 0) { /* duplicate_schema, in an upgrade */
            err_hint(err, "%s", how_to_free_name);
        }
        pg_rollback(install.store.conn);
    }
    pg_close(install.store.conn);
    keyring_close(install.store.keyring);
    secret_free(install.store.audit_key, install.store.audit_key_length);
    return is_done;
}
