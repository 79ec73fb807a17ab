/* What the files of the probes share. Nobody outside src/isolation includes it.
 *
 * probe.c drives; probe_plan.c says who tries to reach whom; probe_turn.c and probe_targets.c find
 * what a tenant needs for that; probe_crew.c has threads, in which probe_login.c logs in and tries;
 * probe_attempt.c makes statements of the table in probe_attempts.def; probe_session.c runs them;
 * probe_key.c has the one probe that takes two sessions.
 *
 * The store belongs to the thread that called isolation_verify; a login belongs to the thread that
 * took it from the crew, from then until it is done. */
#ifndef TENANTRY_ISOLATION_PROBE_PARTS_H
#define TENANTRY_ISOLATION_PROBE_PARTS_H

#include "isolation/isolation.h"
#include "tenant/tenant.h"

enum {
    PROBE_SESSIONS = 3,        /* threads with a session each, of all tenants together */
    PROBE_MOST_TURNS = 3,      /* tenants whose turn has begun */
    PROBE_LOCK_TIMEOUT_MS = 5, /* what waits behind us waits no longer either */
    PROBE_STATEMENT_TIMEOUT_MS = 2000,
    PROBE_ATTEMPTS_PER_TRANSACTION = 200,
    PROBE_CANARY_TRIES = 12, /* tables */
    PROBE_MOST_TARGETS = 10, /* of a kind, for attempts on every one, unless all pairs are tried */
};

/* A file of this module's SQL, by its name; it is in the binary. */
const char *probe_sql(const char *name);

/* A tenant as the registry has it, prober or neighbour. */
typedef struct ProbeTenant {
    const char *id;
    const char *slug;
    const char *blueprint;
    const char *plan;
    const char *tier;
    const char *state;
    const char *schema;
    const char *owner;
    const char *app_group; /* role of the place: row tier: the group of its logins */
    const char *readonly_group;
    const char *app; /* its logins */
    const char *readonly;
} ProbeTenant;

typedef struct ProbeTenants {
    const ProbeTenant *list;
    size_t count;
} ProbeTenants;

/* Who probes, in an order that the seed decides. */
bool probe_list_tenants(Arena *arena, Store *store, const ProbeOptions *options,
                        ProbeTenants *ret_tenants, Err *err);

/* Whom this tenant tries to reach: first those of its own blueprint, then of others. most: of each
 * of the two; 0: all. */
bool probe_list_neighbours(Arena *arena, Store *store, const ProbeTenant *tenant, int64_t seed,
                           int64_t most, ProbeTenants *ret_neighbours, Err *err);

/* Kinds of targets; the word is what probe_targets.sql calls it and what findings call it. */
typedef enum ProbeOn {
    ON_NOTHING,
    ON_CONNECTION_LIMIT,
    ON_CONTROL_FUNCTION,
    ON_CONTROL_TABLE,
    ON_FUNCTION,
    ON_LARGE_OBJECT,
    ON_OWN_DEFINER,
    ON_PARTITION,
    ON_PLAN_SETTING,
    ON_POWER_ROLE,
    ON_ROLE,
    ON_SEQUENCE,
    ON_SHARED_PARTITION,
    ON_SHARED_SEQUENCE,
    ON_SHARED_TABLE,
    ON_SHARED_VIEW,
    ON_TABLE,
    ON_TYPE,
    ON_VIEW,
    ON_COUNT_,
} ProbeOn;

typedef struct ProbeColumn {
    const char *name;
    const char *value;
    bool is_time;
} ProbeColumn;

typedef struct ProbeTarget {
    ProbeOn on;
    const char *schema; /* "" where it has none */
    const char *name;
    int64_t number;            /* oid; ON_CONNECTION_LIMIT: the plan's limit */
    int64_t arguments;         /* of a function, without those that have defaults */
    const char *column;        /* a column of a table that can be set; ON_PLAN_SETTING: the value */
    const ProbeColumn *canary; /* ON_SHARED_TABLE: what a row needs besides tenant_id */
    size_t canary_count;
} ProbeTarget;

typedef struct ProbeTargets {
    Arena *arena;
    ProbeTarget *list; /* by kind */
    size_t count;
    size_t capacity;
    size_t first[ON_COUNT_ + 1]; /* where each kind begins, after probe_sort_targets */
    bool is_shut;                /* the login that tries may not use the schemas; see probe_knock */
    const ProbeTarget *canary;   /* a shared table that takes a row of our own, or NULL */
    const ProbeTarget **takers;  /* all of those that were found; the canary is the first */
    size_t taker_count;
} ProbeTargets;

void probe_add_target(ProbeTargets *targets, const ProbeTarget *target);

/* Puts the targets of a kind side by side, keeping their order. */
void probe_sort_targets(ProbeTargets *targets);

