#include "blueprint/fingerprint.h"

#include <string.h>

#include "core/embedded_file.h"
#include "core/json.h"

static const char query_path[] = "src/blueprint/fingerprint.sql";

/* One digest per place. An array's text is unambiguous, and names are replaced in it once. */
#define DIGEST_HEAD                                                                                \
    "SELECT g.schema, encode(sha256(convert_to(CASE WHEN p.alias IS NULL"                          \
    " THEN replace(replace(r.text, p.schema || '.', ''), p.schema, '{schema}')"                    \
    " ELSE replace(r.text, p.schema, p.alias) END, 'UTF8')), 'hex')"                               \
    " FROM (SELECT l.schema, array_agg(concat(l.kind, ' ', quote_ident(l.name), ' ', l.raw)"       \
    " ORDER BY l.kind COLLATE \"C\", l.name COLLATE \"C\")::text AS lines FROM"
#define DIGEST_TAIL                                                                                \
    "GROUP BY l.schema) g JOIN json_to_recordset($1::json)"                                        \
    " AS p (schema text, owner text, app text, readonly text, alias text) ON p.schema = g.schema"  \
    " CROSS JOIN LATERAL (SELECT replace(replace(replace(g.lines, p.owner, '{owner}'),"            \
    " p.app, '{app}'), p.readonly, '{readonly}') AS text) r ORDER BY g.schema COLLATE \"C\""

static const char *subjects_to_json(Arena *arena, const FingerprintSubject *subjects, size_t count)
{
    scoped_json Json *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const Place *place = subjects[i].place;
        Json *entry = json_object();
        json_put_text(entry, "schema", place->schema_name);
        json_put_text(entry, "owner", place->owner_role);
        json_put_text(entry, "app", place->app_role);
        json_put_text(entry, "readonly", place->readonly_role);
        json_put_text(entry, "alias", subjects[i].alias);
        json_put_bool(entry, "is_locked", subjects[i].is_locked);
        json_array_append_new(list, entry);
    }
    return json_to_text(arena, list);
}

/* Runs a statement over the lines: head, the query in parentheses, tail. */
static bool query_lines(Arena *arena, PgConn *conn, const char *head, const char *tail,
                        const FingerprintSubject *subjects, size_t count, PgRows **ret_rows,
                        Err *err)
{
    const EmbeddedFile *file = embedded_file_find(query_path);
    if (file == NULL) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "\"%s\" is not in the binary", query_path);
    }
    return pg_query(conn, arena_printf(arena, "%s (%s) l %s", head, file->text, tail),
                    PG_PARAMS(subjects_to_json(arena, subjects, count)), ret_rows, err);
}

bool fingerprint_lines(Arena *arena, PgConn *conn, const FingerprintSubject *subjects, size_t count,
                       const FingerprintLine **ret_lines, size_t *ret_count, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!query_lines(arena, conn,
                     "SELECT l.schema, l.kind, l.name, coalesce(l.definition, '') FROM",
                     "ORDER BY l.schema COLLATE \"C\", l.kind COLLATE \"C\", l.name COLLATE \"C\","
                     " l.definition COLLATE \"C\"",
                     subjects, count, &rows, err)) {
        return false;
    }
    *ret_count = pg_rows_count(rows);
    FingerprintLine *lines = ARENA_ARRAY(arena, FingerprintLine, *ret_count);
    for (size_t i = 0; i < *ret_count; i++) {
        lines[i] = (FingerprintLine){.schema = arena_strdup(arena, pg_rows_text(rows, i, 0)),
                                     .kind = arena_strdup(arena, pg_rows_text(rows, i, 1)),
                                     .name = arena_strdup(arena, pg_rows_text(rows, i, 2)),
                                     .definition = arena_strdup(arena, pg_rows_text(rows, i, 3))};
    }
    *ret_lines = lines;
    return true;
}

bool fingerprint_place(Arena *arena, PgConn *conn, const FingerprintSubject *subject,
                       const char **ret_fingerprint, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!query_lines(arena, conn, DIGEST_HEAD, DIGEST_TAIL, subject, 1, &rows, err)) {
        return false;
    }
    *ret_fingerprint = pg_rows_count(rows) == 0 ? NULL
                                                : arena_strdup(arena, pg_rows_text(rows, 0, 1));
    return true;
}

bool fingerprint_compare(Arena *arena, PgConn *conn, const FingerprintSubject *subjects,
                         size_t count, const char *expected, FingerprintMatch *ret_matches,
                         Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!query_lines(arena, conn, DIGEST_HEAD, DIGEST_TAIL, subjects, count, &rows, err)) {
        return false;
    }
    size_t row = 0;
    for (size_t i = 0; i < count; i++) {
        ret_matches[i] = FINGERPRINT_GONE;
        if (row < pg_rows_count(rows) &&
            strcmp(pg_rows_text(rows, row, 0), subjects[i].place->schema_name) == 0) {
            ret_matches[i] = strcmp(pg_rows_text(rows, row, 1), expected) == 0 ? FINGERPRINT_SAME
                                                                               : FINGERPRINT_OTHER;
            row++;
        }
    }
    return row == pg_rows_count(rows) ||
           ERR_SET(err, ERR_INTERNAL, NULL, "places are not in the order of their names");
}

/* Order of two lines by what they describe. */
static int compare_objects(const FingerprintLine *a, const FingerprintLine *b)
{
    const int kind = strcmp(a->kind, b->kind);
    return kind != 0 ? kind : strcmp(a->name, b->name);
}

bool fingerprint_next(FingerprintWalk *walk, FingerprintDifference *ret_difference)
{
    while (walk->expected_at < walk->expected_count || walk->found_at < walk->found_count) {
        const FingerprintLine *expected = walk->expected_at < walk->expected_count
                                              ? &walk->expected[walk->expected_at]
                                              : NULL;
        const FingerprintLine *found = walk->found_at < walk->found_count
                                           ? &walk->found[walk->found_at]
                                           : NULL;
        const int order = expected == NULL ? 1
                          : found == NULL  ? -1
                                           : compare_objects(expected, found);
        walk->expected_at += order <= 0 ? 1 : 0;
        walk->found_at += order >= 0 ? 1 : 0;
        if (order != 0 || strcmp(expected->definition, found->definition) != 0) {
            *ret_difference = (FingerprintDifference){.expected = order <= 0 ? expected : NULL,
                                                      .found = order >= 0 ? found : NULL};
            return true;
        }
    }
    return false;
}

const char *fingerprint_difference(Arena *arena, const FingerprintLine *expected,
                                   size_t expected_count, const FingerprintLine *found,
                                   size_t found_count)
{
    FingerprintWalk walk = {.expected = expected,
                            .found = found,
                            .expected_count = expected_count,
                            .found_count = found_count};
    FingerprintDifference difference = {0};
    const bool is_different = fingerprint_next(&walk, &difference);
    const FingerprintLine *line = difference.expected != NULL ? difference.expected
                                                              : difference.found;
    if (!is_different || line == NULL) {
        return NULL;
    }
    return arena_printf(arena, "%s \"%s\" is %s", line->kind, line->name,
                        difference.found == NULL      ? "missing"
                        : difference.expected == NULL ? "not expected"
                                                      : "different");
}
