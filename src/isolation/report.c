#include "isolation/report.h"

#include <string.h>

static const char *const limits[] = {
#define KNOWN_LIMIT(id, sentence) sentence,
#include "core/array.h"
#include "isolation/limits.def"
#undef KNOWN_LIMIT
};

/* Settings of the plan are the tenant's to change for its own logins, so that one that did must not
 * fail the run of all: they are told, and nobody need accept them. */
static const char permitted_check[] = "probe_plan_setting";
static const Acceptance permitted = {
    .reason = "every role may change this for itself: a known limit of PostgreSQL",
    .actor = "tenantry",
    .until = "9999-12-31T23:59:59Z",
};

const Acceptance *report_find_acceptance(const Report *report, const Finding *finding)
{
    return strcmp(finding->check->id, permitted_check) == 0
               ? &permitted
               : isolation_find_acceptance(&report->acceptances, finding);
}

const char *report_slug(const Report *report, const char *tenant_id)
{
    return tenant_id == NULL ? NULL : json_get_text(report->slugs, tenant_id, tenant_id);
}

const char *report_find_unchecked(const Report *report, const char *check_id)
{
    for (size_t i = 0; i < report->result->unchecked_count; i++) {
        if (strcmp(report->result->unchecked[i].check_id, check_id) == 0) {
            return report->result->unchecked[i].reason;
        }
    }
    return NULL;
}

const char *report_why_unchecked(const Report *report, const IsolationCheck *check)
{
    if (check->is_probe && !report->has_probes) {
        return "no attempts were asked for";
    }
    if (check->is_probe && report->result->probes == 0) {
        return "no login could try";
    }
    const char *reason = report_find_unchecked(report, check->id);
    return reason == NULL && report_is_idle(report, check)
               ? "no attempt: the tenants that tried had nothing that it is about"
               : reason;
}

const char *report_mode(const Report *report)
{
    return !report->has_probes    ? "rules_only"
           : report->is_all_pairs ? "all_pairs"
           : report->pairs > 0    ? "pairs"
                                  : "one_neighbour";
}

int64_t report_count_attempts(const Report *report, const IsolationCheck *check)
{
    const int64_t *attempts = report->result->attempts;
    return attempts == NULL ? 0 : attempts[check - report->checks];
}

bool report_is_idle(const Report *report, const IsolationCheck *check)
{
    return check->is_probe && report->result->probes > 0 &&
           report_count_attempts(report, check) == 0;
}

size_t report_count_untried(const Report *report)
{
    size_t count = 0;
    for (size_t i = 0; i < report->result->unchecked_count; i++) {
        count += report->result->unchecked[i].untried != NULL ? 1 : 0;
    }
    return count;
}

size_t report_count_findings(const Report *report, const IsolationCheck *check)
{
    size_t count = 0;
    for (size_t i = 0; i < report->result->list.count; i++) {
        count += strcmp(report->result->list.findings[i].check->id, check->id) == 0 ? 1 : 0;
    }
    return count;
}

bool report_is_failing(const Report *report, const Finding *finding)
{
    return (int)finding->check->severity <= report->fail_on &&
           report_find_acceptance(report, finding) == NULL;
}

ReportCounts report_count(const Report *report)
{
    ReportCounts counts = {0};
    for (size_t i = 0; i < report->result->list.count; i++) {
        const Finding *finding = &report->result->list.findings[i];
        if (report_find_acceptance(report, finding) != NULL) {
            counts.accepted++;
            counts.accepted_by_severity[finding->check->severity]++;
            continue;
        }
        counts.open++;
        counts.by_severity[finding->check->severity]++;
        counts.failing += report_is_failing(report, finding) ? 1 : 0;
    }
    return counts;
}

const Finding *report_first_failing(const Report *report)
{
    for (size_t i = 0; i < report->result->list.count; i++) {
        if (report_is_failing(report, &report->result->list.findings[i])) {
            return &report->result->list.findings[i];
        }
    }
    return NULL;
}

const char *report_verdict(const Report *report)
{
    const ReportCounts counts = report_count(report);
    return counts.open > 0                       ? "violated"
           : counts.accepted > 0                 ? "isolated_but_for_accepted"
           : report->result->unchecked_count > 0 ? "isolated_as_far_as_checked"
                                                 : "isolated";
}

