/* Dynamic SQL hides tables and foreign keys from the lint's parse trees, but not from the
 * catalogue: here the migrations run, and the rules of whole tables, and those of the row tier that
 * the catalogue can answer, are asked of what they made.
 *
 * Which statement it was that made a finding is looked for by halves, with fewer and fewer
 * statements at the end: seldom needed, and every answer is one that was seen. */
#include <string.h>

#include "blueprint/lint.h"
#include "blueprint/place_parts.h"
#include "blueprint/trial_parts.h"
#include "core/array.h"
#include "core/strbuf.h"
#include "pg/text_array.h"

enum { TRIAL_NAME_BYTES = 6 };

/* A statement of the migrations that this server would run. */
typedef struct Step {
    const BlueprintMigration *migration;
    const SqlStatement *statement;
} Step;

typedef struct Look {
    Arena *arena;
    Store *store;
    const Blueprint *blueprint;
    Extensions extensions;
    const Step *steps;
    size_t step_count;
} Look;

static bool read_steps(Look *look, Err *err)
{
    const BlueprintMigration *const *migrations = NULL;
    size_t migration_count = 0;
    size_t count = 0;
    blueprint_select_migrations(look->arena, look->blueprint, 0, look->extensions.names,
                                look->extensions.count, &migrations, &migration_count);
    SqlScript *scripts = ARENA_ARRAY(look->arena, SqlScript, migration_count);
    for (size_t i = 0; i < migration_count; i++) {
        if (!sql_script_split(look->arena, migrations[i]->file, migrations[i]->up,
                              ERR_BLUEPRINT_INVALID, &scripts[i], err)) {
            return false;
        }
        count += scripts[i].count;
    }
    Step *steps = ARENA_ARRAY(look->arena, Step, count);
    for (size_t i = 0; i < migration_count; i++) {
        for (size_t j = 0; j < scripts[i].count; j++) {
            steps[look->step_count++] = (Step){migrations[i], &scripts[i].statements[j]};
        }
    }
    look->steps = steps;
    return true;
}

/* The first `count` statements as a blueprint of one migration. What its manifest says of tables
 * need not be true yet. */
static Blueprint cut(const Look *look, size_t count)
{
    StrBuf text = strbuf_init(look->arena);
    for (size_t i = 0; i < count; i++) {
        strbuf_printf(&text, "%s\n;\n", look->steps[i].statement->text);
    }
    BlueprintMigration *all = ARENA_NEW(look->arena, BlueprintMigration);
    if (count > 0) {
        *all = *look->steps[0].migration;
    }
    all->extension = NULL;
    all->up = text.text;
    Blueprint blueprint = *look->blueprint;
    blueprint.migrations = all;
    blueprint.migration_count = count > 0 ? 1 : 0;
    blueprint.append_only_count = 0;
    blueprint.shared_count = 0;
    return blueprint;
}

bool trial_make_structure(Arena *arena, Store *store, const Blueprint *blueprint,
                          const Extensions *extensions, Place *ret_place, Err *err)
{
    const char *hex = NULL;
    bool has_variant = false;
    scoped_batch PgBatch *batch = pg_batch_new(arena);
    const PlaceSource source = {.blueprint = blueprint, .extensions = extensions};
    if (!secret_random_hex(arena, TRIAL_NAME_BYTES, &hex, err) ||
        !place_name(arena, blueprint, TIER_SCHEMA, arena_printf(arena, "trial_%s", hex), ret_place,
                    err)) {
        return false;
    }
    place_add_role(arena, batch, ret_place->app_role);
    place_add_role(arena, batch, ret_place->readonly_role);
    return place_add_structure(arena, store, batch, &source, ret_place, &has_variant, err) &&
           pg_batch_run(store->conn, batch, err);
}

static bool read_tables(Lint *lint, PgConn *conn, const char *schema, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query(conn, store_sql(TRIAL_TABLES), PG_PARAMS(schema), &rows, err)) {
        return false;
    }
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        LintTable *table = ARENA_NEW(lint->arena, LintTable);
        *table = (LintTable){.next = lint->tables,
                             .name = arena_strdup(lint->arena, pg_rows_text(rows, i, 0)),
                             .is_partition = pg_rows_bool(rows, i, 1),
                             .has_tenant_id = pg_rows_text(rows, i, 2) != NULL,
                             .is_uuid = pg_rows_bool(rows, i, 2),
                             .is_not_null = pg_rows_bool(rows, i, 3),
                             .has_default = pg_rows_bool(rows, i, 4)};
        lint->tables = table;
    }
    return true;
}

static bool read_keys(Lint *lint, PgConn *conn, const char *schema, Err *err)
{
    scoped_rows PgRows *rows = NULL;
    if (!pg_query(conn, store_sql(TRIAL_KEYS), PG_PARAMS(schema), &rows, err)) {
        return false;
    }
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        LintKey *key = ARENA_NEW(lint->arena, LintKey);
        *key = (LintKey){.next = lint->keys,
                         .from = lint_find_table(lint, pg_rows_text(rows, i, 0)),
                         .to = lint_find_table(lint, pg_rows_text(rows, i, 1)),
                         .is_deferrable = pg_rows_bool(rows, i, 2)};
        lint->keys = key;
    }
    return true;
}

