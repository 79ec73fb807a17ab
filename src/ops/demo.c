/* demo: three tenants, believable data, and every tenant's own attempt to reach a neighbour.
 *
 * The attempts are a table: each row is tried, logged in as the tenant through its own connection
 * string. */
#include <inttypes.h>
#include <string.h>

#include "blueprint/registry.h"
#include "core/array.h"
#include "core/strbuf.h"
#include "ops/context.h"
#include "pg/sql.h"
#include "pg/sql_parse.h"
#include "tenant/state.h"
#include "tenant/tenant.h"

#define NEWEST_TRADES                                                                              \
    "SELECT format('%s %s %s at %s', side, quantity::real, symbol, price::numeric(12,2))"          \
    " FROM trades ORDER BY executed_at DESC, id LIMIT 3"
#define NEWEST_ITEMS "SELECT title FROM items ORDER BY created_at DESC, id LIMIT 3"

static const struct {
    const char *slug;
    const char *name;
    const char *blueprint;
    const char *first_table; /* that the synthetic data fills; empty: not loaded yet */
    const char *table;       /* the one whose rows are counted */
    const char *question;
    const char
        *query; /* one text column; names are unqualified: the login's search_path finds them */
} demo_tenants[] = {
    {"demo-trading", "Harbour Capital", "trading", "portfolios", "trades", "newest trades",
     NEWEST_TRADES},
    {"demo-north", "Northwind Traders", "saas", "users", "items", "newest items", NEWEST_ITEMS},
    {"demo-south", "Southridge Foods", "saas", "users", "items", "newest items", NEWEST_ITEMS},
};
enum { DEMO_TENANTS = ARRAY_COUNT(demo_tenants) };

/* One tenant of the demo while it runs: its own login, not Tenantry's. */
typedef struct Guest {
    const char *slug;
    const char *table;
    const Tenant *tenant;
    PgConn *conn;
    const char *role; /* that it logs in as */
    int64_t rows;
} Guest;

typedef struct Attempt {
    const char *what;
    const char *sql; /* {} takes what `with` says, in this order */
    enum { WITH_NOTHING, WITH_TABLE, WITH_ROLE, WITH_TABLE_AND_ID } with;
    bool expects_no_rows;   /* otherwise: refused */
    bool is_forged;         /* app.current_tenant_id names the neighbour meanwhile */
    bool is_same_blueprint; /* only against a tenant of the same shared tables */
} Attempt;

static const Attempt attempts[] = {
    {"read the neighbour's table by its full name", "SELECT count(*) FROM {}.{}", WITH_TABLE,
     .is_same_blueprint = false},
    {"become the neighbour's role", "SET ROLE {}", WITH_ROLE},
    {"read the registry of tenants", "SELECT count(*) FROM tenantry.tenants", WITH_NOTHING},
    {"read the stored credentials", "SELECT count(*) FROM tenantry.credentials", WITH_NOTHING},
    {"ask the shared table for the neighbour's rows",
     "SELECT count(*) FROM {}.{} WHERE tenant_id = {}", WITH_TABLE_AND_ID, .expects_no_rows = true,
     .is_same_blueprint = true},
    {"pose as the neighbour with app.current_tenant_id", "SELECT count(*) FROM {}.{}", WITH_TABLE,
     .expects_no_rows = true, .is_forged = true, .is_same_blueprint = true},
    {"give its own rows to the neighbour", "UPDATE {}.{} SET tenant_id = {}", WITH_TABLE_AND_ID,
     .is_same_blueprint = true},
    {"empty the shared table", "TRUNCATE {}.{}", WITH_TABLE, .is_same_blueprint = true},
};
enum { ATTEMPTS = ARRAY_COUNT(attempts) };

/* --- making the tenants ----------------------------------------------------------------------- */

