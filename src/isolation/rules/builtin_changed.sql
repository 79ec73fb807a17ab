SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('function %s', f.oid::regprocedure) AS object,
       format('it was changed after initdb; its language is %s', l.lanname) AS evidence, NULL::text AS mend
  FROM iso_loose f
  JOIN pg_language l ON l.oid = f.prolang
 WHERE f.is_replaced