/* What each of the neighbours has that this tenant could reach for, with what the tenant may call
 * in its own place. */
bool probe_find_targets(Arena *arena, Store *store, const ProbeTenant *tenant,
                        const ProbeTenants *neighbours, int64_t seed, ProbeTargets *ret_targets,
                        Err *err);

/* What there is whoever the neighbours are. */
bool probe_find_control_targets(Arena *arena, Store *store, ProbeTargets *ret_targets, Err *err);

/* Adds what the two logins are measured by: what the plan says. */
bool probe_find_plan_targets(Arena *arena, Store *store, const ProbeTenant *tenant,
                             ProbeTargets *app, ProbeTargets *readonly, Err *err);

/* What could not be checked. */
typedef struct ProbeNotes {
    Arena *arena;
    Unchecked *list;
    size_t count;
    size_t capacity;
} ProbeNotes;

/* Keeps one of each; texts are copied. */
void probe_add_note(ProbeNotes *notes, const char *check_id, const char *reason);

/* The same of logins that did not try all that they should: whose is `untried`. */
void probe_add_untried(ProbeNotes *notes, const char *untried, const char *reason);

typedef struct ProbeTurn ProbeTurn;
typedef struct ProbeCrew ProbeCrew;

/* A login that is to try, and what came of it. */
typedef struct ProbeLogin {
    Arena *arena;
    const ProbeTurn *turn;
    const char *role;
    bool is_readonly;
    ProbeTargets control; /* what there is whoever the neighbours are */
    Arena *secrets;       /* of conninfo */
    const char *conninfo; /* until the session is open */
    IsolationResult result;
    ProbeNotes notes;
    bool is_good; /* when it is done; else err says why */
    Err err;
} ProbeLogin;

/* A tenant's turn. */
struct ProbeTurn {
    Arena *arena;
    const ProbeOptions *options;
    const ProbeTenant *tenant;
    size_t number;
    ProbeCrew *crew;     /* whose threads try it, while they do */
    bool is_found;       /* what its logins try */
    int64_t control_pid; /* of Tenantry's own session */
    PgTarget target;     /* how its logins connect */
    ProbeTenants neighbours;
    ProbeTargets *targets; /* of each neighbour */
    Arena *secrets;        /* of the holders */
    const char **holders;  /* conninfo of each neighbour's login that holds rows, or NULL */
    ProbeNotes notes;
    ProbeLogin logins[TENANT_LOGINS];
    size_t login_count;
};

/* Begins the turn of a tenant: its logins can connect, while probe_find_for_turn finds what they
 * try. A turn that cannot have any, and why, is in its notes. */
bool probe_begin_turn(Store *store, ProbeTurn *turn, Err *err);
bool probe_find_for_turn(Store *store, const ProbeTargets *control, ProbeTurn *turn, Err *err);
ProbeTurn *probe_free_turn(ProbeTurn *turn);

/* Looks again at a login that is not good once its turn is over: that its tenant was suspended
 * meanwhile is in its notes, and *ret_is_meant is true; one that got other passwords before
 * ours could connect tries here and now. */
bool probe_look_again(Store *store, const ProbeTurn *turn, ProbeLogin *login, bool *ret_is_meant,
                      Err *err);

/* Opens the login's session. */
bool probe_open_login(ProbeLogin *login, PgConn **ret_conn, Err *err);

/* Tries everything that its turn has. */
bool probe_try_login(ProbeLogin *login, PgConn *conn, Err *err);

/* Opens the session of that neighbour's holder, which there is. */
bool probe_open_holder(const ProbeTurn *turn, size_t neighbour, PgConn **ret_conn, Err *err);

/* Threads that try logins, in the order in which their turns were added. */
bool probe_crew_start(Arena *arena, size_t threads, ProbeCrew **ret_crew, Err *err);
void probe_crew_add(ProbeCrew *crew, ProbeTurn *turn);

/* Says that what the turn's logins try was found, or (is_good false) that they shall try nothing.
 */
void probe_crew_go(ProbeCrew *crew, ProbeTurn *turn, bool is_good);

/* For a login that is trying: the session of its first neighbour's holder, which there is and which
 * it asks for once. A thread without a login has opened it, or does; or else it is opened here. */
bool probe_crew_take_holder(ProbeCrew *crew, const ProbeTurn *turn, PgConn **ret_conn, Err *err);

/* Waits until all logins of the oldest turn are done, and gives it back; NULL when there is none.
 */
ProbeTurn *probe_crew_wait(ProbeCrew *crew);

/* Ends the threads; every turn has been waited for. */
void probe_crew_stop(ProbeCrew *crew);

