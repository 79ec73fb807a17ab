/* A blueprint: the shape of a tenant's data, loaded from a pack folder or from the files in the
 * binary, or from JSON as the control schema keeps it.
 *
 * A pack folder holds blueprint.yaml and migrations/. docs/blueprints.md describes every key.
 * Nothing here talks to a database. Loading a folder blocks on the files. */
#ifndef TENANTRY_BLUEPRINT_BLUEPRINT_H
#define TENANTRY_BLUEPRINT_BLUEPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/json.h"

typedef enum Tier { TIER_ROW, TIER_SCHEMA, TIER_CLUSTER, TIER_COUNT_ } Tier;

const char *tier_name(Tier tier); /* "row", "schema", "cluster" */
bool tier_from_name(const char *name, Tier *ret_tier);

typedef struct BlueprintLimit {
    const char *name; /* "max_portfolios" */
    bool is_unlimited;
    int64_t value;
} BlueprintLimit;

typedef struct BlueprintSetting {
    const char *name;  /* a PostgreSQL setting from the allowed list (blueprint/settings.def) */
    const char *value; /* as text, checked */
} BlueprintSetting;

typedef struct BlueprintPlan {
    const char *name;
    const char *title;
    const char *description;
    bool is_default;
    size_t feature_count;
    const char **features;
    size_t limit_count;
    const BlueprintLimit *limits;
    size_t setting_count;
    const BlueprintSetting *settings;
} BlueprintPlan;

/* A change of all rows of a table that is made in batches: V0007__fill_total.backfill.yaml. */
typedef struct BlueprintBackfill {
    const char *table;
    const char *key; /* a column that orders the rows, NOT NULL and the first of an index */
    int64_t batch_size;
    int64_t pause_ms;      /* between batches */
    const char *statement; /* changes the rows whose key is from $1 to $2, both included */
    int line;              /* of the statement in the file; 0 when read from JSON */
} BlueprintBackfill;

/* One migration, or one variant of it: V0002__time_series.sql,
 * V0002__time_series.with_timescaledb.sql (used in place of the plain one when the server has the
 * extension), V0002__time_series.down.sql. */
typedef struct BlueprintMigration {
    int64_t version;
    const char *name;      /* "time_series" */
    const char *extension; /* "timescaledb" for a variant, NULL for the plain one */
    const char *file;      /* "migrations/V0002__time_series.sql" */
    const char *up;
    const char *down;   /* of a variant without one of its own, the plain one's; NULL: none */
    const char *sha256; /* of up as it is in its file, hex */
    /* Of migrations in another tool's layout. */
    const char *down_sha256; /* of down as it is in its file; NULL with Tenantry's own layout */
    const char *down_file;   /* where down is; NULL: beside file, with ".down" in its name */
    bool is_repeatable;      /* each change of the file is a version of its own */
    /* NULL: a script. Otherwise up is its statement over all rows at once, for places that are new.
     */
    const BlueprintBackfill *backfill;
} BlueprintMigration;

typedef enum PartitionEvery { EVERY_DAY, EVERY_WEEK, EVERY_MONTH, EVERY_YEAR } PartitionEvery;

/* A range-partitioned table whose partitions Tenantry makes ahead of time. */
typedef struct BlueprintPartition {
    const char *table;
    const char *column;
    PartitionEvery every;
    int64_t ahead; /* how many partitions past the current one */
} BlueprintPartition;

/* A column that holds personal data; docs/blueprints.md has the words that each may be. */
typedef struct BlueprintPersonal {
    const char *table;
    const char *column;
    const char *category; /* what it says about a person: "contact" */
    const char *reason;   /* why it is kept at all */
    const char *keep;     /* for how long: "until closed", "5 years after closed" */
    const char *mask;     /* how a copy hides it: "email" */
    int line;             /* in the manifest; 0 when the blueprint was read from JSON */
} BlueprintPersonal;

/* Who signed a script (blueprint/signature.h). */
typedef struct BlueprintSignature {
    const char *script; /* "migrations/V0002__x.sql", "migrations/V0002__x.sql, down", "seed" */
    const char *sha256; /* of the script that was signed */
    const char *key;    /* the public key, hex */
    const char *value;  /* hex */
} BlueprintSignature;

/* Where things are in the manifest, for what is found out after it was read. */
typedef struct BlueprintLines {
    const char *file; /* NULL when the blueprint was read from JSON */
    int name;
    int plans;
    const int *wanted; /* as many as Blueprint.wanted_count */
} BlueprintLines;

