/* JUnit XML, the form that build servers show: a suite for the rules and one for the probes, a case
 * for every check. libxml2 writes it, so that nothing in a name can break the document. */
#include <inttypes.h>
#include <string.h>

#include <libxml/xmlwriter.h>

#include "core/strbuf.h"
#include "isolation/report.h"

typedef struct Junit {
    Arena *arena;
    const Report *report;
    xmlTextWriterPtr xml;
    bool is_good; /* false once a call failed: only memory can */
} Junit;

/* XML 1.0 has no way to write these; a name may hold them. */
static const char *without_controls(Arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);
    for (char *c = copy; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 && *c != '\n' && *c != '\t') {
            *c = '?';
        }
        if (strncmp(c, "\xEF\xBF\xBE", 3) == 0 || strncmp(c, "\xEF\xBF\xBF", 3) == 0) {
            memset(c, '?', 3); /* U+FFFE and U+FFFF */
        }
    }
    return copy;
}

/* libxml2's text is of unsigned characters; its own macro for that drops const. */
static const xmlChar *xml_text(const char *text)
{
    return (const xmlChar *)text;
}

static void start(Junit *junit, const char *name)
{
    junit->is_good &= xmlTextWriterStartElement(junit->xml, xml_text(name)) >= 0;
}

static void end(Junit *junit)
{
    junit->is_good &= xmlTextWriterEndElement(junit->xml) >= 0;
}

static void attribute(Junit *junit, const char *name, const char *value)
{
    const char *text = without_controls(junit->arena, value);
    junit->is_good &= xmlTextWriterWriteAttribute(junit->xml, xml_text(name), xml_text(text)) >= 0;
}

static void count_attribute(Junit *junit, const char *name, size_t value)
{
    attribute(junit, name, arena_printf(junit->arena, "%zu", value));
}

static void property(Junit *junit, const char *name, const char *value)
{
    start(junit, "property");
    attribute(junit, "name", name);
    attribute(junit, "value", value);
    end(junit);
}

/* One line per finding of a check, those that are accepted or those that are not; NULL: none. */
static const char *lines_of(const Junit *junit, const IsolationCheck *check, bool is_accepted)
{
    StrBuf text = strbuf_init(junit->arena);
    for (size_t i = 0; i < junit->report->result->list.count; i++) {
        const Finding *finding = &junit->report->result->list.findings[i];
        const Acceptance *acceptance = report_find_acceptance(junit->report, finding);
        if (strcmp(finding->check->id, check->id) != 0 || (acceptance != NULL) != is_accepted) {
            continue;
        }
        const char *tenant = report_slug(junit->report, finding->tenant_id);
        strbuf_printf(&text, "%s %s%s%s: %s\n", finding->id, tenant == NULL ? "" : tenant,
                      tenant == NULL ? "" : " ", finding->object, finding->evidence);
        if (acceptance != NULL) {
            strbuf_printf(&text, "  accepted until %s by %s: %s\n", acceptance->until,
                          acceptance->actor, acceptance->reason);
        } else if (finding->mend != NULL) {
            strbuf_printf(&text, "  mended by: %s;\n", finding->mend);
        }
    }
    return text.length == 0 ? NULL : text.text;
}

/* An element with a message and a text, both optional. */
static void add_outcome(Junit *junit, const char *name, const char *message, const char *text)
{
    start(junit, name);
    if (message != NULL) {
        attribute(junit, "message", message);
    }
    if (text != NULL) {
        const char *safe = without_controls(junit->arena, text);
        junit->is_good &= xmlTextWriterWriteString(junit->xml, xml_text(safe)) >= 0;
    }
    end(junit);
}

static void start_case(Junit *junit, bool is_probe, const char *name)
{
    start(junit, "testcase");
    attribute(junit, "classname", is_probe ? "isolation.probes" : "isolation.rules");
    attribute(junit, "name", name);
}

