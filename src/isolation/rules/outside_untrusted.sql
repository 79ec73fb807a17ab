SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, l.object,
       format('%s, and %s may execute it',
              CASE f.prokind WHEN 'a' THEN 'it runs code of the server or of its owner that is not for all'
                             ELSE 'its language is ' || g.lanname END, l.callers) AS evidence,
       format('REVOKE EXECUTE ON ROUTINE %s FROM %s', l.oid::regprocedure, l.callers_sql) AS mend
  FROM iso_lent l
  JOIN pg_proc f ON f.oid = l.oid
  JOIN pg_language g ON g.oid = f.prolang
 WHERE l.is_untrusted
