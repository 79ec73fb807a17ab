SELECT x.tenant_id, t.id AS other_id, format('role %s', x.rolname) AS object,
       format('its search_path names schema %s', p.schema_name) AS evidence,
       -- A login without one finds none of its tables: its own has to be set anew.
       CASE WHEN NOT x.is_own THEN format('ALTER ROLE %I%s RESET search_path', x.rolname, x.in_database) END AS mend
  FROM iso_setting x
 CROSS JOIN LATERAL (SELECT btrim(btrim(w.word), '"') AS word FROM unnest(string_to_array(x.value, ',')) w (word)) w
  JOIN tenantry.places p ON p.schema_name = w.word::name
  LEFT JOIN tenantry.tenants t ON t.place_id = CASE p.tier WHEN 'schema' THEN p.id END
  LEFT JOIN tenantry.tenants own ON own.id = x.tenant_id
  LEFT JOIN tenantry.spares spare ON spare.tenant_id = x.tenant_id
 WHERE x.name = 'search_path' AND p.id IS DISTINCT FROM coalesce(own.place_id, spare.place_id)