/* A login that did not try everything: its probes have not passed, whatever those of others did. */
static void add_untried(Junit *junit)
{
    const IsolationResult *result = junit->report->result;
    for (size_t i = 0; i < result->unchecked_count; i++) {
        if (result->unchecked[i].untried != NULL) {
            start_case(junit, true, result->unchecked[i].untried);
            add_outcome(junit, "skipped", result->unchecked[i].reason, NULL);
            end(junit);
        }
    }
}

static void add_case(Junit *junit, const IsolationCheck *check)
{
    const char *open = lines_of(junit, check, false);
    const char *accepted = lines_of(junit, check, true);
    const char *why_not = report_why_unchecked(junit->report, check);
    start_case(junit, check->is_probe, check->id);
    if (open != NULL) {
        add_outcome(junit, "failure", check->title, open);
    } else if (why_not != NULL) {
        add_outcome(junit, "skipped", why_not, NULL);
    }
    if (accepted != NULL) {
        add_outcome(junit, "system-out", NULL, accepted);
    }
    end(junit);
}

static void add_suite(Junit *junit, bool is_probe)
{
    const Report *report = junit->report;
    size_t tests = is_probe ? report_count_untried(report) : 0;
    size_t failures = 0;
    size_t skips = tests;
    for (size_t i = 0; i < report->check_count; i++) {
        const IsolationCheck *check = &report->checks[i];
        if (check->is_probe == is_probe) {
            const bool has_failed = lines_of(junit, check, false) != NULL;
            tests++;
            failures += has_failed ? 1 : 0;
            skips += !has_failed && report_why_unchecked(report, check) != NULL ? 1 : 0;
        }
    }
    start(junit, "testsuite");
    attribute(junit, "name", is_probe ? "isolation probes" : "isolation rules");
    count_attribute(junit, "tests", tests);
    count_attribute(junit, "failures", failures);
    attribute(junit, "errors", "0");
    count_attribute(junit, "skipped", skips);
    attribute(junit, "timestamp", report->started);
    start(junit, "properties");
    property(junit, "installation", report->installation_id);
    property(junit, "tenant", report->tenant == NULL ? "" : report->tenant);
    property(junit, "tenantry", report->product_version);
    property(junit, "postgresql", report->server_version);
    property(junit, "mode", report_mode(report));
    property(junit, "pairs", arena_printf(junit->arena, "%" PRId64, report->pairs));
    property(junit, "seed", arena_printf(junit->arena, "%" PRId64, report->seed));
    property(junit, "tenants", arena_printf(junit->arena, "%" PRId64, report->result->tenants));
    property(junit, "tried", arena_printf(junit->arena, "%zu", report->result->tried_count));
    end(junit);
    for (size_t i = 0; i < report->check_count; i++) {
        if (report->checks[i].is_probe == is_probe) {
            add_case(junit, &report->checks[i]);
        }
    }
    if (is_probe) {
        add_untried(junit);
    }
    end(junit);
}

static void write_document(Junit *junit)
{
    junit->is_good &= xmlTextWriterSetIndent(junit->xml, 1) >= 0 &&
                      xmlTextWriterStartDocument(junit->xml, "1.0", "UTF-8", NULL) >= 0;
    start(junit, "testsuites");
    attribute(junit, "name", "tenantry isolation verify");
    add_suite(junit, false);
    add_suite(junit, true);
    end(junit);
    junit->is_good &= xmlTextWriterEndDocument(junit->xml) >= 0;
}

bool report_to_junit(Arena *arena, const Report *report, const char **ret_text, Err *err)
{
    xmlBufferPtr buffer = xmlBufferCreate();
    xmlTextWriterPtr xml = buffer == NULL ? NULL : xmlNewTextWriterMemory(buffer, 0);
    Junit junit = {.arena = arena, .report = report, .xml = xml, .is_good = xml != NULL};
    if (junit.is_good) {
        write_document(&junit);
    }
    if (xml != NULL) {
        xmlFreeTextWriter(xml); /* also writes what it still holds */
    }
    if (junit.is_good) {
        *ret_text = arena_strdup(arena, (const char *)xmlBufferContent(buffer));
    }
    xmlBufferFree(buffer);
    return junit.is_good ||
           ERR_SET(err, ERR_INTERNAL, NULL, "libxml2 could not write the JUnit report");
}
