SELECT o.tenant_id, NULL::uuid AS other_id, format('database %s', d.datname) AS object,
       format('%s owns or may use something in it', o.rolname) AS evidence, NULL::text AS mend
  FROM iso_own o
  JOIN pg_shdepend s ON s.refclassid = 'pg_authid'::regclass AND s.refobjid = o.oid
  JOIN pg_database d ON d.oid = s.dbid AND d.datname <> current_database()
 GROUP BY o.tenant_id, d.datname, o.rolname
