/* The report for people. Object names come from the catalogue, where tenants may have chosen them:
 * everything is made safe for a screen before it is wrapped. */
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "core/strbuf.h"
#include "core/text.h"
#include "isolation/report.h"

enum { INDENT = 4 };

typedef struct Page {
    Arena *arena;
    const Report *report;
    StrBuf text;
} Page;

/* Characters, not bytes: what follows the first byte of a character in UTF-8 is 10xxxxxx. */
static size_t count_chars(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        count += ((unsigned char)text[i] & 0xc0U) != 0x80U ? 1 : 0;
    }
    return count;
}

/* Writes a text at this indent, broken at spaces; a word that is longer than a line stays whole. */
static void add_wrapped(Page *page, size_t indent, const char *unsafe)
{
    const char *text = text_quote(page->arena, unsafe, SIZE_MAX);
    size_t column = 0;
    while (*text != '\0') {
        const size_t length = strcspn(text, " ");
        const size_t width = count_chars(text, length);
        if (column > 0 && column + 1 + width > REPORT_COLUMNS) {
            strbuf_add_char(&page->text, '\n');
            column = 0;
        }
        if (column == 0) {
            strbuf_printf(&page->text, "%*s", (int)indent, "");
            column = indent;
        } else {
            strbuf_add_char(&page->text, ' ');
            column++;
        }
        strbuf_add_bytes(&page->text, text, length);
        column += width;
        text += length + strspn(text + length, " ");
    }
    strbuf_add_char(&page->text, '\n');
}

static const char *tenants_of(const Page *page, const Finding *finding)
{
    const char *tenant = report_slug(page->report, finding->tenant_id);
    const char *other = report_slug(page->report, finding->other_id);
    return tenant == NULL  ? ""
           : other == NULL ? arena_printf(page->arena, "tenant %s, ", tenant)
                           : arena_printf(page->arena, "tenants %s and %s, ", tenant, other);
}

static void add_finding(Page *page, const Finding *finding)
{
    const Acceptance *acceptance = report_find_acceptance(page->report, finding);
    strbuf_printf(&page->text, "\n%-8s  %s  %s%s\n", severity_name(finding->check->severity),
                  finding->id, finding->check->id, acceptance != NULL ? "  (accepted)" : "");
    add_wrapped(page, INDENT,
                arena_printf(page->arena, "%s%s", tenants_of(page, finding), finding->object));
    add_wrapped(page, INDENT, finding->evidence);
    if (acceptance != NULL) {
        add_wrapped(page, INDENT,
                    arena_printf(page->arena, "accepted until %s by %s: %s", acceptance->until,
                                 acceptance->actor, acceptance->reason));
    } else if (finding->mend != NULL) {
        add_wrapped(page, INDENT, arena_printf(page->arena, "mended by: %s;", finding->mend));
    }
}

/* "2 findings (1 critical, 1 low)"; kind: "", or "accepted " before the word. */
static const char *count_by_severity(Arena *arena, const char *kind, size_t count,
                                     const size_t *by_severity)
{
    StrBuf text = strbuf_init(arena);
    const char *gap = " (";
    strbuf_printf(&text, "%zu %sfinding%s", count, kind, count == 1 ? "" : "s");
    for (int severity = SEVERITY_CRITICAL; severity <= SEVERITY_LOW; severity++) {
        if (by_severity[severity] > 0) {
            strbuf_printf(&text, "%s%zu %s", gap, by_severity[severity],
                          severity_name((Severity)severity));
            gap = ", ";
        }
    }
    strbuf_add_char(&text, ')');
    return text.text;
}

/* What a verdict without findings leaves open. */
static const char *how_far(const Page *page)
{
    const size_t untried = report_count_untried(page->report);
    if (untried > 0) {
        return arena_printf(page->arena,
                            ", as far as it was checked: %zu login%s could not be tried", untried,
                            untried == 1 ? "" : "s");
    }
    return page->report->result->unchecked_count > 0
               ? ", as far as it was checked: see what was not"
               : "";
}

