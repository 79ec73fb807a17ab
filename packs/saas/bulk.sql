-- Many rows for one tenant: 10,000 users, 100,000 items, 100,000 audit entries and five years of
-- metrics. For measuring and for the test of queries.sql, not for people to look at: everything
-- follows from row numbers. Times are counted from the beginning of the current month in UTC, so that
-- its partition is full on its first day too; half of the audit entries lie before it.

INSERT INTO users (id, email, full_name, role, is_active, last_login_at)
SELECT md5('user:' || n)::uuid, 'user' || n || '@bulk.example', 'User ' || n,
       CASE WHEN n % 100 = 0 THEN 'admin' WHEN n % 7 = 0 THEN 'viewer' ELSE 'member' END,
       n % 10 > 0,
       CASE WHEN n % 5 > 0
            THEN date_trunc('month', now(), 'UTC') - n * INTERVAL '7 minutes' END
FROM generate_series(1, 10000) AS n;

INSERT INTO items (owner_id, title, description, created_at)
SELECT md5('user:' || 1 + n * 13 % 10000)::uuid,
       (ARRAY['Draft', 'Review', 'Publish', 'Archive', 'Plan', 'Update'])[1 + n % 6] || ' '
           || (ARRAY['report', 'contract', 'guide', 'price list', 'policy'])[1 + n % 5] || ' ' || n / 2,
       'Waiting for ' || (ARRAY['finance', 'sales', 'legal', 'support'])[1 + n % 4] || ', case ' || n,
       date_trunc('month', now(), 'UTC') - n * INTERVAL '5 minutes'
FROM generate_series(1, 100000) AS n;

INSERT INTO audit_log (timestamp, user_id, action, severity, resource, custom_metadata)
SELECT date_trunc('month', now(), 'UTC') + (n - 50000) * INTERVAL '48 seconds',
       md5('user:' || 1 + n * 17 % 10000)::uuid, 'action.' || n % 200,
       CASE WHEN n % 1000 = 0 THEN 'CRITICAL' WHEN n % 200 = 0 THEN 'ERROR'
            WHEN n % 50 = 0 THEN 'WARNING' ELSE 'INFO' END,
       'item',
       jsonb_build_object('client', (ARRAY['web', 'api', 'mobile'])[1 + n % 3], 'duration_ms', n % 900)
FROM generate_series(1, 100000) AS n;

INSERT INTO tenant_metrics (date, user_count, item_count, audit_log_count, storage_used_mb,
                            active_users)
SELECT date_trunc('month', CURRENT_DATE)::date + 27 - day, 10000 - day, 100000 - 10 * day, 200000 - day,
       30.5, 8000 - day
FROM generate_series(0, 1826) AS day
ON CONFLICT (tenant_id, date) DO NOTHING;
