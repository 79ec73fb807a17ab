/* Durable jobs: every operation that changes something runs as one.
 *
 * A job is a row with its arguments and a list of steps. A transactional step runs in one
 * transaction together with the note that it is done, and with the step before it where it says so:
 * after a crash it happened or it did not. A free step (waiting, ending sessions, files) can be run
 * again without harm. So a job whose process died can be resumed by any other process, or
 * cancelled.
 *
 * One retry policy for all: a step that fails with an error that trying again can help (errors.def)
 * is tried again after a growing, jittered pause, with a new connection when the old one is gone. A
 * job that fails for good is undone when its kind can be undone, and can be resumed otherwise.
 *
 * Who runs a job holds a session advisory lock on it, which PostgreSQL drops when the process or
 * the server dies. A tenant who takes it then keeps nobody from the job. */
#ifndef TENANTRY_JOB_JOB_H
#define TENANTRY_JOB_JOB_H

#include "store/store.h"

typedef struct JobProgress {
    void *context;
    /* Both may be NULL; as those of OpProgress (ops/op.h). */
    void (*step)(void *context, const char *title, const char *detail, int64_t done, int64_t total);
    void (*note)(void *context, const char *text);
} JobProgress;

typedef struct JobContext {
    Arena *arena; /* lives as long as the run */
    Store *store;
    int64_t job_id; /* 0 while the first step runs for the first time: there is no job yet */
    const char *operation;
    const char *subject;
    const char *actor;
    const char *tenant_id; /* NULL until the job has one */
    const Json *args;
    JobProgress progress;
    const char *step_title;
    bool is_unseen;   /* the open transaction made the job: nobody else can see anything of it */
    bool may_join;    /* steps that join are part of the transaction of the one before */
    bool was_stopped; /* it is resumed after an error that people were told, not after a kill */
    void *memory; /* what the first step wants to hand to later steps of the same run; never needed
                     for correctness, and gone when a step fails */
    const void *lasting; /* what a free step wants to find when it is tried again in the same run;
                            in the arena */
} JobContext;

typedef enum JobStepMode {
    JOB_STEP_TRANSACTION, /* the runner begins and commits; the step must not, but one that failed
                             may roll back */
    JOB_STEP_FREE,        /* outside any transaction; idempotent */
} JobStepMode;

typedef struct JobStep {
    const char *name;  /* "provision" */
    const char *title; /* "Making the tenant's schema" */
    JobStepMode mode;  /* the first step of a job is always a transaction: it makes the job too */
    bool (*run)(JobContext *context, Err *err);
    /* Whether the step is short and may be part of the transaction of the step before, asked at its
     * end; NULL: never. When that transaction fails, each step gets its own. */
    bool (*joins)(JobContext *context, bool *ret_joins, Err *err);
} JobStep;

typedef struct JobKind {
    const char *operation;
    const JobStep *steps; /* ends with {0} */
    /* Adds what the first step is sure to ask: asked together with what makes the job, and kept for
     * it (store_keep_answers). NULL: nothing. */
    void (*expect)(const JobContext *context, PgBatch *batch);
    /* Undoes what the steps that were done did, in one transaction; NULL: the job can only go
     * forward. */
    bool (*undo)(JobContext *context, Err *err);
    const char *ended_by; /* the command that ends one where it is, where undo is NULL; or NULL */
} JobKind;

typedef struct JobStart {
    const JobKind *kind;
    const char *subject;   /* what people know it by: a slug */
    const char *tenant_id; /* NULL when the first step makes the tenant */
    const Json *args;      /* an object without secrets */
    const char *actor;
    JobProgress progress;
    void *memory;
} JobStart;

/* Runs a new job to its end. *ret_job_id is set as soon as the job exists, also when the call fails
 * later. An error of the first step leaves no job behind. */
bool job_run(Store *store, const JobStart *start, int64_t *ret_job_id, Err *err);

typedef bool JobPrepare(Store *store, int64_t job_id, Err *err);

typedef struct JobResume {
    const JobKind *const *kinds; /* the program's table */
    size_t kind_count;
    int64_t job_id;
    const char *actor;
    JobProgress progress;
    /* What is to be so before it goes on, when nobody else can run it any more; may be NULL. */
    JobPrepare *prepare;
} JobResume;

/* Goes on with a job that was interrupted or failed. ERR_JOB_MISSING, ERR_JOB_BUSY, ERR_JOB_STATE
 * (it is done, undone or cancelled): then nothing was prepared either. */
bool job_resume(Store *store, const JobResume *resume, Err *err);

/* Cancels: a job that runs elsewhere is asked to stop at its next step, which is audited
 * ("job.cancel"), one that was interrupted is undone now. *ret_is_asked tells which. ERR_JOB_STATE
 * when it has ended or can only go forward. */
bool job_cancel(Store *store, const JobKind *const *kinds, size_t kind_count, int64_t job_id,
                const char *actor, bool *ret_is_asked, Err *err);

/* For steps that are transactions: binds the job to its tenant; the job's row has it with the
 * step's commit. */
void job_set_tenant(JobContext *context, const char *tenant_id);

/* For free steps: tells people and the job's row how far the step is. */
void job_tell(JobContext *context, int64_t done, int64_t total);

/* The same with another title than the step's, and what changes all the time, or NULL. */
void job_tell_more(JobContext *context, const char *title, const char *detail, int64_t done,
                   int64_t total);

/* For steps: an audit entry of this job on its tenant's chain (or the installation's). */
bool job_audit(JobContext *context, const char *action, const Json *detail, Err *err);

/* The same for the last entry that the tenant's chain gets. */
bool job_audit_last(JobContext *context, const char *action, const Json *detail, Err *err);

#endif
