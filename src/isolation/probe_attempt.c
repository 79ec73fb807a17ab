#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/strbuf.h"
#include "isolation/probe_parts.h"
#include "pg/sql.h"

const ProbeKind probe_kinds[] = {
#define ATTEMPT(probe, who, on, many, good, also, past, setup, args, sql)                          \
    {probe, who, on, many, good, also, past, setup, args, sql},
#include "isolation/probe_attempts.def"
#undef ATTEMPT
};
const size_t probe_kind_count = ARRAY_COUNT(probe_kinds);

/* What runs before a statement, by the letters in its row. */
static const struct {
    char letter;
    const char *args;
    const char *sql;
} setups[] = {
    {'=', "",
     "CREATE FUNCTION pg_temp.tenantry_probe(uuid, uuid) RETURNS boolean LANGUAGE sql"
     " AS 'SELECT true'"},
    {'=', "",
     "CREATE OPERATOR pg_temp.= (LEFTARG = uuid, RIGHTARG = uuid,"
     " FUNCTION = pg_temp.tenantry_probe)"},
    {'=', "", "SET LOCAL search_path = pg_temp, pg_catalog"},
    {'c', "", "SET LOCAL search_path TO DEFAULT"}, /* triggers look for what they name there */
    {'c', "@", NULL}, /* a canary: a row of our own, without any meaning */
    {'c', "", "SET LOCAL search_path = pg_catalog, pg_temp"}, /* no objects of the tenant's own */
    {'d', "n", "SET LOCAL {} TO DEFAULT"},
    /* What its sessions begin with: ours has other values of some, so that nothing ends it. */
    {'d', "N",
     "SELECT set_config(x.name, x.value, true)"
     " FROM (SELECT c.name, substr(c.text, length(c.name) + 2) AS value FROM pg_db_role_setting s"
     " CROSS JOIN LATERAL (SELECT split_part(t, '=', 1), t FROM unnest(s.setconfig) t) c (name, "
     "text)"
     " WHERE s.setrole IN (0, (SELECT r.oid FROM pg_roles r WHERE r.rolname = session_user))"
     " AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d"
     " WHERE d.datname = current_database())) AND c.name = {}"
     " ORDER BY s.setrole = 0, s.setdatabase = 0 LIMIT 1) x"},
    {'f', "b", "SELECT set_config('app.current_tenant_id', {}, true)"},
    {'g', "G", "SET LOCAL ROLE {}"},
    {'l', "", "SET LOCAL transaction_read_only = on"},
    {'m', "", "SELECT set_config('app.current_tenant_id', 'x'' OR true --', true)"},
    {'o', "", "SET LOCAL row_security = off"},
    {'p', "", "DEALLOCATE ALL"},
    {'p', "sn", "PREPARE tenantry_probe AS SELECT FROM {}.{} LIMIT 1"},
    {'r', "", "RESET ROLE"},
    {'r', "", "RESET SESSION AUTHORIZATION"},
    {'r', "", "SET ROLE NONE"},
    {'s', "s", "SET LOCAL search_path TO {}"},
    {'t', "", "CREATE TEMP TABLE role_tenants (role_name name, tenant_id uuid)"},
    {'t', "B", "INSERT INTO role_tenants VALUES (current_user, {})"},
    {'t', "", "SET LOCAL search_path = pg_temp, pg_catalog"},
    {'w', "", "SET LOCAL search_path TO DEFAULT"},
};
enum { SETUPS = ARRAY_COUNT(setups), MOST_ARGS = 8 };

/* What the driver does besides, by letters among those of the setup: 'k' calls a function of the
 * tenant's own before the statement; the others ask whether rights allow the statement to lock the
 * relation against everybody. */
static const struct {
    char letter;
    bool is_call;
    const char *args;
    const char *sql;
} extras[] = {
    {'k', true, "sn0", "SELECT {}.{}({})"},
    {'i', false, "o", "SELECT has_table_privilege({}::oid, 'SELECT')"},
    {'j', false, "o", "SELECT has_table_privilege({}::oid, 'INSERT, UPDATE, DELETE, TRUNCATE')"},
    {'v', false, "",
     "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class"
     " WHERE oid = 'tenancy.role_tenants'::regclass"},
    {'u', false, "", "SELECT has_table_privilege('tenancy.role_tenants', 'TRUNCATE')"},
    {'x', false, "o", "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = {}"},
    {'y', false, "o", "SELECT has_table_privilege({}::oid, 'TRUNCATE')"},
    {'z', false, "", "SELECT true"}, /* locked before rights are looked at */
};
enum { EXTRAS = ARRAY_COUNT(extras) };

