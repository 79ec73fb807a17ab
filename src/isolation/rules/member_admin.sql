SELECT m.tenant_id, NULL::uuid AS other_id, format('role %s', g.rolname) AS object,
       format('%s may make others members of %s', v.rolname, g.rolname) AS evidence,
       format('REVOKE ADMIN OPTION FOR %I FROM %I', g.rolname, v.rolname) AS mend
  FROM iso_reach x
  JOIN iso_role m ON m.oid = x.member
  JOIN iso_role g ON g.oid = x.role
  JOIN iso_role v ON v.oid = x.via
 WHERE x.is_admin AND m.kind IN ('owner', 'app', 'readonly', 'group', 'tenants')
