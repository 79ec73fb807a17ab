/* What a place should be: one is made, read and rolled back. */
#include <string.h>

#include "blueprint/trial.h"
#include "core/embedded_file.h"
#include "rollout/drift_parts.h"

static const char recipes_path[] = "src/rollout/drift_mend.sql";

static bool read_recipes(Arena *arena, PgConn *conn, const char *alias, DriftReference *reference,
                         Err *err)
{
    const EmbeddedFile *file = embedded_file_find(recipes_path);
    const Place *place = reference->place;
    scoped_rows PgRows *rows = NULL;
    if (file == NULL) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "\"%s\" is not in the binary", recipes_path);
    }
    if (!pg_query(conn, file->text,
                  PG_PARAMS(place->schema_name, place->owner_role, place->app_role,
                            place->readonly_role, alias),
                  &rows, err)) {
        return false;
    }
    reference->recipe_count = pg_rows_count(rows);
    DriftRecipe *recipes = ARENA_ARRAY(arena, DriftRecipe, reference->recipe_count);
    for (size_t i = 0; i < reference->recipe_count; i++) {
        recipes[i] = (DriftRecipe){.kind = arena_strdup(arena, pg_rows_text(rows, i, 0)),
                                   .name = arena_strdup(arena, pg_rows_text(rows, i, 1)),
                                   .statement = arena_strdup(arena, pg_rows_text(rows, i, 2)),
                                   .shape = arena_strdup(arena, pg_rows_text(rows, i, 3)),
                                   .needed = arena_strdup(arena, pg_rows_text(rows, i, 4))};
    }
    reference->recipes = recipes;
    return true;
}

static bool make_and_read(Arena *arena, Store *store, const Blueprint *blueprint, Tier tier,
                          const char *alias, DriftReference *reference, Err *err)
{
    if (!blueprint_try_place(arena, store, blueprint, tier, &reference->place, err)) {
        return false;
    }
    const FingerprintSubject subject = {.place = reference->place, .alias = alias};
    return fingerprint_place(arena, store->conn, &subject, &reference->fingerprint, err) &&
           fingerprint_lines(arena, store->conn, &subject, 1, &reference->lines,
                             &reference->line_count, err) &&
           read_recipes(arena, store->conn, alias, reference, err) &&
           drift_read_levels(arena, store->conn, reference->place->schema_name, alias, NULL,
                             &reference->levels, err);
}

bool drift_reference_make(Arena *arena, Store *store, const Blueprint *blueprint, Tier tier,
                          const char *alias, DriftReference *ret_reference, Err *err)
{
    DriftReference reference = {0};
    if (!pg_begin(store->conn, err)) {
        return false;
    }
    const bool is_read = make_and_read(arena, store, blueprint, tier, alias, &reference, err);
    pg_rollback(store->conn);
    if (is_read) {
        *ret_reference = reference;
    }
    return is_read;
}

bool drift_reference_make_within(Arena *arena, Store *store, const Blueprint *blueprint, Tier tier,
                                 const char *alias, DriftReference *ret_reference, Err *err)
{
    DriftReference reference = {0};
    if (!pg_query(store->conn, "SAVEPOINT reference", PG_NO_PARAMS, NULL, err) ||
        !make_and_read(arena, store, blueprint, tier, alias, &reference, err) ||
        !pg_query(store->conn, "ROLLBACK TO SAVEPOINT reference", PG_NO_PARAMS, NULL, err) ||
        !pg_query(store->conn, "RELEASE SAVEPOINT reference", PG_NO_PARAMS, NULL, err)) {
        return false;
    }
    *ret_reference = reference;
    return true;
}

bool drift_reference_mentions(const DriftReference *reference, const char *word)
{
    for (size_t i = 0; i < reference->line_count; i++) {
        const FingerprintLine *line = &reference->lines[i];
        if (strstr(line->name, word) != NULL || strstr(line->definition, word) != NULL) {
            return true;
        }
    }
    return false;
}
