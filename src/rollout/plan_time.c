/* How long a plan's statements would keep tables locked, by the sizes that these have. */
#include <string.h>

#include "core/duration.h"
#include "rollout/rollout_parts.h"

/* Tables of one name in the places that are at one version. */
typedef struct Size {
    const char *table;
    int64_t version;
    int64_t largest_bytes;
    int64_t all_bytes;
} Size;

static const char *table_names(Arena *arena, const LockTime *times)
{
    scoped_json Json *names = json_array();
    for (const LockTime *time = times; time != NULL; time = time->next) {
        json_array_append_new(names, json_string(time->table));
    }
    return json_to_text(arena, names);
}

static bool read_sizes(Arena *arena, Store *store, PgParams params, Size **ret_sizes,
                       size_t *ret_count, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!store_query(store, PLAN_SIZES, params, &rows, err)) {
        return false;
    }
    *ret_count = pg_rows_count(rows);
    *ret_sizes = ARENA_ARRAY(arena, Size, *ret_count);
    for (size_t i = 0; i < *ret_count; i++) {
        (*ret_sizes)[i] = (Size){.table = arena_strdup(arena, pg_rows_text(rows, i, 0)),
                                 .version = pg_rows_int(rows, i, 1),
                                 .largest_bytes = pg_rows_int(rows, i, 2),
                                 .all_bytes = pg_rows_int(rows, i, 3)};
    }
    return true;
}

/* A script runs in the places that are behind its version. */
static Size size_of(const LockTime *time, const Size *sizes, size_t count)
{
    Size size = {0};
    for (size_t i = 0; i < count; i++) {
        if (strcmp(sizes[i].table, time->table) == 0 && sizes[i].version < time->version) {
            const int64_t largest = sizes[i].largest_bytes;
            size.largest_bytes = largest > size.largest_bytes ? largest : size.largest_bytes;
            size.all_bytes += sizes[i].all_bytes;
        }
    }
    return size;
}

static int64_t add_time(Arena *arena, const LockTime *time, const Size *size)
{
    const int64_t largest_ms = lock_work_ms(time->work, size->largest_bytes);
    const int64_t all_ms = lock_work_ms(time->work, size->all_bytes);
    json_put_int(time->row, "largest_bytes", size->largest_bytes);
    json_put_int(time->row, "largest_ms", largest_ms);
    json_put_int(time->row, "all_ms", all_ms);
    if (all_ms > 0) {
        const char *text = arena_printf(arena, "%s, about %s in the largest place, %s in all",
                                        json_string_value(json_array_get(time->shown, time->at)),
                                        duration_to_rough_text(arena, largest_ms),
                                        duration_to_rough_text(arena, all_ms));
        json_array_set_new(time->shown, time->at, json_string(text));
    }
    return all_ms;
}

bool plan_add_times(Arena *arena, Store *store, const char *blueprint, const char *slugs,
                    const LockTime *times, int64_t *ret_all_ms, Err *err)
{
    Size *sizes = NULL;
    size_t count = 0;
    *ret_all_ms = 0;
    if (times != NULL &&
        !read_sizes(arena, store, PG_PARAMS(blueprint, slugs, table_names(arena, times)), &sizes,
                    &count, err)) {
        return false;
    }
    for (const LockTime *time = times; time != NULL; time = time->next) {
        const Size size = size_of(time, sizes, count);
        *ret_all_ms += add_time(arena, time, &size);
    }
    return true;
}
