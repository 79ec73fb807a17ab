-- The schemas that are looked into: those of the tenants, and Tenantry's own. tenant_id is NULL where the schema is of no
-- single tenant; owner, app and readonly are the roles that may have rights there. Roles are looked up one by one: the order
-- of so many joins costs more to find than they do.
SELECT n.oid AS nspoid, n.nspname, n.nspowner, n.nspacl, p.tier AS kind, x.tenant_id, p.blueprint,
       (SELECT r.oid FROM pg_roles r WHERE r.rolname = p.owner_role) AS owner,
       (SELECT r.oid FROM pg_roles r WHERE r.rolname = p.app_role) AS app,
       (SELECT r.oid FROM pg_roles r WHERE r.rolname = p.readonly_role) AS readonly
  FROM (SELECT DISTINCT place_id, CASE WHEN tier = 'schema' THEN tenant_id END AS tenant_id FROM iso_target) x
  JOIN tenantry.places p ON p.id = x.place_id
  JOIN pg_namespace n ON n.nspname = p.schema_name
UNION ALL
SELECT n.oid, n.nspname, n.nspowner, n.nspacl, 'control', NULL::uuid, NULL,
       CASE WHEN n.nspname = 'tenantry_audit'
            THEN (SELECT r.oid FROM tenantry.installation i JOIN pg_roles r ON r.rolname = i.audit_role)
            WHEN n.nspname IN ('tenancy_guards', 'tenancy_kept')
            THEN coalesce((SELECT r.oid FROM pg_roles r
                            WHERE r.oid = n.nspowner AND r.rolname LIKE 'tenantry\_guards\_%'), c.nspowner)
            ELSE c.nspowner END,
       CASE WHEN n.nspname IN ('tenantry_audit', 'tenancy_guards', 'tenancy_kept') THEN c.nspowner END, NULL::oid
  FROM pg_namespace n
  JOIN pg_namespace c ON c.nspname = 'tenantry'
 WHERE n.nspname IN ('tenantry', 'tenantry_audit', 'tenancy', 'tenancy_guards', 'tenancy_kept')
