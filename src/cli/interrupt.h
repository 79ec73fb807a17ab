/* Ctrl-C and SIGTERM during a job: the process dies as the signal says, and tells first that the
 * job can be finished. */
#ifndef TENANTRY_CLI_INTERRUPT_H
#define TENANTRY_CLI_INTERRUPT_H

#include <stdbool.h>

/* From here to the end of the process, or until it is called with false, an interrupt is explained
 * on standard error. */
void interrupt_explain(bool is_on);

#endif
