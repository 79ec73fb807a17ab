#include <string.h>

#include "core/array.h"

#include "isolation/probe_parts.h"

static void add_unchecked(ProbeNotes *notes, const char *check_id, const char *reason,
                          const char *untried)
{
    for (size_t i = 0; i < notes->count; i++) {
        if (strcmp(notes->list[i].check_id, check_id) == 0 &&
            strcmp(notes->list[i].reason, reason) == 0) {
            return;
        }
    }
    if (notes->count == notes->capacity) {
        notes->capacity = notes->capacity * 2 + 16;
        Unchecked *grown = ARENA_ARRAY(notes->arena, Unchecked, notes->capacity);
        if (notes->count > 0) {
            memcpy(grown, notes->list, notes->count * sizeof *grown);
        }
        notes->list = grown;
    }
    notes->list[notes->count++] = (Unchecked){.check_id = arena_strdup(notes->arena, check_id),
                                              .reason = arena_strdup(notes->arena, reason),
                                              .untried = arena_strdup(notes->arena, untried)};
}

void probe_add_note(ProbeNotes *notes, const char *check_id, const char *reason)
{
    add_unchecked(notes, check_id, reason, NULL);
}

void probe_add_untried(ProbeNotes *notes, const char *untried, const char *reason)
{
    add_unchecked(notes, "probes", reason, untried);
}

/* --- logins ----------------------------------------------------------------------------------- */

static void add_login(Store *store, const TenantLogin *found, ProbeTurn *turn)
{
    size_t checks = 0;
    ProbeLogin *login = &turn->logins[turn->login_count++];
    Arena *arena = arena_new();
    (void)isolation_checks(&checks);
    *login = (ProbeLogin){
        .arena = arena,
        .turn = turn,
        .role = arena_strdup(arena, found->role),
        .is_readonly = strcmp(found->kind, "readonly") == 0,
        .control = {.arena = arena},
        .secrets = arena_new(),
        .result = {.list = {.arena = arena}, .attempts = ARENA_ARRAY(arena, int64_t, checks)},
        .notes = {.arena = arena}};
    login->conninfo = pg_uri_here(login->secrets, store->conn, found->role, found->password->text);
}

/* With the password that it has by now; *ret_is_other: it was another one before. */
static bool renew_login(Store *store, const ProbeTurn *turn, ProbeLogin *login, bool *ret_is_other,
                        Err *err)
{
    const Tenant tenant = {.id = turn->tenant->id, .slug = turn->tenant->slug};
    TenantLogin logins[TENANT_LOGINS];
    size_t count = 0;
    *ret_is_other = false;
    if (!tenant_logins(turn->arena, store, &tenant, true, logins, &count, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(logins[i].role, login->role) == 0) {
            const char *before = login->conninfo;
            login->conninfo = pg_uri_here(login->secrets, store->conn, logins[i].role,
                                          logins[i].password->text);
            *ret_is_other = strcmp(before, login->conninfo) != 0;
        }
        logins[i].password = password_free(logins[i].password);
    }
    return true;
}

bool probe_look_again(Store *store, const ProbeTurn *turn, ProbeLogin *login, bool *ret_is_meant,
                      Err *err)
{
    Err why;
    Tenant *now = NULL;
    bool is_other = false;
    PgConn *conn = NULL;
    if (!tenants_get(turn->arena, store, turn->tenant->id, &now, err)) {
        return false;
    }
    *ret_is_meant = strcmp(now->state, "active") != 0;
    if (*ret_is_meant) {
        probe_add_note(&login->notes, "probes",
                       arena_printf(login->arena, "tenant \"%s\" is %s by now: its logins are shut",
                                    now->slug, now->state));
        return true;
    }
    if (login->conninfo == NULL || !turn->is_found) {
        return true; /* it had connected, or has nothing to try */
    }
    if (!renew_login(store, turn, login, &is_other, &why)) {
        return pg_is_alive(store->conn) || ERR_SET(err, why.code, NULL, "%s", why.message);
    }
    if (is_other) {
        login->is_good = probe_open_login(login, &conn, &login->err) &&
                         probe_try_login(login, conn, &login->err);
        pg_close(conn);
    }
    return true;
}

/* Settings that a tenant may give its own role and that would end its session before everything was
 * tried, or keep it from beginning. What the plan says about them is compared with the catalogue.
 */
#define LASTING                                                                                    \
    "-c exit_on_error=off -c idle_session_timeout=0 -c local_preload_libraries="                   \
    " -c statement_timeout=0"
static const char lasting[] = LASTING;
static const char lasting_since_17[] = LASTING " -c transaction_timeout=0";
enum { SINCE_17 = 170000 };

/* A tenant whose passwords cannot be opened is noted. */
bool probe_begin_turn(Store *store, ProbeTurn *turn, Err *err)
{
    const Tenant tenant = {.id = turn->tenant->id, .slug = turn->tenant->slug};
    TenantLogin logins[TENANT_LOGINS];
    size_t count = 0;
    turn->target = store->options.target;
    turn->target.keeps_role_settings = true;
    turn->target.retries = 0;
    turn->target.options = pg_conn_version(store->conn) < SINCE_17 ? lasting : lasting_since_17;
    if (strcmp(turn->tenant->state, "active") != 0) {
        probe_add_note(&turn->notes, "probes",
                       arena_printf(turn->arena, "tenant \"%s\" is %s: its logins are shut",
                                    turn->tenant->slug, turn->tenant->state));
        return true;
    }
    if (!tenant_logins(turn->arena, store, &tenant, true, logins, &count, err)) {
        probe_add_untried(
            &turn->notes, arena_printf(turn->arena, "logins of tenant %s", turn->tenant->slug),
            arena_printf(turn->arena, "tenant \"%s\": %s", turn->tenant->slug, err->message));
        return pg_is_alive(store->conn);
    }
    for (size_t i = 0; i < count; i++) {
        add_login(store, &logins[i], turn);
        logins[i].password = password_free(logins[i].password);
    }
    return true;
}

