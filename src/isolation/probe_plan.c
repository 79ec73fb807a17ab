#include <string.h>

#include "core/array.h"
#include "core/embedded_file.h"
#include "isolation/probe_parts.h"

const char *probe_sql(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "src/isolation/%s", name);
    return embedded_file_find(path)->text;
}

/* Columns as probe_tenants.sql and probe_neighbours.sql list them. */
static ProbeTenants read_tenants(Arena *arena, const PgRows *rows)
{
    const size_t count = pg_rows_count(rows);
    ProbeTenant *list = ARENA_ARRAY(arena, ProbeTenant, count);
    for (size_t i = 0; i < count; i++) {
        const char **const columns[] = {
            &list[i].id,        &list[i].slug,           &list[i].blueprint, &list[i].plan,
            &list[i].tier,      &list[i].state,          &list[i].schema,    &list[i].owner,
            &list[i].app_group, &list[i].readonly_group, &list[i].app,       &list[i].readonly};
        for (size_t c = 0; c < ARRAY_COUNT(columns); c++) {
            *columns[c] = arena_strdup(arena, pg_rows_text(rows, i, c));
        }
    }
    return (ProbeTenants){.list = list, .count = count};
}

bool probe_list_tenants(Arena *arena, Store *store, const ProbeOptions *options,
                        ProbeTenants *ret_tenants, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    const bool is_sample = options->pairs > 0 && !options->is_all_pairs;
    if (!pg_query(store->conn, probe_sql("probe_tenants.sql"),
                  PG_PARAMS(options->tenant_id, pg_int_text(arena, options->seed),
                            is_sample ? pg_int_text(arena, options->pairs) : NULL),
                  &rows, err)) {
        return false;
    }
    *ret_tenants = read_tenants(arena, rows);
    return options->tenant_id == NULL || ret_tenants->count > 0 ||
           ERR_SET(err, ERR_TENANT_MISSING, NULL, "no tenant with a place has the id \"%s\"",
                   options->tenant_id);
}

bool probe_list_neighbours(Arena *arena, Store *store, const ProbeTenant *tenant, int64_t seed,
                           int64_t most, ProbeTenants *ret_neighbours, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query(store->conn, probe_sql("probe_neighbours.sql"),
                  PG_PARAMS(tenant->id, tenant->blueprint, pg_int_text(arena, seed),
                            most > 0 ? pg_int_text(arena, most) : NULL),
                  &rows, err)) {
        return false;
    }
    *ret_neighbours = read_tenants(arena, rows);
    return true;
}
