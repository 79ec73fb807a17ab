/* What the objects of findings are like, told with their evidence. */
#include <string.h>

#include "core/embedded_file.h"
#include "isolation/isolation.h"
#include "secret/secret.h"

static const char path[] = "src/isolation/definition.sql";

static const char *objects_text(Arena *arena, const FindingList *list)
{
    scoped_json Json *objects = json_array();
    for (size_t i = 0; i < list->count; i++) {
        json_array_append_new(objects, json_string(list->findings[i].object));
    }
    return json_to_text(arena, objects);
}

/* A second way to the same object makes another evidence, but no other object: the hash is of both.
 * what: of the object; NULL when it gives nothing. */
static bool add_definition(Arena *arena, Finding *finding, const char *what, Err *err)
{
    enum { DIGITS = 32 };
    const char *hex = NULL;
    const char *text = arena_printf(arena, "%s\n%s", finding->evidence, what == NULL ? "" : what);
    if (!secret_sha256_hex(arena, text, strlen(text), &hex, err)) {
        return false;
    }
    finding->definition = arena_strndup(arena, hex, DIGITS);
    finding->evidence = arena_printf(arena, "%s (definition %s%s)", finding->evidence,
                                     finding->definition,
                                     what == NULL ? ", of this evidence alone" : "");
    return true;
}

static bool add_each(Arena *arena, FindingList *list, const char *const *whats, Err *err)
{
    bool is_good = true;
    for (size_t i = 0; is_good && i < list->count; i++) {
        is_good = add_definition(arena, &list->findings[i], whats[i], err);
    }
    return is_good;
}

bool isolation_add_definitions(Arena *arena, Store *store, FindingList *list, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    const EmbeddedFile *file = embedded_file_find(path);
    if (file == NULL) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "\"%s\" is not in the binary", path);
    }
    if (list->count == 0) {
        return true;
    }
    if (!pg_query(store->conn, file->text, PG_PARAMS(objects_text(arena, list)), &rows, err)) {
        return err_prefix(err, "the definitions of what was found");
    }
    const char **whats = ARENA_ARRAY(arena, const char *, list->count);
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const size_t number = (size_t)pg_rows_int(rows, i, 0); /* from 1 on */
        whats[number - 1] = pg_rows_text(rows, i, 1);
    }
    return add_each(arena, list, whats, err);
}
