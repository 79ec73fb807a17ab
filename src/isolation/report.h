/* The reports of one run of the checks, as texts: for people, for other programs, and signed.
 *
 * What this module does not do: ask the database, keep anything, or decide what is accepted;
 * whoever calls brings all of that in a Report. Nothing blocks. */
#ifndef TENANTRY_ISOLATION_REPORT_H
#define TENANTRY_ISOLATION_REPORT_H

#include "core/json.h"
#include "isolation/isolation.h"

enum { REPORT_FAIL_NEVER = -1 };

typedef struct Report {
    const IsolationResult *result;
    const IsolationCheck *checks; /* all that there are */
    size_t check_count;
    Acceptances acceptances; /* that are in force */
    const Json *slugs;       /* {tenant's id: slug} */
    const char *product_version;
    const char *server_version;
    const char *installation_id;
    const char *tenant;             /* slug; NULL: the whole fleet */
    const char *started, *finished; /* RFC 3339 */
    int64_t run;
    int64_t seed; /* of the sample of pairs */
    bool has_probes;
    int64_t pairs; /* that were asked for; 0: one neighbour of each tenant, unless is_all_pairs */
    bool is_all_pairs;
    int fail_on; /* the least Severity that counts, or REPORT_FAIL_NEVER */
} Report;

/* The acceptance of a finding that is in force, or NULL. What a tenant may do to itself has one
 * that nobody gave. */
const Acceptance *report_find_acceptance(const Report *report, const Finding *finding);

/* The slug of a tenant, or its id when it has none; NULL for NULL. */
const char *report_slug(const Report *report, const char *tenant_id);

/* Why a check was not done, or was done in part only; NULL when it was done. */
const char *report_find_unchecked(const Report *report, const char *check_id);

/* The same for a probe that nobody was asked to try, that no login came to, or that had nothing to
 * try. */
const char *report_why_unchecked(const Report *report, const IsolationCheck *check);

/* Whom the logins were to try: "rules_only" (there were none), "one_neighbour" (each tenant one of
 * its blueprint and one of another), "pairs" (a sample) or "all_pairs". */
const char *report_mode(const Report *report);

/* How often a probe tried. */
int64_t report_count_attempts(const Report *report, const IsolationCheck *check);

/* Whether there was nothing that a probe could try, though logins tried. */
bool report_is_idle(const Report *report, const IsolationCheck *check);

/* How many logins did not try all that they should. */
size_t report_count_untried(const Report *report);

/* How many findings of a check there are. */
size_t report_count_findings(const Report *report, const IsolationCheck *check);

/* Whether a finding counts: severe enough, and not accepted. */
bool report_is_failing(const Report *report, const Finding *finding);

typedef struct ReportCounts {
    size_t failing;                       /* not accepted, and severe enough to count */
    size_t open;                          /* not accepted */
    size_t accepted;                      /* findings with an acceptance in force */
    size_t by_severity[SEVERITY_LOW + 1]; /* of the open ones */
    size_t accepted_by_severity[SEVERITY_LOW + 1];
} ReportCounts;
ReportCounts report_count(const Report *report);

/* The first finding that counts, or NULL. */
const Finding *report_first_failing(const Report *report);

/* "isolated", "isolated_as_far_as_checked", "isolated_but_for_accepted" (findings that somebody
 * answers for are there all the same, and perhaps things that were not checked) or "violated". */
const char *report_verdict(const Report *report);

/* The members of the answer of `isolation verify`: the caller's. */
Json *report_to_json(const Report *report);

/* The lists of it: one object per finding, per check, per thing that was not checked. The
 * caller's. */
Json *report_findings_to_json(const Report *report);
Json *report_checks_to_json(const Report *report);
Json *report_unchecked_to_json(const Report *report);

/* What PostgreSQL shows to everybody or shares between all, and no rule can change: sentences. */
Json *report_limits_to_json(void);

/* For people: lines of at most REPORT_COLUMNS, nothing that could control a terminal. */
enum { REPORT_COLUMNS = 100 };
const char *report_to_table(Arena *arena, const Report *report);

/* JUnit XML: a test case for every check; what was not checked, or had nothing to try, is
 * skipped, and each login that did not try everything is a skipped case of its own. */
bool report_to_junit(Arena *arena, const Report *report, const char **ret_text, Err *err);

/* SARIF 2.1.0 (OASIS); accepted findings are results with a suppression. */
const char *report_to_sarif(Arena *arena, const Report *report);

/* The signed form: one JSON value, keys sorted, indented by two, a newline behind it. The signature
 * is Ed25519 over the member "report" in compact form with sorted keys. seed is the private key. */
bool report_sign(Arena *arena, const Report *report, const uint8_t *seed, const char **ret_text,
                 Err *err);

typedef enum ReportState {
    REPORT_RIGHT,       /* signed by the key that the caller trusts */
    REPORT_UNPINNED,    /* not changed since somebody signed it: the caller named no key */
    REPORT_CHANGED,     /* not what was signed */
    REPORT_KEY_UNKNOWN, /* signed by another key than the caller trusts */
} ReportState;

typedef struct ReportChecked {
    ReportState state;
    const char *key;         /* public key that it names; "" when it names none */
    const char *fingerprint; /* of that key; "" when there is none */
    Json *content;           /* the member "report", borrowed from root; NULL when changed */
    Json *root;              /* the caller's; may be NULL */
} ReportChecked;

/* Checks a signed report: every byte of it counts. key: the trusted public key as hex, or NULL.
 * ERR_INPUT_INVALID when key is none. */
bool report_check(Arena *arena, const char *text, size_t length, const char *key,
                  ReportChecked *ret_checked, Err *err);

#endif
