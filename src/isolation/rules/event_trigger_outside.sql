-- Those of extensions call the extension's functions; those that call a tenant's are a rule of their own.
SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('event trigger %s', e.evtname) AS object,
       format('it calls %s with the rights of whoever changes something', e.evtfoid::regprocedure) AS evidence,
       format('DROP EVENT TRIGGER %I', e.evtname) AS mend
  FROM iso_event v
  JOIN pg_event_trigger e ON e.oid = v.oid
 WHERE NOT EXISTS (SELECT FROM iso_function f WHERE f.oid = e.evtfoid)
   AND NOT EXISTS (SELECT FROM pg_proc f JOIN iso_reached w ON w.oid = f.proowner WHERE f.oid = e.evtfoid)
   AND NOT EXISTS (SELECT
                     FROM pg_depend d
                     JOIN pg_extension x ON x.oid = d.refobjid AND x.oid BETWEEN 16384 AND e.evtfoid
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = e.evtfoid AND d.deptype = 'e')
