SELECT o.tenant_id, NULL::uuid AS other_id, format('language %s', l.lanname) AS object,
       format('%s may use it', coalesce(o.rolname, 'PUBLIC')) AS evidence,
       format('REVOKE USAGE ON LANGUAGE %I FROM %s', l.lanname, coalesce(quote_ident(o.rolname), 'PUBLIC')) AS mend
  FROM pg_language l
 CROSS JOIN LATERAL aclexplode(l.lanacl) a
  LEFT JOIN iso_own o ON o.oid = a.grantee
 WHERE NOT l.lanpltrusted AND (a.grantee = 0 OR o.oid IS NOT NULL)