/* Rules of the row tier that the lint asks of statements. */
static bool find_in_catalogue(const Look *look, const char *schema, Lint *lint, Err *err)
{
    static const struct {
        const char *name;
        LintRule rule;
    } rules[] = {
        {"row_foreign_key", LINT_RULE_row_foreign_key},
        {"row_materialized_view", LINT_RULE_row_materialized_view},
        {"row_unique_without_tenant_id", LINT_RULE_row_unique_without_tenant_id},
        {"row_view_without_invoker", LINT_RULE_row_view_without_invoker},
    };
    scoped_rows PgRows *rows = NULL;
    if (!lint->is_row) {
        return true;
    }
    if (!pg_query(look->store->conn, store_sql(TRIAL_ROW_RELATIONS),
                  PG_PARAMS(schema, pg_array_of(look->arena, look->blueprint->shared,
                                                look->blueprint->shared_count)),
                  &rows, err)) {
        return false;
    }
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(rules); j++) {
            if (strcmp(rules[j].name, pg_rows_text(rows, i, 0)) == 0) {
                lint_report_at(lint, rules[j].rule,
                               arena_printf(lint->arena, "%s \"%s\"", pg_rows_text(rows, i, 1),
                                            pg_rows_text(rows, i, 2)),
                               NULL, 0, false);
            }
        }
    }
    return true;
}

/* The rules of tables at the end of all migrations, of the tables that are there. */
static bool lint_place(const Look *look, const Place *place, Lint *lint, Err *err)
{
    PgConn *conn = look->store->conn;
    *lint = (Lint){.arena = look->arena,
                   .blueprint = look->blueprint,
                   .is_row = blueprint_has_tier(look->blueprint, TIER_ROW)};
    if (!read_tables(lint, conn, place->schema_name, err) ||
        !read_keys(lint, conn, place->schema_name, err)) {
        return false;
    }
    lint_check_tables(lint);
    lint_check_cycles(lint);
    return find_in_catalogue(look, place->schema_name, lint, err);
}

/* What the rules find after the first `count` statements. Statements that fail find nothing: the
 * trial of each tier, which comes after this, says why. */
static bool find_after(const Look *look, size_t count, Lint *ret_lint, Err *err)
{
    Err ignored;
    Place place;
    PgConn *conn = look->store->conn;
    const Blueprint blueprint = cut(look, count);
    if (!pg_query(conn, "SAVEPOINT trial_lint", PG_NO_PARAMS, NULL, err)) {
        return false;
    }
    if (!trial_make_structure(look->arena, look->store, &blueprint, &look->extensions, &place,
                              &ignored) ||
        !lint_place(look, &place, ret_lint, &ignored)) {
        ret_lint->count = 0;
    }
    return pg_query(conn, "ROLLBACK TO SAVEPOINT trial_lint", PG_NO_PARAMS, NULL, err) &&
           pg_query(conn, "RELEASE SAVEPOINT trial_lint", PG_NO_PARAMS, NULL, err);
}

static bool has_finding(const Lint *lint, const LintFinding *wanted)
{
    for (size_t i = 0; i < lint->count; i++) {
        if (strcmp(lint->findings[i].rule, wanted->rule) == 0 &&
            strcmp(lint->findings[i].message, wanted->message) == 0) {
            return true;
        }
    }
    return false;
}

/* Without the last statement but `least` it is not there, with `most` it is. */
static bool find_step(const Look *look, const LintFinding *finding, const Step **ret_step, Err *err)
{
    size_t least = 0;
    size_t most = look->step_count;
    while (most - least > 1) {
        Lint lint = {0};
        const size_t middle = least + (most - least) / 2;
        if (!find_after(look, middle, &lint, err)) {
            return false;
        }
        if (has_finding(&lint, finding)) {
            most = middle;
        } else {
            least = middle;
        }
    }
    *ret_step = &look->steps[most - 1];
    return true;
}

static bool refuse(const Look *look, const LintFinding *finding, Err *err)
{
    const Step *step = NULL;
    return find_step(look, finding, &step, err) &&
           ERR_SET(err, ERR_BLUEPRINT_INVALID, finding->hint, "%s:%d: %s (%s)",
                   step->migration->file, step->statement->line, finding->message, finding->rule);
}

bool trial_lint(Arena *arena, Store *store, const Blueprint *blueprint, Err *err)
{
    Lint lint = {0};
    Look look = {.arena = arena, .store = store, .blueprint = blueprint};
    if (!registry_find_extensions(arena, store, blueprint, &look.extensions, err) ||
        !place_ensure_extensions(arena, store, blueprint, &look.extensions, err) ||
        !read_steps(&look, err) || !find_after(&look, look.step_count, &lint, err)) {
        return false;
    }
    for (size_t i = 0; i < lint.count; i++) {
        if (lint.findings[i].severity == LINT_ERROR) {
            return refuse(&look, &lint.findings[i], err);
        }
    }
    return true;
}
