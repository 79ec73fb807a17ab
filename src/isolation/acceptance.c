#include <string.h>

#include "isolation/isolation.h"

bool isolation_load_acceptances(Arena *arena, Store *store, Acceptances *ret_acceptances, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, ISOLATION_ACCEPTANCES, PG_NO_PARAMS, &rows, err)) {
        return false;
    }
    const size_t count = pg_rows_count(rows);
    Acceptance *list = ARENA_ARRAY(arena, Acceptance, count);
    for (size_t i = 0; i < count; i++) {
        list[i] = (Acceptance){.finding_id = arena_strdup(arena, pg_rows_text(rows, i, 0)),
                               .evidence = arena_strdup(arena, pg_rows_text(rows, i, 1)),
                               .reason = arena_strdup(arena, pg_rows_text(rows, i, 2)),
                               .actor = arena_strdup(arena, pg_rows_text(rows, i, 3)),
                               .until = arena_strdup(arena, pg_rows_text(rows, i, 4))};
    }
    *ret_acceptances = (Acceptances){.list = list, .count = count};
    return true;
}

const Acceptance *isolation_find_acceptance(const Acceptances *acceptances, const Finding *finding)
{
    for (size_t i = 0; i < acceptances->count; i++) {
        if (strcmp(acceptances->list[i].finding_id, finding->id) == 0 &&
            strcmp(acceptances->list[i].evidence, finding->evidence) == 0) {
            return &acceptances->list[i];
        }
    }
    return NULL;
}
