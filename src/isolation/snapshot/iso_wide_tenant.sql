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
SELECT r.oid, r.rolname, coalesce(g.tenant_id, t.id) AS tenant_id, coalesce(g.kind, x.kind) AS kind
  FROM mighty w
  JOIN pg_roles r ON r.oid = w.oid
  LEFT JOIN tenantry.roles g ON g.name = r.rolname
  LEFT JOIN LATERAL (
       SELECT p.id, CASE p.tier WHEN 'row' THEN 'group_owner' ELSE 'owner' END AS kind, p.tier
         FROM tenantry.places p WHERE p.owner_role = r.rolname
       UNION ALL
       SELECT p.id, 'group_app', p.tier FROM tenantry.places p WHERE p.app_role = r.rolname AND p.tier = 'row'
       UNION ALL
       SELECT p.id, 'group_readonly', p.tier
         FROM tenantry.places p WHERE p.readonly_role = r.rolname AND p.tier = 'row') x ON true
  LEFT JOIN tenantry.tenants t ON t.place_id = CASE x.tier WHEN 'schema' THEN x.id END
 WHERE r.rolname NOT LIKE 'pg\_%' AND (g.name IS NOT NULL OR x.id IS NOT NULL)
   AND r.oid NOT IN (SELECT o.oid FROM iso_own o)
