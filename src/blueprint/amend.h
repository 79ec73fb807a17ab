/* What follows migrations in a place of the schema tier that has been in use: what default
 * privileges gave on tables that the migrations made is narrowed, and partitioned tables that they
 * made get their first partitions. Each is one statement that looks first: mostly there is nothing
 * to do, and a fleet has many places. */
#ifndef TENANTRY_BLUEPRINT_AMEND_H
#define TENANTRY_BLUEPRINT_AMEND_H

#include "blueprint/place.h"
#include "pg/sql_parse.h"

/* Whether a script may have made tables, or made others of them: it does more than alter tables,
 * make indexes, comment and drop. Says yes when in doubt. */
bool amends_follow(Arena *arena, const char *script);
bool amends_follow_script(const SqlScript *script);

/* Adds both; run as the owner. Tables that the blueprint declares and this version of the place
 * does not have are passed over. */
void place_add_amends(Arena *arena, PgBatch *batch, const Blueprint *blueprint, const Place *place);

#endif
