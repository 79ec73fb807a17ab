SELECT p.tenant_id, NULL::uuid AS other_id, format('function %s', f.oid::regprocedure) AS object,
       'it sees rows that policies would hide' AS evidence,
       format('ALTER FUNCTION %s NOT LEAKPROOF', f.oid::regprocedure) AS mend
  FROM iso_function f
  JOIN iso_place p USING (nspoid)
 WHERE f.proleakproof AND p.kind <> 'control'
