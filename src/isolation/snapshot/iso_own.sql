-- The roles of the tenants and of their places; `tenants` is the group that all of them are in.
SELECT r.oid, r.rolname, o.tenant_id, o.nspoid, o.kind
  FROM (SELECT g.name, g.tenant_id, NULL::oid AS nspoid, g.kind
          FROM iso_target t
          JOIN tenantry.roles g ON g.tenant_id = t.tenant_id
         WHERE t.tier = 'row'
        UNION ALL
        SELECT v.name, x.tenant_id, n.oid, CASE p.tier WHEN 'row' THEN 'group_' ELSE '' END || v.kind
          FROM (SELECT DISTINCT place_id, CASE WHEN tier = 'schema' THEN tenant_id END AS tenant_id FROM iso_target) x
          JOIN tenantry.places p ON p.id = x.place_id
          LEFT JOIN pg_namespace n ON n.nspname = p.schema_name,
               LATERAL (VALUES (p.owner_role, 'owner'), (p.app_role, 'app'), (p.readonly_role, 'readonly')) v (name, kind)
        UNION ALL
        SELECT i.tenants_role, NULL, NULL, 'tenants' FROM tenantry.installation i) o
  JOIN pg_roles r ON r.rolname = o.name
