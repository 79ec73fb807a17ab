SELECT q.tenant_id, w.tenant_id AS other_id, format('function %s', w.oid::regprocedure) AS object,
       format('its text names schema %s', w.word) AS evidence,
       format('DROP ROUTINE %s', w.oid::regprocedure) AS mend
  FROM (SELECT DISTINCT f.oid, p.tenant_id, p.nspname, m.found[1] AS word
          FROM iso_function f
          JOIN iso_place p USING (nspoid)
          JOIN pg_proc s ON s.oid = f.oid
 CROSS JOIN LATERAL regexp_matches(s.prosrc, '\m((?:tenant|shared)_[0-9a-f]{12})(?=\M|_)', 'g') m (found)
         WHERE p.kind <> 'control') w
  LEFT JOIN (SELECT l.schema_name, t.id AS tenant_id
               FROM tenantry.places l LEFT JOIN tenantry.tenants t ON t.place_id = l.id AND l.tier = 'schema') q
    ON q.schema_name = w.word::name
 WHERE w.word <> w.nspname AND q.schema_name IS NOT NULL
