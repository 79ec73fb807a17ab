-- Of those, the functions that work with their owner's rights and that tenants may name and execute.
SELECT f.oid, f.proowner,
       format('function %s', f.oid::regprocedure) AS object,
       format('it works with the rights of %s, and %s may execute it', pg_get_userbyid(f.proowner),
              string_agg(DISTINCT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee) END, ', ')) AS evidence,
       format('ALTER ROUTINE %s SECURITY INVOKER', f.oid::regprocedure) AS mend,
       bool_or(r.rolsuper) OR f.proowner IN (SELECT p.owner FROM iso_place p WHERE p.kind = 'control') AS is_power
  FROM iso_loose f
  JOIN iso_common s ON s.nspoid = f.pronamespace
  LEFT JOIN pg_roles r ON r.oid = f.proowner
 CROSS JOIN LATERAL aclexplode(f.proacl) x
 WHERE f.prosecdef AND x.privilege_type = 'EXECUTE'
   AND (x.grantee = 0 OR x.grantee IN (SELECT o.oid FROM iso_own o UNION ALL SELECT u.role FROM iso_reach u))
   AND EXISTS (SELECT FROM aclexplode(s.nspacl) a
                WHERE a.privilege_type = 'USAGE'
                  AND (a.grantee = 0
                       OR a.grantee IN (SELECT o.oid FROM iso_own o UNION ALL SELECT u.role FROM iso_reach u)))
 GROUP BY f.oid, f.proowner
