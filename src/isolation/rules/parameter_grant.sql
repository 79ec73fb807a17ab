SELECT o.tenant_id, NULL::uuid AS other_id, format('parameter %s', x.parname) AS object,
       format('%s has %s', o.name, string_agg(a.privilege_type, ', ')) AS evidence,
       format('REVOKE ALL ON PARAMETER %s FROM %s', x.parname, o.sql) AS mend
  FROM pg_parameter_acl x
 CROSS JOIN LATERAL aclexplode(x.paracl) a
  JOIN iso_bearer o ON o.oid = a.grantee
 GROUP BY o.tenant_id, o.name, o.sql, x.parname
