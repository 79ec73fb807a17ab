-- Whom the check is about: every tenant, and the tenants to be of spares.
SELECT t.id AS tenant_id, t.place_id, t.tier, t.state
  FROM tenantry.tenants t
 WHERE t.place_id IS NOT NULL AND t.state NOT IN ('purged', 'failed')
UNION ALL
SELECT s.tenant_id, s.place_id, 'schema', 'spare'
  FROM tenantry.spares s
