SELECT o.tenant_id, NULL::uuid AS other_id, format('database %s', d.datname) AS object,
       format('%s has CREATE', coalesce(o.rolname, 'PUBLIC')) AS evidence,
       format('REVOKE CREATE ON DATABASE %I FROM %s', d.datname, coalesce(quote_ident(o.rolname), 'PUBLIC')) AS mend
  FROM pg_database d
 CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
  LEFT JOIN iso_own o ON o.oid = a.grantee
 WHERE d.datname = current_database() AND a.privilege_type = 'CREATE' AND (a.grantee = 0 OR o.oid IS NOT NULL)
