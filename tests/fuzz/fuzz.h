/* The one function of a fuzz target, named by libFuzzer. Returns 0; a bug shows as a crash. */
#ifndef TENANTRY_TESTS_FUZZ_FUZZ_H
#define TENANTRY_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
