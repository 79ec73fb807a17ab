/* The keeper: a process that keeps spares ready.
 *
 * `up` starts one for the embedded server, in the background: it runs "spare keep", whose loop is
 * here too, and whom a service manager runs where the database is an external one. What it does
 * comes in transactions of its own (tenant/spare.h), so it can be killed at any moment.
 *
 * Files in the data directory: keeper.pid (0600), locked (fcntl) by the keeper as long as it lives,
 * so that the kernel says who it is and a number that was given to another program misleads nobody;
 * keeper.start, locked while one is put in another's place; keeper.log, what it prints, and
 * keeper.log.old, what was in it when it had grown large before a start. */
#ifndef TENANTRY_OPS_KEEPER_H
#define TENANTRY_OPS_KEEPER_H

#include <sys/types.h>

#include "ops/context.h"

/* The rows of SPARE_SURVEY, each with its "target" and "most", how many may stay; of one blueprint,
 * or all (NULL). The caller's. */
bool spares_survey(OpContext *context, const char *blueprint, Json **ret_rows, Err *err);

/* The keeper of the data directory, 0 when none runs. */
pid_t keeper_find(OpContext *context);

/* Starts one in the background with this call's settings, in place of one that runs; where no
 * spares are wanted it only stops that one, and *ret_pid is 0. */
bool keeper_start(OpContext *context, pid_t *ret_pid, Err *err);

/* Asks the keeper to end and waits; it is killed when it takes too long. */
bool keeper_stop(OpContext *context, Err *err);

/* Becomes the keeper of the data directory until the process ends: *ret_fd is to stay open.
 * ERR_CONFLICT when there is one. */
bool keeper_lock(OpContext *context, int *ret_fd, Err *err);

/* Whether keeper.pid is still the file that was locked: a data directory that was removed, or put
 * in another's place, is not to be kept. */
bool keeper_has_lock(const char *data_dir, int fd);

/* What a keeper did. */
typedef struct KeeperReport {
    int64_t made;
    int64_t dropped;
    int64_t renewed;
} KeeperReport;

/* Keeps spares until SIGTERM or SIGINT. A server that goes away is waited for, with pauses up to
 * 30 s, unless is_with_server: then the end of the embedded server is the keeper's too, when it was
 * stopped on purpose. ERR_CONFLICT when the data directory has a keeper, ERR_DATA_DIR when it goes
 * away. */
bool keeper_run(OpContext *context, bool is_with_server, KeeperReport *ret_report, Err *err);

#endif
