/* The table of operations, put together; sorted by name. */
#include "ops/context.h"

#include "core/array.h"

static const Operation *const operations[] = {
    &op_audit_list,
    &op_audit_verify,
    &op_blueprint_add,
    &op_blueprint_lint,
    &op_blueprint_list,
    &op_blueprint_show,
    &op_blueprint_stamp,
    &op_demo,
    &op_down,
    &op_isolation_accept,
    &op_isolation_check_report,
    &op_isolation_key,
    &op_isolation_list,
    &op_isolation_mend,
    &op_isolation_reopen,
    &op_isolation_rules,
    &op_isolation_verify,
    &op_isolation_watch,
    &op_job_cancel,
    &op_job_list,
    &op_job_resume,
    &op_job_show,
    &op_key_list,
    &op_key_rotate,
    &op_migrate_abort,
    &op_migrate_baseline,
    &op_migrate_down,
    &op_migrate_lint,
    &op_migrate_new,
    &op_migrate_pause,
    &op_migrate_plan,
    &op_migrate_resume,
    &op_migrate_retry,
    &op_migrate_sign,
    &op_migrate_status,
    &op_migrate_up,
    &op_migrate_verify,
    &op_partition_detach,
    &op_partition_ensure,
    &op_partition_list,
    &op_spare_drop,
    &op_spare_fill,
    &op_spare_keep,
    &op_spare_list,
    &op_status,
    &op_tenant_adopt,
    &op_tenant_archive,
    &op_tenant_create,
    &op_tenant_credentials,
    &op_tenant_list,
    &op_tenant_purge,
    &op_tenant_resume,
    &op_tenant_rotate,
    &op_tenant_show,
    &op_tenant_suspend,
    &op_up,
};

enum { OPERATIONS = ARRAY_COUNT(operations) };

const Operation *const *op_table(size_t *ret_count)
{
    *ret_count = OPERATIONS;
    return operations;
}
