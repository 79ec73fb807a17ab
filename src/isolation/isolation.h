/* Whether any tenant can see, change, infer or disturb another, with evidence.
 *
 * Two kinds of evidence: rules read the catalogue (rules.def: a table; one pass for the whole
 * fleet, whose cost grows with the objects read once and with findings, never with pairs of
 * tenants), and probes log in as a tenant's roles and really try (probes.def). Both give findings
 * of one form; what is checked, and what could not be, is part of the answer.
 *
 * What this module does not do: store findings, accept them, write reports (ops and store do), or
 * change anything. All of it blocks. */
#ifndef TENANTRY_ISOLATION_ISOLATION_H
#define TENANTRY_ISOLATION_ISOLATION_H

#include "store/store.h"

typedef enum Severity { SEVERITY_CRITICAL, SEVERITY_HIGH, SEVERITY_MEDIUM, SEVERITY_LOW } Severity;

/* "critical", ... */
const char *severity_name(Severity severity);

/* A rule or a probe, as the tables have it. */
typedef struct IsolationCheck {
    const char *id; /* "public_table_grant"; also the anchor of its documentation */
    Severity severity;
    bool is_probe;
    const char *tiers; /* "row", "schema" or "row, schema" */
    const char *title; /* a sentence for the report */
    const char *why;   /* what a tenant could do with it, and what to do about it */
} IsolationCheck;

/* Every rule and every probe, sorted by id. */
const IsolationCheck *isolation_checks(size_t *ret_count);
const IsolationCheck *isolation_find_check(const char *id); /* NULL: there is none */

typedef struct Finding {
    const IsolationCheck *check;
    const char
        *tenant_id; /* whose data is in danger or who could do it; NULL: of no single tenant */
    const char *other_id; /* the tenant on the other side where there is one, or NULL */
    const char *object;   /* "table tenant_ab12.orders", "role tenant_ab12_app" */
    const char *evidence; /* what was found or what happened, without any data of a tenant: a
                           * sentence for each way, with "; " between */
    const char *mend;     /* the statements that mend it, with "; " between, or NULL */
    const char
        *definition; /* hash of the evidence and of what the object is like, 32 hex digits;
                      * NULL before isolation_add_definitions, which adds it to the evidence */
    char id[17]; /* 16 hex digits of SHA-256 over check, tenants and object: the same in each run */
} Finding;

typedef struct FindingList {
    Arena *arena;
    Finding *findings; /* by severity, check, object */
    size_t count;
} FindingList;

/* What could not be checked, and why ("the control role is no superuser: ..."). */
typedef struct Unchecked {
    const char *check_id;
    const char *reason;
    const char *untried; /* "login tenant_ab12_app": it did not try all that it should; or NULL */
} Unchecked;

typedef struct IsolationResult {
    FindingList list;
    const Unchecked *unchecked;
    size_t unchecked_count;
    int64_t tenants;          /* that were looked at */
    int64_t spares;           /* places without a tenant, looked at too */
    int64_t rules;            /* that ran */
    int64_t probes;           /* attempts that were made */
    int64_t *attempts;        /* of them by each of isolation_checks(); NULL: rules only */
    const char *const *tried; /* slugs of the tenants of which a login tried, sorted */
    size_t tried_count;
    const char
        *catalogue; /* SHA-256 over the part of the catalogue that was read, hex; rules only */
} IsolationResult;

/* Adds a finding; texts are copied into the list's arena and its id is computed. */
bool isolation_add_finding(IsolationResult *result, const Finding *finding, Err *err);

/* Sorts a list and makes one of all findings with the same id. */
void isolation_finish_findings(FindingList *list);

/* Reads the catalogue: for one tenant (its places, roles and what reaches them; index look-ups
 * only) or, with tenant_id NULL, for the whole fleet in one pass. Read-only, in one REPEATABLE READ
 * transaction of its own; NOT within a transaction. Everything is in the arena. */
bool isolation_check_rules(Arena *arena, Store *store, const char *tenant_id,
                           IsolationResult *ret_result, Err *err);

