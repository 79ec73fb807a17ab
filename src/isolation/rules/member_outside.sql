SELECT m.tenant_id, NULL::uuid AS other_id, format('role %s', m.rolname) AS object,
       format('%s is a member of %s%s', m.rolname, g.rolname, CASE WHEN v.oid <> m.oid THEN ' through ' || v.rolname END) AS evidence,
       format('REVOKE %I FROM %I', g.rolname, v.rolname) AS mend
  FROM iso_reach x
  JOIN iso_role m ON m.oid = x.member
  JOIN iso_role g ON g.oid = x.role
  JOIN iso_role v ON v.oid = x.via
 WHERE m.kind IN ('owner', 'app', 'readonly', 'group', 'tenants') AND g.kind = 'other'
