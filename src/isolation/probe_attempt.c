#include <inttypes.h>
#include <string.h>

#include "core/strbuf.h"
#include "isolation/probe_parts.h"
#include "pg/sql.h"

const ProbeKind probe_kinds[] = {
#define ATTEMPT(probe, who, on, many, good, also, past, setup, args, sql)                          \
    {probe, who, on, many, good, also, past, setup, args, sql},
#include "isolation/probe_attempts.def"
#undef ATTEMPT
};
const size_t probe_kind_count = sizeof probe_kinds / sizeof *probe_kinds;

/* What runs before a statement, by the letters in its row. */
static const struct {
    char letter;
    const char *args;
    const char *sql;
} setups[] = {
    {'!', "!", NULL}, /* a row in the neighbour's name */
    {'=', "",
     "CREATE FUNCTION pg_temp.tenantry_probe(uuid, uuid) RETURNS boolean LANGUAGE sql"
     " AS 'SELECT true'"},
    {'=', "",
     "CREATE OPERATOR pg_temp.= (LEFTARG = uuid, RIGHTARG = uuid,"
     " FUNCTION = pg_temp.tenantry_probe)"},
    {'=', "", "SET LOCAL search_path = pg_temp, pg_catalog"},
    {'c', "@", NULL}, /* a canary: a row of our own, without any meaning */
    {'d', "n", "SET LOCAL {} TO DEFAULT"},
    {'f', "b", "SELECT set_config('app.current_tenant_id', {}, true)"},
    {'g', "G", "SET LOCAL ROLE {}"},
    {'k', "T", "SELECT set_config('tenantry_probe.tables', {}, true)"},
    {'k', "sn0", "SELECT {}.{}({})"},
    {'m', "", "SELECT set_config('app.current_tenant_id', 'x'' OR true --', true)"},
    {'o', "", "SET LOCAL row_security = off"},
    {'p', "", "DEALLOCATE ALL"},
    {'p', "sn", "PREPARE tenantry_probe AS SELECT FROM {}.{} LIMIT 1"},
    {'r', "", "RESET ROLE"},
    {'r', "", "RESET SESSION AUTHORIZATION"},
    {'r', "", "SET ROLE NONE"},
    {'t', "", "CREATE TEMP TABLE role_tenants (role_name name, tenant_id uuid)"},
    {'t', "", "INSERT INTO role_tenants VALUES (current_user, gen_random_uuid())"},
    {'t', "", "SET LOCAL search_path = pg_temp, pg_catalog"},
};
enum { SETUPS = sizeof setups / sizeof *setups, MOST_ARGS = 8 };

/* What a statement is made from. */
typedef struct Scene {
    Arena *arena;
    const ProbeSession *session;
    const ProbeTenant *neighbour;
    const ProbeTargets *targets;
    const ProbeTarget *target;
} Scene;

/* The neighbour's tables by number, as an array's text. */
static const char *table_numbers(const Scene *scene)
{
    StrBuf list = strbuf_init(scene->arena);
    strbuf_add(&list, "{");
    for (size_t i = scene->targets->first[ON_TABLE]; i < scene->targets->first[ON_TABLE + 1]; i++) {
        strbuf_printf(&list, "%s%" PRId64, list.length > 1 ? "," : "",
                      scene->targets->list[i].number);
    }
    strbuf_add(&list, "}");
    return list.text;
}

static SqlArg make_arg(const Scene *scene, char letter)
{
    Arena *arena = scene->arena;
    const ProbeSession *session = scene->session;
    const ProbeTenant *tenant = session->tenant;
    const ProbeTarget *target = scene->target;
    switch (letter) {
    case 'C':
        return sql_literal(target->column);
    case 'G':
        return sql_name(arena, session->is_readonly ? tenant->readonly_group : tenant->app_group);
    case 'N':
        return sql_literal(target->name);
    case 'R':
        return sql_literal(session->role);
    case 'S':
        return sql_literal(target->schema);
    case 'T':
        return sql_literal(table_numbers(scene));
    case 'a':
        return sql_literal(tenant->id);
    case 'b':
        return sql_literal(scene->neighbour->id);
    case 'c':
        return sql_name(arena, target->column);
    case 'n':
        return sql_name(arena, target->name);
    case 'o':
        return sql_int(target->number);
    case 'p':
        return sql_int(session->control_pid);
    case 'q':
        return sql_name(arena, tenant->schema);
    default: /* 's': a unit test knows the letters */
        return sql_name(arena, target->schema);
    }
}

