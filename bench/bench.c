/* The part of the benchmarks that needs the library: tenants made on a warm connection, with the
 * time of each part of the work, and the SQL of a tenant for psql to run.
 *
 *   tenantry-bench CONNINFO KEYFILE create BLUEPRINT TIER PREFIX FIRST COUNT
 *       makes COUNT tenants PREFIX-FIRST...; TIER - is the blueprint's default; prints one JSON
 *       object per tenant: microseconds of each part (parts exclude one another) and "total"
 *
 *   tenantry-bench CONNINFO KEYFILE sql BLUEPRINT full|ddl
 *       prints one transaction that makes a schema-tier tenant by hand: full has the roles, rights
 *       and logins; ddl has the schema and what is in it
 *
 *   tenantry-bench CONNINFO KEYFILE verifier COUNT
 *       prints the microseconds that the server takes for one ALTER ROLE ... PASSWORD, COUNT times
 *
 *   tenantry-bench CONNINFO KEYFILE verify TENANT rules|all COUNT
 *       checks the isolation of one tenant (its id) on a warm connection, COUNT times, with probes
 * or without; prints the microseconds of each; a finding is an error
 *
 *   tenantry-bench CONNINFO KEYFILE list-sql
 *       prints the statement behind "tenant list"
 *
 * The linker's --wrap lets it time the library's functions where they are called, so that the
 * product needs no clocks of its own. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blueprint/place.h"
#include "blueprint/registry.h"
#include "core/array.h"
#include "core/clock.h"
#include "core/text.h"
#include "isolation/isolation.h"
#include "ops/context.h"
#include "pg/sql.h"
#include "pg/sql_parse.h"
#include "tenant/login.h"
#include "tenant/ready_login.h"
#include "tenant/tenant.h"

enum { CONNECT_TIMEOUT_MS = 5000, LOCK_TIMEOUT_MS = 60000, RETRIES = 3 };

/* --- where the time goes ---------------------------------------------------------------------- */

typedef enum Part {
    PART_OTHER, /* all that no part below covers */
    PART_BLUEPRINT,
    PART_PARSE,
    PART_VERIFIERS,
    PART_ROUND_TRIPS,
    PART_SEND,
    PART_PIPELINE,
    PART_COMMIT,
    PART_COUNT_
} Part;

static const char *const part_names[PART_COUNT_] = {
    [PART_OTHER] = "other",         [PART_BLUEPRINT] = "blueprint",     [PART_PARSE] = "parse",
    [PART_VERIFIERS] = "verifiers", [PART_ROUND_TRIPS] = "round_trips", [PART_SEND] = "send",
    [PART_PIPELINE] = "pipeline",   [PART_COMMIT] = "commit",
};

static struct {
    Part now;
    int64_t since_us;
    int64_t spent_us[PART_COUNT_];
} profile;

/* From here on the time belongs to part; returns the part that it belonged to. */
static Part enter(Part part)
{
    const int64_t now_us = clock_monotonic_us();
    const Part before = profile.now;
    profile.spent_us[before] += now_us - profile.since_us;
    profile.since_us = now_us;
    profile.now = part;
    return before;
}

/* TIMED(part, bool, function, (parameters), (arguments)) defines the wrapper that the linker puts
 * before a function; it calls the two __wrap_function and __real_function. */
#define TIMED(part, Type, function, parameters, arguments)                                         \
    Type real_##function parameters __asm__("__real_" #function);                                  \
    Type wrap_##function parameters __asm__("__wrap_" #function);                                  \
    Type wrap_##function parameters                                                                \
    {                                                                                              \
        const Part before = enter(part);                                                           \
        const Type result = real_##function arguments;                                             \
        enter(before);                                                                             \
        return result;                                                                             \
    }

TIMED(PART_BLUEPRINT, bool, registry_get,
      (Arena * arena, Store *store, const char *name, Blueprint **ret_blueprint, Err *err),
      (arena, store, name, ret_blueprint, err))
TIMED(PART_BLUEPRINT, bool, registry_get_head,
      (Arena * arena, Store *store, const char *name, Blueprint **ret_blueprint, Err *err),
      (arena, store, name, ret_blueprint, err))
TIMED(PART_PARSE, bool, sql_script_split,
      (Arena * arena, const char *file, const char *text, ErrCode code, SqlScript *ret_script,
       Err *err),
      (arena, file, text, code, ret_script, err))
TIMED(PART_VERIFIERS, bool, login_new_secret,
      (Arena * arena, Store *store, const SecretBinding *binding, LoginSecret *ret_secret,
       Err *err),
      (arena, store, binding, ret_secret, err))
TIMED(PART_ROUND_TRIPS, bool, pg_query,
      (PgConn * conn, const char *sql, PgParams params, PgRows **ret_rows, Err *err),
      (conn, sql, params, ret_rows, err))
TIMED(PART_ROUND_TRIPS, bool, pg_query_fixed,
      (PgConn * conn, const char *sql, PgParams params, PgRows **ret_rows, Err *err),
      (conn, sql, params, ret_rows, err))