typedef enum ProbeWho { WHO_BOTH, WHO_APP, WHO_READONLY } ProbeWho;
typedef enum ProbeMany { EVERY, ONE } ProbeMany;
typedef enum ProbeGood { REFUSED, NO_ROWS, PASSES } ProbeGood;

/* A row of probe_attempts.def. */
typedef struct ProbeKind {
    const char *probe;
    ProbeWho who;
    ProbeOn on;
    ProbeMany many;
    ProbeGood good;
    const char *also;
    const char *past;
    const char *setup;
    const char *args;
    const char *sql;
} ProbeKind;
extern const ProbeKind probe_kinds[];
extern const size_t probe_kind_count;

/* One login of a tenant, at work. */
typedef struct ProbeSession {
    PgConn *conn;
    const ProbeTenant *tenant;
    const char *role;
    bool is_readonly;
    bool is_thorough;    /* every target of a kind, however many there are */
    int64_t control_pid; /* of Tenantry's own session */
} ProbeSession;

/* What becomes of one statement. */
typedef struct ProbeAttempt {
    const ProbeKind *kind;
    const ProbeTarget *target;    /* NULL: ON_NOTHING */
    const ProbeTenant *neighbour; /* NULL where there is none */
    const char *const *setup;     /* statements before; ends in NULL */
    const char *call;             /* of a function, before the setup, or NULL */
    const char *may;              /* asks whether it may lock the relation, or NULL */
    int64_t relation;             /* that it opens; 0: none */
    const char *sql;
    char phase; /* after the run: set'u'p, 's'tatement, 'd'one, or 'r'ight: the catalogue says that
                   it is there, others had a lock; 0: not tried */
    char sqlstate[6];
    int64_t rows;
} ProbeAttempt;

typedef struct ProbeAttempts {
    ProbeAttempt *list;
    size_t count;
} ProbeAttempts;

/* The statements of one login: for the targets of a neighbour, or (neighbour NULL) for those that
 * are there whoever the neighbours are. */
void probe_make_attempts(Arena *arena, const ProbeSession *session, const ProbeTenant *neighbour,
                         const ProbeTargets *targets, ProbeAttempts *ret_attempts);

/* Asks whether the session's role may use any of the schemas of what is reached by name. */
bool probe_knock(Arena *arena, const ProbeSession *session, ProbeTargets *targets, Err *err);

/* Looks for a shared table that takes a row of the session's tenant; NULL when none does. */
bool probe_find_canary(Arena *arena, const ProbeSession *session, ProbeTargets *targets, Err *err);

/* The same row by two tenants for each shared table that takes one: statements of the neighbour's,
 * which are to be held, and ours. */
void probe_make_key_attempts(Arena *arena, const ProbeSession *session,
                             const ProbeTenant *neighbour, const ProbeTargets *targets,
                             const char ***ret_holds, ProbeAttempts *ret_attempts);

/* Whether keys tell what a neighbour has: its login, on `holder`, makes rows of no meaning and does
 * not commit them; then ours makes the like. Both roll back. *ret_attempts: those that it had. */
bool probe_try_keys(Arena *arena, const ProbeSession *session, const ProbeTenant *neighbour,
                    const ProbeTargets *targets, PgConn *holder, ProbeAttempts *ret_attempts,
                    Err *err);

/* What became of a row that was to be held: refused, made, or a lock of others was in its way. */
typedef enum ProbeHold { HOLD_REFUSED, HOLD_MADE, HOLD_BUSY } ProbeHold;

/* Makes a row with the last of the statements and leaves the transaction open. */
bool probe_hold_row(Arena *arena, PgConn *conn, const char *const *statements, size_t count,
                    ProbeHold *ret_hold, Err *err);

/* Runs them, each rolled back. Fails when the session was lost or the driver was refused. */
bool probe_run_attempts(Arena *arena, const ProbeSession *session, ProbeAttempts *attempts,
                        int64_t pause_ms, Err *err);

typedef enum ProbeVerdict { PROBE_HELD, PROBE_BROKEN, PROBE_UNKNOWN } ProbeVerdict;

/* What its outcome says. Pure. */
ProbeVerdict probe_judge(const ProbeAttempt *attempt);

/* What happened, in a sentence without any data. */
const char *probe_describe(Arena *arena, const ProbeSession *session, const ProbeAttempt *attempt);

/* What findings call a target: "table tenant_ab12.orders". */
const char *probe_object(Arena *arena, const ProbeSession *session, const ProbeAttempt *attempt);

/* The statement that mends it where there is one, or NULL. */
const char *probe_mend(Arena *arena, const ProbeSession *session, const ProbeAttempt *attempt);

/* Whether DISCARD ALL leaves nothing behind on the connection; *ret_left says what is left, or
 * NULL. Ends the session's use. */
bool probe_reuse_session(Arena *arena, const ProbeSession *session, const char **ret_left,
                         Err *err);

#endif
