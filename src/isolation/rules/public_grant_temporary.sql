-- PUBLIC has it in every new database, with CONNECT: one of others that is as they made it is no finding. A tenant has it from
-- somebody.
SELECT o.tenant_id, NULL::uuid AS other_id, format('database %s', d.datname) AS object,
       CASE o.oid WHEN 0 THEN 'PUBLIC has TEMPORARY, though it may not connect'
                  ELSE format('%s has TEMPORARY', o.name) END AS evidence,
       format('REVOKE TEMPORARY ON DATABASE %I FROM %s', d.datname, o.sql) AS mend
  FROM pg_database d
 CROSS JOIN LATERAL aclexplode(d.datacl) a
  JOIN iso_bearer o ON o.oid = a.grantee
 WHERE d.datname = current_database() AND a.privilege_type = 'TEMPORARY'
   AND NOT (o.oid = 0 AND has_database_privilege('public', d.oid, 'CONNECT'))
