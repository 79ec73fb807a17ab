/* The parts of the lint; internal to the module. blueprint_lint in blueprint.h runs them. */
#ifndef TENANTRY_BLUEPRINT_LINT_H
#define TENANTRY_BLUEPRINT_LINT_H

#include "blueprint/blueprint.h"
#include "pg/sql_parse.h"

typedef enum LintRule {
#define LINT(name, severity, scope, message, hint) LINT_RULE_##name,
#include "blueprint/lint.def"
#undef LINT
    LINT_RULE_COUNT_
} LintRule;

enum { LINT_SHOWN_BYTES = 100 /* of a text that is quoted in a message */ };

/* Names of one kind do not meet those of another. */
typedef enum LintSpace {
    LINT_SPACE_RELATIONS,
    LINT_SPACE_TYPES, /* enums, domains, row types, ranges */
    LINT_SPACE_COUNT_
} LintSpace;

typedef struct LintColumn {
    struct LintColumn *next;
    const char *name;
    const char *type; /* without its schema; of an array: that of its elements */
    bool is_array;
    int64_t size; /* one more than n of varchar(n), numeric(n, scale), time(n); 0: no limit */
    int64_t scale;
    bool is_unknown; /* what is between the parentheses is no number: geometry(Point) */
    bool is_not_null;
} LintColumn;

/* A constraint of a table that was added by name. */
typedef struct LintCheck {
    struct LintCheck *next;
    const char *name;
    const char *column; /* the only one that a CHECK names, else NULL */
    bool is_not_null;   /* the CHECK says that it is not null */
    bool is_valid;
    int64_t version;
} LintCheck;

/* An index of columns, by name. */
typedef struct LintIndex {
    struct LintIndex *next;
    const char *name;
    const char **columns;
    size_t count;
} LintIndex;

/* A name, and the version that made it. */
typedef struct LintMade {
    struct LintMade *next;
    const char *name;
    int64_t version;
} LintMade;

/* A statement that the rules look at: one of a script, or one in the body of a DO block of it. */
typedef struct LintStatement {
    SqlStatement sql; /* line, column and offset are those of the script */
    int outer_line;   /* of the script's statement that it is, or is in */
    bool is_inner;    /* in a body */
    bool is_dynamic;  /* in a body, runs a text; its node is "" and it has no tree */
    const char *body; /* of a DO block that can be read: its text, which begins in body_line */
    int body_line;
} LintStatement;

/* What is in a DO block follows the block. */
typedef struct LintScript {
    Json *roots; /* own the trees */
    LintStatement *statements;
    size_t count;
    size_t capacity;
} LintScript;

/* "-- lint:ignore RULE reason" */
typedef struct LintIgnore {
    struct LintIgnore *next;
    const char *rule;
    const char *reason;
    const char *file;
    int line;
    int statement_line; /* of the statement that follows; 0: none does */
    bool is_inner;      /* the comment is in a body */
    bool is_used;
} LintIgnore;

/* A table, as the migrations so far made it. */
typedef struct LintTable {
    struct LintTable *next;
    const char *name;
    const char *file; /* where it was created */
    int line;
    int64_t version; /* that created it */
    bool is_dropped;
    bool is_inner;                /* a statement in a body made it, changed it or dropped it */
    bool is_partition;            /* PARTITION OF: its columns are its parent's */
    struct LintTable *parent;     /* of a partition, when a migration makes it; else NULL */
    const char *partition_column; /* of PARTITION BY RANGE on one column; else NULL */
    const char *partition_key;    /* the column of PARTITION BY; NULL: several, or an expression */
    bool has_default_partition;   /* of the migrations' making */
    bool is_partitioned;
    bool has_tenant_id;
    bool is_uuid;
    bool is_not_null;
    bool has_default;
    const char **primary_key; /* NULL: not seen */
    size_t primary_key_count;
    LintColumn *columns;
    LintCheck *checks;
    bool has_more_columns; /* that are not followed: those of LIKE, INHERITS, CREATE TABLE AS */
    /* Of one walk along foreign keys (lint_cycle.c). */
    bool is_reached;
    struct LintTable *reached_from;
    struct LintTable *next_in_walk;
    struct LintKey *edges;
} LintTable;

/* A foreign key, as the migrations so far made it. */
typedef struct LintKey {
    struct LintKey *next;
    struct LintKey *next_edge; /* of the same table */
    LintTable *from;
    LintTable *to; /* NULL: no migration makes it */
    const char *name;
    const char *column; /* the first one */
    const char *file;   /* where it was added */
    int line;
    bool is_deferrable;
    bool is_dropped;
    bool is_inner; /* a statement in a body added or changed it */
} LintKey;

