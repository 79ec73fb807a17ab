-- Whom the check is about: one tenant, or the tenant to be of one spare.
SELECT t.id AS tenant_id, t.place_id, t.tier, t.state
  FROM tenantry.tenants t
 WHERE t.id = $1::uuid AND t.place_id IS NOT NULL AND t.state NOT IN ('purged', 'failed')
UNION ALL
SELECT s.tenant_id, s.place_id, 'schema', 'spare'
  FROM tenantry.spares s
 WHERE s.tenant_id = $1::uuid
