/* Ctrl-C and SIGTERM during a job: work that listens (core/stop.h) ends cleanly. Other work, and a
 * second signal: the process dies as the signal says, and tells first that the job can be finished.
 */
#ifndef TENANTRY_CLI_INTERRUPT_H
#define TENANTRY_CLI_INTERRUPT_H

#include <stdbool.h>

/* From here to the end of the process, or until it is called with false, an interrupt is explained
 * on standard error. */
void interrupt_explain(bool is_on);

#endif
