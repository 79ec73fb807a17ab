#include "blueprint/fingerprint.h"

#include <string.h>

#include "core/embedded_file.h"
#include "core/json.h"

static const char query_path[] = "src/blueprint/fingerprint.sql";

static const char *places_to_json(Arena *arena, const Place *places, size_t count)
{
    scoped_json Json *list = json_array();
    for (size_t i = 0; i < count; i++) {
        Json *entry = json_object();
        json_put_text(entry, "schema", places[i].schema_name);
        json_put_text(entry, "owner", places[i].owner_role);
        json_put_text(entry, "app", places[i].app_role);
        json_put_text(entry, "readonly", places[i].readonly_role);
        json_array_append_new(list, entry);
    }
    return json_to_text(arena, list);
}

/* Runs a statement over the lines: head, the query in parentheses, tail. */
static bool query_lines(Arena *arena, PgConn *conn, const char *head, const char *tail,
                        const Place *places, size_t count, PgRows **ret_rows, Err *err)
{
    const EmbeddedFile *file = embedded_file_find(query_path);
    if (file == NULL) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "\"%s\" is not in the binary", query_path);
    }
    return pg_query(conn, arena_printf(arena, "%s (%s) l %s", head, file->text, tail),
                    PG_PARAMS(places_to_json(arena, places, count)), ret_rows, err);
}

bool fingerprint_lines(Arena *arena, PgConn *conn, const Place *places, size_t count,
                       const FingerprintLine **ret_lines, size_t *ret_count, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!query_lines(arena, conn,
                     "SELECT l.schema, l.kind, l.name, coalesce(l.definition, '') FROM",
                     "ORDER BY l.schema COLLATE \"C\", l.kind COLLATE \"C\", l.name COLLATE \"C\","
                     " l.definition COLLATE \"C\"",
                     places, count, &rows, err)) {
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

bool fingerprint_places(Arena *arena, PgConn *conn, const Place *places, size_t count,
                        const char *const **ret_fingerprints, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    /* Each part is preceded by its length, so that no two lists of lines give the same bytes. */
    if (!query_lines(arena, conn,
                     "SELECT l.schema, encode(sha256(convert_to(string_agg("
                     "concat(length(l.kind), ':', l.kind, length(l.name), ':', l.name,"
                     " length(l.definition), ':', l.definition), ',' ORDER BY l.kind COLLATE \"C\","
                     " l.name COLLATE \"C\", l.definition COLLATE \"C\"), 'UTF8')), 'hex') FROM",
                     "GROUP BY l.schema", places, count, &rows, err)) {
        return false;
    }
    const char **fingerprints = ARENA_ARRAY(arena, const char *, count);
    for (size_t row = 0; row < pg_rows_count(rows); row++) {
        for (size_t i = 0; i < count; i++) {
            if (strcmp(places[i].schema_name, pg_rows_text(rows, row, 0)) == 0) {
                fingerprints[i] = arena_strdup(arena, pg_rows_text(rows, row, 1));
            }
        }
    }
    *ret_fingerprints = fingerprints;
    return true;
}

/* Order of two lines by what they describe. */
static int compare_objects(const FingerprintLine *a, const FingerprintLine *b)
{
    const int kind = strcmp(a->kind, b->kind);
    return kind != 0 ? kind : strcmp(a->name, b->name);
}

const char *fingerprint_difference(Arena *arena, const FingerprintLine *expected,
                                   size_t expected_count, const FingerprintLine *found,
                                   size_t found_count)
{
    for (size_t i = 0; i < expected_count || i < found_count; i++) {
        const int order = i == expected_count ? 1
                          : i == found_count  ? -1
                                              : compare_objects(&expected[i], &found[i]);
        const FingerprintLine *line = order > 0 ? &found[i] : &expected[i];
        if (order != 0 || strcmp(expected[i].definition, found[i].definition) != 0) {
            return arena_printf(arena, "%s \"%s\" is %s", line->kind, line->name,
                                order == 0  ? "different"
                                : order < 0 ? "missing"
                                            : "not expected");
        }
    }
    return NULL;
}
