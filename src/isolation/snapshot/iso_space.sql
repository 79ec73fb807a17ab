-- Whose a schema is, for those that turned up on the other side: kind is schema or row (a tenant's, a shared one),
-- control (Tenantry's), or other.
SELECT n.oid AS nspoid, n.nspname, coalesce(t.id, s.tenant_id) AS tenant_id,
       CASE WHEN p.id IS NOT NULL THEN p.tier
            WHEN n.nspname IN ('tenantry', 'tenantry_audit', 'tenancy', 'tenancy_guards', 'tenancy_kept') THEN 'control'
            ELSE 'other' END AS kind
  FROM (SELECT user_nsp AS nspoid FROM iso_reference UNION SELECT used_nsp FROM iso_reference
        UNION SELECT nspoid FROM iso_place) x
  JOIN pg_namespace n ON n.oid = x.nspoid
  LEFT JOIN tenantry.places p ON p.schema_name = n.nspname
  LEFT JOIN tenantry.tenants t ON t.place_id = CASE p.tier WHEN 'schema' THEN p.id END
  LEFT JOIN tenantry.spares s ON s.place_id = p.id
