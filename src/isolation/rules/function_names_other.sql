SELECT t.id AS tenant_id, w.tenant_id AS other_id, format('function %s', w.oid::regprocedure) AS object,
       format('its text names schema %s', w.word) AS evidence,
       format('DROP ROUTINE %s', w.oid::regprocedure) AS mend
  FROM (SELECT v.oid, v.word, p.tenant_id FROM iso_word v JOIN iso_place p ON p.nspname = v.nspname) w
  JOIN tenantry.places l ON l.schema_name = w.word
  LEFT JOIN tenantry.tenants t ON t.place_id = CASE l.tier WHEN 'schema' THEN l.id END
