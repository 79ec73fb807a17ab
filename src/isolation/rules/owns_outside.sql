SELECT o.tenant_id, NULL::uuid AS other_id, pg_describe_object(s.classid, s.objid, 0) AS object,
       format('%s owns it', o.rolname) AS evidence, NULL::text AS mend
  FROM iso_outside s
  JOIN iso_own o ON o.oid = s.role
 WHERE s.deptype = 'o'
   -- owner_database
   AND NOT (s.classid = 'pg_database'::regclass
            AND s.objid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
