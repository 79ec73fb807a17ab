SELECT p.tenant_id, NULL::uuid AS other_id, format('event trigger %s', e.evtname) AS object,
       format('it calls %s', coalesce(f.oid::regprocedure::text, 'a function of its owner')) AS evidence,
       format('DROP EVENT TRIGGER %I', e.evtname) AS mend
  FROM pg_event_trigger e
  LEFT JOIN iso_function f ON f.oid = e.evtfoid
  LEFT JOIN iso_place p USING (nspoid)
  LEFT JOIN iso_own o ON o.oid = e.evtowner
 WHERE f.oid IS NOT NULL OR o.oid IS NOT NULL