TIMED(PART_ROUND_TRIPS, bool, pg_begin, (PgConn * conn, Err *err), (conn, err))
TIMED(PART_SEND, bool, pg_batch_send, (PgConn * conn, PgBatch *batch, Err *err), (conn, batch, err))
TIMED(PART_PIPELINE, bool, pg_batch_run, (PgConn * conn, PgBatch *batch, Err *err),
      (conn, batch, err))
TIMED(PART_COMMIT, bool, pg_commit, (PgConn * conn, bool is_durable, Err *err),
      (conn, is_durable, err))

static void print_profile(void)
{
    int64_t total_us = 0;
    enter(PART_OTHER);
    putchar('{');
    for (int part = 0; part < PART_COUNT_; part++) {
        printf("\"%s\":%" PRId64 ",", part_names[part], profile.spent_us[part]);
        total_us += profile.spent_us[part];
    }
    printf("\"total\":%" PRId64 "}\n", total_us);
}

/* --- commands --------------------------------------------------------------------------------- */

static bool create_one(Store *store, const char *blueprint, const char *tier, const char *slug,
                       Err *err)
{
    int64_t job_id = 0;
    scoped_json Json *args = json_object();
    json_put_text(args, "slug", slug);
    json_put_text(args, "blueprint", blueprint);
    if (strcmp(tier, "-") != 0) {
        json_put_text(args, "tier", tier);
    }
    const JobStart start = {
        .kind = &tenant_create_job, .subject = slug, .args = args, .actor = "bench"};
    memset(&profile, 0, sizeof profile);
    profile.since_us = clock_monotonic_us();
    if (!job_run(store, &start, &job_id, err)) {
        return false;
    }
    print_profile();
    return true;
}

static bool run_create(Arena *arena, Store *store, const char *const *args, Err *err)
{
    int64_t first = 0;
    int64_t count = 0;
    if (!text_to_int(args[3], &first) || !text_to_int(args[4], &count)) {
        return ERR_SET(err, ERR_USAGE, NULL, "FIRST and COUNT are numbers");
    }
    for (int64_t i = first; i < first + count; i++) {
        const char *slug = arena_printf(arena, "%s-%" PRId64, args[2], i);
        if (!create_one(store, args[0], args[1], slug, err)) {
            return false;
        }
    }
    return true;
}

/* The logins as tenant.create makes them, without its registry rows. */
static bool add_logins(Arena *arena, Store *store, PgBatch *batch, const Blueprint *blueprint,
                       const Place *place, const char *search_path, Err *err)
{
    const LoginLimits limits = login_limits(blueprint_find_plan(blueprint, NULL));
    const char *const roles[TENANT_LOGINS] = {place->app_role, place->readonly_role};
    for (size_t i = 0; i < TENANT_LOGINS; i++) {
        LoginSecret secret;
        const SecretBinding binding = login_binding(place->id, roles[i]);
        login_add_plan(arena, batch, roles[i], i == 1, &limits, false);
        login_add_base(arena, batch, roles[i], i == 1, search_path);
        if (!login_new_secret(arena, store, &binding, &secret, err)) {
            return false;
        }
        login_add_password(arena, batch, roles[i], &secret);
    }
    return true;
}

