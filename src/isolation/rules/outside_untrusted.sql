SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, l.object,
       format('its language is %s, and %s may execute it', g.lanname, l.callers) AS evidence,
       format('REVOKE EXECUTE ON ROUTINE %s FROM %s', l.oid::regprocedure, l.callers_sql) AS mend
  FROM iso_lent l
  JOIN pg_proc f ON f.oid = l.oid
  JOIN pg_language g ON g.oid = f.prolang
 WHERE l.is_untrusted