/* A demo that was interrupted is finished first. */
static bool finish_create(OpContext *context, Store *store, Tenant **tenant, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, JOB_OPEN_FOR_TENANT, PG_PARAMS((*tenant)->id), &rows, err)) {
        return false;
    }
    return pg_rows_count(rows) == 0 ||
           (op_resume_job(context, pg_rows_int(rows, 0, 0), NULL, err) &&
            tenants_get(context->arena, store, (*tenant)->id, tenant, err));
}

/* What brings a tenant back, or out of the demo's way. */
static void hint_not_active(const Tenant *tenant, Err *err)
{
    if (strcmp(tenant->state, tenant_state_name(TENANT_ARCHIVED)) == 0) {
        err_hint(err, "purge it (tenant purge %s), and run the demo again", tenant->slug);
    } else {
        err_hint(err, "see what became of it: tenant show %s, job list", tenant->slug);
    }
}

/* Only a tenant that the demo made is used: its data is synthetic, and somebody else's is not
 * touched. */
static bool check_demo_tenant(const Tenant *tenant, size_t number, Err *err)
{
    return (strcmp(tenant->name, demo_tenants[number].name) == 0 &&
            strcmp(tenant->blueprint, demo_tenants[number].blueprint) == 0) ||
           ERR_SET(err, ERR_SLUG_TAKEN, "run the demo with another --data-dir",
                   "tenant \"%s\" was not made by the demo", tenant->slug);
}

/* The demo itself ends with the command that suspends one of its tenants. */
static bool wake_tenant(OpContext *context, Store *store, Tenant **tenant, Err *err)
{
    if (strcmp((*tenant)->state, tenant_state_name(TENANT_SUSPENDED)) != 0) {
        return true;
    }
    scoped_json Json *args = json_object();
    json_put_text(args, "slug", (*tenant)->slug);
    op_note(context, arena_printf(context->arena, "tenant %s of the demo is suspended: resuming it",
                                  (*tenant)->slug));
    return op_run_job(context, &tenant_resume_job, (*tenant)->slug, (*tenant)->id, args, NULL,
                      err) &&
           tenants_get(context->arena, store, (*tenant)->id, tenant, err);
}

static bool check_active(const Tenant *tenant, Err *err)
{
    if (strcmp(tenant->state, tenant_state_name(TENANT_ACTIVE)) == 0) {
        return true;
    }
    ERR_SET(err, ERR_TENANT_STATE, NULL, "tenant \"%s\" of the demo is %s, active was expected",
            tenant->slug, tenant->state);
    hint_not_active(tenant, err);
    return false;
}

static bool ensure_tenant(OpContext *context, size_t number, Tenant **ret_tenant, Err *err)
{
    Store *store = NULL;
    const char *slug = demo_tenants[number].slug;
    if (!op_store(context, &store, err) ||
        !tenants_find(context->arena, store, slug, ret_tenant, err)) {
        return false;
    }
    if (*ret_tenant != NULL) {
        return (strcmp((*ret_tenant)->state, "requested") != 0 ||
                finish_create(context, store, ret_tenant, err)) &&
               check_demo_tenant(*ret_tenant, number, err) &&
               wake_tenant(context, store, ret_tenant, err) && check_active(*ret_tenant, err);
    }
    scoped_json Json *args = json_object();
    json_put_text(args, "slug", slug);
    json_put_text(args, "name", demo_tenants[number].name);
    json_put_text(args, "blueprint", demo_tenants[number].blueprint);
    return op_run_job(context, &tenant_create_job, slug, NULL, args, NULL, err) &&
           tenants_get_by_slug(context->arena, store, slug, ret_tenant, err);
}