/* --- what they try ---------------------------------------------------------------------------- */

/* One pair a turn: of the tenant's own blueprint and of another by turns, where there are both. */
static void choose_one(ProbeTurn *turn)
{
    ProbeTenants *neighbours = &turn->neighbours;
    if (neighbours->count > 1 && turn->number % 2 == 1) {
        neighbours->list++;
    }
    neighbours->count = neighbours->count > 0;
}

static bool list_neighbours(Store *store, ProbeTurn *turn, Err *err)
{
    const ProbeOptions *options = turn->options;
    const bool is_one = options->tenant_id != NULL;
    const int64_t most = options->is_all_pairs          ? 0
                         : is_one && options->pairs > 0 ? options->pairs
                                                        : 1;
    if (!probe_list_neighbours(turn->arena, store, turn->tenant, options->seed, most,
                               &turn->neighbours, err)) {
        return false;
    }
    if (!is_one && options->pairs > 0 && !options->is_all_pairs) {
        choose_one(turn);
    }
    return true;
}

/* The login of a neighbour in the same place, to hold rows with. */
static bool find_holder(Store *store, ProbeTurn *turn, const ProbeTenant *neighbour,
                        const char **ret_holder, Err *err)
{
    const Tenant tenant = {.id = neighbour->id, .slug = neighbour->slug};
    TenantLogin logins[TENANT_LOGINS];
    size_t count = 0;
    *ret_holder = NULL;
    if (strcmp(neighbour->schema, turn->tenant->schema) != 0 ||
        strcmp(neighbour->state, "active") != 0) {
        return true;
    }
    if (!tenant_logins(turn->arena, store, &tenant, true, logins, &count, err)) {
        probe_add_note(
            &turn->notes, "probe_shared_key",
            arena_printf(turn->arena, "neighbour \"%s\": %s", neighbour->slug, err->message));
        return pg_is_alive(store->conn);
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(logins[i].role, neighbour->app) == 0) {
            *ret_holder = pg_uri_here(turn->secrets, store->conn, logins[i].role,
                                      logins[i].password->text);
        }
        logins[i].password = password_free(logins[i].password);
    }
    return true;
}

static bool find_holders(Store *store, ProbeTurn *turn, Err *err)
{
    bool is_good = true;
    turn->secrets = arena_new();
    turn->holders = ARENA_ARRAY(turn->arena, const char *, turn->neighbours.count);
    for (size_t i = 0; is_good && i < turn->neighbours.count; i++) {
        is_good = find_holder(store, turn, &turn->neighbours.list[i], &turn->holders[i], err);
    }
    return is_good;
}

/* What there is for every tenant, and what its plan says. */
static bool find_control(Store *store, const ProbeTargets *control, ProbeTurn *turn, Err *err)
{
    ProbeTargets plan[2] = {{.arena = turn->arena}, {.arena = turn->arena}};
    if (!probe_find_plan_targets(turn->arena, store, turn->tenant, &plan[0], &plan[1], err)) {
        return false;
    }
    for (size_t i = 0; i < turn->login_count; i++) {
        ProbeLogin *login = &turn->logins[i];
        const ProbeTargets *const parts[] = {control, &plan[login->is_readonly]};
        ProbeTargets targets = {.arena = turn->arena};
        for (size_t p = 0; p < ARRAY_COUNT(parts); p++) {
            for (size_t t = 0; t < parts[p]->count; t++) {
                probe_add_target(&targets, &parts[p]->list[t]);
            }
        }
        probe_sort_targets(&targets);
        login->control = targets;
    }
    return true;
}

bool probe_find_for_turn(Store *store, const ProbeTargets *control, ProbeTurn *turn, Err *err)
{
    if (turn->login_count == 0) {
        return true;
    }
    if (!list_neighbours(store, turn, err)) {
        return false;
    }
    if (turn->neighbours.count == 0) {
        probe_add_note(
            &turn->notes, "probes",
            arena_printf(turn->arena, "tenant \"%s\" has no neighbour", turn->tenant->slug));
    }
    turn->targets = ARENA_ARRAY(turn->arena, ProbeTargets, turn->neighbours.count);
    return (turn->neighbours.count == 0 ||
            probe_find_targets(turn->arena, store, turn->tenant, &turn->neighbours,
                               turn->options->seed, turn->targets, err)) &&
           find_holders(store, turn, err) && find_control(store, control, turn, err);
}

ProbeTurn *probe_free_turn(ProbeTurn *turn)
{
    for (size_t i = 0; i < turn->login_count; i++) {
        arena_free(turn->logins[i].secrets);
        arena_free(turn->logins[i].arena);
    }
    arena_free(turn->secrets);
    arena_free(turn->arena);
    return NULL;
}
