/* Taking over a schema that another tool made: it becomes a place of the schema tier and keeps its
 * name and its rows.
 *
 * Its owner role gets the schema and every object in it, and nothing of other schemas; rights of
 * PUBLIC and of other roles are revoked, those of a place are granted. No code of the schema runs
 * meanwhile: ALTER ... OWNER, GRANT and REVOKE fire no triggers, and where an event trigger could
 * run code of the schema's owner, takeover_check refuses. Everything blocks. */
#ifndef TENANTRY_BLUEPRINT_TAKEOVER_H
#define TENANTRY_BLUEPRINT_TAKEOVER_H

#include "blueprint/place.h"

/* Whether the schema can be taken over: ERR_INPUT_INVALID with the reason, ERR_PG_RIGHT_MISSING
 * with the statement that grants what the control role lacks. */
bool takeover_check(Arena *arena, Store *store, const char *schema, Err *err);

typedef struct TextList {
    const char **texts;
    size_t count;
} TextList;

/* What changes for those who have rights in the schema now, in sentences. */
bool takeover_list_changes(Arena *arena, Store *store, const char *schema, TextList *ret_list,
                           Err *err);

/* The statements of takeover_add, for people. */
bool takeover_list_statements(Arena *arena, Store *store, const Blueprint *blueprint,
                              const Place *place, TextList *ret_list, Err *err);

/* Adds everything that makes the schema of this name the place, for the caller's transaction:
 * roles, owners, rights. The two application roles are there or made earlier in the batch. Nobody
 * else can take it meanwhile; waits for who tries. */
bool takeover_add(Arena *arena, Store *store, PgBatch *batch, const Blueprint *blueprint,
                  const Extensions *extensions, const Place *place, Err *err);

/* Adds the registry's rows: the place, that it was adopted, and the migrations that made it. */
void takeover_add_rows(Arena *arena, PgBatch *batch, const Blueprint *blueprint,
                       const Extensions *extensions, const Place *place);

#endif
