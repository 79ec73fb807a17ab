/* Named fault points: FAULT("tenant.provision.before_commit").
 *
 * In builds with -Dfaults=true a test can make the process die (SIGKILL, as a power cut would) at
 * any of them:
 *   TENANTRY_FAULT_AT=N        die at the N-th point that the process passes
 *   TENANTRY_FAULT_AT=NAME     die at the first point of this name
 *   TENANTRY_FAULT_TRACE=F     append the name of each point passed to the file F
 *   TENANTRY_FAULT_STOP=1      stop (SIGSTOP) at the point instead, so that a test can do something
 *                              meanwhile
 * and can ask for what otherwise only follows a failure, FAULT_ASKED("TENANTRY_FAULT_STEPWISE"):
 *   TENANTRY_FAULT_STEPWISE=1  each step of a job has a transaction of its own
 *   TENANTRY_FAULT_AHEAD=1     a rollout sends the next place however long the last one took
 * or for another size of something, FAULT_SIZE("TENANTRY_FAULT_PAGE", 256):
 *   TENANTRY_FAULT_PAGE=N      places that a rollout reads at a time
 * In all other builds they compile to nothing. */
#ifndef TENANTRY_CORE_FAULT_H
#define TENANTRY_CORE_FAULT_H

#ifdef TENANTRY_FAULTS
#include <stdlib.h>

void fault_point(const char *name);
#define FAULT(name) fault_point(name)
#define FAULT_ASKED(variable) (getenv(variable) != NULL)

size_t fault_size(const char *variable, size_t otherwise);
#define FAULT_SIZE(variable, otherwise) fault_size(variable, otherwise)
#else
#define FAULT(name) ((void)0)
#define FAULT_ASKED(variable) false
#define FAULT_SIZE(variable, otherwise) ((size_t)(otherwise))
#endif

#endif
