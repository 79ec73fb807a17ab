SELECT o.tenant_id, NULL::uuid AS other_id, format('parameter %s', x.parname) AS object,
       format('%s has %s', coalesce(o.rolname, 'PUBLIC'), string_agg(a.privilege_type, ', ')) AS evidence,
       format('REVOKE ALL ON PARAMETER %s FROM %s', x.parname, coalesce(quote_ident(o.rolname), 'PUBLIC')) AS mend
  FROM pg_parameter_acl x
 CROSS JOIN LATERAL aclexplode(x.paracl) a
  LEFT JOIN iso_own o ON o.oid = a.grantee
 WHERE a.grantee = 0 OR o.oid IS NOT NULL
 GROUP BY o.tenant_id, o.rolname, x.parname
