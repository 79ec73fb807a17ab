-- PUBLIC has it in every new database, with CONNECT: one of others that is as they made it is no finding.
SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('database %s', d.datname) AS object,
       'PUBLIC has TEMPORARY, though it may not connect' AS evidence,
       format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', d.datname) AS mend
  FROM pg_database d
 WHERE d.datname = current_database()
   AND EXISTS (SELECT FROM aclexplode(d.datacl) a WHERE a.grantee = 0 AND a.privilege_type = 'TEMPORARY')
   AND NOT EXISTS (SELECT FROM aclexplode(d.datacl) a WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT')
