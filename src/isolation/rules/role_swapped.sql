-- A login takes its password, rights and memberships along when it is renamed; the map and the registry know names.
SELECT g.tenant_id, (SELECT x.tenant_id FROM tenantry.roles x WHERE x.name = m.rolname) AS other_id,
       format('role %s', g.name) AS object,
       format('the role that was made as %s is %s now', g.name, m.rolname) AS evidence, NULL::text AS mend
  FROM iso_target t
  JOIN tenantry.roles g USING (tenant_id)
  JOIN pg_roles o ON o.rolname = g.name
  JOIN pg_roles m ON m.oid = g.role_oid
 WHERE o.oid <> g.role_oid
   AND (SELECT i.tenants_role_oid FROM tenantry.installation i) IN (SELECT n.oid FROM iso_own n WHERE n.kind = 'tenants')
