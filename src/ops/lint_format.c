#include "ops/lint_format.h"

#include <string.h>

#include "core/strbuf.h"

#define SARIF_SCHEMA                                                                               \
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

static const char *level_of(const LintFinding *finding)
{
    return finding->severity == LINT_ERROR ? "error" : "warning";
}

/* The path that a program in the working directory would open. */
static const char *path_of(Arena *arena, const char *folder, const char *file)
{
    while (strncmp(folder, "./", strlen("./")) == 0) {
        folder += strlen("./");
    }
    const size_t length = strlen(folder);
    if (length == 0 || strcmp(folder, ".") == 0) {
        return file;
    }
    return arena_printf(arena, folder[length - 1] == '/' ? "%s%s" : "%s/%s", folder, file);
}

/* --- SARIF ------------------------------------------------------------------------------------ */

/* RFC 3986: all but unreserved characters and slashes as %XX. */
static const char *to_uri(Arena *arena, const char *path)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    StrBuf uri = strbuf_init(arena);
    strbuf_add(&uri, *path == '/' ? "file://" : "");
    for (const char *c = path; *c != '\0'; c++) {
        if (strchr(plain, *c) != NULL) {
            strbuf_add_char(&uri, *c);
        } else {
            strbuf_printf(&uri, "%%%02X", (unsigned)(unsigned char)*c);
        }
    }
    return uri.text;
}

static Json *text_object(const char *text)
{
    Json *object = json_object();
    json_put_text(object, "text", text);
    return object;
}

static Json *sarif_rule(Arena *arena, const LintFinding *finding)
{
    Json *rule = json_object();
    Json *configuration = json_object();
    json_put_text(rule, "id", finding->rule);
    json_put(rule, "help",
             text_object(finding->hint == NULL
                             ? arena_printf(arena, "see %s", finding->docs)
                             : arena_printf(arena, "%s; see %s", finding->hint, finding->docs)));
    json_put_text(configuration, "level", level_of(finding));
    json_put(rule, "defaultConfiguration", configuration);
    return rule;
}

/* Where the finding's rule is in the list, which gets it when it lacks it. */
static size_t find_rule(Arena *arena, Json *rules, const LintFinding *finding)
{
    const size_t count = json_array_size(rules);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(json_get_text(json_array_get(rules, i), "id", ""), finding->rule) == 0) {
            return i;
        }
    }
    json_array_append_new(rules, sarif_rule(arena, finding));
    return count;
}

static Json *sarif_location(Arena *arena, const char *folder, const char *file, int line,
                            int column)
{
    Json *artifact = json_object();
    Json *region = json_object();
    Json *physical = json_object();
    Json *location = json_object();
    json_put_text(artifact, "uri", to_uri(arena, path_of(arena, folder, file)));
    json_put_int(region, "startLine", line);
    if (column > 0) {
        json_put_int(region, "startColumn", column);
    }
    json_put(physical, "artifactLocation", artifact);
    json_put(physical, "region", region);
    json_put(location, "physicalLocation", physical);
    return location;
}

/* 3.35; an empty list says that it is not suppressed. */
static Json *sarif_suppressions(Arena *arena, const char *folder, const LintFinding *finding)
{
    Json *list = json_array();
    if (finding->silenced != NULL) {
        Json *suppression = json_object();
        json_put_text(suppression, "kind", "inSource");
        json_put_text(suppression, "status", "accepted");
        json_put_text(suppression, "justification", finding->silenced);
        json_put(suppression, "location",
                 sarif_location(arena, folder, finding->file, finding->silenced_line, 0));
        json_array_append_new(list, suppression);
    }
    return list;
}

static Json *sarif_result(Arena *arena, const char *folder, const LintFinding *finding,
                          size_t rule_index)
{
    Json *result = json_object();
    Json *locations = json_array();
    json_put_text(result, "ruleId", finding->rule);
    json_put_int(result, "ruleIndex", (int64_t)rule_index);
    json_put_text(result, "level", level_of(finding));
    json_put(result, "message", text_object(finding->message));
    json_array_append_new(
        locations, sarif_location(arena, folder, finding->file, finding->line, finding->column));
    json_put(result, "locations", locations);
    json_put(result, "suppressions", sarif_suppressions(arena, folder, finding));
    return result;
}

Json *lint_to_sarif(Arena *arena, const char *folder, const LintFinding *findings, size_t count)
{
    Json *rules = json_array();
    Json *results = json_array();
    for (size_t i = 0; i < count; i++) {
        const size_t rule = find_rule(arena, rules, &findings[i]);
        json_array_append_new(results, sarif_result(arena, folder, &findings[i], rule));
    }
    Json *driver = json_object();
    json_put_text(driver, "name", "tenantry");
    json_put_text(driver, "version", TENANTRY_VERSION);
    json_put(driver, "rules", rules);
    Json *tool = json_object();
    json_put(tool, "driver", driver);
    Json *run = json_object();
    json_put(run, "tool", tool);
    json_put(run, "results", results);
    Json *runs = json_array();
    json_array_append_new(runs, run);
    Json *log = json_object();
    json_put_text(log, "$schema", SARIF_SCHEMA);
    json_put_text(log, "version", "2.1.0");
    json_put(log, "runs", runs);
    return log;
}

/* --- GitHub ----------------------------------------------------------------------------------- */

/* A workflow command ends at a line's end, a property of it at a comma or colon. */
static void add_escaped(StrBuf *buf, const char *text, const char *special)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (strchr(special, *c) != NULL) {
            strbuf_printf(buf, "%%%02X", (unsigned)(unsigned char)*c);
        } else {
            strbuf_add_char(buf, *c);
        }
    }
}

const char *lint_to_github(Arena *arena, const char *folder, const LintFinding *findings,
                           size_t count)
{
    static const char in_property[] = "%\r\n:,";
    static const char in_text[] = "%\r\n";
    StrBuf buf = strbuf_init(arena);
    for (size_t i = 0; i < count; i++) {
        if (findings[i].silenced != NULL) {
            continue;
        }
        strbuf_printf(&buf, "::%s file=", level_of(&findings[i]));
        add_escaped(&buf, path_of(arena, folder, findings[i].file), in_property);
        strbuf_printf(&buf, ",line=%d", findings[i].line);
        if (findings[i].column > 0) {
            strbuf_printf(&buf, ",col=%d", findings[i].column);
        }
        strbuf_add(&buf, ",title=");
        add_escaped(&buf, findings[i].rule, in_property);
        strbuf_add(&buf, "::");
        add_escaped(&buf, findings[i].message, in_text);
        if (findings[i].hint != NULL) {
            strbuf_add(&buf, "; ");
            add_escaped(&buf, findings[i].hint, in_text);
        }
        strbuf_add_char(&buf, '\n');
    }
    return buf.text;
}
