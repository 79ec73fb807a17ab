/* What operations share: the open control schema, the server's whereabouts, running a job, declared
 * shapes. */
#ifndef TENANTRY_OPS_CONTEXT_H
#define TENANTRY_OPS_CONTEXT_H

#include "blueprint/blueprint.h"
#include "job/job.h"
#include "ops/op.h"
#include "pg/embedded.h"
#include "store/store.h"

/* The control schema, opened at first use. ERR_SERVER_DOWN when the embedded server does not run.
 */
bool op_store(OpContext *context, Store **ret_store, Err *err);

/* The options of a store: the database URL, or the embedded server's connection. */
bool op_store_options(OpContext *context, StoreOptions *ret_options, Err *err);

/* Whether a database URL was given, so that there is no embedded server. */
bool op_has_external_database(const OpContext *context);

/* What the embedded server is started, stopped and asked with. Errors as op_check_data_dir. */
bool op_embedded_options(OpContext *context, EmbeddedOptions *ret_options, Err *err);

/* The data directory and the file of the master key: the option, or the default of this user, which
 * is NULL when this user has no home. Borrowed. */
const char *op_data_dir(const OpContext *context);
const char *op_key_file(const OpContext *context);

/* Whether there is a data directory; ERR_CONFIG_INVALID. */
bool op_check_data_dir(const OpContext *context, Err *err);

/* Runs a job of this kind to its end. ret_job_id may be NULL. */
bool op_run_job(OpContext *context, const JobKind *kind, const char *subject, const char *tenant_id,
                const Json *args, int64_t *ret_job_id, Err *err);

/* Goes on with a job of the program's table; prepare as in JobResume. */
bool op_resume_job(OpContext *context, int64_t job_id, JobPrepare *prepare, Err *err);

/* A line for people beside the answer; nothing with --json and --quiet. */
void op_note(const OpContext *context, const char *text);

/* Makes logins ahead for tenants to come (option ready-logins), at most `most` pairs. */
bool op_fill_ready_logins(OpContext *context, int64_t most, Err *err);

/* Takes the stamp of a blueprint of the schema tier unless one is kept. A failure is logged and no
 * more: tenants are then made by the migrations. */
void op_note_stamp(OpContext *context, const char *blueprint);

/* Drops what a stamp that was killed while it was taken left behind. */
bool op_drop_stamp_leftovers(OpContext *context, Err *err);

/* Every kind of job, for resume and cancel. */
extern const JobKind *const op_job_kinds[];
extern const size_t op_job_kind_count;

/* Adds the connection strings of a tenant to an answer, as "connections". */
bool op_put_connections(OpContext *context, const char *tenant_id, bool with_passwords,
                        Json *answer, Err *err);

/* Runs a statement whose one value is a JSON list, and wraps it: {key: [...]}. */
bool op_answer_list(OpContext *context, StatementId id, PgParams params, const char *key,
                    Json **ret_answer, Err *err);

/* The operations of this program; table.c puts them together. */
extern const Operation op_audit_list, op_audit_verify, op_blueprint_add, op_blueprint_lint,
    op_blueprint_list, op_blueprint_show, op_blueprint_stamp, op_demo, op_down, op_isolation_accept,
    op_isolation_check_report, op_isolation_key, op_isolation_list, op_isolation_mend,
    op_isolation_reopen, op_isolation_rules, op_isolation_verify, op_isolation_watch, op_job_cancel,
    op_job_list, op_job_resume, op_job_show, op_key_list, op_key_rotate, op_migrate_abort,
    op_migrate_baseline, op_migrate_down, op_migrate_lint, op_migrate_new, op_migrate_pause,
    op_migrate_plan, op_migrate_resume, op_migrate_retry, op_migrate_sign, op_migrate_status,
    op_migrate_up, op_migrate_verify, op_partition_detach, op_partition_ensure, op_partition_list,
    op_spare_drop, op_spare_fill, op_spare_keep, op_spare_list, op_status, op_tenant_adopt,
    op_tenant_archive, op_tenant_create, op_tenant_credentials, op_tenant_list, op_tenant_purge,
    op_tenant_resume, op_tenant_rotate, op_tenant_show, op_tenant_suspend, op_up;

extern const JobKind blueprint_add_job, isolation_accept_job, isolation_mend_job,
    isolation_reopen_job, key_rotate_job, partition_detach_job, partition_ensure_job,
    spare_drop_job, spare_fill_job, tenant_adopt_job, tenant_create_job, tenant_resume_job;

#endif
