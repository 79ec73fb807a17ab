-- A login takes its password, rights and memberships along when it is renamed; the map and the registry know names.
SELECT g.tenant_id, x.tenant_id AS other_id, format('role %s', g.name) AS object,
       format('the role that was made as %s is %s now', g.name, m.rolname) AS evidence, NULL::text AS mend
  FROM iso_target t
  JOIN tenantry.roles g USING (tenant_id)
  JOIN pg_roles o ON o.rolname = g.name
  JOIN pg_roles m ON m.oid = g.role_oid
  LEFT JOIN tenantry.roles x ON x.name = m.rolname
 WHERE o.oid <> g.role_oid
   AND EXISTS (SELECT FROM tenantry.installation i JOIN iso_own n ON n.oid = i.tenants_role_oid AND n.kind = 'tenants')
