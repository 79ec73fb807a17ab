SELECT coalesce(p.tenant_id, w.tenant_id) AS tenant_id, NULL::uuid AS other_id, format('event trigger %s', e.evtname) AS object,
       CASE WHEN f.oid IS NULL AND w.oid IS NOT NULL
            THEN format('it calls %s, which %s owns', e.evtfoid::regprocedure, w.name)
            ELSE format('it calls %s', coalesce(f.oid::regprocedure::text, 'a function of its owner')) END AS evidence,
       format('DROP EVENT TRIGGER %I', e.evtname) AS mend
  FROM pg_event_trigger e
  JOIN pg_proc c ON c.oid = e.evtfoid
  LEFT JOIN iso_function f ON f.oid = e.evtfoid
  LEFT JOIN iso_place p USING (nspoid)
  LEFT JOIN iso_own o ON o.oid = e.evtowner
  LEFT JOIN iso_reached w ON w.oid = c.proowner -- who replaces it, wherever it is
 WHERE f.oid IS NOT NULL OR o.oid IS NOT NULL OR w.oid IS NOT NULL
