-- One row per tenant and day, in monthly partitions.

CREATE TABLE tenant_metrics (
    tenant_id       uuid             NOT NULL DEFAULT tenancy.current_tenant(),
    id              uuid             NOT NULL DEFAULT gen_random_uuid(),
    date            date             NOT NULL DEFAULT CURRENT_DATE,
    user_count      integer          NOT NULL DEFAULT 0,
    item_count      integer          NOT NULL DEFAULT 0,
    audit_log_count bigint           NOT NULL DEFAULT 0,
    storage_used_mb double precision NOT NULL DEFAULT 0,
    active_users    integer          NOT NULL DEFAULT 0,
    CONSTRAINT tenant_metrics_pkey PRIMARY KEY (tenant_id, id, date),
    CONSTRAINT tenant_metrics_date_key UNIQUE (tenant_id, date),
    CONSTRAINT tenant_metrics_not_negative CHECK (
        user_count >= 0 AND item_count >= 0 AND audit_log_count >= 0 AND storage_used_mb >= 0
        AND active_users >= 0)
) PARTITION BY RANGE (date);

CREATE TABLE tenant_metrics_default PARTITION OF tenant_metrics DEFAULT;

-- Counts the calling tenant's rows into its row of today. It runs as its caller, under the caller's
-- policies, and its body is bound to these tables when it is created, so no search_path can point
-- it elsewhere. Active users signed in within 30 days. The storage is that of the rows, without
-- indexes, which tenants share.
CREATE FUNCTION refresh_tenant_metrics() RETURNS tenant_metrics
LANGUAGE sql
SECURITY INVOKER
BEGIN ATOMIC
    WITH of_users AS (
        SELECT count(*) AS total,
               count(*) FILTER (WHERE is_active AND last_login_at > now() - INTERVAL '30 days')
                   AS active,
               coalesce(sum(pg_column_size(users.*)), 0) AS bytes
        FROM users WHERE tenant_id = tenancy.current_tenant()
    ), of_items AS (
        SELECT count(*) AS total, coalesce(sum(pg_column_size(items.*)), 0) AS bytes
        FROM items WHERE tenant_id = tenancy.current_tenant()
    ), of_audit_log AS (
        SELECT count(*) AS total, coalesce(sum(pg_column_size(audit_log.*)), 0) AS bytes
        FROM audit_log WHERE tenant_id = tenancy.current_tenant()
    )
    INSERT INTO tenant_metrics AS metrics
        (date, user_count, item_count, audit_log_count, storage_used_mb, active_users)
    SELECT CURRENT_DATE, of_users.total, of_items.total, of_audit_log.total,
           (of_users.bytes + of_items.bytes + of_audit_log.bytes) / 1048576.0, of_users.active
    FROM of_users, of_items, of_audit_log
    ON CONFLICT (tenant_id, date) DO UPDATE SET
        user_count = EXCLUDED.user_count,
        item_count = EXCLUDED.item_count,
        audit_log_count = EXCLUDED.audit_log_count,
        storage_used_mb = EXCLUDED.storage_used_mb,
        active_users = EXCLUDED.active_users
    RETURNING metrics.*;
END;