/* A tenant that there is not. */
static const char nobody[] = "00000000-0000-0000-0000-000000000000";

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

/* Empty where no neighbour is meant. */
static const char *neighbour_id(const Scene *scene)
{
    return scene->neighbour == NULL ? "" : scene->neighbour->id;
}

static SqlArg make_arg(const Scene *scene, char letter)
{
    Arena *arena = scene->arena;
    const ProbeSession *session = scene->session;
    const ProbeTenant *tenant = session->tenant;
    const ProbeTarget *target = scene->target;
    switch (letter) {
    case 'B':
        return sql_literal(scene->neighbour != NULL ? neighbour_id(scene) : nobody);
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
        return sql_literal(neighbour_id(scene));
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

/* INSERT of a row in the name of a tenant, with all that it needs or with times alone. */
static const char *canary_sql(const Scene *scene, const char *tenant_id, bool is_whole)
{
    Arena *arena = scene->arena;
    const ProbeTarget *target = scene->target;
    SqlArg *args = ARENA_ARRAY(arena, SqlArg, 3 + 2 * target->canary_count);
    StrBuf columns = strbuf_init(arena);
    StrBuf values = strbuf_init(arena);
    size_t used = 0;
    for (size_t i = 0; i < target->canary_count; i++) {
        used += is_whole || target->canary[i].is_time;
    }
    args[0] = sql_name(arena, target->schema);
    args[1] = sql_name(arena, target->name);
    args[2 + used] = sql_literal(tenant_id);
    for (size_t i = 0, next = 0; i < target->canary_count; i++) {
        if (is_whole || target->canary[i].is_time) {
            strbuf_add(&columns, ", {}");
            strbuf_add(&values, ", {}");
            args[2 + next] = sql_name(arena, target->canary[i].name);
            args[3 + used + next++] = sql_literal(target->canary[i].value);
        }
    }
    const char *sql = arena_printf(
        arena, "INSERT INTO {}.{} (tenant_id%s) OVERRIDING SYSTEM VALUE VALUES ({}%s)",
        columns.text, values.text);
    return sql_build(arena, sql, args, 3 + 2 * used);
}

/* "SELECT {}.{}({})" for a function of three arguments: "SELECT {}.{}(NULL, NULL, NULL)"; of one
 * that does not run with NULL: "SELECT {}.{}({}, {}, {})", and its arguments go behind the others.
 */
static const char *make_call(const Scene *scene, const char *sql, const SqlArg *names, size_t count)
{
    const ProbeTarget *target = scene->target;
    SqlArg *args = ARENA_ARRAY(scene->arena, SqlArg, count + target->canary_count);
    StrBuf call = strbuf_init(scene->arena);
    memcpy(args, names, count * sizeof *args);
    strbuf_add_bytes(&call, sql, strlen(sql) - strlen("{})"));
    for (size_t i = 0; i < (size_t)target->arguments; i++) {
        strbuf_printf(&call, "%s%s", i > 0 ? ", " : "", target->canary_count > 0 ? "{}" : "NULL");
    }
    strbuf_add(&call, ")");
    for (size_t i = 0; i < target->canary_count; i++) {
        args[count + i] = sql_literal(target->canary[i].value);
    }
    return sql_build(scene->arena, call.text, args, count + target->canary_count);
}

static const char *make_sql(const Scene *scene, const char *args, const char *sql)
{
    SqlArg values[MOST_ARGS];
    size_t count = 0;
    if (*args == '!' || *args == '+') {
        return canary_sql(scene, neighbour_id(scene), *args == '+');
    }
    if (*args == '@') {
        return canary_sql(scene, scene->session->tenant->id, true);
    }
    for (; args[count] != '\0' && args[count] != '0' && count < MOST_ARGS; count++) {
        values[count] = make_arg(scene, args[count]);
    }
    return args[count] == '0' ? make_call(scene, sql, values, count)
                              : sql_build(scene->arena, sql, values, count);
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

/* Kinds that are reached by name, and so not at all where the schema is shut. */
static bool is_by_name(ProbeOn on)
{
    static const bool by_name[ON_COUNT_] = {[ON_CONTROL_FUNCTION] = true,
                                            [ON_CONTROL_TABLE] = true,
                                            [ON_FUNCTION] = true,
                                            [ON_PARTITION] = true,
                                            [ON_TABLE] = true,
                                            [ON_TYPE] = true,
                                            [ON_VIEW] = true};
    return by_name[on];
}

/* Whether the statement names its relation, and so opens it with a lock. Where the schema is shut,
 * names are refused before anything is opened. */
static bool is_opened(const Scene *scene, const ProbeKind *kind)
{
    static const bool has_relation[ON_COUNT_] = {
        [ON_CONTROL_TABLE] = true, [ON_PARTITION] = true,
        [ON_SEQUENCE] = true,      [ON_SHARED_PARTITION] = true,
        [ON_SHARED_TABLE] = true,  [ON_SHARED_VIEW] = true,
        [ON_TABLE] = true,         [ON_VIEW] = true};
    return has_relation[kind->on] && strpbrk(kind->args, "n!+@") != NULL &&
           !(scene->targets->is_shut && is_by_name(kind->on));
}

static void add_attempt(const Scene *scene, const ProbeKind *kind, ProbeAttempts *attempts)
{
    ProbeAttempt *attempt = &attempts->list[attempts->count++];
    *attempt = (ProbeAttempt){.kind = kind,
                              .target = kind->on == ON_NOTHING ? NULL : scene->target,
                              .neighbour = scene->neighbour,
                              .setup = make_setup(scene, kind->setup),
                              .sql = make_sql(scene, kind->args, kind->sql)};
    attempt->relation = is_opened(scene, kind) ? scene->target->number : 0;
    for (size_t i = 0; i < EXTRAS; i++) {
        if (strchr(kind->setup, extras[i].letter) == NULL) {
            continue;
        }
        const char *sql = make_sql(scene, extras[i].args, extras[i].sql);
        *(extras[i].is_call ? &attempt->call : &attempt->may) = sql;
    }
}

/* How many targets a row of the table is tried on. */
static size_t count_targets(const ProbeSession *session, const ProbeKind *kind,
                            const ProbeTargets *targets)
{
    const size_t there = targets->first[kind->on + 1] - targets->first[kind->on];
    const bool is_one = kind->many == ONE || (targets->is_shut && is_by_name(kind->on));
    const size_t most = session->is_thorough ? there : is_one ? 1 : PROBE_MOST_TARGETS;
    return there < most ? there : most;
}

static bool needs_canary(const ProbeKind *kind)
{
    return *kind->setup == 'c';
}

static void add_kind(Scene *scene, const ProbeKind *kind, ProbeAttempts *attempts)
{
    const ProbeTargets *targets = scene->targets;
    if (kind->on == ON_NOTHING && scene->neighbour == NULL) {
        add_attempt(scene, kind, attempts);
    }
    if (needs_canary(kind) && targets->canary != NULL && !scene->session->is_thorough) {
        scene->target = targets->canary;
        add_attempt(scene, kind, attempts);
    }
    if (kind->on == ON_NOTHING || (needs_canary(kind) && !scene->session->is_thorough)) {
        return;
    }
    for (size_t i = 0; i < count_targets(scene->session, kind, targets); i++) {
        scene->target = &targets->list[targets->first[kind->on] + i];
        if (can_make(kind, scene->target)) {
            add_attempt(scene, kind, attempts);
        }
    }
}

void probe_make_attempts(Arena *arena, const ProbeSession *session, const ProbeTenant *neighbour,
                         const ProbeTargets *targets, ProbeAttempts *ret_attempts)
{
    size_t most = 0;
    for (size_t k = 0; k < probe_kind_count; k++) {
        most += 1 + count_targets(session, &probe_kinds[k], targets);
    }
    *ret_attempts = (ProbeAttempts){.list = ARENA_ARRAY(arena, ProbeAttempt, most)};
    Scene scene = {.arena = arena, .session = session, .neighbour = neighbour, .targets = targets};
    for (size_t k = 0; k < probe_kind_count; k++) {
        if (is_for(&probe_kinds[k], session)) {
            add_kind(&scene, &probe_kinds[k], ret_attempts);
        }
    }
}

/* Few columns first: they are likelier to take what we make up. */
static int compare_canaries(const void *a, const void *b)
{
    const ProbeTarget *left = a;
    const ProbeTarget *right = b;
    return left->canary_count != right->canary_count
               ? (left->canary_count < right->canary_count ? -1 : 1)
               : strcmp(left->name, right->name);
}

bool probe_find_canary(Arena *arena, const ProbeSession *session, ProbeTargets *targets, Err *err)
{
    static const ProbeKind kind = {.probe = "",
                                   .on = ON_SHARED_TABLE,
                                   .also = "",
                                   .past = "",
                                   .setup = "w",
                                   .args = "@",
                                   .sql = ""};
    const size_t first = targets->first[ON_SHARED_TABLE];
    const size_t there = targets->first[ON_SHARED_TABLE + 1] - first;
    const size_t tries = there < PROBE_CANARY_TRIES ? there : PROBE_CANARY_TRIES;
    ProbeTarget *tables = ARENA_ARRAY(arena, ProbeTarget, there);
    ProbeAttempts attempts = {.list = ARENA_ARRAY(arena, ProbeAttempt, tries)};
    if (there > 0) {
        memcpy(tables, &targets->list[first], there * sizeof *tables);
        qsort(tables, there, sizeof *tables, compare_canaries);
    }
    Scene scene = {.arena = arena, .session = session, .targets = targets};
    for (size_t i = 0; i < tries; i++) {
        scene.target = &tables[i];
        add_attempt(&scene, &kind, &attempts);
    }
    if (!probe_run_attempts(arena, session, &attempts, 0, err)) {
        return false;
    }
    targets->takers = ARENA_ARRAY(arena, const ProbeTarget *, tries);
    targets->taker_count = 0;
    for (size_t i = 0; i < attempts.count; i++) {
        if (attempts.list[i].phase == 'd') {
            targets->takers[targets->taker_count++] = attempts.list[i].target;
        }
    }
    targets->canary = targets->taker_count > 0 ? targets->takers[0] : NULL;
    return true;
}

void probe_make_key_attempts(Arena *arena, const ProbeSession *session,
                             const ProbeTenant *neighbour, const ProbeTargets *targets,
                             const char ***ret_holds, ProbeAttempts *ret_attempts)
{
    static const ProbeKind kind = {.probe = "probe_shared_key",
                                   .on = ON_SHARED_TABLE,
                                   .good = PASSES,
                                   .also = "",
                                   .past = "55P03",
                                   .setup = "w",
                                   .args = "@",
                                   .sql = ""};
    const char **holds = ARENA_ARRAY(arena, const char *, targets->taker_count);
    ProbeAttempts attempts = {.list = ARENA_ARRAY(arena, ProbeAttempt, targets->taker_count)};
    Scene scene = {.arena = arena, .session = session, .neighbour = neighbour, .targets = targets};
    for (size_t i = 0; i < targets->taker_count; i++) {
        scene.target = targets->takers[i];
        holds[i] = canary_sql(&scene, neighbour->id, true);
        add_attempt(&scene, &kind, &attempts);
    }
    *ret_holds = holds;
    *ret_attempts = attempts;
}

/* Whether a list of SQLSTATEs has this one. */
static bool has_state(const char *list, const char *state)
{
    return *state != '\0' && strstr(list, state) != NULL;
}

/* Whether the statement came to where rights have been looked at. "*": it runs code, which may end
 * with any error but those of names, locks, cancelling and resources. */
static bool is_past_rights(const ProbeKind *kind, const char *state)
{
    static const char keys[] = "23502 23503 23505 23P01";
    static const char before[] = "08 0A 3F 40 42 53 54 55 57 58 XX";
    char class[3] = "";
    memcpy(class, state, strnlen(state, 2));
    return has_state(keys, state) || has_state(kind->past, state) ||
           (*kind->past == '*' && *class != '\0' && strstr(before, class) == NULL);
}

ProbeVerdict probe_judge(const ProbeAttempt *attempt)
{
    const ProbeKind *kind = attempt->kind;
    const char *state = attempt->sqlstate;
    /* A lock that others have says nothing about rights, unless waiting is what is tried. */
    if (strcmp(state, "55P03") == 0 && kind->good != PASSES) {
        return attempt->phase == 'r' && has_state(kind->past, state) ? PROBE_BROKEN : PROBE_UNKNOWN;
    }
    if (attempt->phase == 'd') {
        return kind->good == PASSES || (kind->good == NO_ROWS && attempt->rows == 0) ? PROBE_HELD
                                                                                     : PROBE_BROKEN;
    }
    if (has_state("42501", state) || has_state(kind->also, state)) {
        return PROBE_HELD;
    }
    return attempt->phase == 's' && is_past_rights(kind, state) ? PROBE_BROKEN : PROBE_UNKNOWN;
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
        [ON_SHARED_SEQUENCE] = "sequence",
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
    const ProbeKind *kind = attempt->kind;
    /* A planted row and a call have values, though nobody's: they are left out. */
    const char *what = kind->good == PASSES   ? "INSERT of a row like one that the other was making"
                       : kind->sql[0] == '\0' ? "INSERT of a row with the other's tenant_id"
                       : strchr(kind->args, '0') != NULL ? "a call with arguments of no meaning"
                                                         : attempt->sql;
    if (attempt->phase == 'r') {
        return arena_printf(arena, "as role %s, rights allow %s; others had a lock there",
                            session->role, what);
    }
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