/* The rules that concern what a tenant has (not the server as a whole), within the caller's
 * transaction, for one tenant or the tenant to be of a spare: what every resume and adoption, and
 * the making of every spare, ends with. ERR_ISOLATION names the first finding of severity high or
 * critical that nobody has accepted. */
bool isolation_require(Arena *arena, Store *store, const char *tenant_id, Err *err);

/* The same for a few tenants at once (`count` of 1 or more), which takes half as long as one after
 * the other; for many it does not, since the plan is one of look-ups. The error does not say whose
 * the finding is. */
bool isolation_require_each(Arena *arena, Store *store, const char *const *tenant_ids, size_t count,
                            Err *err);

/* The same where tenants will find the place made, and the rules about what its things lead to;
 * remembers what the place is like (tenantry.place_digests), so that a create need not ask again.
 */
bool isolation_require_spare(Arena *arena, Store *store, const char *tenant_id, Err *err);

/* What a create ends with that made the tenant's place in this transaction: whether the place has
 * the shape that one of its version had when the rules last passed (tenantry.place_shapes); when it
 * has not, every rule about the tenant and about what its things lead to. The rules are planned
 * anew in each process, which takes longer than making a small place. */
bool isolation_require_made(Arena *arena, Store *store, const char *tenant_id, Err *err);

/* What a create ends with whose place was there (a spare, a shared place): what the create itself
 * did (roles, memberships, the map, the schema's rights), and whether the place is as it was when
 * the rules last passed (a millisecond or two); when it is not, every rule. The first adds the
 * questions to the batch that makes the tenant, so that they need no round trip of their own; the
 * second runs that batch and judges. */
typedef struct IsolationJoin {
    const char *tenant_id;
    size_t
        first; /* of the statements of the batch: that of the planner, of the create, the place */
} IsolationJoin;

bool isolation_add_join(Arena *arena, PgBatch *batch, const char *tenant_id,
                        IsolationJoin *ret_join, Err *err);
bool isolation_require_join(Arena *arena, Store *store, PgBatch *batch, const IsolationJoin *join,
                            Err *err);

/* After a change to a place that tenants may join: asks the rules now, so that the next create need
 * not. A place that is not whole is no error here, it is logged: a create there is refused. Within
 * the caller's transaction. */
bool isolation_renew_place(Arena *arena, Store *store, const char *place_id, Err *err);

/* Adds to the evidence a hash of it and of what the object is like now (rights, policies, text of a
 * view or function), and says so where the object gives nothing: what somebody accepts is the
 * object as it was then. */
bool isolation_add_definitions(Arena *arena, Store *store, FindingList *list, Err *err);

/* A finding that somebody answers for, until a time: as it was then. One whose evidence is another
 * by now (a right more on the same table) counts again. */
typedef struct Acceptance {
    const char *finding_id;
    const char *evidence; /* with the definition */
    const char *reason;
    const char *actor;
    const char *until; /* RFC 3339 */
} Acceptance;

typedef struct Acceptances {
    const Acceptance *list;
    size_t count;
} Acceptances;

/* Those that are in force. */
bool isolation_load_acceptances(Arena *arena, Store *store, Acceptances *ret_acceptances, Err *err);

/* The one of a finding, which has its definition, or NULL. */
const Acceptance *isolation_find_acceptance(const Acceptances *acceptances, const Finding *finding);

typedef struct ProbeOptions {
    const char *tenant_id; /* prober; NULL: every tenant of a sample */
    int64_t pairs;     /* of all tenants this many probe, each one neighbour; 0: every one, each a
                          neighbour of its blueprint and one of another */
    bool is_all_pairs; /* every neighbour */
    int64_t seed;      /* decides the sample; the same seed, the same pairs */
    int64_t pause_ms;  /* between two attempts of one session */
    void (*on_progress)(void *context, int64_t done, int64_t total); /* may be NULL */
    void *progress_context;
} ProbeOptions;

/* The rules, as isolation_check_rules, and beside them the probes: logs in as each role of the
 * probing tenants and tries, always rolled back. */
bool isolation_verify(Arena *arena, Store *store, const ProbeOptions *options,
                      IsolationResult *ret_result, Err *err);

#endif
