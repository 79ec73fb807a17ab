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

static const char *verdict_sentence(const Page *page, const ReportCounts *counts)
{
    if (counts->open > 0) {
        StrBuf text = strbuf_init(page->arena);
        strbuf_printf(&text, "NOT ISOLATED: %zu finding%s", counts->open,
                      counts->open == 1 ? "" : "s");
        const char *gap = " (";
        for (int severity = SEVERITY_CRITICAL; severity <= SEVERITY_LOW; severity++) {
            if (counts->by_severity[severity] > 0) {
                strbuf_printf(&text, "%s%zu %s", gap, counts->by_severity[severity],
                              severity_name((Severity)severity));
                gap = ", ";
            }
        }
        strbuf_add_char(&text, ')');
        return text.text;
    }
    return page->report->result->unchecked_count > 0
               ? "isolated, as far as it was checked: see what was not"
               : "isolated: nothing was found";
}

static void add_head(Page *page)
{
    const Report *report = page->report;
    const ReportCounts counts = report_count(report);
    add_wrapped(page, 0, verdict_sentence(page, &counts));
    add_wrapped(page, 0,
                arena_printf(page->arena,
                             "%s: %" PRId64 " tenant%s, %" PRId64 " rule%s, %" PRId64
                             " attempts, %zu accepted",
                             report->tenant != NULL ? report->tenant : "the whole fleet",
                             report->result->tenants, report->result->tenants == 1 ? "" : "s",
                             report->result->rules, report->result->rules == 1 ? "" : "s",
                             report->result->probes, counts.accepted));
}

static void add_unchecked(Page *page)
{
    const IsolationResult *result = page->report->result;
    if (result->unchecked_count > 0) {
        strbuf_add(&page->text, "\nnot checked\n");
    }
    for (size_t i = 0; i < result->unchecked_count; i++) {
        add_wrapped(page, INDENT,
                    arena_printf(page->arena, "%s: %s", result->unchecked[i].check_id,
                                 result->unchecked[i].reason));
    }
}

const char *report_to_table(Arena *arena, const Report *report)
{
    Page page = {.arena = arena, .report = report, .text = strbuf_init(arena)};
    add_head(&page);
    for (size_t i = 0; i < report->result->list.count; i++) {
        add_finding(&page, &report->result->list.findings[i]);
    }
    add_unchecked(&page);
    return page.text.text;
}
