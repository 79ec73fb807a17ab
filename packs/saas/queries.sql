-- What a SaaS application asks as one of its tenants' roles, and the index that answers it. No
-- statement names tenant_id: the policy adds it, and it is the front of every index. The statements
-- run as they are on the demo data; an application sends parameters where the scalar subselects
-- and values stand.

-- Sign in: an active user by address, which the application puts in lower case.
-- Index: idx_user_active_only (or idx_user_tenant_email_active, users_email_key)
SELECT id, hashed_password, role
FROM users
WHERE email = (SELECT email FROM users WHERE is_active LIMIT 1) AND is_active;

-- One page of the active users, by address. Index: idx_user_active_only
SELECT id, email, full_name
FROM users
WHERE is_active AND email > 'd'
ORDER BY email
LIMIT 20;

-- The active administrators. Index: idx_user_tenant_role_active
SELECT id, email, full_name
FROM users
WHERE role = 'admin' AND is_active;

-- Who signed in last. Index: idx_user_tenant_last_login
SELECT id, email, last_login_at
FROM users
WHERE last_login_at IS NOT NULL
ORDER BY last_login_at DESC
LIMIT 10;

-- The newest items; the next page starts at the last row's created_at.
-- Index: idx_item_tenant_created_desc
SELECT id, title, owner_id, created_at
FROM items
WHERE created_at < now()
ORDER BY created_at DESC
LIMIT 25;

-- The newest items of one owner. Index: idx_item_tenant_owner_created
SELECT id, title, created_at
FROM items
WHERE owner_id = (SELECT owner_id FROM items LIMIT 1)
ORDER BY created_at DESC
LIMIT 25;

-- Items of one exact title. Index: idx_item_title_tenant
SELECT id, title, owner_id
FROM items
WHERE title = 'Review price list 12';

-- Words in the title. Index: idx_item_tenant_title_search once @@ is leakproof (README.md), else
-- any index on tenant_id and a filter over the tenant's own rows
SELECT id, title, ts_rank(title_search, query) AS rank
FROM items, websearch_to_tsquery('english', 'supplier contract 17') AS query
WHERE title_search @@ query
ORDER BY rank DESC
LIMIT 25;

-- Words in the description. Index: idx_item_description_search, under the same condition
SELECT id, title, description
FROM items
WHERE description_search @@ websearch_to_tsquery('english', 'signed legal urgent')
LIMIT 25;

-- The last day of the audit log. Index: idx_audit_tenant_timestamp, in one or two partitions
SELECT timestamp, action, severity, user_id, resource
FROM audit_log
WHERE timestamp > now() - INTERVAL '1 day' AND timestamp <= now()
ORDER BY timestamp DESC
LIMIT 100;

-- Errors of the last 30 days. Index: idx_audit_high_severity, in two partitions
SELECT timestamp, action, severity, custom_metadata
FROM audit_log
WHERE severity IN ('ERROR', 'CRITICAL')
  AND timestamp > now() - INTERVAL '30 days' AND timestamp <= now()
ORDER BY timestamp DESC
LIMIT 100;

-- How often something happened. Index: idx_audit_tenant_action
SELECT count(*)
FROM audit_log
WHERE action = 'quota.exceeded' AND timestamp > now() - INTERVAL '30 days' AND timestamp <= now();

-- How many warnings there are. Index: idx_audit_tenant_severity
SELECT count(*)
FROM audit_log
WHERE severity = 'WARNING' AND timestamp > now() - INTERVAL '30 days' AND timestamp <= now();

-- What one user did lately. Index: idx_audit_tenant_user
SELECT timestamp, action, resource, resource_id
FROM audit_log
WHERE user_id = (SELECT id FROM users LIMIT 1)
  AND timestamp > now() - INTERVAL '30 days' AND timestamp <= now()
ORDER BY timestamp DESC
LIMIT 50;

-- Entries by their metadata. Index: idx_audit_metadata_search once @> is leakproof (README.md),
-- else idx_audit_tenant_timestamp and a filter over the tenant's own rows
SELECT timestamp, action, custom_metadata
FROM audit_log
WHERE custom_metadata @> '{"client": "mobile", "duration_ms": 100}'
  AND timestamp > now() - INTERVAL '30 days' AND timestamp <= now();

-- The metrics of the last month, for a chart. Index: tenant_metrics_date_key
SELECT date, user_count, item_count, audit_log_count, storage_used_mb, active_users
FROM tenant_metrics
WHERE date > CURRENT_DATE - 30 AND date <= CURRENT_DATE
ORDER BY date;