/* What a schema needs besides its objects; the floor that "ddl" prints has none of it. */
static bool is_about_rights(const char *sql)
{
    static const char *const heads[] = {"ALTER DEFAULT PRIVILEGES",
                                        "ALTER ROLE",
                                        "CREATE ROLE",
                                        "CREATE SCHEMA",
                                        "GRANT",
                                        "REVOKE",
                                        "SET LOCAL ROLE"};
    for (size_t i = 0; i < ARRAY_COUNT(heads); i++) {
        if (strncmp(sql, heads[i], strlen(heads[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* What lets the blueprint's statements run guarded: no part of what they make. */
static bool is_about_guard(const char *sql)
{
    return strcmp(sql, "RESET ALL") == 0;
}

/* Statements with parameters are rows of the control schema, which nobody needs by hand. */
static void print_batch(const PgBatch *batch, bool with_rights)
{
    for (size_t i = 0; i < pg_batch_count(batch); i++) {
        PgParams params;
        const char *sql = pg_batch_statement(batch, i, &params);
        if (params.count == 0 && !is_about_guard(sql) && (with_rights || !is_about_rights(sql))) {
            printf("%s;\n", sql);
        }
    }
}

static bool run_sql(Arena *arena, Store *store, const char *const *args, Err *err)
{
    Blueprint *blueprint = NULL;
    Extensions extensions = {0};
    Place place;
    const char *hex = NULL;
    bool lacks_partitions = false;
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    if (!registry_get(arena, store, args[0], &blueprint, err) ||
        !registry_find_extensions(arena, store, blueprint, &extensions, err) ||
        !secret_random_hex(arena, 6, &hex, err) ||
        !place_name(arena, blueprint, TIER_SCHEMA, arena_printf(arena, "tenant_%s", hex), &place,
                    err)) {
        return false;
    }
    const bool is_full = strcmp(args[1], "full") == 0;
    place_add_role(arena, batch, place.app_role);
    place_add_role(arena, batch, place.readonly_role);
    if (!place_add_schema(arena, store, batch, blueprint, &extensions, &place, &lacks_partitions,
                          err) ||
        !add_logins(arena, store, batch, blueprint, &place,
                    place_search_path(arena, &extensions, &place), err)) {
        return false;
    }
    printf("BEGIN;\nSET LOCAL search_path = %s;\n", place_search_path(arena, &extensions, &place));
    if (!is_full) {
        printf("%s;\n", SQL(arena, "CREATE SCHEMA {}", sql_name(arena, place.schema_name)));
    }
    print_batch(batch, is_full);
    puts("COMMIT;");
    return true;
}

static bool time_verifier(Arena *arena, Store *store, const char *role, Err *err)
{
    LoginSecret secret;
    const SecretBinding binding = login_binding("", role);
    if (!login_new_secret(arena, store, &binding, &secret, err)) {
        return false;
    }
    const char *sql = SQL(arena, "ALTER ROLE {} PASSWORD {}", sql_name(arena, role),
                          sql_literal(secret.verifier));
    const int64_t before_us = clock_monotonic_us();
    if (!pg_query(store->conn, sql, PG_NO_PARAMS, NULL, err)) {
        return false;
    }
    printf("%" PRId64 "\n", clock_monotonic_us() - before_us);
    return true;
}

static bool run_verifier(Arena *arena, Store *store, const char *const *args, Err *err)
{
    int64_t count = 0;
    const char *role = "tenantry_bench_role";
    if (!text_to_int(args[0], &count) || !store_need_keys(store, err) ||
        !pg_begin(store->conn, err) ||
        !pg_query(store->conn, SQL(arena, "CREATE ROLE {}", sql_name(arena, role)), PG_NO_PARAMS,
                  NULL, err)) {
        return false;
    }
    bool is_timed = true;
    for (int64_t i = 0; i < count && is_timed; i++) {
        is_timed = time_verifier(arena, store, role, err);
    }
    pg_rollback(store->conn);
    return is_timed;
}

static bool run_ready(Arena *arena, Store *store, const char *const *args, Err *err)
{
    (void)arena;
    int64_t count = 0;
    return (text_to_int(args[0], &count) || ERR_SET(err, ERR_USAGE, NULL, "COUNT is a number")) &&
           ready_logins_fill(store, count, count, NULL, err);
}

static bool verify_once(Store *store, const char *tenant_id, bool is_probed, int64_t seed, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    IsolationResult result = {.list = {.arena = arena}};
    const ProbeOptions options = {.tenant_id = tenant_id, .seed = seed};
    const int64_t start_us = clock_monotonic_us();
    if (!(is_probed ? isolation_verify(arena, store, &options, &result, err)
                    : isolation_check_rules(arena, store, tenant_id, &result, err))) {
        return false;
    }
    printf("%" PRId64 "\n", clock_monotonic_us() - start_us);
    return result.list.count == 0 ||
           ERR_SET(err, ERR_ISOLATION, NULL, "%s: %s", result.list.findings[0].check->id,
                   result.list.findings[0].evidence);
}

static bool run_verify(Arena *arena, Store *store, const char *const *args, Err *err)
{
    (void)arena;
    int64_t count = 0;
    if (!text_to_int(args[2], &count) || !store_need_keys(store, err)) {
        return false;
    }
    bool is_clean = true;
    for (int64_t i = 0; i < count && is_clean; i++) {
        is_clean = verify_once(store, args[0], strcmp(args[1], "all") == 0, i, err);
    }
    return is_clean;
}

static bool run_list_sql(Arena *arena, Store *store, const char *const *args, Err *err)
{
    (void)arena;
    (void)store;
    (void)args;
    (void)err;
    puts(store_sql(TENANT_LIST));
    return true;
}

static const struct {
    const char *name;
    int args;
    bool (*run)(Arena *arena, Store *store, const char *const *args, Err *err);
} commands[] = {{"create", 5, run_create}, {"sql", 2, run_sql},
                {"ready", 1, run_ready},   {"verifier", 1, run_verifier},
                {"verify", 3, run_verify}, {"list-sql", 0, run_list_sql}};

static bool run(Arena *arena, int argc, const char *const *argv, Err *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
        if (argc == commands[i].args + 4 && strcmp(argv[3], commands[i].name) == 0) {
            const StoreOptions options = {.target = {.conninfo = argv[1],
                                                     .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                                     .lock_timeout_ms = LOCK_TIMEOUT_MS,
                                                     .retries = RETRIES},
                                          .keys = {.file = argv[2]}};
            Store *store = NULL;
            const bool is_done = secret_init(err) && store_open(&options, &store, err) &&
                                 commands[i].run(arena, store, argv + 4, err);
            store_close(store);
            return is_done;
        }
    }
    return ERR_SET(err, ERR_USAGE, NULL, "see the head of bench/bench.c");
}

int main(int argc, char **argv)
{
    scoped_arena Arena *arena = arena_new();
    Err err;
    if (run(arena, argc, (const char *const *)argv, &err)) {
        return 0;
    }
    fprintf(stderr, "tenantry-bench: %s\n", err.message);
    return err_kind(err.code)->exit_status;
}
