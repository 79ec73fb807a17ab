-- The tenants that probe: $1 one of them, or NULL for all; $2 the seed of their order; $3 at most how many, or NULL. A sample
-- of all is one of those that can log in.
SELECT t.id, t.slug, t.blueprint, t.plan, t.tier, t.state, p.schema_name, p.owner_role, p.app_role, p.readonly_role,
       app.name, readonly.name
  FROM tenantry.tenants t
  JOIN tenantry.places p ON p.id = t.place_id
  JOIN tenantry.roles app ON app.tenant_id = t.id AND app.kind = 'app'
  JOIN tenantry.roles readonly ON readonly.tenant_id = t.id AND readonly.kind = 'readonly'
 WHERE ($1::uuid IS NULL OR t.id = $1)
   AND ($1::uuid IS NOT NULL OR $3::bigint IS NULL OR t.state = 'active')
 ORDER BY md5($2 || t.id::text), t.id
 LIMIT $3::bigint