/* INSERT of a row with all that it needs, in the name of a tenant. */
static const char *canary_sql(const Scene *scene, const char *tenant_id)
{
    Arena *arena = scene->arena;
    const ProbeTarget *target = scene->target;
    SqlArg *args = ARENA_ARRAY(arena, SqlArg, 3 + 2 * target->canary_count);
    StrBuf sql = strbuf_init(arena);
    size_t count = 0;
    strbuf_add(&sql, "INSERT INTO {}.{} (tenant_id");
    args[count++] = sql_name(arena, target->schema);
    args[count++] = sql_name(arena, target->name);
    for (size_t i = 0; i < target->canary_count; i++) {
        strbuf_add(&sql, ", {}");
        args[count++] = sql_name(arena, target->canary[i].name);
    }
    strbuf_add(&sql, ") VALUES ({}");
    args[count++] = sql_literal(tenant_id);
    for (size_t i = 0; i < target->canary_count; i++) {
        strbuf_add(&sql, ", {}");
        args[count++] = sql_literal(target->canary[i].value);
    }
    strbuf_add(&sql, ")");
    return sql_build(arena, sql.text, args, count);
}

/* "SELECT {}.{}({})" for a function of three arguments: "SELECT {}.{}(NULL, NULL, NULL)". */
static const char *call_template(const Scene *scene, const char *sql)
{
    StrBuf call = strbuf_init(scene->arena);
    strbuf_add_bytes(&call, sql, strlen(sql) - strlen("{})"));
    for (int64_t i = 0; i < scene->target->arguments; i++) {
        strbuf_add(&call, i > 0 ? ", NULL" : "NULL");
    }
    strbuf_add(&call, ")");
    return call.text;
}

static const char *make_sql(const Scene *scene, const char *args, const char *sql)
{
    SqlArg values[MOST_ARGS];
    size_t count = 0;
    if (*args == '!') {
        return canary_sql(scene, scene->neighbour->id);
    }
    if (*args == '@') {
        return canary_sql(scene, scene->session->tenant->id);
    }
    for (; args[count] != '\0' && args[count] != '0' && count < MOST_ARGS; count++) {
        values[count] = make_arg(scene, args[count]);
    }
    return sql_build(scene->arena, args[count] == '0' ? call_template(scene, sql) : sql, values,
                     count);
}

static const char *const *make_setup(const Scene *scene, const char *letters)
{
    const char **list = ARENA_ARRAY(scene->arena, const char *, SETUPS + 1);
    size_t count = 0;
    for (const char *c = letters; *c != '\0'; c++) {
        for (size_t i = 0; i < SETUPS; i++) {
            if (setups[i].letter == *c) {
                list[count++] = make_sql(scene, setups[i].args, setups[i].sql);
            }
        }
    }
    return list;
}

static bool is_for(const ProbeKind *kind, const ProbeSession *session)
{
    return kind->who == WHO_BOTH || (kind->who == WHO_READONLY) == session->is_readonly;
}

/* Some statements need more than the target has: a table whose columns are all generated. */
static bool can_make(const ProbeKind *kind, const ProbeTarget *target)
{
    return strchr(kind->args, 'c') == NULL || target->column != NULL;
}

static void add_attempt(const Scene *scene, const ProbeKind *kind, ProbeAttempts *attempts)
{
    attempts->list[attempts->count++] = (ProbeAttempt){
        .kind = kind,
        .target = kind->on == ON_NOTHING ? NULL : scene->target,
        .neighbour = scene->neighbour,
        .setup = make_setup(scene, kind->setup),
        .sql = make_sql(scene, kind->args, kind->sql)};
}

/* How many targets a row of the table is tried on. */
static size_t count_targets(const ProbeKind *kind, const ProbeTargets *targets)
{
    const size_t most = kind->many == FEW ? PROBE_FEW_TARGETS : PROBE_MOST_TARGETS;
    const size_t there = targets->first[kind->on + 1] - targets->first[kind->on];
    return there < most ? there : most;
}

void probe_make_attempts(Arena *arena, const ProbeSession *session, const ProbeTenant *neighbour,
                         const ProbeTargets *targets, ProbeAttempts *ret_attempts)
{
    size_t most = 0;
    for (size_t k = 0; k < probe_kind_count; k++) {
        most += 1 + count_targets(&probe_kinds[k], targets);
    }
    *ret_attempts = (ProbeAttempts){.list = ARENA_ARRAY(arena, ProbeAttempt, most)};
    Scene scene = {
        .arena = arena, .session = session, .neighbour = neighbour, .targets = targets};
    for (size_t k = 0; k < probe_kind_count; k++) {
        const ProbeKind *kind = &probe_kinds[k];
        if (!is_for(kind, session)) {
            continue;
        }
        if (kind->on == ON_NOTHING && neighbour == NULL) {
            add_attempt(&scene, kind, ret_attempts);
        }
        for (size_t i = 0; kind->on != ON_NOTHING && i < count_targets(kind, targets); i++) {
            scene.target = &targets->list[targets->first[kind->on] + i];
            if (can_make(kind, scene.target)) {
                add_attempt(&scene, kind, ret_attempts);
            }
        }
    }
}

