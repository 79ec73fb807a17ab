/* The table of checks, and findings. */
#include "isolation/isolation.h"

#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "core/array.h"
#include "core/strbuf.h"

#define RULE(id, severity, tiers, scope, sieve, title, why)                                        \
    {id, severity, false, tiers, title, why},
#define PROBE(id, severity, tiers, title, why, ...) {id, severity, true, tiers, title, why},
static IsolationCheck checks[] = {
#include "isolation/rules.def"
#if __has_include("isolation/probes.def")
#include "isolation/probes.def"
#endif
};
#undef RULE
#undef PROBE

enum { CHECKS = ARRAY_COUNT(checks) };

static once_flag checks_sorted = ONCE_FLAG_INIT;

static int compare_checks(const void *a, const void *b)
{
    return strcmp(((const IsolationCheck *)a)->id, ((const IsolationCheck *)b)->id);
}

static void sort_checks(void)
{
    qsort(checks, CHECKS, sizeof *checks, compare_checks);
}

const IsolationCheck *isolation_checks(size_t *ret_count)
{
    call_once(&checks_sorted, sort_checks);
    *ret_count = CHECKS;
    return checks;
}

const IsolationCheck *isolation_find_check(const char *id)
{
    size_t count = 0;
    const IsolationCheck key = {.id = id};
    const IsolationCheck *all = isolation_checks(&count);
    return bsearch(&key, all, count, sizeof *all, compare_checks);
}

const char *severity_name(Severity severity)
{
    static const char *const names[] = {[SEVERITY_CRITICAL] = "critical",
                                        [SEVERITY_HIGH] = "high",
                                        [SEVERITY_MEDIUM] = "medium",
                                        [SEVERITY_LOW] = "low"};
    return names[severity];
}

/* Each part with its length before it, so that no two findings give the same bytes. */
static bool set_id(Arena *arena, Finding *finding, Err *err)
{
    const char *const parts[] = {finding->check->id, finding->tenant_id, finding->other_id,
                                 finding->object};
    StrBuf text = strbuf_init(arena);
    const char *hex = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        const char *part = parts[i] == NULL ? "" : parts[i];
        strbuf_printf(&text, "%zu:%s,", strlen(part), part);
    }
    if (!secret_sha256_hex(arena, text.text, text.length, &hex, err)) {
        return false;
    }
    memcpy(finding->id, hex, sizeof finding->id - 1);
    finding->id[sizeof finding->id - 1] = '\0';
    return true;
}

bool isolation_add_finding(IsolationResult *result, const Finding *finding, Err *err)
{
    enum { FIRST_CAPACITY = 16 };
    FindingList *list = &result->list;
    /* Full at each power of two from the first capacity on. */
    const bool is_full = list->count >= FIRST_CAPACITY && (list->count & (list->count - 1)) == 0;
    if (list->count == 0 || is_full) {
        const size_t capacity = list->count == 0 ? FIRST_CAPACITY : list->count * 2;
        Finding *grown = ARENA_ARRAY(list->arena, Finding, capacity);
        if (list->count > 0) {
            memcpy(grown, list->findings, list->count * sizeof *grown);
        }
        list->findings = grown;
    }
    Finding *added = &list->findings[list->count];
    *added = (Finding){.check = finding->check,
                       .tenant_id = arena_strdup(list->arena, finding->tenant_id),
                       .other_id = arena_strdup(list->arena, finding->other_id),
                       .object = arena_strdup(list->arena, finding->object),
                       .evidence = arena_strdup(list->arena, finding->evidence),
                       .mend = arena_strdup(list->arena, finding->mend)};
    if (!set_id(list->arena, added, err)) {
        return false;
    }
    list->count++;
    return true;
}