typedef struct Lint {
    Arena *arena;
    const Blueprint *blueprint;
    bool is_row;      /* the blueprint offers the row tier */
    bool may_step;    /* what is checked is moved by steps (steps.h), not in one transaction */
    bool is_alone;    /* one file without its blueprint: what it does not make is there already */
    int64_t version;  /* of the migration that is being followed */
    const char *file; /* that is being checked */
    int line;         /* of the statement */
    int column;
    int outer_line; /* of the script's statement that it is in */
    bool is_inner;  /* in the body of a DO block */
    /* Of the selection of migrations that is being followed, newest first. */
    LintTable *tables;
    LintKey *keys;
    LintMade *made[LINT_SPACE_COUNT_];
    LintMade *domains; /* that have a constraint */
    LintMade *views;   /* the version is the one behind which rows of tenants may be in it */
    LintIndex *indexes;
    /* Of the migration that is being followed. */
    LintMade *locked;                /* tables in use that nobody else can read until its end */
    LintMade *added;                 /* constraints */
    const SqlStatement *statement;   /* that is checked */
    size_t number;                   /* of the statement in its script */
    Json *makers[LINT_SPACE_COUNT_]; /* by name: the number of the last statement that makes it */
    int64_t relations;
    LintIgnore *ignores;
    LintFinding *findings;
    size_t count;
    size_t capacity;
} Lint;

/* Adds a finding in the current file and line; subject ("table \"x\"") may be NULL. What is found
 * in a body, or of what a body did, is a warning. */
void lint_report(Lint *lint, LintRule rule, const char *subject);
void lint_report_at(Lint *lint, LintRule rule, const char *subject, const char *file, int line,
                    bool is_inner);

/* Parses a script; sql_script_parse says what of it is whose (lint_script.c). */
bool lint_script_parse(Arena *arena, const char *file, const char *text, LintScript *ret_script,
                       Err *err);
void lint_script_done(LintScript *script);
/* A new statement at the end, which the caller fills; valid until the next one. */
LintStatement *lint_script_add(Arena *arena, LintScript *script);
/* Adds what is in the body of a DO block, the last statement so far; text is that of the script
 * (lint_body.c). */
void lint_script_add_body(Arena *arena, LintScript *script, const char *text,
                          const SqlStatement *block);

/* Rules of one statement, whatever was before (lint_rules.c, lint_names.c). */
void lint_check_statement(Lint *lint, const SqlStatement *statement);
void lint_check_names(Lint *lint, const SqlStatement *statement);
void lint_check_dynamic(Lint *lint, const LintStatement *statement); /* lint_dynamic.c */
/* Whether a migration may name the schema, as every database has it. */
bool lint_may_name_schema(const char *schema);

/* Follows what a statement does to the tables, with the rules of the row tier (lint_row.c). */
void lint_follow_statement(Lint *lint, const SqlStatement *statement);
/* Rules of what tenants use while the statement runs; before it is followed (lint_live.c). */
void lint_check_live(Lint *lint, const SqlStatement *statement);

/* Changes of rows that do nothing in the row tier; before the statement is followed (lint_data.c).
 */
void lint_check_data(Lint *lint, const SqlStatement *statement);
/* Notes a ViewStmt, and a RenameStmt if it is one of a view. */
void lint_note_view(Lint *lint, const Json *tree);
void lint_rename_view(Lint *lint, const Json *tree);

/* Notes the comments that silence findings, and silences them in the end (lint_ignore.c). */
void lint_note_ignores(Lint *lint, const char *text, const LintScript *script);
void lint_apply_ignores(Lint *lint);

/* Rules of the tables at the end of all migrations. */
void lint_check_tables(Lint *lint);

/* Foreign keys that form a cycle at the end of all migrations (lint_cycle.c); once. */
void lint_check_cycles(Lint *lint);

/* Whether the table has the column, or may have it (lint_column.c). */
bool lint_has_column(const LintTable *table, const char *name);

/* The newest table of this name that is not dropped, or NULL (lint_table.c). */
LintTable *lint_find_table(const Lint *lint, const char *name);
bool lint_is_shared(const Lint *lint, const char *name);

/* Look-ups in trees (lint_tree.c). */
/* The string of a list's item: {"String":{"sval":...}}; "" when it is none. */
const char *tree_list_text(const Json *list, size_t index);
/* The last part of a name, "uuid" of pg_catalog.uuid. */
const char *tree_last_text(const Json *list);
bool tree_list_has(const Json *list, const char *text);
/* Where text is in the list, or -1. */
int tree_list_find(const Json *list, const char *text);
/* The option of this name among DefElems, or NULL. */
const Json *tree_find_option(const Json *options, const char *name);
/* The names in SET search_path = ... among a function's options, or NULL when there is none. */
const Json *tree_find_search_path(const Json *options);
/* The setting that a call of set_config names; "" when it is another call, or computes the name. */
const char *tree_config_name(const Json *call);
bool tree_text_is(const Json *object, const char *key, const char *text);
/* Whether a DefElem says yes: no value, true, on, 1. */
bool tree_option_is_true(const Json *option);

#endif
