-- Functions that work with their owner's rights.
SELECT p.tenant_id, p.nspname, p.owner, f.oid, f.proowner, f.proconfig, f.prolang,
       format('function %s', f.oid::regprocedure) AS object
  FROM iso_function f
  JOIN iso_place p USING (nspoid)
 WHERE f.prosecdef AND p.kind <> 'control'