/* Logs in as the tenant's application, with its own password. */
static bool log_in(OpContext *context, Guest *guest, Err *err)
{
    Store *store = NULL;
    TenantLogin logins[TENANT_LOGINS];
    size_t count = 0;
    if (!op_store(context, &store, err) ||
        !tenant_logins(context->arena, store, guest->tenant, true, logins, &count, err)) {
        return false;
    }
    bool is_in = false;
    for (size_t i = 0; i < count; i++) {
        scoped_arena Arena *arena = arena_new();
        if (strcmp(logins[i].kind, "app") == 0) {
            PgTarget target = store->options.target;
            target.conninfo = pg_uri_here(arena, store->conn, logins[i].role,
                                          logins[i].password->text);
            target.keeps_role_settings = true;
            guest->role = logins[i].role;
            is_in = pg_open(&target, &guest->conn, err);
        }
        logins[i].password = password_free(logins[i].password);
    }
    return is_in;
}

static bool count_rows(OpContext *context, const Guest *guest, const char *table,
                       int64_t *ret_count, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query_row(
            guest->conn,
            SQL(context->arena, "SELECT count(*) FROM {}", sql_name(context->arena, table)),
            PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    *ret_count = pg_rows_int(rows, 0, 0);
    return true;
}

/* The pack's synthetic data, loaded by the tenant itself in one transaction. */
static bool load_data(OpContext *context, Guest *guest, Err *err)
{
    Store *store = NULL;
    Blueprint *blueprint = NULL;
    SqlScript script = {0};
    if (!op_store(context, &store, err) ||
        !registry_get(context->arena, store, guest->tenant->blueprint, &blueprint, err) ||
        blueprint->demo == NULL) {
        return blueprint != NULL;
    }
    if (!sql_script_split(context->arena, "demo.sql", blueprint->demo, ERR_BLUEPRINT_INVALID,
                          &script, err)) {
        return false;
    }
    scoped_batch PgBatch *batch = pg_batch_new(context->arena);
    for (size_t i = 0; i < script.count; i++) {
        pg_batch_add_at(batch,
                        arena_printf(context->arena, "demo.sql:%d", script.statements[i].line),
                        script.statements[i].text, PG_NO_PARAMS);
    }
    if (pg_begin(guest->conn, err) && pg_batch_run(guest->conn, batch, err) &&
        pg_commit(guest->conn, true, err)) {
        return true;
    }
    pg_rollback(guest->conn);
    return false;
}

static bool receive_guest(OpContext *context, size_t number, Guest *guest, Err *err)
{
    Tenant *tenant = NULL;
    if (!ensure_tenant(context, number, &tenant, err)) {
        return false;
    }
    *guest = (Guest){.slug = tenant->slug, .table = demo_tenants[number].table, .tenant = tenant};
    int64_t loaded = 0;
    return log_in(context, guest, err) &&
           count_rows(context, guest, demo_tenants[number].first_table, &loaded, err) &&
           (loaded > 0 || load_data(context, guest, err)) &&
           count_rows(context, guest, guest->table, &guest->rows, err);
}

/* --- reaching for a neighbour ----------------------------------------------------------------- */

/* The neighbour's table; two tenants of the row tier have the same one. */
static const char *attempt_sql(Arena *arena, const Attempt *attempt, const Guest *neighbour)
{
    const SqlArg schema = sql_name(arena, neighbour->tenant->place->schema_name);
    const SqlArg table = sql_name(arena, neighbour->table);
    switch (attempt->with) {
    case WITH_NOTHING:
        break;
    case WITH_TABLE:
        return SQL(arena, attempt->sql, schema, table);
    case WITH_ROLE:
        return SQL(arena, attempt->sql, sql_name(arena, neighbour->role));
    case WITH_TABLE_AND_ID:
        return SQL(arena, attempt->sql, schema, table, sql_literal(neighbour->tenant->id));
    }
    return attempt->sql;
}

/* What came of one attempt, in words; *ret_is_kept_out tells whether isolation held. */
static const char *reach_out(Arena *arena, const Attempt *attempt, const Guest *guest,
                             const Guest *neighbour, bool *ret_is_kept_out)
{
    Err err;
    scoped_rows PgRows *rows = NULL;
    *ret_is_kept_out = false;
    if (!pg_begin(guest->conn, &err) ||
        (attempt->is_forged &&
         !pg_query(guest->conn, "SELECT set_config('app.current_tenant_id', $1, true)",
                   PG_PARAMS(neighbour->tenant->id), NULL, &err))) {
        return arena_printf(arena, "could not try: %s", err.message);
    }
    if (!pg_query(guest->conn, attempt_sql(arena, attempt, neighbour), PG_NO_PARAMS, &rows, &err)) {
        *ret_is_kept_out = !attempt->expects_no_rows && err.code == ERR_PG_RIGHT_MISSING;
        return arena_printf(arena, "refused: %s", err.message);
    }
    const int64_t seen = pg_rows_count(rows) == 1 ? pg_rows_int(rows, 0, 0)
                                                  : pg_rows_affected(rows);
    *ret_is_kept_out = attempt->expects_no_rows && seen == 0;
    return arena_printf(arena, "%s%" PRId64 " rows",
                        attempt->expects_no_rows ? "" : "NOT REFUSED: ", seen);
}

/* Tries as the tenant, rolls back. */
static bool try_attempt(OpContext *context, const Attempt *attempt, const Guest *guest,
                        const Guest *neighbour, Json *list)
{
    bool is_kept_out = false;
    const char *outcome = reach_out(context->arena, attempt, guest, neighbour, &is_kept_out);
    pg_rollback(guest->conn);
    Json *entry = json_object();
    json_put_text(entry, "tenant", guest->slug);
    json_put_text(entry, "neighbour", neighbour->slug);
    json_put_text(entry, "attempt", attempt->what);
    json_put_text(entry, "outcome", outcome);
    json_put_bool(entry, "is_kept_out", is_kept_out);
    json_array_append_new(list, entry);
    return is_kept_out;
}

/* Neighbours in the same shared tables have no table of their own to reach by name. */
static bool does_fit(const Attempt *attempt, const Guest *guest, const Guest *neighbour)
{
    const bool is_same = strcmp(guest->tenant->blueprint, neighbour->tenant->blueprint) == 0;
    return is_same ? attempt->is_same_blueprint || attempt->with != WITH_TABLE
                   : !attempt->is_same_blueprint;
}

static int64_t try_all(OpContext *context, const Guest *guests, Json *list)
{
    int64_t leaks = 0;
    for (size_t g = 0; g < DEMO_TENANTS; g++) {
        for (size_t n = 0; n < DEMO_TENANTS; n++) {
            for (size_t a = 0; a < ATTEMPTS && g != n; a++) {
                if (does_fit(&attempts[a], &guests[g], &guests[n]) &&
                    !try_attempt(context, &attempts[a], &guests[g], &guests[n], list)) {
                    leaks++;
                }
            }
        }
    }
    return leaks;
}

/* --- the answer ------------------------------------------------------------------------------- */

static Json *guests_to_json(const Guest *guests)
{
    Json *list = json_array();
    for (size_t i = 0; i < DEMO_TENANTS; i++) {
        const Tenant *tenant = guests[i].tenant;
        Json *entry = json_object();
        json_put_text(entry, "slug", tenant->slug);
        json_put_text(entry, "name", tenant->name);
        json_put_text(entry, "blueprint", tenant->blueprint);
        json_put_text(entry, "tier", tenant->tier);
        json_put_text(entry, "schema", tenant->place->schema_name);
        json_put_text(entry, "table", guests[i].table);
        json_put_int(entry, "own_rows", guests[i].rows);
        json_array_append_new(list, entry);
    }
    return list;
}

/* A word as a shell reads it back. */
static const char *shell_word(Arena *arena, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+=:@%";
    if (*text != '\0' && strspn(text, plain) == strlen(text)) {
        return text;
    }
    StrBuf word = strbuf_init(arena);
    strbuf_add_char(&word, '\'');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'') {
            strbuf_add(&word, "'\\''");
        } else {
            strbuf_add_char(&word, *c);
        }
    }
    strbuf_add_char(&word, '\'');
    return word.text;
}

