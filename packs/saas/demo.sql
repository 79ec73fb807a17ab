-- Synthetic data for one tenant: 40 users, 240 items, 400 audit entries and 30 days of metrics.
-- Every value is taken from md5 of the tenant's id and the row's name, so a tenant always gets the
-- same data (relative to the current hour) and two tenants get different data. No password is set:
-- nobody can sign in as one of these users.

INSERT INTO users (id, email, full_name, role, is_active, last_login_at, created_at)
SELECT md5(tenancy.current_tenant() || ':user:' || n)::uuid,
       lower(first_name || '.' || last_name) || n || '@'
           || substr(md5(tenancy.current_tenant()::text), 1, 6) || '.example',
       first_name || ' ' || last_name,
       CASE WHEN n = 1 THEN 'owner' WHEN n <= 4 THEN 'admin'
            WHEN get_byte(hash, 2) % 5 = 0 THEN 'viewer' ELSE 'member' END,
       n = 1 OR get_byte(hash, 3) % 10 > 0,
       CASE WHEN n = 1 OR get_byte(hash, 4) % 8 > 0
            THEN date_trunc('hour', now()) - make_interval(hours => get_byte(hash, 5) * 2) END,
       date_trunc('hour', now()) - make_interval(days => 400 - 5 * n)
FROM generate_series(1, 40) AS n
CROSS JOIN LATERAL decode(md5(tenancy.current_tenant() || ':person:' || n), 'hex') AS hash
CROSS JOIN LATERAL (
    SELECT (ARRAY['Ada', 'Bruno', 'Chidi', 'Dalia', 'Emre', 'Freya', 'Goran', 'Hanna', 'Ines',
                  'Jonas', 'Kavya', 'Luis', 'Maren', 'Nadia', 'Oskar', 'Priya'])
               [1 + get_byte(hash, 0) % 16] AS first_name,
           (ARRAY['Almeida', 'Berg', 'Costa', 'Duarte', 'Eriksen', 'Farah', 'Garcia', 'Hoffmann',
                  'Ito', 'Jansen', 'Kowalski', 'Lindgren', 'Moreau', 'Novak', 'Okafor', 'Petrov'])
               [1 + get_byte(hash, 1) % 16] AS last_name
) AS person;

INSERT INTO items (id, owner_id, title, description, created_at)
SELECT md5(tenancy.current_tenant() || ':item-id:' || n)::uuid,
       md5(tenancy.current_tenant() || ':user:' || 1 + get_byte(hash, 0) % 40)::uuid,
       (ARRAY['Draft', 'Review', 'Publish', 'Archive', 'Plan', 'Update'])[1 + get_byte(hash, 1) % 6]
           || ' ' || (ARRAY['quarterly report', 'supplier contract', 'onboarding guide',
                            'price list', 'security policy',
                            'release notes', 'travel budget', 'customer survey'])
               [1 + get_byte(hash, 2) % 8] || ' ' || n,
       CASE WHEN get_byte(hash, 3) % 6 > 0 THEN
           (ARRAY['Waiting for the figures of', 'Agreed in the weekly meeting with', 'Asked for by',
                  'To be signed by'])[1 + get_byte(hash, 4) % 4]
           || ' ' || (ARRAY['finance', 'engineering', 'sales', 'legal', 'support'])
               [1 + get_byte(hash, 5) % 5]
           || (ARRAY['.', ', urgent.', ', no later than the end of the month.'])
               [1 + get_byte(hash, 6) % 3]
       END,
       date_trunc('hour', now()) - make_interval(hours => (240 - n) * 6,
                                                   mins => get_byte(hash, 7) % 60)
FROM generate_series(1, 240) AS n
CROSS JOIN LATERAL decode(md5(tenancy.current_tenant() || ':item:' || n), 'hex') AS hash;

INSERT INTO audit_log (id, timestamp, user_id, action, severity, resource, resource_id, ip_address,
                       custom_metadata)
SELECT md5(tenancy.current_tenant() || ':audit-id:' || n)::uuid,
       date_trunc('hour', now()) - make_interval(hours => (400 - n) * 2,
                                                   mins => get_byte(hash, 0) % 60),
       md5(tenancy.current_tenant() || ':user:' || 1 + get_byte(hash, 1) % 40)::uuid,
       event.action, event.severity, event.resource,
       CASE WHEN event.resource = 'item'
            THEN md5(tenancy.current_tenant() || ':item-id:' || 1 + get_byte(hash, 3) % 240)::uuid
       END,
       ('198.51.100.' || get_byte(hash, 4))::inet,
       jsonb_build_object('request_id', substr(md5(n::text || encode(hash, 'hex')), 1, 12),
                          'client', (ARRAY['web', 'api', 'mobile'])[1 + get_byte(hash, 5) % 3],
                          'duration_ms', 3 + get_byte(hash, 6))
FROM generate_series(1, 400) AS n
CROSS JOIN LATERAL decode(md5(tenancy.current_tenant() || ':audit:' || n), 'hex') AS hash
JOIN (VALUES (0, 'user.login', 'INFO', 'user'), (1, 'item.created', 'INFO', 'item'),
             (2, 'item.updated', 'INFO', 'item'), (3, 'item.exported', 'WARNING', 'item'),
             (4, 'user.login_failed', 'WARNING', 'user'), (5, 'item.viewed', 'DEBUG', 'item'),
             (6, 'webhook.failed', 'ERROR', 'webhook'), (7, 'item.viewed', 'DEBUG', 'item'),
             (8, 'item.updated', 'INFO', 'item'), (9, 'quota.exceeded', 'CRITICAL', 'tenant'))
     AS event (kind, action, severity, resource)
     -- one in sixteen entries or so is an error or worse
     ON event.kind = CASE WHEN get_byte(hash, 2) >= 250 THEN 9 WHEN get_byte(hash, 2) >= 240 THEN 6
                          ELSE (ARRAY[0, 1, 2, 3, 4, 5, 7, 8])[1 + get_byte(hash, 2) % 8] END;

-- The days before today as they were; today is counted.
INSERT INTO tenant_metrics (id, date, user_count, item_count, audit_log_count, storage_used_mb,
                            active_users)
SELECT md5(tenancy.current_tenant() || ':metrics:' || day)::uuid, CURRENT_DATE - day,
       (SELECT count(*) FROM users WHERE created_at < CURRENT_DATE - day),
       (SELECT count(*) FROM items WHERE created_at < CURRENT_DATE - day),
       (SELECT count(*) FROM audit_log WHERE timestamp < CURRENT_DATE - day),
       round((0.144 - day * 0.003)::numeric, 3),
       25 + get_byte(decode(md5(tenancy.current_tenant() || ':active:' || day), 'hex'), 0) % 8
FROM generate_series(1, 29) AS day;

SELECT refresh_tenant_metrics();
