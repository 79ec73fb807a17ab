/* A wish to stop that comes from outside (Ctrl-C, SIGTERM), for work that can end cleanly before
 * its end. Such work says that it listens and looks now and then; where nobody listens, a signal
 * kills. Any thread; stop_request is safe in a signal handler. */
#ifndef TENANTRY_CORE_STOP_H
#define TENANTRY_CORE_STOP_H

#include <stdbool.h>

/* From here on somebody listens, or no longer does. A wish from before is forgotten. */
void stop_listen(bool is_on);

/* Makes the wish known. False when nobody listens, or when it was made before. */
bool stop_request(void);

/* Whether the work should end. */
bool stop_is_requested(void);

#endif
