-- Roles of neighbours that reach every tenant: more than a role themselves, or members of one that is, of Tenantry's own or
-- of a predefined one, however many roles lie between. Found from above, so that it grows with them; the attributes of
-- roles have no index, and reading all of them is a tenth of a millisecond for a thousand.
WITH RECURSIVE mighty (oid) AS (
    SELECT r.oid
      FROM pg_roles r
     WHERE r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolreplication OR r.rolname LIKE 'pg\_%'
        OR r.rolname = (SELECT i.audit_role FROM tenantry.installation i)
        OR r.oid IN (SELECT n.nspowner FROM pg_namespace n WHERE n.nspname IN ('tenantry', 'tenancy_guards'))
    UNION
    SELECT m.member FROM mighty w JOIN pg_auth_members m ON m.roleid = w.oid
)
SELECT r.oid, r.rolname, coalesce(g.tenant_id, t.id) AS tenant_id,
       CASE WHEN p.tier = 'row' THEN 'group_' ELSE '' END
       || coalesce(g.kind, CASE r.rolname WHEN p.owner_role THEN 'owner' WHEN p.app_role THEN 'app' ELSE 'readonly' END) AS kind
  FROM mighty w
  JOIN pg_roles r ON r.oid = w.oid
  LEFT JOIN tenantry.roles g ON g.name = r.rolname
  LEFT JOIN tenantry.places p ON r.rolname IN (p.owner_role, p.app_role, p.readonly_role)
  LEFT JOIN tenantry.tenants t ON t.place_id = p.id AND p.tier = 'schema'
 WHERE (g.name IS NOT NULL OR p.id IS NOT NULL) AND r.oid NOT IN (SELECT o.oid FROM iso_own o)
