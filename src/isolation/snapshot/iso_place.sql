-- The schemas that are looked into: those of the tenants, and Tenantry's own. tenant_id is NULL where the schema is of no
-- single tenant; owner, app and readonly are the roles that may have rights there.
SELECT n.oid AS nspoid, n.nspname, n.nspowner, n.nspacl, p.tier AS kind,
       x.tenant_id, p.blueprint, o.oid AS owner, a.oid AS app, r.oid AS readonly
  FROM (SELECT DISTINCT place_id, CASE WHEN tier = 'schema' THEN tenant_id END AS tenant_id FROM iso_target) x
  JOIN tenantry.places p ON p.id = x.place_id
  JOIN pg_namespace n ON n.nspname = p.schema_name
  LEFT JOIN pg_roles o ON o.rolname = p.owner_role
  LEFT JOIN pg_roles a ON a.rolname = p.app_role
  LEFT JOIN pg_roles r ON r.rolname = p.readonly_role
UNION ALL
SELECT n.oid, n.nspname, n.nspowner, n.nspacl, 'control', NULL::uuid, NULL,
       CASE WHEN n.nspname = 'tenantry_audit' THEN a.oid
            WHEN n.nspname IN ('tenancy_guards', 'tenancy_kept') THEN coalesce(g.oid, c.nspowner)
            ELSE c.nspowner END,
       CASE WHEN n.nspname IN ('tenantry_audit', 'tenancy_guards', 'tenancy_kept') THEN c.nspowner END, NULL::oid
  FROM pg_namespace n
  JOIN pg_namespace c ON c.nspname = 'tenantry'
  LEFT JOIN pg_roles a ON a.rolname = (SELECT i.audit_role FROM tenantry.installation i)
  LEFT JOIN pg_roles g ON g.oid = n.nspowner AND g.rolname LIKE 'tenantry\_guards\_%'
 WHERE n.nspname IN ('tenantry', 'tenantry_audit', 'tenancy', 'tenancy_guards', 'tenancy_kept')