/* The options that say which installation is meant. */
static const OptionId whereabouts[] = {OPT_CONFIG, OPT_DATA_DIR, OPT_DATABASE_URL,
                                       OPT_MASTER_KEY_FILE};

/* NULL when the commands find what is meant without being told: by default or in the usual file.
 * An environment may be that of this command alone. */
static const char *value_to_export(OpContext *context, OptionId id)
{
    const char *detail = NULL;
    const char *value = config_text(context->config, id);
    const OptionOrigin origin = config_origin(context->config, id, &detail);
    if (origin != ORIGIN_FLAG && origin != ORIGIN_ENVIRONMENT) {
        return NULL;
    }
    if (id != OPT_DATABASE_URL) {
        return value;
    }
    const char *shown = pg_conninfo_without_secrets(context->arena, value);
    if (shown == value) {
        return value;
    }
    if (origin == ORIGIN_ENVIRONMENT) {
        return NULL; /* it is there with its password */
    }
    op_note(context, "the commands at the end need the database's password: put it in PGPASSWORD "
                     "or ~/.pgpass");
    return shown;
}

static void add_exports(OpContext *context, Json *list)
{
    Arena *arena = context->arena;
    for (size_t i = 0; i < ARRAY_COUNT(whereabouts); i++) {
        const char *value = value_to_export(context, whereabouts[i]);
        if (value != NULL) {
            json_array_append_new(list,
                                  json_string(arena_printf(arena, "export %s=%s",
                                                           option_env_name(arena, whereabouts[i]),
                                                           shell_word(arena, value))));
        }
    }
}

