/* What the files of spares share. */
#ifndef TENANTRY_TENANT_SPARE_PARTS_H
#define TENANTRY_TENANT_SPARE_PARTS_H

#include "tenant/spare.h"

/* The first row of SPARE_FIND or SPARE_UNWANTED, in the arena; NULL when there is none. */
Spare *spare_read(Arena *arena, const PgRows *rows);

#endif