static const char *verdict_sentence(const Page *page, const ReportCounts *counts)
{
    const char *far = how_far(page);
    if (counts->open > 0) {
        return arena_printf(page->arena, "NOT ISOLATED: %s",
                            count_by_severity(page->arena, "", counts->open, counts->by_severity));
    }
    if (counts->accepted > 0) {
        return arena_printf(page->arena, "isolated but for %s%s",
                            count_by_severity(page->arena, "accepted ", counts->accepted,
                                              counts->accepted_by_severity),
                            far);
    }
    return *far == '\0' ? "isolated: nothing was found"
                        : arena_printf(page->arena, "isolated%s", far);
}

static void add_head(Page *page)
{
    const Report *report = page->report;
    const ReportCounts counts = report_count(report);
    const int64_t spares = report->result->spares;
    const char *and_spares = spares == 0 ? ""
                                         : arena_printf(page->arena, " and %" PRId64 " spare%s",
                                                        spares, spares == 1 ? "" : "s");
    add_wrapped(page, 0, verdict_sentence(page, &counts));
    add_wrapped(
        page, 0,
        arena_printf(
            page->arena,
            "%s: %" PRId64 " tenant%s%s, %" PRId64 " rule%s, %" PRId64 " attempts, %zu accepted",
            report->tenant != NULL ? report->tenant : "the whole fleet", report->result->tenants,
            report->result->tenants == 1 ? "" : "s", and_spares, report->result->rules,
            report->result->rules == 1 ? "" : "s", report->result->probes, counts.accepted));
}

/* "tried as 1 of 10 tenants: pairs 1, seed 4" */
static void add_tried(Page *page)
{
    const Report *report = page->report;
    const char *mode = report->is_all_pairs ? "every pair of tenants"
                       : report->pairs > 0
                           ? arena_printf(page->arena, "pairs %" PRId64 ", seed %" PRId64,
                                          report->pairs, report->seed)
                           : arena_printf(page->arena, "one neighbour each, seed %" PRId64,
                                          report->seed);
    if (report->has_probes) {
        add_wrapped(page, 0,
                    arena_printf(page->arena, "tried as %zu of %" PRId64 " tenant%s: %s",
                                 report->result->tried_count, report->result->tenants,
                                 report->result->tenants == 1 ? "" : "s", mode));
    }
}

/* Probes that had nothing to try, with commas between them; "" when there is none. */
static const char *list_idle(const Page *page)
{
    const Report *report = page->report;
    StrBuf text = strbuf_init(page->arena);
    for (size_t i = 0; i < report->check_count; i++) {
        if (report_is_idle(report, &report->checks[i])) {
            strbuf_printf(&text, "%s%s", text.length > 0 ? ", " : "", report->checks[i].id);
        }
    }
    return text.length > 0 ? text.text : "";
}

static void add_unchecked(Page *page)
{
    const IsolationResult *result = page->report->result;
    const char *idle = list_idle(page);
    if (result->unchecked_count > 0 || *idle != '\0') {
        strbuf_add(&page->text, "\nnot checked\n");
    }
    for (size_t i = 0; i < result->unchecked_count; i++) {
        add_wrapped(page, INDENT,
                    arena_printf(page->arena, "%s: %s", result->unchecked[i].check_id,
                                 result->unchecked[i].reason));
    }
    if (*idle != '\0') {
        add_wrapped(page, INDENT,
                    arena_printf(page->arena, "nothing there to try, no attempt: %s", idle));
    }
}

const char *report_to_table(Arena *arena, const Report *report)
{
    Page page = {.arena = arena, .report = report, .text = strbuf_init(arena)};
    add_head(&page);
    add_tried(&page);
    for (size_t i = 0; i < report->result->list.count; i++) {
        add_finding(&page, &report->result->list.findings[i]);
    }
    add_unchecked(&page);
    return page.text.text;
}
