SELECT o.tenant_id, NULL::uuid AS other_id, format('%s %s', lower(w.what), w.name) AS object,
       format('%s may use it', o.name) AS evidence,
       format('REVOKE USAGE ON %s %I FROM %s', w.what, w.name, o.sql) AS mend
  FROM (SELECT 'FOREIGN SERVER' AS what, srvname AS name, srvacl AS acl FROM pg_foreign_server
        UNION ALL
        SELECT 'FOREIGN DATA WRAPPER', fdwname, fdwacl FROM pg_foreign_data_wrapper) w
 CROSS JOIN LATERAL aclexplode(w.acl) a
  JOIN iso_bearer o ON o.oid = a.grantee
