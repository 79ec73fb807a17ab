#include "core/fault.h"

#ifdef TENANTRY_FAULTS

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fault_point(const char *name)
{
    static atomic_long passed;
    static atomic_int has_fired; /* who was stopped and goes on may pass the point again */
    const long mine = ++passed;
    const char *trace = getenv("TENANTRY_FAULT_TRACE");
    if (trace != NULL) {
        FILE *file = fopen(trace, "a");
        if (file != NULL) {
            fprintf(file, "%s\n", name);
            fclose(file);
        }
    }
    const char *at = getenv("TENANTRY_FAULT_AT");
    if (at == NULL || has_fired) {
        return;
    }
    char *end = NULL;
    const long number = strtol(at, &end, 10);
    const int is_number = *at != '\0' && *end == '\0';
    if (is_number ? mine == number : strcmp(at, name) == 0) {
        has_fired = 1;
        raise(getenv("TENANTRY_FAULT_STOP") != NULL ? SIGSTOP : SIGKILL);
    }
}

size_t fault_size(const char *variable, size_t otherwise)
{
    const char *text = getenv(variable);
    return text == NULL ? otherwise : (size_t)strtoul(text, NULL, 10);
}

#endif
