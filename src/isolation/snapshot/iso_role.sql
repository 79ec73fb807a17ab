-- Every role that turned up, and whose it is. kind: owner, app, readonly (of one tenant), group (of a shared place),
-- tenants (the group of all), control (Tenantry itself, the audit log's owner), super, predefined, other.
WITH found (oid) AS (
    SELECT oid FROM iso_own
    UNION SELECT member FROM iso_reach
    UNION SELECT role FROM iso_reach
    UNION SELECT via FROM iso_reach
    UNION SELECT member FROM iso_holder
    UNION SELECT owner FROM iso_object
), control (name) AS (
    SELECT i.audit_role FROM tenantry.installation i
    UNION SELECT pg_get_userbyid(n.nspowner) FROM pg_namespace n WHERE n.nspname IN ('tenantry', 'tenancy_guards')
    UNION SELECT SESSION_USER
)
SELECT r.oid, r.rolname, coalesce(o.tenant_id, g.tenant_id, t.id, s.tenant_id) AS tenant_id,
       CASE WHEN r.rolname = (SELECT i.tenants_role FROM tenantry.installation i) THEN 'tenants'
            WHEN o.kind LIKE 'group%' OR p.tier = 'row' THEN 'group'
            WHEN coalesce(o.kind, g.kind) IS NOT NULL THEN coalesce(o.kind, g.kind)
            WHEN p.tier IS NOT NULL THEN 'owner'
            WHEN r.rolname IN (SELECT c.name FROM control c) THEN 'control'
            WHEN r.rolsuper THEN 'super'
            WHEN r.rolname LIKE 'pg\_%' THEN 'predefined'
            ELSE 'other' END AS kind
  FROM found f
  JOIN pg_roles r ON r.oid = f.oid
  LEFT JOIN iso_own o ON o.oid = f.oid
  LEFT JOIN tenantry.roles g ON g.name = r.rolname
  LEFT JOIN tenantry.places p
    ON p.id = coalesce((SELECT x.id FROM tenantry.places x WHERE x.owner_role = r.rolname),
                       (SELECT x.id FROM tenantry.places x WHERE x.app_role = r.rolname),
                       (SELECT x.id FROM tenantry.places x WHERE x.readonly_role = r.rolname))
  LEFT JOIN tenantry.tenants t ON t.place_id = CASE p.tier WHEN 'schema' THEN p.id END -- of a shared place none
  LEFT JOIN tenantry.spares s ON s.place_id = p.id
