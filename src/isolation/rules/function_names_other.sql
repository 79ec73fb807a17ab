SELECT t.id AS tenant_id, w.tenant_id AS other_id, pg_describe_object(w.classid, w.objid, 0) AS object,
       format('its text names schema %s', w.word) AS evidence,
       CASE w.classid WHEN 'pg_proc'::regclass THEN format('DROP ROUTINE %s', w.objid::regprocedure)
                      WHEN 'pg_trigger'::regclass THEN format('DROP TRIGGER %I ON %s', g.tgname, g.tgrelid::regclass)
                      WHEN 'pg_policy'::regclass THEN format('DROP POLICY %I ON %s', y.polname, y.polrelid::regclass)
                      WHEN 'pg_attrdef'::regclass
                      THEN CASE a.attgenerated WHEN '' THEN format('ALTER TABLE %s ALTER %I DROP DEFAULT', a.attrelid::regclass,
                                                                   a.attname) END
                      WHEN 'pg_rewrite'::regclass
                      THEN CASE r.ev_type WHEN '1' THEN NULL
                                ELSE format('DROP RULE %I ON %s', r.rulename, r.ev_class::regclass) END END AS mend
  FROM iso_word w
  JOIN tenantry.places l ON l.schema_name = w.word
  LEFT JOIN tenantry.tenants t ON t.place_id = CASE l.tier WHEN 'schema' THEN l.id END
  LEFT JOIN pg_trigger g ON w.classid = 'pg_trigger'::regclass AND g.oid = w.objid
  LEFT JOIN pg_policy y ON w.classid = 'pg_policy'::regclass AND y.oid = w.objid
  LEFT JOIN pg_rewrite r ON w.classid = 'pg_rewrite'::regclass AND r.oid = w.objid
  LEFT JOIN pg_attrdef f ON w.classid = 'pg_attrdef'::regclass AND f.oid = w.objid
  LEFT JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
