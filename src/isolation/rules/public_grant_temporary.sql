SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('database %s', d.datname) AS object,
       'PUBLIC has TEMPORARY' AS evidence, format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', d.datname) AS mend
  FROM pg_database d
 CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
 WHERE d.datname = current_database() AND a.privilege_type = 'TEMPORARY' AND a.grantee = 0
