SELECT o.tenant_id, NULL::uuid AS other_id, format('%s %s', lower(w.what), w.name) AS object,
       format('%s may use it', coalesce(o.rolname, 'PUBLIC')) AS evidence,
       format('REVOKE USAGE ON %s %I FROM %s', w.what, w.name, coalesce(quote_ident(o.rolname), 'PUBLIC')) AS mend
  FROM (SELECT 'FOREIGN SERVER' AS what, srvname AS name, srvacl AS acl FROM pg_foreign_server
        UNION ALL
        SELECT 'FOREIGN DATA WRAPPER', fdwname, fdwacl FROM pg_foreign_data_wrapper) w
 CROSS JOIN LATERAL aclexplode(w.acl) a
  LEFT JOIN iso_own o ON o.oid = a.grantee
 WHERE a.grantee = 0 OR o.oid IS NOT NULL
