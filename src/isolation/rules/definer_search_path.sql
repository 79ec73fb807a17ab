SELECT f.tenant_id, NULL::uuid AS other_id, f.object,
       'names in it mean what the caller''s search_path or temporary objects say' AS evidence,
       format('ALTER ROUTINE %s SET search_path = pg_catalog, %I, pg_temp', f.oid::regprocedure, f.nspname) AS mend
  FROM iso_definer f
 WHERE NOT EXISTS (SELECT FROM unnest(f.proconfig) s (setting) WHERE s.setting ~ '^search_path=(.*, *)?"?pg_temp"?$')
