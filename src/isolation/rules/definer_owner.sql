SELECT p.tenant_id, r.tenant_id AS other_id, format('function %s', f.oid::regprocedure) AS object,
       format('it works with the rights of %s', pg_get_userbyid(f.proowner)) AS evidence,
       format('ALTER ROUTINE %s OWNER TO %I', f.oid::regprocedure, pg_get_userbyid(p.owner)) AS mend
  FROM iso_function f
  JOIN iso_place p USING (nspoid)
  LEFT JOIN iso_role r ON r.oid = f.proowner
 WHERE f.prosecdef AND p.kind <> 'control' AND f.proowner <> p.owner
