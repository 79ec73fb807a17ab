SELECT o.tenant_id, NULL::uuid AS other_id, format('schema %s', n.nspname) AS object,
       format('%s has CREATE', coalesce(o.rolname, 'PUBLIC')) AS evidence,
       format('REVOKE CREATE ON SCHEMA %I FROM %s', n.nspname, coalesce(quote_ident(o.rolname), 'PUBLIC')) AS mend
  FROM pg_namespace n
 CROSS JOIN LATERAL aclexplode(n.nspacl) a
  LEFT JOIN iso_own o ON o.oid = a.grantee
 WHERE n.nspname IN ('public', 'pg_catalog', 'tenantry_ext') AND a.privilege_type = 'CREATE'
   AND (a.grantee = 0 OR o.oid IS NOT NULL)
