/* Time. Everything that asks what time it is asks here, so that tests can set it. Any thread; does
 * not block, but for clock_sleep_ms. */
#ifndef TENANTRY_CORE_CLOCK_H
#define TENANTRY_CORE_CLOCK_H

#include <stdint.h>

/* Microseconds since 1970-01-01 00:00 UTC. */
int64_t clock_wall_us(void);

/* Microseconds of a clock that never goes back; only differences mean anything. */
int64_t clock_monotonic_us(void);

/* Blocks the calling thread; a signal does not shorten it. */
void clock_sleep_ms(int64_t duration_ms);

/* Fixes clock_wall_us for tests; 0 gives it back to the system. */
void clock_set_wall_us(int64_t wall_us);

#endif