typedef struct Blueprint {
    const char *name;
    const char *title;
    const char *description;
    int64_t version;      /* of the newest migration */
    const char *checksum; /* SHA-256 over everything that the blueprint is, hex */
    const char *source;   /* "embedded" or the folder */
    size_t tier_count;
    Tier tiers[TIER_COUNT_]; /* the first is the default */
    size_t wanted_count;
    const char **wanted; /* extensions without which it cannot be used */
    size_t optional_count;
    const char **optional; /* extensions that are used when the server has them */
    size_t plan_count;
    const BlueprintPlan *plans;
    size_t shared_count;
    const char **shared; /* tables that tenants of the row tier share and may only read; they have
                            no tenant_id */
    size_t append_only_count;
    const char **append_only; /* tables that the application may add to but not change */
    size_t partition_count;
    const BlueprintPartition *partitions;
    size_t personal_count;
    const BlueprintPersonal *personal;
    const char *layout; /* the tool whose layout the migrations have; NULL: Tenantry's own */
    size_t migration_count;
    const BlueprintMigration *migrations; /* by version; the plain one before its variants */
    const char *seed; /* SQL run once in each new tenant, as its application role; or NULL */
    const char *demo; /* SQL that fills a tenant with synthetic data for `tenantry demo`; or NULL */
    size_t signature_count;
    const BlueprintSignature *signatures;
    BlueprintLines lines;
} Blueprint;

/* Loads a pack folder. ERR_BLUEPRINT_INVALID: "FILE:LINE: key \"x\": what was expected". The whole
 * blueprint is in the arena. */
bool blueprint_load_folder(Arena *arena, const char *path, Blueprint **ret_blueprint, Err *err);

/* Loads a pack that is embedded in the binary (core/embedded_file.h, below packs/NAME/).
 * ERR_BLUEPRINT_MISSING. */
bool blueprint_load_embedded(Arena *arena, const char *name, Blueprint **ret_blueprint, Err *err);

/* Names of the embedded packs, sorted. */
void blueprint_embedded_names(Arena *arena, const char *const **ret_names, size_t *ret_count);

/* The whole blueprint as JSON, and back; what the control schema stores. */
Json *blueprint_to_json(const Blueprint *blueprint);
bool blueprint_from_json(Arena *arena, const Json *json, Blueprint **ret_blueprint, Err *err);

/* Puts "FILE:LINE: key "KEY": " before the message of an error about the blueprint, where it was
 * read from a manifest. Returns false. */
bool blueprint_fail_at(const Blueprint *blueprint, int line, const char *key, Err *err);

/* NULL when there is none. name NULL asks for the default plan. */
const BlueprintPlan *blueprint_find_plan(const Blueprint *blueprint, const char *name);
const BlueprintLimit *blueprint_find_limit(const BlueprintPlan *plan, const char *name);
bool blueprint_has_tier(const Blueprint *blueprint, Tier tier);

/* The migrations to run for versions after `after`, one per version: the variant whose extension is
 * among the given ones, else the plain one. In the arena. */
void blueprint_select_migrations(Arena *arena, const Blueprint *blueprint, int64_t after,
                                 const char *const *extensions, size_t extension_count,
                                 const BlueprintMigration *const **ret_migrations,
                                 size_t *ret_count);

typedef enum LintSeverity { LINT_ERROR, LINT_WARNING } LintSeverity;

typedef enum LintScope {
    LINT_SCOPE_ALL,
    LINT_SCOPE_ROW,  /* blueprints that offer the row tier */
    LINT_SCOPE_LIVE, /* what existed before the version: docs/rollout-lint.md has a section each */
} LintScope;

/* A row of lint.def. */
typedef struct LintRuleInfo {
    const char *name;
    LintSeverity severity;
    LintScope scope;
    const char *message;
    const char *hint;
} LintRuleInfo;

const LintRuleInfo *blueprint_lint_rules(size_t *ret_count);

/* Where a rule is explained: "docs/rollout-lint.md#add_check". In the arena. */
const char *blueprint_lint_docs(Arena *arena, const LintRuleInfo *rule);

typedef struct LintFinding {
    const char *rule; /* "row_table_without_tenant_id" */
    LintSeverity severity;
    const char *file;
    int line;
    int column;         /* of the statement's first word, in characters; 0: of no statement */
    int statement_line; /* of the script's statement that it is in: a DO block has lines below */
    const char *message;
    const char *hint;
    const char *docs; /* blueprint_lint_docs */
    /* Why it does not count: what "-- lint:ignore" says, and in which line; NULL: it counts. */
    const char *silenced;
    int silenced_line;
} LintFinding;

/* Checks every migration on its parse tree against the table of rules in lint.c. Findings come in
 * file and line order, those that a comment silences too. False only when a file cannot be parsed
 * at all. Rules of the row tier apply when the blueprint offers it. Down files, seed and demo are
 * checked too; the last two are the files "seed" and "demo" in findings. */
bool blueprint_lint(Arena *arena, const Blueprint *blueprint, const LintFinding **ret_findings,
                    size_t *ret_count, Err *err);

/* severity, rule, file, line, column, message, hint, docs. The caller's. */
Json *blueprint_finding_to_json(const LintFinding *finding);

/* Checks one migration without its blueprint: tables that it does not create count as in use, and
 * rules of the row tier do not apply. ERR_BLUEPRINT_INVALID when it cannot be parsed. */
bool blueprint_lint_file(Arena *arena, const char *file, const char *text,
                         const LintFinding **ret_findings, size_t *ret_count, Err *err);

#endif
