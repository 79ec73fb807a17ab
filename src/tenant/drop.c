#include "tenant/drop.h"

#include "blueprint/place.h"
#include "pg/sql.h"

void drop_add_schema(Arena *arena, PgBatch *batch, const Place *place)
{
    place_enter_role(arena, batch, place->owner_role, "pg_catalog");
    pg_batch_add(
        batch, SQL(arena, "DROP SCHEMA IF EXISTS {} CASCADE", sql_name(arena, place->schema_name)),
        PG_NO_PARAMS);
    place_leave_role(arena, batch, place->owner_role);
}

/* Default privileges and other entries that name a role go with DROP OWNED, which takes membership.
 */
void drop_add_roles(Arena *arena, PgBatch *batch, const char *const *roles, size_t count)
{
    static const char *const templates[] = {"GRANT {} TO CURRENT_USER", "DROP OWNED BY {} CASCADE",
                                            "DROP ROLE {}"};
    for (size_t t = 0; t < sizeof templates / sizeof *templates; t++) {
        for (size_t i = 0; i < count; i++) {
            pg_batch_add(batch, SQL(arena, templates[t], sql_name(arena, roles[i])), PG_NO_PARAMS);
        }
    }
}
