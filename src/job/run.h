/* One run of a job: what the files of this module share. job.c is the module's face; run.c goes
 * from step to step; lock.c knows whose job it is and how far, also after a lost connection. */
#ifndef TENANTRY_JOB_RUN_H
#define TENANTRY_JOB_RUN_H

#include "job/job.h"

/* One run of a job by this process. */
typedef struct Run {
    JobContext context;
    const JobKind *kind;
    const char *token; /* the job's number may be given to another one when a crash takes it back;
                          those after it follow from it, so that who lost a session finds his job */
    const char *first_tenant_id; /* what a job that this run makes is started with */
    int64_t steps_total;
    int64_t steps_done;
    int64_t restarts;
    int64_t runner_pid; /* who else runs it, as PostgreSQL counts sessions; 0: not known */
    bool is_maker;      /* this run makes the job */
    bool has_lock;      /* without it, the job is not ours to touch */
    bool is_cancelled;  /* somebody wants it to stop */
    bool is_open;       /* running or failed, as last read */
    bool is_joint;      /* the transaction is that of several steps */
    bool is_stepwise;   /* one failed, now each step has its own */
} Run;

/* Number of a kind's steps. */
int64_t run_count_steps(const JobKind *kind);

/* A number as a parameter, in the run's arena. */
const char *run_int_text(const Run *run, int64_t value);

/* Goes from the step that the run is at to the end. A job that fails for good is undone, or marked
 * failed. ERR_CANCELLED when somebody wanted it to stop. */
bool run_steps(Run *run, Err *err);

/* Undoes the job and ends it in this state, in one transaction, with the retries that a step has;
 * why may be NULL. */
bool run_undo(Run *run, const char *state, const Err *why, Err *err);

/* Sleeps before another attempt, longer each time, and tells people why. */
void run_pause(Run *run, int64_t attempt, const Err *why);

/* Whether a job in this state still has something to do: running or failed. */
bool run_is_open_state(const char *state);

/* Tries for the job's lock, run->has_lock tells; whoever holds it runs the job. The key is made
 * from the job's token, which only Tenantry can read, so that nobody else can hold it beforehand.
 * But pg_locks shows everybody the key while a job runs, and a tenant may wait for it until the
 * process is killed: then the job gets another token. Call outside of a transaction. */
bool run_lock(Run *run, Err *err);
void run_unlock(Run *run);

/* Adds the end of the lock after the last commit; the caller clears has_lock when the batch ran. */
void run_add_unlock(const Run *run, PgBatch *batch);

/* ERR_JOB_BUSY, ERR_JOB_STATE. */
bool run_fail_busy(const Run *run, Err *err);
bool run_fail_ended(const Run *run, const char *state, Err *err);

/* How far the job is: from an answer of JOB_STATE, or asked for (which locks the row within a
 * transaction). ERR_JOB_MISSING, ERR_CANCELLED when another process took the job back. */
bool run_take_state(Run *run, const PgRows *rows, Err *err);
bool run_read_state(Run *run, Err *err);

/* Ends what a failed step left, with a new connection when the old one is gone; afterwards the run
 * knows again how far the job is. */
bool run_recover(Run *run, Err *err);

#endif
