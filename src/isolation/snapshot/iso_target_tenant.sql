-- Whom the check is about: the tenants $1 (an array), which may be tenants to be of spares.
SELECT t.id AS tenant_id, t.place_id, t.tier, t.state
  FROM tenantry.tenants t
 WHERE t.id = ANY ($1::uuid[]) AND t.place_id IS NOT NULL AND t.state NOT IN ('purged', 'failed')
UNION ALL
SELECT s.tenant_id, s.place_id, 'schema', 'spare'
  FROM tenantry.spares s
 WHERE s.tenant_id = ANY ($1::uuid[])
