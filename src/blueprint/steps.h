/* A script that is more than one transaction, as the steps that it is run in.
 *
 * Nearly every script is one transaction and has no steps. Some statements cannot run in one
 * (CREATE INDEX CONCURRENTLY): each is a step of its own, outside, and what stands between them is
 * a transaction for itself. ALTER TYPE ... ADD VALUE ends one, since PostgreSQL lets nobody use the
 * value before its commit. What may run outside is a table of kinds (docs/rollout-steps.md), found
 * on the parse tree. */
#ifndef TENANTRY_BLUEPRINT_STEPS_H
#define TENANTRY_BLUEPRINT_STEPS_H

#include "blueprint/blueprint.h"
#include "pg/sql_parse.h"

/* Statements that run outside of a transaction. */
typedef enum AloneKind {
    ALONE_CREATE_INDEX,
    ALONE_DETACH,
    ALONE_DROP_INDEX,
    ALONE_REINDEX,
    ALONE_VACUUM,
    ALONE_COUNT_
} AloneKind;

typedef struct Alone {
    AloneKind kind;
    const char *relation;  /* the table, or the index that is dropped or made anew */
    const char *partition; /* of DETACH; else NULL */
} Alone;

/* "CREATE INDEX CONCURRENTLY" */
const char *alone_name(AloneKind kind);

typedef enum AloneVerdict {
    ALONE_NO,      /* it runs in a transaction */
    ALONE_YES,     /* it cannot, and is run outside */
    ALONE_REFUSED, /* it cannot, and is none of those that are run outside */
} AloneVerdict;

/* *ret_alone is filled for ALONE_YES; its texts belong to the statement's tree. */
AloneVerdict alone_judge(const SqlStatement *statement, Alone *ret_alone);

typedef enum StepKind { STEP_SCRIPT, STEP_ALONE, STEP_BACKFILL } StepKind;

typedef struct ScriptStep {
    StepKind kind;
    const char *what; /* "CREATE INDEX CONCURRENTLY, line 3" */
    size_t count;     /* 1 for what runs alone, 0 for a backfill */
    const SqlStatement *statements;
    bool has_amends; /* amends_follow (amend.h) */
    Alone alone;
} ScriptStep;

typedef struct ScriptSteps {
    size_t count; /* 0: the script is a transaction like any other */
    const ScriptStep *list;
} ScriptSteps;

/* Takes a script apart. ERR_BLUEPRINT_INVALID where it cannot be parsed. */
bool steps_of_script(Arena *arena, const char *file, const char *text, ScriptSteps *ret_steps,
                     Err *err);

/* The steps of a migration, up or down; none where there is no such script. */
bool steps_of_migration(Arena *arena, const BlueprintMigration *migration, bool is_down,
                        ScriptSteps *ret_steps, Err *err);

/* Whether the versions after `after` can be run in one transaction; `extensions` as with
 * blueprint_select_migrations. A value of an enum that the very last statement adds does no harm.
 */
bool steps_fit_one(Arena *arena, const Blueprint *blueprint, const char *const *extensions,
                   size_t extension_count, int64_t after, bool *ret_fit, Err *err);

/* Whether a text may hold a phrase, such as "add value": in any case, with any space. Cheap, and
 * the parse tree says whether it means what it looks like. */
bool steps_may_have(const char *text, const char *phrase);

/* The blueprint whose scripts do in one transaction what they can: for a place that nobody uses
 * yet. The word CONCURRENTLY is left out; VACUUM and REINDEX CONCURRENTLY, which have nothing to do
 * there, are left out as a whole. The blueprint itself when it has none of that. */
bool steps_make_plain(Arena *arena, const Blueprint *blueprint, const Blueprint **ret_plain,
                      Err *err);

#endif
