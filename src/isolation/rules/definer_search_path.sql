SELECT p.tenant_id, NULL::uuid AS other_id, format('function %s', f.oid::regprocedure) AS object,
       'names in it mean what the caller''s search_path says' AS evidence,
       format('ALTER ROUTINE %s SET search_path = pg_catalog, %I, pg_temp', f.oid::regprocedure, p.nspname) AS mend
  FROM iso_function f
  JOIN iso_place p USING (nspoid)
 WHERE f.prosecdef AND p.kind <> 'control'
   AND NOT EXISTS (SELECT FROM unnest(f.proconfig) s (setting) WHERE s.setting LIKE 'search\_path=%')
