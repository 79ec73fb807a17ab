/* The files of a pack's migrations folder. Internal to the module. */
#ifndef TENANTRY_BLUEPRINT_MIGRATIONS_H
#define TENANTRY_BLUEPRINT_MIGRATIONS_H

#include "blueprint/pack_source.h"

/* Fills the migrations and the version of a blueprint whose extensions are read already, from a
 * folder of the pack in Tenantry's own layout (layout.h has the others). ERR_BLUEPRINT_INVALID,
 * ERR_IO. */
bool migrations_read(Arena *arena, const PackSource *source, const char *folder,
                     Blueprint *blueprint, Err *err);

/* One SQL file of the pack: UTF-8 without NUL, at most LIMIT_MIGRATION_BYTES. total_bytes grows by
 * its size and may reach LIMIT_BLUEPRINT_BYTES. */
bool migrations_read_sql(Arena *arena, const PackSource *source, const char *path,
                         size_t *total_bytes, const char **ret_text, Err *err);

#endif
