/* The control schema's own versions; shared by the files of this module. */
#ifndef TENANTRY_STORE_INSTALL_H
#define TENANTRY_STORE_INSTALL_H

#include <stdint.h>

/* The version that this program works with: the number of its newest control migration. */
int64_t install_version(void);

#endif