static Json *next_commands(OpContext *context)
{
    static const char *const commands[] = {
        "tenant list",
        "tenant show demo-north",
        "tenant credentials demo-north",
        "tenant create acme --blueprint trading --plan professional",
        "tenant suspend demo-south",
        "audit verify",
    };
    Json *list = json_array();
    add_exports(context, list);
    const char *program = shell_word(context->arena, context->program);
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
        json_array_append_new(
            list, json_string(arena_printf(context->arena, "%s %s", program, commands[i])));
    }
    if (!op_has_external_database(context)) {
        json_array_append_new(list, json_string(arena_printf(context->arena, "%s down", program)));
    }
    return list;
}

/* A real query of each tenant, as it would run it. */
static bool ask(const Guest *guest, size_t number, Json *list, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query(guest->conn, demo_tenants[number].query, PG_NO_PARAMS, &rows, err)) {
        return err_prefix(err, "tenant \"%s\", %s", guest->slug, demo_tenants[number].question);
    }
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        Json *entry = json_object();
        json_put_text(entry, "tenant", guest->slug);
        json_put_text(entry, "question", demo_tenants[number].question);
        json_put_text(entry, "row", pg_rows_text(rows, i, 0));
        json_array_append_new(list, entry);
    }
    return true;
}

static Json *summary(OpContext *context, const Guest *guests, int64_t tried, int64_t leaks)
{
    Json *list = json_array();
    for (size_t i = 0; i < DEMO_TENANTS; i++) {
        json_array_append_new(
            list, json_string(arena_printf(
                      context->arena, "%s sees %" PRId64 " rows of %s, all its own (%s tier)",
                      guests[i].slug, guests[i].rows, guests[i].table, guests[i].tenant->tier)));
    }
    json_array_append_new(
        list, json_string(arena_printf(context->arena,
                                       "%" PRId64 " attempts to reach a neighbour, each as the "
                                       "tenant itself: %" PRId64 " kept out, %" PRId64 " leaked",
                                       tried, tried - leaks, leaks)));
    return list;
}

