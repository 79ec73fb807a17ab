/* The statements that ask the rules: the snapshot of the catalogue, then rules over it. Internal to
 * the module; check.c runs them. Only text is made here, nothing blocks. */
#ifndef TENANTRY_ISOLATION_RULE_SQL_H
#define TENANTRY_ISOLATION_RULE_SQL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/err.h"

/* In the place of a rule's id: a sieve that has rows. Its name is in the column of the object. */
#define RULE_SQL_SIEVE "?"
/* In the place of a rule's id: the digest of the catalogue and the number of tenants. */
#define RULE_SQL_DIGEST ""

/* The columns of every answer, all text. */
enum { COLUMN_RULE, COLUMN_TENANT, COLUMN_OTHER, COLUMN_OBJECT, COLUMN_EVIDENCE, COLUMN_MEND };

enum { RULE_SQL_PIECES = 64 }; /* the most pieces that a snapshot can have */

/* Which rules are asked. */
typedef struct RulePlan {
    bool is_birth;
    bool is_super;
    bool has_mappings; /* of users on other servers, whose options only a superuser reads */
    bool is_row; /* of a tenant in a shared place: its sieve lets through, and is not waited for */
    bool has_rows[RULE_SQL_PIECES]; /* of the sieves; rule_sql_note_sieve sets them */
} RulePlan;

size_t rule_sql_count(void);
const char *rule_sql_id(size_t rule);
bool rule_sql_is_asked(const RulePlan *plan, size_t rule);
void rule_sql_note_sieve(RulePlan *plan, const char *name);

/* One statement over the pieces of the snapshot that it needs, $1 is the tenant: the first has the
 * rules without a sieve and says which sieves have rows, the second has the rules of those.
 * *ret_sql is NULL when there is nothing to ask. */
bool rule_sql_statement(Arena *arena, const RulePlan *plan, bool is_fleet, bool is_first,
                        const char **ret_sql, Err *err);

/* The statements of the fleet in turn: NULL after the last piece of the snapshot; one rule; the
 * digest. */
bool rule_sql_table(Arena *arena, size_t piece, const char **ret_create, const char **ret_analyze,
                    Err *err);
bool rule_sql_rule(Arena *arena, size_t rule, const char **ret_sql, Err *err);
bool rule_sql_digest(Arena *arena, const char **ret_sql, Err *err);

/* A question that a create asks: "birth", "birth_map" or "place_digest" of snapshot/. */
bool rule_sql_question(Arena *arena, const char *name, const char **ret_sql, Err *err);

#endif
