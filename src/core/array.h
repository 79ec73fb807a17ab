/* How many elements an array has, whose size the compiler knows. */
#ifndef TENANTRY_CORE_ARRAY_H
#define TENANTRY_CORE_ARRAY_H

#define ARRAY_COUNT(array) (sizeof(array) / sizeof *(array))

#endif
