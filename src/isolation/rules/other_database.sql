-- What is in them cannot be looked into; who may do what with them is the server's.
SELECT o.tenant_id, NULL::uuid AS other_id, format('database %s', d.datname) AS object,
       format('%s owns or may use something in it', o.rolname) AS evidence, NULL::text AS mend
  FROM iso_own o
  JOIN pg_shdepend s ON s.refclassid = 'pg_authid'::regclass AND s.refobjid = o.oid
  JOIN pg_database d ON d.oid = s.dbid AND d.datname <> current_database()
 GROUP BY o.tenant_id, d.datname, o.rolname
UNION ALL
SELECT o.tenant_id, NULL, format('database %s', d.datname),
       format('%s has %s', o.name, string_agg(DISTINCT a.privilege_type, ', ' ORDER BY a.privilege_type)),
       format('REVOKE ALL ON DATABASE %I FROM %s', d.datname, o.sql)
  FROM pg_database d
 CROSS JOIN LATERAL aclexplode(d.datacl) a
  JOIN iso_reached o ON o.oid = a.grantee
 WHERE d.datname <> current_database() AND d.datallowconn
 GROUP BY o.tenant_id, d.datname, o.name, o.sql
UNION ALL -- Every new database lets PUBLIC in. Where others are shut to it, as those of the embedded server are, one is not.
SELECT NULL, NULL, format('database %s', d.datname), 'PUBLIC may connect to it, though not to others of this server',
       format('REVOKE ALL ON DATABASE %I FROM PUBLIC', d.datname)
  FROM pg_database d
 WHERE d.datname <> current_database() AND d.datallowconn AND has_database_privilege('public', d.oid, 'CONNECT')
   AND NOT has_database_privilege('public', current_database(), 'CONNECT')
   AND EXISTS (SELECT FROM pg_database e
                WHERE e.datname IN ('postgres', 'template1') AND NOT has_database_privilege('public', e.oid, 'CONNECT'))
