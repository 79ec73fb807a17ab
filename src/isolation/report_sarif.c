/* SARIF 2.1.0 (OASIS Standard, 27 March 2020): what code scanners exchange. Sections are named
 * where a member is not obvious. */
#include <string.h>

#include "isolation/report.h"

/* Level (3.27.10) and the score that readers sort by; CVSS has no better number for a class. */
static const struct {
    const char *level;
    const char *score;
} levels[] = {
    [SEVERITY_CRITICAL] = {"error", "9.5"},
    [SEVERITY_HIGH] = {"error", "8.0"},
    [SEVERITY_MEDIUM] = {"warning", "5.5"},
    [SEVERITY_LOW] = {"note", "3.0"},
};

static Json *message(const char *text)
{
    Json *object = json_object();
    json_put_text(object, "text", text);
    return object;
}

static Json *list_of(Json *only)
{
    Json *list = json_array();
    json_array_append_new(list, only);
    return list;
}

/* Its page in the documentation as it is installed. */
static const char *page(Arena *arena, const IsolationCheck *check)
{
    return arena_printf(arena, "file://%s/reference/isolation.md#%s", TENANTRY_DOCS, check->id);
}

static Json *rule(Arena *arena, const IsolationCheck *check)
{
    Json *object = json_object();
    Json *configuration = json_object();
    Json *properties = json_object();
    json_put_text(configuration, "level", levels[check->severity].level);
    json_put_text(properties, "kind", check->is_probe ? "probe" : "rule");
    json_put_text(properties, "severity", severity_name(check->severity));
    json_put_text(properties, "security-severity", levels[check->severity].score);
    json_put_text(properties, "tiers", check->tiers);
    json_put_text(object, "id", check->id);
    json_put(object, "shortDescription", message(check->title));
    json_put(object, "fullDescription", message(check->why));
    json_put(object, "help", message(check->why));
    json_put_text(object, "helpUri", page(arena, check));
    json_put(object, "defaultConfiguration", configuration);
    json_put(object, "properties", properties);
    return object;
}

static Json *driver(Arena *arena, const Report *report)
{
    Json *object = json_object();
    Json *rules = json_array();
    for (size_t i = 0; i < report->check_count; i++) {
        json_array_append_new(rules, rule(arena, &report->checks[i]));
    }
    json_put_text(object, "name", "Tenantry");
    json_put_text(object, "version", report->product_version);
    json_put_text(object, "semanticVersion", report->product_version);
    json_put(object, "rules", rules);
    return object;
}

/* An object of a database is no place in a file: a logical location (3.33). */
static Json *location(const Finding *finding)
{
    Json *logical = json_object();
    Json *object = json_object();
    const size_t kind_length = strcspn(finding->object, " ");
    Json *kind = json_stringn(finding->object, kind_length);
    json_put_text(logical, "fullyQualifiedName", finding->object);
    json_put(logical, "kind", kind != NULL ? kind : json_string("object"));
    json_put(object, "logicalLocations", list_of(logical));
    return object;
}

/* 3.35; "external": decided outside the thing that was checked. */
static Json *suppressions(const Acceptance *acceptance)
{
    Json *list = json_array();
    if (acceptance != NULL) {
        Json *object = json_object();
        Json *properties = json_object();
        json_put_text(object, "kind", "external");
        json_put_text(object, "status", "accepted");
        json_put_text(object, "justification", acceptance->reason);
        json_put_text(properties, "actor", acceptance->actor);
        json_put_text(properties, "until", acceptance->until);
        json_put(object, "properties", properties);
        json_array_append_new(list, object);
    }
    return list;
}

static int64_t rule_index(const Report *report, const IsolationCheck *check)
{
    for (size_t i = 0; i < report->check_count; i++) {
        if (strcmp(report->checks[i].id, check->id) == 0) {
            return (int64_t)i;
        }
    }
    return -1; /* "not in the list" (3.27.6) */
}

static Json *result(const Report *report, const Finding *finding)
{
    Json *object = json_object();
    Json *fingerprints = json_object();
    Json *properties = json_object();
    json_put_text(fingerprints, "findingId/v1", finding->id);
    json_put_text(properties, "tenant", report_slug(report, finding->tenant_id));
    json_put_text(properties, "other", report_slug(report, finding->other_id));
    json_put_text(properties, "mend", finding->mend);
    json_put_text(object, "ruleId", finding->check->id);
    json_put_int(object, "ruleIndex", rule_index(report, finding->check));
    json_put_text(object, "level", levels[finding->check->severity].level);
    json_put(object, "message", message(finding->evidence));
    json_put(object, "locations", list_of(location(finding)));
    json_put(object, "partialFingerprints", fingerprints);
    json_put(object, "suppressions", suppressions(report_find_acceptance(report, finding)));
    json_put(object, "properties", properties);
    return object;
}

/* 3.58 */
static void add_notification(Json *list, const char *level, const char *check_id,
                             const char *reason)
{
    Json *object = json_object();
    Json *associated = json_object();
    json_put_text(associated, "id", check_id);
    json_put_text(object, "level", level);
    json_put(object, "message", message(reason));
    json_put(object, "associatedRule", associated);
    json_array_append_new(list, object);
}

/* What could not be checked, or had nothing to try, so that silence is not taken for a clean
 * result. */
static Json *notifications(const Report *report)
{
    Json *list = json_array();
    for (size_t i = 0; i < report->result->unchecked_count; i++) {
        add_notification(list, "warning", report->result->unchecked[i].check_id,
                         report->result->unchecked[i].reason);
    }
    for (size_t i = 0; i < report->check_count; i++) {
        const IsolationCheck *check = &report->checks[i];
        if (report_is_idle(report, check) && report_find_unchecked(report, check->id) == NULL) {
            add_notification(list, "note", check->id, report_why_unchecked(report, check));
        }
    }
    return list;
}

static Json *invocation(const Report *report)
{
    Json *object = json_object();
    json_put_bool(object, "executionSuccessful", true);
    json_put_text(object, "startTimeUtc", report->started);
    json_put_text(object, "endTimeUtc", report->finished);
    json_put(object, "toolExecutionNotifications", notifications(report));
    return object;
}

static Json *run(Arena *arena, const Report *report)
{
    Json *object = json_object();
    Json *tool = json_object();
    Json *results = json_array();
    Json *properties = json_object();
    for (size_t i = 0; i < report->result->list.count; i++) {
        json_array_append_new(results, result(report, &report->result->list.findings[i]));
    }
    json_put(tool, "driver", driver(arena, report));
    json_put_text(properties, "installation", report->installation_id);
    json_put_text(properties, "postgresql", report->server_version);
    json_put_text(properties, "catalogue", report->result->catalogue);
    json_put_text(properties, "verdict", report_verdict(report));
    json_put_text(properties, "mode", report_mode(report));
    json_put_int(properties, "pairs", report->pairs);
    json_put_int(properties, "seed", report->seed);
    json_put_int(properties, "tenants", report->result->tenants);
    json_put_int(properties, "tried", (int64_t)report->result->tried_count);
    json_put(object, "tool", tool);
    json_put(object, "invocations", list_of(invocation(report)));
    json_put_text(object, "columnKind", "unicodeCodePoints");
    json_put(object, "results", results);
    json_put(object, "properties", properties);
    return object;
}

const char *report_to_sarif(Arena *arena, const Report *report)
{
    scoped_json Json *log = json_object();
    json_put_text(log, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    json_put_text(log, "version", "2.1.0");
    json_put(log, "runs", list_of(run(arena, report)));
    return json_to_indented(arena, log);
}
