SELECT p.tenant_id, NULL::uuid AS other_id, format('function %s', f.oid::regprocedure) AS object,
       format('its language is %s', l.lanname) AS evidence,
       format('DROP ROUTINE %s', f.oid::regprocedure) AS mend
  FROM iso_function f
  JOIN iso_place p USING (nspoid)
  JOIN pg_language l ON l.oid = f.prolang AND NOT l.lanpltrusted AND l.lanname <> 'sql'
 WHERE p.kind <> 'control' AND f.prokind <> 'a'
   -- Those of an extension that is in this schema are the extension's.
   AND NOT EXISTS (SELECT
                     FROM pg_depend d
                     JOIN pg_extension x ON x.oid = d.refobjid AND x.extnamespace = f.nspoid AND x.oid BETWEEN 16384 AND f.oid
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
