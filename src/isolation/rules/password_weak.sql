SELECT o.tenant_id, NULL::uuid AS other_id, format('role %s', o.rolname) AS object,
       CASE WHEN a.rolpassword IS NULL THEN 'it has no password' ELSE 'its password is not a SCRAM verifier' END AS evidence,
       NULL::text AS mend
  FROM iso_own o
  JOIN pg_authid a ON a.oid = o.oid
 WHERE a.rolcanlogin AND o.kind IN ('app', 'readonly') AND coalesce(a.rolpassword, '') NOT LIKE 'SCRAM-SHA-256$%'
