-- What a SaaS application asks as one of its tenants' roles. No statement names tenant_id: the policy
-- adds it, and it is the front of every index. The form of this file: tests/integration/pack_queries.py.
-- Where @@ and @> are leakproof (README.md) the searches use their GIN indexes as well; the plans here
-- are those of a server as it is installed.

-- query: sign in, with the address in lower case
-- values: SELECT email FROM users WHERE is_active LIMIT 1
-- plan: noseq=users
SELECT id, hashed_password, role
FROM users
WHERE email = $1 AND is_active;

-- query: a user by address, active or not
-- values: SELECT email FROM users LIMIT 1
-- plan: noseq=users
SELECT id, email, is_active
FROM users
WHERE email = $1;

-- query: the user of a session
-- values: SELECT id FROM users LIMIT 1
-- plan: index=users_pkey
SELECT email, full_name, role, is_active
FROM users
WHERE id = $1;

-- query: note that a user has signed in
-- values: SELECT id FROM users LIMIT 1
-- plan: index=users_pkey
UPDATE users SET last_login_at = now()
WHERE id = $1;

-- query: add a user, or change the one with this address
-- plan: index=users_email_key
INSERT INTO users (email, full_name, role)
VALUES ('ada.berg@example.com', 'Ada Berg', 'member')
ON CONFLICT (tenant_id, email) DO UPDATE SET full_name = EXCLUDED.full_name
RETURNING id;

-- query: one page of the active users, by address
-- values: SELECT email FROM users ORDER BY email LIMIT 1
-- plan: index=idx_user_active_only
SELECT id, email, full_name
FROM users
WHERE is_active AND email > $1
ORDER BY email
LIMIT 20;

-- query: the active administrators
-- plan: index=idx_user_tenant_role_active
SELECT id, email, full_name
FROM users
WHERE role = 'admin' AND is_active;

-- query: who signed in last
-- plan: index=idx_user_tenant_last_login
SELECT id, email, last_login_at
FROM users
WHERE last_login_at IS NOT NULL
ORDER BY last_login_at DESC
LIMIT 10;

-- query: the newest items
-- plan: index=idx_item_tenant_created_desc
SELECT id, title, owner_id, created_at
FROM items
ORDER BY created_at DESC
LIMIT 25;

-- query: the page after it, from where the last one ended
-- values: SELECT created_at FROM items ORDER BY created_at DESC OFFSET 25 LIMIT 1
-- plan: index=idx_item_tenant_created_desc
SELECT id, title, owner_id, created_at
FROM items
WHERE created_at < $1
ORDER BY created_at DESC
LIMIT 25;

-- query: the newest items of one owner
-- values: SELECT owner_id FROM items LIMIT 1
-- plan: index=idx_item_tenant_owner_created
SELECT id, title, created_at
FROM items
WHERE owner_id = $1
ORDER BY created_at DESC
LIMIT 25;

-- query: one item with its owner
-- values: SELECT id FROM items LIMIT 1
-- plan: index=items_pkey
-- plan: index=users_pkey
SELECT items.title, items.description, users.full_name
FROM items
JOIN users ON users.id = items.owner_id
WHERE items.id = $1;

-- query: change an item
-- values: SELECT id FROM items LIMIT 1
-- plan: index=items_pkey
UPDATE items SET title = 'Review price list', description = NULL
WHERE id = $1;

-- query: items of one exact title
-- values: SELECT title FROM items LIMIT 1
-- plan: index=idx_item_title_tenant
SELECT id, title, owner_id
FROM items
WHERE title = $1;

-- query: words in the title, among the items of one owner
-- values: SELECT owner_id, 'price list' FROM items LIMIT 1
-- plan: index=idx_item_tenant_owner_created
SELECT id, title, ts_rank(title_search, query) AS rank
FROM items, websearch_to_tsquery('english', $2) AS query
WHERE owner_id = $1 AND title_search @@ query
ORDER BY rank DESC
LIMIT 25;

-- query: words in the title
-- plan: noseq=items
SELECT id, title, ts_rank(title_search, query) AS rank
FROM items, websearch_to_tsquery('english', 'price list 17') AS query
WHERE title_search @@ query
ORDER BY rank DESC
LIMIT 25;

-- query: words in the description
-- plan: noseq=items
SELECT id, title, description
FROM items
WHERE description_search @@ websearch_to_tsquery('english', 'legal case 4711')
LIMIT 25;

-- query: the last day of the audit log
-- plan: index=idx_audit_tenant_timestamp
-- plan: pruned=audit_log:2
SELECT timestamp, action, severity, user_id, resource
FROM audit_log
WHERE timestamp > now() - INTERVAL '1 day' AND timestamp <= now()
ORDER BY timestamp DESC
LIMIT 100;

-- query: errors of this month
-- plan: index=idx_audit_high_severity
-- plan: pruned=audit_log:1
SELECT timestamp, action, severity, custom_metadata
FROM audit_log
WHERE severity IN ('ERROR', 'CRITICAL')
  AND timestamp >= date_trunc('month', now(), 'UTC')
  AND timestamp < date_trunc('month', now(), 'UTC') + INTERVAL '1 month'
ORDER BY timestamp DESC
LIMIT 100;

-- query: how often something happened this month
-- values: SELECT action FROM audit_log LIMIT 1
-- plan: index=idx_audit_tenant_action
-- plan: pruned=audit_log:1
SELECT count(*)
FROM audit_log
WHERE action = $1 AND timestamp >= date_trunc('month', now(), 'UTC')
  AND timestamp < date_trunc('month', now(), 'UTC') + INTERVAL '1 month';

-- query: how many warnings there are this month
-- plan: index=idx_audit_tenant_severity
-- plan: pruned=audit_log:1
SELECT count(*)
FROM audit_log
WHERE severity = 'WARNING' AND timestamp >= date_trunc('month', now(), 'UTC')
  AND timestamp < date_trunc('month', now(), 'UTC') + INTERVAL '1 month';

-- query: what one user did in the last 30 days
-- values: SELECT user_id FROM audit_log WHERE user_id IS NOT NULL LIMIT 1
-- plan: index=idx_audit_tenant_user
-- plan: pruned=audit_log:2
SELECT timestamp, action, resource, resource_id
FROM audit_log
WHERE user_id = $1 AND timestamp > now() - INTERVAL '30 days' AND timestamp <= now()
ORDER BY timestamp DESC
LIMIT 50;

-- query: entries of the last day by their metadata
-- plan: noseq=audit_log
-- plan: pruned=audit_log:2
SELECT timestamp, action, custom_metadata
FROM audit_log
WHERE custom_metadata @> '{"client": "mobile", "duration_ms": 101}'
  AND timestamp > now() - INTERVAL '1 day' AND timestamp <= now();

-- query: one entry by its id, in every partition
-- values: SELECT id FROM audit_log LIMIT 1
-- plan: index=audit_log_pkey
-- plan: noseq=audit_log
SELECT *
FROM audit_log
WHERE id = $1;

-- query: the metrics of a year, for a chart
-- plan: index=tenant_metrics_date_key
-- plan: pruned=tenant_metrics:2
SELECT date, user_count, item_count, audit_log_count, storage_used_mb, active_users
FROM tenant_metrics
WHERE date > CURRENT_DATE - 365 AND date <= CURRENT_DATE
ORDER BY date;
