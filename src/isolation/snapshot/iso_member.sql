-- Memberships other than those that Tenantry makes (every role in the group of tenants, the logins of the row tier in
-- their place's groups): who may act as whom, and by whose membership.
SELECT m.oid AS member, m.rolname AS member_name, m.kind AS member_kind, m.tenant_id AS member_tenant,
       g.oid AS role, g.rolname AS role_name, g.kind AS role_kind, g.tenant_id AS role_tenant,
       v.rolname AS via_name, x.is_admin,
       format('%s is a member of %s%s', m.rolname, g.rolname,
              CASE WHEN v.oid <> m.oid THEN ' through ' || v.rolname END) AS evidence,
       format('REVOKE %I FROM %I', g.rolname, v.rolname) AS mend
  FROM iso_reach x
  JOIN iso_role m ON m.oid = x.member
  JOIN iso_role g ON g.oid = x.role
  JOIN iso_role v ON v.oid = x.via
  LEFT JOIN tenantry.tenants t ON t.id = m.tenant_id AND t.tier = 'row'
  LEFT JOIN tenantry.places p ON p.id = t.place_id AND g.rolname IN (p.app_role, p.readonly_role)
 WHERE m.kind NOT IN ('super', 'control')
   AND (x.is_admin OR x.via <> x.member OR (g.kind <> 'tenants' AND p.id IS NULL))
   AND NOT (NOT x.is_admin AND g.kind = 'tenants' AND v.kind = 'group')
