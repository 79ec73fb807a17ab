SELECT g.tenant_id, m.tenant_id AS other_id, format('role %s', g.rolname) AS object,
       format('%s is a member of %s%s', m.rolname, g.rolname, CASE WHEN v.oid <> m.oid THEN ' through ' || v.rolname END) AS evidence,
       format('REVOKE %I FROM %I', g.rolname, v.rolname) AS mend
  FROM iso_reach x
  JOIN iso_role m ON m.oid = x.member
  JOIN iso_role g ON g.oid = x.role
  JOIN iso_role v ON v.oid = x.via
 WHERE m.kind IN ('owner', 'app', 'readonly') AND g.kind IN ('owner', 'app', 'readonly')
   AND m.tenant_id IS DISTINCT FROM g.tenant_id
