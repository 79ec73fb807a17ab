-- Whom the check is about: every tenant, the tenants to be of spares, and the shared places, which may have no tenants.
SELECT t.id AS tenant_id, t.place_id, t.tier, t.state
  FROM tenantry.tenants t
 WHERE t.place_id IS NOT NULL AND t.state NOT IN ('purged', 'failed')
UNION ALL
SELECT s.tenant_id, s.place_id, 'schema', 'spare'
  FROM tenantry.spares s
UNION ALL
SELECT NULL, p.id, p.tier, 'place'
  FROM tenantry.places p
 WHERE p.tier = 'row'
