/* The JSON form of a blueprint; internal to the module. */
#ifndef TENANTRY_BLUEPRINT_BLUEPRINT_JSON_H
#define TENANTRY_BLUEPRINT_BLUEPRINT_JSON_H

#include "blueprint/blueprint.h"

/* All that the checksum covers: everything but the checksum itself and where it came from. */
Json *blueprint_content_to_json(const Blueprint *blueprint);

/* Sets the checksum from all else. */
bool blueprint_put_checksum(Arena *arena, Blueprint *blueprint, Err *err);

#endif
