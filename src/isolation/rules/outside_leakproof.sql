SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('function %s', f.oid::regprocedure) AS object,
       'it sees rows that policies would hide, in every schema' AS evidence,
       format('ALTER FUNCTION %s NOT LEAKPROOF', f.oid::regprocedure) AS mend
  FROM iso_loose f
 WHERE f.proleakproof
