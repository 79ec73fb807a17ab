/* What the objects of findings are like, told with their evidence. */
#include "core/embedded_file.h"
#include "isolation/isolation.h"

static const char path[] = "src/isolation/definition.sql";

static const char *objects_text(Arena *arena, const FindingList *list)
{
    scoped_json Json *objects = json_array();
    for (size_t i = 0; i < list->count; i++) {
        json_array_append_new(objects, json_string(list->findings[i].object));
    }
    return json_to_text(arena, objects);
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
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        const size_t number = (size_t)pg_rows_int(rows, i, 0); /* from 1 on */
        Finding *finding = &list->findings[number - 1];
        finding->evidence = arena_printf(arena, "%s (definition %s)", finding->evidence,
                                         pg_rows_text(rows, i, 1));
    }
    return true;
}
