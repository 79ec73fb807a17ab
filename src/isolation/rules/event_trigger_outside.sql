-- Those of extensions call the extension's functions; those that call a tenant's are a rule of their own.
SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('event trigger %s', e.evtname) AS object,
       format('it calls %s with the rights of whoever changes something', e.evtfoid::regprocedure) AS evidence,
       format('DROP EVENT TRIGGER %I', e.evtname) AS mend
  FROM iso_event v
  JOIN pg_event_trigger e ON e.oid = v.oid
 WHERE EXISTS (SELECT FROM iso_loose f WHERE f.oid = e.evtfoid AND NOT f.is_extension)
