SELECT o.tenant_id, NULL::uuid AS other_id, format('database %s', d.datname) AS object,
       format('%s has CREATE', o.name) AS evidence,
       format('REVOKE CREATE ON DATABASE %I FROM %s', d.datname, o.sql) AS mend
  FROM pg_database d
 CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
  JOIN iso_bearer o ON o.oid = a.grantee
 WHERE d.datname = current_database() AND a.privilege_type = 'CREATE'