static bool show_around(OpContext *context, Guest *guests, Json **ret_answer, Err *err)
{
    scoped_json Json *sees = json_array();
    for (size_t i = 0; i < DEMO_TENANTS; i++) {
        if (!receive_guest(context, i, &guests[i], err) || !ask(&guests[i], i, sees, err)) {
            return false;
        }
    }
    Json *list = json_array();
    const int64_t leaks = try_all(context, guests, list);
    *ret_answer = json_object();
    json_put(*ret_answer, "tenants", guests_to_json(guests));
    json_put(*ret_answer, "sees", json_incref(sees));
    json_put(*ret_answer, "attempts", list);
    json_put_int(*ret_answer, "tried", (int64_t)json_array_size(list));
    json_put_int(*ret_answer, "leaks", leaks);
    json_put(*ret_answer, "summary",
             summary(context, guests, (int64_t)json_array_size(list), leaks));
    json_put(*ret_answer, "next", next_commands(context));
    return leaks == 0 ||
           ERR_SET(err, ERR_INTERNAL, "do not use this installation, and report it",
                   "%" PRId64 " attempts to reach a neighbour were not refused", leaks);
}

static bool run_demo(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    (void)args;
    Guest guests[DEMO_TENANTS] = {0};
    const bool is_shown = show_around(context, guests, ret_answer, err);
    for (size_t i = 0; i < DEMO_TENANTS; i++) {
        pg_close(guests[i].conn);
    }
    return is_shown;
}

const Operation op_demo = {
    .name = "demo",
    .summary = "Make three tenants with synthetic data and show that they work and are apart.",
    .description = "One tenant of the trading blueprint in a schema of its own, two of the saas "
                   "blueprint that share tables. Each then logs in with its own connection string, "
                   "counts its rows and reaches for its neighbours; everything is rolled back. Can "
                   "be run again; a tenant of its own that was suspended is resumed.",
    .access = ACCESS_ADMIN,
    .kind = OP_COMMAND,
    .params = (const Param[]){{0}},
    .result =
        (const Field[]){
            {"tenants", FIELD_LIST,
             .fields = (const Field[]){{"slug", FIELD_TEXT, .help = "short name"},
                                       {"name", FIELD_TEXT, .help = "name"},
                                       {"blueprint", FIELD_TEXT, .help = "blueprint"},
                                       {"tier", FIELD_TEXT, .help = "row or schema"},
                                       {"schema", FIELD_TEXT, .help = "where its data is"},
                                       {"table", FIELD_TEXT, .help = "the table that was counted"},
                                       {"own_rows", FIELD_INT, .help = "rows that it sees there"},
                                       {0}},
             .help = "the demo's tenants"},
            {"sees", FIELD_LIST,
             .fields = (const Field[]){{"tenant", FIELD_TEXT, .help = "who asked"},
                                       {"question", FIELD_TEXT, .help = "for what"},
                                       {"row", FIELD_TEXT, .help = "a row of the answer"},
                                       {0}},
             .help = "what each saw of its own"},
            {"attempts", FIELD_LIST,
             .fields = (const Field[]){{"tenant", FIELD_TEXT, .help = "who tried"},
                                       {"neighbour", FIELD_TEXT, .help = "to reach whom"},
                                       {"attempt", FIELD_TEXT, .help = "how"},
                                       {"outcome", FIELD_TEXT, .help = "what came of it"},
                                       {"is_kept_out", FIELD_BOOL, .is_wide = true,
                                        .help = "whether isolation held"},
                                       {0}},
             .help = "what each tried on each"},
            {"tried", FIELD_INT, .is_wide = true, .help = "attempts made"},
            {"leaks", FIELD_INT, .is_wide = true,
             .help = "attempts that were not refused; 0 is right"},
            {"summary", FIELD_LINES, .help = "what was shown, in words"},
            {"next", FIELD_LINES, .help = "commands to go on with"},
            {0}},
    .examples = (const OpExample[]){{"demo", "after: up"}, {0}},
    .run = run_demo,
};