static Json *acceptance_to_json(const Acceptance *acceptance)
{
    if (acceptance == NULL) {
        return json_null();
    }
    Json *object = json_object();
    json_put_text(object, "reason", acceptance->reason);
    json_put_text(object, "actor", acceptance->actor);
    json_put_text(object, "until", acceptance->until);
    return object;
}

Json *report_findings_to_json(const Report *report)
{
    Json *list = json_array();
    for (size_t i = 0; i < report->result->list.count; i++) {
        const Finding *finding = &report->result->list.findings[i];
        Json *object = json_object();
        json_put_text(object, "id", finding->id);
        json_put_text(object, "severity", severity_name(finding->check->severity));
        json_put_text(object, "check", finding->check->id);
        json_put_text(object, "tenant", report_slug(report, finding->tenant_id));
        json_put_text(object, "other", report_slug(report, finding->other_id));
        json_put_text(object, "object", finding->object);
        json_put_text(object, "evidence", finding->evidence);
        json_put_text(object, "definition", finding->definition);
        json_put_text(object, "mend", finding->mend);
        json_put(object, "accepted", acceptance_to_json(report_find_acceptance(report, finding)));
        json_array_append_new(list, object);
    }
    return list;
}

static const char *check_state(const Report *report, const IsolationCheck *check)
{
    return report_count_findings(report, check) > 0      ? "found"
           : check->is_probe && !report->has_probes      ? "not run"
           : report_why_unchecked(report, check) != NULL ? "not checked"
                                                         : "clean";
}

Json *report_checks_to_json(const Report *report)
{
    Json *list = json_array();
    for (size_t i = 0; i < report->check_count; i++) {
        const IsolationCheck *check = &report->checks[i];
        Json *object = json_object();
        json_put_text(object, "id", check->id);
        json_put_text(object, "kind", check->is_probe ? "probe" : "rule");
        json_put_text(object, "severity", severity_name(check->severity));
        json_put_text(object, "title", check->title);
        json_put_text(object, "state", check_state(report, check));
        json_put_text(object, "reason", report_why_unchecked(report, check));
        json_put(object, "attempts",
                 check->is_probe ? json_integer(report_count_attempts(report, check))
                                 : json_null());
        json_put_int(object, "findings", (int64_t)report_count_findings(report, check));
        json_array_append_new(list, object);
    }
    return list;
}

Json *report_unchecked_to_json(const Report *report)
{
    Json *list = json_array();
    for (size_t i = 0; i < report->result->unchecked_count; i++) {
        Json *object = json_object();
        json_put_text(object, "check", report->result->unchecked[i].check_id);
        json_put_text(object, "untried", report->result->unchecked[i].untried);
        json_put_text(object, "reason", report->result->unchecked[i].reason);
        json_array_append_new(list, object);
    }
    return list;
}

Json *report_limits_to_json(void)
{
    Json *list = json_array();
    for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
        json_array_append_new(list, json_string(limits[i]));
    }
    return list;
}

Json *report_to_json(const Report *report)
{
    const ReportCounts counts = report_count(report);
    Json *answer = json_object();
    json_put_text(answer, "verdict", report_verdict(report));
    json_put_bool(answer, "is_isolated", counts.open + counts.accepted == 0);
    json_put_int(answer, "run", report->run);
    json_put_text(answer, "tenant", report->tenant);
    json_put_int(answer, "tenants", report->result->tenants);
    json_put_int(answer, "spares", report->result->spares);
    json_put_int(answer, "rules", report->result->rules);
    json_put_int(answer, "probes", report->result->probes);
    json_put_int(answer, "untried", (int64_t)report_count_untried(report));
    json_put_text(answer, "mode", report_mode(report));
    json_put(answer, "pairs", report->pairs == 0 ? json_null() : json_integer(report->pairs));
    json_put_int(answer, "seed", report->seed);
    json_put_int(answer, "tried", (int64_t)report->result->tried_count);
    json_put_int(answer, "failing", (int64_t)counts.failing);
    json_put_int(answer, "accepted", (int64_t)counts.accepted);
    json_put_text(answer, "started", report->started);
    json_put_text(answer, "finished", report->finished);
    json_put_text(answer, "catalogue", report->result->catalogue);
    json_put(answer, "findings", report_findings_to_json(report));
    json_put(answer, "unchecked", report_unchecked_to_json(report));
    json_put(answer, "checks", report_checks_to_json(report));
    json_put(answer, "limits", report_limits_to_json());
    return answer;
}
