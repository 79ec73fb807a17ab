SELECT o.tenant_id, NULL::uuid AS other_id, format('schema %s', m.nspname) AS object,
       format('%s has CREATE', coalesce(o.rolname, 'PUBLIC')) AS evidence,
       format('REVOKE CREATE ON SCHEMA %I FROM %s', m.nspname, coalesce(quote_ident(o.rolname), 'PUBLIC')) AS mend
  FROM iso_maker m
  LEFT JOIN iso_own o ON o.oid = m.grantee
 WHERE m.grantee = 0 OR o.oid IS NOT NULL