/* Whether a list of SQLSTATEs has this one. */
static bool has_state(const char *list, const char *state)
{
    const char *found = strstr(list, state);
    return *state != '\0' && found != NULL;
}

ProbeVerdict probe_judge(const ProbeAttempt *attempt)
{
    /* Keys and constraints are looked at after rights and policies. */
    static const char past_rights[] = "23502 23503 23505 23P01";
    const ProbeKind *kind = attempt->kind;
    const char *state = attempt->sqlstate;
    if (attempt->phase == 'd') {
        return kind->good == NO_ROWS && attempt->rows == 0 ? PROBE_HELD : PROBE_BROKEN;
    }
    if (has_state("42501", state) || has_state(kind->also, state)) {
        return PROBE_HELD;
    }
    return attempt->phase == 's' && (has_state(past_rights, state) || has_state(kind->past, state))
               ? PROBE_BROKEN
               : PROBE_UNKNOWN;
}

static const char *kind_word(ProbeOn on)
{
    static const char *const words[ON_COUNT_] = {
        [ON_NOTHING] = "login",
        [ON_CONNECTION_LIMIT] = "login",
        [ON_CONTROL_FUNCTION] = "function",
        [ON_CONTROL_TABLE] = "table",
        [ON_FUNCTION] = "function",
        [ON_LARGE_OBJECT] = "large object",
        [ON_OWN_DEFINER] = "function",
        [ON_PARTITION] = "table",
        [ON_PLAN_SETTING] = "setting",
        [ON_POWER_ROLE] = "role",
        [ON_ROLE] = "role",
        [ON_SEQUENCE] = "sequence",
        [ON_SHARED_PARTITION] = "table",
        [ON_SHARED_TABLE] = "table",
        [ON_SHARED_VIEW] = "view",
        [ON_TABLE] = "table",
        [ON_TYPE] = "type",
        [ON_VIEW] = "view",
    };
    return words[on];
}

const char *probe_object(Arena *arena, const ProbeSession *session, const ProbeAttempt *attempt)
{
    const ProbeTarget *target = attempt->target;
    const char *word = kind_word(attempt->kind->on);
    if (target == NULL || target->on == ON_CONNECTION_LIMIT) {
        return arena_printf(arena, "%s %s", word, session->role);
    }
    if (target->on == ON_PLAN_SETTING) {
        return arena_printf(arena, "%s %s of login %s", word, target->name, session->role);
    }
    return *target->schema == '\0'
               ? arena_printf(arena, "%s %s", word, target->name)
               : arena_printf(arena, "%s %s.%s", word, target->schema, target->name);
}

const char *probe_describe(Arena *arena, const ProbeSession *session, const ProbeAttempt *attempt)
{
    /* A planted row has values, though nobody's: they are left out. */
    const char *what = *attempt->kind->args == '!' ? "INSERT of a row with the other's tenant_id"
                                                   : attempt->sql;
    if (attempt->phase != 'd') {
        return arena_printf(arena, "as role %s, %s ended with SQLSTATE %s", session->role, what,
                            attempt->sqlstate);
    }
    if (attempt->kind->good == NO_ROWS) {
        return arena_printf(arena, "as role %s, %s found rows, none was expected", session->role,
                            what);
    }
    return arena_printf(arena, "as role %s, %s was not refused", session->role, what);
}

const char *probe_mend(Arena *arena, const ProbeSession *session, const ProbeAttempt *attempt)
{
    const SqlArg role = sql_name(arena, session->role);
    const ProbeTarget *target = attempt->target;
    if (strcmp(attempt->kind->probe, "probe_attributes") == 0) {
        return SQL(arena,
                   "ALTER ROLE {} NOSUPERUSER NOBYPASSRLS NOREPLICATION NOCREATEROLE NOCREATEDB",
                   role);
    }
    if (attempt->kind->on == ON_CONNECTION_LIMIT) {
        return SQL(arena, "ALTER ROLE {} CONNECTION LIMIT {}", role, sql_int(target->number));
    }
    if (attempt->kind->on == ON_PLAN_SETTING) {
        return SQL(arena, "ALTER ROLE {} SET {} = {}", role, sql_name(arena, target->name),
                   sql_literal(target->column));
    }
    return NULL;
}
